"""The documentation site in a browser: `make docs`' output, or any built folder (`SITE=_docs pytest tests/test_site.py`).

What both builders write is looked for: `#quarto-search`, `#quarto-sidebar`, `.sidebar-link`, `.nav-page-next`,
`.quarto-color-scheme-toggle` and the classes of styles.css; where they differ, both are named."""
import functools, http.server, json, os, re, subprocess, sys, threading
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin
import pytest
from browser import open_page

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT/'tools'))
import docs

pytestmark = pytest.mark.slow
SOURCES = docs.sources(ROOT/'nbs')
PAGES = [docs.page(s).with_suffix('.html').as_posix() for s in SOURCES] + ['reference.html']
LESSONS = [docs.page(s).with_suffix('.html').as_posix() for s in SOURCES if docs.lesson(s)]
EXPLORER, QUIZ, MASK = 'broadcasting.html', 'broadcasting.html', 'diffedit_mask.html'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "The folder of a built site: SITE's, or one that is built here without Quarto."
    if os.environ.get('SITE'): return Path(os.environ['SITE']).resolve()
    out = tmp_path_factory.mktemp('site')/'_docs'
    done = subprocess.run([sys.executable, ROOT/'tools'/'docs.py', '--with', 'smalldocs', '--out', out], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope='module')
def address(folder):
    "The site, served on this machine."
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args): pass
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}/'
    server.shutdown()


@pytest.fixture(scope='module')
def browser(address, tmp_path_factory):
    "A page; `failed` lists the requests that failed, `errors` what scripts threw and what the console calls an error."
    with open_page(tmp_path_factory.mktemp('browser')/'profile', reduced_motion='reduce') as page:
        page.failed = []
        page.on('console', lambda message: page.errors.append(message.text) if message.type == 'error' else None)
        aborted = 'net::ERR_ABORTED'  # by the browser, that left the page before its icon had come
        page.on('requestfailed', lambda request: None if request.failure == aborted else page.failed.append(f'{request.failure} {request.url}'))
        page.on('response', lambda response: page.failed.append(f'{response.status} {response.url}') if response.status >= 400 else None)
        yield page


@pytest.fixture
def visit(browser, address, folder):
    "A function that opens a page of the site; afterwards: no error, no failed request, nothing from elsewhere."
    def visit(path, width=1280, scheme='light'):
        browser.set_viewport_size({'width': width, 'height': 900})
        browser.emulate_media(color_scheme=scheme)
        browser.goto(address + path)
        return browser
    browser.errors.clear(), browser.requests.clear(), browser.failed.clear()
    yield visit
    assert (browser.errors, browser.failed) == ([], [])
    elsewhere = [url for url in browser.requests if not url.startswith((address, 'data:', 'blob:', 'about:'))]
    assert elsewhere == []


def markdown(source):
    "The text cells of a notebook, without code."
    cells = json.loads((ROOT/'nbs'/source).read_text(encoding='utf-8'))['cells']
    return re.sub(r'```.*?```|`[^`\n]*`', '', '\n\n'.join(''.join(c['source']) for c in cells if c['cell_type'] == 'markdown'), flags=re.S)


# ---- pages, links, words

def test_a_page_for_each_notebook_and_no_other(folder):
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob('*.html') if p.name != '404.html') == sorted(PAGES)


