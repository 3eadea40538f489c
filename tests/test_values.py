"""Right values, worked out by hand, where a mutant of the code had passed every other test (`make mutants`)."""
import math
from pathlib import Path
from unittest.mock import patch
import pytest
import torch
from lessonlib import timing
from lessonlib.timing import Rung, Timing, ladder, machine, measure, readable, relative_error


# ---- timing

class Clock:
    "Time that passes only when one sleeps."
    now = 0.
    def sleep(self, seconds): self.now += seconds
    def read(self): return self.now


@pytest.fixture
def clock():
    clock = Clock()
    with patch('time.perf_counter', clock.read): yield clock


@pytest.mark.parametrize('seconds, words', [
    (9.2, '9.20 s'), (9.995, '10.0 s'), (99.2, '99.2 s'), (99.95, '100 s'), (.9995, '1.00 s'), (9.2e-3, '9.20 ms'),
    (2e-10, '0 ns')])
def test_timing_in_three_digits(seconds, words):
    assert readable(seconds) == words


def test_timing_shares_its_seconds_among_runs(clock):
    assert measure(clock.sleep, .0099).runs == 20                    # .2 s
    assert measure(clock.sleep, 1e-3, seconds=9).runs == 200
    told = ladder({'a': clock.sleep, 'b': lambda s: clock.sleep(2*s)}, .0099, reference='a')
    assert [rung.timing.runs for rung in told.rungs] == [20, 10]
    assert ladder({'a': clock.sleep}, 1., reference='a', seconds=0)['a'].timing.runs == 3
    assert ladder({'a': clock.sleep}, 1e-3, reference='a', seconds=9)['a'].timing.runs == 200
    with pytest.raises(ValueError, match='seconds: expected a number from 0 up, got -0.5'):
        ladder({'a': clock.sleep}, 1., reference='a', seconds=-.5)


def test_timing_of_short_calls_takes_many_at_once(clock):
    calls = []
    def short():
        calls.append(1)
        clock.sleep(1e-6)
    found = measure(short, seconds=1.05e-3)                          # .1 ms together: 100 calls a run
    assert found.runs == 10 and len(calls) == 1 + 1 + 9*100 and found.median == pytest.approx(1e-6)
    assert measure(lambda: None, least=2, most=2).runs == 2          # and of a clock that stands still


def test_timing_is_scaled_by_the_rows_of_the_first_argument(clock):
    seen = []
    def slow(x, y, sign):
        seen.append((x.tolist(), y.tolist(), sign))
        clock.sleep((1., 2., 4., 8.)[min(len(seen), 4) - 1]*len(x))
        return x*sign
    def all_rows(x, y, sign):
        clock.sleep(1.)
        return x*sign
    x, y = torch.arange(20.), torch.arange(5.)
    found = ladder({'slow': slow, 'all': all_rows}, x, y, 1, reference='all', rows={'slow': 4}, seconds=0)
    assert seen[0] == ([0, 1, 2, 3], [0, 1, 2, 3, 4], 1)
    assert found['slow'].timing == Timing(median=80., low=60., high=120., first=4., runs=3)    # 8, 16, 32 s: times 5
    assert found.total_rows == 20 and found['slow'].rows == 4 and '4 of 20, scaled' in repr(found)
    for count in 20, 1: assert ladder({'slow': slow, 'all': all_rows}, x, y, 1, reference='all', seconds=0,
                                      rows={'slow': count})['slow'].rows == count
    with pytest.raises(ValueError, match=r"rows\['slow'\]: expected a whole number from 1 to 20, got 21"):
        ladder({'slow': slow, 'all': all_rows}, x, y, 1, reference='all', rows={'slow': 21})
    with pytest.raises(ValueError, match='rows: expected a first argument that has rows, got 1$'):
        ladder({'slow': slow, 'all': all_rows}, 1, x, y, reference='all', rows={'slow': 2})


def test_timing_without_an_answer_has_no_error():
    found = ladder({'none': lambda x: None, 'sum': sum}, [1, 2], reference='none', seconds=0)
    assert [rung.error for rung in found.rungs] == [None, None]
    found = ladder({'none': lambda x: None, 'sum': sum}, [1, 2], reference='sum', seconds=0)
    assert [rung.error for rung in found.rungs] == [None, 0]


def test_timing_as_a_table():
    one = Timing(median=.002, low=.001, high=.004, first=.5, runs=3)
    rungs = [Rung('a', one, 1., None, None, None), Rung('long', one._replace(median=.0996), 49.8, None, .25, None)]
    assert repr(timing.Ladder(rungs, 'a', 'a machine')).splitlines() == [
        '       median           quartiles   × a    error  first call',
        'a     2.00 ms  1.00 ms to 4.00 ms     1               500 ms',
        'long  99.6 ms  1.00 ms to 4.00 ms  49.8  2.5e-01      500 ms',
        'a machine']
    assert timing._html_table([['', 'x'], ['a', '<'], ['b', '2']]) == (
        '<table><thead><tr><th style="text-align:left"></th><th style="text-align:right">x</th></tr></thead><tbody>'
        '<tr><td style="text-align:left">a</td><td style="text-align:right">&lt;</td></tr>'
        '<tr><td style="text-align:left">b</td><td style="text-align:right">2</td></tr></tbody></table>')
    assert [timing._plain(number) for number in (99.6, 99.96, 100.4)] == ['99.6', '100', '100']


@pytest.mark.parametrize('threads, words', [(1, ' on 1 thread, '), (2, ' on 2 threads, ')])
def test_timing_names_the_machine(threads, words):
    lines = 'processor\t: 0\nmodel name\t: A chip: fast \nmodel name\t: another\n'
    with patch.object(Path, 'read_text', return_value=lines), patch('torch.get_num_threads', lambda: threads):
        assert machine().startswith('A chip: fast, torch ') and words in machine()


def test_timing_errors_count_only_finite_numbers():
    nan, inf = math.nan, math.inf
    assert relative_error([.75, nan], [.5, nan]) == relative_error([.75, inf], [.5, inf]) == .5
    assert relative_error([1.], [nan]) == relative_error([1.], [inf]) == relative_error([nan], [.5]) == inf
