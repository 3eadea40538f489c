"""The documentation site in a browser: what `make docs` builds, or any built folder (`SITE=_docs pytest tests/`).

What both builders write is looked for: `#quarto-search`, `#quarto-sidebar`, `.sidebar-link`, `.nav-page-next`,
`.quarto-color-scheme-toggle` and the classes of styles.css; where they differ, both are named.
"""
import functools
import http.server
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin
import pytest
from browser import open_page
from installed import ROOT
from tools.settings import settings
from tools.site import pages, reference

NBS = ROOT/'nbs'


def html_name(source):
    "The page of a source as a link names it."
    return pages.page(source).with_suffix('.html').as_posix()


SOURCES = {html_name(source): source for source in pages.sources(NBS)}
PAGES = [*SOURCES, 'reference.html']
LESSONS = [name for name, source in SOURCES.items() if pages.lesson(source)]
MODULES = [name for name, source in SOURCES.items() if reference.exported(NBS/source)]
EXPLORER, QUIZ, MASK = 'broadcasting.html', 'broadcasting.html', 'diffedit_mask.html'


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    "The folder of a built site: SITE's, or one that is built here without Quarto."
    if os.environ.get('SITE'):
        return Path(os.environ['SITE']).resolve()
    out = tmp_path_factory.mktemp('site')/'_docs'
    command = [sys.executable, '-m', 'tools.site.build', '--with', 'smalldocs', '--out', out]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope='module')
def texts(site):
    "Page -> what its file holds."
    return {name: (site/name).read_text(encoding='utf-8') for name in PAGES}


@pytest.fixture(scope='module')
def address(site):
    "The site, served on this machine."
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            "Nothing is printed."
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Handler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}/'
    server.shutdown()


@pytest.fixture(scope='module')
def browser(address, tmp_path_factory):
    "A page; `failed` lists the requests that failed, `errors` what scripts threw and what the console calls an error."
    with open_page(tmp_path_factory.mktemp('browser')/'profile', reduced_motion='reduce') as page:
        page.failed = []

        def console(message):
            if message.type == 'error':
                page.errors.append(message.text)

        def no_answer(request):
            if request.failure != 'net::ERR_ABORTED':  # by the browser, that left the page before its icon had come
                page.failed.append(f'{request.failure} {request.url}')

        def answer(response):
            if response.status >= 400:
                page.failed.append(f'{response.status} {response.url}')

        page.on('console', console)
        page.on('requestfailed', no_answer)
        page.on('response', answer)
        yield page


@pytest.fixture
def visit(browser, address):
    "A function that opens a page of the site; afterwards: no error, no failed request, nothing from elsewhere."
    def visit(path, width=1280, scheme='light'):
        browser.set_viewport_size({'width': width, 'height': 900})
        browser.emulate_media(color_scheme=scheme)
        browser.goto(address + path)
        return browser
    for seen in (browser.errors, browser.requests, browser.failed):
        seen.clear()
    yield visit
    assert (browser.errors, browser.failed) == ([], [])
    elsewhere = [url for url in browser.requests if not url.startswith((address, 'data:', 'blob:', 'about:'))]
    assert elsewhere == []


def formulas_in(source):
    "How many formulas the text cells of a notebook have, code apart."
    text = '\n\n'.join(pages.cell_sources(NBS/source, 'markdown'))
    text = re.sub(r'```.*?```|`[^`\n]*`', '', text, flags=re.S)
    return len(re.findall(r'\$\$.+?\$\$|\$\S(?:[^$\n]*?\S)?\$', text, re.S))


# ---- pages, links, words

def test_a_page_for_each_notebook_and_no_other(site):
    built = [path.relative_to(site).as_posix() for path in site.rglob('*.html') if path.name != '404.html']
    assert sorted(built) == sorted(PAGES)


