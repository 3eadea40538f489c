"""Right values, worked out by hand, where a mutant of the code had passed every other test (`make mutants`)."""
import math
import re
import warnings
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch
import numpy as np
import pytest
import torch
from PIL import Image
from lessonlib import inputs, timing
from lessonlib.broadcasting import einsum, explain_broadcast
from lessonlib.diffedit_mask import (ENCODE, _warn_of_strange_picture, average_difference, diffedit_mask, edit_pairs,
                                     enlarge, guided_filter, trim)
from lessonlib.guidance import cosine, guide, linear, norms, scale_at, stretch
from lessonlib.inputs import as_mask, as_number, as_picture, as_pictures, as_tensor, as_whole, kind, to_pil
from lessonlib.letters import read_letters
from lessonlib.masks import blur, clean, fill_holes, otsu
from lessonlib.progress import listening
from lessonlib.questions import shape_questions
from lessonlib.reports import Explanation
from lessonlib.scenes import scene, subjects
from lessonlib.stable_diffusion import StableDiffusion
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


def test_masks_have_no_hole_at_their_border():
    for place in (0, 2), (4, 2), (2, 0), (2, 4), (0, 0), (4, 4):
        open_there = torch.ones(5, 5, dtype=torch.bool)
        open_there[place] = False
        assert fill_holes(open_there).equal(open_there)
    for place in (1, 1), (3, 3), (1, 3), (3, 1):
        hole = torch.ones(5, 5, dtype=torch.bool)
        hole[place] = False
        assert fill_holes(hole).all()


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


# ---- letters

def test_letters_of_truths_may_be_summed_alone_but_not_as_products():
    truths, one = torch.ones(2, 3, dtype=torch.bool), torch.ones(2, 1, dtype=torch.bool)
    assert read_letters('ij->i', [truths]) == ([['i', 'j']], ['i'])
    assert read_letters('ij,ij->i', [truths, one]) == ([['i', 'j']]*2, ['i'])          # j of size 1 is only stretched
    with pytest.raises(TypeError, match='expected numbers where products are summed, got torch.bool'):
        read_letters('ij,ij->i', [truths, truths])


def test_letters_of_dots_count_from_the_last():
    a, b = torch.zeros(2, 3, 4, 5), torch.zeros(4, 5)
    assert read_letters('...i,...i', [a, b]) == ([['.3', '.2', '.1', 'i'], ['.1', 'i']], ['.3', '.2', '.1'])
    assert read_letters('i...,i...->...', [a, b[:2]]) == ([['i', '.3', '.2', '.1'], ['i', '.1']], ['.3', '.2', '.1'])
    assert read_letters('ba', [b]) == ([['b', 'a']], ['a', 'b'])


# ---- scenes

SEEN = [  # what to draw; mean colours of its 4 x 4 parts; share of the mask, its middle (row, column)
    (('horse', 'night', 0, 64),
     '100a22140c215345320e082240322c917535675336140d2a1a1133433641352b3f1b1236261b44251a43261b44271c46',
     .182, (21.4, 28.1)),
    ((['car', 'apple'], 'grass', 3, 64, 'unseen'),
     '76ad4075ab4077af4178b142679640689841738d3d8688376b753d786d3fc83e2ec5412f4f8d254b86234d83234e8925',
     .208, (35.5, 36.5)),
    (('penguin', 'sunset', 5, 300),
     '6636706b3c756a4e746f3a79854a697666719895907b4d68af68619e9491c0bebc885f5be58953d8915dcd996ce68b54',
     .359, (160.2, 167.9)),
    (('dog', 'snow', 7, 160),
     'f8e8fdf1e2f7ebdcf1eadbefe8dbf1e8d3dbf19f44efa861e0d4ecf4b577ce8a32e3af81e3d8f3e5d1dee5bda1dac2c4',
     .278, (88.9, 104.6))]


@pytest.mark.parametrize('arguments, colours, share, middle', SEEN)
def test_scenes_are_those_that_the_model_was_trained_on(arguments, colours, share, middle):
    "To a level and a half of 255, and a fifth of a pixel: another Pillow rounds in other places."
    drawn, side = scene(*arguments), arguments[3]//4
    found = np.asarray(drawn.image, float).reshape(4, side, 4, side, 3).mean((1, 3)).ravel()
    assert np.abs(found - [*bytes.fromhex(colours)]).max() < 1.5
    assert abs(drawn.mask.mean() - share) < .003 and np.abs(np.argwhere(drawn.mask).mean(0) - middle).max() < .2


