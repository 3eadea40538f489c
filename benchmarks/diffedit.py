"""Three editors on scenes that no training has used: what changes that should not, how often they succeed, their time.

    python benchmarks/diffedit.py                            # the shipped model, 100 scenes, curves over the strength
    python benchmarks/diffedit.py --scenes 10 --curve 0      # a quick look
    python benchmarks/diffedit.py --across                   # targets of another group, as from a horse to a bus
    python benchmarks/diffedit.py --ways DiffEdit bold       # some of the rows

DiffEdit finds its mask by the paper's method, 'bold' is `diffedit(bold=True)`: a guided mask and new noise in it.
Inpainting gets the paper's mask; 'exact mask' is DiffEdit with the pixels of the old and the wanted object, which only
the scene knows (their seconds are without the search for a mask); SDEdit has none.
Nothing is pasted back, so that each shows what it does: 'outside' is the PSNR to the picture where neither the old nor
the wanted object is. With paste_back the pixels outside of the mask are identical, which is counted too. Success: the
shipped judge, a classifier that took no part in the edit, names the target. Its own accuracy stands above the table.
The same numbers on every run, but for the seconds.
"""
import argparse, collections, json, os, statistics, time
os.environ.setdefault('OMP_NUM_THREADS', '1')
import numpy as np, torch
from lessonlib.diffedit import diffedit, feather, inpaint, paste, sdedit
from lessonlib.diffedit_mask import diffedit_mask, edit_pairs, iou
from lessonlib.scenes import caption, subjects
from lessonlib.stable_diffusion import StableDiffusion
from lessonlib.training import Judge, judge_accuracy

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('--scenes', type=int, default=100)
parser.add_argument('--curve', type=int, default=20, help='scenes of the curves over the strength; 0 for none')
parser.add_argument('--strength', type=float, default=.8)
parser.add_argument('--guidance', type=float, default=5.)
parser.add_argument('--steps', type=int, default=50)
parser.add_argument('--across', action='store_true', help='targets of another group')
parser.add_argument('--drawing', choices=['seen', 'unseen'], default='seen')
parser.add_argument('--first-seed', type=int, default=10_000_300, help='seeds from 10000000 on are held out')
WAYS = 'DiffEdit', 'bold', 'exact mask', 'inpainting', 'SDEdit'
parser.add_argument('--ways', nargs='+', choices=WAYS, default=WAYS)
parser.add_argument('--out', help='JSON file for one line a scene')
args = parser.parse_args()

sd, judge = StableDiffusion.tiny(), Judge.load()
group = {name: group for group, names in subjects().items() for name in names}
start, results = time.perf_counter(), []


def psnr(a, b, where):
    off = (np.asarray(a, float) - np.asarray(b, float))[where] / 255
    return -10 * np.log10(np.mean(off**2) + 1e-12)


def timed(edit):
    begun = time.perf_counter()
    return edit(), time.perf_counter() - begun


def edit_scene(seed, s, target):
    "Each editor's picture with its seconds; a dict."
    options = dict(strength=args.strength, num_inference_steps=args.steps, guidance_scale=args.guidance, progress=False)
    words = caption(s.subject), caption(target)
    def noise(): return torch.Generator().manual_seed(seed)
    def edit(**more): return diffedit(sd, s.image, *words, paste_back=False, **more, **options)
    exact = torch.from_numpy(s.mask | s.swap(target).mask)
    found = diffedit_mask(sd, s, *words, generator=noise(), progress=False)
    everything = {
        'DiffEdit': lambda: edit(generator=noise()).image,
        'bold': lambda: edit(bold=True, generator=noise()).image,
        'exact mask': lambda: edit(mask=exact).image,
        'inpainting': lambda: inpaint(sd, s, found, words[1], paste_back=False, generator=noise(), **options),
        'SDEdit': lambda: sdedit(sd, s, words[1], generator=noise(), **options)}
    ways = {way: timed(everything[way]) for way in args.ways}
    pasted = [(paste(s, picture, feather(found)), found.pixel_mask) for picture, _ in ways.values()]
    same = all((np.asarray(p) == np.asarray(s.image))[~mask.numpy()].all() for p, mask in pasted)
    names = [name for name, _ in judge.name([picture for picture, _ in ways.values()])]
    rows = {way: dict(seen=name, outside=psnr(picture, s.image, ~exact.numpy()), seconds=seconds)
            for (way, (picture, seconds)), name in zip(ways.items(), names, strict=True)}
    return dict(subject=s.subject, target=target, seed=s.seed, area=float(s.mask.mean()),
                iou=iou(found, s), same=bool(same), ways=rows)