LOOK_AT_THE_PAGE = '''() => {
    const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
    const pictures = [...document.querySelectorAll('main img')];
    const drawn = e => e.querySelector('math, .katex, mjx-container') && !e.querySelector('merror, .katex-error');
    const texts = elements => elements.map(e => e.textContent);
    return {
        twice: ids.filter((id, i) => ids.indexOf(id) !== i),
        raw: texts([...document.querySelectorAll('.math')].filter(e => !drawn(e))),
        flat: texts([...document.querySelectorAll('math')].filter(e => e.getBoundingClientRect().width < 2)),
        formulas: document.querySelectorAll('main :is(math, .katex, mjx-container)').length,
        wordless: pictures.filter(e => !(e.getAttribute('alt') || '').trim()).length,
        broken: pictures.filter(e => !(e.complete && e.naturalWidth)).map(e => e.src.slice(0, 80)),
    };
}'''
WORDS = '''() => {
    const main = document.querySelector('main').cloneNode(true);
    main.querySelectorAll('pre, code, math, script, style').forEach(e => e.remove());
    return main.textContent;
}'''
SIGNS = [r'\$\$', r'\\\(', r'\\\[', r':::', r'\[-?@\w', r'#\|', r'\]\(']  # of Markdown that was not understood


@pytest.mark.parametrize('path', PAGES)
def test_page(path, visit):
    "It answers, has one title, no id twice, formulas that are drawn, and pictures with words."
    page = visit(path)
    assert page.locator('main h1').count() == 1 and page.locator('main h1').inner_text().strip()
    found = page.evaluate(LOOK_AT_THE_PAGE)
    assert found.pop('formulas') >= (formulas_in(SOURCES[path]) if path in SOURCES else 0)
    assert found == dict(twice=[], raw=[], flat=[], wordless=0, broken=[])
    words = page.evaluate(WORDS)
    assert [sign for sign in SIGNS if re.search(sign, words)] == []


def test_links(site, address, visit):
    "Every link inside the site leads to a file and every anchor to an id."
    links, ids = {}, {}
    for path in PAGES:
        page = visit(path)
        ids[path] = set(page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))
        links[path] = page.evaluate("[...document.querySelectorAll('a[href]')].map(e => e.href)")
    inside = {(path, link.removeprefix(address)) for path in PAGES for link in links[path] if link.startswith(address)}
    assert len(inside) > 10*len(PAGES)

    def leads_somewhere(link):
        target, anchor = map(unquote, urldefrag(link.split('?')[0]))
        if not target or target.endswith('/'):
            target += 'index.html'
        return (site/target).is_file() and (not anchor or anchor in ids.get(target, {anchor}))

    assert [(path, link) for path, link in sorted(inside) if not leads_somewhere(link)] == []


@pytest.mark.parametrize('path', PAGES)
def test_head(path, site, address, visit):
    "Title, description, icon; a page of its own for each. The card of the home page shows a picture that is there."
    page = visit(path)
    assert page.title().strip() not in ('', 'Untitled')
    assert page.locator('meta[name=description]').get_attribute('content')
    icon = page.evaluate("document.querySelector('link[rel~=icon]').href")
    assert (site/icon.removeprefix(address)).is_file()
    if path == 'index.html':
        card = page.locator('meta[property="og:image"]').get_attribute('content')
        assert card.endswith('/images/home.png') and (site/'images'/'home.png').is_file()


def test_the_home_picture_shows_what_the_library_does(visit):
    picture = visit('index.html').locator('main img').first
    for word in ('horse', 'mask', 'zebra'):
        assert word in picture.get_attribute('alt')
    box = picture.bounding_box()
    assert box['y'] + box['height'] < 900, 'it is not in the first view'
    assert box['width'] > 3*256, 'each of its three parts is smaller than 256 px'
    edits = visit('index.html').locator('main img').nth(1)
    assert 'apple' in edits.get_attribute('alt') and edits.bounding_box()['width'] > 4*160


FETCHED = re.compile(r'<(?:script|img|iframe|source|video)\b[^>]*\ssrc="(?:https?:)?//[^"]*'
                     r'|<link\b(?=[^>]*\srel="(?:stylesheet|preload|icon|modulepreload))[^>]*href="(?:https?:)?//[^"]*')
STYLED = re.compile(r'@import[^;]*https?:[^;]*|url\(["\']?(?:https?:)?//[^)]*')


