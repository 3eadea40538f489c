"""The build of the site stops, and says which notebook it was, where a page would be missing or wrong."""
import base64
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
import nbformat
import nbformat.v4 as v4
import pytest
from installed import ROOT, run
from PIL import Image, ImageDraw
from test_widgets import Markup, grammar_fault, script_faults, style_faults, text_faults
from tools.site import build, finish, home, pages, pictures, reference


def new_cell(written):
    "A cell of a text: Markdown if it begins with a heading; a cell is taken as it is."
    if not isinstance(written, str):
        return written
    return v4.new_markdown_cell(written) if written.startswith('# ') else v4.new_code_cell(written)


@pytest.fixture
def build_notebooks(tmp_path):
    "A function that builds a site of some notebooks -> (exit status, errors, the site's folder)."
    kernel = {'name': 'python3', 'display_name': 'python3', 'language': 'python'}

    def build_notebooks(out='site', **notebooks):
        nbs = tmp_path/'nbs'
        shutil.copytree(ROOT/'nbs'/'images', nbs/'images')
        for name in ('_quarto.yml', 'styles.css', 'references.bib'):
            shutil.copy(ROOT/'nbs'/name, nbs)
        for name, cells in ({'index': ['# Home']} | notebooks).items():
            nb = v4.new_notebook(cells=[new_cell(cell) for cell in cells], metadata={'kernelspec': kernel})
            nbformat.write(nb, nbs/f'{name}.ipynb')
        command = [sys.executable, '-m', 'tools.site.build', '--nbs', nbs, '--out', tmp_path/out]
        done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
        return done.returncode, done.stderr, tmp_path/out
    return build_notebooks


INSTALL = '''#| hide
# On Colab: install the package, if it is missing.
import importlib.util
if importlib.util.find_spec('no_such_package_at_all') is None: get_ipython()'''
TEXT = r'''# The first

$$\begin{aligned}a &= b\end{aligned}$$

[@strassen1969gaussian] Strassen [-@strassen1969gaussian] [home](index.ipynb)
[second](02_second.ipynb#2-The-Title) [`iou`](02_second.ipynb), `iou`, `iou()`, `no_such_name`

```python
`iou`
```'''
EXPORTING = ['# Masks', '#| default_exp diffedit_mask', '#| export\ndef iou(a, b): ...']


def test_the_builder_leaves_the_environment_alone():
    "With its own backend of matplotlib in it, the kernels that later tests start would draw no figure."
    code = 'import os; before = dict(os.environ); import tools.site.build; assert dict(os.environ) == before'
    plain = {name: value for name, value in os.environ.items() if name != 'MPLBACKEND'}
    run(sys.executable, '-c', code, cwd=ROOT, env=plain)


def test_a_good_build(build_notebooks):
    "Numbers leave the names of pages; formulas, citations, links and names come through; what is hidden does not."
    notebooks = {
        '01_first': [TEXT, INSTALL, '#| export\nimport math'],
        '02_second': ['# The second\n\n## 2 The Title', 'import math'],
        '03_diffedit_mask': EXPORTING,
    }
    status, errors, out = build_notebooks(**notebooks)
    assert status == 0, errors
    built = sorted(path.name for path in out.glob('*.html'))
    names = ['404', 'diffedit_mask', 'first', 'index', 'reference', 'second']
    assert built == [f'{name}.html' for name in names]
    page = (out/'first.html').read_text(encoding='utf-8')
    for part in ('<math', '>Strassen 1969</a>', '>1969</a>', 'href="#ref-strassen1969gaussian"',
                 'href="index.html"', 'href="second.html#the-title"', 'Open in Colab',
                 '<a href="second.html"><code>iou</code></a>', '<a href="diffedit_mask.html#iou"><code>iou</code></a>',
                 '<a href="diffedit_mask.html#iou"><code>iou()</code></a>', '<code>no_such_name</code>'):
        assert part in page, part
    for part in ('](', 'On Colab', 'find_spec', 'katex'):
        assert part not in page, part
    assert page.count('diffedit_mask.html#iou') == 2, 'a name in a block of code has no link'
    assert 'id="the-title"' in (out/'second.html').read_text(encoding='utf-8')


def test_an_address_of_the_site_is_a_link_between_pages(tmp_path):
    (tmp_path/'install.md').touch()
    text = f'[a]({pages.BASE}install.html) [b]({pages.BASE}matmul.html#x) [c](https://example.org/install.html)'
    wanted = '[a](../install.md) [b](../matmul.ipynb#x) [c](https://example.org/install.html)'
    assert pages.relinked(text, Path('helpers/show.ipynb'), tmp_path) == wanted