@pytest.mark.parametrize('path', PAGES)
def test_page(path, visit):
    "It answers, has one title, no id twice, formulas that are drawn, and pictures with words."
    page = visit(path)
    assert page.locator('main h1').count() == 1 and page.locator('main h1').inner_text().strip()
    found = page.evaluate('''() => {
        const ids = [...document.querySelectorAll('[id]')].map(e => e.id), pictures = [...document.querySelectorAll('main img')];
        return {
            twice: ids.filter((id, i) => ids.indexOf(id) !== i),
            raw: [...document.querySelectorAll('.math')].filter(e => !e.querySelector('math, .katex, mjx-container') || e.querySelector('merror, .katex-error')).map(e => e.textContent),
            flat: [...document.querySelectorAll('math')].filter(e => e.getBoundingClientRect().width < 2).map(e => e.textContent),
            formulas: document.querySelectorAll('main :is(math, .katex, mjx-container)').length,
            wordless: pictures.filter(e => !(e.getAttribute('alt') || '').trim()).length,
            broken: pictures.filter(e => !(e.complete && e.naturalWidth)).map(e => e.src.slice(0, 80)),
        };
    }''')
    source = dict(zip(PAGES, SOURCES)).get(path)
    written = len(re.findall(r'\$\$.+?\$\$|\$\S(?:[^$\n]*?\S)?\$', markdown(source), re.S)) if source else 0
    assert found.pop('formulas') >= written
    assert found == dict(twice=[], raw=[], flat=[], wordless=0, broken=[])
    words = page.evaluate('''() => { const main = document.querySelector('main').cloneNode(true);
        main.querySelectorAll('pre, code, math, script, style').forEach(e => e.remove()); return main.textContent; }''')
    assert [s for s in (r'\$\$', r'\\\(', r'\\\[', r':::', r'\[-?@\w', r'#\|', r'\]\(') if re.search(s, words)] == []


def test_links(folder, address, visit):
    "Every link inside the site leads to a file and every anchor to an id."
    links, ids = {}, {}
    for path in PAGES:
        page = visit(path)
        ids[path] = set(page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))
        links[path] = page.evaluate("[...document.querySelectorAll('a[href]')].map(e => e.href)")
    inside = {(path, link) for path in PAGES for link in links[path] if link.startswith(address)}
    assert len(inside) > 10*len(PAGES)
    dead = []
    for path, link in sorted(inside):
        target, anchor = urldefrag(link.removeprefix(address).split('?')[0])
        target = unquote(target) or 'index.html'
        if target.endswith('/'): target += 'index.html'
        if not (folder/target).is_file() or (anchor and target in ids and unquote(anchor) not in ids[target]): dead.append((path, link.removeprefix(address)))
    assert dead == []


@pytest.mark.parametrize('path', PAGES)
def test_head(path, folder, address, visit):
    "Title, description, icon; a page of its own for each. The card of the home page shows a picture that is there."
    page = visit(path)
    assert page.title().strip() not in ('', 'Untitled') and page.locator('meta[name=description]').get_attribute('content')
    icon = page.evaluate("document.querySelector('link[rel~=icon]').href")
    assert (folder/icon.removeprefix(address)).is_file()
    if path == 'index.html':
        card = page.locator('meta[property="og:image"]').get_attribute('content')
        assert card.endswith('/images/home.png') and (folder/'images'/'home.png').is_file()


def test_the_home_picture_shows_what_the_library_does(visit):
    picture = visit('index.html').locator('main img').first
    assert all(word in picture.get_attribute('alt') for word in ('horse', 'mask', 'zebra'))
    box = picture.bounding_box()
    assert box['y'] + box['height'] < 900 and box['width'] > 400, 'it is not in the first view'


def test_no_page_takes_anything_from_the_network(folder):
    "Scripts, styles, fonts and pictures are files of the site, also those that are asked for only now and then."
    outside = re.compile(r'<(?:script|img|iframe|source|video)\b[^>]*\ssrc="(?:https?:)?//[^"]*|<link\b(?=[^>]*\srel="(?:stylesheet|preload|icon|modulepreload))[^>]*href="(?:https?:)?//[^"]*')
    pages = {p.name: outside.findall(p.read_text(encoding='utf-8')) for p in folder.rglob('*.html')}
    sheets = {p.name: re.findall(r'@import[^;]*https?:[^;]*|url\(["\']?(?:https?:)?//[^)]*', p.read_text(encoding='utf-8')) for p in folder.rglob('*.css')}
    assert {name: found for name, found in (pages | sheets).items() if found} == {}


