"""Samples of the checkpoints along a training, one row each, in nbs/images/08_gallery.png.

    python tools/gallery.py ~/.cache/lessonlib/train
"""
import re, sys, tempfile
from pathlib import Path
import torch
from PIL import Image, ImageDraw
from lessonlib.stable_diffusion import StableDiffusion
from lessonlib.training import RECIPE, new_text_to_noise, save_model, with_networks

PROMPTS = ['a zebra on grass', 'a horse on sand', 'an apple on snow', 'a bus on a road', 'a rocket at night', 'a cat on pink', 'a pineapple on wood', 'a horse and a car on grass']
folder = Path(sys.argv[1]).expanduser()
with tempfile.TemporaryDirectory() as tmp: finished = StableDiffusion.from_pretrained(save_model(folder, tmp), dtype=torch.float32, device='cpu')
rows, done = [], 0    # checkpoint, steps of the rounds before
for name in RECIPE['rounds']:
    if not (folder/name/'last.pt').exists(): continue
    rows += [(path, done) for path in (*sorted((folder/name).glob('step-*.pt')), folder/name/'last.pt')]
    done += torch.load(folder/name/'last.pt', weights_only=True)['step']
sheet = Image.new('RGB', (66 * len(PROMPTS) + 40, 66 * len(rows)), 'white')
for y, (path, before) in enumerate(rows):
    model, _, _ = new_text_to_noise()
    state = torch.load(path, weights_only=True)
    model.load_state_dict({k: v.float() for k, v in state.get('average', state).items()})
    step = state['step'] if 'step' in state else int(re.search(r'\d+', path.stem).group())
    pictures = with_networks(finished, model).generate(PROMPTS, 25, 5., torch.Generator().manual_seed(1), progress=False)
    for x, picture in enumerate(pictures): sheet.paste(picture, (40 + 66 * x, 66 * y))
    ImageDraw.Draw(sheet).text((2, 66 * y + 26), f'{before + step:,}', fill='black')
sheet.quantize(128).save(Path(__file__).resolve().parent.parent/'nbs'/'images'/'08_gallery.png', optimize=True)
