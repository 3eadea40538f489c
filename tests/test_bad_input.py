"""What is refused, with its words: one table of bad input for all that is public, functions and commands.

Each row is a call, the kind of its error, and what the message says: which argument, what is wanted, what came. No row
asks the UNet, and none leaves anything in its folder. What is public and has no row is listed with why.
"""
import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
import numpy as np
import pytest
import torch
from PIL import Image
from installed import ROOT
from lessonlib.diffedit import ddim_encode
from lessonlib.diffedit_mask import diffedit_mask
from lessonlib.inputs import read_picture
from lessonlib.scenes import scene
from lessonlib.stable_diffusion import StableDiffusion
from tools.settings import settings

ROWS, T, V = [], TypeError, ValueError
NAN, INF = float('nan'), float('inf')
WORDS = 'a horse', 'a zebra'


def bad(name, call, error, words):
    "A row: `call(f, k)` of the public f raises the error, and its message has the words. k: see `kit`."
    ROWS.append(pytest.param(name, call, error, words, id=f'{name}-{len(ROWS)}'))


# ---- the door

bad('inputs.as_number', lambda f, k: f(True, 'x'), T, 'x: expected a number, got True')
bad('inputs.as_number', lambda f, k: f('1', 'x', 0, 1), T, "x: expected a number in [0, 1], got '1'")
bad('inputs.as_number', lambda f, k: f(NAN, 'x', 0, 1), V, 'x: expected a number in [0, 1], got nan')
bad('inputs.as_number', lambda f, k: f(0, 'x', 0, above=True), V, 'x: expected a number above 0, got 0')
bad('inputs.as_number', lambda f, k: f(torch.ones(2), 'x'), T, 'got float32 tensor of shape (2,)')
bad('inputs.as_whole', lambda f, k: f(2., 'n'), T, 'n: expected a whole number, 0 or more, got 2.0')
bad('inputs.as_whole', lambda f, k: f(10**30, 'n', 0, 9), V, 'n: expected a whole number from 0 to 9, got 1')
bad('inputs.one_of', lambda f, k: f(1, 'way', ('up', 'down')), V, 'way: expected one of up, down, got 1')
bad('inputs.as_texts', lambda f, k: f(3), T, 'prompts: expected a str or a list of str, got 3')
bad('inputs.as_texts', lambda f, k: f(['a', None]), T, 'got a list with None')
bad('inputs.as_texts', lambda f, k: f([]), V, 'prompts: expected at least one text, got none')
bad('inputs.as_dtype', lambda f, k: f('float8_e4m3fn'), V, "dtype: expected a dtype of floats such as torch.float32")
bad('inputs.as_dtype', lambda f, k: f('float13'), V, "dtype: expected a dtype of floats such as torch.float32")
bad('inputs.as_dtype', lambda f, k: f(torch.int64), V, 'got torch.int64')
bad('inputs.as_dtype', lambda f, k: f(np.float32), T, 'dtype: expected a dtype of floats')
bad('inputs.as_device', lambda f, k: f('gpu'), V, "device: expected a device of this machine such as 'cpu'")
bad('inputs.as_device', lambda f, k: f('meta'), V, "got 'meta'")
bad('inputs.as_device', lambda f, k: f(None), T, 'got None')
bad('inputs.as_function', lambda f, k: f(3, 'blend'), T, 'blend: expected a function or None, got 3')
bad('inputs.as_generator', lambda f, k: f(7), T, 'of a seed it is made by torch.Generator().manual_seed(seed)')
bad('inputs.as_tensor', lambda f, k: f('abc', 't'), T, "t: expected a tensor or an array, got 'abc'")
bad('inputs.as_tensor', lambda f, k: f([1., NAN], 't', finite=True), V, 't: expected finite numbers, got nan')
bad('inputs.as_tensor', lambda f, k: f(np.array(['a']), 't'), T, 'got <U1 array of shape (1,)')
bad('inputs.as_tensor', lambda f, k: f([[1], [2, 3]], 't'), T, 'got list')
bad('inputs.as_array', lambda f, k: f(torch.ones(2).bfloat16(), 'a'), T, 'of a dtype that numpy has, got bfl')
bad('inputs.as_array', lambda f, k: f(np.ones(3), 'a', ndim=2), V, 'an array, got shape (3,)')
bad('inputs.as_picture', lambda f, k: f('horse.png'), T, 'got \'horse.png\'; read_picture reads a file')
bad('inputs.as_picture', lambda f, k: f(Image.new('RGB', (0, 4))), V, 'image: expected a picture with pixels')
bad('inputs.as_picture', lambda f, k: f(torch.zeros(5)), V, 'image: expected a picture of shape (h, w), ')
bad('inputs.as_picture', lambda f, k: f(torch.zeros(2, 3, 4, 4)), V, 'expected one picture, got a batch of 2')
bad('inputs.as_picture', lambda f, k: f(torch.full((3, 4, 4), NAN)), V, 'got nan or infinity')
bad('inputs.as_picture', lambda f, k: f(torch.full((3, 4, 4), 200.)), V, 'x/255 would bring it there')
bad('inputs.as_picture', lambda f, k: f(torch.rand(3, 4, 4)*2 - 1), V, '(x + 1)/2 would bring it there')
bad('inputs.as_picture', lambda f, k: f(np.zeros((4, 4), 'int64')), V, 'uint8, uint16 or bool, got int64')
bad('inputs.as_pictures', lambda f, k: f([]), V, 'image: expected at least one picture, got none')
bad('inputs.as_pictures', lambda f, k: f([torch.zeros(3, 4, 4), torch.zeros(3, 4, 5)]), V, 'pictures of one size')
bad('inputs.to_pil', lambda f, k: f(torch.zeros(2, 3, 4, 4)), V, 'take one of them, to_pil(x[0]), or draw them')
bad('inputs.as_mask', lambda f, k: f(torch.rand(4, 4)), V, 'cut it first, for example x > .5')
bad('inputs.as_mask', lambda f, k: f(np.ones((4, 4), bool), 'truth', (3, 4)), V, 'truth: expected shape (3, 4)')
bad('inputs.as_mask', lambda f, k: f('mask.png'), T, 'mask: expected a mask (PIL, tensor or array)')
bad('inputs.as_mask', lambda f, k: f(np.ones((0, 4), bool)), V, 'mask: expected a mask with pixels, got shape')
for no_picture in ('none.png', 'words.png', 'cut.png', 'empty.png', '.', '\0', 'x'*300):
    bad('inputs.read_picture', lambda f, k, name=no_picture: f(name if name in ('\0', '.') else k.folder/name), V,
        'path: expected a picture file, got ')
bad('inputs.read_picture', lambda f, k: f(k.folder/'none.png'), V, ': there is no such file')
bad('inputs.read_picture', lambda f, k: f(k.folder/'cut.png'), V, ': it cannot be read as a picture (')
bad('inputs.shipped', lambda f, k: f('models/huge'), V, 'name: expected one of the files that come with lesson')
bad('photos.open_photo', lambda f, k: f(k.folder/'words.png'), V, 'it cannot be read as a picture')
bad('photos.fit', lambda f, k: f('photo.png', k.sd), T, "photo: expected a picture (PIL, tensor or array), got ")
bad('photos.fit', lambda f, k: f(k.horse, k.sd, 0), V, 'size: expected a whole number, 1 or more, got 0')
bad('photos.Fitted', lambda f, k: k.fitted.values_back(torch.zeros(3, 3)), V, 'values: expected the shape (64, 64)')
bad('photos.Fitted', lambda f, k: k.fitted.image_back(torch.zeros(3, 9, 9)), V, 'image: expected the shape (64')
bad('photos.snapshot', lambda f, k: f(k.horse, k.folder/'a.jpg', grain=2), V, 'grain: expected a number in [0, 1]')
bad('photos.snapshot', lambda f, k: f(k.horse, k.folder/'a.jpg', quality=99), V, 'quality: expected a whole nu')
bad('photos.snapshot', lambda f, k: f(k.horse, k.folder/'a.jpg', size=0), V, 'size: expected a whole number, 1')
bad('photos.snapshot', lambda f, k: f(k.horse, k.folder/'a.jpg', seed=-1), V, 'seed: expected a whole number, 0')

