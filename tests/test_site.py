"""The documentation site in a browser: what `make docs` builds, or any built folder (`SITE=_docs pytest tests/`)."""
import functools
import gzip
import http.server
import itertools
import json
import re
import threading
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin
import pytest
from browser import open_page
from installed import ROOT
from PIL import Image
from tools.settings import settings
from tools.site import home, pages, reference

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


LOOK_AT_THE_PAGE = '''async () => {
    const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
    const pictures = [...document.querySelectorAll('main img')];
    for (const e of pictures) e.loading = 'eager';
    await Promise.all(pictures.map(e => e.decode().catch(() => null)));
    const drawn = e => e.querySelector('math, .katex, mjx-container') && !e.querySelector('merror, .katex-error');
    const texts = elements => elements.map(e => e.textContent);
    return {
        twice: ids.filter((id, i) => ids.indexOf(id) !== i),
        raw: texts([...document.querySelectorAll('.math')].filter(e => !drawn(e))),
        flat: texts([...document.querySelectorAll('math')].filter(e => e.getBoundingClientRect().width < 2)),
        formulas: document.querySelectorAll('main :is(math, .katex, mjx-container)').length,
        wordless: pictures.filter(e => !(e.getAttribute('alt') || '').trim() && !e.closest('a')).length,
        code: pictures.filter(e => /drawn by|\\w\\(\\[|_images\\(/.test(e.alt)).map(e => e.alt),
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
    "It answers, has one title, no level of headings left out, no id twice, formulas drawn, and pictures with words."
    page = visit(path)
    assert page.locator('main h1').count() == 1 and page.locator('main h1').inner_text().strip()
    levels = page.locator('main :is(h1, h2, h3, h4, h5, h6)').evaluate_all('all => all.map(e => Number(e.tagName[1]))')
    assert levels[0] == 1 and max([b - a for a, b in itertools.pairwise(levels)], default=0) <= 1, levels
    found = page.evaluate(LOOK_AT_THE_PAGE)
    assert found.pop('formulas') >= (formulas_in(SOURCES[path]) if path in SOURCES else 0)
    assert found == dict(twice=[], raw=[], flat=[], wordless=0, code=[], broken=[])
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
    "Title, description, icon, its own address, and a social picture that is there, a lesson's with its own words."
    page = visit(path)
    assert page.title().strip() not in ('', 'Untitled')
    assert page.locator('meta[name=description]').get_attribute('content')
    icon = page.evaluate("document.querySelector('link[rel~=icon]').href")
    assert (site/icon.removeprefix(address)).is_file()
    assert page.locator('link[rel=canonical]').get_attribute('href') == pages.BASE + path
    card = page.locator('meta[property="og:image"]').get_attribute('content')
    assert card == page.locator('meta[name="twitter:image"]').get_attribute('content')
    assert card == f"{pages.BASE}images/social/{path.removesuffix('.html') if path in LESSONS else 'index'}.png"
    assert Image.open(site/card.removeprefix(pages.BASE)).size == (1200, 630)


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
    own = re.compile(rf'<a\b[^>]*href="{re.escape(pages.BASE.rstrip("/"))}')
    assert [path for path, text in texts.items() if own.search(text)] == []


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


@pytest.mark.parametrize('width', [1280, 1100, 390])
def test_the_menu_shows_the_page_one_is_on(width, visit):
    "The last of the helpers is in sight, however many pages come before it, and no entry lies beyond the lower edge."
    page = visit('helpers/widgets.html', width)
    button = page.locator('.quarto-secondary-nav button').first
    if button.is_visible(): button.click()
    menu = page.locator('#quarto-sidebar')
    page.wait_for_function("document.querySelector('#quarto-sidebar').getBoundingClientRect().left >= 0")
    header = page.locator('#quarto-header').bounding_box()
    for link in (menu.locator('.sidebar-link.active').last, menu.locator('a.sidebar-link').last):
        place = link.bounding_box()
        assert header['y'] + header['height'] <= place['y'] and place['y'] + place['height'] <= 900
        menu.evaluate('menu => menu.scrollTop = 1e6')


@pytest.mark.parametrize('path', LESSONS)
def test_lesson_has_colab_and_source(path, visit):
    links = visit(path).evaluate("[...document.querySelectorAll('.lesson-links a')].map(e => e.href)")
    place = f"{settings['user']}/{settings['repo']}/blob/{settings['branch']}/nbs/{SOURCES[path]}"
    assert links[:2] == [f'https://colab.research.google.com/github/{place}', f'https://github.com/{place}']


@pytest.mark.parametrize('width', [1280, 390])
def test_search(width, visit):
    "The box is in sight; lessons come before names; the arrow keys lead to a hit, Escape shuts the list."
    page = visit('index.html', width)
    box = page.locator('#quarto-search input')
    assert box.bounding_box()['y'] < 60 and box.bounding_box()['x'] + box.bounding_box()['width'] <= width
    page.keyboard.press('/')
    page.keyboard.type('broadcast_shape')
    results = page.locator('.site-search-results')
    hit = results.locator('a[href*="broadcasting.html"]').first
    hit.wait_for()
    assert 'broadcast_shape' in hit.inner_text()
    groups = results.locator('.group').all_inner_texts()
    assert groups[0] == 'Lessons' and groups[-1] == 'Names'
    assert results.locator('a[href$="#broadcast_shape"] b', has_text='broadcast_shape').count() == 1
    assert results.bounding_box()['x'] >= 0 and 'found' in page.locator('#quarto-search [role=status]').inner_text()
    page.keyboard.press('Escape')
    assert results.is_hidden()
    box.fill('broadcast_shape')
    results.wait_for()
    page.keyboard.press('ArrowDown')
    page.keyboard.press('Enter')
    page.wait_for_url('**/broadcasting.html*')


def test_the_search_says_when_it_finds_nothing(visit):
    page = visit('helpers/show.html')
    page.locator('#quarto-search input').fill('xylophone')
    page.locator('.site-search-results .none').wait_for()
    page.locator('#quarto-search input').fill('show_images')
    link = page.locator('.site-search-results a[href$="helpers/show.html#show_images"]')
    link.wait_for()
    link.click()
    page.wait_for_url('**/helpers/show.html#show_images')


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
    assert quiz.count() == 5
    quiz.locator('.Options button').first.click()
    assert re.match(r'✓ Right|✗ Not yet', quiz.locator('.Feedback').first.inner_text())


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
    if (!code.checkVisibility()) return [];
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


# ---- home

HERO = json.loads((home.THEME/'hero.json').read_text(encoding='utf-8'))


def scores(one, thresholds):
    "What Python says of a subject's map: the IoU at each threshold."
    import base64
    import torch
    from lessonlib.diffedit_mask import iou
    values = torch.frombuffer(bytearray(base64.b64decode(one['map'])), dtype=torch.uint8).view(128, 128)/255
    inside = [i % 2 == 1 for i, length in enumerate(one['truth']) for _ in range(length)]
    truth = torch.tensor(inside).view(128, 128)
    return [float(iou(values > threshold, truth)) for threshold in thresholds]


@pytest.mark.parametrize('width, scheme', [(1280, 'light'), (1280, 'dark'), (390, 'light'), (390, 'dark')])
def test_the_home_page_opens_with_the_live_mask(width, scheme, visit):
    "A question, and beside it (on a phone below) the mask, 400 px wide where there is room."
    page = visit('index.html', width, scheme)
    assert page.locator('main h1').inner_text() == 'Nobody told this model where the horse is. How does it know?'
    box = page.locator('.lessonlib-hero canvas').bounding_box()
    wanted, end = (400, 900) if width == 1280 else (340, 1200)
    assert box['width'] > wanted and box['y'] + box['height'] < end
    painted = page.evaluate("""() => new Set(document.querySelector('.lessonlib-hero canvas').getContext('2d')
        .getImageData(0, 0, 512, 512).data).size""")
    assert painted > 100, 'nothing is drawn'


def test_the_mask_follows_its_slider(visit):
    "By keyboard alone; what it says is what Python says, for each subject."
    page = visit('index.html')
    hero = page.locator('.lessonlib-hero')
    for i, one in enumerate(HERO):
        hero.locator('[data-choose]').nth(i).focus()
        page.keyboard.press('Enter')
        assert f"where the {one['subject']} is" in hero.locator('h1').inner_text()
        page.wait_for_function("t => document.querySelector('.lessonlib-hero').dataset.iou > t", arg=one['iou'] - .01)
        hero.locator('[data-threshold]').focus()
        seen = []
        for key, steps in ('ArrowRight', 0), ('ArrowRight', 10), ('ArrowLeft', 30):
            for _ in range(steps):
                page.keyboard.press(key)
            seen.append(float(hero.get_attribute('data-iou')))
        wanted = scores(one, [.45, .55, .25])
        assert seen == pytest.approx(wanted, abs=1e-6) and abs(seen[0] - one['iou']) < .01 and seen[0] > .89
        assert hero.locator('output').inner_text().split()[:2] == ['IoU', f'{wanted[2]:.2f}']
        assert 'too much' in hero.locator('output').inner_text()


def test_before_and_after(visit):
    "The line is moved by keyboard."
    page = visit('index.html')
    before = page.locator('.lessonlib-hero [data-picture=picture]')
    places = []
    page.locator('[data-swipe]').focus()
    for key in 'Home', 'End':
        page.keyboard.press(key)
        places.append(before.evaluate('e => getComputedStyle(e).clipPath'))
    assert places == ['inset(0px 100% 0px 0px)', 'inset(0px 0% 0px 0px)']
    assert 'horse' in before.get_attribute('alt')


def test_buttons_and_cards_of_the_home_page(visit, texts):
    page = visit('index.html')
    first, colab, explorer = page.locator('.lessonlib-hero-buttons a').evaluate_all('all => all.map(a => a.href)')
    assert first.endswith(f'/{LESSONS[0]}') and colab.endswith(str(SOURCES[LESSONS[0]]))
    assert ('#' in explorer) == any('class="lessonlib-explorer"' in texts[name] for name in LESSONS)
    cards = page.locator('.lesson-cards a')
    assert [Path(link).name for link in cards.evaluate_all('all => all.map(a => a.href)')] == LESSONS
    titles = [re.search(r'<h1 class="title">(.*?)</h1>', texts[name])[1] for name in LESSONS]
    assert page.locator('.lesson-cards b').all_inner_texts() == [title.replace('&#x27;', "'") for title in titles]
    assert all(re.search(r'\d+ minutes', text) for text in cards.all_inner_texts())
    assert page.locator('.lesson-cards img').count() == len(LESSONS)
    assert '(coming)' not in page.locator('main').inner_text()


def test_ways_to_install(visit):
    "Tabs, by keyboard too."
    page = visit('index.html')
    tabs = page.get_by_role('tab')
    assert tabs.all_inner_texts() == ['make', 'pip', 'Windows']
    tabs.first.focus()
    page.keyboard.press('ArrowRight')
    page.locator('#tabset-1-2').wait_for()
    assert 'pip install' in page.locator('.tab-pane.active').inner_text()


def weight(site, path):
    "KB of a page and what it loads at first, compressed; pictures are compressed already, some come when needed."
    text = (site/path).read_text(encoding='utf-8')
    sheet = r'link\b(?=[^>]*rel="(?:stylesheet|icon)")[^>]*href'
    loaded = re.findall(rf'<(?:{sheet}|script[^>]*src|img(?![^>]*"lazy")[^>]*src)="([^":]+)"', text)
    files = {(site/path).resolve()} | {((site/path).parent/name).resolve() for name in loaded}
    bodies = [(file.suffix, file.read_bytes()) for file in files]
    pictures = '.png', '.webp', '.jpg'
    return sum(len(body if suffix in pictures else gzip.compress(body, 9)) for suffix, body in bodies)/1000


def test_the_home_page_is_light(site):
    assert weight(site, 'index.html') <= 400


@pytest.mark.parametrize('path', LESSONS)
def test_a_lesson_is_light(path, site):
    assert weight(site, path) < 300


# ---- how a lesson reads

MEASURE = """() => {
    const context = document.createElement('canvas').getContext('2d');
    const long = [...document.querySelectorAll('main p')].filter(e => e.textContent.length > 150 && e.clientWidth);
    return long.map(e => {
        context.font = getComputedStyle(e).font;
        return e.clientWidth*e.textContent.length/context.measureText(e.textContent).width;
    });
}"""


@pytest.mark.parametrize('width', [1024, 1280, 1600])
def test_prose_has_a_measure_and_code_more(width, visit):
    page = visit(LESSONS[2], width)
    signs = page.evaluate(MEASURE)
    assert len(signs) > 10 and 65 < sorted(signs)[len(signs)//2] < 82
    code, text = page.locator('main div.sourceCode').first, page.locator('main p').nth(2)
    assert code.bounding_box()['width'] > 1.15*text.bounding_box()['width']


def test_a_line_of_a_hundred_signs_is_seen_whole(visit):
    room = visit(LESSONS[2]).evaluate("""() => {
        const pre = document.querySelector('main pre.sourceCode'), style = getComputedStyle(pre);
        const context = document.createElement('canvas').getContext('2d');
        context.font = getComputedStyle(pre.querySelector('code')).font;
        const wide = pre.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
        return wide/context.measureText('0').width;
    }""")
    assert room >= 100


@pytest.mark.parametrize('width', [992, 1280])
def test_contents_stand_beside_the_text(width, visit):
    contents = visit(LESSONS[2], width).locator('#TOC')
    assert contents.is_visible() and contents.locator('a').count() > 8


def test_contents_of_the_reference_have_one_level(visit):
    "And in a lesson names and tests are left out."
    for name, source in SOURCES.items():
        if source.parts[0] == 'helpers':
            assert visit(name).locator('#TOC ul ul').count() == 0, name
    assert visit(LESSONS[2]).locator('#TOC a[href="#iou"]').count() == 0


TABLES = """() => [...document.querySelectorAll('main table:not([class*=lessonlib] *)')].map(table => {
    const cell = table.querySelector('tbody td'), style = getComputedStyle(cell);
    const next = cell.nextElementSibling, gap = next && parseFloat(getComputedStyle(next).paddingLeft);
    return [parseFloat(style.paddingRight) + (gap || 0), parseFloat(style.borderBottomWidth), style.borderBottomStyle];
})"""


def test_tables_have_room_and_rules(visit):
    "Also those that a cell draws, as the ladder of the first lesson."
    tables = visit(LESSONS[0]).evaluate(TABLES)
    assert len(tables) > 1
    assert all(gap > 12 and width >= 1 and kind == 'solid' for gap, width, kind in tables), tables
    numbers = visit(LESSONS[0]).locator('main .cell-output td', has_text='ms').first
    assert numbers.bounding_box()['height'] < 45, 'a number and its unit stand on two lines'


TESTED = [name for name in LESSONS if any(re.search('^## Checks$', text, re.M)
                                          for text in pages.cell_sources(NBS/SOURCES[name], 'markdown'))]


@pytest.mark.parametrize('path', TESTED)
def test_checks_are_folded_and_a_link_opens_them(path, visit):
    page = visit(path)
    fold = page.locator('#checks > details.checks')
    assert fold.get_attribute('open') is None and fold.locator('pre').count() and fold.locator('pre').first.is_hidden()
    page.locator('#TOC a[href="#checks"]').click()
    fold.locator('pre').first.wait_for()
    page.goto('about:blank')
    page = visit(f'{path}#checks')
    page.locator('#checks pre').first.wait_for()
    assert page.locator('#reference').count() == 0 or page.locator('#checks #reference').count() == 0


def test_a_jump_is_a_jump(visit, browser):
    page = visit(LESSONS[2])
    page.emulate_media(reduced_motion='no-preference')
    smooth = page.evaluate('getComputedStyle(document.documentElement).scrollBehavior')
    page.emulate_media(reduced_motion='reduce')
    assert smooth == 'auto'


@pytest.mark.parametrize('path', PAGES)
def test_foot(path, texts):
    "Version, licence, and where the page is mended."
    foot = re.search(r'<footer class="site-footer">.*?</footer>', texts[path], re.S)[0]
    assert f"{settings['title']} {settings['version']}" in foot and '/LICENSE"' in foot and '/issues/new"' in foot
    if path in SOURCES:
        assert f"{settings['git_url']}/edit/{settings['branch']}/nbs/{SOURCES[path].as_posix()}" in foot


def test_a_wrong_address_leads_home(site, browser):
    "The page for it works from any folder of the address under which the site stands."
    base = settings['doc_baseurl'].rstrip('/')

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            path = site/self.path.split('?')[0].removeprefix(base).lstrip('/')
            path = path if path.is_file() else site/'404.html'
            self.send_response(404 if path.name == '404.html' else 200)
            self.send_header('Content-Type', self.guess_type(str(path)))
            self.end_headers()
            self.wfile.write(path.read_bytes())

        def log_message(self, *args):
            "Nothing is printed."
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    start = f'http://127.0.0.1:{server.server_port}'
    try:
        browser.set_viewport_size({'width': 1280, 'height': 900})
        browser.goto(f'{start}{base}/no/such/page.html')
        assert 'not here' in browser.locator('h1').inner_text()
        assert browser.locator('#quarto-sidebar').bounding_box()['width'] > 200, 'it has no styles'
        browser.locator('main a', has_text='home page').click()
        browser.wait_for_url(f'{start}{base}/index.html')
        assert browser.locator('.lessonlib-hero').count() == 1
    finally:
        server.shutdown()
        for seen in (browser.errors, browser.failed, browser.requests):
            seen.clear()
    assert '404.html' not in (site/'sitemap.xml').read_text(encoding='utf-8')
    assert (site/'sitemap.xml').read_text(encoding='utf-8').count('<loc>') == len(PAGES)


# ---- without a mouse, without eyes

def test_the_first_key_leads_past_the_menus(visit):
    page = visit(LESSONS[2])
    page.keyboard.press('Tab')
    assert page.evaluate('document.activeElement.className') == 'skip-link'
    page.keyboard.press('Enter')
    page.keyboard.press('Tab')
    assert page.evaluate("!!document.activeElement.closest('main')")


UNREACHED = r"""() => {
    const name = e => (e.getAttribute('aria-label') || e.title || e.textContent || e.alt || '').trim()
        || [...e.labels || []].some(label => label.textContent.trim())
        || document.getElementById(e.getAttribute('aria-labelledby'));
    const seen = e => e.checkVisibility({visibilityProperty: true});
    const short = e => e.outerHTML.slice(0, 110);
    const all = selector => [...document.querySelectorAll(selector)].filter(seen);
    const landmarks = all('nav, [role=navigation], [role=search], aside');
    const called = landmarks.map(e => e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.role);
    const wide = all('main *').filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth &&
        /auto|scroll/.test(getComputedStyle(e).overflowX) && !e.querySelector('a, button, input, [tabindex="0"]'));
    return {
        fields: all('input, select, textarea').filter(e => !name(e)).map(short),
        controls: all('a[href], button, summary').filter(e => !name(e) && !e.querySelector('img[alt]')).map(short),
        nameless: landmarks.filter((e, i) => !called[i]).map(short),
        twice: called.filter((text, i) => called.indexOf(text) !== i),
        nested: all(':is(summary, button, a) :is(a, button, input)').map(short),
        mains: document.querySelectorAll('main').length,
        scrolling: wide.filter(e => e.tabIndex < 0).map(short),
    };
}"""


@pytest.mark.parametrize('width', [1280, 390])
@pytest.mark.parametrize('path', PAGES)
def test_everything_has_a_name_and_can_be_reached(path, width, visit):
    found = visit(path, width).evaluate(UNREACHED)
    assert found == dict(fields=[], controls=[], nameless=[], twice=[], nested=[], mains=1, scrolling=[])


def test_the_menu_of_a_phone(visit):
    "No link of the shut menu takes the focus; the button opens it."
    page = visit(LESSONS[2], 390)
    link = page.locator('#quarto-sidebar a').first
    assert not link.is_visible()
    page.locator('.quarto-btn-toggle').press('Enter')
    link.wait_for()
    assert page.locator('.quarto-btn-toggle').get_attribute('aria-label')


def test_sections_of_the_menu_fold_by_keyboard(visit):
    page = visit('index.html')
    fold = page.locator('button.sidebar-item-toggle').first
    section = page.locator('#quarto-sidebar-section-1')
    assert section.is_visible() and 'Lessons' in fold.get_attribute('aria-label')
    fold.press('Enter')
    section.wait_for(state='hidden')
    assert fold.get_attribute('aria-expanded') == 'false'


# ---- pieces that can be played with, in the dark

DARK_PAGES = {  # how the site and JupyterLab say that it is dark
    'the site': '<html class="quarto-dark"><body style="background:#222;color:#fff">{}</body></html>',
    'JupyterLab': '<body data-jp-theme-light="false" style="background:#111;color:#eee"><div>{}</div></body>',
}
GROUND_OF = '''name => {
    const e = document.querySelector(name), style = e && getComputedStyle(e);
    return [style.backgroundColor, style.color].map(text => Math.max(...text.match(/[0-9]+/g).slice(0, 3)));
}'''


@pytest.mark.parametrize('where', DARK_PAGES)
def test_pieces_are_dark_where_the_page_is(where, browser, tmp_path):
    import torch
    from lessonlib.broadcasting import broadcast_explorer, explain_broadcast
    from lessonlib.questions import shape_questions
    from lessonlib.quiz import quiz
    from lessonlib.widgets import live_mask
    maps = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0))
    shown = live_mask(maps, torch.zeros(3, 8, 10)), quiz(*shape_questions(explain_broadcast)[:8]), broadcast_explorer()
    path = tmp_path/'dark.html'
    path.write_text(DARK_PAGES[where].format(''.join(piece._repr_html_() for piece in shown)), encoding='utf-8')
    browser.goto(path.as_uri())
    for name in '.lessonlib-live-mask', '.lessonlib-quiz', '.lessonlib-explorer input', '.lessonlib-quiz button':
        ground, ink = browser.evaluate(GROUND_OF, name)
        assert ground < 80 and ink > 200, name
    browser.locator('.lessonlib-quiz button').first.click()
    browser.locator('.Feedback b').first.wait_for()
    count, faint = browser.evaluate(FAINT_WORDS)
    assert count > 20 and faint == {}
    browser.requests.clear()
