"""The quiz in a static page: what is clicked and typed is judged as Python judges it, without a kernel or a network."""
import re
import numpy as np
import pytest
from browser import CONTRAST
from installed import ROOT
from lessonlib.broadcasting import explain_broadcast
from lessonlib.questions import shape_questions
from lessonlib.quiz import Question, quiz

WIDGETS = ROOT/'lessonlib'/'data'/'widgets'
QUESTIONS = [Question('What is the shape of `a*b`?', (3, 4), {(3,): 'One row.', (4, 3): 'Rows first.'}, 'a is (3, 1).',
                      'Count the `rows`.'),
             Question('How many numbers?', np.int64(12), hint='More than 11.', why='3 times 4.'),
             Question('What share?', .25), Question('How many more?', 0),
             Question('Type the shape of `a[:, None](b)`.', (4, 1), why='a           (4,)\na[:, None]  (4, 1)'),
             Question('Type the index, for $5 and <b>.', 'a[:, None]'), Question('And of one number?', ())]
REPLIES = {2: ['12', ' 12.0 ', '11', '24/2', '-12', '1e400', '1//2', 'x', '9'*400],
           3: ['.25', '1/4', '.2501', '.26', '-1e400'], 4: ['0', '1', '-0'],
           5: ['(4, 1)', '4,1', '[4,1]', '4 1', '4, 1,', '(1, 4)', '4', '4; 1', 'four'],
           6: ['a[:, None]', 'A[:,none]', 'a[None]'], 7: ['()', '(', '1']}
GROUPS = 'unit axes', 'storage', 'the rules', 'clashes', 'letters'
THEMES = {'light': '<body>{}', 'dark site': '<body class="quarto-dark" style="background:#111;color:#eee">{}',
          'dark JupyterLab': '<body data-jp-theme-light="false" style="background:#111;color:#eee">{}'}


def question(page, number, piece=0):
    "A question of a quiz."
    return page.locator('.lessonlib-quiz').nth(piece).locator('.Question').nth(number - 1)


def options(page, number, piece=0):
    "Its options."
    return question(page, number, piece).locator('.Options button:not(.Hint)')


def feedback(page, number, piece=0):
    "What the page says to the last answer: whether it was right, and the words."
    said = question(page, number, piece).locator('.Feedback')
    return said.get_attribute('data-verdict') == 'right', said.inner_text()


def answer(page, number, reply, piece=0):
    "Type an answer and press Enter."
    box = question(page, number, piece).locator('input')
    box.fill(reply)
    box.press('Enter')
    return feedback(page, number, piece)


def score(page, piece=0):
    "What stands below the questions."
    return page.locator('.lessonlib-quiz').nth(piece).locator('.Score').inner_text()


def test_a_wrong_option_is_told_why_then_comes_the_hint_then_the_answer(page, show):
    show(quiz(*QUESTIONS))
    assert options(page, 1).all_inner_texts() == ['(3, 4)', '(3,)', '(4, 3)']
    for _ in 'twice':                                                        # the same one again tells no more
        options(page, 1).nth(2).click()
        assert feedback(page, 1) == (False, '✗ Not yet. Rows first. Hint. Count the rows.')
    options(page, 1).nth(1).click()
    assert feedback(page, 1) == (False, '✗ Not yet. One row. a is (3, 1).')
    options(page, 1).nth(0).click()
    assert feedback(page, 1) == (True, '✓ Right. a is (3, 1).')
    assert options(page, 1).evaluate_all('all => all.map(e => e.dataset.verdict)') == ['right', 'wrong', 'wrong']
    signs = 'all => all.map(e => getComputedStyle(e, "::before").content.match(/[✓✗]/)[0])'
    assert options(page, 1).evaluate_all(signs) == ['✓', '✗', '✗']


def test_a_hint_comes_before_any_answer(page, show):
    show(quiz(*QUESTIONS))
    question(page, 1).get_by_role('button', name='Hint').click()
    assert feedback(page, 1) == (False, 'Hint. Count the rows.') and score(page) == '0 of 7 right'
    assert question(page, 3).get_by_role('button', name='Hint').count() == 0
    assert answer(page, 2, '11') == (False, '✗ Not yet. Too small. Hint. More than 11.')
    assert answer(page, 2, '13') == (False, '✗ Not yet. Too large. 3 times 4.')