# ---- matrices and shapes

PRODUCTS = ['matmul.matmul_loops', 'matmul.matmul_dot', 'matmul.matmul_numba', 'matmul.matmul_elementwise',
            'broadcasting.matmul_rows', 'broadcasting.matmul_broadcast', 'gemm.gemm', 'gemm.gemm_parallel']
BOTH = 'a, b: expected tensors or arrays (m, k) and (k, n), both float32 or both float64, got '
for product in [*PRODUCTS, 'matmul.check_operands']:
    bad(product, lambda f, k: f(k.ones(2, 3), k.ones(2, 3)), V, BOTH + 'float32 array of shape (2, 3) and ')
    bad(product, lambda f, k: f(k.ones(3), k.ones(3, 2)), V, BOTH + 'float32 array of shape (3,)')
    bad(product, lambda f, k: f(k.ones(2, 2), k.ones(2, 2).astype('float64')), T, BOTH)
    bad(product, lambda f, k: f(k.ones(2, 2), torch.ones(2, 2)), T, 'and float32 tensor of shape (2, 2)')
    bad(product, lambda f, k: f(torch.ones(2, 2).half(), torch.ones(2, 2).half()), T, BOTH + 'float16 tensor')
    bad(product, lambda f, k: f([[1.]], [[1.]]), T, BOTH + 'list and list')
bad('matmul.inner_product', lambda f, k: f(min, max)(k.ones(2, 0), k.ones(0, 2)), V, 'k of 1 or more, got 0')
bad('matmul.inner_product', lambda f, k: f(min, max)(k.ones(2), k.ones(2)),
    V, '(k, n), of one dtype, got float32 array')
bad('matmul.inner_product', lambda f, k: f(min, max)(k.ones(2, 2), [1]), T, 'a, b: expected tensors or arrays')
bad('matmul.dot', lambda f, k: f(k.ones(2), k.ones(3)), V, 'x, y: expected one length, got 2 and 3')
bad('matmul.frobenius_norm', lambda f, k: f(k.ones(3)), V, 'a: expected an (m, n) tensor or array of floats, got')
bad('matmul.frobenius_norm', lambda f, k: f(torch.ones(2, 2).long()), T, 'got int64 tensor of shape (2, 2)')
bad('matmul.frobenius_norm', lambda f, k: f('ab'), T, "got 'ab'")
bad('broadcasting.broadcast_shape', lambda f, k: f((2, 3), (4, 3)), V,
    'axis -2: operand 0 of shape (2, 3) has size 2, operand 1 of shape (4, 3) has size 4; sizes must be equal')
bad('broadcasting.broadcast_shape', lambda f, k: f((2.5,)), T, 'shapes: expected tuples of whole numbers, got ')
bad('broadcasting.broadcast_shape', lambda f, k: f((-1,)), V, 'expected sizes of 0 or more, got (-1,) for operand 0')
bad('broadcasting.explain_broadcast', lambda f, k: f(), V, 'operands: expected 1 to 26 shapes or tensors, got 0')
bad('broadcasting.explain_broadcast', lambda f, k: f('ab'), T, 'operands: expected tensors, arrays or tuples of')
bad('broadcasting.explain_broadcast', lambda f, k: f(*[1]*27), V, 'got 27')
bad('broadcasting.explain_broadcast', lambda f, k: f(torch.eye(2).to_sparse()), T, 'a tensor with strides, got ')
bad('broadcasting.einsum', lambda f, k: f('ij', [1]), T, 'tensors: expected one or more tensors, got list')
bad('broadcasting.einsum', lambda f, k: f('ij->i'), T, 'tensors: expected one or more tensors, got none')
bad('broadcasting.einsum', lambda f, k: f(3, torch.ones(2)), T, 'spec: expected a str, got 3')
bad('broadcasting.einsum', lambda f, k: f('ij,jk', torch.ones(2, 2)), V, 'has 2 operands, got 1 tensors')
bad('broadcasting.einsum', lambda f, k: f('i,i->', torch.ones(2), torch.ones(3)), V, "'i' has size 2 in operand 0")
bad('broadcasting.einsum', lambda f, k: f('ii', torch.ones(2, 3)), V, "'i' is twice in operand 0 with the sizes [2, 3]")
bad('broadcasting.einsum', lambda f, k: f('i->j', torch.ones(2)), V, "the answer has 'j', which no operand has")
bad('broadcasting.einsum', lambda f, k: f('i,i->', torch.ones(2), torch.ones(2).double()), T, 'expected one dtype')
bad('broadcasting.einsum', lambda f, k: f('i1', torch.ones(2, 2)), V, 'spec: expected letters and at most one ...')
bad('letters.read_letters', lambda f, k: f('ij', [torch.ones(2)]), V, 'does not fit operand 0, which has 1 axes')
bad('gemm.gemm_cuda', lambda f, k: f(torch.ones(2, 2), torch.ones(2, 2)), T, 'a, b: expected numpy arrays, got')
bad('gemm.gemm_cuda', lambda f, k: f(k.ones(2, 2), k.ones(2, 2), tile=33), V, 'tile: expected a whole number from 1')
bad('gemm.paired', lambda f, k: f(abs, abs, 1, runs=0), V, 'runs: expected a whole number, 1 or more, got 0')
bad('reports.explain_storage', lambda f, k: f([1]), T, 't: expected a tensor with strides, got list')
bad('reports.as_shapes', lambda f, k: f([(1,)*65]), V, 'shapes: expected at most 64 axes, got 65 for operand 0')
bad('reports.explain_shapes', lambda f, k: f([], max), V, 'operands: expected 1 to 26 shapes or tensors, got 0')
bad('reports.show_stretched', lambda f, k: f(torch.ones(9, 9), torch.ones(1)), V, 'expected up to 64 cells')
bad('reports.show_stretched', lambda f, k: f(torch.ones(2), torch.ones(1), sign='x'), V, 'sign: expected one of')

# ---- time, exercises, drawing

