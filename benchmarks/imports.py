"""What an import costs beside that of the heaviest library it needs, and what a cold process does until its first mask.

    python benchmarks/imports.py
    python benchmarks/imports.py --quick

Processes in turn; the clock is their CPU time. The shares come from `python -X importtime`: of each library the time
that its own files took, without what they import.
"""
import collections
import os
import re
import statistics
import subprocess
import sys
from pairs import HERE, environment, in_turn

TITLE = 'Imports, and a cold process to its first mask'
MODULES = sorted(path.stem for path in (HERE.parent/'lessonlib').glob('*.py') if not path.stem.startswith('_'))
FIRST_MASK = '''
from lessonlib.diffedit_mask import diffedit_mask
from lessonlib.scenes import scene
from lessonlib.stable_diffusion import StableDiffusion
import sys, time
def clock():
    print('----', file=sys.stderr)
    return time.perf_counter()
picture, began = scene('horse', 'grass', seed=10_000_003).image, clock()
sd, loaded = StableDiffusion.tiny(), clock()
mask, found = diffedit_mask(sd, picture, 'a horse', 'a zebra', progress=False).pixel_mask, clock()
print(loaded - began, found - loaded)
'''
BY_NANO = '''
from importlib.resources import files
import torch
from lessonlib.inputs import as_picture
from lessonlib.nano import Nano, find_mask
from lessonlib.scenes import scene
nano, s = Nano.load(files('lessonlib')/'models'/'tiny'), scene('horse', 'grass', seed=10_000_003)
picture = as_picture(s.image).pixels
noise = torch.randn(10, 4, *(side // 4 for side in picture.shape[2:]), generator=torch.Generator().manual_seed(0))
with torch.no_grad(): find_mask(nano, picture, 'a horse', 'a zebra', noise)
'''
# The classes that such a model is made of, and nothing of ours.
THEIRS = ('import torch; from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel; '
          'from transformers import CLIPTextModel, CLIPTokenizerFast')


def python(code, *options):
    "A process that must end well."
    return subprocess.run([sys.executable, *options, '-c', code], cwd=HERE.parent, env=environment(), text=True,
                          capture_output=True, check=True)


def children_time():
    "CPU time of the processes that ended, s."
    times = os.times()
    return times.children_user + times.children_system


def processes(ours, theirs, pairs):
    return in_turn(lambda: python(ours), lambda: python(theirs), pairs, children_time)


def heaviest(module):
    "The libraries to compare with: those that a module loads, of the heavy ones."
    code = f'import sys, lessonlib.{module}; print([n for n in ("numba", "torch", "numpy") if n in sys.modules])'
    names = re.findall(r"'(\w+)'", python(code).stdout)
    return names[:2] if 'numba' in names else names[:1]


def of_module(module, pairs):
    "[the libraries' names, ratio]"
    names = heaviest(module)
    return names, processes(f'import lessonlib.{module}', f'import {", ".join(names) or "sys"}', pairs)


def profile(runs):
    "What -> its share of a process that finds its first mask, the median of runs."
    shares = collections.defaultdict(list)
    for _ in range(runs):
        done = python(FIRST_MASK, '-X', 'importtime')
        stages = [re.findall(r'import time: +(\d+) \| +(\d+) \| +(\S+)', part) for part in done.stderr.split('----')]
        own, dynamo = collections.Counter(), 0
        for self_time, total, name in sum(stages, []):
            own[name.split('.')[0]] += int(self_time) / 1e6
            if name == 'torch._dynamo': dynamo = int(total) / 1e6
        # loading and the first mask import as well, which is counted there and not here
        load, mask = (float(took) - sum(int(line[0]) for line in stage) / 1e6
                      for took, stage in zip(done.stdout.split(), stages[1:3], strict=True))
        whole = sum(own.values()) + load + mask
        named = {name: own.pop(name, 0) for name in ('torch', 'diffusers', 'transformers', 'lessonlib')}
        named |= {'sympy and mpmath': own.pop('sympy', 0) + own.pop('mpmath', 0), 'all others': sum(own.values())}
        parts = {f'import of {name}': value for name, value in named.items()}
        parts |= {'building the networks and reading the weights': load, 'the mask': mask}
        for name, value in parts.items(): shares[name].append(value / whole)
        shares['of these torch._dynamo with all that it brings, which diffusers asks for'].append(dynamo / whole)
    return {name: statistics.median(values) for name, values in shares.items()}


def work(quick):
    "(name, function) of each piece."
    pairs = 1 if quick else 3
    yield 'shares', lambda: profile(pairs)
    if not quick: yield 'cold, of theirs', lambda: processes(FIRST_MASK, THEIRS, pairs)
    yield 'nano, of cold', lambda: processes(BY_NANO, FIRST_MASK, pairs)
    for module in ('commands',) if quick else MODULES:
        yield module, lambda module=module: of_module(module, pairs)


def tables(found):
    "[(words, rows)]"
    found = dict(found)
    names = {'cold, of theirs': 'a process to its first mask, of one that only imports diffusers\' and transformers\' '
                                'classes for it',
             'nano, of cold': 'a process to its first mask by lessonlib.nano (torch alone), of one by StableDiffusion'}
    shares = [{'what': name, 'share': f'{share:.1%}'} for name, share in found.pop('shares', {}).items()]
    cold = [{'cold': words, 'CPU time': found.pop(name)} for name, words in names.items() if name in found]
    modules = [{'import of': f'lessonlib.{module}', 'against import of': ', '.join(names) or 'nothing',
                'CPU time': ratio}
               for module, (names, ratio) in found.items()]
    return [('Where the time of a cold process until its first mask goes:', shares), ('Cold processes:', cold),
            ('Modules:', modules)]


if __name__ == '__main__':
    from bench import main
    main('imports')
