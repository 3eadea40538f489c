"""Samples of the checkpoints along a training, a row for each, with the samples that it had seen.

    python tools/assets/gallery.py ~/.cache/lessonlib/train gallery.png

(nbs/images/08_gallery.png holds some rows and columns of such a sheet, from the run on a GPU that made the weights.)
"""
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
import torch
from PIL import Image, ImageDraw
from lessonlib.stable_diffusion import StableDiffusion
from lessonlib.training import RECIPE, new_text_to_noise, save_model, with_networks

PROMPTS = ['a zebra on grass', 'a horse on sand', 'an apple on snow', 'a bus on a road',
           'a rocket at night', 'a cat on pink', 'a pineapple on wood', 'a horse and a car on grass']
CELL, MARGIN = 132, 80  # px


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


if __name__ == '__main__':
    gallery(Path(sys.argv[1]).expanduser()).save(sys.argv[2])