bad('timing.measure', lambda f, k: f(abs, 1, most=0), V, 'most: expected a whole number, 1 or more, got 0')
bad('timing.measure', lambda f, k: f(abs, 1, seconds=-1), V, 'seconds: expected a number from 0 up, got -1')
bad('timing.machine', lambda f, k: f('gpu'), V, 'device: expected a device of this machine')
bad('timing.relative_error', lambda f, k: f([1, 2], [1]), V, 'found: expected shape (1,), got (2,)')
bad('timing.relative_error', lambda f, k: f('a', 1), T, 'found: expected numbers, got')
bad('timing.ladder', lambda f, k: f(dict(a=abs), 1, reference='b'), V, "reference: expected one of a, got 'b'")
bad('timing.ladder', lambda f, k: f(dict(a=abs), 1, reference='a', flops=0), V, 'flops: expected a number above 0')
bad('timing.ladder', lambda f, k: f(dict(a=abs), 1, reference='a', rows=dict(a=1)), V, 'rows: expected a first')
bad('timing.Ladder', lambda f, k: f([], 'a', '')['b'], KeyError, "expected one of , got 'b'")
bad('check.check', lambda f, k: f(abs, abs, []), V, 'inputs: expected at least one tuple of arguments, got none')
bad('check.check', lambda f, k: f(abs, abs, 3), T, 'inputs: expected a list of tuples of arguments, got 3')
bad('check.check', lambda f, k: f(abs, abs, torch.ones(2)), T, 'got float32 tensor of shape (2,)')
bad('check.Puzzle', lambda f, k: f('a', abs, []).check(abs), V, 'inputs: expected at least one tuple')
bad('check.random_cases', lambda f, k: f(lambda random: (1,), count='x'), T, "'str' object cannot be interpr")
bad('quiz.quiz', lambda f, k: f(('2?', 2, (2, 3))), V, 'wrong: expected options that differ from each other')
bad('quiz.quiz', lambda f, k: f(('2?', torch.ones(2))), V, 'answer: expected one number, a tuple or words, got ')
bad('quiz.quiz', lambda f, k: f(('2?', 2)).ask(2), V, 'number: expected a whole number from 1 to 1, got 2')
bad('quiz.quiz', lambda f, k: f(('2?', 0, range(1, 12))), V, 'wrong: expected up to 9 wrong options, got 11')
bad('questions.shape_questions', lambda f, k: f(str, 'love'), V, 'about: expected one of unit axes, storage, ')
bad('widgets.fill_template', lambda f, k: f('explorer.css', A=1), V, 'parts: expected none for explorer.css, got A')
bad('widgets.live_mask', lambda f, k: f(torch.ones(2, 2), k.horse), V, 'maps: expected an (n, h, w) tensor')
bad('widgets.live_mask', lambda f, k: f(torch.full((1, 2, 2), NAN), k.horse), V, 'maps: expected finite numbers')
bad('widgets.live_mask', lambda f, k: f(torch.ones(1, 2, 2), k.horse, quantile=.5), V, 'expected none without `c')
bad('widgets.live_mask', lambda f, k: f(torch.ones(1, 2, 2), k.horse, threshold=2), V, 'threshold: expected a num')
bad('widgets.live_mask', lambda f, k: f(torch.ones(1, 2, 2), k.horse).result(n=2), V, 'n: expected a whole number')
bad('show.show_image', lambda f, k: f('a.png'), T, 'image: expected a picture (PIL, tensor or array)')
bad('show.show_images', lambda f, k: f([]), V, 'images: expected at least one')
bad('show.show_images', lambda f, k: f(3), T, 'images: expected a list of pictures, got 3')
bad('show.show_images', lambda f, k: f([k.horse], ['a', 'b']), V, 'titles: expected')
bad('show.show_map', lambda f, k: f(torch.ones(2)), V, 'values: expected')
bad('show.show_map', lambda f, k: f(torch.ones(2, 2), vmin=1, vmax=1), V, 'vmax: expected more than vmin, 1')
bad('show.show_maps', lambda f, k: f([]), V, 'maps: expected at least one')
bad('show.show_maps', lambda f, k: f(3), T, 'maps: expected a list of (h, w) tensors, got 3')
bad('show.show_tensor', lambda f, k: f(torch.ones(300)), V, 't: expected 1 to 256 numbers, got 300 of shape (300,)')
bad('show.show_tensor', lambda f, k: f('abc'), T, 't: expected a tensor of up to 3 axes')
bad('show.overlay', lambda f, k: f(k.horse, k.horse.mask, alpha=2), V, 'alpha: expected a number in [0, 1], got 2')
bad('show.overlay', lambda f, k: f(k.horse, k.horse.mask, color='reddish'), V, 'color: expected a name that PIL')
bad('show.overlay', lambda f, k: f(k.horse, torch.full((2, 2), 7.)), V, 'mask: expected')
bad('show.light_figures', lambda f, k: f(0), V, 'quality: expected a whole number from 1 to 95, got 0')
bad('show.colorize', lambda f, k: f(torch.ones(2)), V, 'values: expected')
bad('show.label', lambda f, k: f(k.horse, 3), T, 'text: expected a str, got 3')
bad('show.label', lambda f, k: f(k.horse, 'a', scale=0), V, 'scale: expected a whole number, 1 or more, got 0')
bad('show.to_pil', lambda f, k: f('a.png'), T, 'image: expected a picture')

# ---- scenes

bad('scenes.scene', lambda f, k: f('dragon', 'grass'), V, 'subject: expected one of horse, zebra, ')
bad('scenes.scene', lambda f, k: f('horse', 'moon'), V, "background: expected one of grass, sand, ")
bad('scenes.scene', lambda f, k: f(['horse', 'horse'], 'grass'), V, 'a list of two that differ, got [')
bad('scenes.scene', lambda f, k: f('horse', 'grass', seed=-1), V, 'seed: expected a whole number from 0 to ')
bad('scenes.scene', lambda f, k: f('horse', 'grass', size=15), V, 'size: expected a whole number from 16 to 2048')
bad('scenes.scene', lambda f, k: f('horse', 'grass', size=4096), V, 'got 4096')
bad('scenes.scene', lambda f, k: f('horse', 'grass', drawing='mine'), V, 'drawing: expected one of seen, unseen')
bad('scenes.Scene', lambda f, k: k.horse.swap('zebra', 'cow'), V, "old: expected one of horse, got 'cow'")
bad('scenes.drawings', lambda f, k: f('dragon'), V, 'subject: expected one of')
bad('scenes.caption', lambda f, k: f('horse', 'moon'), V, 'background: expected one of')
bad('scenes.paint_background', lambda f, k: f('grass', np.random.default_rng(0), 0), V, 'size: expected a whole')

# ---- the model

SD = 'stable_diffusion.StableDiffusion'
bad(SD, lambda f, k: f.from_pretrained(3), T, 'path_or_id: expected a folder or the name of a checkpoint on the hub')
bad(SD, lambda f, k: f.from_pretrained('nowhere'), V, 'path_or_id: there is no folder nowhere; expected a folder')
bad(SD, lambda f, k: f.from_pretrained(k.folder), V, 'it has no model_index.json, so it is no Stable Diffusion v1')
bad(SD, lambda f, k: f.from_pretrained('a/b'), V, 'is no folder here and was not downloaded before, and the hub')
bad(SD, lambda f, k: f.from_pretrained(k.broken('unet', None)), V, 'it has no unet/config.json, so it is no')
bad(SD, lambda f, k: f.from_pretrained(k.broken('tokenizer', None)), V, 'it has no tokenizer/tokenizer.json, nor')
for part in ('vae/diffusion_pytorch_model', 'unet/diffusion_pytorch_model', 'text_encoder/model'):
    bad(SD, lambda f, k, n=part: f.from_pretrained(k.broken(f'{n}.safetensors', None)), V,
        f'it has no {part}.safetensors')
    bad(SD, lambda f, k, n=part: f.from_pretrained(k.broken(f'{n}.safetensors', b'torn')), V,
        f'its {part.split("/")[0]} cannot be read: ')
    bad(SD, lambda f, k, n=part: f.from_pretrained(k.broken(f'{n}.safetensors', None, f'{n}.bin')), V,
        f'its {part.split("/")[0]} comes only as a pickle ({part}.bin), which can run code when it is opened')
