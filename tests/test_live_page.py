"""The live page in a browser: what it finds, what it loads, what it says when something is wrong."""
import functools
import http.server
import io
import json
import re
import threading
import numpy as np
import pytest
from browser import CONTRAST, open_browser, watched
from firefox import executable, open_firefox
from live_reference import EDIT, cases
from PIL import Image
from test_live_diffedit import same_mask
from tools.site import live

pytestmark = pytest.mark.skipif(bool(live.missing()), reason=live.missing())
PAGE = 'in_your_browser.html'
ROOT = "document.querySelector('[data-live]')"


@pytest.fixture(scope='module')
def server(site):
    "The site on this machine: `address`; `asked` lists what was asked for, `spoil` changes what is sent."
    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            served.asked.append(self.path)
            name = self.path.split('?')[0].rsplit('/', 1)[-1]
            if name not in served.spoil:
                return super().do_GET()
            data = served.spoil[name]
            self.send_response(200 if data is not None else 404)
            self.end_headers()
            self.wfile.write(data or b'')

        def log_message(self, *args):
            "Nothing is printed."
    served = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Handler, directory=str(site)))
    served.asked, served.spoil, served.address = [], {}, f'http://127.0.0.1:{served.server_port}/'
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield served
    served.shutdown()


@pytest.fixture(scope='module')
def browser():
    "A browser for all tests of this module."
    with open_browser() as found:
        yield found


@pytest.fixture(scope='module')
def loaded(server, browser):
    "A page with the model loaded."
    page = watched(browser.new_page(reduced_motion='reduce'))
    page.goto(server.address + PAGE)
    load(page)
    yield page
    page.close()


@pytest.fixture
def page(loaded, server):
    "The loaded page as it was at first; afterwards: no script failed, and nothing but the site was asked for."
    loaded.errors.clear()
    loaded.evaluate(f'{ROOT}.live.noise = null')
    loaded.click('[data-do=reset]')
    settle(loaded)
    yield loaded
    assert loaded.errors == []
    assert [url for url in loaded.requests if not url.startswith((server.address, 'blob:', 'data:'))] == []


@pytest.fixture
def fresh(browser):
    "A reader who was never here."
    page = watched(browser.new_page())
    yield page
    page.close()


def settle(page, state='find done'):
    "Wait until nothing is computed."
    page.wait_for_function(f"wanted => [wanted, 'failed'].includes({ROOT}.dataset.state)", arg=state)
    assert page.locator('[data-live]').get_attribute('data-state') == state, said(page)


def load(page):
    "Click, and wait for the first mask."
    page.click('[data-do=load]')
    settle(page)


def said(page, name='status'):
    "What the page says."
    return page.locator(f'[data-say={name}]').inner_text()


def ask(page, source, target):
    "Two queries, by keyboard."
    for name, text in ('source', source), ('target', target):
        page.locator(f'[data-query={name}]').fill(text)
    page.keyboard.press('Enter')
    page.wait_for_timeout(50)
    settle(page)


RESULT = f"""() => {{
  const {{maps, mask, edited}} = {ROOT}.live;
  const lists = Object.entries({{...mask, edited: edited && edited.pixels}}).map(([k, v]) => [k, v && Array.from(v)]);
  return {{...Object.fromEntries(lists), maps: maps.map(map => Array.from(map))}};
}}"""


# ---- what it finds

@pytest.mark.parametrize('number', range(3))
def test_the_page_finds_what_python_finds(page, number):
    "For the same noise: maps, mask, IoU, and the edit after all of its steps."
    case = cases()[number]
    given = f'noise => {{ {ROOT}.live.noise = noise.map(one => Float32Array.from(one)); }}'
    page.evaluate(given, case.question['noise'])
    page.locator('[data-setting=method]').select_option(case.method)
    settle(page)
    page.locator('[data-scene]').nth(case.number).click()
    page.wait_for_timeout(50)
    settle(page)
    page.locator('[data-setting=steps]').fill(str(EDIT['wanted']))
    page.click('[data-do=edit]')
    settle(page, 'edit done')
    found = page.evaluate(RESULT)
    assert np.abs(np.array(found['maps']) - case.mask.maps.flatten(1).numpy()).max() < 1e-4
    values = case.mask.pixel_difference.numpy().ravel()
    same_mask(found['pixelMask'], case.mask.pixel_mask, values, case.mask.threshold)
    same_mask(found['mask'], case.mask.mask, case.mask.difference, case.mask.threshold)
    assert abs(float(page.locator('[data-live]').get_attribute('data-iou')) - case.iou) < 1e-3
    apart = np.abs(np.array(found['edited']) - np.asarray(case.edit.image).ravel().astype(int))
    assert apart.max() <= 2 and (apart > 0).mean() < .02


