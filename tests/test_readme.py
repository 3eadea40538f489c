"""README.md and its pictures are what `make readme` makes of nbs/index.ipynb now."""
import re, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT/'tools'))
from readme import make_readme, without_directives


def test_in_sync():
    text, pictures = make_readme()
    assert (ROOT/'README.md').read_text(encoding='utf-8') == text, 'README.md is stale: run `make readme`'
    assert sorted(p.name for p in (ROOT/'nbs'/'images').glob('index_*')) == sorted(pictures), 'run `make readme`'
    for name, data in pictures.items():
        assert (ROOT/'nbs'/'images'/name).read_bytes() == data, f'nbs/images/{name} is stale: run `make readme`'


def test_links_and_pictures_exist():
    text = (ROOT/'README.md').read_text(encoding='utf-8')
    targets = [t for t in re.findall(r'\]\(([^)#]+)[^)]*\)', text) if not re.match(r'\w+:', t)]
    assert any(t.endswith('.ipynb') for t in targets) and any(t.endswith('.png') for t in targets)
    assert [t for t in targets if not (ROOT/t).exists()] == []


def test_hidden_cells_and_directives_stay_out():
    import nbformat.v4 as v4
    cells = [v4.new_raw_cell('---\ntitle: x\n---'), v4.new_code_cell('#| hide\nsecret = 1'),
             v4.new_code_cell('#| echo: false\nshown = 1'), v4.new_code_cell('# a comment\nalso = 1')]
    nb = without_directives(v4.new_notebook(cells=cells))
    assert [c.source for c in nb.cells] == ['shown = 1', '# a comment\nalso = 1']
