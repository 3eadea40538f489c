"""The page of lessonlib-app in a browser: it shows what Python finds, takes any photograph, listens to itself alone.

And the command as a shell runs it: Ctrl-C ends it well.
"""
import http.client
import io
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import replace
import numpy as np
import pytest
import torch
from browser import CONTRAST, open_browser, watched
from PIL import Image
from lessonlib.app import AppServer
from lessonlib.diffedit import diffedit
from lessonlib.diffedit_mask import diffedit_mask
from lessonlib.export import GALLERY
from lessonlib.photos import open_photo, snapshot
from lessonlib.scenes import caption, scene
from lessonlib.stable_diffusion import StableDiffusion

pytestmark = pytest.mark.slow  # a browser
ROOT = "document.querySelector('[data-app]')"
SUBJECT, TARGET, BACKGROUND, SEED = GALLERY[0]
WORDS = caption(SUBJECT), caption(TARGET)


@pytest.fixture(scope='module')
def sd(): return StableDiffusion.tiny()


@pytest.fixture(scope='module')
def picture():
    "The first drawing of the gallery."
    return scene(SUBJECT, BACKGROUND, seed=SEED).image


@pytest.fixture(scope='module')
def server(sd):
    "The page's server."
    server = AppServer(sd)
    server.start()
    yield server
    assert server.stop(60)


@pytest.fixture(scope='module')
def browser():
    with open_browser() as found:
        yield found


@pytest.fixture
def page(browser, server):
    "A fresh page; afterwards: no script failed, nothing was said in the console, nothing was asked from elsewhere."
    page = watched(browser.new_page(reduced_motion='reduce', viewport=dict(width=1280, height=900)))
    said = []
    page.on('console', lambda message: said.append(message.text))
    page.goto(server.address)
    settle(page, 'ready')
    yield page
    assert (page.errors, said) == ([], [])
    assert [url for url in page.requests if not url.startswith((server.address, 'blob:', 'data:'))] == []
    page.close()


def settle(page, state='done'):
    "Wait until nothing is computed."
    page.wait_for_function(f"wanted => [wanted, 'failed'].includes({ROOT}.dataset.state)", arg=state)
    assert page.locator('[data-app]').get_attribute('data-state') == state, said(page)


def said(page, name='status'):
    return page.locator(f'[data-say={name}]').inner_text()


def say(page, words):
    "Wait until the page says something."
    page.wait_for_function("w => document.querySelector('[data-say=status]').textContent.includes(w)", arg=words)


def move(page, **places):
    "Sliders, and wait for the mask."
    for name, place in places.items():
        page.locator(f'[data-setting={name}]').fill(str(place))
    wanted = '&'.join(f"{name}={page.locator(f'[data-setting={name}]').input_value()}" for name in ('n', 'threshold'))
    page.wait_for_function(f"wanted => {ROOT}.dataset.cut === '?' + wanted", arg=wanted)


def choose_scene(page):
    "The first drawing: its mask is found at once."
    page.locator('[data-scene]').first.click()
    say(page, 'Found in')
    move(page)


def saved(page, name):
    "A picture that the page saves: its file's name, and its pixels."
    with page.expect_download() as download:
        page.click(f'[data-save={name}]')
    return download.value.suggested_filename, np.asarray(Image.open(download.value.path()))


def generator(): return torch.Generator().manual_seed(0)


def test_the_page_finds_what_python_finds(page, sd, picture):
    "For the same noise, at the first place of the sliders and at others; the model is asked once."
    choose_scene(page)
    m = diffedit_mask(sd, picture, *WORDS, method='guided', generator=generator())
    name, mask = saved(page, 'mask')
    assert name == 'horse-mask.png' and (mask > 0).any()
    assert (mask == np.asarray(m.mask_image)).all()
    shares = [said(page, 'share')]
    for threshold in .2, .8:
        move(page, threshold=threshold)
        assert (saved(page, 'mask')[1] == np.asarray(replace(m, threshold=threshold).mask_image)).all()
        shares.append(said(page, 'share'))
    assert len(set(shares)) == 3 and float(shares[1].split('%')[0]) > float(shares[2].split('%')[0])
    move(page, n=4)
    few = diffedit_mask(sd, picture, *WORDS, method='guided', noise=m.noise[[0, 1, 5, 6]], threshold=.8)
    assert (saved(page, 'mask')[1] == np.asarray(few.mask_image)).mean() > .999
    assert sum(url.endswith('/find') for url in page.requests) == 1


def test_the_edit_is_that_of_python(page, sd, picture):
    choose_scene(page)
    page.locator('[data-setting=steps]').fill('10')
    page.click('[data-do=edit]')
    say(page, 'Edited in')
    name, edited = saved(page, 'edit')
    m = diffedit_mask(sd, picture, *WORDS, method='guided', generator=generator())
    wanted = diffedit(sd, picture, *WORDS, mask=m, num_inference_steps=10).image
    assert name == 'horse-edit.png' and (edited == np.asarray(wanted)).all()
    assert (edited != np.asarray(picture)).any()
    shown = page.locator('[data-image=edit]').evaluate('image => image.decode().then(() => image.naturalWidth)')
    assert shown == 640


