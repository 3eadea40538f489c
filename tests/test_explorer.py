"""The explorer of shapes in a static page draws and says what `explain_broadcast` draws and says."""
import itertools
import random
import pytest
import torch
from browser import CONTRAST
from lessonlib.broadcasting import broadcast_explorer, explain_broadcast, explain_storage

TYPED = ['()', '', '5', '(3, 1)', '3 1', '(4,)', ' 2,3 ', '(3, 2)', '(5, 3, 4)', '(5, 4)', '(8, 1, 6, 1)', '(7, 1, 5)',
         '0', '(2, 0, 3)', '(1, 1)', '1 2 3 1 2 3 1 2', '1 2 3 4 5 6 7 8 9', 'three', '<b>&"', '(2, -1)', '2.5', '(3',
         '48', '49', '(7, 7)', '(100, 1)', '(256, 256, 3)', '(9, 2, 1)', '999999999 999999999 999999999',
         '(999999999, 2)']
THEMES = {'light': 'background:#fff;color:#000', 'dark': 'background:#111;color:#eee;color-scheme:dark'}


def cases():
    "Pairs of what one might type, and random shapes, most of them near enough to fit or to be mended."
    rng = random.Random(0)
    shapes = [str(tuple(rng.choice([0, 1, 1, 2, 3]) for _ in range(rng.randint(0, 4)))) for _ in range(800)]
    return [*itertools.product(TYPED, TYPED), *zip(shapes[::2], shapes[1::2], strict=True)]


def test_what_is_typed_is_answered_as_in_python(page, show):
    show(broadcast_explorer())
    wanted = [broadcast_explorer.answer(*case)._repr_html_() for case in cases()]
    table = page.evaluate("""([cases, wanted]) => {                // what stands there, and what Python would put there
        const root = document.querySelector('.lessonlib-explorer'), inputs = [...root.querySelectorAll('input')];
        const parsed = document.createElement('div');
        return cases.map((texts, n) => {
            texts.forEach((text, i) => { inputs[i].value = text; });
            inputs[1].dispatchEvent(new Event('input'));
            parsed.innerHTML = wanted[n];
            return [root.querySelector('[data-out]').innerHTML, parsed.innerHTML];
        });
    }""", [list(map(list, cases())), wanted])
    for case, (found, expected) in zip(cases(), table, strict=True): assert found == expected, case
    for part in ['linear-gradient', 'stretched to', 'added', 'smallest fix', 'expected up to 8', 'drawn shortened',
                 'not drawn: the result has no elements', 'not drawn: more than 3 axes']:
        assert sum(part in found for found, _ in table) > 50, f'no answer with {part}'


def test_typing_with_keys(page, show):
    show(broadcast_explorer(), broadcast_explorer(), broadcast_explorer('2', '3'))
    pieces = page.locator('.lessonlib-explorer')
    said = lambda n: pieces.nth(n).locator('pre').text_content()
    first = said(0)
    pieces.nth(0).locator('input').nth(1).click()
    page.keyboard.press('Control+a')
    page.keyboard.type('(5,4)')
    assert 'smallest fix: b[:, None, :] has shape (5, 1, 4), and the result (5, 3, 4)' in said(0)
    assert said(1) == first                                        # its twin on the page is not disturbed
    pieces.nth(2).locator('input').nth(0).fill('4 1')
    assert 'a: axis -1 stretched to 3' in said(2)


def test_what_is_large_is_drawn_shortened_or_it_says_why_not(page, show):
    show(broadcast_explorer())
    inputs = page.locator('.lessonlib-explorer input')
    notes = {('48', '1'): [], ('49', '1'): ['drawn shortened: … is what was left out'],
             ('8 1 6', '1'): [], ('7 7', '7'): ['drawn shortened: … is what was left out'],
             ('1 2 3 4', '4'): ['not drawn: more than 3 axes'], ('0 3', '3'): ['not drawn: the result has no elements'],
             ('2', '3'): []}
    for typed, wanted in notes.items():
        for field, text in zip(inputs.all(), typed, strict=True): field.fill(text)
        assert [text for text in page.locator('[data-out] pre').all_text_contents()[1:]] == wanted, typed
    for field, text in zip(inputs.all(), ('256 1', '256'), strict=True): field.fill(text)
    grids = page.locator('.lessonlib-cells > div')
    assert grids.locator('div').all_text_contents() == [
        'a (256, 1) read as (256, 256)', 'b (256,) read as (256, 256)', 'result (256, 256)']
    assert grids.nth(1).locator('tr').first.locator('td').all_text_contents() == ['0', '1', '…', '255']
    assert grids.nth(2).locator('td').last.text_content() == 'a255 b255'


@pytest.mark.parametrize('width', [1280, 390])
def test_a_drawing_scrolls_in_its_box(page, show, width):
    "However long the numbers are, the page does not become wider, and the keyboard reaches the box."
    page.set_viewport_size(dict(width=width, height=800))
    show(broadcast_explorer('999999999 999999999 1', '999999999'))
    assert page.evaluate('document.documentElement.scrollWidth') <= width
    assert page.locator('[data-out] td', has_text='a999999998000000000').count() > 0
    assert page.locator('[data-out]').get_attribute('tabindex') == '0'
    page.set_viewport_size(dict(width=1280, height=720))


@pytest.mark.parametrize('theme', THEMES)
def test_words_are_readable_on_light_and_dark_pages(page, show, theme):
    "Every word has a contrast of at least 4.5, also on colours that cover their ground by half and on slanted ones."
    show(broadcast_explorer(), explain_broadcast((2, 3, 1), (4,), ()), explain_broadcast((3, 2), (4, 1, 3)),
         explain_broadcast((60, 1), (70,)), explain_broadcast((2, 0), (1,)),
         explain_storage(torch.arange(40.).reshape(5, 8).T[::2]), explain_storage(torch.arange(20.).expand(2, 20)),
         style=THEMES[theme])
    ratios = page.evaluate('() => {' + CONTRAST + """
        const color = text => { const [r, g, b, a = 1] = numbers(text); return [r, g, b, a]; };
        const over = ([r, g, b, a], ground) => [r, g, b].map((v, i) => v*a + ground[i]*(1 - a));
        const grounds = element => {                               // one colour, or those of the gradient
            const below = element === document.body ? [[255, 255, 255]] : grounds(element.parentElement);
            const style = getComputedStyle(element);
            const own = style.backgroundImage === 'none' ? [style.backgroundColor]
                                                         : style.backgroundImage.match(/rgba?\\([^)]*\\)/g);
            return own.flatMap(c => below.map(ground => over(color(c), ground)));
        };
        const words = [...document.querySelectorAll('td, th, pre, label, .lessonlib-cells div')];
        const leaves = words.filter(e => !e.querySelector('table') && e.textContent.trim());
        return leaves.flatMap(e => grounds(e).map(ground => contrast(color(getComputedStyle(e).color), ground)));
    }""")
    assert len(ratios) > 150 and min(ratios) > 4.5, sorted(ratios)[:5]
