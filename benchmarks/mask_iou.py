"""How well DiffEdit masks fit on scenes that no training has used.

    python benchmarks/mask_iou.py                          # the shipped model, 200 scenes for each of the four settings
    python benchmarks/mask_iou.py --model DIR --scenes 50  # another Stable Diffusion folder
    python benchmarks/mask_iou.py --method paper guided    # one or more of the methods of `diffedit_mask`

Within: the target is of the subject's own group (a horse to a zebra); across: of another (a horse to a bus).
One of two: two subjects, and a query that exchanges one of them; its mask alone is the truth.
Seen and unseen are the sets of drawings that training used and did not use. Compared at the picture's size,
with the defaults of `diffedit_mask` (n = 10; each method's own strength and threshold). The same numbers on every run.
"""
import argparse, statistics, time
from dataclasses import replace
import torch
from lessonlib.diffedit_mask import STRENGTHS, THRESHOLDS, diffedit_mask, edit_pairs, iou
from lessonlib.scenes import caption, scene
from lessonlib.stable_diffusion import StableDiffusion

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('--scenes', type=int, default=200, help='scenes for each setting')
parser.add_argument('--pairs', type=int, default=100, help='scenes of two subjects')
parser.add_argument('--model', help='folder of a Stable Diffusion v1/v2 model; the shipped one without')
parser.add_argument('--drawing', nargs='+', choices=['seen', 'unseen'], default=['seen', 'unseen'])
parser.add_argument('--first-seed', type=int, default=10_000_000, help='seeds from 10000000 on are held out')
parser.add_argument('--method', nargs='+', choices=list(THRESHOLDS), default=['paper', 'guided'])
args = parser.parse_args()

sd = StableDiffusion.from_pretrained(args.model) if args.model else StableDiffusion.tiny()
seeds = range(args.first_seed, args.first_seed + args.scenes)
start = time.perf_counter()


def masks(seed, image, words):
    "A mask by each method; those that ask the model the same are found from one set of answers."
    found, answers = {}, {}
    for method in args.method:
        asked = STRENGTHS.get(method)
        if asked not in answers:
            generator = torch.Generator().manual_seed(seed)
            answers[asked] = diffedit_mask(sd, image, *words, generator=generator, method=method)
        found[method] = replace(answers[asked], method=method, threshold=None).pixel_mask
    return found


def of_one(pairs):
    "For each method the IoU of each scene."
    scores = {method: [] for method in args.method}
    for seed, (s, target) in enumerate(pairs):
        found = masks(seed, s.image, (caption(s.subject), caption(target)))
        for method, mask in found.items(): scores[method].append(iou(mask, s))
    return scores


def one_of_two(drawing):
    "For each method the IoU with the subject that the query names, and the share of the mask that lies on the other."
    found = {method: [] for method in args.method}
    of_two = edit_pairs(range(args.first_seed, args.first_seed + args.pairs), drawing=drawing)
    for seed, (s, target) in enumerate(of_two):
        other = edit_pairs([s.seed + 1], drawing=drawing)[0][0].subject
        if other in (s.subject, target): continue
        both = scene([s.subject, other], s.background, s.seed, drawing=drawing)
        words = caption([s.subject, other]), caption([target, other])
        for method, mask in masks(seed, both.image, words).items():
            wrong = (mask & torch.from_numpy(both.masks[other])).sum() / mask.sum().clamp(min=1)
            found[method].append((iou(mask, both.masks[s.subject]), wrong.item()))
    return found


def row(drawing, name, method, scores, more=''):
    poor = sum(score < .5 for score in scores) / len(scores)
    median, mean = statistics.median(scores), statistics.mean(scores)
    print(f'{drawing:10}{name:12}{method:10}{median:10.3f}{mean:7.3f}{poor:10.0%}{more}', flush=True)


print(f'{"drawing":10}{"target":12}{"method":9}{"median IoU":>11}{"mean":>7}{"below .5":>10}')
for drawing in args.drawing:
    for across in (False, True):
        for method, scores in of_one(edit_pairs(seeds, across, drawing)).items():
            row(drawing, 'across' if across else 'within', method, scores)
    if not args.pairs: continue
    for method, found in one_of_two(drawing).items():
        scores, wrong = zip(*found, strict=True)
        row(drawing, 'one of two', method, scores,
            f'   on the other: median {statistics.median(wrong):.0%} of the mask, mean {statistics.mean(wrong):.0%}')
print(f'{args.scenes} scenes each ({args.pairs} of two), {time.perf_counter() - start:.0f} s')
