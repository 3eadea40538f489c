"""The page of recipes: each script runs as it stands, in order, with few steps and noises, and does what it says."""
import re
from functools import partial
from types import SimpleNamespace
import matplotlib
import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler
from installed import ROOT
from lessonlib.diffedit import diffedit, inpaint
from lessonlib.diffedit_mask import diffedit_mask
from lessonlib.inputs import as_picture
from lessonlib.photos import open_photo, snapshot
from lessonlib.scenes import scene

# diffusers' DPM-Solver makes an array of a tensor in the way that numpy 2 is going to drop
pytestmark = pytest.mark.filterwarnings('ignore:__array__ implementation:DeprecationWarning')
TEXT = (ROOT/'nbs'/'recipes.md').read_text(encoding='utf-8')
BLOCKS = re.findall(r'```python\n(.*?)```', TEXT, re.S)
SIZES = {'large': (240, 240), 'small': (90, 90)}  # of the photographs, width and height


@pytest.fixture(scope='module')
def ran(tmp_path_factory):
    "The names that the recipes leave behind, after all of them, and the folder in which they ran."
    folder = tmp_path_factory.mktemp('recipes')
    (folder/'photos').mkdir()
    for seed, (name, size) in enumerate(SIZES.items()):
        snapshot(scene('horse', 'grass', seed=10_000_003 + seed).image, folder/'photos'/f'{name}.jpg', size=size[0])
    matplotlib.use('agg')
    names = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for function in (diffedit, inpaint):
            patch.setattr(f'lessonlib.diffedit.{function.__name__}', partial(function, num_inference_steps=3))
        patch.setattr('lessonlib.diffedit_mask.diffedit_mask', partial(diffedit_mask, num_maps=2))
        for block in BLOCKS:
            exec(compile(block, 'nbs/recipes.md', 'exec'), names)
    return SimpleNamespace(**names | dict(place=folder))


def pixels(image):
    return as_picture(image).pixels[0]


def test_each_heading_has_its_recipe():
    headings = re.findall(r'^## .*\n(?:(?!## ).*\n)*?```python$', TEXT, re.M)
    assert len(headings) == len(BLOCKS) - 1 == TEXT.count('\n## ') == 6    # one block stands before the first
    assert all(len(block.splitlines()) <= 12 for block in BLOCKS)
    assert max(len(line) for block in BLOCKS for line in block.splitlines()) <= 100  # what the page shows


def test_a_folder_of_photographs(ran):
    for name, size in SIZES.items():
        photo = open_photo(ran.place/'photos'/f'{name}.jpg')
        edit, mask = (open_photo(ran.place/'edited'/f'{name}{end}.png') for end in ('', '_mask'))
        assert photo.size == edit.size == mask.size == size
        outside = pixels(mask)[0] < .5
        assert 0 < outside.sum() < outside.numel()
        assert torch.equal(pixels(photo)[:, outside], pixels(edit)[:, outside])
        assert not torch.equal(pixels(photo), pixels(edit))


def test_seeds_make_different_pictures(ran):
    shown = [pixels(edit.image) for edit in ran.edits]
    assert len(shown) == 4 and all(not torch.equal(a, b) for a in shown for b in shown if a is not b)
    assert ran.chosen is ran.edits[2].image


def test_own_noise(ran):
    for target, m in ran.masks.items():
        assert m.target_prompt == target and torch.equal(m.noise, ran.noise) and m.timestep == 500
    assert len({m.maps.sum().item() for m in ran.masks.values()}) == len(ran.masks) == 3


def test_own_threshold(ran):
    share = {name: getattr(ran, name).float().mean().item() for name in ('at_mean', 'largest_fifth')}
    assert share['largest_fifth'] == pytest.approx(.2, abs=.02)
    assert share['at_mean'] > ran.lower.pixel_mask.float().mean() > 0
    assert ran.lower.threshold == .35 and ran.d.grow == 0
    assert torch.equal(ran.d.mask.pixel_mask, ran.at_mean)


def test_inpainting(ran):
    assert ran.painted.size == ran.by_hand.size == ran.photo.size
    assert not torch.equal(pixels(ran.painted), pixels(ran.photo))


def test_another_scheduler_is_of_the_pipeline_alone(ran):
    assert isinstance(ran.sd.pipe.scheduler, DPMSolverMultistepScheduler)
    assert isinstance(ran.sd.scheduler, DDIMScheduler)
    assert ran.fast.size == (128, 128) and ran.m.source_prompt == 'a zebra'
