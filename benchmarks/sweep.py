"""How well masks fit, over strengths, noises and thresholds, beside the mask of diffusers' deprecated pipeline.

    python benchmarks/sweep.py                 # 300 held-out scenes, half of them with a target of another group
    python benchmarks/sweep.py --quick

The same scenes, weights and seeds of the noise for all. The pipeline is asked once a scene, with its defaults (n = 10,
strength and threshold .5); 'diffusers' is its way from the noise predictions to a mask, on our predictions, so that it
can be swept as well.
"""
import functools
from dataclasses import replace
import numpy as np
from pairs import quartiles

TITLE = 'Mask IoU: ours and the pipeline\'s, over strength, n and threshold'
STRENGTHS, NUMBERS, THRESHOLDS = (.3, .5, .7), (1, 3, 10), (.3, .4, .5, .6, .7)
EACH = 10 # scenes of one piece of work


@functools.cache
def models():
    "The shipped model, and the pipeline around it."
    from lessonlib.stable_diffusion import StableDiffusion, diffedit_pipeline
    sd = StableDiffusion.tiny()
    return sd, diffedit_pipeline(sd)


def scores(seeds, across):
    "Way -> its IoU with each scene's mask; a way is 'method|strength|n|threshold'."
    import torch
    from lessonlib.diffedit_mask import diffedit_mask, edit_pairs, iou
    from lessonlib.masks import otsu
    from lessonlib.scenes import caption
    (sd, pipeline), found = models(), {}

    def add(m, strength, s):
        soft, name = m.pixel_difference, f'{m.method}|{strength}|{len(m.maps)}'
        for threshold in (*THRESHOLDS, m.threshold):
            found.setdefault(f'{name}|{threshold}', {})[s.seed] = iou(soft > threshold, s)
        found.setdefault(f'{name}|otsu', {})[s.seed] = iou(soft > otsu(soft), s)

    for s, target in edit_pairs(seeds, across):
        def noise(seed=s.seed): return torch.Generator().manual_seed(seed)
        words = caption(s.subject), caption(target)
        for strength in STRENGTHS:
            m = diffedit_mask(sd, s.image, *words, strength=strength, generator=noise(), progress=False)
            for method in 'paper', 'diffusers':
                for n in NUMBERS: add(replace(m, method=method, maps=m.maps[:n]), strength, s)
        add(diffedit_mask(sd, s.image, *words, method='guided', generator=noise(), progress=False), 'own', s)
        theirs = pipeline.generate_mask(s.image, words[1], source_prompt=words[0], generator=noise())
        mask = torch.from_numpy(theirs[0] > .5).repeat_interleave(sd.factor, 0).repeat_interleave(sd.factor, 1)
        found.setdefault('pipeline|0.5|10|0.5', {})[s.seed] = iou(mask, s)
    return {way: list(values.values()) for way, values in found.items()}


def work(quick):
    "(name, function) of each piece: ten scenes."
    first, each = 10_002_000, 1 if quick else EACH
    for k in range(2 if quick else 30):
        def piece(k=k): return scores(range(first + k*each, first + (k + 1)*each), bool(k % 2))
        yield f'scenes {k*each} to {(k + 1)*each - 1}, {"across" if k % 2 else "within"}', piece


def tables(found):
    "[(words, rows)] from the pieces that were found."
    ways = {}
    for piece in found.values():
        for way, values in piece.items(): ways.setdefault(way, []).extend(values)
    theirs = np.array(ways['pipeline|0.5|10|0.5'])
    by_way, best = [], {}
    for way, values in ways.items():
        method, strength, n, threshold = way.split('|')
        best.setdefault((method, strength, n), {})[threshold] = np.array(values)
    for (method, strength, n), cut in best.items():
        row = {'way': method, 'strength': strength, 'n': n}
        for threshold in (*map(str, THRESHOLDS), 'otsu'):
            row[f'at {threshold}'] = f'{cut[threshold].mean():.3f}' if threshold in cut else ''
        by_way.append(row)
    chosen = {'paper, strength .5, n = 10, at .5': ('paper', '0.5', '10', '0.5'),
              'paper, strength .5, n = 10, Otsu': ('paper', '0.5', '10', 'otsu'),
              'guided, its own strengths and threshold': ('guided', 'own', '10', '0.45'),
              'diffusers\' way on our predictions': ('diffusers', '0.5', '10', '0.5')}
    beside = []
    for name, (*way, threshold) in chosen.items():
        ours = best[tuple(way)][threshold]
        ratio = ours / np.maximum(theirs, .01)
        beside.append({'ours': name, 'mean IoU': f'{ours.mean():.3f}', 'median': f'{np.median(ours):.3f}',
                       'theirs, mean': f'{theirs.mean():.3f}', 'median of theirs': f'{np.median(theirs):.3f}',
                       'ours / theirs, scene by scene': quartiles(ratio.tolist()),
                       'better in': f'{np.mean(ours > theirs):.0%}', 'worse in': f'{np.mean(ours < theirs):.0%}'})
    return [(f'{len(theirs)} scenes, beside the pipeline\'s own mask of the same scene:', beside),
            ('Mean IoU at each threshold:', by_way)]


if __name__ == '__main__':
    from bench import main
    main('sweep')
