"""`lessonlib.nano` beside diffusers' UNet on the same weights, one thread, in turn in one process.

    python benchmarks/nano.py
    python benchmarks/nano.py --quick

A ratio is our time over diffusers' for 20 samples of its UNet (10 noises under two texts), products by torch and by
our own `gemm`; then the whole mask over the same. CPU time.
"""
import functools
import time
from pairs import in_turn

TITLE = 'nano beside diffusers\' UNet'
NAMES = ('20 UNet samples', '20 UNet samples by torch.matmul', '20 UNet samples by gemm', 'a mask', 'a mask by gemm')


@functools.cache
def ways():
    "Name -> a function; and that of diffusers."
    from importlib.resources import files
    import torch
    from lessonlib.gemm import gemm
    from lessonlib.inputs import as_picture
    from lessonlib.nano import Nano, Products, find_mask
    from lessonlib.scenes import scene
    from lessonlib.stable_diffusion import StableDiffusion
    nano, sd = Nano.load(files('lessonlib')/'models'/'tiny'), StableDiffusion.tiny()
    image = as_picture(scene('horse', 'grass', seed=10_000_013).image).pixels
    noise = torch.randn(10, 4, *(side // sd.factor for side in image.shape[2:]),
                        generator=torch.Generator().manual_seed(0))
    latents, t = noise.repeat(2, 1, 1, 1), torch.full((20,), 500)
    with torch.no_grad(): text = nano.encode_text(['a horse', 'a zebra']).repeat_interleave(10, dim=0)

    def by(product, run):
        with Products(product): run()

    def unet(): nano.unet(latents, t, text)
    def mask(): find_mask(nano, image, 'a horse', 'a zebra', noise)
    ours = (unet, lambda: by(torch.matmul, unet), lambda: by(gemm, unet), mask, lambda: by(gemm, mask))
    found = dict(zip(NAMES, ours, strict=True)) | {'diffusers': lambda: sd.unet(latents, t, text)}
    return {name: torch.no_grad()(way) for name, way in found.items()}


def work(quick):
    "(name, function) of each piece."
    for name in NAMES[:1] if quick else NAMES:
        yield name, lambda name=name: in_turn(ways()[name], ways()['diffusers'], 2 if quick else 9, time.thread_time)


def tables(found):
    "[(words, rows)]"
    return [('', [{'nano': name, 'of 20 samples of diffusers\' UNet': ratio} for name, ratio in found.items()])]


if __name__ == '__main__':
    from bench import main
    main('nano')
