"""Samples of the checkpoints along a training, a row for each, with the samples that it had seen.

    python tools/assets/gallery.py ~/.cache/lessonlib/train gallery.png
    python tools/assets/gallery.py                  # a sample of each subject, in nbs/images/08_samples.png

(nbs/images/08_gallery.png holds some rows and columns of such a sheet, from the run on a GPU that made the weights.)
"""
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
import torch
from PIL import Image, ImageDraw, ImageFont
from lessonlib.scenes import caption, subjects
from lessonlib.stable_diffusion import StableDiffusion
from lessonlib.training import RECIPE, new_text_to_noise, save_model, with_networks

PROMPTS = ['a zebra on grass', 'a horse on sand', 'an apple on snow', 'a bus on a road',
           'a rocket at night', 'a cat on pink', 'a pineapple on wood', 'a horse and a car on grass']
CELL, MARGIN = 132, 80  # px
SAMPLES = Path(__file__).resolve().parents[2]/'nbs'/'images'/'08_samples.png'


def checkpoints(folder: Path) -> Iterator[tuple[Path, int]]:
    "Each checkpoint of the training's rounds, and the samples of the rounds before it."
    done = 0
    for name in RECIPE['rounds']:
        last = folder/name/'last.pt'
        if last.exists():
            for path in (*sorted((folder/name).glob('step-*.pt')), last):
                yield path, done
            done += torch.load(last, weights_only=True)['step'] * RECIPE['rounds'][name]['batch']


def samples(path: Path, finished: StableDiffusion) -> tuple[int, list[Image.Image]]:
    "The step of a checkpoint within its round, and what its weights draw of the prompts, all from one noise."
    state = torch.load(path, weights_only=True)
    step = state['step'] if 'step' in state else int(re.search(r'\d+', path.stem).group())
    model, _, _ = new_text_to_noise()
    model.load_state_dict({name: value.float() for name, value in state.get('average', state).items()})
    noise = torch.Generator().manual_seed(1)
    return step, with_networks(finished, model).generate(PROMPTS, 25, 5., noise, progress=False)


def gallery(folder: Path) -> Image.Image:
    "A row for each checkpoint, a column for each prompt; at the left the samples. Batches as on a processor."
    with tempfile.TemporaryDirectory() as tmp:
        model = save_model(folder, tmp)
        finished = StableDiffusion.from_pretrained(model, dtype=torch.float32, device='cpu')
    rows = list(checkpoints(folder))
    sheet = Image.new('RGB', (CELL * len(PROMPTS) + MARGIN, CELL * len(rows)), 'white')
    for row, (path, before) in enumerate(rows):
        step, pictures = samples(path, finished)
        for column, picture in enumerate(pictures):
            sheet.paste(picture, (MARGIN + CELL * column, CELL * row))
        seen = before + step * RECIPE['rounds'][path.parent.name]['batch']
        ImageDraw.Draw(sheet).text((2, CELL * row + CELL // 2), f'{seen:,}', fill='black')
    return sheet


def light(sheet: Image.Image) -> Image.Image:
    "The same in 256 colours, dithered, so that skies show no steps."
    return sheet.quantize(256, palette=sheet.quantize(256), dither=Image.Dither.FLOYDSTEINBERG)


def subjects_sheet() -> Image.Image:
    "What the shipped model draws of each subject, from its name alone and the first that came."
    names = [name for group in subjects().values() for name in group]
    noise = torch.Generator().manual_seed(0)
    pictures = StableDiffusion.tiny().generate([caption(name) for name in names], 25, 5., noise, progress=False)
    columns, side, words = 6, 140, 22
    sheet = Image.new('RGB', (columns * side, -(-len(names) // columns) * (side + words)), 'white')
    for i, (name, picture) in enumerate(zip(names, pictures, strict=True)):
        x, y = i % columns * side, i // columns * (side + words)
        sheet.paste(picture, (x + 6, y + words))
        ImageDraw.Draw(sheet).text((x + side // 2, y + words // 2), name, 'black', ImageFont.load_default(14), 'mm')
    return sheet


if __name__ == '__main__':
    if len(sys.argv) == 3: gallery(Path(sys.argv[1]).expanduser()).save(sys.argv[2])
    else: light(subjects_sheet()).save(SAMPLES, optimize=True)
