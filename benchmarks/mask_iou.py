"""How well DiffEdit masks fit on scenes that no training has used.

    python benchmarks/mask_iou.py                          # the shipped model, 200 scenes for each of the four settings
    python benchmarks/mask_iou.py --model DIR --scenes 50  # another Stable Diffusion folder

Within: the target is of the subject's own group (a horse to a zebra); across: of another (a horse to a bus).
One of two: two subjects, and a query that exchanges one of them; its mask alone is the truth.
Seen and unseen are the sets of drawings that training used and did not use. Compared at the picture's size,
with the defaults of `diffedit_mask` (n = 10, strength .5, threshold .5). The same numbers on every run.
"""
import argparse, statistics, time
import torch
from lessonlib.diffedit_mask import diffedit_mask, edit_pairs, iou, mask_scores
from lessonlib.scenes import caption, scene
from lessonlib.stable_diffusion import StableDiffusion

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('--scenes', type=int, default=200, help='scenes for each setting')
parser.add_argument('--pairs', type=int, default=100, help='scenes of two subjects')
parser.add_argument('--model', help='folder of a Stable Diffusion v1/v2 model; the shipped one without')
parser.add_argument('--drawing', nargs='+', choices=['seen', 'unseen'], default=['seen', 'unseen'])
parser.add_argument('--first-seed', type=int, default=10_000_000, help='seeds from 10000000 on are held out')
parser.add_argument('--method', choices=['paper', 'diffusers'], default='paper')
args = parser.parse_args()

model = dict(dtype=torch.float32, device='cpu')
sd = StableDiffusion.from_pretrained(args.model, **model) if args.model else StableDiffusion.tiny()
seeds = range(args.first_seed, args.first_seed + args.scenes)
start = time.perf_counter()

def one_of_two(drawing):
    "IoU with the subject that the query names, and the share of the mask that lies on the other."
    found = []
    of_two = edit_pairs(range(args.first_seed, args.first_seed + args.pairs), drawing=drawing)
    for seed, (s, target) in enumerate(of_two):
        other = edit_pairs([s.seed + 1], drawing=drawing)[0][0].subject
        if other in (s.subject, target): continue
        both = scene([s.subject, other], s.background, s.seed, drawing=drawing)
        m = diffedit_mask(sd, both.image, caption([s.subject, other]), caption([target, other]),
                          generator=torch.Generator().manual_seed(seed), method=args.method).pixel_mask
        wrong = torch.from_numpy(both.masks[other])
        found.append((iou(m, both.masks[s.subject]), ((m & wrong).sum() / m.sum().clamp(min=1)).item()))
    return zip(*found, strict=True)

def row(drawing, name, scores, more=''):
    poor = sum(score < .5 for score in scores) / len(scores)
    median, mean = statistics.median(scores), statistics.mean(scores)
    print(f'{drawing:10}{name:12}{median:9.3f}{mean:7.3f}{poor:10.0%}{more}', flush=True)

print(f'{"drawing":10}{"target":10}{"median IoU":>11}{"mean":>7}{"below .5":>10}')
for drawing in args.drawing:
    for across in (False, True):
        scores = mask_scores(sd, edit_pairs(seeds, across, drawing), method=args.method)
        row(drawing, 'across' if across else 'within', scores)
    if args.pairs:
        scores, wrong = one_of_two(drawing)
        row(drawing, 'one of two', scores, f'   on the other: median {statistics.median(wrong):.0%} of the mask, '
                                           f'mean {statistics.mean(wrong):.0%}')
print(f'{args.scenes} scenes each ({args.pairs} of two), {args.method} method, {time.perf_counter() - start:.0f} s')
