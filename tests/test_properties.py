"""What holds for any input, by examples that hypothesis makes up: products, shapes, masks, pictures, latents.

The examples are the same on every run (`derandomize`); where one fails, hypothesis prints the smallest that does.
"""
import warnings
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st
from lessonlib.broadcasting import broadcast_shape, einsum, explain_broadcast, matmul_broadcast, matmul_rows
from lessonlib.diffedit import ddim_encode, feather
from lessonlib.diffedit_mask import (average_difference, binarize, diffedit_mask, diffusers_difference, iou,
                                     noise_difference, paper_difference, remove_extremes, rescale, two_strengths)
from lessonlib.gemm import gemm, gemm_parallel
from lessonlib.guidance import guide
from lessonlib.inputs import as_mask, as_picture, to_pil
from lessonlib.matmul import frobenius_norm, matmul_dot, matmul_elementwise, matmul_loops, matmul_numba
from lessonlib.photos import fit
from lessonlib.scenes import backgrounds, scene, subjects
from lessonlib.stable_diffusion import StableDiffusion
from lessonlib.timing import relative_error

pytestmark = pytest.mark.usefixtures('one_thread')
COMMON = dict(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
WIDE, FEW, COSTLY = (settings(max_examples=n, **COMMON) for n in (60, 15, 5))
PRODUCTS = [matmul_loops, matmul_dot, matmul_numba, matmul_elementwise, matmul_rows, matmul_broadcast, gemm,
            gemm_parallel]
SEEDS = st.integers(0, 2**31)
SIZES = st.integers(0, 7)


def numbers(seed, *shape, dtype='float32'):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def laid_out(values, how):
    "The same numbers in another layout of memory."
    if how == 'columns':
        return np.asfortranarray(values)
    if how == 'gaps':
        return np.repeat(np.repeat(values, 2, 0), 3, 1)[::2, ::3]
    return values[::-1, ::-1].copy()[::-1, ::-1] if how == 'backwards' else values


LAYOUTS = st.sampled_from(['rows', 'columns', 'gaps', 'backwards'])


# ---- matrices and shapes

@pytest.mark.parametrize('product', PRODUCTS, ids=lambda product: product.__name__)
@FEW
@given(m=SIZES, k=SIZES, n=SIZES, dtype=st.sampled_from(['float32', 'float64']), layouts=st.tuples(LAYOUTS, LAYOUTS),
       tensors=st.booleans(), seed=SEEDS)
def test_a_product_is_that_of_numpy(product, m, k, n, dtype, layouts, tensors, seed):
    "Also of no rows, no columns, and nothing to sum."
    a, b = numbers(seed, m, k, dtype=dtype), numbers(seed + 1, k, n, dtype=dtype)
    left, right = (laid_out(x, how) for x, how in zip((a, b), layouts, strict=True))
    found = product(torch.from_numpy(left.copy()), torch.from_numpy(right.copy())) if tensors else product(left, right)
    assert tuple(found.shape) == (m, n) and str(found.dtype).endswith(dtype)
    assert relative_error(found, a.astype('float64') @ b.astype('float64')) < 1e-5


@FEW
@given(m=st.integers(1, 150), k=st.integers(0, 300), n=st.integers(1, 600), seed=SEEDS)
def test_gemm_at_the_edges_of_its_blocks(m, k, n, seed):
    a, b = numbers(seed, m, k), numbers(seed + 1, k, n)
    assert relative_error(gemm(a, b), a.astype('float64') @ b.astype('float64')) < 1e-5


@WIDE
@given(st.lists(st.lists(st.sampled_from([0, 1, 1, 2, 3]), max_size=4).map(tuple), max_size=4))
def test_shapes_meet_as_in_numpy(shapes):
    try:
        wanted = np.broadcast_shapes(*shapes)
    except ValueError:
        with pytest.raises(ValueError, match='shapes|axis'):
            broadcast_shape(*shapes)
        assert not shapes or not explain_broadcast(*shapes)
    else:
        assert broadcast_shape(*shapes) == wanted and broadcast_shape(*shapes[::-1]) == wanted
        assert not shapes or explain_broadcast(*shapes)


@WIDE
@given(data=st.data(), seed=SEEDS)
def test_einsum_is_that_of_torch(data, seed):
    "Of one to three operands with letters that repeat, axes of 0 and 1, and every kind of answer."
    sizes = {x: data.draw(st.integers(0, 3)) for x in 'ijkl'}
    terms = data.draw(st.lists(st.lists(st.sampled_from('ijkl'), max_size=3).map(''.join), min_size=1, max_size=3))
    known = sorted(set(''.join(terms)))
    answer = ''.join(data.draw(st.permutations(known))[:data.draw(st.integers(0, len(known)))])
    tensors = [torch.from_numpy(numbers(seed + n, *(sizes[x] for x in term), dtype='float64').copy())
               for n, term in enumerate(terms)]
    spec = f'{",".join(terms)}->{answer}'
    found, wanted = einsum(spec, *tensors), torch.einsum(spec, *tensors)
    assert found.shape == wanted.shape and found.dtype == wanted.dtype
    assert torch.allclose(found, wanted, rtol=1e-12, atol=1e-12), spec


@FEW
@given(shape=st.tuples(SIZES, SIZES), dtype=st.sampled_from(['float32', 'float64', 'complex64', 'complex128']),
       how=LAYOUTS, seed=SEEDS, factor=st.floats(-1000, 1000).filter(lambda factor: abs(factor) > .001))
def test_the_norm_is_that_of_numpy_and_grows_with_its_matrix(shape, dtype, how, seed, factor):
    a = laid_out(numbers(seed, *shape, dtype='float64') + (1j*numbers(seed + 1, *shape) if 'c' in dtype else 0), how)
    found = frobenius_norm(a.astype(dtype))
    assert relative_error(found, np.linalg.norm(a)) < 1e-5
    assert relative_error(frobenius_norm((factor*a).astype(dtype)), abs(factor)*np.linalg.norm(a)) < 1e-5


@FEW
@given(seed=SEEDS, scale=st.floats(-20, 20), rescaled=st.sampled_from([None, 'update', 'prediction', 'both']))
def test_guidance_of_the_same_words_changes_nothing_and_one_is_the_words_alone(seed, scale, rescaled):
    uncond, text = (torch.from_numpy(numbers(seed + n, 2, 4, 3, 5)) for n in range(2))
    assert relative_error(guide(uncond, uncond, scale, rescaled), uncond) < 1e-5
    assert relative_error(guide(uncond, text, 1.), text) < 1e-5


# ---- maps and masks

MAPS = st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9))
COMBINED = [paper_difference, two_strengths, diffusers_difference,
            lambda maps: rescale(average_difference(maps))]


