"""Mask and edit on a GPU, where there is one: in half precision beside single, and beside diffusers' pipeline there.

    python benchmarks/device.py                # without a GPU it says so, and measures nothing

The clock is the one on the wall, and waits for the device. Memory is the device's own count.
"""
import time
from pairs import in_turn

TITLE = 'On a GPU'


def synchronised():
    "The clock, when the device has done what it was asked for."
    import torch
    torch.cuda.synchronize()
    return time.perf_counter()


def ways(dtype, n=10, steps=50):
    "(mask, edit, the pipeline's mask) with the weights in this dtype."
    import torch
    from lessonlib.diffedit import diffedit
    from lessonlib.diffedit_mask import diffedit_mask
    from lessonlib.scenes import scene
    from lessonlib.stable_diffusion import StableDiffusion, diffedit_pipeline
    sd = StableDiffusion.tiny(device='cuda', dtype=dtype)
    image, words = scene('horse', 'grass', seed=10_000_003).image, ('a horse', 'a zebra')
    old = diffedit_pipeline(sd)
    def noise(): return torch.Generator().manual_seed(0)
    def mask(): return diffedit_mask(sd, image, *words, n, generator=noise(), progress=False).pixel_mask
    def edit(): return diffedit(sd, image, *words, num_inference_steps=steps, generator=noise(), progress=False)
    def theirs(): return old.generate_mask(image, words[1], source_prompt=words[0], generator=noise())
    return mask, edit, theirs


def most(function):
    "MB that a call needs on the device, beyond what lies there."
    import torch
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    function()
    return (torch.cuda.max_memory_allocated() - before) / 1e6


def halves(quick):
    "For each kind of half precision what mask and edit take, of single precision; and how the masks differ."
    import torch
    from lessonlib.diffedit_mask import iou
    pairs, found = 3 if quick else 15, []
    single = ways('float32')
    for dtype in 'float16', 'bfloat16':
        half = ways(dtype)
        for name, a, b in (('mask', half[0], single[0]), ('edit', half[1], single[1])):
            more = {'IoU of the two': f'{iou(half[0]().cpu(), single[0]().cpu()):.3f}'} if name == 'mask' else {}
            found.append({'what': f'{name}, {dtype} of float32', 'time': in_turn(a, b, pairs, synchronised),
                          'most memory': f'{most(a):.0f} of {most(b):.0f} MB'} | more)
    for dtype in 'float32', 'float16':
        a, _, b = ways(dtype)
        found.append({'what': f'mask of generate_mask, {dtype}', 'time': in_turn(a, b, pairs, synchronised),
                      'most memory': f'{most(a):.0f} of {most(b):.0f} MB'})
    return dict(device=torch.cuda.get_device_name(), rows=found)


def growth(quick):
    "Time and memory of the mask with n noises beside n = 10."
    import torch
    usual, rows = ways('float16')[0], []
    for n in (1,) if quick else (1, 30, 100):
        a = ways('float16', n)[0]
        rows.append({'what': f'mask, float16, n = {n} of n = 10',
                     'time': in_turn(a, usual, 3 if quick else 9, synchronised),
                     'most memory': f'{most(a):.0f} of {most(usual):.0f} MB'})
    return dict(device=torch.cuda.get_device_name(), rows=rows)


def work(quick):
    "(name, function) of each piece; none without a GPU of NVIDIA's."
    import torch
    if not torch.cuda.is_available(): return
    yield 'precision', lambda: halves(quick)
    yield 'growth', lambda: growth(quick)


def tables(found):
    "[(words, rows)]"
    return [(f'{name.capitalize()}, on {one["device"]}:', one['rows']) for name, one in found.items()]


if __name__ == '__main__':
    from bench import main
    main('device')