def test_no_page_takes_anything_from_the_network(site):
    "Scripts, styles, fonts and pictures are files of the site, also those that are asked for only now and then."
    for suffix, pattern in ('html', FETCHED), ('css', STYLED):
        found = {path.name: pattern.findall(path.read_text(encoding='utf-8')) for path in site.rglob(f'*.{suffix}')}
        assert {name: addresses for name, addresses in found.items() if addresses} == {}


@pytest.mark.parametrize('path', LESSONS)
def test_the_installing_cell_is_not_on_the_page(path, texts):
    first = pages.cell_sources(NBS/SOURCES[path], 'code')[0]
    assert first.startswith('#| hide\n') and 'find_spec' in first, 'the lesson has no cell that installs the package'
    assert 'run_line_magic' not in texts[path] and 'On Colab: install' not in texts[path]


def test_no_page_names_an_address_of_its_own_site(texts):
    "Links between pages are relative, so that a copy of the site works anywhere."
    own = f'href="{pages.BASE.rstrip("/")}'
    assert [path for path, text in texts.items() if own in text] == []


# ---- finding one's way

def test_lessons_in_order(visit):
    "From the first lesson, `next` leads through all of them, and `previous` back."
    page = visit(LESSONS[0])
    way = [('next', path) for path in LESSONS[1:]] + [('previous', path) for path in LESSONS[-2::-1]]
    for button, path in way:
        page.locator(f'.nav-page-{button} a').click()
        page.wait_for_url(f'**/{path}')


def test_the_sidebar_has_every_page(visit):
    page = visit('index.html')
    links = page.evaluate("[...document.querySelectorAll('#quarto-sidebar a.sidebar-link[href]')].map(e => e.href)")
    assert {urljoin(page.url, path) for path in PAGES} == {link for link in links if not link.endswith('#')}
    texts = page.locator('#quarto-sidebar .sidebar-link').all_inner_texts()
    numbers = [int(text.split('.')[0]) for text in texts if re.match(r'\d+\.', text)]
    assert numbers and numbers == sorted(numbers)


@pytest.mark.parametrize('path', LESSONS)
def test_lesson_has_colab_and_source(path, visit):
    links = visit(path).evaluate("[...document.querySelectorAll('.lesson-links a')].map(e => e.href)")
    place = f"{settings['user']}/{settings['repo']}/blob/{settings['branch']}/nbs/{SOURCES[path]}"
    assert links[:2] == [f'https://colab.research.google.com/github/{place}', f'https://github.com/{place}']


@pytest.mark.parametrize('width', [1280, 390])
def test_search(width, visit):
    "On a phone the box may be behind the menu; Quarto may open a box of its own, outside the bar."
    page = visit('index.html', width)

    def visible(selector):
        return page.locator(selector).locator('visible=true').first

    if not page.locator('#quarto-search').is_visible():
        page.locator('.navbar-toggler').first.click()
    visible('#quarto-search :is(input, button)').click()
    visible('#quarto-search input, .aa-DetachedContainer input').fill('broadcast_shape')
    results = ':is(.smalldocs-search-results, .aa-Panel, .aa-DetachedContainer)'
    hit = page.locator(f'{results} a[href*="broadcasting.html"]').first
    hit.wait_for()
    assert 'broadcast_shape' in hit.inner_text()
    hit.click()
    page.wait_for_url('**/broadcasting.html*')


@pytest.mark.parametrize('path', MODULES)
def test_every_public_name_has_an_anchor_and_its_source(path, texts):
    "Functions, classes and their methods, inherited ones too, each with a link to the line of its definition."
    module = reference.exported(NBS/SOURCES[path])
    ids = set(re.findall(r'\sid="([^"]+)"', texts[path]))
    nodes = {node.name: node for node in reference.public(module)}
    for node in [node for node in nodes.values() if hasattr(node, 'bases')]:
        nodes |= {f'{node.name}.{method.name}': method for method in reference.documented_methods(module, node)}
    assert nodes
    anchors = {name: reference.heading_id(name) for name in nodes}
    assert [name for name, anchor in anchors.items() if not {anchor, f'{anchor}-1'} & ids] == []
    file = reference.module_path(module).relative_to(ROOT).as_posix()
    assert [name for name, node in nodes.items() if f'/{file}#L{node.lineno}"' not in texts[path]] == []


