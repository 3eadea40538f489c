"""Which tests `make test` leaves to `make test-all`, and the browser's page that several of them share."""
import pytest
from browser import open_page

SLOW = {'test_wheel', 'test_live_mask', 'test_jupyterlab', 'test_quiz', 'test_explorer'}


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.stem in SLOW: item.add_marker(pytest.mark.slow)


@pytest.fixture(scope='module')
def browser_page(tmp_path_factory):
    with open_page(tmp_path_factory.mktemp('browser')/'profile') as page: yield page


@pytest.fixture
def page(browser_page):
    "The browser's page; afterwards: no script failed, and nothing but files was asked for."
    browser_page.errors.clear(), browser_page.requests.clear()
    yield browser_page
    assert browser_page.errors == []
    assert [url for url in browser_page.requests if not url.startswith(('file:', 'data:', 'about:'))] == []


@pytest.fixture
def show(page, tmp_path):
    "A function that shows a static page which holds the pieces."
    def show(*pieces, style=''):
        path = tmp_path/'page.html'
        path.write_text(f'<!doctype html><meta charset="utf-8"><body style="{style}">' + '\n'.join(p._repr_html_() for p in pieces), encoding='utf-8')
        page.goto(path.as_uri())
    return show
