"""Other ways to the mask, beside ours: thresholds that adapt, masks that are mended, and full denoising.

    python benchmarks/mask_methods.py                              # the shipped model, 30 scenes for each setting
    python benchmarks/mask_methods.py --study thresholds --training    # on scenes that it was trained on, to choose by
    python benchmarks/mask_methods.py --study denoising --scenes 10

thresholds: one map by each method of `diffedit_mask`, cut at fixed numbers and at numbers that it gives itself.
cleaning: the same maps, cut at their own threshold and mended by `lessonlib.masks.clean`, one step more a row.
denoising: the usual homework version (add noise once, denoise it under either text, compare what comes out) beside the
one-step way; with the number of UNet samples that each takes.
Mean IoU at the picture's size. Settings: within and across groups, drawings that training used and did not use, and
two defects of photographs: grain (a spread of .1) and pictures turned by 20 degrees. The same numbers on every run.
"""
import argparse, time, warnings
import numpy as np
import torch
from PIL import Image
from lessonlib.diffedit_mask import (THRESHOLDS, binarize, diffedit_mask, edit_pairs, enlarge, iou, noise_difference,
                                     paper_difference, rescale, remove_extremes)
from lessonlib.masks import clean, otsu
from lessonlib.scenes import caption
from lessonlib.stable_diffusion import StableDiffusion
from pairs import asked


def otsu_of_log(values):
    low = np.log(.01)
    logs = (values.clamp(.01, 1).log() - low) / -low
    return float(np.exp(low - low * otsu(logs)))


CUTS = {f'{number:g}': (lambda values, number=number: number) for number in (.1, .2, .35, .45, .5, .6)} | {
    'Otsu': otsu, 'Otsu of log': otsu_of_log,
    'mean': lambda values: values.mean().item(),
    'mean + .5 std': lambda values: (values.mean() + .5 * values.std()).item(),
    'mean + std': lambda values: (values.mean() + values.std()).item(),
    '.75 quantile': lambda values: values.flatten().quantile(.75).item(),
    '.85 quantile': lambda values: values.flatten().quantile(.85).item(),
    'half of mean and .5': lambda values: (values.mean().item() + .5) / 2}

CLEANED = {
    'as cut': dict(fill=False),
    'blur 1 px': dict(blur=1, fill=False),
    'blur 2 px': dict(blur=2, fill=False),
    'close 2 px': dict(close=2, fill=False),
    'close 4 px': dict(close=4, fill=False),
    'fill': dict(),
    'close 2 px, fill': dict(close=2),
    'close 4 px, fill': dict(close=4),
    'keep 1': dict(keep=1, fill=False),
    'fill, keep 1': dict(keep=1),
    'close 2 px, fill, keep 1': dict(close=2, keep=1),
    'close 4 px, fill, keep 1': dict(close=4, keep=1),
    'blur 2, close 4, fill, keep 1': dict(blur=2, close=4, keep=1)}


def plain(s):
    return s.image, s.mask


def grainy(s):
    pixels = torch.from_numpy(np.array(s.image)) / 255
    grain = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(s.seed))
    return (pixels + .1 * grain).clamp(0, 1).numpy(), s.mask


def turned(s):
    picture = s.image.rotate(20, Image.Resampling.BICUBIC, fillcolor=s.image.getpixel((3, 3)))
    return picture, np.array(Image.fromarray(s.mask).rotate(20))


def settings(scenes, training):
    "Name -> (scenes with a target each, what is done to the picture)."
    seeds = range(500_100, 500_100 + scenes) if training else range(10_000_300, 10_000_300 + scenes)
    found = {}
    for drawing in ('seen',) if training else ('seen', 'unseen'):
        for across in False, True:
            name = f'{drawing} {"across" if across else "within"}'
            found[name] = edit_pairs(seeds, across, drawing), plain
    photos = edit_pairs([seed + 500 for seed in seeds])
    return found | {'grain': (photos, grainy), 'turned': (photos, turned)}


def table(rows, name, columns):
    "Print a row for each way: its mean IoU in each setting, and the mean of those."
    print(f'{name:32}' + ''.join(f'{column:>15}' for column in columns) + f'{"mean":>8}')
    for way, values in rows.items():
        print(f'{way:32}' + ''.join(f'{value:15.3f}' for value in values) + f'{np.mean(values):8.3f}', flush=True)
    print()


def of_cuts(maps, ways):
    return {way: np.mean([iou(values > number(values), truth) for values, truth in maps])
            for way, number in ways.items()}


