"""What diffusers' own tests ask of its DiffEdit pipeline and of the two schedulers that it walks with, asked of ours.

Each row is a claim in our words. Most hold. Those that do not say why: then the check shows what happens instead.
The claims are those of diffusers' tests of `StableDiffusionDiffEditPipeline`, with what all pipelines share, and of
`DDIMScheduler` and `DDIMInverseScheduler`. Where diffusers has numbers, ours are compared with them on one model.
"""
import copy
import functools
import inspect
import json
import logging
from collections import Counter
from typing import NamedTuple
import diffusers
import numpy as np
import pytest
import torch
from lessonlib.diffedit import Encoded, ddim_decode, ddim_encode, diffedit, masked_decode
from lessonlib.diffedit_mask import diffedit_mask
from lessonlib.inputs import as_picture
from lessonlib.stable_diffusion import StableDiffusion, ddim_scheduler, diffedit_pipeline, new_components

logging.getLogger('diffusers.pipelines.pipeline_utils').setLevel(logging.ERROR)  # that it is deprecated, we know
pytestmark = pytest.mark.usefixtures('one_thread')
SOURCE, TARGET, OTHER = 'a cat and a frog', 'a dog and a newt', 'a dog'
QUIET = dict(progress=False)
SMALL = dict(vae=dict(block_out_channels=(32, 64), layers_per_block=1, sample_size=32),
             unet=dict(block_out_channels=(32, 64), attention_head_dim=(2, 4), use_linear_projection=True,
                       down_block_types=('DownBlock2D', 'CrossAttnDownBlock2D'),
                       up_block_types=('CrossAttnUpBlock2D', 'UpBlock2D')),
             text=dict(hidden_size=32, intermediate_size=37))


class Case(NamedTuple):
    "A row of the table."
    group: str
    claim: str
    why_not: str    # '' if it holds
    check: object   # check(sd)


CASES = []


def holds(group, claim, why_not=''):
    "The function below checks the claim."
    def add(check):
        CASES.append(Case(group, claim, why_not, check))
        return check
    return add


def differs(group, claim, why_not):
    "The function below checks what happens instead."
    return holds(group, claim, why_not)


PIPELINE, COMMON, LATENT = 'DiffEdit pipeline', 'every pipeline', 'pipelines of latents'
DDIM, INVERSE = 'DDIM', 'inverse DDIM'


# ---- what the checks share

@functools.cache
def components():
    torch.manual_seed(0)
    return new_components('a cat and frog dog newt'.split(), size=32, **SMALL)


def model(**settings):
    "The small model, with these settings of its scheduler; the parts are shared."
    return StableDiffusion(**components() | dict(scheduler=ddim_scheduler(**settings)))


def own_model():
    "A copy of it that may be changed."
    return StableDiffusion(**copy.deepcopy(components()))


@functools.cache
def picture():
    return torch.rand(1, 3, 32, 32, generator=seeded(5))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def latents(seed=0, b=1):
    return torch.randn(b, 4, 16, 16, generator=seeded(seed))


def a_mask():
    mask = torch.zeros(16, 16, dtype=torch.bool)
    mask[4:12, 2:9] = True
    return mask


def difference(a, b):
    "The largest difference of two tensors."
    return (a - b).abs().max().item()


def edit(sd, image=None, **options):
    options = dict(num_maps=2, num_inference_steps=4, generator=seeded(), progress=False) | options
    return diffedit(sd, picture() if image is None else image, SOURCE, TARGET, **options)


def pixels(image):
    return as_picture(image).pixels


def step_of_theirs(scheduler, sd, x, t, text):
    return scheduler.step(sd.unet(x, t, encoder_hidden_states=text).sample, t, x).prev_sample


@torch.no_grad()
def walked(sd, x, steps, scheduler=None, timesteps=None):
    "Down with diffusers' scheduler, the last of it as it will."
    scheduler = scheduler or copy.deepcopy(sd.scheduler)
    scheduler.set_timesteps(steps)
    text = sd.encode_text(TARGET)
    for t in scheduler.timesteps if timesteps is None else timesteps:
        x = step_of_theirs(scheduler, sd, x, t, text)
    return x