def success(rows, way): return statistics.mean(row['ways'][way]['seen'] == row['target'] for row in rows)


def table(rows):
    print(f'\n| {"":12} | outside, dB | success | still the old | seconds |')
    print(f'|{"-"*14}|------------:|--------:|--------------:|--------:|')
    for way in rows[0]['ways']:
        found = [row['ways'][way] for row in rows]
        outside, seconds = (statistics.median(f[key] for f in found) for key in ('outside', 'seconds'))
        old = statistics.mean(f['seen'] == row['subject'] for f, row in zip(found, rows, strict=True))
        print(f'| {way:12} | {outside:11.1f} | {success(rows, way):7.0%} | {old:13.0%} | {seconds:7.1f} |')
    same = sum(row['same'] for row in rows)
    print(f'\npasted back: the pixels outside of the mask are identical in {same} of {len(rows)} scenes')


def who_fails(rows):
    first = args.ways[0]
    print(f'\n{first}:')
    for name in subjects():
        those = [row for row in rows if group[row['target']] == name]
        if those: print(f'{name}: success {success(those, first):.0%} of {len(those)}')
    median = statistics.median(row['area'] for row in rows)
    small, large = [r for r in rows if r['area'] < median], [r for r in rows if r['area'] >= median]
    for name, those in ('small', small), ('large', large):
        print(f'{name} objects: success {success(those, first):.0%}')
    seen = [(r['subject'], r['target'], r['ways'][first]['seen']) for r in rows]
    lost = collections.Counter(f'{old} to {target}, seen as {name}' for old, target, name in seen if name != target)
    print('fails:', '; '.join(sorted(lost)) or 'none')


def curves(pairs, steps=25):
    "Both trade-offs over the strength: medians of the PSNR outside, and success."
    print('\n| strength | DiffEdit, dB | success | SDEdit, dB | success |')
    print('|---------:|-------------:|--------:|-----------:|--------:|')
    masks = [diffedit_mask(sd, s.image, caption(s.subject), caption(t), generator=torch.Generator().manual_seed(seed))
             for seed, (s, t) in enumerate(pairs)]
    for strength in (.2, .4, .6, .8, 1.):
        line = f'| {strength:8} |'
        options = dict(strength=strength, num_inference_steps=steps, guidance_scale=args.guidance, progress=False)
        by_diffedit = [diffedit(sd, s.image, caption(s.subject), caption(t), paste_back=False, mask=m, **options).image
                       for (s, t), m in zip(pairs, masks, strict=True)]
        by_sdedit = [sdedit(sd, s.image, caption(t), generator=torch.Generator().manual_seed(seed), **options)
                     for seed, (s, t) in enumerate(pairs)]
        for pictures, width in (by_diffedit, 12), (by_sdedit, 10):
            right = statistics.mean(name == t for (name, _), (_, t) in zip(judge.name(pictures), pairs, strict=True))
            outside = statistics.median(psnr(p, s.image, ~(s.mask | s.swap(t).mask))
                                        for p, (s, t) in zip(pictures, pairs, strict=True))
            line += f' {outside:{width}.1f} | {right:7.0%} |'
        print(line, flush=True)


pairs = edit_pairs(range(args.first_seed, args.first_seed + max(args.scenes, args.curve)), args.across, args.drawing)
wanted = judge.name([s.swap(t).image for s, t in pairs])
held_out = judge_accuracy(judge, drawing=args.drawing)[0]
wanted_right = statistics.mean(name == t for (name, _), (_, t) in zip(wanted, pairs, strict=True))
print(f'{sd}\nThe judge names {held_out:.1%} of held-out scenes right, and {wanted_right:.0%} '
      f'of the scenes that are wanted here.\n'
      f'strength {args.strength}, {args.steps} steps, guidance {args.guidance}, {args.drawing} drawings, '
      f'targets of {"another" if args.across else "the same"} group', flush=True)
for seed, pair in enumerate(pairs[:args.scenes]): results.append(edit_scene(seed, *pair))
if args.out:
    with open(args.out, 'w') as file: file.writelines(json.dumps(row) + '\n' for row in results)
if results:
    table(results)
    who_fails(results)
if args.curve: curves(pairs[:args.curve])
print(f'\n{args.scenes} scenes, {time.perf_counter() - start:.0f} s')
