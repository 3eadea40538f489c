"""How mask and edit grow: with n, chunk, the picture's size, the number of pictures, and two processes at once.

And training: its steps, shared by two processes.

    python benchmarks/growth.py
    python benchmarks/growth.py --quick

One thread and its CPU time, each size beside the usual one in turn; the most memory beyond what the process holds. For
two processes at once the clock is the one on the wall, so that anything else on the machine counts.
"""
import functools
import json
import math
import subprocess
import sys
import time
from types import SimpleNamespace
from pairs import HERE, environment, in_turn, peak_memory, quartiles

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


def stepper(accelerator, batch, **settings):
    "A function that makes a training step of text encoder and UNet on made-up latents, as the recipe has them."
    import copy
    import torch
    from lessonlib.engine import MuonAdamW, train_step, update_average
    from lessonlib.training import Captions, new_text_to_noise, noise_loss
    model, tokenizer, scheduler = new_text_to_noise(**settings)
    latents = torch.randn(256, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    numbers = torch.tensor([[i % 34, -1, i % 14] for i in range(len(latents))])
    loss = functools.partial(noise_loss, latents=latents, numbers=numbers, captions=Captions(tokenizer),
                             alphas=scheduler.alphas_cumprod)
    optimizer, average = MuonAdamW(model.parameters(), 1e-4, accelerator), copy.deepcopy(model.eval())

    def step():
        train_step(model, loss, batch, optimizer, 0, 0, accelerator)
        update_average(average.requires_grad_(False), model, 1000, .999)
    return step


def steps_of_both(batch, pairs, **settings):
    """In each of two processes: prints the time of a step that they share, over that of one process alone.

    By the clock on the wall, and in CPU time, of which the busier of the two counts: what free cores would give.
    """
    import torch
    from lessonlib.engine import new_accelerator
    torch.set_num_threads(1)
    accelerator = new_accelerator()
    one = SimpleNamespace(num_processes=1, process_index=0, device=accelerator.device, autocast=accelerator.autocast)
    shared, alone = stepper(accelerator, batch, **settings), stepper(one, batch, **settings)

    def spent(step):
        accelerator.wait_for_everyone()
        wall, cpu = time.perf_counter(), time.process_time()
        if step is shared or accelerator.is_main_process: step()
        used = torch.tensor(time.process_time() - cpu, dtype=torch.float64)
        torch.distributed.all_reduce(used, torch.distributed.ReduceOp.MAX)     # each waits here for the other
        return time.perf_counter() - wall, used.item()

    spent(shared), spent(alone)
    ratios = []
    for k in range(pairs):
        took = {step: spent(step) for step in ((shared, alone) if k % 2 else (alone, shared))}
        ratios.append([a/b for a, b in zip(took[shared], took[alone], strict=True)])
    if accelerator.is_main_process: print(json.dumps([quartiles(some) for some in zip(*ratios, strict=True)]))
    accelerator.end_training()


def trained(batch, pairs, **settings):
    "[ratio by the clock on the wall, ratio of CPU times] of `steps_of_both`."
    code = f'import growth; growth.steps_of_both({batch}, {pairs}, **{settings})'
    command = '-m torch.distributed.run --standalone --nproc_per_node 2 --no-python'.split()
    done = subprocess.run([sys.executable, *command, sys.executable, '-c', code], cwd=HERE, env=environment(),
                          text=True, capture_output=True)
    if done.returncode: raise RuntimeError(f'training, batch {batch}: {done.stderr}')
    return json.loads(done.stdout.splitlines()[-1])


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
    small = dict(block_out_channels=(16, 16, 32))
    for batch in (4,) if quick else (16, 32, 64):
        yield f'training|{batch}', lambda batch=batch: trained(batch, 2 if quick else 9, **small if quick else {})


# Measured once, with copies of the eleven lessons under other names, by `python -m tools.site.build --without-model`.
SITE = ('11, 25, 50 and 100 lessons take 21, 27, 39 and 56 s of CPU time and 0.6, 0.7, 0.8 and 1.1 GB of memory, and '
        'make 10, 16, 28 and 51 MB with a search index of 1.0, 1.6, 2.8 and 5.1 MB: all in proportion. At 100 the '
        'reader gives out first: the menu is six screens long (it opens at the page one is on), and a search loads 5 '
        'MB and then takes some 80 ms a key. Further: a site for each course')


def power(less, more, times):
    "With which power of a size something grows, which takes `more` in place of `less` at `times` the size."
    return math.log(more/less, times)


def by_size(small, large):
    "Of what 256 px take and what 512 px take."
    (time, _, memory), (time2, _, memory2) = small, large
    slower, fuller = power(time[0], time2[0], 4), power(memory, memory2, 4)
    full = (24_000/memory2)**(1/fuller)                                        # times as many pixels
    return (f'from 256 to 512 px time grows with the number of pixels to the power {slower:.1f}, memory to the power '
            f'{fuller:.1f} ({memory2:.0f} MB at 512 px). If it went on so, 24 GB would be full at {512*full**.5:.0f} '
            f'px, after {time2[0]*full**slower:.0f} times the time of 128 px. Further: a GPU; a mask found in a '
            'smaller picture')


def by_pictures(time, one, many):
    "Of what 32 pictures take beside one."
    return (f'32 take {time[0]:.0f} times as long as one, and {many:.0f} MB where one takes {one:.0f} MB. Further: a '
            'process for each core; on a cluster a job array of its scheduler, each job `lessonlib-diffedit` with a '
            'share of the files')


def limits(found):
    "(part, sentence) on where each gives out, of those that have been measured on a system that tells of its memory."
    for way in WAYS:
        sizes = [found.get(f'{way}|size {size}|{"n 2" if way == "mask" else "the defaults"}') for size in (256, 512)]
        if all(sizes) and sizes[0][1]: yield f'{way}, size of the picture', by_size(*sizes)
        pictures = found.get(f'{way}|pictures 32|{"n 1 and " if way == "mask" else ""}size 64')
        if pictures and pictures[1]: yield f'{way}, number of pictures', by_pictures(*pictures)
    many, one = found.get('mask|n 100|the defaults'), found.get('mask|chunk 1|the defaults')
    if many and one and one[1]:
        yield 'mask, n', (f'100 maps take {many[0][0]:.1f} times as long as 10, and {many[2]:.0f} MB for {many[1]:.0f} '
                          f'MB. Further: `chunk`; with 1 they need {one[2]:.0f} MB, and {one[0][0]:.1f} times the time')
    steps = {name.split('|')[1]: found[name][1][0] for name in found if name.startswith('training|')}
    if steps:
        yield 'training, processes', (
            'two on free cores make ' + ', '.join(f'{1/ratio:.2f} times (steps of {n})' for n, ratio in steps.items()) +
            ' the samples of one: the fewer there are for each, the more weigh averages, clipping and the sending of '
            'gradients. Further: a larger batch; a GPU, for which `lessonlib-train` has a recipe; several machines by '
            '`torchrun --nnodes` or `accelerate launch`, which nobody has tried here')
    if found: yield 'site, lessons', SITE


def tables(found):
    "[(words, rows)]"
    ends = [{'part': part, 'where it gives out': words} for part, words in limits(found)]
    found = dict(found)
    both = found.pop('together', None)
    steps = []
    for name in [name for name in found if name.startswith('training|')]:
        wall, cpu = found.pop(name)
        steps.append({'samples of a step': name.split('|')[1], 'wall': wall, 'samples in the same time':
                      f'{1/wall[0]:.2f} times', 'CPU': cpu, 'on free cores': f'{1/cpu[0]:.2f} times'})
    rows = []
    for name, (ratio, before, after) in found.items():
        way, changed, usual = name.split('|')
        row = {'what': way, 'with': changed, 'beside': usual, 'time': ratio}
        row['most memory'] = '' if before is None else f'{after:.0f} of {before:.0f} MB'
        rows.append(row)
    two = [] if both is None else [{'two processes with a mask each, over one alone, wall': both,
                                    'masks in the same time': f'{2/both[0]:.2f} times'}]
    return [('Mask (n = 10, 128 px by default) and edit (5 steps of the whole way, strength .8):', rows),
            ('Two processes at once, one thread each:', two),
            ('A step of the training (text encoder and UNet, Muon) shared by two processes, over the same step by one; '
             'CPU time is that of the busier one:', steps),
            ('Where each part gives out, and what carries it further:', ends)]


if __name__ == '__main__':
    from bench import main
    main('growth')