def test_scenes_have_twelve_stars_in_the_upper_half():
    for size, side in (64, 1), (128, 2):
        stars = np.argwhere((np.asarray(scene('cat', 'night', 0, size).empty()) == 204).all(-1))       # .8
        assert len(stars) == 12*side**2 and stars[:, 0].max() < size/2 + side - 1


def test_scenes_end_where_they_say():
    for options, words in ((dict(size=15), 'size: expected a whole number from 16 to 2048, got 15'),
                           (dict(size=2049), 'size: expected a whole number from 16 to 2048, got 2049'),
                           (dict(seed=-1), f'seed: expected a whole number from 0 to {2**63}, got -1')):
        with pytest.raises(ValueError, match=f'^{words}$'): scene('cat', 'snow', **options)
    drawn = scene('cat', 'snow')
    assert (drawn.seed, drawn.size, drawn.drawing, scene('cat', 'snow', size=16).size) == (0, 128, 'seen', 16)


def test_einsum_of_letters_that_repeat_in_turn():
    t = torch.arange(36).reshape(2, 3, 2, 3)
    wanted = [[t[i, j, i, j].item() for j in range(3)] for i in range(2)]
    assert einsum('ijij->ij', t).tolist() == wanted and einsum('ijij->ji', t).T.tolist() == wanted
    assert einsum('ijij', t).item() == sum(map(sum, wanted))


def test_einsum_of_truths_along_an_axis_of_one():
    "They stay truths, as in torch: nothing is added up."
    t = torch.tensor([[True], [False]])
    found = einsum('ij,ij->i', t, t)
    assert found.dtype == torch.einsum('ij,ij->i', t, t).dtype == torch.bool and found.tolist() == [True, False]


# ---- questions

def test_question_reasons_agree_with_their_answers():
    met = {}
    for text, right, wrong, why, _hint in shape_questions(explain_broadcast):
        right, told = (value() if callable(value) else value for value in (right, why))
        if isinstance(told, Explanation) and isinstance(right, tuple):
            assert told.result == right, text
            met[text] = right
        elif isinstance(told, Explanation): assert bool(told) == (right not in ('error', -3)), text
        if 'million bytes' in text: assert 4*math.prod(told.result) == 24_000_000
        if 'unsqueeze' in text: assert told == 'unsqueeze(1) has the shape (4, 1, 6).'
        if 'contiguous' in text: assert (told.shape, told.offset) == ((3, 6), 6)
        if '8 pictures' in text:
            assert told.result == (8, 3, 32, 48) and [*wrong.values()] == [
                'Look at axis -1: there 48 meets 8.', 'Look at axis -1: there 48 meets 8.',
                'Look at axis -3: there 3 meets 8.']
        if 'offset' in text: assert (told.shape, told.offset) == ((3, 3), 6)
    assert len(met) == 8


def test_question_options_are_made_of_the_sizes_that_one_reads():
    "Or of a product of two of them: a wrong option is a mistake that somebody could make."
    asked = 0
    for text, _right, wrong, *_ in shape_questions(explain_broadcast):
        options = [option for option in wrong if isinstance(option, tuple)]
        seen = {1, *map(int, re.findall(r'\d+', text))}
        assert {size for option in options for size in option} <= seen | {a*b for a in seen for b in seen}, text
        asked += bool(options)
    assert asked == 13


# ---- inputs

def test_inputs_are_named_in_sixty_signs():
    assert kind('x'*58) == repr('x'*58) and kind('x'*59) == f"'{'x'*56}..."
    assert [kind(value) for value in (True, 2j, b'a', np.int8(3), torch.float16)] == [
        'True', '2j', "b'a'", 'np.int8(3)', 'torch.float16']


