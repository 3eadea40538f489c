"""Draws the picture of the home page, nbs/images/home.png: a horse, its mask and a zebra; below, four more edits.

    python tools/assets/home_picture.py      # after a new model
"""
from pathlib import Path
import torch
from PIL import Image, ImageDraw, ImageFont
from lessonlib.diffedit import DiffEditResult, diffedit
from lessonlib.scenes import caption, scene
from lessonlib.stable_diffusion import StableDiffusion

IMAGE = Path(__file__).resolve().parents[2]/'nbs'/'images'/'home.png'
MORE = dict(strength=1., grow=4)  # all the way to noise, and room of a cell for another shape
# subject, target, background, seed of the scene, options: chosen by eye; no training scene has a seed as high
FIRST = 'horse', 'zebra', 'sand', 10_000_013, {}
OTHERS = [('apple', 'orange', 'grass', 10_000_013, MORE), ('cat', 'dog', 'grass', 10_000_007, MORE),
          ('car', 'bus', 'road', 10_000_010, MORE), ('cow', 'tiger', 'grass', 10_000_013, MORE)]
WIDTH, GAP = 856, 12  # px, of all and between two pictures


def edited(sd: StableDiffusion, subject: str, target: str, background: str, seed: int, options: dict) -> DiffEditResult:
    "What `diffedit` makes of a scene."
    picture, noise = scene(subject, background, seed=seed).image, torch.Generator().manual_seed(0)
    options = dict(method='guided') | options
    return diffedit(sd, picture, caption(subject), caption(target), generator=noise, progress=False, **options)


def row(pictures: list[Image.Image], gaps: list[int], words: list[tuple[str, float]], size: int) -> Image.Image:
    "Pictures side by side, as large as fits into the width, with words above them, each centered somewhere in it."
    side, strip = (WIDTH - sum(gaps)) // len(pictures), 2*size
    whole, font = Image.new('RGB', (WIDTH, strip + side), 'white'), ImageFont.load_default(size)
    left = 0
    for picture, gap in zip(pictures, [*gaps, 0], strict=True):
        whole.paste(picture.resize((side, side), Image.Resampling.BICUBIC), (left, strip))
        left += side + gap
    for text, middle in words:
        ImageDraw.Draw(whole).text((middle*WIDTH, strip//2), text, fill='black', font=font, anchor='mm')
    return whole


def main() -> None:
    sd = StableDiffusion.tiny()
    first, others = edited(sd, *FIRST), [edited(sd, *edit) for edit in OTHERS]
    said = [f'a picture of a {FIRST[0]}', f'found: the {FIRST[0]}', f'edited: a {FIRST[1]}']
    rows = [row([first.original, first.mask.overlay, first.image], [GAP, GAP],
                [(text, k) for text, k in zip(said, (1/6, 1/2, 5/6), strict=True)], 18)]
    names = [f'{caption(subject)} becomes {caption(target)}' for subject, target, *_ in OTHERS]
    for k in 0, 2:
        pairs = [picture for edit in others[k:k + 2] for picture in (edit.original, edit.image)]
        rows.append(row(pairs, [2, 2*GAP, 2], [(names[k], 1/4), (names[k + 1], 3/4)], 16))
    heights = [0]
    for one in rows: heights.append(heights[-1] + one.height + GAP)
    whole = Image.new('RGB', (WIDTH, heights[-1] - GAP), 'white')
    for one, top in zip(rows, heights, strict=False): whole.paste(one, (0, top))
    whole.save(IMAGE, optimize=True)


if __name__ == '__main__':
    main()
