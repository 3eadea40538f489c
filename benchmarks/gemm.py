"""`lessonlib.gemm.gemm` beside numpy and torch, one thread each, in turn in one process.

    python benchmarks/gemm.py                            # float32, n = 256, 512, 1000, 1024, 2048
    python benchmarks/gemm.py --dtype float64 --runs 31

A share is the other's time over ours, the median of paired runs: 1 is as fast, below 1 slower. By default the clock is
the thread's CPU time, so that other programs on the machine disturb less; `--clock wall` takes the clock on the wall.
"""
import os
for name in 'OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS':
    os.environ[name] = '1'                               # read when numpy and torch are loaded
import argparse
import statistics
import time
import numpy as np
import torch
from lessonlib.gemm import gemm
from lessonlib.timing import machine, relative_error

CLOCKS = {'cpu': time.thread_time, 'wall': time.perf_counter}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--sizes', type=int, nargs='+', default=[256, 512, 1000, 1024, 2048])
    parser.add_argument('--dtype', choices=['float32', 'float64'], default='float32')
    parser.add_argument('--runs', type=int, default=21, help='pairs for each size')
    parser.add_argument('--clock', choices=CLOCKS, default='cpu')
    return parser.parse_args()


def seconds(clock, function, *operands):
    "Of one call."
    start = clock()
    function(*operands)
    return clock() - start


def compare(a, b, runs, clock):
    "Shares of numpy and torch; GFLOP/s of gemm, numpy and torch; for two (n, n) arrays."
    ta, tb = torch.from_numpy(a), torch.from_numpy(b)
    assert relative_error(gemm(a, b), a @ b) < (1e-5 if a.dtype == np.float32 else 1e-13)
    torch.matmul(ta, tb)                                 # warm, like the other two
    times = [(seconds(clock, gemm, a, b), seconds(clock, np.matmul, a, b), seconds(clock, torch.matmul, ta, tb))
             for _ in range(runs)]
    shares = [statistics.median(row[other]/row[0] for row in times) for other in (1, 2)]
    speeds = [2e-9*len(a)**3/statistics.median(column) for column in zip(*times, strict=True)]
    return shares, speeds


def main():
    args = arguments()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    print(f'{machine()}\n{args.dtype}, {args.runs} paired runs, {args.clock} time')
    print('   n  of numpy  of torch   gemm  numpy  torch GFLOP/s')
    for n in args.sizes:
        a, b = (rng.standard_normal((n, n)).astype(args.dtype) for _ in range(2))
        shares, speeds = compare(a, b, args.runs, CLOCKS[args.clock])
        print(f'{n:4}' + ''.join(f'{x:10.2f}' for x in shares) + ''.join(f'{x:7.0f}' for x in speeds), flush=True)


if __name__ == '__main__': main()