bad(SD, lambda f, k: f.from_pretrained(k.broken('unet/config.json', b'{"a"')), V, 'its unet/config.json cannot be')
bad(SD, lambda f, k: f.from_pretrained(k.tiny, dtype='int8'), V, 'dtype: expected a dtype of floats')
bad(SD, lambda f, k: f.from_pretrained(k.tiny, device='cuda:99'), V, 'device: expected a device of this machine')
bad(SD, lambda f, k: f.from_single_file(3), T, 'path: expected a .safetensors file, got 3')
bad(SD, lambda f, k: f.from_single_file(k.folder/'model.ckpt'), V, 'is a pickle, which can run code when it is op')
bad(SD, lambda f, k: f.from_single_file(k.folder/'model.safetensors'), V, 'path: there is no file ')
bad(SD, lambda f, k: f.from_single_file('horse.png'), V, "path: expected a .safetensors file, got 'horse.png'")
bad(SD, lambda f, k: f.from_pipe(SimpleNamespace()), T, 'pipe: expected a pipeline with tokenizer, text_encoder, ')
bad(SD, lambda f, k: f.tiny(dtype='int8'), V, 'dtype: expected a dtype of floats')
bad(SD, lambda f, k: k.sd.to('gpu'), V, 'device: expected a device of this machine')
bad(SD, lambda f, k: k.sd.encode_text(3), T, 'prompts: expected a str or a list of str, got 3')
bad(SD, lambda f, k: k.sd.encode_text([]), V, 'prompts: expected at least one text, got none')
bad(SD, lambda f, k: k.sd.encode_text('a \ud800'), V, 'prompts: expected whole characters, got ')
bad(SD, lambda f, k: k.sd.encode_text(torch.ones(1, 2, 3)), V, 'tensor, see encode_text, got shape (1, 2, 3)')
bad(SD, lambda f, k: k.sd.same_text(['a', 'b'], 'a'), V, 'a: expected one text, got 2')
bad(SD, lambda f, k: k.sd.encode_image(torch.zeros(3, 30, 33)), V, 'multiples of 4 px, got 33 x 30 px')
bad(SD, lambda f, k: k.sd.encode_image('a.png'), T, 'image: expected a picture')
bad(SD, lambda f, k: k.sd.decode(torch.zeros(4, 8, 8)), V, 'latents: expected a (b, 4, h, w) tensor of floats, got')
bad(SD, lambda f, k: k.sd.decode(torch.full((1, 4, 8, 8), NAN)), V, 'latents: expected finite numbers, got nan or')
bad(SD, lambda f, k: k.sd.decode(torch.zeros(1, 4, 0, 8)), V, 'got shape (1, 4, 0, 8)')
bad(SD, lambda f, k: k.sd.decode_tensor(torch.zeros(1, 4, 8, 8).int()), T, 'latents: expected a (b, 4, h, w) tensor')
bad(SD, lambda f, k: k.sd.timestep(0), V, 'strength: expected a number in (0, 1], got 0')
bad(SD, lambda f, k: k.sd.timestep(NAN), V, 'strength: expected a number in (0, 1], got nan')
bad(SD, lambda f, k: k.sd.timesteps(.5, 0), V, 'num_inference_steps: expected a whole number, 1 or more, got 0')
bad(SD, lambda f, k: k.sd.add_noise(k.latents, k.latents[:, :, :2], 9), V, 'noise: expected the shape of latents, ')
bad(SD, lambda f, k: k.sd.add_noise(k.latents, k.latents, 1000), V, 'timestep: expected 0 to 999, got ')
bad(SD, lambda f, k: k.sd.add_noise(k.latents, k.latents, 1.), T, 'timestep: expected a whole number or 1 of them')
bad(SD, lambda f, k: k.sd.noise_image(k.horse, .5, 7), T, 'generator: expected a torch.Generator or None, got 7')
bad(SD, lambda f, k: k.sd.predict_original(k.latents, 'x', 9), T, 'noise: expected a (b, 4, h, w) tensor of floats')
bad(SD, lambda f, k: k.sd.predict_noise(k.latents, 9, 'a horse'), T, 'text: expected a (1 or 1, tokens, 96) tensor')
bad(SD, lambda f, k: k.sd.predict_noise(k.latents, 9, k.text, chunk=0), V, 'chunk: expected a whole number, 1 or')
bad(SD, lambda f, k: k.sd.ddim_decode(k.latents, [9, 0], k.text), V, 'timesteps: expected (steps + 1,) whole numb')
bad(SD, lambda f, k: k.sd.ddim_decode(k.latents, [0, 9], k.text, INF), V, 'guidance_scale: expected finite number')
bad(SD, lambda f, k: k.sd.ddim_decode(k.latents, [0, 9], k.text, blend=3), T, 'blend: expected a function or None')
bad(SD, lambda f, k: k.sd.sample('a horse', height=30), V, 'height: expected a multiple of 4 px, got 30')
bad(SD, lambda f, k: k.sd.generate('a horse', 0), V, 'num_inference_steps: expected a whole number, 1 or more')
bad(SD, lambda f, k: k.sd.generate(['a', 'b'], negative_prompt=['c']*3), V, 'negative_prompt: expected one text, or 2')
bad(SD, lambda f, k: setattr(k.sd, 'scheduler', 3), T, 'scheduler: expected a DDIMScheduler, got 3')
bad(SD, lambda f, k: k.sd.save_pretrained(k.folder/'words.png'/'x'), OSError, 'Not a directory')
bad('stable_diffusion.new_components', lambda f, k: f(['Horse2']), V, 'words: expected words of the letters a to z')
bad('stable_diffusion.new_components', lambda f, k: f('a', size=30), V, 'size: expected a multiple of 4 px, got 30')
bad('stable_diffusion.ddim_scheduler', lambda f, k: f(beta_schedule='steep'), NotImplementedError, 'steep')
bad('stable_diffusion.inpainting_pipeline', lambda f, k: f(3), T, 'sd: expected a StableDiffusion, or a checkpoint')
bad('stable_diffusion.inpainting_pipeline', lambda f, k: f(k.folder), V, 'sd: cannot load the inpainting checkpoint')

# ---- maps, masks, edits