@FEW
@given(shape=MAPS, seed=SEEDS, factor=st.floats(1e-4, 1e4))
def test_maps_do_not_depend_on_their_scale(shape, seed, factor):
    "All formulas divide by what they find in the map: what matters is where it is large, not how large."
    maps = torch.from_numpy(numbers(seed, *shape)).abs()
    for combine in COMBINED:
        found, wanted = combine(factor*maps), combine(maps)
        assert relative_error(found, wanted) < 1e-4
        assert (found >= 0).all() and (found <= 1).all()


@FEW
@given(shape=MAPS, seed=SEEDS, moved=st.floats(-10, 10))
def test_rescale_takes_away_what_is_everywhere(shape, seed, moved):
    values = torch.from_numpy(numbers(seed, *shape[1:]))
    found = rescale(values + moved)
    assert (found - rescale(values)).abs().max() < 1e-4
    assert found.min() == 0 and (found.max() == 1 or values.numel() == 1)
    assert (rescale(found) - found).abs().max() < 1e-6                # once is enough


@FEW
@given(shape=MAPS, seed=SEEDS)
def test_maps_in_another_order_give_the_same(shape, seed):
    maps = torch.from_numpy(numbers(seed, *shape)).abs()
    order = torch.randperm(len(maps), generator=torch.Generator().manual_seed(seed))
    assert relative_error(paper_difference(maps[order]), paper_difference(maps)) < 1e-5
    assert relative_error(diffusers_difference(maps[order]), diffusers_difference(maps)) < 1e-5


