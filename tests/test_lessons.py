"""How the lessons are told: short bodies whose cells show something, checks at their end, solutions folded."""
import ast
import json
import re
import statistics
import pytest
import yaml
from installed import ROOT

LESSONS = sorted((ROOT/'nbs').glob('[0-9]*.ipynb'))
MOST_CELLS = {'02_broadcasting': 75, '06_diffedit': 65, '08_tiny_stable_diffusion': 60}
lessons = pytest.mark.parametrize('path', LESSONS, ids=lambda path: path.stem)
DESCRIBED = [path for path in LESSONS if path.stem[:2] != '09']


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


def pictures(cell):
    "How many pictures a cell shows."
    return sum(any(mime.startswith('image/') for mime in output.get('data', {})) for output in cell['outputs'])


def written_alt(cell):
    "What a cell's directive `fig-alt` says of its picture, as the site reads it; none: ''."
    line = directive(cell, 'fig-alt') and next(line for line in source(cell).splitlines() if 'fig-alt' in line)
    return yaml.safe_load(line.lstrip('#| '))['fig-alt'] if line else ''


def calls(cell):
    "The names of the functions that a cell calls."
    found = [node.func for node in ast.walk(ast.parse(source(cell))) if isinstance(node, ast.Call)]
    return {getattr(function, 'attr', getattr(function, 'id', '')) for function in found}


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
        assert 'check' not in calls(cell), 'it says itself that it is right: ' + source(cell)
        printed = ''.join(''.join(output.get('text', '')) for output in cell['outputs'])
        assert 'right' not in printed, printed


@lessons
def test_shown_code_fits_the_page(path):
    for cell in code(parts(path)[0]):
        if not directive(cell, 'exports?|hide|code-fold: true'):
            long = [line for line in lines(cell) if len(line) > 100]
            assert not long, '\n'.join(long)


@lessons
def test_the_body_needs_no_check(path):
    "The student's copy ends before the checks."
    body, _ = parts(path)
    assert not any('](#checks)' in source(cell) for cell in body if cell['cell_type'] == 'markdown')


@pytest.mark.parametrize('path', DESCRIBED, ids=lambda path: path.stem)
def test_figures_are_described_in_words(path):
    "A written text says what is seen; it is one picture's, and it is no code."
    figures = [cell for cell in code(parts(path)[0]) if pictures(cell)]
    texts = [written_alt(cell) for cell in figures]
    silent = [cell['id'] for cell, text in zip(figures, texts, strict=True) if not text]
    assert len(silent) <= len(figures)/5, silent
    written = [text for text in texts if text]
    assert len(set(written)) == len(written), 'two figures have one text'
    for cell, text in zip(figures, texts, strict=True):
        if text:
            assert pictures(cell) == 1, f"{cell['id']}: one text for several pictures"
            assert 40 <= len(text) <= 320 and text[-1] in '.?!', text
            assert not re.search(r'[`=\[\]{}]|\w\(|\w_\w', text), f'code in a text: {text}'


def test_a_text_is_read_as_the_site_reads_it():
    image = [dict(output_type='display_data', data={'image/png': ''})]
    cell = dict(source=['#| fig-alt: "A horse: brown."\n', 'show(horse)'], outputs=image)
    assert written_alt(cell) == 'A horse: brown.' and pictures(cell) == 1
    assert written_alt(dict(cell, source='show(horse)')) == ''
    assert calls(dict(cell, source='assert check(f, g) and m.show(f)')) == {'check', 'show'}