def test_only_what_changed_is_computed_anew(page):
    "A threshold asks the model nothing; more noises ask for the new ones; the same query again for none."
    def move(name, value):
        page.locator(f'[data-setting={name}]').fill(str(value))
        settle(page)
        return said(page), float(page.locator('[data-live]').get_attribute('data-iou'))
    first = said(page), float(page.locator('[data-live]').get_attribute('data-iou'))
    words, low = move('threshold', .8)
    assert words == first[0] and low < first[1] - .1
    words, _ = move('quantile', .6)
    assert words == first[0]
    page.locator('[data-setting=method]').select_option('paper')
    settle(page)
    page.locator('[data-setting=n]').fill('6')
    page.wait_for_timeout(50)
    settle(page)
    assert '6 noises, of which 0 are new' in said(page)
    page.locator('[data-setting=n]').fill('12')
    page.wait_for_timeout(50)
    settle(page)
    assert '12 noises, of which 2 are new' in said(page)
    assert page.locator('[data-maps] canvas').count() == 12


# ---- what it loads

def test_the_second_visit_loads_nothing_large(fresh, server):
    "And what is loaded at first is what the button says."
    fresh.goto(server.address + PAGE)
    server.asked.clear()
    words = fresh.locator('[data-do=load]').inner_text()
    load(fresh)
    large = [path for path in server.asked if '.gz' in path]
    listed = json.loads((live_folder(server)/'files.json').read_text())['files']
    needed = [one for one in listed if one['only'] in (None, 'wasm')]
    assert len(large) == len(needed) and f"({sum(one['bytes'] for one in needed)/1e6:.0f} MB)" in words
    assert sum(one['bytes'] for one in needed) < 25e6
    old = f'{server.address}live/unet.onnx.gz?old'
    fresh.evaluate("old => caches.open('lessonlib-live').then(cache => cache.put(old, new Response('x')))", old)
    fresh.reload()
    server.asked.clear()
    load(fresh)
    assert [path for path in server.asked if '.gz' in path] == []
    kept = fresh.evaluate("caches.open('lessonlib-live').then(cache => cache.keys()).then(all => all.map(e => e.url))")
    assert len(kept) == len(needed) and old not in kept, 'an older model is forgotten'


def live_folder(server):
    "Where the files lie that are served."
    from pathlib import Path
    return Path(server.RequestHandlerClass.keywords['directory'])/'live'


@pytest.mark.parametrize('data, words', [(None, 'unet.onnx.gz could not be loaded (404).'),
                                         (b'half', 'unet.onnx.gz did not arrive whole (4 of ')])
def test_a_broken_download_says_so_and_can_be_tried_again(fresh, server, data, words):
    fresh.goto(server.address + PAGE)
    server.spoil['unet.onnx.gz'] = data
    try:
        fresh.click('[data-do=load]')
        fresh.wait_for_function(f"() => {ROOT}.dataset.state === 'failed'")
    finally:
        server.spoil.clear()
    assert words in said(fresh) and 'pictures above' in said(fresh)
    assert fresh.locator('#quarto-document-content img').first.is_visible() and fresh.locator('[data-app]').is_hidden()
    load(fresh)


# ---- what is wrong

def test_a_browser_without_simd_is_told(fresh, server):
    fresh.add_init_script('WebAssembly.validate = () => false')
    fresh.goto(server.address + PAGE)
    fresh.wait_for_function("() => document.querySelector('[data-say=status]').textContent.includes('SIMD')")
    assert fresh.locator('[data-do=load]').is_hidden()