def test_a_page_written_by_hand_links_to_pages_too(tmp_path):
    "Its links name the notebooks, so that they lead somewhere in the repository as well."
    (tmp_path/'nbs').mkdir()
    (tmp_path/'nbs'/'01_matmul.ipynb').write_text('{"cells": []}')
    (tmp_path/'nbs'/'own.md').write_text('---\ntitle: "Own: it"\n---\n[loops](01_matmul.ipynb) `](01_matmul`')
    assert build.copy_page(Path('own.md'), tmp_path/'nbs', tmp_path/'out') == 'Own: it'
    assert '[loops](matmul.ipynb) `](01_matmul`' in (tmp_path/'out'/'own.md').read_text()


def test_javascript_is_kept():
    script = v4.new_output('display_data', data={'application/javascript': 'window.ran = 1'})
    nb = v4.new_notebook(cells=[v4.new_code_cell('1', outputs=[script])])
    pages.keep_scripts(nb)
    assert nb.cells[0].outputs[0].data['text/html'] == '<script>window.ran = 1</script>'


def test_each_notebook_that_fails_to_import_is_named(build_notebooks):
    notebooks = {
        '01_missing': ['# A', 'import no_such_package_at_all'],
        '02_good': ['# B', 'import math'],
        '03_unexported': ['# C', '#| default_exp never_exported', '#| export\nx = 1'],
        '04_stale': ['# D', '#| default_exp diffedit_mask', '#| export\ndef never_exported(): ...'],
    }
    status, errors, out = build_notebooks(**notebooks)
    assert status == 1 and not out.exists()
    assert "nbs/01_missing.ipynb: ModuleNotFoundError: No module named 'no_such_package_at_all'" in errors
    assert "nbs/03_unexported.ipynb: ModuleNotFoundError: No module named 'lessonlib.never_exported'" in errors
    assert 'never_exported is not in diffedit_mask.py: run nbdev_export' in errors
    assert '02_good' not in errors


@pytest.mark.parametrize('text, words', [
    ('# A\n\n$\\nonesuch$', 'bad.html: the formula \\nonesuch has an error'),
    ('# A\n\n[@nobody1999]', 'nbs/01_bad.ipynb: nobody1999 is cited, but references.bib has no such entry'),
    ('Words', 'nbs/01_bad.ipynb: no cell begins with a heading `# Title`'),
])
def test_what_a_page_cannot_show_is_named(build_notebooks, text, words):
    status, errors, out = build_notebooks(**{'01_bad': [v4.new_markdown_cell(text)]})
    assert status == 1 and not out.exists() and words in errors


def test_a_folder_that_is_no_site_stays(build_notebooks, tmp_path):
    (tmp_path/'mine').mkdir()
    (tmp_path/'mine'/'thesis.txt').write_text('words')
    status, errors, out = build_notebooks(out='mine')
    assert status == 1 and 'mine holds something that is not a built site' in errors and (out/'thesis.txt').exists()


def test_lessons_come_by_number(tmp_path):
    "The hundredth after the ninety-ninth; what is no lesson after them, `index` first."
    names = ['index.ipynb', '02_b.ipynb', '10_c.ipynb', '99_d.ipynb', '100_e.ipynb', 'about.md']
    for name in reversed(names): (tmp_path/name).touch()
    assert [path.name for path in pages.sources(tmp_path)] == names


def test_a_missing_page_is_named(tmp_path):
    for name in ('index', 'reference', 'stray'):
        (tmp_path/f'{name}.html').touch()
    with pytest.raises(pages.NotBuilt) as fault:
        build.check_pages(tmp_path, {Path('index.ipynb'): 'Home', Path('01_matmul.ipynb'): 'Loops'})
    words = 'nbs/01_matmul.ipynb: no page matmul.html was built\nstray.html: no notebook makes this page'
    assert str(fault.value) == words


FONTS = 'https://fonts.googleapis.com/css2?family=A:wght@300;400'


@pytest.mark.parametrize('text, css', [
    (f'@import url({FONTS}&display=swap);:root{{}}', ':root{}'),
    (f'@import"{FONTS}";a{{}}', 'a{}'),
    ('@import url("local.css");a{}', '@import url("local.css");a{}'),
])
def test_web_fonts_are_left_out(text, css):
    assert finish.without_web_fonts(text) == css


def test_scripts_from_elsewhere_are_left_out():
    "As smalldocs names KaTeX on a page with formulas."
    kept = '<script src="site_libs/site.js"></script><link href="styles.css" rel="stylesheet"><script>a = 1</script>'
    page = ('<script src="https://cdn.example/katex.min.js" defer></script>\n'
            '<link rel="stylesheet" href="https://cdn.example/katex.min.css">'
            '<link href="//cdn.example/a.css" rel="stylesheet">')
    assert finish.without_network(page + kept) == kept