def test_a_photograph_that_lies_on_its_side(page, tmp_path, picture):
    "A JPEG of odd sides with a note to turn it: mask and edit are upright, of its own size, and it stays outside."
    path = snapshot(picture.crop((0, 0, 128, 101)), tmp_path/'my photo.jpg', size=601)
    page.locator('[data-upload]').set_input_files(path)
    say(page, 'find the mask')
    assert said(page, 'picture') == '601 x 474 px; the model sees 128 x 101'
    for name, words in zip(('source', 'target'), WORDS, strict=True):
        page.locator(f'[data-query={name}]').fill(words)
    page.keyboard.press('Enter')
    say(page, 'Found in')
    move(page)
    page.locator('[data-setting=steps]').fill('5')
    page.locator('[data-setting=bold]').check()
    page.click('[data-do=edit]')
    say(page, 'Edited in')
    (name, mask), (_, edited) = saved(page, 'mask'), saved(page, 'edit')
    assert name == 'my photo-mask.png' and mask.shape == (474, 601) and edited.shape == (474, 601, 3)
    photo = np.asarray(open_photo(path))
    changed = (edited != photo).any(-1)
    assert changed.any() and not changed[:60].any(), 'the sky, far from the horse'


def test_what_the_small_model_cannot_draw_is_said(page, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path/'noise.png')
    page.locator('[data-upload]').set_input_files(tmp_path/'noise.png')
    say(page, 'find the mask')
    page.locator('[data-query=source]').fill('a unicorn')
    page.locator('[data-query=target]').fill('a cat')
    page.click('[data-do=find]')
    say(page, 'Found in')
    notes = page.locator('[data-notes] li').all_inner_texts()
    assert [('cannot draw this picture' in note, 'never saw: unicorn' in note) for note in notes] == [
        (True, False), (False, True)]


@pytest.mark.parametrize(('name', 'data', 'words'), [
    ('words.txt', b'a horse', 'words.txt is no picture that can be opened here; JPEG, PNG and WebP can'),
    ('half.png', None, 'half.png cannot be opened: ')])
def test_a_file_that_is_no_picture(page, picture, name, data, words):
    "It is refused in a sentence, and what was there stays."
    choose_scene(page)
    if data is None:
        picture.save(file := io.BytesIO(), 'png')
        data = file.getvalue()[:500]
    page.locator('[data-upload]').set_input_files(dict(name=name, mimeType='text/plain', buffer=data))
    say(page, words)
    assert page.locator('[data-app]').get_attribute('data-state') == 'failed'
    move(page, threshold=.6)
    assert (saved(page, 'mask')[1] > 0).any()


def test_a_dropped_file_is_opened_and_a_heavy_one_is_not_sent(page, picture):
    picture.save(file := io.BytesIO(), 'png')
    drop = """([bytes, length]) => {
        const data = new DataTransfer();
        const parts = [new Uint8Array(bytes), new Uint8Array(length)];
        data.items.add(new File(parts, 'dropped.png'));
        document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
    }"""
    page.evaluate(drop, [list(file.getvalue()), 60_000_000])
    say(page, 'dropped.png has 60 MB: 50 MB is the most.')
    assert not any('open?' in url for url in page.requests)
    page.evaluate(drop, [list(file.getvalue()), 0])
    say(page, 'find the mask')


def test_work_can_be_stopped_and_a_newer_question_stops_an_older_one(page, server):
    choose_scene(page)
    page.locator('[data-setting=steps]').fill('100')
    page.click('[data-do=edit]')
    page.wait_for_function("() => document.querySelector('progress').value > 0")
    page.click('[data-do=stop]')
    say(page, 'Stopped.')
    assert page.locator('[data-progress]').is_hidden()
    page.click('[data-do=edit]')
    page.wait_for_function("() => document.querySelector('progress').value > 0")
    page.click('[data-do=roll]')
    say(page, 'Found in')
    with server.turn:
        assert server.work.edited is None


def test_an_empty_mask_is_not_edited(page):
    choose_scene(page)
    move(page, threshold=1)
    page.click('[data-do=edit]')
    say(page, 'The mask is empty, so there is nothing to edit')


def test_two_pages(page, browser, server):
    "One photograph at a time: the older page is told."
    choose_scene(page)
    other = watched(browser.new_page())
    other.goto(server.address)
    settle(other, 'ready')
    choose_scene(other)
    other.close()
    page.click('[data-do=find]')
    say(page, 'This photograph was put away, since another one was opened: open it again')


def test_when_python_has_gone_the_page_says_so(browser, sd, picture):
    server = AppServer(sd)
    page = watched(browser.new_page())
    page.goto(server.start())
    settle(page, 'ready')
    choose_scene(page)
    assert server.stop(60)
    page.click('[data-do=find]')
    say(page, 'Python does not answer: is lessonlib-app still running?')
    assert page.errors == []
    page.close()


