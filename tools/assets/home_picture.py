"""Draws the picture of the home page, nbs/images/home.png: a horse, its mask and a zebra.

    python tools/assets/home_picture.py      # after a new model
"""
from pathlib import Path
import matplotlib.pyplot as plt
import torch
from lessonlib.diffedit import diffedit
from lessonlib.scenes import scene
from lessonlib.stable_diffusion import StableDiffusion

IMAGE = Path(__file__).resolve().parents[2]/'nbs'/'images'/'home.png'
SEED = 10_000_016  # of the scene, chosen by eye; no training scene has a seed as high

picture = scene('horse', 'grass', seed=SEED).image
noise = torch.Generator().manual_seed(0)
edit = diffedit(StableDiffusion.tiny(), picture, 'a horse', 'a zebra', generator=noise)
shown = {'a picture of a horse': picture, 'found: the horse': edit.mask.overlay, 'edited: a zebra': edit.image}
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), dpi=80, layout='constrained', facecolor='white')
for ax, (title, image) in zip(axes, shown.items(), strict=True):
    ax.imshow(image, interpolation='nearest')
    ax.set_title(title, fontsize=14, pad=8)
    ax.axis('off')
figure.savefig(IMAGE, bbox_inches='tight', pad_inches=.05, metadata={'Software': None})
