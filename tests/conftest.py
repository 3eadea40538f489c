"""Which tests `make test` leaves to `make test-all`, and the browser's page that several of them share."""
import os
import sys
import sysconfig
import venv
from pathlib import Path
import pytest
from browser import open_page
from installed import ROOT, run

SLOW = {'wheel', 'python', 'browser_page', 'site'}  # fixtures: the built package, a browser, the built site


def pytest_collection_modifyitems(items):
    for item in items:
        if SLOW & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope='module')
def one_thread():
    "Two threads on cores that others use wait for each other: ten times as slow for a model so small."
    import torch
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='session')
def source(tmp_path_factory):
    "A copy of the tracked files."
    folder = tmp_path_factory.mktemp('source')
    for name in run('git', 'ls-files', '-z', cwd=ROOT).split('\0'):
        if (ROOT/name).is_file():
            (folder/name).parent.mkdir(parents=True, exist_ok=True)
            (folder/name).write_bytes((ROOT/name).read_bytes())
    return folder


@pytest.fixture(scope='session')
def wheel(source, tmp_path_factory):
    "The wheel by way of the source archive, as a release is built."
    dist = tmp_path_factory.mktemp('dist')
    run(sys.executable, '-m', 'build', '--no-isolation', '--outdir', dist, cwd=source)
    return next(dist.glob('*.whl'))


@pytest.fixture(scope='session')
def python(wheel, tmp_path_factory):
    "The Python of a fresh environment with the wheel in it; the requirements are this environment's."
    folder = tmp_path_factory.mktemp('venv')
    windows = os.name == 'nt'
    venv.create(folder, with_pip=False, symlinks=not windows)
    python = folder/('Scripts/python.exe' if windows else 'bin/python')
    run(sys.executable, '-m', 'pip', '--python', python, 'install', '--quiet', '--no-deps', '--no-index', wheel)
    site = Path(run(python, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))').strip())
    # A folder on the path: its own .pth files, the checkout's among them, are not read.
    (site/'requirements.pth').write_text(sysconfig.get_path('purelib') + '\n')
    return python


@pytest.fixture(scope='session')
def site(tmp_path_factory):
    "The folder of a built site: SITE's, or one that is built here."
    if os.environ.get('SITE'):
        return Path(os.environ['SITE']).resolve()
    out = tmp_path_factory.mktemp('site')/'_docs'
    run(sys.executable, '-m', 'tools.site.build', '--out', out, cwd=ROOT)
    return out


@pytest.fixture(scope='module')
def browser_page(tmp_path_factory):
    "A page in a browser of the module's own."
    with open_page(tmp_path_factory.mktemp('browser')/'profile') as page:
        yield page


@pytest.fixture
def page(browser_page):
    "The browser's page; afterwards: no script failed, and nothing but files was asked for."
    browser_page.errors.clear()
    browser_page.requests.clear()
    yield browser_page
    assert browser_page.errors == []
    assert [url for url in browser_page.requests if not url.startswith(('file:', 'data:', 'about:'))] == []


@pytest.fixture
def show(page, tmp_path):
    "A function that shows a static page which holds the pieces."
    def show(*pieces, style=''):
        path = tmp_path/'page.html'
        body = '\n'.join(piece._repr_html_() for piece in pieces)
        path.write_text(f'<!doctype html><meta charset="utf-8"><body style="{style}">{body}', encoding='utf-8')
        page.goto(path.as_uri())
    return show
