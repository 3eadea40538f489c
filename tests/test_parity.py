"""Side by side with diffusers' deprecated DiffEdit pipeline, on the same weights: the same map, and its faults.

Each test shows a fault of diffusers' pipeline, where it is deterministic, and that `lessonlib` does not share it.
Few steps and few maps: none of the faults needs more to show.
"""
import inspect, logging, sys
from unittest.mock import patch
import numpy as np, pytest, torch
from lessonlib.diffedit import ddim_decode, ddim_encode, ddim_step, diffedit, masked_decode
from lessonlib.diffedit_mask import diffedit_mask, diffusers_difference
from lessonlib.scenes import scene
from lessonlib.stable_diffusion import StableDiffusion, diffedit_pipeline

logging.getLogger('diffusers.pipelines.pipeline_utils').setLevel(logging.ERROR)  # that it is deprecated, we know
SOURCE, TARGET, QUIET = 'a horse', 'a zebra', dict(progress=False)
pytestmark = pytest.mark.usefixtures('one_thread')
STEPS = 5   # of the whole way; at strength .8 four of them are made


@pytest.fixture(scope='module')
def sd(): return StableDiffusion.tiny()


@pytest.fixture(scope='module')
def theirs(sd): return diffedit_pipeline(sd)


@pytest.fixture(scope='module')
def horse(): return scene('horse', 'grass', seed=10_000_003)


@pytest.fixture(scope='module')
def latents(sd, horse): return sd.encode_image(horse.image)


@pytest.fixture(scope='module')
def path(theirs, latents): # (1, steps, c, h, w), from the last timestep down
    "Their encoding without words: guidance 0, since it has no other way."
    return theirs.invert('', latents, num_inference_steps=STEPS, guidance_scale=0.).latents


@pytest.fixture(scope='module')
def encoded(sd, latents): return ddim_encode(sd, latents, .8, STEPS, **QUIET)


def seeded(): return torch.Generator().manual_seed(0)


class counted:
    "Counts the samples that a network is given."
    def __init__(self, network): self.network, self.samples = network, 0
    def __enter__(self):
        self.hook = self.network.register_forward_pre_hook(lambda _, args: self.count(args))
        return self
    def count(self, args): self.samples += len(args[0])
    def __exit__(self, *_): self.hook.remove()


def mask_and_map(pipe, *args, **options):
    "What `generate_mask` returns, the map that it clamps, (b, h, w), and where it clamps it."
    kept, clamp = [], torch.Tensor.clamp
    def record(self, *given):
        if len(given) == 2 and torch.is_tensor(given[1]): kept.append((self.clone(), given[1]))
        return clamp(self, *given)
    with patch.object(torch.Tensor, 'clamp', record): mask = pipe.generate_mask(*args, **options)
    (maps, top), = kept
    return mask, maps, top


def test_same_map_and_mask_at_half_of_the_samples(sd, theirs, horse, latents):
    with counted(sd.unet) as asked:
        mask, maps, _ = mask_and_map(theirs, latents, TARGET, source_prompt=SOURCE, guidance_scale=7.5,
                                     generator=seeded())
    with counted(sd.unet) as ours_asked:
        m = diffedit_mask(sd, horse.image, SOURCE, TARGET, generator=seeded(), timestep=481, method='diffusers')
    ours = m.maps.mean(0)
    assert ((6.5 * ours - maps[0]).abs() / maps[0].abs().max()).max() < 1e-5   # 6.5, not 7.5: it runs backwards, 1 - g
    unsure = (m.difference - .5).abs() < 1e-5
    same = torch.from_numpy(mask[0]).bool() == m.mask
    assert same[~unsure].all(), f'{int(unsure.sum())} cells near the threshold left out'
    assert (asked.samples, ours_asked.samples) == (40, 20)


def test_their_clamp_is_a_threshold_at_the_mean():
    maps = torch.rand(4, 16, 16, generator=seeded())
    assert torch.equal(diffusers_difference(maps, ratio=3.) > .5, maps.mean(0) > 1.5 * maps.mean())