def test_the_methods_of_the_model_are_on_its_page(texts):
    text = texts['helpers/stable_diffusion.html']
    for method in ('tiny', 'from_pretrained', 'encode_text', 'encode_image', 'predict_noise', 'generate'):
        assert f'id="stablediffusion.{method}"' in text, method


ENTRY = r'''() => {  // a section, or a heading with what follows
    const found = document.getElementById('iou'), parts = [found];
    if (/^H\d$/.test(found.tagName)) {
        for (let e = found.nextElementSibling; e && parts.length < 4; e = e.nextElementSibling) parts.push(e);
    }
    const source = parts.map(e => e.querySelector('a.source-link')).find(Boolean);
    return {text: parts.map(e => e.textContent).join('\n'), source: source && source.href};
}'''


def test_a_name_in_the_reference(visit):
    "The list of all names leads to signature, comments of the parameters, docstring and source."
    page = visit('reference.html')
    page.locator('main a', has_text=re.compile('^iou$')).click()
    page.wait_for_url('**/diffedit_mask.html#iou')
    entry = page.evaluate(ENTRY)
    assert re.search(r'def iou\([^#]*#', entry['text']) and 'Intersection' in entry['text']
    assert re.search(r'/blob/\w+/lessonlib/diffedit_mask\.py#L\d+$', entry['source'])


# ---- what is clicked

def test_quiz(visit):
    quiz = visit(QUIZ).locator('.lessonlib-quiz')
    quiz.locator('.Quiz').first.locator('label').first.click()
    assert re.match(r'Right|Not yet', quiz.locator('.Feedback').first.inner_text())


def test_explorer(visit):
    explorer = visit(EXPLORER).locator('.lessonlib-explorer').first
    for i, shape in enumerate(['(5, 1)', '(7,)']):
        explorer.locator('input').nth(i).fill(shape)
    assert 'a: axis -1 stretched to 7' in explorer.locator('pre').text_content()


def test_live_mask(visit):
    page = visit(MASK)
    piece = page.locator('.lessonlib-live-mask').first
    before = piece.get_attribute('data-pixels')
    piece.locator('input[name=threshold]').focus()
    for _ in range(5):
        page.keyboard.press('ArrowRight')
    assert int(piece.get_attribute('data-pixels')) < int(before)


# ---- how it looks

WIDE = '''() => {  // what stands out, though not in a box of its own that scrolls
    const width = document.documentElement.clientWidth, main = document.querySelector('main');
    const scrolls = e => /auto|scroll/.test(getComputedStyle(e).overflowX);
    const boxed = e => e !== main && (scrolls(e) || boxed(e.parentElement));
    return [...main.querySelectorAll('*')]
        .filter(e => e.getBoundingClientRect().right > width + 1 && e.checkVisibility() && !boxed(e.parentElement))
        .map(e => e.outerHTML.slice(0, 120));
}'''
WIDE_FORMULAS = '''() => [...document.querySelectorAll('main math[display=block]')]
    .filter(e => e.getBoundingClientRect().width > 390).map(e => e.textContent)'''
CUT_COMMENTS = '''() => [...document.querySelectorAll('pre.code-overflow-wrap')]
    .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)'''
COVERED_NAMES = '''() => {  // the link beside a name lies over the name
    const heading = e => e.parentElement.previousElementSibling;
    const overlap = (a, b) => a.right > b.left && a.left < b.right && a.bottom > b.top && a.top < b.bottom;
    return [...document.querySelectorAll('main a.source-link')].filter(e => {
        const link = e.getBoundingClientRect(), range = document.createRange();
        range.selectNodeContents(heading(e));
        return [...range.getClientRects()].some(rect => overlap(rect, link));
    }).map(e => heading(e).textContent);
}'''


@pytest.mark.parametrize('path', PAGES)
def test_nothing_overflows_on_a_phone(path, visit):
    page = visit(path, width=390)
    assert page.evaluate(WIDE) == [] and page.evaluate('document.documentElement.scrollWidth') <= 390
    assert page.evaluate(WIDE_FORMULAS) == [], 'a formula is wider than the screen'
    assert page.evaluate(CUT_COMMENTS) == [], 'a comment of a signature is cut'
    assert page.evaluate(COVERED_NAMES) == []