def test_what_is_printed_in_pieces_is_one_output():
    printed = [('stdout', 'a\n'), ('stdout', 'b\n'), ('stderr', 'c\n'), ('stdout', 'd\n')]
    outputs = [v4.new_output('stream', name=name, text=text) for name, text in printed]
    nb = v4.new_notebook(cells=[v4.new_code_cell('1', outputs=outputs)])
    pages.join_streams(nb)
    assert [output.text for output in nb.cells[0].outputs] == ['a\nb\n', 'c\n', 'd\n']


@pytest.mark.parametrize('code, words', [
    ("ax.plot(x)\nax.set(xlabel='n', ylabel='ms')", 'ms against n'),
    ('ax.set(xlabel="a cat\'s n", ylabel="ms")', "ms against a cat's n"),
    ("show_images([a, b], ['the picture', f'the mask, IoU {score:.2f}'])", '2 pictures: the picture; the mask, IoU'),
    ('m = f(x)\nshow_images([m],\n    size=1)', 'picture'),
    ('show_image(m)\nassert m.any()', 'picture'),
    ('ax.plot(x)', 'lines'),
    ('draw_something(x)', ''),
    ('assert plot(m)', ''),
    ('f(x)', ''),
])
def test_a_figure_is_described_in_words(code, words):
    assert pages.drawing(code) == words


def figure(code):
    "A cell with a picture."
    data = {'image/png': base64.b64encode(png(Image.new('RGB', (8, 8)))).decode()}
    return v4.new_code_cell(code, outputs=[v4.new_output('display_data', data=data)])


def test_a_written_text_stands_by_its_picture(build_notebooks):
    "It takes the place of the words that are made of the code; its line is not shown."
    cells = ['# The first', figure('#| fig-alt: "A horse: brown, \'quick\'."\nshow_image(a)'), figure('show_image(b)')]
    status, errors, out = build_notebooks(**{'01_first': cells})
    assert status == 0, errors
    page = (out/'first.html').read_text(encoding='utf-8')
    assert re.findall(r'<img[^>]* alt="([^"]*)"', page) == [
        'A horse: brown, &#x27;quick&#x27;.', 'Figure: The first. picture']
    assert 'fig-alt' not in page and 'quick' not in page.replace('&#x27;quick&#x27;', '', 1)


@pytest.mark.parametrize('line', ['A horse: brown', '', '[one, two]', '"open'])
def test_a_text_that_would_be_lost_is_named(line):
    "What YAML does not read as one text: a figure would be left without words."
    code = f'#| fig-alt: {line}\nshow_image(a)'
    with pytest.raises(ValueError, match='expected fig-alt: "a text", got fig-alt:'):
        pages.written_alt(code)
    assert pages.written_alt('#| fig-alt: Brown\nshow_image(a)') == 'Brown' and pages.written_alt('fig-alt') == ''


# ---- what the documentation of a name holds