def test_1_negative_prompts_are_swapped(sd, theirs, latents):
    "Guidance of the mask runs from the prompt to the negative prompt."
    noise, g = torch.randn(1, *latents.shape[1:], generator=seeded()), 3.
    _, maps, _ = mask_and_map(theirs, latents, TARGET, source_prompt=SOURCE, target_negative_prompt='a bus',
                              source_negative_prompt='an apple', num_maps_per_mask=1, guidance_scale=g,
                              generator=seeded())
    noised = sd.add_noise(latents, noise, 481)
    s, t, ns, nt = (sd.predict_noise(noised, 481, sd.encode_text(words))
                    for words in (SOURCE, TARGET, 'an apple', 'a bus'))
    right = ((nt + g * (t - nt)) - (ns + g * (s - ns))).abs().mean(1)
    swapped = ((t + g * (nt - t)) - (s + g * (ns - s))).abs().mean(1)
    assert torch.allclose(maps, swapped, atol=1e-4) and not torch.allclose(maps, right, atol=.05)
    noised, timesteps = sd.add_noise(latents, noise, 500), torch.tensor([0, 500])
    n, p = (sd.predict_noise(noised, 500, sd.encode_text(words)) for words in ('a bus', TARGET))
    ours = ddim_decode(sd, noised, timesteps, TARGET, g, negative_prompt='a bus', **QUIET)
    assert torch.allclose(ours, ddim_step(sd, noised, n + g * (p - n), 500, 0), atol=1e-4)


def test_2_guidance_of_1(sd, theirs, horse, latents):
    with pytest.raises(TypeError, match='expected Tensor as element 0'):
        theirs.generate_mask(latents, TARGET, source_prompt=SOURCE, guidance_scale=1., num_maps_per_mask=1)
    d = diffedit(sd, horse.image, SOURCE, TARGET, guidance_scale=1., num_inference_steps=2, **QUIET)
    assert d.image.size == (128, 128)


def test_3_pil_output(sd, theirs, horse, latents):
    with pytest.raises(TypeError, match='Cannot handle this data type'):
        theirs.generate_mask(latents, TARGET, source_prompt=SOURCE, num_maps_per_mask=1, output_type='pil')
    assert diffedit_mask(sd, horse.image, SOURCE, TARGET, num_maps=1).mask_image.mode == 'L'


def test_4_small_strengths(sd, theirs, horse, latents):
    for strength in (0, .01):
        with pytest.raises(IndexError):
            theirs.generate_mask(latents, TARGET, source_prompt=SOURCE, mask_encode_strength=strength,
                                 num_maps_per_mask=1)
    with pytest.raises(ValueError, match='strength: expected a number in'):
        diffedit_mask(sd, horse.image, SOURCE, TARGET, strength=0)
    assert diffedit_mask(sd, horse.image, SOURCE, TARGET, strength=.01, num_maps=1).mask.shape == (32, 32)
    with pytest.raises(ValueError, match='strength: expected a number in'): ddim_encode(sd, latents, strength=0)
    assert len(ddim_encode(sd, latents, strength=.01, **QUIET).timesteps) == 2


def test_5_a_mask_depends_on_its_neighbours(sd, theirs, latents):
    both = torch.cat([latents, sd.encode_image(scene('bus', 'sand', seed=10_000_004).image)])
    _, maps, top = mask_and_map(theirs, both, [TARGET, 'an apple'], source_prompt=[SOURCE, 'a bus'],
                                num_maps_per_mask=2, generator=seeded())
    assert len(maps) == 2 and torch.allclose(top, 3 * maps.mean())  # one clamp for both
    alone = [3 * m.mean() for m in maps]
    assert all((one - top).abs() > .01 * top for one in alone)      # which is neither's own
    assert torch.allclose(diffusers_difference(maps[:1]).max(), (maps[0].max() / alone[0]).clamp(max=1))


def nothing_to_edit(): return torch.zeros(32, 32, dtype=torch.bool)


