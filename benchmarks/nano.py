"""`lessonlib.nano` beside diffusers on the same weights, one thread, in turn in one process.

    python benchmarks/nano.py                # 20 UNet samples and a whole mask, products by torch and by gemm
    python benchmarks/nano.py --runs 21

A ratio is our time over diffusers' for 20 samples of its UNet (10 noises under two texts), the median of paired runs:
1 is as fast, above 1 slower. By default the clock is the thread's CPU time, so that other programs disturb less.
"""
import os
for name in 'OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS':
    os.environ[name] = '1'                               # read when numpy and torch are loaded
import argparse
import statistics
import time
from importlib.resources import files
import torch
from lessonlib.gemm import gemm
from lessonlib.inputs import as_picture
from lessonlib.nano import Nano, Products, find_mask
from lessonlib.scenes import scene
from lessonlib.stable_diffusion import StableDiffusion
from lessonlib.timing import machine

CLOCKS = {'cpu': time.thread_time, 'wall': time.perf_counter}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', type=int, default=9, help='pairs')
    parser.add_argument('--clock', choices=CLOCKS, default='cpu')
    return parser.parse_args()


def seconds(clock, function):
    "Of one call."
    start = clock()
    function()
    return clock() - start


def ratio(ours, theirs, runs, clock):
    "Median, smallest and largest of our time over theirs; after one call of each."
    ours(), theirs()
    ratios = [seconds(clock, ours)/seconds(clock, theirs) for _ in range(runs)]
    return statistics.median(ratios), min(ratios), max(ratios)


@torch.no_grad()
def main():
    args = arguments()
    torch.set_num_threads(1)
    nano, sd = Nano.load(files('lessonlib')/'models'/'tiny'), StableDiffusion.tiny()
    image = as_picture(scene('horse', 'grass', seed=10_000_013).image).pixels
    noise = torch.randn(10, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    latents, t = noise.repeat(2, 1, 1, 1), torch.full((20,), 500)
    text = nano.encode_text(['a horse', 'a zebra']).repeat_interleave(10, dim=0)

    def by(product, run):
        with Products(product): run()

    def unet(): nano.unet(latents, t, text)
    def mask(): find_mask(nano, image, 'a horse', 'a zebra', noise)
    ways = {'nano, 20 UNet samples': unet, 'by torch.matmul': lambda: by(torch.matmul, unet),
            'by gemm': lambda: by(gemm, unet), 'nano, the whole mask': mask, 'the mask by gemm': lambda: by(gemm, mask)}
    print(f'{machine()}\nover 20 samples of diffusers\' UNet, {args.runs} paired runs, {args.clock} time')
    for name, ours in ways.items():
        median, low, high = ratio(ours, lambda: sd.unet(latents, t, text), args.runs, CLOCKS[args.clock])
        print(f'{name:24}{median:6.2f}   ({low:.2f} to {high:.2f})', flush=True)


if __name__ == '__main__': main()
