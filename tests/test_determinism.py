"""A seed gives the same result: again, in another process, with other hashes of strings, and with more threads."""
import os
import subprocess
import sys
import numpy as np
import pytest
from installed import environment

# Computes one of everything that draws, sums or samples, and saves it.
WORK = '''
import random, sys
import numba, numpy as np, torch
threads, path = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(threads)
numba.set_num_threads(threads)
from lessonlib.broadcasting import einsum, matmul_broadcast
from lessonlib.check import random_cases
from lessonlib.diffedit import diffedit
from lessonlib.diffedit_mask import diffedit_mask, edit_pairs
from lessonlib.gemm import gemm, gemm_parallel
from lessonlib.questions import shape_questions
from lessonlib.quiz import quiz
from lessonlib.scenes import scene, subjects
from lessonlib.stable_diffusion import StableDiffusion
from lessonlib.studio import draw_figures, new_vae, vocabulary

def seeded(): return torch.Generator().manual_seed(0)
found, rng = {}, np.random.default_rng(0)
a, b = rng.standard_normal((97, 300)).astype('float32'), rng.standard_normal((300, 65)).astype('float32')
found['gemm'], found['gemm_parallel'] = gemm(a, b), gemm_parallel(a, b)
x, y = torch.from_numpy(a), torch.from_numpy(b)
found['einsum'], found['matmul_broadcast'] = einsum('ik,kj->ij', x, y).numpy(), matmul_broadcast(x[:9], y).numpy()
s = scene(['horse', 'bus'], 'night', seed=7)
found['scene'], found['scene mask'] = np.asarray(s.image), s.mask
pairs = [f'{p.caption} {p.seed} {target}' for p, target in edit_pairs(range(4), across=True)]
found['words'] = np.array([*pairs, repr(quiz(*shape_questions(lambda *shapes: ""))), *vocabulary(), str(subjects()),
                           str(random_cases(lambda r: (r.random(),), 3))])
figures = draw_figures(20, 20, 32, progress=False)
found["collage"] = figures.figures.numpy()
found['weights'] = new_vae(3).encoder.conv_in.weight.detach().numpy()
sd = StableDiffusion.tiny()
horse = scene('horse', 'grass', seed=10_000_016)
m = diffedit_mask(sd, horse, 'a horse', 'a zebra', num_maps=3, generator=seeded(), progress=False)
found['noise'], found['maps'], found['difference'] = m.noise.numpy(), m.maps.numpy(), m.difference.numpy()
found['mask'] = m.pixel_mask.numpy()
d = diffedit(sd, horse, 'a horse', 'a zebra', num_inference_steps=4, num_maps=2, generator=seeded(), bold=True,
             progress=False)
found['edit'], found['edit latents'] = np.asarray(d.image), d.latents.numpy()
found['sampled'] = sd.sample('a horse on grass', 3, generator=seeded(), progress=False).numpy()
np.savez(path, **found)
'''


@pytest.fixture(scope='module')
def results(tmp_path_factory):
    "A function that gives what a process found: with so many threads, and strings hashed by so much salt."
    folder, kept = tmp_path_factory.mktemp('found'), {}
    def results(threads, salt):
        if (threads, salt) not in kept:
            path = folder/f'{threads}-{salt}.npz'
            env = environment(PYTHONHASHSEED=str(salt), OMP_NUM_THREADS='2', NUMBA_NUM_THREADS='2')
            subprocess.run([sys.executable, '-c', WORK, str(threads), path], env=env, check=True, capture_output=True)
            with np.load(path) as file:
                kept[threads, salt] = dict(file)
        return kept[threads, salt]
    return results


def test_another_process_gives_the_same_numbers_to_the_bit(results):
    """No tolerance: one thread adds up in one order, whatever the process, and nothing here goes by the order of a set
    or by the hash of a string."""
    one, other = results(1, 0), results(1, 12345)
    assert one.keys() == other.keys() and len(one) == 16
    assert [name for name in one if not np.array_equal(one[name], other[name])] == []


SAME = ['gemm', 'gemm_parallel', 'scene', 'scene mask', 'words', 'collage', 'weights', 'noise']


def test_more_threads_draw_the_same_and_our_products_are_equal_to_the_bit(results):
    """No tolerance for what is drawn, as torch's and numpy's generators count by themselves; nor for `gemm_parallel`,
    whose threads share out rows: each number is still summed by one thread, in one order."""
    one, two = results(1, 0), results(2, 0)
    assert [name for name in SAME if not np.array_equal(one[name], two[name])] == []
    assert np.array_equal(two['gemm'], two['gemm_parallel'])


# name -> how far, as a share of the largest number. float32 rounds to 6e-8, and torch's convolutions and products split
# their sums among threads, so that each layer may differ by some roundings. A UNet has about 100 layers: 1e-5. An edit
# asks it again and again, each time from what it said before, with guidance of 5, which makes a difference 5 times as
# large: 1e-3.
NEAR = {'einsum': 1e-6, 'matmul_broadcast': 1e-6, 'maps': 1e-5, 'difference': 1e-4, 'edit latents': 1e-3,
        'sampled': 1e-3}


@pytest.mark.parametrize('name', NEAR)
def test_more_threads_give_nearly_the_same_numbers(results, name):
    one, two = results(1, 0)[name], results(2, 0)[name]
    assert np.abs(one - two).max() <= NEAR[name]*np.abs(one).max()


def test_more_threads_find_the_same_mask_and_picture(results):
    "Masks are equal but where the soft map nears the threshold, 1 pixel in 1000; so are an edit's bytes, to one."
    one, two = results(1, 0), results(2, 0)
    assert (one['mask'] != two['mask']).mean() <= 1e-3
    changed = np.abs(one['edit'].astype(int) - two['edit'])
    assert np.quantile(changed, .999) <= 1 and one['edit'].shape == two['edit'].shape


def test_another_seed_gives_something_else(results):
    "What would pass as well if nothing depended on its seed."
    import torch
    from lessonlib.scenes import scene
    one = results(1, 0)
    assert not np.array_equal(one['scene'], np.asarray(scene(['horse', 'bus'], 'night', seed=8).image))
    assert not np.array_equal(one['noise'], torch.randn(one['noise'].shape, generator=torch.Generator().manual_seed(1)))
    assert os.environ.get('PYTHONHASHSEED') != '12345'
