"""The explorer of shapes in a static page says what `explain_broadcast` says."""
import itertools, random
import pytest
from browser import open_page
from lessonlib.broadcasting import broadcast_explorer

TYPED = ['()', '', '5', '(3, 1)', '3 1', '(4,)', ' 2,3 ', '(3, 2)', '(5, 3, 4)', '(5, 4)', '(8, 1, 6, 1)', '(7, 1, 5)', '0', '(2, 0, 3)', '(1, 1)',
         '1 2 3 1 2 3 1 2', '1 2 3 4 5 6 7 8 9', 'three', '(2, -1)', '2.5', '(3', '999999999 999999999 999999999', '(999999999, 2)']


def cases():
    "Pairs of what one might type, and random shapes, most of them near enough to fit or to be mended."
    rng = random.Random(0)
    shapes = [str(tuple(rng.choice([0, 1, 1, 2, 3]) for _ in range(rng.randint(0, 4)))) for _ in range(400)]
    return [*itertools.product(TYPED, TYPED), *zip(shapes[::2], shapes[1::2])]


@pytest.mark.slow
def test_what_is_typed_is_explained_as_in_python(tmp_path):
    path = tmp_path/'page.html'
    path.write_text('<!doctype html><meta charset="utf-8">' + broadcast_explorer('(3, 1)', '(4,)')._repr_html_(), encoding='utf-8')
    with open_page(tmp_path/'profile') as page:
        page.goto(path.as_uri())
        said = page.locator('.lessonlib-explorer pre')
        assert said.text_content() == broadcast_explorer.say('(3, 1)', '(4,)')
        page.fill('[data-shape="1"]', '5')                                     # as a hand does
        assert said.text_content() == broadcast_explorer.say('(3, 1)', '5')
        table = page.evaluate("""cases => {
            const root = document.querySelector('.lessonlib-explorer'), inputs = [...root.querySelectorAll('input')];
            return cases.map(texts => {
                texts.forEach((text, i) => { inputs[i].value = text; });
                inputs[1].dispatchEvent(new Event('input'));
                return root.querySelector('pre').textContent;
            });
        }""", [list(case) for case in cases()])
        for case, found in zip(cases(), table, strict=True): assert found == broadcast_explorer.say(*case), case
        assert page.errors == [] and all(url.startswith(('file:', 'data:', 'about:')) for url in page.requests)