@pytest.mark.parametrize('path', LESSONS)
def test_the_installing_cell_is_not_on_the_page(path, folder):
    source = dict(zip(PAGES, SOURCES))[path]
    cells = [''.join(c['source']) for c in json.loads((ROOT/'nbs'/source).read_text(encoding='utf-8'))['cells'] if c['cell_type'] == 'code']
    assert cells[0].startswith('#| hide\n') and 'find_spec' in cells[0], 'the lesson has no cell that installs the package'
    page = (folder/path).read_text(encoding='utf-8')
    assert 'run_line_magic' not in page and 'On Colab: install' not in page


def test_no_page_names_an_address_of_its_own_site(folder):
    "Links between pages are relative, so that a copy of the site works anywhere."
    base = re.compile(r'href="' + re.escape(docs.settings().doc_host + docs.settings().doc_baseurl))
    assert [path for path in PAGES if base.search((folder/path).read_text(encoding='utf-8'))] == []


# ---- finding one's way

def test_lessons_in_order(visit):
    "From the first lesson, `next` leads through all of them, and `previous` back."
    page = visit(LESSONS[0])
    for forward, path in [('next', p) for p in LESSONS[1:]] + [('previous', p) for p in LESSONS[-2::-1]]:
        page.locator(f'.nav-page-{forward} a').click()
        page.wait_for_url(f'**/{path}')


def test_the_sidebar_has_every_page(visit):
    page = visit('index.html')
    links = page.evaluate("[...document.querySelectorAll('#quarto-sidebar a.sidebar-link[href]')].map(e => e.href)")
    assert {urljoin(page.url, p) for p in PAGES} == {link for link in links if not link.endswith('#')}
    texts = page.locator('#quarto-sidebar .sidebar-link').all_inner_texts()
    assert [t for t in texts if re.match(r'\d+\.', t)] == sorted((t for t in texts if re.match(r'\d+\.', t)), key=lambda t: int(t.split('.')[0]))


@pytest.mark.parametrize('path', LESSONS)
def test_lesson_has_colab_and_source(path, visit):
    source = next(s for s in SOURCES if docs.page(s).with_suffix('.html').as_posix() == path)
    links = visit(path).evaluate("[...document.querySelectorAll('.lesson-links a')].map(e => e.href)")
    place = f'{docs.settings().user}/{docs.settings().repo}/blob/{docs.settings().branch}/nbs/{source}'
    assert links[:2] == [f'https://colab.research.google.com/github/{place}', f'https://github.com/{place}']


@pytest.mark.parametrize('width', [1280, 390])
def test_search(width, visit):
    "On a phone the box may be behind the menu; Quarto may open a box of its own, outside the bar."
    page = visit('index.html', width)
    if not page.locator('#quarto-search').is_visible(): page.locator('.navbar-toggler').first.click()
    page.locator('#quarto-search').locator('input, button').locator('visible=true').first.click()
    box = page.locator('#quarto-search input, .aa-DetachedContainer input').locator('visible=true').first
    box.fill('broadcast_shape')
    hit = page.locator(':is(.smalldocs-search-results, .aa-Panel, .aa-DetachedContainer) a[href*="broadcasting.html"]').first
    hit.wait_for()
    assert 'broadcast_shape' in hit.inner_text()
    hit.click()
    page.wait_for_url('**/broadcasting.html*')


@pytest.fixture(scope='module')
def anchors(folder):
    "Page -> the ids on it."
    return {p: set(re.findall(r'\sid="([^"]+)"', (folder/p).read_text(encoding='utf-8'))) for p in PAGES}