bad('diffedit_mask.iou', lambda f, k: f(np.ones((2, 2), bool), np.ones((2, 3), bool)), V, 'b: expected shape (2, 2)')
bad('diffedit_mask.iou', lambda f, k: f('a', 'b'), T, 'a: expected a mask')
bad('diffedit_mask.noise_difference', lambda f, k: f(k.latents, k.latents[..., :2]), V, 'eps_source, eps_target: ')
bad('diffedit_mask.noise_difference', lambda f, k: f(3, k.latents), V, 'eps_source: expected (b, c, h, w), got')
bad('diffedit_mask.average_difference', lambda f, k: f(torch.ones(0, 2, 2)), V, 'maps: expected (n, h, w) with n')
bad('diffedit_mask.remove_extremes', lambda f, k: f(torch.ones(2, 2), 0), V, 'quantile: expected a number in (0, 1]')
bad('diffedit_mask.rescale', lambda f, k: f(torch.ones(3)), V, 'values: expected (h, w), got shape (3,)')
bad('diffedit_mask.rescale', lambda f, k: f(torch.full((2, 2), INF)), V, 'values: expected finite numbers')
bad('diffedit_mask.binarize', lambda f, k: f(torch.ones(2, 2), 1.1), V, 'threshold: expected a number in [0, 1]')
bad('diffedit_mask.enlarge', lambda f, k: f(torch.ones(2, 2), (0, 4)), V, 'shape: expected a whole number, 1 or')
bad('diffedit_mask.enlarge', lambda f, k: f(torch.ones(2, 2), (4, 4), 'cubic'), V, 'mode: expected one of biline')
bad('diffedit_mask.paper_difference', lambda f, k: f(torch.ones(2, 2)), V, 'maps: expected (n, h, w) with n >= 1')
bad('diffedit_mask.two_strengths', lambda f, k: f(torch.ones(2, 2)), V, 'maps: expected (n, h, w) with n >= 1')
bad('diffedit_mask.diffusers_difference', lambda f, k: f(torch.ones(2, 2)), V, 'maps: expected (n, h, w)')
bad('diffedit_mask.edit_pairs', lambda f, k: f([0], drawing='mine'), V, 'drawing: expected one of seen, unseen')
bad('diffedit_mask.edit_pairs', lambda f, k: f([-1]), V, 'seed: expected a whole number')
bad('diffedit_mask.MaskOptions', lambda f, k: f(method='best'), V, 'method: expected one of paper, trimmed, guided')
bad('diffedit_mask.MaskOptions', lambda f, k: f(threshold='auto'), V, "threshold: expected one of otsu, got 'auto'")
bad('diffedit_mask.MaskOptions', lambda f, k: f(quantile=0), V, 'quantile: expected a number in (0, 1], got 0')
bad('diffedit_mask.DiffEditMask', lambda f, k: k.found.crop(0, 9), V, 'height: expected a whole number from 1 to 64')
bad('diffedit_mask.mask_scores', lambda f, k: f(k.sd, [(k.horse, 'dragon')]), V, 'subject: expected one of')
MASK = 'diffedit_mask.diffedit_mask'
bad(MASK, lambda f, k: f(k.sd, 'a.png', *WORDS), T, "got 'a.png'; read_picture reads a file")
bad(MASK, lambda f, k: f(k.sd, Image.new('L', (4, 0)), *WORDS), V, 'image: expected a picture with pixels')
bad(MASK, lambda f, k: f(k.sd, k.horse, None, 'a zebra'), T, 'source_prompt: expected a str, got None')
bad(MASK, lambda f, k: f(k.sd, k.horse, 'a horse', ['a zebra']), T, 'target_prompt: expected a str, got list')
bad(MASK, lambda f, k: f(k.sd, k.horse, 'a horse', 'a \udcff'), V, 'target_prompt: expected whole characters')
bad(MASK, lambda f, k: f(k.sd, k.horse, *WORDS, num_maps=0), V, 'num_maps: expected a whole number from 1 to 10000')
bad(MASK, lambda f, k: f(k.sd, k.horse, *WORDS, num_maps=10**9), V, 'got 1000000000')
bad(MASK, lambda f, k: f(k.sd, k.horse, *WORDS, strength=0), V, 'strength: expected a number in (0, 1], got 0')
bad(MASK, lambda f, k: f(k.sd, k.horse, *WORDS, strength=NAN), V, 'strength: expected a number in (0, 1], got nan')
bad(MASK, lambda f, k: f(k.sd, k.horse, *WORDS, threshold=-1), V, 'threshold: expected a number in [0, 1], got -1')
bad(MASK, lambda f, k: f(k.sd, k.horse, *WORDS, method='best'), V, 'method: expected one of paper')
bad(MASK, lambda f, k: f(k.sd, k.horse, *WORDS, generator=0), T, 'generator: expected a torch.Generator or None')
bad(MASK, lambda f, k: f(k.sd, k.horse, *WORDS, chunk=0), V, 'chunk: expected a whole number, 1 or more, got 0')
bad(MASK, lambda f, k: f(k.sd, k.horse, *WORDS, noise=torch.ones(1, 4, 3, 3)), V, 'noise: expected shape (n, 4, 16')
bad(MASK, lambda f, k: f(k.sd, k.horse, *WORDS, noise=torch.ones(4, 16, 16)), V, 'noise: expected shape (n, 4, 16')
bad(MASK, lambda f, k: f(k.sd, k.horse, *WORDS, noise=torch.ones(0, 4, 16, 16)), V, 'noise: expected shape (n, 4, 16')
bad(MASK, lambda f, k: f(k.sd, k.horse, *WORDS, noise=torch.ones(1, 4, 16, 16).int()), T, 'noise: expected floats')
bad(MASK, lambda f, k: f(k.sd, k.horse, *WORDS, timestep=1000), V, 'timestep: expected a whole number from 0 to 999')
bad(MASK, lambda f, k: f(k.sd, k.horse, *WORDS, size=0), V, 'size: expected a whole number, 1 or more, got 0')
bad('diffedit_mask.predict_for_prompts', lambda f, k: f(k.sd, k.latents, 3, k.latents, 9), T, 'prompts: expected a s')
bad('masks.pieces', lambda f, k: f(torch.rand(3, 3)), V, 'mask: expected bool, or only 0 and 1')
bad('masks.as_map', lambda f, k: f(torch.full((2, 2), 3.)), V, 'mask: expected floats in [0, 1], got 3 to 3')
bad('masks.clean', lambda f, k: f(k.horse, blur=-1), V, 'blur: expected a number in [0, 1000], got -1')
bad('masks.clean', lambda f, k: f(k.horse, close=.5), T, 'close: expected a whole number from 0 to 1000, got 0.5')
bad('masks.clean', lambda f, k: f(k.horse, fill=1), T, 'fill: expected True or False, got 1')
bad('masks.clean', lambda f, k: f(k.horse, keep=0), V, 'keep: expected a whole number, 1 or more, got 0')
bad('masks.clean', lambda f, k: f('m.png'), T, 'mask: expected a mask')
bad('guidance.norms', lambda f, k: f(3), T, 'eps: expected a (b, ...) tensor of floats, got 3')
bad('guidance.stretch', lambda f, k: f(torch.ones(2, 2), torch.ones(3, 2)), V, 'like: expected 2 samples of 1 axes')
bad('guidance.guide', lambda f, k: f(k.latents, k.latents[0], 5), V, 'text: expected a (b, c, h, w) tensor of floats')
bad('guidance.guide', lambda f, k: f(k.latents, k.latents, [1, 2]), V, 'guidance_scale: expected a number or a (1,)')
bad('guidance.guide', lambda f, k: f(k.latents, k.latents, NAN), V, 'guidance_scale: expected finite numbers')
bad('guidance.guide', lambda f, k: f(k.latents, k.latents, abs), T, 'scale_at(schedule, progress) makes a number')
bad('guidance.guide', lambda f, k: f(k.latents, k.latents, 5, 'all'), V, 'rescale: expected one of None, update')
bad('guidance.linear', lambda f, k: f('a'), T, "start: expected a number, got 'a'")
bad('guidance.cosine', lambda f, k: f(1, NAN), V, 'end: expected a number, got nan')
bad('guidance.scale_at', lambda f, k: f(5, 2), V, 'progress: expected a number in [0, 1], got 2')
bad('guidance.scale_at', lambda f, k: f(lambda p: NAN, .5), V, 'expected finite numbers, got nan at progress 0.5')
EDIT = 'diffedit.diffedit'
bad(EDIT, lambda f, k: f(k.sd, 3, *WORDS), T, 'image: expected a picture (PIL, tensor or array), got 3')
bad(EDIT, lambda f, k: f(k.sd, k.horse, *WORDS, strength=1.5), V, 'strength: expected a number in (0, 1], got 1.5')
bad(EDIT, lambda f, k: f(k.sd, k.horse, *WORDS, num_inference_steps=.5), T, 'num_inference_steps: expected a whole')
bad(EDIT, lambda f, k: f(k.sd, k.horse, *WORDS, guidance_scale=NAN), V, 'guidance_scale: expected finite numbers')
bad(EDIT, lambda f, k: f(k.sd, k.horse, *WORDS, guidance_scale='5'), T, 'guidance_scale: expected a number')
bad(EDIT, lambda f, k: f(k.sd, k.horse, *WORDS, negative_prompt=3), T, 'negative_prompt: expected a str, got 3')
bad(EDIT, lambda f, k: f(k.sd, k.horse, *WORDS, grow=-1), V, 'grow: expected a whole number, 0 or more, got -1')
bad(EDIT, lambda f, k: f(k.sd, k.horse, *WORDS, fresh=2), V, 'fresh: expected a number in [0, 1], got 2')
bad(EDIT, lambda f, k: f(k.sd, k.horse, *WORDS, mask=np.ones((3, 3), bool)), V, 'mask: expected')
bad(EDIT, lambda f, k: f(k.sd, k.horse, *WORDS, mask_strength=0), V, 'mask_strength: expected a number in (0, 1]')
bad(EDIT, lambda f, k: f(k.sd, k.horse, *WORDS, encoded=3), T, 'encoded: expected what ddim_encode gives, got 3')
bad('diffedit.ddim_timesteps', lambda f, k: f(k.sd, 0), V, 'strength: expected a number in (0, 1], got 0')
bad('diffedit.ddim_step', lambda f, k: f(k.sd, k.latents, k.latents, 9, 1000), V, 'timestep: expected 0 to 999')
bad('diffedit.ddim_encode', lambda f, k: f(k.sd, k.latents*NAN), V, 'latents: expected finite numbers')
bad('diffedit.ddim_encode', lambda f, k: f(k.sd, k.latents, timesteps=[5, 9]), V, 'whole numbers that rise from 0')
bad('diffedit.ddim_encode', lambda f, k: f(k.sd, k.latents, guidance_scale=5000), V, 'guidance_scale: expected a num')
bad('diffedit.ddim_encode', lambda f, k: f(k.sd, k.latents, prompt=3), T, 'prompt: expected a str or a list of str')
bad('diffedit.ddim_decode', lambda f, k: f(k.sd, k.latents, [3], 'a horse'), V, 'timesteps: expected (steps + 1,)')
bad('diffedit.ddim_decode', lambda f, k: f(k.sd, k.latents, [0, 9], ['a', 'b']), V, 'prompt: expected one text, got 2')
bad('diffedit.masked_decode', lambda f, k: f(k.sd, 3, k.horse, 'a'), T, 'encoded: expected what ddim_encode gives')
bad('diffedit.masked_decode', lambda f, k: f(k.sd, k.encoded, k.horse, 'a'), V, 'mask: expected shape (16, 16), got')
bad('diffedit.masked_decode', lambda f, k: f(k.sd, k.encoded, k.cells, 'a', callback=3), T, 'callback: expected a fun')
bad('diffedit.roll_anew', lambda f, k: f(k.encoded, 2), V, 'share: expected a number in [0, 1], got 2')
bad('diffedit.feather', lambda f, k: f(k.horse, -1), V, 'width: expected a whole number, 0 or more, got -1')
bad('diffedit.paste', lambda f, k: f(k.horse, k.horse, torch.ones(2, 2)), V, 'weight: expected the shape of image')
bad('diffedit.paste', lambda f, k: f(k.horse, k.horse, torch.full((64, 64), 2.)), V, 'weight: expected numbers in')
bad('diffedit.several_seeds', lambda f, k: f(k.sd, k.horse, *WORDS, []), V, 'seeds: expected one or more, got none')
bad('diffedit.several_seeds', lambda f, k: f(k.sd, k.horse, *WORDS, bold=False), V, 'fresh: expected a number above')
bad('diffedit.several_pictures', lambda f, k: f(k.sd, [k.horse], *WORDS, seed=-1), V, 'seed: expected a whole num')
bad('diffedit.several_pictures', lambda f, k: f(k.sd, [3], *WORDS), V, 'images: none of them could be edited')
bad('diffedit.sdedit', lambda f, k: f(k.sd, k.horse, 3), T, 'prompt: expected a str, got 3')
bad('diffedit.sdedit', lambda f, k: f(k.sd, k.horse, 'a', strength=-1), V, 'strength: expected a number in (0, 1]')
bad('diffedit.inpaint', lambda f, k: f(k.sd, k.horse, np.ones((3, 3), bool), 'a'), V, 'mask: expected shape (64, 64)')
bad('diffedit.inpaint', lambda f, k: f(k.sd, k.horse, k.horse, 'a', strength=.01), V, 'expected at least one of 50')
bad('diffedit.inpaint', lambda f, k: f(k.sd, k.horse, k.horse, 3), T, 'prompt: expected a str, got 3')