@FEW
@given(shape=MAPS, seed=SEEDS, quantile=st.floats(.01, 1), threshold=st.floats(0, 1), higher=st.floats(0, 1))
def test_extremes_and_thresholds_only_ever_take_away(shape, seed, quantile, threshold, higher):
    maps = torch.from_numpy(numbers(seed, *shape)).abs()
    assert (remove_extremes(maps, quantile) <= maps).all() and remove_extremes(maps, 1.).equal(maps)
    low, high = sorted([threshold, higher])
    values = rescale(maps[0])
    assert not (binarize(values, high) & ~binarize(values, low)).any() and not binarize(values, 1.).any()


@FEW
@given(shape=st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5)), seed=SEEDS,
       factor=st.floats(-5, 5))
def test_the_difference_has_no_direction(shape, seed, factor):
    source, target = (torch.from_numpy(numbers(seed + n, *shape)) for n in range(2))
    found = noise_difference(source, target)
    assert found.equal(noise_difference(target, source)) and not noise_difference(source, source).any()
    assert relative_error(noise_difference(factor*source, factor*target), abs(factor)*found) < 1e-4


@WIDE
@given(shape=st.tuples(st.integers(1, 9), st.integers(1, 9)), seed=SEEDS)
def test_iou_by_counting(shape, seed):
    a, b = (np.random.default_rng(seed + n).random(shape) < .5 for n in range(2))
    union = sum(x or y for x, y in zip(a.flat, b.flat, strict=True))
    both = sum(x and y for x, y in zip(a.flat, b.flat, strict=True))
    assert iou(a, b) == iou(torch.from_numpy(b), to_pil(a)) == (both/union if union else 1)
    assert iou(a, a) == 1 and (iou(a, ~a) == 0)


@FEW
@given(shape=st.tuples(st.integers(1, 12), st.integers(1, 12)), seed=SEEDS, width=st.integers(0, 9))
def test_a_feather_is_the_distance_to_the_next_pixel_outside(shape, seed, width):
    "Chebyshev's, counted one by one; beyond the picture there is no outside."
    mask = np.random.default_rng(seed).random(shape) < .8
    outside = np.argwhere(~mask)
    far = width + 1
    wanted = [min([far, *(max(abs(y - v), abs(x - u)) for v, u in outside)]) for y, x in np.ndindex(*shape)]
    assert np.allclose(feather(mask, width).numpy(), np.reshape(wanted, shape)/far)


# ---- pictures

@FEW
@given(shape=st.tuples(st.integers(1, 9), st.integers(1, 9)), seed=SEEDS, grey=st.booleans())
def test_a_picture_comes_back_from_every_form(shape, seed, grey):
    pixels = np.random.default_rng(seed).integers(0, 256, shape if grey else (*shape, 3), 'uint8')
    rgb = np.repeat(pixels[..., None], 3, -1) if grey else pixels
    as_tensor = torch.from_numpy(pixels if grey else pixels.transpose(2, 0, 1).copy())
    for form in pixels, pixels/255, to_pil(pixels), as_tensor, as_tensor[None], as_picture(pixels):
        if tuple(getattr(form, 'shape', ()))[:1] in ((1,), (3,), (4,)) and getattr(form, 'ndim', 0) == 3:
            continue                                     # as many rows as a picture has channels: two readings
        if getattr(form, 'ndim', 0) == 3 and grey:
            continue
        assert np.array_equal(np.asarray(as_picture(form).pil), rgb)


