"""The quiz in a static page: what is clicked and typed is judged as Python judges it, without a kernel or a network."""
import numpy as np
from installed import ROOT
from lessonlib.quiz import Question, quiz

WIDGETS = ROOT/'lessonlib'/'data'/'widgets'
QUESTIONS = [Question('What is the shape of `a*b`?', (3, 4), {(3,): 'One row.', (4, 3): 'Rows first.'}, 'a is (3, 1).'),
             Question('How many numbers?', np.int64(12)), Question('What share?', .25), Question('How many more?', 0),
             Question('Type the shape of `a[:, None](b)`.', (4, 1), why='a           (4,)\na[:, None]  (4, 1)'),
             Question('Type the index, for $5 and <b>.', 'a[:, None]')]
REPLIES = {2: ['12', '12.0', '11', '24/2', '-12', '1e400'], 3: ['.25', '1/4', '.2501', '.26', '-1e400'], 4: ['0', '1'],
           5: ['(4, 1)', '4,1', '[4,1]', '4 1', '(1, 4)', '4'], 6: ['a[:, None]', 'A[:,none]', 'a[None]']}


def feedback(page, number, piece=0):
    "What the page says to the last answer: its class and its words."
    said = page.locator('.lessonlib-quiz').nth(piece).locator('.Feedback').nth(number - 1)
    return 'correct' in said.get_attribute('class').split(), said.inner_text()


def answer(page, number, reply, piece=0):
    "Type an answer and press Enter."
    box = page.locator('.lessonlib-quiz').nth(piece).locator('.Quiz').nth(number - 1).locator('input')
    box.click()
    page.keyboard.type(reply)
    page.keyboard.press('Enter')
    return feedback(page, number, piece)


def test_options_by_mouse_and_key(page, show):
    show(quiz(*QUESTIONS))
    options = page.locator('.Quiz').first.locator('label')
    assert options.all_inner_texts() == ['(3, 4)', '(3,)', '(4, 3)']
    options.nth(2).click()
    assert feedback(page, 1) == (False, 'Not yet. Rows first. a is (3, 1).')
    options.nth(1).locator('input').focus()
    page.keyboard.press('Space')
    assert feedback(page, 1) == (False, 'Not yet. One row. a is (3, 1).')
    options.nth(0).click()
    assert feedback(page, 1) == (True, 'Right. a is (3, 1).')


def test_typed_answers_are_judged_as_ask_judges_them(page, show, capsys):
    asked = quiz(*QUESTIONS)
    show(asked)
    replies = [(number, reply) for number, replies in REPLIES.items() for reply in replies]
    found = {(number, reply): answer(page, number, reply)[0] for number, reply in replies}
    assert found == {(number, reply): bool(asked.ask(number, reply)) for number, reply in found}
    assert {number for (number, _), right in found.items() if right} == set(REPLIES)
    assert {number for (number, _), right in found.items() if not right} == set(REPLIES)
    assert answer(page, 4, '') == (False, 'Not yet.')
    assert answer(page, 5, '4') == (False, 'Not yet.\na           (4,)\na[:, None]  (4, 1)')


def test_text_is_shown_as_written(page, show):
    show(quiz(*QUESTIONS))
    texts = page.locator('.Quiz [id^=quizQn]').all_inner_texts()
    assert texts[4:] == ['5. Type the shape of a[:, None](b).', '6. Type the index, for $5 and <b>.']
    assert page.locator('.lessonlib-quiz > pre').count() == 0


def test_two_quizzes_and_one_twice(page, show):
    first, second = quiz(*QUESTIONS[:2]), quiz(*QUESTIONS[2:])
    show(first, second, first)
    assert [page.locator('.lessonlib-quiz').nth(i).locator('.Quiz').count() for i in range(3)] == [2, 4, 2]
    assert answer(page, 2, '12', piece=2)[0]
    assert page.locator('.lessonlib-quiz').first.locator('.correct').count() == 0


def test_mathjax_of_the_page_is_left_alone(page, show):
    page.add_init_script("window.MathJax = {version: '3.0', mine: true}")  # one without `typeset` would be replaced
    show(quiz(QUESTIONS[1]))
    page.wait_for_timeout(800)  # jupyterquiz's part that is switched off waits half a second
    assert answer(page, 1, '12')[0] and page.evaluate('window.MathJax.mine')


def test_the_styles_win_over_those_of_jupyterquiz(page, show):
    show(quiz(QUESTIONS[0]))
    look = "element => [getComputedStyle(element).fontSize, getComputedStyle(element).padding]"
    assert page.locator('.lessonlib-quiz .MCButton').first.evaluate(look) == ['15px', '7px']
    assert page.locator('.lessonlib-quiz').evaluate('element => getComputedStyle(element).maxWidth') == '640px'


def test_the_script_as_it_is(page, tmp_path):
    "`quiz.js` alone: each waiting place is given the questions once, with the words for any answer added."
    path, script = tmp_path/'page.html', (WIDGETS/'quiz.js').read_text(encoding='utf-8')
    path.write_text(''.join(f'<div data-quiz="{name}"><pre>text</pre></div>' for name in ('one', 'two')))
    page.goto(path.as_uri())
    page.evaluate('''() => {
        window.shown = [];
        window.show_questions = (questions, root) => shown.push([structuredClone(questions), root.dataset.quiz]);
    }''')
    filled = script.replace("'@ID@'", '"one"').replace("'@DATA@'", '[{why: "why", answers: [{feedback: "Right. "}]}]')
    for _ in 'twice': page.add_script_tag(content=filled)
    assert page.evaluate('shown') == [[[{'why': 'why', 'answers': [{'feedback': 'Right. why'}]}], 'one']]
    assert page.locator('pre').count() == 1


def test_the_page_holds_the_files():
    page = quiz(*QUESTIONS)._repr_html_()
    script, style = ((WIDGETS/name).read_text(encoding='utf-8').rstrip() for name in ('quiz.js', 'quiz.css'))
    assert style in page and all(part in page for part in script.split("'@ID@'")[1].split("'@DATA@'"))