def test_a_page_opened_as_a_file_says_so(fresh, site):
    fresh.goto((site/PAGE).as_uri())
    assert 'opened as a file' in said(fresh) and fresh.locator('[data-do=load]').is_hidden()


@pytest.mark.parametrize('source, target, words', [
    ('', 'a zebra', 'An empty query is a question without words'),
    ('a horse', 'a unicorn', 'The model has never seen “unicorn”'),
    ('a horse', 'A  Horse', 'Both queries are the same to the model, so its answers do not differ: the map is empty.'),
    ('a horse', 'the cat ' * 9, 'The end of a long query is cut: the model reads 14 tokens.'),
])
def test_what_a_query_lacks_is_said(page, source, target, words):
    page.locator('[data-setting=n]').fill('1')
    ask(page, source, target)
    assert words in said(page, 'words')
    if 'same' in words:
        assert not any(page.evaluate(RESULT)['maps'][0])
        assert float(page.locator('[data-live]').get_attribute('data-iou')) == 0
        page.click('[data-do=edit]')
        assert 'The mask is empty' in said(page, 'edit')


def upload(page, name, data):
    "Give the page a file."
    page.locator('[data-upload]').set_input_files(dict(name=name, mimeType='image/png', buffer=data))


def png(*size):
    "A picture as a file."
    file = io.BytesIO()
    Image.new('RGB', size, 'green').save(file, 'png')
    return file.getvalue()


def test_a_file_that_is_no_picture_and_a_huge_one_are_refused(page):
    for name, data, words in (('words.png', b'words', 'words.png is no picture that this browser can open.'),
                              ('wall.png', png(9000, 9000), 'wall.png is too large: 9000 x 9000 px.')):
        upload(page, name, data)
        page.wait_for_function("w => document.querySelector('[data-say=status]').textContent.includes(w)", arg=words)
    assert page.locator('[data-scene][aria-pressed=true]').count() == 1, 'the scene before stays'


def test_a_picture_of_ones_own(page):
    "It is cropped to a square, and has no IoU."
    page.locator('[data-setting=n]').fill('1')
    picture = Image.new('RGB', (300, 200), 'red')
    picture.paste('blue', (50, 0, 250, 200))
    file = io.BytesIO()
    picture.save(file, 'png')
    upload(page, 'mine.png', file.getvalue())
    page.wait_for_function(f"() => {ROOT}.live.picture.id.includes('mine')")
    settle(page)
    pixels = np.array(page.evaluate(f'Array.from({ROOT}.live.picture.pixels)')).reshape(128, 128, 3)
    assert (pixels == (0, 0, 255)).all() and page.locator('[data-scene][aria-pressed=true]').count() == 0
    assert 'IoU' not in said(page, 'iou') and 'drawings' in said(page, 'words')


# ---- how it looks, and how it is reached

@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('width', [1280, 390])
def test_it_fits_and_can_be_read(page, width, scheme):
    def switch():
        if scheme == 'dark':
            page.evaluate('window.smalldocsToggleScheme()')
            page.wait_for_timeout(300)
    page.set_viewport_size({'width': width, 'height': 900})
    switch()
    try:
        found = page.evaluate("""() => {
            %s
            const root = document.querySelector('[data-live]');
            const ground = getComputedStyle(document.body).backgroundColor;
            const texts = [...root.querySelectorAll('p, label, figcaption, output')];
            const buttons = [...root.querySelectorAll('button')].filter(e => e.innerText.trim());
            const filled = e => /rgba\\(0, 0, 0, 0\\)/.test(getComputedStyle(e).backgroundColor) ? ground
                                : getComputedStyle(e).backgroundColor;
            const worst = (all, under) => Math.min(...all.map(e =>
                contrast(numbers(getComputedStyle(e).color), numbers(under(e)))));
            return {ground, wide: document.documentElement.scrollWidth - innerWidth, texts: worst(texts, () => ground),
                    buttons: worst(buttons, filled)};
        }""" % CONTRAST)
    finally:
        page.set_viewport_size({'width': 1280, 'height': 900})
        switch()
    assert (sum(map(int, re.findall(r'\d+', found['ground']))) < 200) == (scheme == 'dark')
    assert found['wide'] <= 0 and found['texts'] > 4.5 and found['buttons'] > 4.5