# ---- training

bad('engine.check_run', lambda f, k: f(dict(steps=None)), V, 'steps: expected a number of steps, or minutes instead')
bad('engine.check_run', lambda f, k: f(dict(steps=1, batch=1), 2), V, 'batch: expected a whole number, 2 or more')
bad('engine.check_run', lambda f, k: f(dict(steps=1, ema=1)), V, 'ema: expected a number in [0, 1), got 1')
bad('engine.check_run', lambda f, k: f(dict(minutes=0)), V, 'minutes: expected a number above 0, got 0')
bad('engine.fit', lambda f, k: f(None, None, 0, 1, 1., k.folder/'new'), V, 'steps: expected a whole number, 1 or more')
bad('engine.load_state', lambda f, k: f(k.folder/'words.png'), V, 'to be a file of the training, got one that cannot')
bad('engine.save_state', lambda f, k: f({}, k.folder/'words.png'/'x.pt'), OSError, 'folder: cannot write ')
bad('engine.in_processes', lambda f, k: list(f(abs, [1], 0)), V, 'processes: expected a whole number, 1 or more')
bad('engine.MuonAdamW', lambda f, k: k.muon(9).load_state_dict(k.muon(10).state_dict()), V, 'momentum of (1, 10, 9)')
bad('studio.draw_figures', lambda f, k: f(1, 1, names=['horse']), V, 'names: expected two subjects or more, got [')
bad('studio.draw_figures', lambda f, k: f(1, 1, names=['horse', 'dragon']), V, 'names: expected one of horse')
bad('studio.draw_figures', lambda f, k: f(0, 1), V, 'figures: expected a whole number, 1 or more, got 0')
bad('studio.pixels', lambda f, k: f([]), V, 'pictures: expected at least one picture, got none')
bad('studio.psnr', lambda f, k: f(k.sd.vae, 0), V, 'n: expected a whole number, 1 or more, got 0')
bad('studio.load_latents', lambda f, k: f(k.folder), V, 'folder: expected files of encode_latents in ')
bad('studio.Judge', lambda f, k: f().name([torch.zeros(3, 65, 65)]), V, 'pictures: expected')
bad('studio.recognised', lambda f, k: f(k.sd, SimpleNamespace(subject_names=(), background_names=()), 0), V,
    'each: expected a whole number, 1 or more, got 0')
bad('studio.with_minutes', lambda f, k: f(k.recipe, -1), V, 'minutes: expected a number above 0, got -1')
bad('studio.with_minutes', lambda f, k: f(k.recipe, .1), V, 'minutes: expected ')
bad('studio.with_minutes', lambda f, k: f({}, 1), V, 'recipe: expected subjects, seed, figures')
bad('studio.with_batch', lambda f, k: f(k.recipe, 0), V, 'batch: expected a whole number, 1 or more, got 0')
bad('studio.save_model', lambda f, k: f(k.folder, k.folder/'new'), V, 'folder: expected a checkpoint of a round (')
bad('studio.run_recipe', lambda f, k: f(None, None, k.folder/'new', recipe={}), V, 'recipe: expected subjects')
bad('studio.run_rounds', lambda f, k: f(None, k.folder, k.recipe), V, 'folder: expected files of encode_latents')
bad('training.train', lambda f, k: f(k.folder/'new', minutes=-1), V, 'minutes: expected a number above 0, got -1')
bad('training.train', lambda f, k: f(k.folder/'new', batch=0), V, 'batch: expected a whole number, 1 or more, got 0')
bad('training.fit_rounds', lambda f, k: f(k.folder, k.recipe), V, 'folder: expected files of encode_latents in ')

# ---- nano, the page, the commands' parts

bad('nano.Nano', lambda f, k: f.load(k.folder), V, 'cannot be read')
bad('nano.read_safetensors', lambda f, k: f(k.folder/'words.png'), V, 'cannot be read as safetensors')
bad('nano.read_json', lambda f, k: f(k.folder/'words.png'), V, 'cannot be read: ')
bad('nano.as_config', lambda f, k: f(dict(hidden_act='gelu'), 'text_encoder'), V, "nano builds no hidden_act 'gelu'")
bad('nano.load_weights', lambda f, k: f(torch.nn.Linear(1, 1), {}, 'unet'), V, 'unet: of 2 tensors the file lacks 2')
bad('nano.load_tokenizer', lambda f, k: f(k.folder), V, 'tokenizer_config.json: cannot be read')
bad('nano.load_part', lambda f, k: f(k.folder, 'unet', None), V, 'config.json: cannot be read')
bad('nano.alphas', lambda f, k: f(k.folder/'words.png'), V, 'words.png: cannot be read')
bad('nano.check_image', lambda f, k: f(torch.zeros(1, 3, 30, 32), k.nano), V, 'image: expected a (b, 3, h, w) tensor')
bad('nano.check_image', lambda f, k: f(k.horse, k.nano), T, 'h and w multiples of 16 px, got Scene')
bad('nano.check_noise', lambda f, k: f(torch.zeros(1, 4, 2, 2), k.latents), V, 'noise: expected (n, c, h, w) for')
bad('nano.check_product', lambda f, k: f(torch.ones(2, 3), torch.ones(3, 2), 3), T, 'product: expected a tensor')
bad('nano.check_product', lambda f, k: f(torch.ones(2, 3), torch.ones(3, 2), torch.ones(1)), V, 'product: expected sh')
bad('nano.Products', lambda f, k: k.multiplied(f, torch.ones(2, 1, 2, 3), torch.ones(3, 2)), V, 'matmul: expected mat')
bad('export.script_of', lambda f, k: f(max), V, 'function: expected one that the page has, got max')
bad('export.model_parts', lambda f, k: f(k.predicts_v), V, 'sd: expected a model that predicts noise, got v_predict')
bad('export.export_model', lambda f, k: f(k.folder/'words.png', k.sd), OSError, 'File exists')
bad('export.exported_model', lambda f, k: f(k.folder/'words.png'/'x'), OSError, 'Not a directory')
bad('app.read_upload', lambda f, k: f(b'no picture', 'a.png'), V, 'a.png is no picture that can be opened here; JPEG')
bad('app.read_upload', lambda f, k: f((k.folder/'cut.png').read_bytes(), 'a.png'), V, 'a.png cannot be opened: ')
bad('app.fewer_noises', lambda f, k: f(k.found, 3), V, 'n: expected a whole number from 1 to 2, got 3')
bad('app.Work', lambda f, k: f(k.sd, k.png, 'a').mask(), V, 'There is no mask yet: find it first')
bad('app.Work', lambda f, k: f(k.sd, k.png, 'a').find(print, *WORDS, n=0), V, 'n: expected a whole number from 1')
bad('commands.make_writable_folder', lambda f, k: f(''), V, "folder: expected a folder that can be written, got ''")
bad('commands.make_writable_folder', lambda f, k: f(k.folder/'words.png'), V, '(File exists)')
bad('commands.make_writable_folder', lambda f, k: f('/proc/nowhere/x', 'out'), V, 'out: expected a folder that can')
bad('commands.write_pictures', lambda f, k: f({'a/b': k.horse.image}, k.folder/'new'),
    OSError, 'cannot write to the folder ')