def test_inputs_of_pictures_may_miss_their_range_by_a_rounding():
    "Half precision and resampling do; what lies further out is another convention, and it is said which."
    near = as_picture(torch.tensor([[-.0009, .5], [.25, 1.0009]])).pixels
    assert near[0, 0].tolist() == [[0, .5], [.25, 1]] and near.shape == (1, 3, 2, 2)
    signed, byte = '; (x + 1)/2 would bring it there', '; x/255 would bring it there'
    for low, high, words in ((-.002, 1, f'-0.002 to 1{signed}'), (0, 1.002, '0 to 1'), (-1, 1, f'-1 to 1{signed}'),
                             (-1.0009, 1.0009, f'-1 to 1{signed}'), (-1.01, 1, '-1.01 to 1'), (-1, 1.01, '-1 to 1.01'),
                             (0, 2, '0 to 2'), (0, 2.5, f'0 to 2.5{byte}'), (0, 255, f'0 to 255{byte}'),
                             (0, 256, '0 to 256'), (-1, 255, '-1 to 255')):
        with pytest.raises(ValueError) as error: as_picture(torch.tensor([[low, high]], dtype=torch.float32))
        assert str(error.value) == f'image: expected floats in [0, 1], got {words}'


def test_inputs_of_pictures_are_finite():
    for values in (0., math.inf), (-math.inf, 0.), (math.nan, 0.):
        with pytest.raises(ValueError, match=r'^image: expected floats in \[0, 1\], got nan or infinity$'):
            as_picture(torch.tensor([values]))


def test_inputs_of_whole_numbers_are_scaled_by_their_largest():
    for dtype, value, wanted in ((np.uint8, 51, .2), (np.uint16, 13107, .2), (bool, True, 1.)):
        assert as_picture(np.full((2, 3), value, dtype)).pixels[0, 2, 1, 2].item() == pytest.approx(wanted)
    edges = np.array([[0, 65535]], 'int32')
    assert as_picture(Image.fromarray(edges)).pixels[0, 0].tolist() == [[0, 1]]
    for wrong in edges - 1, edges + 1:
        with pytest.raises(ValueError, match='expected 16 bits of grey, 0 to 65535'): as_picture(Image.fromarray(wrong))


def test_inputs_that_are_transparent_lie_over_white():
    values = torch.tensor([.2, .4, .6, .25]).reshape(1, 4, 1, 1)
    assert as_picture(values).pixels.flatten().tolist() == pytest.approx([.8, .85, .9])


def test_inputs_of_masks_are_true_above_127():
    grey = Image.fromarray(np.array([[0, 127, 128, 255]], 'uint8'))
    assert as_mask(grey).tolist() == [[False, False, True, True]]
    for channel, dark in enumerate((255, 217, 255)):                 # .299, .587, .114 of 255, as PIL's own grey
        rgb = np.zeros((1, 2, 3), 'uint8')
        rgb[0, :, channel] = dark, 218
        assert as_mask(Image.fromarray(rgb)).tolist() == [[False, channel == 1]]
    both = np.array([[[215, 107, 0], [216, 108, 0]]], 'uint8')       # 127.09 and 127.98 of 255
    assert as_mask(Image.fromarray(both)).tolist() == [[False, True]]
    clear = np.array([[[255, 255, 255, 127], [255, 255, 255, 128]]], 'uint8')
    assert as_mask(Image.fromarray(clear)).tolist() == [[False, True]]
    for numbers in (np.array([[0, 1]], 'uint8'), np.array([[0, 255]], 'uint8'), torch.tensor([[[[0., 1.]]]]),
                    torch.tensor([[[0, 1]]]), np.array([[False, True]])):
        assert as_mask(numbers).tolist() == [[False, True]]
    assert as_mask(torch.tensor([[[0], [1]], [[1], [1]]])).tolist() == [[False, True], [True, True]]
    for wrong in np.array([[1, 255]], 'uint8'), np.array([[0, 255]], 'int16'), np.array([[0, 2]], 'uint8'):
        with pytest.raises(ValueError, match='expected bool, or only 0 and 1, or only 0 and 255 of'): as_mask(wrong)


def test_inputs_with_channels_at_either_end():
    assert as_picture(np.zeros((3, 5, 1))).shape == (3, 5) and as_picture(torch.zeros(3, 5, 1)).shape == (5, 1)
    assert as_picture(torch.zeros(5, 7, 4)).shape == (5, 7) and as_picture(np.zeros((4, 5, 7))).shape == (5, 7)
    assert as_picture(np.zeros((1, 4, 5, 3))).shape == (4, 5) and as_picture(torch.zeros(1, 3, 5, 4)).shape == (5, 4)
    assert as_pictures(np.zeros((2, 4, 5, 3))).shape == (2, 3, 4, 5)