def test_all_of_it_by_keyboard(page):
    "From the first scene on, Tab reaches every control, and each shows that it has the focus."
    page.locator('[data-scene]').first.focus()
    page.keyboard.press('Tab')
    reached = []
    for _ in range(25):
        reached.append(page.evaluate("document.activeElement.dataset"))
        outline = page.evaluate("""() => {
            const e = document.activeElement;
            return getComputedStyle(e.matches('[data-upload]') ? e.parentElement : e).outlineStyle;
        }""")
        assert outline != 'none', reached[-1]
        page.keyboard.press('Tab')
        if not page.evaluate("document.activeElement.closest('[data-live]') !== null"):
            break
    names = {value for data in reached for value in data.values()}
    assert {'source', 'target', 'find', 'edit', 'reset', 'n', 'strength', 'quantile', 'threshold', 'method'} <= names
    page.locator('[data-scene]').nth(1).focus()
    page.keyboard.press('Enter')
    page.wait_for_timeout(50)
    settle(page)
    assert page.locator('[data-query=source]').input_value() == 'a cat'


# ---- the home page

def test_the_home_page_finds_its_horse(fresh, server):
    "The model is loaded at the click alone; then what is shown is what was found here."
    fresh.goto(server.address)
    server.asked.clear()
    fresh.wait_for_timeout(300)
    assert [path for path in server.asked if 'live/' in path] == []
    before = float(fresh.locator('[data-hero]').get_attribute('data-iou'))
    fresh.click('[data-find]')
    fresh.wait_for_function("() => document.querySelector('[data-say=live]').textContent.includes('browser in')")
    after = float(fresh.locator('[data-hero]').get_attribute('data-iou'))
    assert after != before and after > .85 and f'IoU of {before:.2f}' in said(fresh, 'live')
    assert fresh.errors == []


# ---- Firefox

@pytest.mark.skipif(executable() is None, reason='no Firefox on the PATH')
def test_firefox_finds_what_python_finds(server, tmp_path):
    "The third case: map, mask, IoU and edit."
    case = cases()[2]
    with open_firefox(tmp_path/'profile') as page:
        page.goto(server.address + PAGE)
        found = page.evaluate("""
            const [noise, number, steps] = args;
            const root = document.querySelector('[data-live]');
            const find = name => root.querySelector(name);
            const settle = async wanted => {
              while (root.dataset.state !== wanted) {
                if (root.dataset.state === 'failed') throw new Error(find('[data-say=status]').textContent);
                await new Promise(resume => setTimeout(resume, 50));
              }
            };
            find('[data-do=load]').click();
            await settle('find done');
            root.live.noise = noise.map(one => Float32Array.from(one));
            root.querySelectorAll('[data-scene]')[number].click();
            await settle('find done');
            find('[data-setting=steps]').value = steps;
            find('[data-do=edit]').click();
            await settle('edit done');
            const {maps, mask, edited} = root.live;
            return {maps: maps.map(map => Array.from(map)), pixelMask: Array.from(mask.pixelMask),
                    edited: Array.from(edited.pixels), iou: Number(root.dataset.iou)};
        """, case.question['noise'], case.number, EDIT['wanted'])
    assert isinstance(found, dict), found
    assert np.abs(np.array(found['maps']) - case.mask.maps.flatten(1).numpy()).max() < 1e-4
    values = case.mask.pixel_difference.numpy().ravel()
    same_mask(found['pixelMask'], case.mask.pixel_mask, values, case.mask.threshold)
    apart = np.abs(np.array(found['edited']) - np.asarray(case.edit.image).ravel().astype(int))
    assert abs(found['iou'] - case.iou) < 1e-3 and apart.max() <= 2 and (apart > 0).mean() < .02
