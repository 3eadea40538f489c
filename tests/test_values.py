"""Right values, worked out by hand, where a mutant of the code had passed every other test (`make mutants`)."""
import math
from pathlib import Path
from unittest.mock import patch
import pytest
import torch
from lessonlib import timing
from lessonlib.guidance import cosine, guide, linear, norms, scale_at, stretch
from lessonlib.masks import blur, clean, otsu
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


# ---- masks

def test_masks_are_blurred_by_gaussian_weights():
    single = torch.zeros(9, 9)
    single[4, 4] = 1
    weights = torch.tensor([math.exp(-place**2/.98) for place in range(-3, 4)])          # four spreads of .7: 3 places
    weights = weights/weights.sum()
    wanted = torch.zeros(9, 9)
    wanted[1:8, 1:8] = torch.outer(weights, weights)
    assert torch.allclose(blur(single), wanted, atol=1e-7)
    beside = math.exp(-1/.18)                                        # of a spread of .3 one place on each side
    found = blur(torch.tensor([[8., 0., 0., 0.]]), .3)               # 8 goes on outside
    assert found[0].tolist() == pytest.approx([8*(1 + beside)/(1 + 2*beside), 8*beside/(1 + 2*beside), 0, 0], rel=1e-4)
    assert blur(torch.tensor([[8., 0.]]), .05)[0].tolist() == [8, 0]


@pytest.mark.parametrize('values, threshold', [
    ([.2, .2, .2, .8], 52), ([-1., 2.], 1), ([0., 0., 0., .5, 1.], 1), ([0., .5, 1., 1., 1.], 129),
    ([.5, .5 + 1/256], 129), ([.3, .3], 0), ([0., 1.], 1)])
def test_masks_threshold_by_otsu(values, threshold):
    "The sides' sizes times the square of their means' distance: 3*2*.75**2 is more than 4*1*.875**2."
    assert otsu(torch.tensor([values])) == threshold/256


def test_masks_options_end_where_they_say():
    m = torch.eye(3, dtype=torch.bool)
    for options, words in ((dict(blur=1000.5), r'blur: expected a number in \[0, 1000\], got 1000.5'),
                           (dict(close=1001), 'close: expected a whole number from 0 to 1000, got 1001'),
                           (dict(threshold=-.5), r'threshold: expected a number in \[0, 1\], got -0.5')):
        with pytest.raises(ValueError, match=f'^{words}$'): clean(m, **options)
    soft = torch.tensor([[0., .25, .5, .75, 1.]])
    for threshold, count in (0, 4), (.5, 2), (None, 2), (1, 0):
        assert clean(soft, threshold=threshold).sum() == count
    assert clean(soft, threshold=.25, fill=False).tolist() == [[False, False, True, True, True]]


# ---- guidance

def test_guidance_by_hand():
    u = torch.tensor([3., 0., 0., 4.]).reshape(1, 1, 2, 2)           # 5 long
    t = torch.tensor([3., 2., 0., 4.]).reshape(1, 1, 2, 2)           # the step is 2 long
    assert guide(u, t, 3).flatten().tolist() == [3, 6, 0, 4]
    assert guide(u, t, 3, 'update').flatten().tolist() == pytest.approx([3, 15, 0, 4])
    assert guide(u, t, 6, 'prediction').flatten().tolist() == pytest.approx([15/13, 60/13, 0, 20/13])     # 13 long
    assert guide(u, t, 2.4, 'both').flatten().tolist() == pytest.approx([15/13, 60/13, 0, 20/13])
    assert norms(torch.tensor([[3., 4.], [6., 8.]])).tolist() == [[5], [10]]
    assert stretch(u, torch.full((1, 1, 1, 1), -10.)).flatten().tolist() == pytest.approx([6, 0, 0, 8])


def test_guidance_schedules_by_hand():
    assert [linear(3)(p) for p in (0, .25, .5, 1)] == [3, 2.5, 2, 1]
    assert [linear(2, 6)(p) for p in (0, .25, 1)] == [2, 3, 6]
    assert [cosine(5)(p) for p in (0, 1/3, .5, 1)] == pytest.approx([5, 4, 3, 1])
    assert [cosine(0, 8)(p) for p in (0, 1/3, 1)] == pytest.approx([0, 2, 8])
    assert [scale_at(linear(3), p) for p in (0, 1)] == [3, 1] and scale_at(7.5, 1) == 7.5