@pytest.mark.parametrize('source', [s for s in SOURCES if docs.exported(ROOT/'nbs'/s)], ids=str)
def test_every_public_name_has_an_anchor_and_its_source(source, folder, anchors):
    "Functions and classes of a module, each with a link to the line of its definition."
    import ast
    module, path = docs.exported(ROOT/'nbs'/source), docs.page(source).with_suffix('.html').as_posix()
    text = (ROOT/(module.replace('.', '/') + '.py')).read_text(encoding='utf-8')
    names = {n.name: n.lineno for n in ast.parse(text).body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name[0] != '_' and not docs.is_patch(n)}
    page = (folder/path).read_text(encoding='utf-8')
    assert names and {n for n in names if docs.heading_id(n) not in anchors[path]} <= {n for n in names if docs.heading_id(n) + '-1' in anchors[path]}
    assert [n for n, line in names.items() if f'/{module.replace(".", "/")}.py#L{line}"' not in page] == []


def test_a_name_in_the_reference(visit):
    "The list of all names leads to signature, comments of the parameters, docstring and source."
    page = visit('reference.html')
    page.locator('main a', has_text=re.compile('^iou$')).click()
    page.wait_for_url('**/diffedit_mask.html#iou')
    entry = page.evaluate(r'''() => {                             // a section, or a heading with what follows
        const found = document.getElementById('iou'), parts = [found];
        if (/^H\d$/.test(found.tagName)) for (let e = found.nextElementSibling; e && parts.length < 4; e = e.nextElementSibling) parts.push(e);
        const source = parts.map(e => e.querySelector('a.source-link')).find(Boolean);
        return {text: parts.map(e => e.textContent).join('\n'), source: source && source.href}; }''')
    assert re.search(r'def iou\([^#]*#', entry['text']) and 'Intersection' in entry['text']
    assert re.search(r'/blob/\w+/lessonlib/diffedit_mask\.py#L\d+$', entry['source'])


# ---- what is clicked

def test_quiz(visit):
    page = visit(QUIZ)
    option = page.locator('.lessonlib-quiz .Quiz').first.locator('label').first
    option.click()
    said = page.locator('.lessonlib-quiz .Feedback').first
    assert re.match(r'Right|Not yet', said.inner_text())


def test_explorer(visit):
    page = visit(EXPLORER)
    inputs = page.locator('.lessonlib-explorer').first.locator('input')
    inputs.nth(0).fill('(5, 1)')
    inputs.nth(1).fill('(7,)')
    assert 'a: axis -1 stretched to 7' in page.locator('.lessonlib-explorer').first.locator('pre').text_content()


def test_live_mask(visit):
    page = visit(MASK)
    piece = page.locator('.lessonlib-live-mask').first
    before = piece.get_attribute('data-pixels')
    piece.locator('input[name=threshold]').focus()
    for _ in range(5): page.keyboard.press('ArrowRight')
    assert int(piece.get_attribute('data-pixels')) < int(before)


# ---- how it looks

@pytest.mark.parametrize('path', PAGES)
def test_nothing_overflows_on_a_phone(path, visit):
    page = visit(path, width=390)
    wide = page.evaluate('''() => {                               // what stands out, though not in a box of its own that scrolls
        const width = document.documentElement.clientWidth, main = document.querySelector('main');
        const boxed = e => e !== main && (/auto|scroll/.test(getComputedStyle(e).overflowX) || boxed(e.parentElement));
        return [...main.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > width + 1 && e.checkVisibility() && !boxed(e.parentElement))
            .map(e => e.outerHTML.slice(0, 120));
    }''')
    assert wide == [] and page.evaluate('document.documentElement.scrollWidth') <= 390
    cut = page.evaluate("[...document.querySelectorAll('main math[display=block]')].filter(e => e.getBoundingClientRect().width > 390).map(e => e.textContent)")
    assert cut == [], 'a formula is wider than the screen'
    comments = page.evaluate("[...document.querySelectorAll('pre.code-overflow-wrap')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)")
    assert comments == [], 'a comment of a signature is cut'
    over = page.evaluate('''() => [...document.querySelectorAll('main a.source-link')].filter(e => {    // the link beside a name, and the name
        const link = e.getBoundingClientRect(), heading = e.parentElement.previousElementSibling, range = document.createRange();
        range.selectNodeContents(heading);
        return [...range.getClientRects()].some(r => r.right > link.left && r.left < link.right && r.bottom > link.top && r.top < link.bottom);
    }).map(e => e.parentElement.previousElementSibling.textContent)''')
    assert over == []


