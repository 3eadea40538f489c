"""A headless Chromium for the tests that need one. Debian: apt-get install chromium"""
from __future__ import annotations
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
import pytest

FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync']


def executable() -> str:
    "Chromium's path. Without one the test is skipped; in CI it fails, unless LESSONLIB_NO_BROWSER gives the reason."
    found = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')
    if found: return found
    reason = os.environ.get('LESSONLIB_NO_BROWSER')
    if os.environ.get('CI') and not reason:
        pytest.fail('no Chromium on the PATH: install it, or say in LESSONLIB_NO_BROWSER why not')
    pytest.skip(reason or 'no Chromium on the PATH')


def node() -> str:
    "Node's path: the system's, or the one that Playwright brings along."
    import playwright
    brought = Path(playwright.__file__).parent/'driver'/('node.exe' if os.name == 'nt' else 'node')
    return shutil.which('node') or str(brought)


@contextmanager
def open_page(profile: Path, **options: Any) -> Iterator[Any]:
    "A page in a fresh profile folder; `page.errors`: what its scripts threw, `page.requests`: what it asked for."
    from playwright.sync_api import sync_playwright
    path = executable()
    with sync_playwright() as playwright:
        launch = playwright.chromium.launch_persistent_context
        context = launch(str(profile), executable_path=path, headless=True, args=FLAGS, **options)
        try: yield watched(context.pages[0])
        finally: context.close()


@contextmanager
def open_browser() -> Iterator[Any]:
    "A browser; each of its contexts is a reader who was never here."
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), headless=True, args=FLAGS)
        try: yield browser
        finally: browser.close()


def watched(page: Any) -> Any:
    "The page with `page.errors`: what its scripts threw, `page.requests`: what it asked for."
    page.set_default_timeout(60_000)
    page.errors, page.requests = [], []
    page.on('pageerror', lambda error: page.errors.append(str(error)))
    page.on('request', lambda request: page.requests.append(request.url))
    return page


# Pieces of script that several tests run in the page.
CONTRAST = """
const numbers = text => text.match(/[\\d.]+/g).map(Number);
const linear = value => value <= .03928 ? value/12.92 : ((value + .055)/1.055)**2.4;
const light = rgb => rgb.slice(0, 3).map(value => linear(value/255))
                        .reduce((sum, value, i) => sum + value*[.2126, .7152, .0722][i], 0);
const contrast = (one, two) => {
  const [a, b] = [light(one), light(two)];
  return (Math.max(a, b) + .05)/(Math.min(a, b) + .05);
};
"""
