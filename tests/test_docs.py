"""The build of the site stops, and says which notebook it was, where a page would be missing or wrong."""
import shutil, subprocess, sys
from pathlib import Path
import nbformat.v4 as v4, nbformat, pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT/'tools'))
import docs


@pytest.fixture
def build(tmp_path):
    "A function that builds a site of some notebooks -> (exit status, errors, the site's folder)."
    def build(out='site', **notebooks):
        nbs = tmp_path/'nbs'
        shutil.copytree(ROOT/'nbs'/'images', nbs/'images')
        for name in ('_quarto.yml', 'styles.css', 'references.bib'): shutil.copy(ROOT/'nbs'/name, nbs)
        for name, cells in ({'index': ['# Home']} | notebooks).items():
            made = [v4.new_markdown_cell(c) if c.startswith('# ') else v4.new_code_cell(c) if isinstance(c, str) else c for c in cells]
            nbformat.write(v4.new_notebook(cells=made, metadata={'kernelspec': {'name': 'python3', 'display_name': 'python3', 'language': 'python'}}), nbs/f'{name}.ipynb')
        done = subprocess.run([sys.executable, ROOT/'tools'/'docs.py', '--with', 'smalldocs', '--nbs', nbs, '--out', tmp_path/out], text=True, capture_output=True)
        return done.returncode, done.stderr, tmp_path/out
    return build


HIDDEN = "#| hide\n# On Colab: install the package, if it is missing.\nimport importlib.util\nif importlib.util.find_spec('no_such_package_at_all') is None: get_ipython()"


def test_a_good_build(build):
    "Numbers leave the names of pages; formulas, citations, links around names and JavaScript come through; what is hidden does not."
    script = v4.new_output('display_data', data={'application/javascript': 'window.ran = 1'})
    cell = v4.new_code_cell('1', outputs=[script])
    text = "# The first\n\n$$\\begin{aligned}a &= b\\end{aligned}$$\n\n[@strassen1969gaussian] Strassen [-@strassen1969gaussian] [home](index.ipynb) [second](02_second.ipynb#2-The-Title) [`iou`](02_second.ipynb), `iou`"
    status, errors, out = build(**{'01_first': [text, HIDDEN, '#| export\nimport math'], '02_second': ['# The second\n\n## 2 The Title', 'import math']})
    assert status == 0, errors
    assert sorted(p.name for p in out.glob('*.html')) == ['first.html', 'index.html', 'reference.html', 'second.html']
    page = (out/'first.html').read_text(encoding='utf-8')
    for part in ('<math', '>Strassen 1969</a>', '>1969</a>', 'href="#ref-strassen1969gaussian"', 'href="index.html"', 'href="second.html#the-title"', 'Open in Colab'): assert part in page, part
    assert '<a href="second.html"><code>iou</code></a>' in page and 'diffedit_mask.html#iou' in page and '](' not in page
    assert 'On Colab' not in page and 'find_spec' not in page
    assert 'katex' not in page and 'id="the-title"' in (out/'second.html').read_text(encoding='utf-8')
    nb = v4.new_notebook(cells=[cell])
    docs.keep_scripts(nb)
    assert nb.cells[0].outputs[0].data['text/html'] == '<script>window.ran = 1</script>'


def test_each_notebook_that_fails_to_import_is_named(build):
    status, errors, out = build(**{'01_missing': ['# A', 'import no_such_package_at_all'], '02_good': ['# B', 'import math'],
                                   '03_unexported': ['# C', '#| default_exp never_exported', '#| export\nx = 1']})
    assert status == 1 and not out.exists()
    assert "nbs/01_missing.ipynb: ModuleNotFoundError: No module named 'no_such_package_at_all'" in errors
    assert "nbs/03_unexported.ipynb: ModuleNotFoundError: No module named 'lessonlib.never_exported'" in errors
    assert '02_good' not in errors


@pytest.mark.parametrize('text, words', [('# A\n\n$\\nonesuch$', 'bad.html: the formula \\nonesuch has an error'),
                                         ('# A\n\n[@nobody1999]', 'nbs/01_bad.ipynb: nobody1999 is cited, but references.bib has no such entry')])
def test_what_a_page_cannot_show_is_named(build, text, words):
    status, errors, out = build(**{'01_bad': [text]})
    assert status == 1 and not out.exists() and words in errors


def test_a_folder_that_is_no_site_stays(build, tmp_path):
    (tmp_path/'mine').mkdir()
    (tmp_path/'mine'/'thesis.txt').write_text('words')
    status, errors, out = build(out='mine')
    assert status == 1 and 'mine holds something that is not a built site' in errors and (out/'thesis.txt').exists()


def test_a_missing_page_is_named(tmp_path):
    (tmp_path/'index.html').touch(), (tmp_path/'reference.html').touch(), (tmp_path/'stray.html').touch()
    with pytest.raises(docs.NotBuilt) as e: docs.check_pages(tmp_path, {Path('index.ipynb'): 'Home', Path('01_matmul.ipynb'): 'Loops'})
    assert str(e.value) == 'nbs/01_matmul.ipynb: no page matmul.html was built\nstray.html: no notebook makes this page'


@pytest.mark.parametrize('text, css', [('@import url(https://fonts.googleapis.com/css2?family=A:wght@300;400&display=swap);:root{}', ':root{}'),
                                       ('@import"https://fonts.googleapis.com/css2?family=A:wght@300;400";a{}', 'a{}'),
                                       ('@import url("local.css");a{}', '@import url("local.css");a{}')])
def test_web_fonts_are_left_out(text, css): assert docs.without_web_fonts(text) == css


def test_scripts_from_elsewhere_are_left_out():
    "As Quarto writes them into a page that has an HTML output."
    kept = '<script src="site_libs/fuse.js"></script><link href="styles.css" rel="stylesheet"><script>define = 1</script><a href="https://example.org">x</a>'
    page = ('<script src="https://cdn.example/require.min.js" integrity="sha512-x" crossorigin="anonymous"></script>\n'
            '<script src="https://cdn.example/jquery.min.js" data-relocate-top="true"></script>'
            """<script type="application/javascript">define('jquery', [],function() {return window.jQuery;})</script>"""
            '<link rel="stylesheet" href="https://cdn.example/katex.min.css"><link href="//cdn.example/a.css" rel="stylesheet">')
    assert docs.without_network(page + kept) == kept


def test_what_is_printed_in_pieces_is_one_output():
    stream = lambda name, text: v4.new_output('stream', name=name, text=text)
    nb = v4.new_notebook(cells=[v4.new_code_cell('1', outputs=[stream('stdout', 'a\n'), stream('stdout', 'b\n'), stream('stderr', 'c\n'), stream('stdout', 'd\n')])])
    docs.join_streams(nb)
    assert [o.text for o in nb.cells[0].outputs] == ['a\nb\n', 'c\n', 'd\n']


@pytest.mark.parametrize('code, words', [("ax.plot(x)\nax.set(xlabel='n', ylabel='ms')", 'ms against n'), ('m = f(x)\nshow_images([m],\n    size=1)', 'drawn by show_images([m], size=1)'),
                                         ('show_image(m)\nassert m.any()', 'drawn by show_image(m)'), ('assert plot(m)', ''), ('f(x)', '')])
def test_a_figure_is_described_by_its_axes_or_its_call(code, words): assert docs.drawing(code) == words
