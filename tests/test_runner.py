"""The test runner counts rightly, and says what is wrong with a file."""
import os
from pathlib import Path
from xml.etree import ElementTree
import pytest
from installed import ROOT
from tools import run_tests
from tools.run_tests import Result, Tally, case_result, difference, minutes, notebooks, quick_jobs, rest_jobs, run_jobs


def test_what_is_counted_and_printed(capsys):
    tally = Tally()
    for result in (Result('one', seconds=1.25), Result('two', fault='broken\n'), Result('three', skipped='no browser'),
                   Result('four', shown=False)):
        tally.add(result)
    assert tally.line() == '2 passed, 1 failed, 1 skipped'
    printed = [' '.join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert printed == ['ok one 1.2 s', 'FAILED two', 'broken', '', 'skipped three: no browser']
    assert Tally().line() == '0 passed, 0 failed'


@pytest.mark.parametrize('inside, wanted', [
    ('', Result('tests.a.b', shown=False)),
    ('<failure message="m"/>', Result('tests.a.b', fault='shown above', shown=False)),
    ('<error message="m"/>', Result('tests.a.b', fault='shown above', shown=False)),
    ('<skipped message="no browser"/>', Result('tests.a.b', skipped='no browser')),
])
def test_a_case_of_pytest(inside, wanted):
    case = ElementTree.fromstring(f'<testcase classname="tests.a" name="b">{inside}</testcase>')
    assert case_result(case) == wanted


def test_what_is_wrong_with_a_file():
    made, found = dict(a=b'1', b=b'2', c=b'3'), dict(a=b'1', b=b'0', d=b'4')
    assert difference(made, found) == {'b': 'stale', 'c': 'missing', 'd': 'left over'}


def test_line_endings_are_no_difference(tmp_path):
    (tmp_path/'a.py').write_bytes(b'1\r\n2\n')
    assert run_tests.contents(tmp_path, [tmp_path/'a.py']) == {Path('a.py'): b'1\n2\n'}


def test_notebooks_of_other_tools_are_no_notebooks():
    found = notebooks()
    assert ROOT/'nbs'/'01_matmul.ipynb' in found and ROOT/'nbs'/'helpers'/'check.ipynb' in found
    assert [path for path in found if '.ipynb_checkpoints' in path.parts or '_proc' in path.parts] == []


def test_a_lesson_says_how_long_it_runs(tmp_path):
    (tmp_path/'a.ipynb').write_text('| **Run All** | 1.5 min, 1.0 GB on two cores |')
    (tmp_path/'b.ipynb').write_text('{}')
    assert minutes(tmp_path/'a.ipynb') == 1.5 and minutes(tmp_path/'b.ipynb') == 0


def test_every_notebook_is_a_job_once_and_the_longest_come_first():
    chosen = [job[1] for job in quick_jobs({}) if job[0] is run_tests.run_notebook]
    assert sorted(chosen) == notebooks()
    assert [minutes(path) for path in chosen] == sorted(map(minutes, chosen), reverse=True)
    assert {job[1] for job in rest_jobs({})} == {path for path in notebooks() if '#| slow' in path.read_text('utf-8')}


def test_a_job_that_fails_and_one_that_is_refused():
    tally = Tally()
    run_jobs([(run_tests.check, 'good', lambda env: '', {}), (run_tests.check, 'bad', lambda env: 'why', {})], tally)
    assert tally.line() == '1 passed, 1 failed'
    with pytest.raises(ZeroDivisionError):
        run_jobs([(run_tests.check, 'broken', lambda env: 1/0, {})], tally)


@pytest.mark.skipif(os.name == 'nt', reason='Python is no script there')
def test_a_script_that_takes_too_long():
    code = 'import time; print("begun", flush=True); time.sleep(9)'
    status, out = run_tests.run(['python', '-c', code], None, timeout=2)
    assert status == 124 and out == 'begun\n\nstopped after 2 s'
