"""Time beside diffusers' deprecated DiffEdit pipeline, on the same weights, in turn in one process.

    python benchmarks/parity.py                # 15 pairs of masks and of edits, one thread
    python benchmarks/parity.py --pairs 5

Mask: `diffedit_mask` against `generate_mask` (n = 10), and against the bare cost of one encoding and 2n UNet samples.
Edit: encoding and masked decoding (strength .8, 50 steps) against `invert` and `__call__`. CPU seconds; the ratio of
each pair, its median and quartiles.
"""
import argparse, logging, os, statistics, time
os.environ.setdefault('OMP_NUM_THREADS', '1')
import torch
from lessonlib.diffedit import ddim_encode, masked_decode
from lessonlib.diffedit_mask import diffedit_mask
from lessonlib.scenes import scene
from lessonlib.stable_diffusion import StableDiffusion, diffedit_pipeline

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('--pairs', type=int, default=15)
parser.add_argument('--edits', type=int, default=15)
args = parser.parse_args()
logging.getLogger('diffusers.pipelines.pipeline_utils').setLevel(logging.ERROR)

sd, s = StableDiffusion.tiny(), scene('horse', 'grass', seed=10_000_003)
old = diffedit_pipeline(sd)
seed, latents = lambda: torch.Generator().manual_seed(0), sd.encode_image(s.image)
noised, mask = torch.randn(20, *latents.shape[1:]), torch.tensor(s.mask)[::2, ::2]


@torch.no_grad()
def bare():
    sd.encode_image(s.image)
    sd.unet(noised, 500, sd.encode_text(['a horse', 'a zebra']).repeat_interleave(10, 0))

def our_edit():
    encoded = ddim_encode(sd, sd.encode_image(s.image), progress=False)
    return masked_decode(sd, encoded, mask, 'a zebra', progress=False)

def their_edit():
    path = old.invert('a horse', s.image, generator=seed()).latents
    return old('a zebra', mask[None, None].float(), path, output_type='latent')

def seconds(run):
    start = time.process_time()
    run()
    return time.process_time() - start

def compare(name, a, b, pairs):
    "The ratio of a's time to b's, which goes first in turn."
    a(), b()
    times = []
    for i in range(pairs):
        order = (a, b) if i % 2 else (b, a)
        found = {run: seconds(run) for run in order}
        times.append((found[a], found[b]))
    ratios = sorted(x / y for x, y in times)
    first, second = (statistics.median(column) for column in zip(*times, strict=True))
    low, _, high = statistics.quantiles(ratios, n=4)
    print(f'{name:54} {statistics.median(ratios):.2f} (quartiles {low:.2f} {high:.2f}); '
          f'{first:.2f} s against {second:.2f} s', flush=True)


def our_mask(): return diffedit_mask(sd, s.image, 'a horse', 'a zebra', generator=seed())

compare('mask, of generate_mask', our_mask,
        lambda: old.generate_mask(s.image, 'a zebra', source_prompt='a horse', generator=seed()), args.pairs)
compare('mask, of one encoding and 20 samples', our_mask, bare, args.pairs)
compare('edit, of invert and __call__', our_edit, their_edit, args.edits)