bad('commands.write_pictures', lambda f, k: f(dict(a=k.horse.image), k.folder/'words.png'), OSError, 'File exists')
bad('commands.diffedit_files', lambda f, k: f(k.sd, 'a.png', *WORDS, k.folder/'new'), T, 'image: expected a picture')
bad('commands.diffedit_files', lambda f, k: f(k.sd, k.horse, *WORDS, k.folder/'new', size=0), V, 'size: expected a')
bad('commands.copy_new', lambda f, k: f(k.tiny, k.taken, ['*/*.json']), V, 'target: expected a folder, or nothing y')
bad('commands.demo', lambda f, k: f(k.folder/'words.png'), V, 'out: expected a folder that can be written')


# ---- what has no row, and why

NONE = {
    'no argument': '''
        inputs.checksums scenes.subjects scenes.backgrounds matmul.load_digits studio.vocabulary training.start_model
        progress.running engine.new_accelerator nano.byte_letters''',
    'takes anything, and never raises': '''
        inputs.kind check.guess_shape check.show_example check.score check.Result progress.progress_bar progress.whole
        progress.advance progress.listening timing.readable nano.renamed commands.read_references
        commands.sign_notebooks''',
    'what a function gives: its numbers were checked on the way in': '''
        inputs.Picture timing.Timing timing.Rung gemm.Paired stable_diffusion.Noised diffedit.Encoded
        diffedit.DiffEditResult diffedit.GivenMask diffedit_mask.Mask widgets.LiveResult reports.Storage
        reports.Explanation quiz.Question
        export.Part progress.Whole engine.NoMemory studio.Collage''',
    'a step of a lesson, shown in whole: what calls it has checked': '''
        matmul.Matrix matmul.triple_loop matmul.triple_loop_by_rows broadcasting.align gemm.loops_ijk gemm.loops_ikj
        gemm.row_views gemm.four_rows diffedit_mask.window_mean diffedit_mask.guided_filter diffedit_mask.trim
        diffedit_mask.touched masks.blur masks.otsu masks.close_gaps masks.fill_holes diffedit.bold_options
        diffedit.strip training.vae_loss training.training_noise training.noise_loss training.with_networks
        nano.attention nano.ddim_step nano.ddim_encode nano.ddim_decode nano.find_mask nano.im2col
        nano.timestep_embedding stable_diffusion.diffedit_pipeline''',
    'writes or compiles code for the functions that have rows': '''
        gemm.compile_source gemm.kernel_source gemm.compiled_packing gemm.compiled_block gemm.compiled_parallel_block
        gemm.naive_kernel gemm.tiled_kernel gemm.vector_bytes gemm.vector_operations gemm.tile_shape
        gemm.compiled_kernel export.to_onnx export.halve export.write_gallery export.describe''',
    'draws or says what the functions that have rows found': '''
        broadcasting.broadcast_explorer reports.storage_text reports.storage_html reports.clash_words
        reports.broadcast_text reports.broadcast_html reports.TypedShapes reports.peak_bytes widgets.cell_grids
        widgets.shape_table widgets.words_block widgets.shape_explorer studio.block_shapes studio.plot_blocks
        commands.mask_figures commands.sheet commands.student_copy''',
    'a part of the training, whose settings check_run and the recipe have checked': '''
        engine.learning_rate engine.update_average engine.average_gradients engine.as_matrix engine.is_matrix
        engine.share_of engine.orthogonal engine.new_adamw engine.backward engine.train_step engine.compile_part
        engine.read_log studio.Captions studio.new_vae studio.TextToNoise studio.new_text_to_noise
        studio.decoder_only studio.decoder_loss studio.fold_statistics studio.encode_latents studio.new_judge
        studio.judge_loss studio.judge_accuracy studio.recipe_for''',
    'a network or what builds one: load_part and load_weights have checked what it is made of': '''
        nano.Tokenizer nano.TextAttention nano.TextLayer nano.TextEncoder nano.Resnet nano.Down nano.Up nano.Level
        nano.Middle nano.vae_level nano.Encoder nano.Decoder nano.VAE nano.TimeEmbedding nano.CrossAttention nano.GEGLU
        nano.TransformerBlock nano.Transformer nano.DownLevel nano.UpLevel nano.UNet nano.unet_widths nano.unet_blocks
        nano.PictureAttention nano.vae_middle nano.Watch''',
    'a command, which has a table of its own below, or a server that is asked in tests/test_app.py': '''
        commands.diffedit_command commands.notebooks_command commands.train_command app.app_command app.AppServer
        export.main''',
}


def public():
    "module.name of each public class and function, where it is made."
    for path in sorted((ROOT/'lessonlib').glob('[!_]*.py')):
        module = importlib.import_module(f'lessonlib.{path.stem}')
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing) and getattr(thing, '__module__', '') in (module.__name__, 'typing', None):
                if not str(type(thing)).startswith("<class 'typing."):
                    yield f'{path.stem}.{name}'


def test_all_that_is_public_has_a_row_or_a_reason():
    rows, none = {row.values[0] for row in ROWS}, [name for names in NONE.values() for name in names.split()]
    assert sorted(set(none)) == sorted(none) and not rows & set(none)
    found = set(public())
    rows -= {'show.to_pil'}                                    # of inputs, given on
    assert sorted(found - rows - set(none)) == [], 'neither a row nor a reason'
    assert sorted((rows | set(none)) - found) == [], 'no longer public'
    assert len(ROWS) > 300 and all(row.values[3] for row in ROWS)          # each with its words


# ---- the calls

@pytest.fixture(scope='module')
def shared(tmp_path_factory):
    "What is made once: the model, a scene, its mask and encoding."
    torch.manual_seed(0)
    sd, horse = StableDiffusion.tiny(), scene('horse', 'grass', seed=10_000_016, size=64)
    found = diffedit_mask(sd, horse, *WORDS, num_maps=2, progress=False)
    encoded = ddim_encode(sd, found.latents, num_inference_steps=2, progress=False)
    return SimpleNamespace(sd=sd, horse=horse, found=found, encoded=encoded, latents=found.latents,
                           cells=torch.ones(16, 16) > 0, text=sd.encode_text('a horse'))