def test_6_the_blend_is_one_step_behind(sd, theirs, path, encoded):
    seen = []
    theirs(TARGET, torch.zeros(1, 1, 32, 32), path, num_inference_steps=STEPS,
           callback=lambda i, t, x: seen.append((int(t), x.clone())))
    for k, (_, x) in enumerate(seen): assert torch.equal(x, path[:, k])
    assert [t for t, _ in seen][:2] == [601, 401]           # at t = 601 still the encoding of 601, where 401 is due ...
    ours = []
    with pytest.warns(UserWarning, match='nothing will change'):
        masked_decode(sd, encoded, nothing_to_edit(), TARGET, callback=lambda t, x: ours.append((t, x)), **QUIET)
    due = dict(zip(encoded.timesteps.tolist(), encoded.latents, strict=True))
    assert ours[0][0] == 600 and all(torch.equal(x, due[t]) for t, x in ours)


def test_7_an_empty_mask_gives_the_picture_back(sd, theirs, path, encoded, latents):
    back = theirs(TARGET, torch.zeros(1, 1, 32, 32), path, num_inference_steps=STEPS, output_type='latent').images
    assert (back - latents).abs().max() > .01
    with pytest.warns(UserWarning, match='nothing will change'):
        assert torch.equal(masked_decode(sd, encoded, nothing_to_edit(), TARGET, **QUIET), latents)


def test_8_encoding_is_unconditional(sd, theirs, path, latents):
    assert inspect.signature(type(theirs).invert).parameters['guidance_scale'].default == 7.5
    with counted(sd.unet) as asked: theirs.invert(SOURCE, latents, num_inference_steps=STEPS)
    with counted(sd.unet) as ours: ddim_encode(sd, latents, .8, STEPS, **QUIET)
    assert (asked.samples, ours.samples) == (8, 4)
    usual = {name: p.default for name, p in inspect.signature(ddim_encode).parameters.items()}
    assert (usual['prompt'], usual['guidance_scale']) == ('', 1)
    rising = path[0].flip(0)                                # told to, theirs is the same: at 1, 201, 401, 601
    ours = ddim_encode(sd, latents, timesteps=torch.tensor([0, 1, 201, 401, 601]), **QUIET).latents[1:, 0]
    assert (ours - rising).abs().max() < 1e-5 * rising.abs().max()


def test_9_the_callers_mask_stays_as_it_is(sd, latents):
    from diffusers import StableDiffusionDiffEditPipeline
    soft = torch.full((1, 1, 4, 4), .7)
    sys.modules[StableDiffusionDiffEditPipeline.__module__].preprocess_mask(soft)
    assert (soft == 1).all()
    mask = torch.rand(32, 32, generator=seeded()) > .5
    before = mask.clone()
    masked_decode(sd, ddim_encode(sd, latents, .1, 10, **QUIET), mask, TARGET, **QUIET)
    assert torch.equal(mask, before)


def test_10_one_encoding_and_half_of_the_samples(sd, theirs, horse):
    with counted(sd.unet) as asked, counted(sd.vae.encoder) as encoded:
        theirs.generate_mask(horse.image, TARGET, source_prompt=SOURCE, num_maps_per_mask=3, generator=seeded())
    assert (encoded.samples, asked.samples) == (3, 12)
    with counted(sd.unet) as asked, counted(sd.vae.encoder) as encoded:
        diffedit_mask(sd, horse.image, SOURCE, TARGET, num_maps=3)
    assert (encoded.samples, asked.samples) == (1, 6)


def test_samples_of_an_edit(sd, theirs, horse):
    with counted(sd.unet) as asked:
        path = theirs.invert(SOURCE, horse.image, num_inference_steps=STEPS, generator=seeded()).latents
        theirs(TARGET, torch.ones(1, 1, 32, 32), path, num_inference_steps=STEPS)
    everywhere = torch.ones(128, 128, dtype=torch.bool)
    with counted(sd.unet) as ours:
        diffedit(sd, horse.image, SOURCE, TARGET, mask=everywhere, num_inference_steps=STEPS, **QUIET)
    assert (asked.samples, ours.samples) == (16, 12)        # a quarter less; of 50 steps 160 and 120


def test_pixels_outside_of_the_mask_stay(sd, horse):
    d = diffedit(sd, horse.image, SOURCE, TARGET, num_inference_steps=STEPS, generator=seeded(), **QUIET)
    outside = ~d.pixel_mask.numpy()
    assert outside.any() and np.array_equal(np.asarray(d.image)[outside], np.asarray(horse.image)[outside])