ALL = [subject for group in subjects().values() for subject in group]


@FEW
@given(names=st.lists(st.sampled_from(ALL), min_size=1, max_size=2, unique=True), seed=st.integers(0, 2**63),
       background=st.sampled_from(backgrounds()), size=st.sampled_from([16, 33, 64, 128]),
       drawing=st.sampled_from(['seen', 'unseen']))
def test_the_masks_of_a_scene_are_exact(names, seed, background, size, drawing):
    "Outside of the figures the picture is the background to the bit; the subjects' own masks are parts of the whole."
    s = scene(names, background, seed, size, drawing)
    assert s.image.size == (size, size) and s.mask.shape == (size, size) and s.mask.dtype == bool
    assert list(s.masks) == names and np.array_equal(np.logical_or.reduce([*s.masks.values()]), s.mask)
    assert sum(mask.sum() for mask in s.masks.values()) == s.mask.sum() and s.masks[names[-1]].any()
    changed = (np.asarray(s.image) != np.asarray(s.empty())).any(-1)
    near = feather(~s.mask, max(2, size//32)).numpy() < 1             # where a figure's soft edge may reach
    assert not (changed & ~near).any()
    again = scene(names, background, seed, size, drawing)
    assert again.image.tobytes() == s.image.tobytes() and np.array_equal(again.mask, s.mask)
    other = s.swap(next(name for name in ALL if name not in names), names[0])
    assert other.empty().tobytes() == s.empty().tobytes()


# ---- the model

@pytest.fixture(scope='module')
def sd():
    return StableDiffusion.tiny()


def picture(seed, height, width):
    "A part of a scene, so that the model knows what it sees."
    whole = scene(ALL[seed % len(ALL)], backgrounds()[seed % len(backgrounds())], seed, 64).image
    return whole.crop((0, 0, width, height))


def noise(seeds, height, width, factor):
    "A noise for each seed, by a generator of its own."
    shape = 1, 4, -(-height//factor), -(-width//factor)
    return torch.cat([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


def quiet(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', UserWarning)                  # that so small a picture looks strange
        return diffedit_mask(*args, progress=False, **options)


SIDES = st.integers(9, 64)
METHODS = st.sampled_from(['paper', 'trimmed', 'guided', 'diffusers'])


def assert_same_maps(maps, wanted):
    """To 1e-5 of the largest number, and some roundings of the predictions (6e-8 of theirs each): a map is the
    difference of two that are nearly alike, and may be a hundred times smaller."""
    roundings = 1e-6*wanted.eps_source.abs().max()
    assert (maps - wanted.maps).abs().max() < 1e-5*wanted.maps.max() + roundings


def assert_same_mask(found, wanted):
    "Maps as below; masks but for the cells where what is cut nears the threshold."
    assert_same_maps(found.maps, wanted)
    near = (wanted.difference - wanted.threshold).abs() < 1e-4
    assert ((found.mask == wanted.mask) | near | (wanted.method in ('trimmed', 'guided'))).all()
    assert (found.pixel_mask != wanted.pixel_mask).float().mean() < .005


@COSTLY
@given(seed=st.integers(0, 10**6), n=st.integers(1, 4), chunk=st.integers(1, 9), height=SIDES, width=SIDES,
       method=METHODS)
def test_a_mask_depends_neither_on_the_chunk_nor_on_the_batch(sd, seed, n, chunk, height, width, method):
    "Asked for all at once, by `chunk` samples, and for one noise after the other."
    image, seeds = picture(seed, height, width), range(seed, seed + n)
    options = dict(method=method, timestep=500)
    words = image, 'a horse', 'a zebra'
    wanted = quiet(sd, *words, noise=noise(seeds, height, width, sd.factor), **options)
    assert wanted.maps.shape[0] == n and tuple(wanted.pixel_mask.shape) == (height, width)
    assert_same_mask(quiet(sd, *words, noise=noise(seeds, height, width, sd.factor), chunk=chunk, **options), wanted)
    alone = [quiet(sd, *words, noise=noise([one], height, width, sd.factor), **options).maps for one in seeds]
    assert_same_maps(torch.cat(alone), wanted)


@COSTLY
@given(seed=st.integers(0, 10**6), words=st.permutations(['a horse', 'a zebra', 'a bus on sand', '']), method=METHODS)
def test_source_and_target_may_change_places(sd, seed, words, method):
    "The formula takes the absolute difference: the maps are equal, and so is the mask."
    image, options = picture(seed, 64, 64), dict(noise=noise([seed], 64, 64, sd.factor), method=method, timestep=400)
    assert_same_mask(quiet(sd, image, *words[1::-1], **options), quiet(sd, image, *words[:2], **options))


@COSTLY
@given(seed=st.integers(0, 10**6), method=METHODS,
       words=st.sampled_from([('a horse', 'a horse'), ('a horse', ' A  Horse '), ('', ''), ('a cat', 'a\ncat')]))
def test_equal_prompts_leave_nothing_to_edit_and_it_is_said(sd, seed, method, words):
    with pytest.warns(UserWarning, match='is the same to the model as .* there is nothing to edit'):
        m = diffedit_mask(sd, picture(seed, 64, 64), *words, num_maps=1, method=method, progress=False)
    assert not m.maps.any() and not m.difference.any() and not m.mask.any() and not m.pixel_mask.any()


@FEW
@given(seed=st.integers(0, 10**6), height=st.integers(1, 70), width=st.integers(1, 70))
def test_a_picture_of_any_size_is_padded_and_cropped_back(sd, seed, height, width):
    "Never resized in silence: where it fits into the model's size its own pixels go in, at their own places."
    image = picture(seed % 100, height, width)
    fitted = fit(image, sd, max(height, width))
    rows, columns = fitted.padded.shape
    assert (rows, columns) == (-(-height//sd.factor)*sd.factor, -(-width//sd.factor)*sd.factor)
    assert fitted.padded.pixels[..., :height, :width].equal(as_picture(image).pixels)
    assert np.array_equal(np.asarray(fitted.image_back(fitted.padded)), np.asarray(image.convert('RGB')))
    latents = sd.encode_image(fitted.padded)
    assert tuple(latents.shape) == (1, 4, rows//sd.factor, columns//sd.factor)
    assert tuple(sd.decode_tensor(latents).shape) == (1, 3, rows, columns)
    mask = np.random.default_rng(seed).random((height, width)) < .5
    padded = torch.zeros(rows, columns, dtype=torch.bool)
    padded[:height, :width] = as_mask(mask)
    assert fitted.mask_back(padded).equal(as_mask(mask))
    if height % sd.factor or width % sd.factor:
        with pytest.raises(ValueError, match=f'multiples of {sd.factor} px, got {width} x {height} px'):
            sd.encode_image(image)


@COSTLY
@given(seeds=st.lists(st.integers(0, 99), min_size=2, max_size=3), chunk=st.integers(1, 4))
def test_latents_and_encodings_do_not_depend_on_the_batch(sd, seeds, chunk):
    images = [picture(seed, 32, 24) for seed in seeds]
    together = sd.encode_image(images)
    alone = torch.cat([sd.encode_image(image) for image in images])
    assert relative_error(together, alone) < 1e-5
    options = dict(strength=.5, num_inference_steps=4, progress=False)
    encoded = ddim_encode(sd, together, chunk=chunk, **options).latents
    one_by_one = [ddim_encode(sd, latents[None], **options).latents for latents in together]
    assert relative_error(encoded, torch.cat(one_by_one, 1)) < 1e-5
