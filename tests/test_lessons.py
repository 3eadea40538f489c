"""How the lessons are told: short bodies whose cells show something, checks at their end, solutions folded."""
import ast
import json
import re
import statistics
import pytest
from installed import ROOT

LESSONS = sorted((ROOT/'nbs').glob('[0-9]*.ipynb'))
MOST_CELLS = {'02_broadcasting': 75, '06_diffedit': 65, '08_tiny_stable_diffusion': 60}
lessons = pytest.mark.parametrize('path', LESSONS, ids=lambda path: path.stem)


def source(cell):
    "A cell's text."
    return ''.join(cell['source'])


def parts(path):
    "(cells of the body, cells of the section Checks)."
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    starts = [n for n, cell in enumerate(cells) if re.match(r'## Checks\b', source(cell))]
    assert len(starts) == 1, 'one section Checks'
    return cells[:starts[0]], cells[starts[0]:]


def code(cells):
    "The cells of code among them."
    return [cell for cell in cells if cell['cell_type'] == 'code']


def directive(cell, pattern):
    "Whether a line for nbdev says so."
    return re.search(rf'^#\s*\|\s*({pattern})\b', source(cell), re.M)


def lines(cell):
    "A cell's lines of code."
    return [line for line in source(cell).splitlines() if line.strip() and not line.lstrip().startswith('#|')]


def only_defines(cell):
    "Whether a cell but defines and imports."
    quiet = ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom
    return all(isinstance(node, quiet) for node in ast.parse(source(cell)).body)


@lessons
def test_checks_are_the_last_section(path):
    _, checks = parts(path)
    headings = [line for cell in checks if cell['cell_type'] == 'markdown' for line in source(cell).splitlines()
                if re.match(r'##? ', line)]
    assert headings == ['## Checks']


@lessons
def test_the_body_is_short(path):
    body, _ = parts(path)
    assert len(body) <= MOST_CELLS.get(path.stem, 80)
    sizes = sorted(len(lines(cell)) for cell in code(body) if lines(cell))
    assert 3 <= statistics.median(sizes) <= 6 and sizes[int(.9*(len(sizes) - 1))] <= 12, 'lines of a cell'


@lessons
def test_nine_of_ten_cells_show_something(path):
    body, _ = parts(path)
    asked = [cell for cell in code(body) if not directive(cell, 'hide|default_exp|exports?') and not only_defines(cell)]
    silent = [source(cell) for cell in asked if not cell['outputs']]
    assert len(silent) <= len(asked)/10, '\n----\n'.join(silent)


@lessons
def test_solutions_are_folded(path):
    solutions = [cell for cell in code(parts(path)[0]) if 'code-summary: Solution' in source(cell)]
    assert len(solutions) >= 2
    for cell in solutions:
        assert cell['metadata'].get('jupyter', {}).get('source_hidden'), source(cell)
        assert directive(cell, 'code-fold: true'), source(cell)


@lessons
def test_shown_code_fits_the_page(path):
    for cell in code(parts(path)[0]):
        if not directive(cell, 'exports?|hide|code-fold: true'):
            long = [line for line in source(cell).splitlines() if len(line) > 100]
            assert not long, '\n'.join(long)


@lessons
def test_the_body_needs_no_check(path):
    "The student's copy ends before the checks."
    body, _ = parts(path)
    assert not any('](#checks)' in source(cell) for cell in body if cell['cell_type'] == 'markdown')
