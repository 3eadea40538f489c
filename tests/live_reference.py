"""What Python says of the scenes that the live page is tested with, and the question that the page gets."""
from dataclasses import dataclass
from functools import cache
import numpy as np
import torch
from lessonlib.diffedit import diffedit
from lessonlib.diffedit_mask import STRENGTHS, THRESHOLDS, QUANTILE, diffedit_mask, iou
from lessonlib.export import GALLERY
from lessonlib.scenes import caption, scene
from lessonlib.stable_diffusion import StableDiffusion

CASES = (0, 'guided', 6), (1, 'paper', 4), (4, 'guided', 3)  # a scene of the gallery, a method, how many noises
EDIT = dict(strength=.8, wanted=10, scale=5.)


@dataclass
class Case:
    "A scene with its noise: what the page is asked, and what Python finds."
    number: int
    method: str
    noise: torch.Tensor
    question: dict
    mask: object
    edit: object
    iou: float


@cache
def model():
    "The shipped model."
    return StableDiffusion.tiny()


@cache
def cases():
    "The cases with Python's answers."
    return [case(*one) for one in CASES]


def case(number, method, n):
    "One of them."
    sd, (subject, target, background, seed) = model(), GALLERY[number]
    s, prompts = scene(subject, background, seed=seed), [caption(subject), caption(target)]
    noise = torch.randn(n, 4, 32, 32, generator=torch.Generator().manual_seed(number))
    found = diffedit_mask(sd, s.image, *prompts, noise=noise, method=method, progress=False)
    options = dict(strength=EDIT['strength'], num_inference_steps=EDIT['wanted'], guidance_scale=EDIT['scale'])
    edited = diffedit(sd, s.image, *prompts, mask=found, progress=False, **options)
    less, more = (sd.timestep(strength) for strength in STRENGTHS.get(method, (.5, .5)))
    question = dict(pixels=np.asarray(s.image).ravel().tolist(), truth=s.mask.astype(int).ravel().tolist(),
                    prompts=prompts, noise=noise.flatten(1).tolist(), edit=EDIT,
                    timesteps=[less]*(n - n//2) + [more]*(n//2),
                    options=dict(method=method, quantile=QUANTILE, threshold=THRESHOLDS[method]))
    return Case(number, method, noise, question, found, edited, iou(found.pixel_mask, s.mask))