def ours_down(sd, x, timesteps):
    return ddim_decode(sd, x, torch.tensor(timesteps), TARGET, guidance_scale=1., **QUIET)


def same_steps(sd, steps=10, x=None):
    "A step from one of diffusers' timesteps to the next gives what diffusers gives."
    scheduler, x = copy.deepcopy(sd.scheduler), latents() if x is None else x
    scheduler.set_timesteps(steps)
    stride, text = scheduler.config.num_train_timesteps//steps, sd.encode_text(TARGET)
    for t in scheduler.timesteps[:-1].tolist()[::max(1, steps//4)]:
        with torch.no_grad():
            theirs = step_of_theirs(scheduler, sd, x, t, text)
        assert difference(ours_down(sd, x, [t - stride, t]), theirs) < 2e-4


def saved_again(sd, folder):
    return StableDiffusion.from_pretrained(sd.save_pretrained(folder))


@torch.no_grad()
def inverted(sd, x, steps, **settings):
    "Up with diffusers' inverse scheduler: (its timesteps, the latents at each of them)."
    config = {name: sd.scheduler.config[name] for name in ('num_train_timesteps', 'beta_start', 'beta_end',
              'beta_schedule', 'prediction_type', 'steps_offset', 'set_alpha_to_one', 'rescale_betas_zero_snr')}
    scheduler = diffusers.DDIMInverseScheduler(**config | dict(clip_sample=False) | settings)
    scheduler.set_timesteps(steps)
    text, path = sd.encode_text(''), []
    for t in scheduler.timesteps:
        x = step_of_theirs(scheduler, sd, x, t, text)
        path.append(x)
    return scheduler.timesteps.tolist(), torch.stack(path)


def same_inversion(sd, steps=10, **settings):
    timesteps, path = inverted(sd, latents()/3, steps, **settings)
    grid = timesteps if timesteps[0] == 0 else [0, *timesteps]
    ours = ddim_encode(sd, latents()/3, timesteps=torch.tensor(grid), **QUIET)
    assert difference(ours.latents[-len(timesteps):], path) < 2e-3*path.abs().max()
    return ours


# ---- the pipeline's own

@holds(PIPELINE, 'a small picture gives a mask of zeros and ones at the size of the latents')
def _(sd):
    m = diffedit_mask(sd, picture(), SOURCE, TARGET, num_maps=2, strength=1., generator=seeded(), **QUIET)
    assert m.mask.shape == (16, 16) and m.mask.dtype == torch.bool
    noise = torch.randn(2, 4, 16, 16, generator=seeded())
    ours = diffedit_mask(sd, picture(), SOURCE, TARGET, noise=noise, timestep=501, method='diffusers', **QUIET)
    theirs = diffedit_pipeline(sd).generate_mask(
        sd.encode_image(picture()), TARGET, source_prompt=SOURCE, num_maps_per_mask=2, num_inference_steps=2,
        guidance_scale=6., mask_encode_strength=1., generator=seeded())
    unsure = (ours.difference - .5).abs() < 1e-4
    assert (torch.from_numpy(theirs[0]).bool() == ours.mask)[~unsure].all() and unsure.sum() < 5


@holds(PIPELINE, 'inversion gives latents, and a picture, for each step of the way up')
def _(sd):
    encoded = ddim_encode(sd, sd.encode_image(picture()), strength=1., num_inference_steps=2, **QUIET)
    assert encoded.latents.shape == (2 + 1, 1, 4, 16, 16)          # and the picture itself
    shown = sd.decode_tensor(encoded.latents.flatten(0, 1))
    assert shown.shape == (3, 3, 32, 32) and shown.isfinite().all()


@differs(PIPELINE, 'inversion with the inverse of DPM-Solver++', 'DDIM alone goes both ways by one equation')
def _(sd):
    with pytest.raises(TypeError, match='scheduler: expected a DDIMScheduler, got DPMSolverMultistepScheduler'):
        sd.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(sd.scheduler.config)


@holds(PIPELINE, 'without the optional parts it is saved and loaded, and edits the same')
def _(sd, folder):
    before = edit(sd)
    loaded = saved_again(sd, folder)
    index = json.loads((folder/'model_index.json').read_text())
    assert index['safety_checker'] == index['feature_extractor'] == [None, None]
    assert difference(edit(loaded).latents, before.latents) < 1e-4


@holds(PIPELINE, 'one picture alone and the same one in a batch are edited alike')
def _(sd):
    both = ddim_encode(sd, latents(b=3), num_inference_steps=4, **QUIET)
    one = ddim_encode(sd, latents(b=3)[:1], num_inference_steps=4, **QUIET)
    a, b = (masked_decode(sd, encoded, a_mask(), TARGET, **QUIET) for encoded in (both, one))
    assert difference(a[:1], b) < 5e-3


@differs(PIPELINE, 'fruit in a bowl of a downloaded checkpoint turn to pears, in half precision on a GPU',
         'nothing is downloaded in tests; the same way is gone here, on the small model')
def _(sd):
    d = edit(sd, strength=.7, negative_prompt=SOURCE, encode_prompt=SOURCE)
    assert d.image.size == (32, 32) and d.encoded.timesteps[-1] == 700


@differs(PIPELINE, 'the same with DPM-Solver++ both ways', 'DDIM alone; the pipeline of `sd.pipe` takes any other')
def _(sd):
    pipe = model().pipe
    pipe.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    assert pipe(TARGET, num_inference_steps=2, height=32, width=32, output_type='np').images.shape == (1, 32, 32, 3)


# ---- what is asked of every pipeline

@holds(COMMON, 'saved and loaded it gives the same numbers')
def _(sd, folder):
    x, text = latents(), sd.encode_text(TARGET)
    assert difference(saved_again(sd, folder).predict_noise(x, 500, text), sd.predict_noise(x, 500, text)) < 5e-4


@holds(COMMON, 'the usual arguments are there, and those that may be left out can be')
def _(sd):
    wanted = {'image', 'num_inference_steps', 'guidance_scale', 'negative_prompt', 'generator', 'strength', 'mask'}
    found = inspect.signature(diffedit).parameters
    assert wanted <= found.keys()
    assert {name for name, p in found.items() if p.default is p.empty} == {'sd', 'image', 'source_prompt',
                                                                          'target_prompt'}


@holds(COMMON, 'a batch of pictures takes one prompt, or one for each, of other lengths too')
def _(sd):
    encoded = ddim_encode(sd, latents(b=2), num_inference_steps=2, **QUIET)
    for prompt in TARGET, [TARGET, 'a frog'], ['', TARGET + ' and a cat and a frog']:
        assert masked_decode(sd, encoded, a_mask(), prompt, **QUIET).shape == (2, 4, 16, 16)
    with pytest.raises(ValueError, match='prompt: expected one text, or 2 of them, got 3'):
        masked_decode(sd, encoded, a_mask(), ['a cat']*3, **QUIET)


@holds(COMMON, 'in a batch each picture is what it is alone, other prompts beside it or not')
def _(sd):
    encoded = ddim_encode(sd, latents(b=2), num_inference_steps=3, **QUIET)
    alone = Encoded(encoded.timesteps, encoded.latents[:, 1:], encoded.alpha_bar)
    both = masked_decode(sd, encoded, a_mask(), [SOURCE, TARGET], **QUIET)
    assert difference(both[1:], masked_decode(sd, alone, a_mask(), TARGET, **QUIET)) < 1e-4


@differs(COMMON, 'the result comes as a dict or as a tuple', 'there is one result, with names')
def _(sd):
    d = edit(sd)
    assert not isinstance(d, (dict, tuple)) and d.image.size == (32, 32)


@holds(COMMON, 'its parts make it anew')
def _(sd):
    names = inspect.signature(StableDiffusion).parameters
    again = StableDiffusion(**{name: getattr(sd, name) for name in names})
    assert difference(edit(again).latents, edit(sd).latents) == 0
    assert set(names) < set(sd.pipe.components)


@holds(COMMON, 'half precision gives nearly the same picture')
def _(sd):
    half = own_model().to(dtype='bfloat16')
    noise = torch.randn(2, 4, 16, 16, generator=seeded())
    found = [diffedit_mask(model, picture(), SOURCE, TARGET, noise=noise, timestep=500, **QUIET)
             for model in (sd, half)]
    assert found[1].maps.dtype == torch.float32
    assert difference(found[0].eps_source, found[1].eps_source.float()) < 5e-2
    given = [edit(model, mask=torch.ones(32, 32, dtype=torch.bool), guidance_scale=1.).image for model in (sd, half)]
    assert (pixels(given[0]) - pixels(given[1])).abs().mean() < 5e-2


@holds(COMMON, 'it is saved and loaded in half precision')
def _(sd, folder):
    sd.save_pretrained(folder)
    halves = [StableDiffusion.from_pretrained(folder, dtype='bfloat16') for _ in range(2)]
    assert {part.dtype for part in (halves[0].unet, halves[0].vae, halves[0].text_encoder)} == {torch.bfloat16}
    a, b = (half.predict_noise(latents(), 500, half.encode_text(TARGET)) for half in halves)
    assert difference(a, b) == 0


@holds(COMMON, 'what is optional stays away when it is loaded')
def _(sd, folder):
    sd.save_pretrained(folder)
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(folder)
    assert pipe.safety_checker is None and pipe.feature_extractor is None
    assert difference(edit(StableDiffusion.from_pipe(pipe)).latents, edit(sd).latents) < 1e-4


@holds(COMMON, 'all parts go to a device')
def _(sd):
    assert sd.to('cpu') is sd and {part.device.type for part in (sd.unet, sd.vae, sd.text_encoder)} == {'cpu'}
    with pytest.raises(ValueError, match='device: expected a device of this machine'):
        sd.to('cuda:99')


@holds(COMMON, 'all parts take on a dtype')
def _(sd):
    other = own_model().to(dtype='float64')
    assert {p.dtype for part in (other.unet, other.vae, other.text_encoder) for p in part.parameters()
            } == {torch.float64}
    assert other.encode_image(picture()).dtype == torch.float64


@holds(COMMON, 'attention in slices changes nothing')
def _(sd):
    sliced = own_model()
    text = sd.encode_text(TARGET)
    for size in 1, 'max', 'auto':
        sliced.unet.set_attention_slice(size)
        assert difference(sliced.predict_noise(latents(), 500, text), sd.predict_noise(latents(), 500, text)) < 1e-3


@holds(COMMON, 'pictures one at a time and in tiles, to save memory, change nothing at the trained size')
def _(sd):
    less = own_model().save_memory()
    assert less.vae.use_slicing and less.vae.use_tiling
    assert difference(edit(less).latents, edit(sd).latents) < 1e-4



def offloaded():
    "Parts that come to the device and go; here a processor stands in for the GPU that `save_memory` does it for."
    sd = own_model()
    sd._offload()
    assert hasattr(sd.unet, '_hf_hook')
    return sd


@holds(COMMON, 'parts that wait in memory until they are needed give the same')
def _(sd):
    assert difference(edit(offloaded()).latents, edit(sd).latents) < 2e-4


@holds(COMMON, 'they do so the second time too, and stay again when told to')
def _(sd):
    away = offloaded()
    a, b = edit(away), edit(away)
    assert difference(a.latents, b.latents) < 2e-4
    assert not hasattr(away.to('cpu').unet, '_hf_hook')


@differs(COMMON, 'layers that wait in memory one by one give the same', 'parts wait as wholes: v1 and v2 fit so')
def _(sd):
    assert not any(hasattr(module, '_hf_hook') for module in offloaded().unet.down_blocks.modules())


@differs(COMMON, 'they do so the second time too', 'see above')
def _(sd):
    away = offloaded()
    edit(away)
    assert not any(hasattr(module, '_hf_hook') for module in away.unet.down_blocks.modules())


@differs(COMMON, "xformers' attention gives the same", "torch's own attention takes as little memory")
def _(sd):
    assert {type(p).__name__ for p in sd.unet.attn_processors.values()} == {'AttnProcessor2_0'}


@holds(COMMON, 'several pictures of each prompt at once')
def _(sd):
    for b, copies in (1, 1), (1, 2), (2, 1), (2, 2):
        encoded = ddim_encode(sd, latents(b=b).repeat_interleave(copies, 0), num_inference_steps=2, **QUIET)
        assert len(masked_decode(sd, encoded, a_mask(), [TARGET]*(b*copies), **QUIET)) == b*copies


@holds(COMMON, 'with guidance and without it the picture has one size')
def _(sd):
    without, with_it = (edit(sd, guidance_scale=g) for g in (1., 7.5))
    assert without.image.size == with_it.image.size and difference(without.latents, with_it.latents) > 1e-3


@holds(COMMON, 'a callback sees each step, and what it gives is gone on with')
def _(sd):
    encoded, seen = ddim_encode(sd, latents(), num_inference_steps=4, **QUIET), []
    def zeros_at_the_end(timestep, x):
        seen.append((timestep, tuple(x.shape)))
        return torch.zeros_like(x) if timestep == 0 else None
    assert masked_decode(sd, encoded, a_mask(), TARGET, callback=zeros_at_the_end, **QUIET).abs().sum() == 0
    assert seen == [(t, (1, 4, 16, 16)) for t in encoded.timesteps.flip(0)[1:].tolist()]


@differs(COMMON, 'a callback raises the guidance on the way', 'guidance_scale itself may be a function of the way')
def _(sd):
    seen = []
    edit(sd, guidance_scale=lambda progress: seen.append(progress) or 2 + progress)
    assert sorted(set(seen)) == pytest.approx([0, .5, 1])            # 3 steps: strength .8 of 4


@holds(COMMON, 'files of a variant have its name')
def _(sd, folder):
    sd.pipe.save_pretrained(folder, variant='fp16')
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob('*.safetensors'))
    assert names == ['text_encoder/model.fp16.safetensors', 'unet/diffusion_pytorch_model.fp16.safetensors',
                     'vae/diffusion_pytorch_model.fp16.safetensors']


@holds(COMMON, 'files of a variant are found')
def _(sd, folder):
    own_model().pipe.save_pretrained(folder, variant='non_ema')
    loaded = StableDiffusion.from_pretrained(folder)
    assert difference(edit(loaded).latents, edit(sd).latents) < 1e-4


@holds(COMMON, 'a variant that is not known is an error that names the file')
def _(sd, folder):
    own_model().pipe.save_pretrained(folder, variant='mine')
    with pytest.raises(ValueError, match='it has no text_encoder/model.safetensors'):
        StableDiffusion.from_pretrained(folder)


@holds(COMMON, 'text is encoded by itself, and its vectors do what the words do')
def _(sd):
    vectors = dict(zip(('source', 'target'), (sd.encode_text(words) for words in (SOURCE, TARGET)), strict=True))
    d = diffedit(sd, picture(), vectors['source'], vectors['target'], num_maps=2, num_inference_steps=4,
                 generator=seeded(), **QUIET)
    assert difference(d.latents, edit(sd).latents) < 1e-4


@differs(COMMON, 'weights rest in eight bits', 'not offered: v1 and v2 are small enough')
def _(sd):
    assert 'storage_dtype' not in inspect.signature(StableDiffusion.from_pretrained).parameters


@differs(COMMON, 'groups of layers wait in memory', 'parts wait as wholes')
def _(sd):
    assert list(inspect.signature(StableDiffusion.save_memory).parameters) == ['self']


@differs(COMMON, 'each part has a dtype of its own', 'one dtype for all of them')
def _(sd, folder):
    with pytest.raises(TypeError, match='dtype: expected a dtype of floats'):
        StableDiffusion.from_pretrained(folder, dtype=dict(unet=torch.bfloat16, default=torch.float32))


@holds(COMMON, 'a dtype may be named')
def _(sd, folder):
    sd.save_pretrained(folder)
    assert {StableDiffusion.from_pretrained(folder, dtype=d).dtype for d in ('bfloat16', torch.bfloat16)
            } == {torch.bfloat16}


@differs(COMMON, 'parts are spread over several devices', 'one device for all of them')
def _(sd, folder):
    with pytest.raises(ValueError, match="device: expected a device of this machine .*, got 'balanced'"):
        StableDiffusion.from_pretrained(folder, device='balanced')


# ---- what is asked of pipelines that work on latents

@holds(LATENT, 'tensors, arrays and PIL pictures come out alike')
def _(sd):
    tensor, (pil,) = sd.decode_tensor(latents()), sd.decode(latents())
    assert difference(pixels(pil), tensor) <= .5/255 + 1e-6
    assert difference(pixels(np.asarray(pil)), tensor) <= .5/255 + 1e-6


@holds(LATENT, 'tensors, arrays and PIL pictures are taken alike')
def _(sd):
    pil = as_picture(picture()).pil
    kinds = pil, np.asarray(pil), torch.from_numpy(np.asarray(pil).copy()).permute(2, 0, 1)/255
    edits = [edit(sd, image) for image in kinds]
    for d in edits[1:]:
        assert difference(d.latents, edits[0].latents) < 1e-4 and torch.equal(d.mask.mask, edits[0].mask.mask)


@holds(LATENT, 'latents may come in place of the picture')
def _(sd):
    encoded = ddim_encode(sd, sd.encode_image(picture()), .8, 4, **QUIET)
    assert difference(encoded.latents, edit(sd).encoded.latents) < 1e-4


@differs(LATENT, 'other autoencoders than AutoencoderKL', 'v1 and v2 have this one')
def _(sd):
    other = components() | dict(vae=diffusers.AutoencoderTiny(latent_channels=4))
    with pytest.raises(TypeError, match='^vae: expected an AutoencoderKL'):
        StableDiffusion(**other)


# ---- DDIM: ours is one equation, on any grid of timesteps

@holds(DDIM, 'schedules of other lengths')
def _(sd):
    for total in 100, 500, 1000:
        same_steps(model(num_train_timesteps=total))


@differs(DDIM, 'the offset moves the timesteps', 'ours run from 0 up to the strength that was asked for')
def _(sd):
    for offset in 0, 1:
        assert model(steps_offset=offset).timesteps(1., 5).tolist() == [0, 200, 400, 599, 799, 999]
    same_steps(model(steps_offset=0))


@holds(DDIM, 'other betas')
def _(sd):
    for low, high in (.0001, .002), (.001, .02), (.01, .2):
        same_steps(model(beta_start=low, beta_end=high))


@holds(DDIM, 'other shapes of the schedule')
def _(sd):
    for shape in 'linear', 'scaled_linear', 'squaredcos_cap_v2':
        same_steps(model(beta_schedule=shape), x=latents()/2)


@holds(DDIM, 'models that predict the noise, v, or the picture')
def _(sd):
    for predicts in 'epsilon', 'v_prediction', 'sample':
        same_steps(model(prediction_type=predicts))


@differs(DDIM, 'the picture is clipped on the way', 'latents have no range to clip them to')
def _(sd):
    clipping, other = (model(clip_sample=clip) for clip in (True, False))
    assert torch.equal(ours_down(clipping, 3*latents(), [0, 500]), ours_down(other, 3*latents(), [0, 500]))
    assert not StableDiffusion.tiny().scheduler.config.clip_sample


@holds(DDIM, 'timesteps that are spaced in any of the three ways')
def _(sd):
    for spacing in 'leading', 'trailing', 'linspace':
        own = model(timestep_spacing=spacing)
        scheduler = copy.deepcopy(own.scheduler)
        scheduler.set_timesteps(10)
        grid = scheduler.timesteps.flip(0)
        assert ours_down(own, latents(), grid.tolist()).isfinite().all()
        if spacing != 'linspace':
            assert grid.diff().eq(100).all()
            same_steps(own)


@holds(DDIM, 'a schedule that ends in nothing but noise')
def _(sd):
    for zero in True, False:
        same_steps(model(rescale_betas_zero_snr=zero, prediction_type='v_prediction', timestep_spacing='trailing'))


@differs(DDIM, 'the picture is thresholded on the way', 'latents have no range; lesson 5 rescales the guidance')
def _(sd):
    thresholding, other = (model(thresholding=on) for on in (True, False))
    assert torch.equal(ours_down(thresholding, 3*latents(), [0, 500]), ours_down(other, 3*latents(), [0, 500]))


@holds(DDIM, 'any timestep can be begun at')
def _(sd):
    for t in 21, 41, 981:
        scheduler, text = copy.deepcopy(sd.scheduler), sd.encode_text(TARGET)
        scheduler.set_timesteps(50)
        with torch.no_grad():
            theirs = step_of_theirs(scheduler, sd, latents(), t, text)
        assert difference(ours_down(sd, latents(), [t - 20, t]), theirs) < 1e-4


@holds(DDIM, 'any number of steps')
def _(sd):
    for steps in 10, 50, 500:
        same_steps(sd, steps)
        assert len(sd.timesteps(1., steps)) == steps + 1


@differs(DDIM, 'eta puts noise back in at each step', 'DiffEdit goes back the way it came: eta is 0')
def _(sd):
    assert torch.equal(ours_down(sd, latents(), [0, 500, 900]), ours_down(sd, latents(), [0, 500, 900]))


@differs(DDIM, 'the variance of that noise', 'there is none, as eta is 0; the shares of picture and noise are right')
def _(sd):
    for t in 0, 400, 999:
        a = sd.scheduler.alphas_cumprod[t]
        mixed = sd.add_noise(torch.ones(1, 4, 1, 1), torch.zeros(1, 4, 1, 1), t)
        assert mixed[0, 0, 0, 0] == pytest.approx(a.sqrt().item(), rel=1e-5)


@holds(DDIM, 'the whole way down')
def _(sd):
    assert difference(ours_down(sd, latents(), [0, *range(1, 1000, 100)]), walked(sd, latents(), 10)) < 1e-3


@holds(DDIM, 'the whole way down, of a model that predicts v')
def _(sd):
    own = model(prediction_type='v_prediction')
    assert difference(ours_down(own, latents(), [0, *range(1, 1000, 100)]), walked(own, latents(), 10)) < 1e-3


@differs(DDIM, 'the whole way down to a picture without any noise', 'set_alpha_to_one is ignored: it ends at t = 0')
def _(sd):
    free, kept = (model(set_alpha_to_one=on, beta_start=.01) for on in (True, False))
    grid = [0, *range(1, 1000, 100)]
    assert torch.equal(ours_down(free, latents(), grid), ours_down(kept, latents(), grid))
    assert difference(walked(free, latents(), 10), walked(kept, latents(), 10)) > 1e-3


@holds(DDIM, 'the whole way down to the noise of t = 0')
def _(sd):
    own, grid = model(set_alpha_to_one=False, beta_start=.01), [0, *range(1, 1000, 100)]
    assert difference(ours_down(own, latents(), grid), walked(own, latents(), 10)) < 1e-3


@holds(DDIM, 'down from a picture with some noise')
def _(sd):
    noised = sd.add_noise(latents(), latents(1), 201)
    assert torch.equal(noised, sd.scheduler.add_noise(latents(), latents(1), torch.tensor([201])))
    theirs = walked(sd, noised, 10, timesteps=[201, 101, 1])
    assert difference(ours_down(sd, noised, [0, 1, 101, 201]), theirs) < 1e-3


# ---- DDIM the other way

@holds(INVERSE, 'schedules of other lengths')
def _(sd):
    for total in 100, 500, 1000:
        same_inversion(model(num_train_timesteps=total))


@differs(INVERSE, 'the offset moves the timesteps', 'ours begin at 0, where the picture is')
def _(sd):
    for offset in 0, 1:
        own = model(steps_offset=offset)
        assert ddim_encode(own, latents(), 1., 5, **QUIET).timesteps.tolist() == [0, 200, 400, 599, 799, 999]
    same_inversion(model(steps_offset=1))


@holds(INVERSE, 'other betas')
def _(sd):
    for low, high in (.0001, .002), (.001, .02):
        same_inversion(model(beta_start=low, beta_end=high))


@holds(INVERSE, 'other shapes of the schedule')
def _(sd):
    for shape in 'linear', 'scaled_linear':
        same_inversion(model(beta_schedule=shape))


@differs(INVERSE, 'models that predict v', 'v is read with the shares of the timestep that the UNet was asked at')
def _(sd):
    own = model(prediction_type='v_prediction')
    grid, x = [0, 101], latents()
    with torch.no_grad():
        v = own.unet(x, 101, encoder_hidden_states=own.encode_text('')).sample
    a, b = (own.scheduler.alphas_cumprod[t] for t in grid)
    eps = b.sqrt()*v + (1 - b).sqrt()*x
    wanted = b.sqrt()*(x - (1 - a).sqrt()*eps)/a.sqrt() + (1 - b).sqrt()*eps
    assert difference(ddim_encode(own, x, timesteps=torch.tensor(grid), **QUIET).latents[-1], wanted) < 1e-4


@differs(INVERSE, 'the picture is clipped on the way', 'latents have no range to clip them to')
def _(sd):
    up = [ddim_encode(model(clip_sample=clip), 3*latents(), num_inference_steps=2, **QUIET) for clip in (True, False)]
    assert torch.equal(up[0].latents, up[1].latents)


@holds(INVERSE, 'timesteps that are spaced from either end')
def _(sd):
    for spacing in 'leading', 'trailing':
        same_inversion(sd, timestep_spacing=spacing)


@holds(INVERSE, 'a schedule that ends in nothing but noise')
def _(sd):
    own = model(rescale_betas_zero_snr=True, prediction_type='v_prediction')
    encoded = ddim_encode(own, latents(), 1., 5, **QUIET)
    assert encoded.timesteps[-1] == 999 and encoded.alpha_bar[-1] < 1e-7 and encoded.latents.isfinite().all()


@differs(INVERSE, 'the picture is thresholded on the way', 'latents have no range')
def _(sd):
    up = [ddim_encode(model(thresholding=on), 3*latents(), num_inference_steps=2, **QUIET) for on in (True, False)]
    assert torch.equal(up[0].latents, up[1].latents)


@holds(INVERSE, 'any timestep can be gone to')
def _(sd):
    for t in 1, 10, 49:
        encoded = ddim_encode(sd, latents(), timesteps=torch.tensor([0, t]), **QUIET)
        assert encoded.timesteps.tolist() == [0, t] and encoded.latents.isfinite().all()


@holds(INVERSE, 'any number of steps')
def _(sd):
    for steps in 10, 50:
        assert len(same_inversion(sd, steps).timesteps) == steps + 1


@holds(INVERSE, 'the whole way up')
def _(sd):
    own = model(beta_schedule='linear', beta_start=.0001, beta_end=.02)
    assert same_inversion(own).timesteps[-1] == 901


@differs(INVERSE, 'the whole way up, of a model that predicts v', 'as above; with more steps both come together')
def _(sd):
    own, apart = model(prediction_type='v_prediction'), []
    for steps in 10, 50:
        timesteps, path = inverted(own, latents()/3, steps)
        ours = ddim_encode(own, latents()/3, timesteps=torch.tensor([0, *timesteps]), **QUIET)
        apart.append(difference(ours.latents[1:], path))
    assert apart[0] > apart[1] > 0


@differs(INVERSE, 'the whole way up from a picture without any noise',
         'set_alpha_to_one is ignored: it begins at t = 0')
def _(sd):
    up = [ddim_encode(model(set_alpha_to_one=on, beta_start=.01), latents(), 1., 5, **QUIET) for on in (True, False)]
    assert torch.equal(up[0].latents, up[1].latents)


@holds(INVERSE, 'the whole way up from the noise of t = 0')
def _(sd):
    same_inversion(model(set_alpha_to_one=False, beta_start=.01))


# ---- all of them

# diffusers' DPM-Solver makes an array of a tensor in the way that numpy 2 is going to drop
@pytest.mark.filterwarnings('ignore:__array__ implementation:DeprecationWarning')
@pytest.mark.parametrize('case', CASES, ids=lambda case: f'{case.group}: {case.claim}')
def test_case(case, tmp_path):
    needed = len(inspect.signature(case.check).parameters)
    case.check(*(model(), tmp_path)[:needed])


def test_how_many_hold():
    "Said here once, so that no row changes sides unseen: how many of each group hold, and how many do not."
    count = Counter((case.group, not case.why_not) for case in CASES)
    found = {group: (count[group, True], count[group, False]) for group in (PIPELINE, COMMON, LATENT, DDIM, INVERSE)}
    assert found == {PIPELINE: (4, 3), COMMON: (22, 9), LATENT: (3, 1), DDIM: (12, 6), INVERSE: (9, 6)}
    assert (sum(held for held, _ in found.values()), len(CASES)) == (50, 75)
    assert len({(case.group, case.claim) for case in CASES}) == len(CASES), 'a row stands twice'
