"""How mask and edit grow: with n, chunk, the picture's size, the number of pictures, and two processes at once.

    python benchmarks/growth.py
    python benchmarks/growth.py --quick

One thread and its CPU time, each size beside the usual one in turn; the most memory beyond what the process holds. For
two processes at once the clock is the one on the wall, so that anything else on the machine counts.
"""
import functools
import subprocess
import sys
import time
from pairs import HERE, environment, in_turn, peak_memory

TITLE = 'Growth: n, chunk, size, pictures, processes'
NUMBERS, CHUNKS, SIZES, PICTURES = (1, 3, 30, 100), (1, 5), (64, 256, 384, 512), (4, 32)
# A process that finds a mask for each line that it reads.
WORKER = '''
import sys, growth
growth.mask()()
print('ready', flush=True)
for _ in sys.stdin:
    growth.mask()()
    print('done', flush=True)
'''


@functools.cache
def model():
    from lessonlib.stable_diffusion import StableDiffusion
    return StableDiffusion.tiny()


@functools.cache
def picture(size):
    from lessonlib.scenes import scene
    return scene('horse', 'grass', seed=10_000_003, size=size).image


def mask(n=10, size=128, chunk=None, pictures=1):
    "A function that finds masks."
    import torch
    from lessonlib.diffedit_mask import diffedit_mask

    def run():
        for _ in range(pictures):
            diffedit_mask(model(), picture(size), 'a horse', 'a zebra', n, generator=torch.Generator().manual_seed(0),
                          chunk=chunk, size=size, progress=False)
    return run


def edit(size=128, pictures=1):
    "A function that edits: few steps, since each costs the same."
    import torch
    from lessonlib.diffedit import diffedit

    def run():
        for _ in range(pictures):
            diffedit(model(), picture(size), 'a horse', 'a zebra', num_inference_steps=5, size=size, progress=False,
                     generator=torch.Generator().manual_seed(0))
    return run


WAYS = dict(mask=mask, edit=edit)


def grown(way, usual, changed, pairs):
    "[ratio of times, MB of the usual, MB]"
    a, b = WAYS[way](**usual | changed), WAYS[way](**usual)
    return in_turn(a, b, pairs), peak_memory(b), peak_memory(a)


def together(pairs):
    "The time of two processes with a mask each, over that of one of them alone."
    both = [subprocess.Popen([sys.executable, '-c', WORKER], cwd=HERE, env=environment(), text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]

    def ask(*workers):
        for worker in workers: print('go', file=worker.stdin, flush=True)
        for worker in workers:
            if worker.stdout.readline() != 'done\n': raise RuntimeError('a process ended')
    try:
        for worker in both:
            if worker.stdout.readline() != 'ready\n': raise RuntimeError('a process did not start')
        return in_turn(lambda: ask(*both), lambda: ask(both[0]), pairs, time.perf_counter)
    finally:
        for worker in both:
            worker.stdin.close()
            worker.wait()


def work(quick):
    "(name, function) of each piece."
    if quick:
        cases = [('mask', dict(n=1, size=64), dict(n=2), 2), ('edit', dict(size=64), dict(size=96), 2)]
    else:
        cases = [('mask', dict(n=2), dict(size=size), 3) for size in SIZES]
        cases += [('mask', {}, dict(n=n), 3) for n in NUMBERS]
        cases += [('mask', {}, dict(chunk=chunk), 5) for chunk in CHUNKS]
        cases += [('mask', dict(n=1, size=64), dict(pictures=pictures), 3) for pictures in PICTURES]
        cases += [('edit', dict(size=64), dict(pictures=pictures), 3) for pictures in PICTURES]
        cases += [('edit', {}, dict(size=size), 3) for size in SIZES]
    for way, usual, changed, pairs in cases:
        words = [' and '.join(f'{name} {value}' for name, value in some.items()) for some in (changed, usual)]
        yield (f'{way}|{words[0]}|{words[1] or "the defaults"}',
               lambda case=(way, usual, changed, pairs): grown(*case))
    yield 'together', lambda: together(3 if quick else 15)


def tables(found):
    "[(words, rows)]"
    found = dict(found)
    both = found.pop('together', None)
    rows = []
    for name, (ratio, before, after) in found.items():
        way, changed, usual = name.split('|')
        row = {'what': way, 'with': changed, 'beside': usual, 'time': ratio}
        row['most memory'] = '' if before is None else f'{after:.0f} of {before:.0f} MB'
        rows.append(row)
    two = [] if both is None else [{'two processes with a mask each, over one alone, wall': both,
                                    'masks in the same time': f'{2/both[0]:.2f} times'}]
    return [('Mask (n = 10, 128 px by default) and edit (5 steps of the whole way, strength .8):', rows),
            ('Two processes at once, one thread each:', two)]


if __name__ == '__main__':
    from bench import main
    main('growth')