@pytest.fixture
def kit(shared, tmp_path, monkeypatch):
    "What the rows need, and a folder of their own with files that are no pictures; no row asks the UNet."
    from lessonlib.engine import MuonAdamW
    from lessonlib.photos import fit
    from lessonlib.stable_diffusion import ddim_scheduler
    from lessonlib.studio import RECIPE
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_OFFLINE', True)
    folder, tiny = tmp_path/'given', ROOT/'lessonlib'/'models'/'tiny'
    folder.mkdir()
    shared.horse.image.save(folder/'whole.png')
    png = (folder/'whole.png').read_bytes()
    (folder/'cut.png').write_bytes(png[:len(png)//2])
    (folder/'words.png').write_text('no picture')
    (folder/'empty.png').touch()
    (folder/'model.ckpt').touch()
    (tmp_path/'taken').mkdir()
    (tmp_path/'taken'/'unet').write_text('a file')

    def broken(name, content, instead=None):
        "A copy of the shipped model of which something is missing, damaged, or there as another file."
        copy = shutil.copytree(tiny, tmp_path/'model', copy_function=os.link)
        if (copy/name).is_dir(): shutil.rmtree(copy/name)
        else: (copy/name).unlink()
        if content is not None: (copy/name).write_bytes(content)
        if instead is not None: (copy/instead).write_bytes(b'a pickle')
        return copy

    def muon(n): return MuonAdamW([torch.nn.Parameter(torch.ones(n, 9))], 1.)

    def multiplied(products, a, b):
        with products(torch.matmul): return a @ b

    predicts_v = SimpleNamespace(**{name: getattr(shared.sd, name) for name in
                                    ('text_encoder', 'vae', 'unet', 'size', 'factor', 'tokens')},
                                 scheduler=ddim_scheduler(prediction_type='v_prediction'))
    handle = shared.sd.unet.register_forward_pre_hook(refuse)
    yield SimpleNamespace(**vars(shared), folder=folder, tiny=tiny, png=png, taken=tmp_path/'taken', broken=broken,
                          muon=muon, multiplied=multiplied, predicts_v=predicts_v, recipe=RECIPE,
                          fitted=fit(shared.horse, shared.sd, 64), ones=lambda *shape: np.ones(shape, 'float32'),
                          nano=SimpleNamespace(vae=SimpleNamespace(encoder=SimpleNamespace(down_blocks=[0]*3)),
                                               unet=SimpleNamespace(down_blocks=[0]*3)))
    handle.remove()


def refuse(*args): raise AssertionError('the model was asked')


def files(folder): return {path: path.is_file() and path.read_bytes() for path in folder.rglob('*')}


@pytest.mark.filterwarnings('ignore::UserWarning')                     # of pictures and words that are strange as well
@pytest.mark.parametrize('name, call, error, words', ROWS)
def test_a_row(name, call, error, words, kit):
    module, function = name.split('.')
    before = files(kit.folder)
    with pytest.raises(error) as raised:
        call(getattr(importlib.import_module(f'lessonlib.{module}'), function), kit)
    assert type(raised.value) is error or issubclass(error, OSError), repr(raised.value)
    assert words in str(raised.value)
    assert files(kit.folder) == before


# ---- what is taken, and said

def saved(path, image, **options):
    image.save(path, **options)
    return path


GREY = Image.linear_gradient('L').resize((6, 4))
COLOR = Image.merge('RGB', [GREY, GREY.rotate(180), GREY.point(lambda v: 90)])


def turned():
    exif = Image.Exif()
    exif[0x112] = 6                                                    # lies on its side
    return exif


FORMS = {
    'grey': (GREY, {}, GREY.convert('RGB')),
    'colour': (COLOR, {}, COLOR),
    'palette': (COLOR.quantize(16), {}, COLOR.quantize(16).convert('RGB')),
    'black and white': (GREY.convert('1'), {}, GREY.convert('1').convert('RGB')),
    'transparent': (Image.merge('RGBA', [*COLOR.split(), GREY.point(lambda v: 0)]), {},
                    COLOR.point(lambda v: 255)),
    'sixteen bits': (Image.fromarray(np.asarray(GREY).astype('uint16')*257), {}, GREY.convert('RGB')),
    'turned': (COLOR, dict(exif=turned()), COLOR.transpose(Image.Transpose.ROTATE_270))}


@pytest.mark.parametrize('form', FORMS)
def test_a_picture_of_each_form_is_read_as_it_is_meant(form, tmp_path):
    image, options, wanted = FORMS[form]
    found = read_picture(saved(tmp_path/'a.png', image, **options))
    assert found.mode == 'RGB' and found.size == wanted.size
    assert np.abs(np.asarray(found).astype(int) - np.asarray(wanted)).max() <= 1


PROMPTS = {
    'ein Pferd, 一匹马, \U0001f40e': 'has words that the model never saw: ',
    'horse '*300: 'is cut: the model takes 14 tokens, left out: ',
    'e\u0301': 'has words that the model never saw: \u00e9',
    '\0': 'has words that the model never saw',
    '🐎': 'to the model it is the empty prompt'}


@pytest.mark.parametrize('prompt', PROMPTS, ids=ascii)
def test_a_strange_prompt_is_taken_with_a_word(prompt, shared):
    with pytest.warns(UserWarning) as told:
        found = shared.sd.encode_text(prompt[:2000])
    assert found.isfinite().all() and found.shape == shared.text.shape
    assert any(PROMPTS[prompt] in str(warning.message) for warning in told)


# ---- the commands

SCRIPTS = dict(script.split('=') for script in settings['console_scripts'].split())
EDITED = 'a.png', '--source', 'a horse', '--target', 'a zebra', '--out', 'out'
# command -> arguments, and what stderr says
ARGV = {
    'lessonlib-diffedit': [
        ([], 'the following arguments are required: IMAGE, --source, --target'),
        ([*EDITED, '--strength', 'nan'], 'argument --strength: expected a number'),
        ([*EDITED, '--steps', '0'], 'argument --steps: expected a whole number'),
        ([*EDITED, '--model', 'nowhere'], '--model: there is no folder nowhere'),
        ([*EDITED, '--model', 'only-pickles'], 'it has no model_index.json'),
        ([*EDITED, '--device', 'gpu'], '--device: expected a device of this machine'),
        ([*EDITED, '--method', 'best'], '--method'),
        ([*EDITED[:-1], 'a.png'], '--out: expected a folder that can be written'),
        ([*EDITED, '--nonsense'], 'unrecognized arguments: --nonsense')],
    'lessonlib-notebooks': [
        ([], 'the following arguments are required: DIR'),
        (['a.png'], 'DIR: expected a folder that can be written'),
        (['a.png/b'], 'DIR: expected a folder that can be written'),
        ([''], 'DIR: expected a folder that can be written'),
        (['out', '--nonsense'], 'unrecognized arguments: --nonsense')],
    'lessonlib-train': [
        (['--folder', 'a.png'], '--folder: expected a folder that can be written'),
        (['--folder', 'given', '--out', 'a.png'], '--out: expected a folder that can be written'),
        (['--folder', 'given', '--minutes', '-1'], '--minutes: expected a number above 0, got -1'),
        (['--folder', 'given', '--minutes', '.01'], '--minutes: expected '),
        (['--folder', 'given', '--minutes', 'x'], "argument --minutes: invalid float value: 'x'"),
        (['--folder', 'given', '--batch', '0'], '--batch: expected a whole number, 1 or more, got 0')],
    'lessonlib-app': [
        (['--port', '65536'], 'argument --port: expected a whole number'),
        (['--port', 'x'], 'argument --port: '),
        (['--model', 'nowhere', '--no-browser'], '--model: there is no folder nowhere'),
        (['--device', 'gpu', '--no-browser'], '--device: expected a device of this machine'),
        (['--nonsense'], 'unrecognized arguments: --nonsense')]}


def written(folder): return {path: data for path, data in files(folder).items() if data}


@pytest.fixture
def here(shared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved('a.png', shared.horse.image)
    Path('given').mkdir()
    Path('only-pickles').mkdir()
    Path('only-pickles/model.ckpt').touch()
    return tmp_path


def test_each_command_has_rows():
    assert ARGV.keys() == SCRIPTS.keys()


@pytest.mark.parametrize('command, argv, words', [(name, *row) for name, rows in ARGV.items() for row in rows])
def test_a_command_says_what_is_wrong(command, argv, words, here, capsys):
    module, function = SCRIPTS[command].split(':')
    before = written(here)
    try:
        status = getattr(importlib.import_module(module), function)(argv)
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    assert status == 2 and words in err and f'{command}: error: ' in err
    assert 'Traceback' not in out + err
    assert written(here) == before


@pytest.mark.parametrize('command', SCRIPTS)
def test_a_process_of_its_own_says_it_too(command, here):
    module, function = SCRIPTS[command].split(':')
    script = f'import sys; from {module} import {function} as run; sys.exit(run())'
    done = subprocess.run([sys.executable, '-c', script, '--nonsense'], capture_output=True, text=True)
    assert done.returncode == 2 and 'Traceback' not in done.stderr and f'{command}: error: ' in done.stderr


def test_what_says_that_it_raises_has_a_row():
    "Of functions; of classes the table has some methods, and their notebooks the others."
    missing = []
    for name in public():
        module, function = name.split('.')
        thing = getattr(importlib.import_module(f'lessonlib.{module}'), function)
        words = r'`(Value|Type|OS|Runtime)Error`|Errors as of|Raises as'
        told = inspect.isfunction(thing) and re.search(words, thing.__doc__ or '')
        if told and name not in {row.values[0] for row in ROWS}:
            missing.append(name)
    assert missing == []

