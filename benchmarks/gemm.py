"""The ladder of lesson 1, and `gemm` and `gemm_parallel`, beside numpy and torch, in turn in one process.

    python benchmarks/gemm.py
    python benchmarks/gemm.py --quick

One process for each number of threads, which both sides have. On one thread the clock is its CPU time, so that other
programs disturb less; on two it is the clock on the wall, so that anything else on the machine disturbs.
"""
import time
from pairs import child, in_turn

TITLE = 'The ladder and gemm beside numpy and torch'
SIZES = 64, 128, 256, 512, 1000, 1024, 2048
MOST = dict(matmul_loops=64, matmul_elementwise=256, matmul_rows=512, matmul_broadcast=256, matmul_dot=512,
            matmul_numba=512)  # what takes longer than a few seconds is left out
ALLOWED = dict(float32=1e-5, float64=1e-13)


def way(name):
    "A function of two arrays."
    from lessonlib import broadcasting, gemm, matmul
    for module in gemm, matmul, broadcasting:
        if hasattr(module, name): return getattr(module, name)


def sizes(name, dtype, threads, some, pairs):
    "n -> `beside` of that size."
    return {n: beside(name, dtype, threads, n, pairs) for n in some}


def beside(name, dtype, threads, n, pairs):
    "Our time over numpy's and over torch's."
    import numpy as np
    import torch
    from lessonlib.timing import relative_error
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((n, n)).astype(dtype) for _ in range(2))
    ta, tb = torch.from_numpy(a), torch.from_numpy(b)
    ours = way(name)
    on = (ta, tb) if name in ('matmul_rows', 'matmul_broadcast') else (a, b)
    assert relative_error(ours(*on), a @ b) < ALLOWED[dtype], f'{name} is wrong for n = {n}'
    repeats = 1 if name in MOST else max(1, round(2e5 / n**2))      # so that each timing takes long enough
    clock = time.thread_time if threads == 1 else time.perf_counter

    def often(function, *operands):
        def run():
            for _ in range(repeats): function(*operands)
        return run
    mine = often(ours, *on)
    return dict(numpy=in_turn(mine, often(np.matmul, a, b), pairs, clock),
                torch=in_turn(mine, often(torch.matmul, ta, tb), pairs, clock))


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
    by_threads = {}
    for name, by_size in found.items():
        way, dtype, threads = name.split(', ')
        for n, one in by_size.items():
            row = dict(way=way, dtype=dtype, n=n) | {f'of {peer}\'s time': ratio for peer, ratio in one.items()}
            by_threads.setdefault(threads, []).append(row)
    return [(f'Threads on both sides: {threads}.', rows) for threads, rows in by_threads.items()]


if __name__ == '__main__':
    from bench import main
    main('gemm')
