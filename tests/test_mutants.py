"""What `make mutants` does with one mutant: caught by a notebook's cell, caught by a test, or let through."""
import json
import os
import subprocess
import sys
import pytest
from installed import ROOT
from tools import mutants
from tools.mutants import cells, change, idle, names_of, passed_over, without

MODULE = '''from __future__ import annotations
def half(x: int | None, low: int = 3) -> float | None:
    return x/2 if x > low else None
'''
CELLS = ['#| default_exp small\n#| hide\nfrom lessonlib.small import half', '#| export\n' + MODULE,
         'shown = print(half(6)); 1/0', 'six = 6', '#| slow\nassert False', 'assert half(six) == 3']
TRY = '''
import sys, time
from pathlib import Path
from tools import mutants
source = Path('lessonlib/small.py').read_text()
mutants.MODULES = {'small': mutants.Proof('small', 'test_small.py')}
def tried(old, new, way, limit=30):
    print(mutants.forked(lambda: way('small', source.replace(old, new)), limit))
tried('', '', mutants.try_cells)
tried('x/2', 'x*2', mutants.try_cells)
tried('x/2', 'exit(x)', mutants.try_cells)
tried('return', 'while x: pass\\n    return', mutants.try_cells, limit=1)
tried('x >', 'x >=', mutants.try_cells)
tried('x >', 'x >=', mutants.try_tests)
tried('int = 3', 'int = 2', mutants.try_tests)
tried('int = 3', 'int = 4', mutants.try_tests)
assert Path('lessonlib/small.py').read_text() == source
'''


@pytest.mark.skipif(sys.platform == 'win32', reason='processes are not forked there')
def test_a_mutant_is_caught_or_let_through(tmp_path):
    for folder in ('lessonlib', 'nbs'): (tmp_path/folder).mkdir()
    (tmp_path/'lessonlib'/'__init__.py').touch()
    (tmp_path/'lessonlib'/'small.py').write_text(MODULE)
    (tmp_path/'test_small.py').write_text('from lessonlib.small import half\ndef test_3(): assert half(3) is None\n')
    notebook = {'cells': [dict(cell_type='code', id=f'c{n}', source=[source]) for n, source in enumerate(CELLS)]}
    (tmp_path/'nbs'/'small.ipynb').write_text(json.dumps(notebook))
    code = f'import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]{TRY}'
    env = os.environ | {'PYTEST_DISABLE_PLUGIN_AUTOLOAD': '1'}
    done = subprocess.run([sys.executable, '-c', code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        '', 'small c5: AssertionError: ', 'small c5: SystemExit: 6', 'it took too long, or ended the process',
        '', 'test_small.py::test_3', 'test_small.py::test_3', ''], done.stderr


def test_cells_that_check_nothing_are_left_out():
    def cell(name, source): return dict(cell_type='code', id=name, source=source)
    text = json.dumps({'cells': [
        cell('import', 'from a import b'), cell('used', 'x = 1'), cell('shown', 'print(x)'),
        cell('made', '#| export\ny = 2'), cell('slow', '#| slow\nassert 0'),
        cell('check', 'z = x + y\nassert z'), cell('words', 'test_eq(z, 3)')]})
    found = cells(text)
    assert [name for name, *_ in found] == ['import', 'used', 'made', 'check', 'words']
    assert [name for name, *_ in without(found, frozenset(['used']))] == ['import', 'made']
    seen = {'used': [5], 'check': [7], 'words': []}
    assert idle(found, frozenset(['check', 'words']), seen, 7) == {'words'}
    assert idle(found, frozenset(['used']), seen, 7) == set()            # the cell that comes to line 7 needs it
    assert idle(found, frozenset(['check']), seen, 9) == set()           # nobody comes there: it may be compiled


def test_what_a_cell_binds_and_where_annotations_stand():
    code = 'import a.b, c as d\nfrom e import f\nx, (y, z[0]) = n, (2, 3)\nfor n in x: pass\n'
    code += 'def g(o):\n    h = 1\n    return h + i + o + sum(k for k in l)\np.q = 3'
    assert names_of(code) == (set('adfxyzngp'), {*'nxzilp', 'sum'})
    assert sorted(passed_over(MODULE)) == [(2, 12, 2, 22), (2, 29, 2, 32), (2, 41, 2, 53)]
    assert (2, 0, 3, 35) in passed_over(MODULE, 'half')
    assert passed_over('a = 1\nb = 2\na + 1', 'a') == [(1, 0, 1, 5)]


@pytest.mark.parametrize('old, new, words', [
    ('x = a + b\n', 'x = a - b\n', '`x = a + b` → `x = a - b`'),
    ('x = 1\n@cache\ny = 2\n', 'x = 1\ny = 2\n', '`@cache` removed'),
    ('x = 1\n', 'x =  2\n', '`x = 1` → `x =  2`')])
def test_the_words_for_a_change(old, new, words):
    assert change(old, new)[1] == words


def test_what_was_tried_elsewhere_keeps_its_rows(tmp_path, monkeypatch):
    "The report of here is read again as it was written, and a change that lived at two lines stays twice."
    monkeypatch.setattr(mutants, 'REPORT', tmp_path/'MUTANTS.md')
    monkeypatch.setattr(mutants, 'MODULES', {'one': None, 'two': None, 'three': None})
    assert mutants.kept() == {}
    found = {'one': mutants.Kept('`one` (60 of 108) (2 not tried yet)', [60, 55, 58, 2],
                                 [('7', r'`a \| b` → `a & b`', 'equivalent'), ('9', r'`a \| b` → `a & b`', '')]),
             'two': mutants.Kept('`two`', [20, 0, 20, 0], [])}
    text = mutants.written(found, '2026-11-29.')
    mutants.REPORT.write_text(text)
    assert mutants.kept() == found
    assert '| `two` | 20 | 0 (0%) | 20 (100%) | 0 |\n| all | 80 | 55 (69%) | 78 (98%) | 2 |' in text
    assert 'Not tried yet: `three`.' in text
