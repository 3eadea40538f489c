"""Other ways from noise predictions to a mask, against the paper's on the same scenes and about as many UNet samples.

    python benchmarks/mask_methods.py                    # the shipped model, 100 scenes of each of the four settings
    python benchmarks/mask_methods.py --scenes 20 --first-seed 500000

Every row is compared with the paper's method scene by scene: the mean gain in IoU with a 95% confidence interval
(bootstrap over scenes). Indented rows read the samples of the row above them otherwise. The paper's method and its
readings take 20 UNet samples, those against the empty prompt 18. The same numbers on every run.

Predicted originals of one timestep differ by what the predicted noises differ, times one number: the same map. So
they are decoded first, and the pictures compared. The guided filter looks at the picture's edges and is no method but
a step after one: its rows stand apart, on the scenes as they are, with noise, and with a texture.
"""
import argparse, time
from contextlib import contextmanager
import numpy as np, torch
import torch.nn.functional as F
from lessonlib.diffedit_mask import (average_difference, edit_pairs, enlarge, iou, noise_difference, paper_difference,
                                     predict_for_prompts, remove_extremes, rescale)
from lessonlib.scenes import caption
from lessonlib.stable_diffusion import StableDiffusion

FIVE = .3, .4, .5, .6, .7


def clipped(maps): return torch.stack([rescale(remove_extremes(m)) for m in maps])

def smooth(values, sigma=1.):
    "Gaussian blur of a map (h, w), in cells."
    reach = torch.arange(-3., 4)
    kernel = torch.exp(-(reach / sigma)**2 / 2)
    kernel = (kernel / kernel.sum()).outer(kernel / kernel.sum())[None, None]
    return F.conv2d(F.pad(values[None, None], (3,) * 4, mode='replicate'), kernel)[0, 0]

def otsu(values):
    "The threshold that parts the values best in two (Otsu 1979)."
    cuts, v = torch.linspace(.05, .95, 46), values.flatten()
    def between(below, above):
        if not len(below) or not len(above): return torch.tensor(0.)
        return len(below) * len(above) * (above.mean() - below.mean())**2
    parted = [between(v[v <= c], v[v > c]) for c in cuts]
    return cuts[int(torch.stack(parted).argmax())].item()

def largest(mask):
    "The largest connected part of a bool mask (h, w)."
    left, best = mask.clone(), torch.zeros_like(mask)
    while left.any():
        part = torch.zeros_like(mask)
        part[tuple(left.nonzero()[0])] = True
        while True:
            grown = (F.max_pool2d(part[None].float(), 3, 1, 1)[0] > 0) & mask
            if (grown == part).all(): break
            part = grown
        left &= ~part
        if part.sum() > best.sum(): best = part
    return best


def guided_filter(values, picture, radius=4, eps=1e-3):
    "He, Sun and Tang 2010: values (h, w) as a linear function of the picture (3, h, w) in each window."
    box = lambda x: F.avg_pool2d(F.pad(x[None], (radius,) * 4, mode='replicate'), 2 * radius + 1, 1)[0]
    mean, mean_p = box(picture), box(values[None])
    cov = box(picture * values) - mean * mean_p                                                       # (3, h, w)
    products = box((picture[:, None] * picture[None]).flatten(0, 1)).unflatten(0, (3, 3))
    sigma = (products - mean[:, None] * mean[None]).permute(2, 3, 0, 1) + eps * torch.eye(3)
    a = torch.linalg.solve(sigma, cov.permute(1, 2, 0)).permute(2, 0, 1)
    b = mean_p - (a * mean).sum(0, keepdim=True)
    return ((box(a) * picture).sum(0) + box(b)[0]).clamp(0, 1)

@contextmanager
def watched(unet):
    "Collects the cross-attention of every layer, (b, heads, places, tokens), while it is open."
    from diffusers.models.attention_processor import AttnProcessor
    before, seen = unet.attn_processors, []
    unet.set_attn_processor(AttnProcessor())           # the fused one keeps no probabilities
    layers = [module for name, module in unet.named_modules() if name.endswith('attn2')]
    def note(layer, *given):
        probs = type(layer).get_attention_scores(layer, *given)
        seen.append(probs.unflatten(0, (-1, layer.heads)))
        return probs
    for layer in layers: layer.get_attention_scores = lambda *given, layer=layer: note(layer, *given)
    try: yield seen
    finally:
        for layer in layers: del layer.get_attention_scores
        unet.set_attn_processor(before)