def test_inputs_that_are_pil_already_stay_themselves_if_they_have_pixels():
    thin = Image.new('RGB', (1, 3))
    assert to_pil(thin) is thin
    for mode in 'RGB', 'L':
        wanted = f'image: expected a picture with pixels, got PIL picture of 0 x 4 px in mode {mode}'
        with pytest.raises(ValueError, match=wanted): to_pil(Image.new(mode, (0, 4)))


def test_inputs_at_their_bounds_are_taken():
    assert [as_whole(value, 'x', 1, 6) for value in (1, 6)] == [1, 6]
    assert [as_number(value, 'x', 1, 6) for value in (1, 6)] == [1, 6]


def test_inputs_without_bounds_take_any_number():
    assert [as_number(value, 'x') for value in (-5, 0, 7.5, -math.inf)] == [-5, 0, 7.5, -math.inf]
    with pytest.raises(TypeError, match='^a: expected a tensor or an array, got <U1 array'):
        as_tensor([torch.ones(1), np.array(['x'])], 'a', 'numbers')


def test_inputs_of_classes_that_are_only_called_image():
    own = type('Image', (), {})()
    assert kind(own) == 'Image'
    wanted = r'^image: expected a picture \(PIL, tensor or array\), got Image$'
    with pytest.raises(TypeError, match=wanted): as_picture(own)


def test_inputs_that_were_shipped_are_looked_at(tmp_path):
    name, package = 'data/digits/digits.npz', inputs._PACKAGE
    for file in name, 'data/SHA256SUMS':
        (tmp_path/file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path/file).write_bytes((package/file).read_bytes())
    try:
        with patch.object(inputs, '_PACKAGE', tmp_path):
            inputs.shipped.cache_clear()
            assert inputs.shipped(name) == tmp_path/name
            inputs.shipped.cache_clear()
            (tmp_path/name).write_bytes(b'another')
            with pytest.raises(ValueError, match='the file that came with lessonlib, got another one of 7 bytes'):
                inputs.shipped(name)
    finally: inputs.shipped.cache_clear()


# ---- the mask

@pytest.mark.parametrize('wrong, decibels', [(.1, 20), (.06, 24), (.05, None)])
def test_mask_of_a_picture_that_the_autoencoder_spoils(wrong, decibels):
    "An error of .1 everywhere is 20 dB; from 25 dB on nothing is said."
    picture = as_picture(torch.full((3, 8, 8), .5))
    model = SimpleNamespace(least_psnr=25., decode_tensor=lambda latents: latents)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        _warn_of_strange_picture(model, picture, picture.pixels + wrong)
    assert [f'with {decibels} dB, drawings that it was trained on with 25' in str(one.message) for one in said] == (
        [True] if decibels else [])


@pytest.mark.parametrize('across', [False, True])
def test_mask_pairs_stay_in_a_group_or_leave_it(across):
    group = {name: group for group, names in subjects().items() for name in names}
    pairs = edit_pairs(range(10_000_000, 10_000_020), across, size=16)
    assert all(target != s.subject and (group[target] != group[s.subject]) == across for s, target in pairs)
    assert len({s.subject for s, _ in pairs}) > 5


def test_mask_maps_may_be_arrays():
    maps = np.arange(24, dtype='float32').reshape(2, 3, 4)
    assert torch.equal(average_difference(maps), torch.from_numpy(maps).mean(0))


@pytest.fixture(scope='module')
def small_mask():
    "Of a photograph of 512 px that the model saw at 64, with how its work was told."
    told = []
    photo = scene('horse', 'grass', seed=10_000_016, size=512).image
    with warnings.catch_warnings(), listening(lambda done, total: told.append((done, total))):
        warnings.simplefilter('ignore')                                # of a size for which the model was not made
        found = diffedit_mask(StableDiffusion.tiny(), photo, 'a horse', 'a zebra', num_maps=3, size=64, progress=False)
    return found, told


def test_mask_of_a_part_knows_that_its_latents_are_a_part(small_mask):
    "`diffedit` encodes such a part anew."
    assert [small_mask[0].crop(side, 512).cropped for side in (8, 256, 512)] == [True, True, False]


