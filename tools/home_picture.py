"""Draws the picture of the home page, nbs/images/home.png: a horse, its mask and a zebra. `python tools/home_picture.py`, after a new model."""
from pathlib import Path
import matplotlib.pyplot as plt, torch
from lessonlib.diffedit import diffedit
from lessonlib.scenes import scene
from lessonlib.stable_diffusion import StableDiffusion

HOME = Path(__file__).resolve().parent.parent/'nbs'/'images'/'home.png'
SEED = 10_000_016  # of the scene, chosen by eye; no training scene has a seed as high

sd = StableDiffusion.tiny()
s = scene('horse', 'grass', seed=SEED)
d = diffedit(sd, s.image, 'a horse', 'a zebra', generator=torch.Generator().manual_seed(0))
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), dpi=80, layout='constrained', facecolor='white')
for ax, picture, title in zip(axes, [s.image, d.mask.overlay, d.image], ['a picture of a horse', 'found: the horse', 'edited: a zebra']):
    ax.imshow(picture, interpolation='nearest')
    ax.set_title(title, fontsize=14, pad=8)
    ax.axis('off')
figure.savefig(HOME, bbox_inches='tight', pad_inches=.05, metadata={'Software': None})