def test_what_is_typed_is_judged_as_ask_judges_it(page, show, capsys):
    "The verdict and the words."
    asked = quiz(*QUESTIONS)
    show(asked)
    replies = [(number, reply) for number, replies in REPLIES.items() for reply in replies]
    verdicts = {number: set() for number in REPLIES}
    for number, reply in replies:
        right, words = answer(page, number, reply)
        result = asked.ask(number, reply)
        capsys.readouterr()
        told = result.words.partition('\n')[2].replace('Hint:', 'Hint.').split()
        assert right == bool(result) and words.split()[2 if right else 3:] == told, (number, reply)
        verdicts[number].add(right)
    assert all(found == {True, False} for found in verdicts.values())
    assert score(page) == f'{asked.score} right' and asked.score == '6 of 7'


def test_nothing_typed_is_no_answer(page, show):
    show(quiz(*QUESTIONS))
    for reply in '', '  ': assert answer(page, 2, reply) == (False, 'Type an answer first.')
    assert answer(page, 2, '12')[0] and score(page) == '1 of 7 right'
    question(page, 3).locator('input').fill('.25')
    question(page, 3).get_by_role('button', name='Check').click()
    assert feedback(page, 3)[0] and score(page) == '2 of 7 right'


def test_the_score_counts_what_is_right_and_what_was_so_at_once(page, show):
    show(quiz(*QUESTIONS[:3], title='Three of them'))
    group = page.get_by_role('group', name='Three of them', exact=True)
    assert group.locator('.Title').inner_text() == 'Three of them' and score(page) == '0 of 3 right'
    options(page, 1).nth(0).click()
    assert score(page) == '1 of 3 right'
    answer(page, 2, '11')
    answer(page, 2, '12')
    assert score(page) == '2 of 3 right, 1 at the first try'
    options(page, 1).nth(1).click()                                          # a look at another option costs nothing
    answer(page, 3, '.25')
    assert score(page) == '3 of 3 right, 2 at the first try'
    again = page.get_by_role('button', name='Start again')
    again.focus()
    page.keyboard.press('Enter')
    assert score(page) == '0 of 3 right' and page.locator('[data-verdict]').count() == 0
    assert page.locator('input').first.input_value() == '' and page.locator('.Feedback:not(:empty)').count() == 0
    assert page.evaluate('document.activeElement.textContent') == 'Start again'
    assert answer(page, 2, '12')[0] and score(page) == '1 of 3 right'


def test_the_keyboard_alone_is_enough(page, show):
    "Tab goes to every option, field and button; an option is chosen by Enter or Space, never by passing it."
    show(quiz(*QUESTIONS[:2]))
    reached, keys = [], iter(['Tab', 'Space', 'Tab', 'Enter', 'Tab', 'Tab', 'Tab', 'Tab', 'Tab'])
    for key in keys:
        page.keyboard.press(key)
        reached.append(page.evaluate('document.activeElement.textContent || document.activeElement.tagName'))
    assert reached == ['(3, 4)', '(3, 4)', '(3,)', '(3,)', '(4, 3)', 'Hint', 'INPUT', 'Check', 'Hint']
    assert options(page, 1).evaluate_all('all => all.map(e => e.dataset.verdict ?? "")') == ['right', 'wrong', '']
    rim = page.evaluate('getComputedStyle(document.activeElement).outline')
    assert rim == 'rgb(230, 159, 0) solid 3px'
    page.keyboard.press('Shift+Tab')
    page.keyboard.press('Shift+Tab')
    page.keyboard.type('12')
    page.keyboard.press('Enter')
    assert feedback(page, 2)[0] and score(page) == '2 of 2 right'


def test_fields_have_names_and_results_are_announced(page, show):
    show(quiz(*QUESTIONS))
    assert page.get_by_role('textbox', name='5. Type the shape of a[:, None](b).', exact=True).count() == 1
    assert page.get_by_role('group', name='1. What is the shape of a*b?', exact=True).count() == 1
    assert page.get_by_role('group', name='Quiz', exact=True).count() == 1
    assert all(page.locator('input').evaluate_all('all => all.map(e => e.ariaLabel)'))
    own_keys = '.lessonlib-quiz :is(button, input):not([data-lm-suppress-shortcuts=true])'
    assert page.locator(own_keys).count() == 0, 'in JupyterLab a key there would be a shortcut'
    live = '[role=status][aria-live=polite]'
    assert page.locator(f'.Feedback{live}').count() == 7 and page.locator(f'.Score{live}').count() == 1