MODULE = '''
class _Core:
    kind: str # of what
    width: int = 3

    def __init__(self,
                 size: int = 3, # px
                ):
        "Ready."
    def show(self): "Of the core."

class _Text(_Core):
    def encode(self, words: str, # what to encode
              ) -> int: # tokens
        "Words to numbers."
        return 1
    def _hidden(self): "Not for others."
    def undocumented(self): pass

class Model(_Text, dict):
    "It holds all of it."
    @property
    @functools.lru_cache
    def grid(self) -> int:
        "The grid."
    def show(self):
        "Its own."

def after(a, *b): "It comes last."
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    "The name of a module that is as above."
    (tmp_path/'made.py').write_text(MODULE)
    monkeypatch.setattr(reference, 'ROOT', tmp_path)
    reference.parsed.cache_clear()
    yield 'made'
    reference.parsed.cache_clear()


def test_a_class_has_the_methods_of_its_private_bases(module):
    text = reference.documented(module, 'Model')
    headings = [line for line in text.splitlines() if line.startswith('#')]
    assert headings == ['### Model {#model}', '#### Model.encode {#model.encode}', '#### Model.grid {#model.grid}',
                        '#### Model.show {#model.show}']
    fields = '    kind: str # of what\n    width: int = 3'
    made = '    def __init__(self,\n                 size: int = 3, # px\n                ):'
    assert f'class Model(dict):\n{fields}\n\n{made}' in text
    assert 'def encode(self, words: str, # what to encode\n          ) -> int: # tokens' in text
    assert '@property\ndef grid(self) -> int:' in text and 'lru_cache' not in text
    assert 'made.py#L13)' in text and 'Its own.' in text and 'Of the core' not in text


def test_a_name_is_found_in_its_module(module):
    assert [node.name for node in reference.public(module)] == ['Model', 'after']
    assert reference.signature(module, reference.definition(module, 'after')) == 'def after(a, *b):'
    assert reference.definition(module, 'Model.encode').lineno == 13
    for name in ('none', 'Model.none', 'none.show', '_Text'):
        with pytest.raises(pages.NotBuilt, match=f'{name} is not in made.py: run nbdev_export'):
            reference.definition(module, name)


def test_a_heading_gives_way_to_a_name():
    documents = [v4.new_markdown_cell('### paired {#paired}'), v4.new_markdown_cell('### Paired {#paired}')]
    cells = [v4.new_markdown_cell('## `paired`'), v4.new_markdown_cell('## Another'), *documents]
    reference.set_ids(cells, documents)
    sources = [cell.source for cell in cells]
    assert sources == ['## `paired` {#paired-section}', '## Another', '### paired {#paired}', '### Paired {#paired-1}']


# ---- what is done to a built page

def section(name, *inside):
    "A section as smalldocs writes it."
    return f'<section id="{name}" class="level2">\n<h2>{name.capitalize()}</h2>\n{"".join(inside)}</section>'


def test_the_checks_alone_are_folded():
    inner = '<section id="a" class="level3"><h3>A</h3></section>'
    before, after = section('exercises'), section('reference', inner)
    folded = finish.with_folded_checks(before + section('checks', inner) + after)
    wanted = ('<section id="checks" class="level2">\n<details class="checks"><summary><h2>Checks</h2></summary>\n'
              f'{inner}</details></section>')
    assert folded == before + wanted + after
    assert finish.with_folded_checks(before) == before
    with pytest.raises(pages.NotBuilt, match='the section checks does not end'):
        finish.with_folded_checks('<section id="checks" class="level2"><h2>Checks</h2>')


def test_a_page_without_its_place_is_no_page():
    with pytest.raises(pages.NotBuilt, match='0 of 1 places for the footer'):
        finish.with_foot('<p>cut', finish.Page('index.html', None))


def test_the_search_tells_names_from_lessons():
    def entry(href, section, title='T'):
        return dict(objectID=href, href=href, title=title, section=section, text='x')
    entries = [entry('mask.html', ''), entry('mask.html#iou', 'iou'), entry('mask.html#checks', 'Checks'),
               entry('reference.html', ''), entry('install.html', '')]
    found = [(one['href'], one['kind']) for one in finish.ranked(entries, {'mask.html'}, {'iou'})]
    assert found == [('mask.html', 'lesson'), ('mask.html#iou', 'api'), ('reference.html', 'api'),
                     ('install.html', 'page')]


def png(picture):
    "The bytes of a picture."
    file = io.BytesIO()
    picture.save(file, 'png')
    return file.getvalue()


def test_pictures_become_lighter_and_drawings_are_known():
    plot, photo = Image.new('RGB', (400, 300), 'white'), Image.effect_noise((400, 300), 60).convert('RGB')
    ImageDraw.Draw(plot).line((20, 280, 380, 20), 'black', 3)
    assert pictures.is_drawing(png(plot)) and not pictures.is_drawing(png(photo))
    for picture, exact in (plot, True), (photo, False):
        found = pictures.lighter(png(picture))
        assert len(found) < len(png(picture))
        assert (Image.open(io.BytesIO(found)).convert('RGB').tobytes() == picture.tobytes()) == exact
    text = f'<img src="data:image/png;base64,{base64.b64encode(png(plot)).decode()}" class="img-fluid">'
    changed = pictures.with_lighter_pictures(text)
    assert 'data:image/webp' in changed and 'class="drawing img-fluid"' in changed


INSTALL_TABS = """## Install

Words.

### make

```sh
a
```

### pip

```sh
b
```

After."""


def test_parts_stand_behind_tabs():
    text = home.as_tabs(INSTALL_TABS)
    assert text.index('Words.') < text.index('::: {.panel-tabset}') < text.index('### make')
    assert text.index('### pip') < text.index('\n:::\n') < text.index('After.')
    assert home.as_tabs('## Install\n\nWords.') == '## Install\n\nWords.'


@pytest.mark.parametrize('path', sorted(home.THEME.glob('*.[hjc]*')), ids=lambda path: path.name)
def test_a_file_of_the_theme_is_clean(path, tmp_path):
    text = path.read_text(encoding='utf-8')
    if path.suffix != '.json':
        assert text_faults(text) == []
    if path.suffix == '.js':
        assert [fault for fault in script_faults(text) if path.name != 'site.js' or fault != 'the network'] == []
        assert grammar_fault(text, tmp_path) == ''
    elif path.suffix == '.css':
        assert style_faults(text) == []
    elif path.suffix == '.html':
        assert Markup(text).faults == []