class Predictions:
    "Noise predictions for one scene, computed once for each kind of noise."
    def __init__(self, sd, image, prompts, seed):
        self.sd, self.prompts, self.seed = sd, prompts, seed
        self.latents, self.kept = sd.encode_image(image), {}

    def noise(self, n, key=0): # -> (n, c, h, w)
        return torch.randn(n, *self.latents.shape[1:], generator=torch.Generator().manual_seed(1000 * self.seed + key))

    def __call__(self, n, strength, prompts=('s', 't'), antithetic=False, move=(0, False), key=0): # -> (p, n, c, h, w)
        name = n, strength, prompts, antithetic, move, key
        if name not in self.kept:
            noise = self.noise(n // 2 if antithetic else n, key)
            if antithetic: noise = torch.cat([noise, -noise])
            shift, flip = move
            z = self.latents.roll(shift, -1)
            if flip: z = z.flip(-1)
            eps = predict_for_prompts(self.sd, z, [self.prompts[p] for p in prompts], noise, self.sd.timestep(strength))
            if flip: eps = eps.flip(-1)
            self.kept[name] = eps.roll(-shift, -1)
        return self.kept[name]

    def originals(self, n, strength): # -> (p, n, 3, H, W) decoded pictures
        "What lies under the noise of `self(n, strength)`, in the opinion of each prompt."
        eps, t = self(n, strength), self.sd.timestep(strength)
        noise = self.noise(n)
        z = self.sd.add_noise(self.latents.expand_as(noise), noise, t)
        return torch.stack([self.sd.decode_tensor(self.sd.predict_original(z, e, t)) for e in eps])

    def attention(self, n, strength): # -> (h, w) in [0, 1]
        "Where the layers look for the two subjects' words, averaged over layers, heads, noises and both prompts."
        prompts = [self.prompts['s'], self.prompts['t']]
        words = [len(ids) - 2 for ids in self.sd.tokenizer(prompts).input_ids]      # the last before the end
        noise = self.noise(n)
        with watched(self.sd.unet) as seen:
            predict_for_prompts(self.sd, self.latents, prompts, noise, self.sd.timestep(strength), chunk=2 * n)
        maps = []
        for probs in seen:
            side = round(probs.shape[2]**.5)
            of_word = torch.stack([p[..., word].mean((0, 1))
                                   for p, word in zip(probs.chunk(2), words, strict=True)]).mean(0)
            maps.append(F.interpolate(of_word.view(1, 1, side, side), self.latents.shape[-2:], mode='bilinear')[0, 0])
        return rescale(remove_extremes(torch.stack(maps).mean(0)))


def methods(P):
    "Name -> (map (h, w) in [0, 1][, threshold or a function of the mask])."
    s, t = P(10, .5)
    maps = noise_difference(s, t)
    paper = paper_difference(maps)
    five = torch.cat([clipped(noise_difference(*P(2, strength, key=i + 1))) for i, strength in enumerate(FIVE)])
    five = rescale(remove_extremes(average_difference(five)))
    def three(moves): # r(t - u) + r(s - u)
        parts = []
        for i, strength in enumerate((.3, .6)):
            for j, move in enumerate(moves):
                s, t, u = P(3 // len(moves), strength, ('s', 't', 'u'), move=move, key=10 + 5 * i + j)
                parts += [clipped(noise_difference(u, t)), clipped(noise_difference(u, s))]
        return rescale(remove_extremes(average_difference(torch.cat(parts))))
    plain, moved = three([(0, False)]), three([(0, False), (1, False), (-1, True)])
    signed = (t - s).mean(0).abs().mean(0)
    empty = paper_difference(noise_difference(*P(10, .5, ('u', 't'))))
    opposite = paper_difference(noise_difference(*P(10, .5, antithetic=True, key=30)))
    decoded = paper_difference(noise_difference(*P.originals(10, .5)))
    attention = P.attention(10, .5)
    squared = paper_difference((t - s).pow(2).mean(1).sqrt())
    return {
        "the paper's": (paper,),
        '  threshold .4': (paper, .4),
        '  threshold by Otsu': (paper, otsu(paper)),
        '  smoothed': (rescale(smooth(paper)),),
        '  each map rescaled': (rescale(remove_extremes(average_difference(clipped(maps)))),),
        '  root mean square over channels': (squared,),
        '  signed, then averaged': (rescale(remove_extremes(signed)),),
        '  largest part only': (paper, largest),
        '  upsampled bicubically': (paper, 'bicubic'),
        '  originals, decoded': (decoded,),
        '  cross-attention to the words': (attention,),
        '  times the cross-attention': (rescale(remove_extremes(paper * attention)),),
        '  plus the cross-attention': (rescale(paper + attention),),
        'noise and its negative': (opposite,),
        'empty source prompt': (empty,),
        'two noises at five strengths': (five,),
        '  five strengths, smoothed': (rescale(smooth(five)),),
        '  five strengths, smoothed, threshold .4': (rescale(smooth(five)), .4),
        'both against the empty prompt, strengths .3 and .6': (plain,),
        '  both, smoothed': (rescale(smooth(plain)),),
        '  both, shifted and flipped': (moved,),
        '  both, shifted and flipped, smoothed': (rescale(smooth(moved)),),
        '  both, shifted and flipped, smoothed, threshold .4': (rescale(smooth(moved)), .4),
    }

def score(truth, values, cut=.5):
    if cut == 'bicubic': mask = F.interpolate(values[None, None], truth.shape, mode='bicubic')[0, 0] > .5
    elif callable(cut): mask = cut(enlarge(values, truth.shape) > .5)
    else: mask = enlarge(values, truth.shape) > cut
    return iou(mask, truth)

def filtered(P, s):
    "Name -> IoU of the paper's map before and after the guided filter, on the scene, noisy and textured."
    truth, x = torch.from_numpy(s.mask), torch.from_numpy(np.array(s.image)).permute(2, 0, 1) / 255
    rng = np.random.default_rng(P.seed)
    stripes = torch.from_numpy(np.sin(np.add.outer(*[np.arange(64) * f for f in rng.uniform(.6, 1.6, 2)]))).float()
    noisy = x + .03 * torch.from_numpy(rng.standard_normal(x.shape)).float()
    for name, picture in {'': x, ', noise .03': noisy, ', stripes .05': x + .05 * stripes}.items():
        picture = picture.clamp(0, 1)
        predictions = Predictions(P.sd, picture[None], P.prompts, P.seed)(10, .5)
        values = enlarge(paper_difference(noise_difference(*predictions)), truth.shape)
        yield 'as it is' + name, iou(values > .5, truth)
        yield 'filtered' + name, iou(guided_filter(values, picture) > .5, truth)

def interval(gains, rng):
    means = rng.choice(gains, (2000, len(gains))).mean(axis=1)
    return np.quantile(means, [.025, .975])

def show(table, rng, base_of):
    print(f'{"":52}{"seen: median":>13}{"gain":>8}{"95%":>16}{"unseen: median":>16}{"gain":>8}{"95%":>16}')
    for name, row in table.items():
        line = f'{name:52}'
        for drawing, width in ('seen', 13), ('unseen', 16):
            gains = np.array(row[drawing]) - np.array(table[base_of(name)][drawing])
            low, high = interval(gains, rng)
            line += f'{np.median(row[drawing]):{width}.3f}{gains.mean():+8.3f}{f"{low:+.3f} {high:+.3f}":>16}'
        print(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--scenes', type=int, default=100, help='scenes for each setting')
    parser.add_argument('--model', help='folder of a Stable Diffusion v1/v2 model; the shipped one without')
    parser.add_argument('--first-seed', type=int, default=10_000_000, help='seeds from 10000000 on are held out')
    args = parser.parse_args()
    sd = StableDiffusion.from_pretrained(args.model) if args.model else StableDiffusion.tiny()
    rng, start, table, guided = np.random.default_rng(0), time.perf_counter(), {}, {}
    for drawing in ('seen', 'unseen'):
        for across in (False, True):
            pairs = edit_pairs(range(args.first_seed, args.first_seed + args.scenes), across, drawing)
            for seed, (s, target) in enumerate(pairs):
                P = Predictions(sd, s.image, dict(s=caption(s.subject), t=caption(target), u=''), seed)
                for name, found in methods(P).items():
                    table.setdefault(name, {}).setdefault(drawing, []).append(score(torch.from_numpy(s.mask), *found))
                for name, value in filtered(P, s): guided.setdefault(name, {}).setdefault(drawing, []).append(value)
    show(table, rng, lambda name: "the paper's")
    print('\nA guided filter after the paper\'s method, gain over the same picture without it:')
    show(guided, rng, lambda name: name.replace('filtered', 'as it is'))
    print(f'{4 * args.scenes} scenes, {time.perf_counter() - start:.0f} s')


if __name__ == '__main__': main()
