"""Trim the rendered emoji, paint the missing zebras, save small PNGs: `python make_sprites.py raw ../lessonlib/data/sprites`."""
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 144                                      # px, the longer side


def trim(im):
    "Crop `im` to what is at least half opaque."
    return im.crop(im.getchannel('A').point(lambda a: 255 * (a > 127)).getbbox())


def stripes(im):
    "A zebra from a horse: its light and shade in grey, black stripes across the body."
    a = np.asarray(im, dtype=np.float32) / 255
    grey = a[..., :3] @ np.float32([.3, .59, .11])
    inside = a[..., 3] > .5
    lo, hi = np.quantile(grey[inside], [.02, .98])
    grey = .55 + .4 * np.clip((grey - lo) / (hi - lo), 0, 1)
    y, x = np.mgrid[:a.shape[0], :a.shape[1]] / max(a.shape[:2])
    wave = np.sin(2 * np.pi * (11 * x + 3 * y + .25 * np.sin(9 * y)))
    grey = np.where(wave > .15, .1, grey)
    return Image.fromarray((255 * np.dstack([grey] * 3 + [a[..., 3]])).astype('uint8'), 'RGBA')


raw, out = map(Path, sys.argv[1:])
for path in sorted(raw.glob('*/*.png')):
    im = trim(Image.open(path).convert('RGBA'))
    figures = {path.stem: im}
    if path.stem == 'horse' and path.parent.name in ('twemoji', 'fxemoji'): figures['zebra'] = stripes(im)
    for name, im in figures.items():
        im = im.resize([max(1, round(s * SIDE / max(im.size))) for s in im.size], Image.LANCZOS)
        target = out / path.parent.name / f'{name}.png'
        target.parent.mkdir(parents=True, exist_ok=True)
        im.quantize(128, method=Image.FASTOCTREE).save(target, optimize=True)
