"""Makes what the home page shows: pictures in nbs/images, and the numbers of the mask with a slider.

home.png is a horse, its mask and a zebra; home_edits.png has four more edits; tools/site/theme/hero.json holds three
subjects, each with its picture, its edit, the map that DiffEdit found, and the exact mask.

    python tools/assets/home_picture.py      # after a new model
"""
import base64
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
import torch
from PIL import Image, ImageDraw, ImageFont
from lessonlib.diffedit import DiffEditResult, diffedit
from lessonlib.diffedit_mask import iou
from lessonlib.scenes import caption, scene
from lessonlib.stable_diffusion import StableDiffusion

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT/'nbs'/'images'
HERO = ROOT/'tools'/'site'/'theme'/'hero.json'
MORE = dict(strength=1., grow=4)  # all the way to noise, and room of a cell for another shape
# subject, target, background, seed of the scene, options: chosen by eye; no training scene has a seed as high
FIRST = 'horse', 'zebra', 'sand', 10_000_013, {}
OTHERS = [('apple', 'orange', 'grass', 10_000_013, MORE), ('cat', 'dog', 'grass', 10_000_007, MORE),
          ('car', 'bus', 'road', 10_000_010, MORE), ('cow', 'tiger', 'grass', 10_000_013, MORE)]
LIVE = FIRST, OTHERS[1], OTHERS[3]  # the subjects of the mask with a slider
WIDTH, GAP = 856, 12  # px, of all and between two pictures


def edited(sd: StableDiffusion, subject: str, target: str, background: str, seed: int, options: dict) -> DiffEditResult:
    "What `diffedit` makes of a scene."
    picture, noise = scene(subject, background, seed=seed).image, torch.Generator().manual_seed(0)
    options = dict(method='guided') | options
    return diffedit(sd, picture, caption(subject), caption(target), generator=noise, progress=False, **options)


def row(pictures: list[Image.Image], gaps: list[int], words: Iterable[tuple[str, float]], size: int) -> Image.Image:
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


def below(rows: list[Image.Image]) -> Image.Image:
    "Rows of one height, one below the other."
    step = rows[0].height + GAP
    whole = Image.new('RGB', (WIDTH, step*len(rows) - GAP), 'white')
    for i, one in enumerate(rows): whole.paste(one, (0, i*step))
    return whole


def jpeg(picture: Image.Image) -> str:
    "A picture as text that a page can hold."
    file = io.BytesIO()
    picture.convert('RGB').save(file, 'jpeg', quality=90, optimize=True)
    return f'data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}'


def runs(mask: torch.Tensor) -> list[int]:
    "A mask row by row as lengths: so many pixels outside, so many inside, and so on."
    flat = mask.flatten().int()
    edges = torch.cat([torch.tensor([1]), flat.diff().abs(), torch.tensor([1])]).nonzero().flatten()
    lengths = edges.diff().tolist()
    return [0, *lengths] if flat[0] else lengths


def live(edit: tuple, found: DiffEditResult) -> dict[str, Any]:
    "What the page needs of one subject: `map` holds one byte a pixel, the difference in [0, 1] times 255."
    subject, target, background, seed, _ = edit
    truth, mask = torch.as_tensor(scene(subject, background, seed=seed).mask), found.mask
    grey = (mask.pixel_difference*255).round().byte().numpy().tobytes()
    return dict(subject=subject, target=target, picture=jpeg(found.original), edit=jpeg(found.image),
                map=base64.b64encode(grey).decode(), truth=runs(truth), threshold=round(mask.threshold, 2),
                iou=round(float(iou(mask.pixel_mask, truth)), 4))


def main() -> None:
    "Write home.png, home_edits.png and hero.json."
    sd = StableDiffusion.tiny()
    first, others = edited(sd, *FIRST), [edited(sd, *edit) for edit in OTHERS]
    words = (f'a picture of a {FIRST[0]}', 1/6), (f'found: the {FIRST[0]}', 1/2), (f'edited: a {FIRST[1]}', 5/6)
    row([first.original, first.mask.overlay, first.image], [GAP, GAP], words, 18).save(IMAGES/'home.png', optimize=True)
    rows = []
    for k in range(0, len(OTHERS), 2):
        pictures = [picture for edit in others[k:k + 2] for picture in (edit.original, edit.image)]
        names = [f'{caption(subject)} becomes {caption(target)}' for subject, target, *_ in OTHERS[k:k + 2]]
        rows.append(row(pictures, [2, 2*GAP, 2], list(zip(names, (1/4, 3/4), strict=True)), 16))
    below(rows).save(IMAGES/'home_edits.png', optimize=True)
    found = [(edit, result) for edit, result in zip((FIRST, *OTHERS), (first, *others), strict=True) if edit in LIVE]
    text = ',\n'.join(json.dumps(live(edit, result)) for edit, result in found)
    HERO.write_text(f'[\n{text}\n]\n', encoding='utf-8')


if __name__ == '__main__':
    main()