# ---- how it looks, and how it is reached

@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('width', [1280, 390])
def test_it_fits_and_can_be_read(page, width, scheme):
    page.set_viewport_size(dict(width=width, height=900))
    page.emulate_media(color_scheme=scheme)
    choose_scene(page)
    found = page.evaluate("""() => {
        %s
        const ground = getComputedStyle(document.body).backgroundColor;
        const worst = (selector, under) => Math.min(...[...document.querySelectorAll(selector)]
            .filter(e => e.innerText.trim() && !e.disabled)
            .map(e => contrast(numbers(getComputedStyle(e).color), numbers(under(e)))));
        const filled = e => /rgba\\(0, 0, 0, 0\\)/.test(getComputedStyle(e).backgroundColor) ? ground
                            : getComputedStyle(e).backgroundColor;
        return {ground, wide: document.documentElement.scrollWidth - innerWidth,
                words: worst('h1, p, label, figcaption, output, a', () => ground), buttons: worst('button', filled)};
    }""" % CONTRAST)
    assert (sum(map(int, re.findall(r'\d+', found['ground'])[:3])) < 200) == (scheme == 'dark')
    assert found['wide'] <= 0 and found['words'] > 4.5 and found['buttons'] > 4.5


def test_all_of_it_by_keyboard(page):
    "Tab reaches every control, and each shows that it has the focus."
    choose_scene(page)
    page.locator('[data-upload]').focus()
    reached = set()
    for _ in range(30):
        data, outline = page.evaluate("""() => {
            const e = document.activeElement, shown = e.matches('[data-upload]') ? e.parentElement : e;
            return [Object.entries(e.dataset).flat(), getComputedStyle(shown).outlineStyle];
        }""")
        if not data:
            break
        assert outline != 'none', data
        reached |= set(data)
        page.keyboard.press('Tab')
    assert {'upload', 'source', 'target', 'find', 'edit', 'roll', 'mask', 'threshold', 'n', 'method', 'steps',
            'guidance', 'bold'} <= reached
    page.locator('[data-setting=threshold]').focus()
    page.keyboard.press('ArrowRight')
    move(page)
    page.locator('[data-query=target]').focus()
    page.keyboard.press('Enter')
    settle(page)


# ---- who may ask

def status(server, path, body=None, **headers):
    connection = http.client.HTTPConnection('127.0.0.1', server.server_port)
    connection.request('GET' if body is None else 'POST', path, body, headers)
    return connection.getresponse().status


def test_a_foreign_host_and_a_foreign_page_are_refused(server):
    assert server.server_address[0] == '127.0.0.1'
    assert status(server, '/') == status(server, '/', Host='localhost') == 200
    assert status(server, '/', Host='rebound.example') == status(server, '/', Origin='https://example.com') == 403
    for origin in 'https://example.com', 'null', f'http://localhost:{server.server_port}':
        assert status(server, '/open', b'', Origin=origin) == 403


def test_a_page_from_elsewhere_gets_nothing(page, browser, server, tmp_path):
    "In the same browser: neither a picture's file nor an answer."
    choose_scene(page)
    (tmp_path/'other.html').write_text('<!doctype html><title>other</title>', encoding='utf-8')
    other = watched(browser.new_page())
    other.goto((tmp_path/'other.html').as_uri())
    tried = other.evaluate("""async address => {
        const tries = [fetch(address + 'model.json'), fetch(address + 'open', {method: 'POST', body: 'x'})];
        return (await Promise.allSettled(tries)).map(one => one.status);
    }""", server.address)
    other.close()
    assert tried == ['rejected', 'rejected'] and server.work is not None


# ---- the command

@pytest.mark.skipif(os.name == 'nt', reason='no SIGINT for another process')
def test_ctrl_c_ends_the_command_well(picture):
    "In the middle of the model's work."
    script = 'import sys; from lessonlib.app import app_command; sys.exit(app_command())'
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, '-c', script, '--no-browser'], stdout=pipe, stderr=pipe, text=True)
    words = process.stdout.readline()
    port = int(re.fullmatch(r'The page is at http://127\.0\.0\.1:(\d+)/ \(Ctrl-C ends it\)\.\n', words)[1])
    connection = http.client.HTTPConnection('127.0.0.1', port)
    picture.save(file := io.BytesIO(), 'png')
    connection.request('POST', '/open?name=horse.png', file.getvalue())
    key = re.search(r'"id": "(\w+)"', connection.getresponse().read().decode())[1]
    connection.request('POST', f'/{key}/find', b'{"source": "a horse", "target": "a zebra", "n": 100}')
    assert connection.getresponse().readline() == b'{"done": 0, "total": 201}\n'
    killer = threading.Timer(60, process.kill)
    killer.start()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    killer.cancel()
    assert (process.returncode, out, err) == (0, '', '')