def of_cleaning(maps, threshold):
    return {way: np.mean([iou(clean(values.clamp(0, 1), threshold=threshold, **options), truth)
                          for values, truth in maps]) for way, options in CLEANED.items()}


def one_step_maps(sd, pairs, how, method):
    "[(the map that is cut, the true mask)]"
    found = []
    for seed, (s, target) in enumerate(pairs):
        image, truth = how(s)
        generator = torch.Generator().manual_seed(seed)
        m = diffedit_mask(sd, image, caption(s.subject), caption(target), generator=generator, method=method,
                          progress=False)
        found.append((m.pixel_difference, truth))
    return found


def denoised_maps(sd, s, target, seed, guidance_scale):
    "How far apart two full denoisings of one noised picture end: in the latents, and in the pictures. In [0, 1]."
    latents, path = sd.encode_image(s.image), sd.timesteps(.5, 50)
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(seed))
    noised = sd.add_noise(latents, noise, path[-1].item())
    ends = [sd.ddim_decode(noised, path, sd.encode_text(caption(name)), guidance_scale, progress=False)
            for name in (s.subject, target)]
    pictures = [sd.decode_tensor(end) for end in ends]
    return (paper_difference(noise_difference(*ends)),
            rescale(remove_extremes((pictures[1] - pictures[0]).abs().mean(dim=(0, 1)))))


def denoising(sd, scenes):
    "Print IoU and UNet samples of full denoising, and of the one-step way."
    pairs = edit_pairs(range(10_000_300, 10_000_300 + scenes))
    pairs += edit_pairs(range(10_000_300, 10_000_300 + scenes), across=True)
    counts, hook = asked(sd.unet)
    print(f'{"way":40}{"UNet samples":>14}{"mean IoU":>10}{"median":>8}')

    def count(names, find):
        counts.clear()
        scores = [find(seed, *pair) for seed, pair in enumerate(pairs)]
        samples = sum(counts) / len(pairs)
        for name, values in zip(names, zip(*scores, strict=True), strict=True):
            print(f'{name:40}{samples:14.0f}{np.mean(values):10.3f}{np.median(values):8.3f}', flush=True)

    for guidance_scale in 1., 7.5:
        def full(seed, s, target, guidance_scale=guidance_scale):
            latent, pixels = denoised_maps(sd, s, target, seed, guidance_scale)
            return iou(binarize(enlarge(latent, s.mask.shape)), s), iou(binarize(pixels), s)
        words = f'full, n = 1, guidance {guidance_scale:g}: '
        count([words + 'latents', words + 'pictures'], full)
    for method, num_maps in ('paper', 1), ('paper', 10), ('guided', 10):
        def one_step(seed, s, target, method=method, num_maps=num_maps):
            generator = torch.Generator().manual_seed(seed)
            return [iou(diffedit_mask(sd, s.image, caption(s.subject), caption(target), num_maps, generator=generator,
                                      method=method, progress=False), s)]
        count([f'one step, n = {num_maps}, {method}'], one_step)
    hook.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--scenes', type=int, default=30, help='scenes for each setting')
    parser.add_argument('--study', nargs='+', choices=['thresholds', 'cleaning', 'denoising'],
                        default=['thresholds', 'cleaning', 'denoising'])
    parser.add_argument('--method', nargs='+', choices=list(THRESHOLDS), default=['paper', 'guided'])
    parser.add_argument('--training', action='store_true', help='scenes that the model was trained on, to choose by')
    parser.add_argument('--model', help='folder of a Stable Diffusion v1/v2 model; the shipped one without')
    args = parser.parse_args()
    warnings.simplefilter('ignore')              # the small model says of grainy pictures that it cannot draw them
    sd = StableDiffusion.from_pretrained(args.model) if args.model else StableDiffusion.tiny()
    start = time.perf_counter()
    if {'thresholds', 'cleaning'} & set(args.study):
        places = settings(args.scenes, args.training)
        for method in args.method:
            maps = [one_step_maps(sd, pairs, how, method) for pairs, how in places.values()]
            if 'thresholds' in args.study:
                scores = [of_cuts(some, CUTS) for some in maps]
                table({way: [found[way] for found in scores] for way in CUTS}, f'{method}, cut at', places)
            if 'cleaning' in args.study:
                scores = [of_cleaning(some, THRESHOLDS[method]) for some in maps]
                table({way: [found[way] for found in scores] for way in CLEANED}, f'{method}, mended by', places)
    if 'denoising' in args.study: denoising(sd, args.scenes)
    print(f'{args.scenes} scenes for each setting, {time.perf_counter() - start:.0f} s')


if __name__ == '__main__': main()
