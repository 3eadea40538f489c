"""A headless Chromium for the tests that need one. Debian: apt-get install chromium"""
import os, shutil
from contextlib import contextmanager
import pytest

FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync']


def executable():
    "Chromium's path. Without one the test is skipped, and in CI it fails unless LESSONLIB_NO_BROWSER gives the reason."
    found = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')
    if found: return found
    reason = os.environ.get('LESSONLIB_NO_BROWSER')
    if os.environ.get('CI') and not reason: pytest.fail('no Chromium on the PATH: install it, or say in LESSONLIB_NO_BROWSER why not')
    pytest.skip(reason or 'no Chromium on the PATH')


@contextmanager
def open_page(profile, **options):
    "A page in a fresh profile folder; `page.errors` and `page.requests` list what its scripts threw and what it asked of the network."
    from playwright.sync_api import sync_playwright
    path = executable()
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(str(profile), executable_path=path, headless=True, args=FLAGS, **options)
        page = context.pages[0]
        page.set_default_timeout(60_000)
        page.errors, page.requests = [], []
        page.on('pageerror', lambda error: page.errors.append(str(error)))
        page.on('request', lambda request: page.requests.append(request.url))
        try: yield page
        finally: context.close()
