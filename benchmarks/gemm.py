"""The ladder of lesson 1, and `gemm` and `gemm_parallel`, beside numpy and torch, in turn in one process.

    python benchmarks/gemm.py
    python benchmarks/gemm.py --quick

On one thread both sides take turns in one process, by its CPU time, so that other programs disturb less. On two the
clock on the wall counts, so that anything else disturbs, the other side's threads as well: they keep a core busy for a
while as they wait for more. So there each side has a process of its own, and a rest before its turn.
"""
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache
from multiprocessing import get_context
from pairs import child, in_turn, seconds, told_in_turn

TITLE = 'The ladder and gemm beside numpy and torch'
SIZES = 64, 128, 256, 512, 1000, 1024, 2048
MOST = dict(matmul_loops=64, matmul_elementwise=256, matmul_rows=512, matmul_broadcast=256, matmul_dot=512,
            matmul_numba=512)  # what takes longer than a few seconds is left out
ALLOWED = dict(float32=1e-5, float64=1e-13)


PEERS = 'numpy', 'torch'
REST = .3  # s, after which the threads of the other side sleep


@cache
def operands(dtype, n):
    "Two matrices, the same in every process."
    import numpy as np
    rng = np.random.default_rng(0)
    return [rng.standard_normal((n, n)).astype(dtype) for _ in range(2)]


def way(name):
    "(function of two matrices, whether it takes tensors)."
    import numpy as np
    import torch
    from lessonlib import broadcasting, gemm, matmul
    if name == 'numpy': return np.matmul, False
    if name == 'torch': return torch.matmul, True
    ours = next(getattr(module, name) for module in (gemm, matmul, broadcasting) if hasattr(module, name))
    return ours, name in ('matmul_rows', 'matmul_broadcast')


def often(name, dtype, n):
    "The product by one way, so many times that a timing takes long enough."
    import torch
    function, tensors = way(name)
    on = [torch.from_numpy(x) for x in operands(dtype, n)] if tensors else operands(dtype, n)
    repeats = 1 if name in MOST else max(1, round(2e5 / n**2))

    def run():
        for _ in range(repeats): result = function(*on)
        return result
    return run


def alone(name, dtype, n):
    "s on the clock of `often`, after a rest, and a call that wakes the threads."
    time.sleep(REST)
    run = often(name, dtype, n)
    run()
    return seconds(run, time.perf_counter)


@contextmanager
def processes(*names):
    "A process of its own for each name: what asks one of them, `ask(name, function, *arguments)`."
    with ExitStack() as stack:
        one = {name: stack.enter_context(ProcessPoolExecutor(1, get_context('spawn'))) for name in names}
        yield lambda name, function, *arguments: one[name].submit(function, *arguments).result()


def sizes(name, dtype, threads, some, pairs):
    "n -> peer -> our time over its time."
    from lessonlib.timing import relative_error
    for n in some:
        one, other = (often(who, dtype, n)() for who in (name, 'numpy'))
        assert relative_error(one, other) < ALLOWED[dtype], f'{name} is wrong for n = {n}'
    if threads == 1:
        return {n: {peer: in_turn(often(name, dtype, n), often(peer, dtype, n), pairs, time.thread_time)
                    for peer in PEERS} for n in some}
    with processes(name, *PEERS) as ask:
        def took(who, n): return lambda: ask(who, alone, who, dtype, n)
        return {n: {peer: told_in_turn(took(name, n), took(peer, n), pairs) for peer in PEERS} for n in some}


def work(quick):
    "(name, function) of each piece: one way at all sizes, in a process of its own."
    sizes = SIZES[:1] if quick else SIZES
    cases = [('gemm', 'float32', 1), ('gemm', 'float64', 1), ('gemm_parallel', 'float32', 2)]
    cases += [] if quick else [(name, 'float32', 1) for name in MOST]
    for name, dtype, threads in cases:
        some = [n for n in sizes if n <= MOST.get(name, n)]
        case = name, dtype, threads, some, 2 if quick else 9
        def piece(case=case): return child('gemm', 'sizes', *case, threads=case[2])
        yield f'{name}, {dtype}, {threads}', piece


def tables(found):
    "[(words, rows)]: one thread, two threads."
    by_threads = {'1': [], '2': []}
    for piece, by_size in found.items():
        name, dtype, threads = piece.split(', ')
        for n, one in by_size.items():
            ratios = {f'of {peer}\'s time': ratio for peer, ratio in one.items()}
            by_threads[threads].append(dict(way=name, dtype=dtype, n=n) | ratios)
    return [('Threads on both sides: 1.', by_threads['1']),
            ('Threads on both sides: 2, and each side in a process of its own.', by_threads['2'])]


if __name__ == '__main__':
    from bench import main
    main('gemm')