def test_mask_that_is_guided_looks_four_cells_around(small_mask):
    m = replace(small_mask[0], method='guided')
    soft, photo = enlarge(m.difference, (64, 64)), as_picture(m.seen).pixels[0]
    assert torch.equal(m.pixel_difference, guided_filter(soft, photo, 16))


def test_mask_of_one_pixel_of_a_photograph(small_mask):
    corner = small_mask[0].crop(1, 1)
    assert (corner.image.size, corner.seen.size, tuple(corner.latents.shape[2:])) == ((1, 1), (1, 1), (1, 1))


def test_mask_is_told_sample_by_sample(small_mask):
    "Three noises under two prompts, and the encoder; the bar comes to its end with the work alone."
    told = small_mask[1]
    assert told[-1] == (ENCODE + 5, ENCODE + 6) and {total for _, total in told} == {ENCODE + 6}


def test_mask_is_equal_to_itself_alone(small_mask):
    "Tensors are compared number by number, so that fields would give no answer."
    found, _ = small_mask
    assert found == found and found != replace(found) and len({found, replace(found)}) == 2


@pytest.mark.parametrize('method, threshold', [('trimmed', .35), ('guided', .45)])
def test_mask_asks_at_two_strengths(small_mask, method, threshold):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')                                # of the size
        found = diffedit_mask(small_mask[0].model, small_mask[0].seen, 'a horse', 'a zebra', 2, method=method, size=64,
                              progress=False)
    assert (found.timestep.tolist(), found.threshold) == ([400, 650], threshold)


def test_mask_that_is_trimmed_loses_three_quarters_of_a_cell(small_mask):
    "At the size that the model saw 3 px of 4; at 512 px 24."
    m = replace(small_mask[0], method='trimmed', threshold=.3)
    for size, width in (64, 3), (512, 24):
        wide = m._soft_at(size, size) > .3
        assert torch.equal(m.mask_at(size, size), trim(wide, width)) and m.mask_at(size, size).sum() < wide.sum()


def test_mask_is_trimmed_around_each_missing_pixel():
    "One pixel that is missing takes its whole neighbourhood along; the picture's edge takes nothing."
    mask = torch.ones(9, 9, dtype=torch.bool)
    assert trim(mask, 2).all()
    mask[4, 4] = False
    wanted = torch.ones(9, 9, dtype=torch.bool)
    wanted[2:7, 2:7] = False
    assert torch.equal(trim(mask, 2), wanted)


def test_mask_guided_filter_is_a_regression_in_each_window():
    "Least squares by numpy, window after window; a place has the mean of what all windows around it foretell."
    rng, (height, width), radius, ridge = np.random.default_rng(0), (6, 7), 2, .05
    image, values = rng.random((3, height, width)), rng.random((height, width))
    told = [[[] for _ in range(width)] for _ in range(height)]
    for i, j in np.ndindex(height, width):
        near = np.s_[max(0, i - radius):i + radius + 1, max(0, j - radius):j + radius + 1]
        known, wanted = image[:, *near].reshape(3, -1).T, values[near].ravel()
        penalty = np.sqrt(len(wanted)*ridge) * np.eye(3, 4)                  # on the slopes, not on the offset
        rows = np.concatenate([np.concatenate([known, np.ones((len(known), 1))], axis=1), penalty])
        *slope, offset = np.linalg.lstsq(rows, np.concatenate([wanted, np.zeros(3)]))[0]
        for y, x in product(range(height)[near[0]], range(width)[near[1]]):
            told[y][x].append(slope @ image[:, y, x] + offset)
    wanted = torch.tensor([[np.mean(some) for some in row] for row in told])
    values, image = torch.tensor(values), torch.tensor(image)
    torch.testing.assert_close(guided_filter(values, image, radius, ridge), wanted)
    assert torch.equal(guided_filter(values, image, radius), guided_filter(values, image, radius, .001))


def test_mask_heats_the_picture_where_it_is_not_nought(small_mask):
    found, _ = small_mask
    soft = found.soft
    assert 0 <= soft.min() and soft.max() > .9
    heat, photo = (np.asarray(picture).astype(int) for picture in (found.heat, found.image))
    changed = np.abs(heat - photo).max(-1)
    assert changed[soft.numpy() > .9].min() > 20 and changed[soft.numpy() == 0].max(initial=0) <= 1
