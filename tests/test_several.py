"""Edits to choose from, an encoding that is used again, and several pictures of which some fail."""
import warnings
import pytest
import torch
from lessonlib.diffedit import diffedit, several_pictures, several_seeds
from lessonlib.photos import snapshot
from lessonlib.scenes import scene
from lessonlib.stable_diffusion import StableDiffusion

WORDS = 'a horse', 'a zebra'
QUICK = dict(num_inference_steps=5, num_maps=2, progress=False)


@pytest.fixture(scope='module')
def sd():
    return StableDiffusion.tiny()


@pytest.fixture(scope='module')
def horse():
    return scene('horse', 'grass', seed=10_000_016)


def edit(sd, image, words=WORDS, seed=0, **options):
    return diffedit(sd, image, *words, generator=torch.Generator().manual_seed(seed), **QUICK | options)


def test_an_encoding_is_taken_instead_of_the_way_up(sd, horse):
    first, asked = edit(sd, horse), []
    hook = sd.unet.register_forward_pre_hook(lambda unet, args: asked.append(len(args[0])))
    again = edit(sd, horse, ('a horse', 'a cow'), mask=first.mask, encoded=first.encoded, num_inference_steps=50)
    hook.remove()
    assert asked == [2]*4                                    # four steps down, none up: those of the encoding
    assert again.encoded is first.encoded
    assert again.image == edit(sd, horse, ('a horse', 'a cow'), mask=first.mask).image


@pytest.mark.parametrize('options, words', [
    (dict(encoded=3), 'encoded: expected what ddim_encode gives, got 3'),
    (dict(size=64), r'encoded: expected latents of shape \(1, 4, 16, 16\), got \(1, 4, 32, 32\)'),
    (dict(image=scene('dog', 'sand', seed=1)), 'encoded: expected the encoding of this picture, got that of another'),
])
def test_an_encoding_of_something_else(sd, horse, options, words):
    options = dict(image=horse, mask=horse, encoded=edit(sd, horse, mask=horse).encoded) | options
    with pytest.raises((TypeError, ValueError), match=words):
        edit(sd, **options)


@pytest.mark.parametrize('seeds, words', [
    (0, 'seeds: expected a whole number, 1 or more, got 0'), ([-1], 'seeds: expected a whole number .*got -1'),
    ([], 'seeds: expected one or more, got none'), (1.5, 'seeds: expected a whole number, 1 or more, got 1.5'),
])
def test_no_seeds(sd, horse, seeds, words):
    with pytest.raises((TypeError, ValueError), match=words):
        several_seeds(sd, horse, *WORDS, seeds)


def test_pictures_of_which_some_fail(sd, horse, tmp_path):
    "What fails is named, the others are done as if alone."
    file = snapshot(horse, tmp_path/'photo.jpg')
    with pytest.warns(UserWarning) as told:
        done = several_pictures(sd, [horse, tmp_path/'none.png', 3, file, str(file)], *WORDS, seed=7, **QUICK)
    assert [one is None for one in done] == [False, True, True, False, False]
    assert done[0].image == edit(sd, horse, seed=7).image
    assert done[3].image == done[4].image
    assert done[3].image.size == (1000, 1000)
    told = [str(warning.message) for warning in told if 'images[' in str(warning.message)]
    assert len(told) == 2
    assert told[0].startswith(f"images[1] ({tmp_path/'none.png'}): path: expected a picture file")
    assert told[1] == 'images[2]: image: expected a picture (PIL, tensor or array), got 3'


def test_no_picture_at_all(sd, horse):
    assert several_pictures(sd, [], *WORDS) == []
    with warnings.catch_warnings(action='ignore'), pytest.raises(ValueError, match='images: none of them could be'):
        several_pictures(sd, [3, 'none.png'], *WORDS)
    with pytest.raises(ValueError, match='strength: expected a number in'):
        several_pictures(sd, [horse], *WORDS, strength=2)