FITTING_LINES = r'''() => [...document.querySelectorAll('main pre.sourceCode code')].flatMap(code => {
    const pre = code.closest('pre'), style = getComputedStyle(pre);
    const context = document.createElement('canvas').getContext('2d');
    context.font = getComputedStyle(code).font;
    const room = pre.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const lines = code.textContent.split('\n').filter(line => line.trim());
    return lines.map(line => context.measureText(line).width <= room);
})'''


def test_a_line_of_code_has_room(visit):
    "At 1200 px six lines of seven are seen whole."
    fits = [fit for path in LESSONS for fit in visit(path, width=1200).evaluate(FITTING_LINES)]
    assert len(fits) > 1000 and sum(fits) > .86*len(fits), f'{sum(fits)} of {len(fits)}'


FAINT_WORDS = '''() => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1});
    const context = canvas.getContext('2d', {willReadFrequently: true});
    const color = text => {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = text;
        context.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a/255];
    };
    const over = ([r, g, b, a], below) => [r, g, b].map((v, i) => v*a + below[i]*(1 - a));
    const ground = element => {
        if (!element) return [255, 255, 255];
        const own = color(getComputedStyle(element).backgroundColor);
        return own[3] === 1 ? own.slice(0, 3) : over(own, ground(element.parentElement));
    };
    const opacity = element => element ? getComputedStyle(element).opacity*opacity(element.parentElement) : 1;
    const linear = v => v <= .03928 ? v/12.92 : ((v + .055)/1.055)**2.4;
    const light = rgb => rgb.reduce((sum, v, i) => sum + linear(v/255)*[.2126, .7152, .0722][i], 0);
    const contrast = (x, y) => (Math.max(x, y) + .05)/(Math.min(x, y) + .05);
    const painted = e => e && (getComputedStyle(e).backgroundImage !== 'none' || painted(e.parentElement));
    const skipped = 'script, style, noscript, .lessonlib-explorer, .lessonlib-cells';  // pieces with tests of their own
    const faint = {};
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let count = 0;
    for (let node; node = walker.nextNode();) {
        const element = node.parentElement, style = getComputedStyle(element), words = node.textContent.trim();
        const seen = words && element.getBoundingClientRect().width && style.visibility !== 'hidden';
        if (!seen || element.closest(skipped) || painted(element)) continue;
        const below = ground(element), [r, g, b, a] = color(style.color);
        const rgb = over([r, g, b, a*opacity(element)], below), ratio = contrast(light(rgb), light(below));
        const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        count++;
        if (ratio < (large ? 3 : 4.5)) {
            const place = `${element.tagName.toLowerCase()}.${element.className} in ${element.parentElement.className}`;
            const colors = `${rgb.map(Math.round)} on ${below.map(Math.round)}`;
            faint[`${place}: ${colors}`] = [Math.round(ratio*100)/100, words.slice(0, 30)];
        }
    }
    return [count, faint];
}'''


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('path', PAGES)
def test_words_stand_out(path, scheme, visit):
    "Every word has a contrast of at least 4.5 to its ground, large ones 3 (WCAG 2.2, 1.4.3), in both themes."
    page = visit(path, scheme=scheme)
    page.wait_for_timeout(100)  # the theme is marked after 50 ms
    ground = page.evaluate('getComputedStyle(document.body).backgroundColor')
    dark = sum(map(int, re.findall(r'\d+', ground)[:3])) < 384
    assert dark == (scheme == 'dark')
    count, faint = page.evaluate(FAINT_WORDS)
    assert count > 30 and faint == {}


def test_the_theme_can_be_switched_and_is_kept(visit):
    page = visit('index.html')

    def ground():
        return page.evaluate('getComputedStyle(document.body).backgroundColor')

    before = ground()
    page.locator('.quarto-color-scheme-toggle').first.click()
    page.wait_for_timeout(200)
    after = ground()
    assert after != before
    page.reload()
    assert ground() == after
    page.evaluate('localStorage.clear()')
