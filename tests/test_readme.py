"""README.md and its pictures are what `make readme` makes of nbs/index.ipynb now."""
import re
import nbformat.v4 as v4
from installed import ROOT
from tools.floors import floors
from tools.readme import IMAGES, make_readme, without_directives


def test_in_sync():
    text, pictures = make_readme()
    assert (ROOT/'README.md').read_text(encoding='utf-8') == text, 'README.md is stale: run `make readme`'
    assert sorted(path.name for path in IMAGES.glob('index_*')) == sorted(pictures), 'run `make readme`'
    for name, data in pictures.items():
        assert (IMAGES/name).read_bytes() == data, f'nbs/images/{name} is stale: run `make readme`'


def test_links_and_pictures_exist():
    text = (ROOT/'README.md').read_text(encoding='utf-8')
    targets = [target for target in re.findall(r'\]\(([^)#]+)[^)]*\)', text) if not re.match(r'\w+:', target)]
    for suffix in ('.ipynb', '.png'):
        assert any(target.endswith(suffix) for target in targets)
    assert [target for target in targets if not (ROOT/target).exists()] == []


def test_it_says_which_versions_were_tested():
    "The ends of the most important packages; of torch the one version that the tests have run with."
    text, exact = ((ROOT/name).read_text(encoding='utf-8') for name in ('README.md', 'constraints.txt'))
    table = re.search(r'^\| +\| oldest \| newest \|\n.*\n((?:\|.*\n)+)', text, re.M)[1]
    rows = re.findall(r'^\| (\S+) \| (\S+) \| (\S+) \|$', table, re.M)
    said = {name: (oldest, newest) for name, oldest, newest in rows}
    pins = {name: re.match(r'\d+\.\d+', version)[0] for name, version in re.findall(r'^(\S+)==(\S+)$', exact, re.M)}
    assert said.keys() >= {'torch', 'numpy', 'transformers'}
    assert said == {name: (floors()[name] if name != 'torch' else pins['torch'], pins[name]) for name in said}
    assert f"torch may be {floors()['torch']} or newer" in text


def test_hidden_cells_and_directives_stay_out():
    cells = [v4.new_raw_cell('---\ntitle: x\n---'), v4.new_code_cell('#| hide\nsecret = 1'),
             v4.new_code_cell('#| echo: false\nshown = 1'), v4.new_code_cell('# a comment\nalso = 1')]
    nb = without_directives(v4.new_notebook(cells=cells))
    assert [cell.source for cell in nb.cells] == ['shown = 1', '# a comment\nalso = 1']