def test_text_is_shown_as_written(page, show):
    show(quiz(*QUESTIONS, title='<i>'))
    texts = page.locator('legend').all_inner_texts()
    assert texts[4:6] == ['5. Type the shape of a[:, None](b).', '6. Type the index, for $5 and <b>.']
    assert page.locator('.lessonlib-quiz > pre').count() == 0 and page.locator('.Title').inner_text() == '<i>'
    answer(page, 5, '1 4')
    assert feedback(page, 5)[1] == '✗ Not yet. Look at axis -1 again.\na           (4,)\na[:, None]  (4, 1)'


def test_two_quizzes_and_one_twice(page, show):
    first, second = quiz(*QUESTIONS[:2]), quiz(*QUESTIONS[2:])
    show(first, second, first)
    assert [page.locator('.lessonlib-quiz').nth(i).locator('.Question').count() for i in range(3)] == [2, 5, 2]
    assert answer(page, 2, '12', piece=2)[0]
    assert [score(page, n) for n in range(3)] == ['0 of 2 right', '0 of 5 right', '1 of 2 right']


def test_without_scripts_the_questions_are_text(page, show):
    asked = quiz(*QUESTIONS)
    show(asked)
    page.set_content(re.sub('<script>.*</script>', '', asked._repr_html_(), flags=re.DOTALL))
    assert page.locator('pre').text_content() == repr(asked)


@pytest.mark.parametrize('width', [1280, 390])
@pytest.mark.parametrize('theme', THEMES)
def test_all_groups_in_both_themes_and_widths(page, tmp_path, theme, width):
    "Every option and a wrong and a right answer: words have a contrast of 4.5 and more, and nothing is cut off."
    groups = [quiz(*shape_questions(explain_broadcast, about), title=about) for about in GROUPS]
    path = tmp_path/'page.html'
    html = '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">' + THEMES[theme]
    path.write_text(html.format(''.join(group._repr_html_() for group in groups)), encoding='utf-8')
    page.set_viewport_size(dict(width=width, height=900))
    page.goto(path.as_uri())
    faint = lambda: page.evaluate('() => {' + CONTRAST + """
        const ground = e => {
            const color = getComputedStyle(e).backgroundColor;
            if (numbers(color)[3] !== 0) return numbers(color);
            return e.parentElement ? ground(e.parentElement) : [255, 255, 255];
        };
        const leaves = [...document.querySelectorAll('.lessonlib-quiz *:not(style, script)')]
            .filter(e => [...e.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()));
        return leaves.map(e => [contrast(numbers(getComputedStyle(e).color), ground(e)), e.textContent])
                     .filter(([ratio]) => ratio < 4.5);
    }""")
    assert faint() == []
    said = []
    for piece, group in enumerate(groups):
        for number, one in enumerate(group.questions, 1):
            for option in options(page, number, piece).all():
                option.click()
                said.append(feedback(page, number, piece))
            if not one.wrong: said += [answer(page, number, reply, piece) for reply in ('77', str(one.answer))]
        assert score(page, piece).startswith(f'{len(group.questions)} of {len(group.questions)} right')
    assert sum(right for right, _ in said) == 26 and all(len(words) > 20 for _, words in said)
    assert faint() == []
    assert page.evaluate('document.documentElement.scrollWidth') <= width
    cut = """all => all.filter(e => e.scrollWidth > e.clientWidth + 1 && e.tabIndex < 0).map(e => e.textContent)"""
    assert page.locator('.lessonlib-quiz :is(pre, button, legend, .Feedback)').evaluate_all(cut) == []
    page.set_viewport_size(dict(width=1280, height=720))


def test_the_page_holds_the_files():
    page = quiz(*QUESTIONS)._repr_html_()
    script, style = ((WIDGETS/name).read_text(encoding='utf-8').rstrip() for name in ('quiz.js', 'quiz.css'))
    assert style in page and all(part in page for part in script.split("'@ID@'")[1].split("'@DATA@'"))