def test_a_line_of_code_has_room(visit):
    "At 1200 px six lines of seven are seen whole."
    counts = []
    for path in LESSONS:
        page = visit(path, width=1200)
        counts += page.evaluate('''() => [...document.querySelectorAll('main pre.sourceCode code')].flatMap(code => {
            const pre = code.closest('pre'), style = getComputedStyle(pre), context = document.createElement('canvas').getContext('2d');
            context.font = getComputedStyle(code).font;
            const room = pre.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
            return code.textContent.split('\\n').filter(line => line.trim()).map(line => context.measureText(line).width <= room);
        })''')
    assert len(counts) > 1000 and sum(counts) > .86*len(counts), f'{sum(counts)} of {len(counts)}'


CONTRAST = '''() => {
    const context = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
    const color = text => { context.clearRect(0, 0, 1, 1); context.fillStyle = text; context.fillRect(0, 0, 1, 1);
                            const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data; return [r, g, b, a/255]; };
    const over = ([r, g, b, a], below) => [r, g, b].map((v, i) => v*a + below[i]*(1 - a));
    const ground = element => { if (!element) return [255, 255, 255];
                                const own = color(getComputedStyle(element).backgroundColor);
                                return own[3] === 1 ? own.slice(0, 3) : over(own, ground(element.parentElement)); };
    const opacity = element => element ? getComputedStyle(element).opacity*opacity(element.parentElement) : 1;
    const light = rgb => rgb.map(v => v/255).map(v => v <= .03928 ? v/12.92 : ((v + .055)/1.055)**2.4).reduce((sum, v, i) => sum + v*[.2126, .7152, .0722][i], 0);
    const faint = {};
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let count = 0;
    for (let node; node = walker.nextNode();) {
        const element = node.parentElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
        if (!node.textContent.trim() || !box.width || !box.height || style.visibility === 'hidden' || element.closest('script, style, noscript, .lessonlib-explorer, .lessonlib-cells')) continue;
        let gradient = false;
        for (let e = element; e; e = e.parentElement) gradient = gradient || getComputedStyle(e).backgroundImage !== 'none';
        if (gradient) continue;                                    // the pieces' own tests look at these
        const below = ground(element), [r, g, b, a] = color(style.color), rgb = over([r, g, b, a*opacity(element)], below);
        const [x, y] = [light(rgb), light(below)], ratio = (Math.max(x, y) + .05)/(Math.min(x, y) + .05);
        const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
        count++;
        if (ratio < (large ? 3 : 4.5)) faint[`${element.tagName.toLowerCase()}.${element.className} in ${element.parentElement.className}: ${rgb.map(Math.round)} on ${below.map(Math.round)}`] = [Math.round(ratio*100)/100, node.textContent.trim().slice(0, 30)];
    }
    return [count, faint];
}'''


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('path', PAGES)
def test_words_stand_out(path, scheme, visit):
    "Every word has a contrast of at least 4.5 to its ground, large ones 3 (WCAG 2.2, 1.4.3), in both themes."
    page = visit(path, scheme=scheme)
    page.wait_for_timeout(100)                                     # the theme is marked after 50 ms
    dark = sum(map(int, re.findall(r'\d+', page.evaluate('getComputedStyle(document.body).backgroundColor'))[:3])) < 384
    assert dark == (scheme == 'dark')
    count, faint = page.evaluate(CONTRAST)
    assert count > 30 and faint == {}


def test_the_theme_can_be_switched_and_is_kept(visit):
    page = visit('index.html')
    ground = lambda: page.evaluate('getComputedStyle(document.body).backgroundColor')
    before = ground()
    page.locator('.quarto-color-scheme-toggle').first.click()
    page.wait_for_timeout(200)
    after = ground()
    assert after != before
    page.reload()
    assert ground() == after
    page.evaluate('localStorage.clear()')
