"""Trim the rendered emoji, paint the missing zebras, save small PNGs.

    node tools/assets/make_sprites.mjs raw && python tools/assets/make_sprites.py raw lessonlib/data/sprites
"""
import sys
from pathlib import Path
import numpy as np
from PIL import Image

SIDE = 144  # px, the longer side
ZEBRAS = 'twemoji', 'fxemoji'  # the sets whose zebra is made from their horse: they have none that is a whole figure


def trim(sprite: Image.Image) -> Image.Image:
    "Cut off what is less than half opaque around the figure."
    opaque = sprite.getchannel('A').point(lambda alpha: 255 * (alpha > 127))
    return sprite.crop(opaque.getbbox())


def stripes(horse: Image.Image) -> Image.Image:
    "A zebra from a horse: its light and shade in grey, black stripes across the body."
    pixels = np.asarray(horse, dtype=np.float32) / 255
    alpha = pixels[..., 3]
    grey = pixels[..., :3] @ np.float32([.3, .59, .11])
    low, high = np.quantile(grey[alpha > .5], [.02, .98])
    grey = .55 + .4 * np.clip((grey - low) / (high - low), 0, 1)
    y, x = np.mgrid[:alpha.shape[0], :alpha.shape[1]] / max(alpha.shape)
    wave = np.sin(2 * np.pi * (11 * x + 3 * y + .25 * np.sin(9 * y)))
    grey = np.where(wave > .15, .1, grey)
    return Image.fromarray((255 * np.dstack([grey] * 3 + [alpha])).astype('uint8'), 'RGBA')


def save(sprite: Image.Image, path: Path) -> None:
    "As a PNG of 128 colours, SIDE px long."
    size = [max(1, round(side * SIDE / max(sprite.size))) for side in sprite.size]
    path.parent.mkdir(parents=True, exist_ok=True)
    small = sprite.resize(size, Image.LANCZOS)
    small.quantize(128, method=Image.FASTOCTREE).save(path, optimize=True)


def main(raw: Path, out: Path) -> None:
    "All sprites, folder by folder."
    for path in sorted(raw.glob('*/*.png')):
        sprite = trim(Image.open(path).convert('RGBA'))
        save(sprite, out/path.parent.name/path.name)
        if path.stem == 'horse' and path.parent.name in ZEBRAS:
            save(stripes(sprite), out/path.parent.name/'zebra.png')


if __name__ == '__main__':
    main(*map(Path, sys.argv[1:]))
