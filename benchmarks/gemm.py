"""`lessonlib.gemm.gemm` beside numpy and torch, one thread each, in turn in one process.

    python benchmarks/gemm.py                            # float32, n = 256, 512, 1000, 1024, 2048
    python benchmarks/gemm.py --dtype float64 --runs 31

A share is the other's time over ours, the median of paired runs: 1 is as fast, below 1 slower. By default the clock
is the thread's CPU time, so that other programs on the machine disturb less; `--clock wall` takes the clock on the wall.
"""
import os
for name in 'OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS': os.environ[name] = '1'  # read when numpy and torch load
import argparse, statistics, time
import numpy as np, torch
from lessonlib.gemm import gemm
from lessonlib.timing import machine, relative_error

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('--sizes', type=int, nargs='+', default=[256, 512, 1000, 1024, 2048])
parser.add_argument('--dtype', choices=['float32', 'float64'], default='float32')
parser.add_argument('--runs', type=int, default=21, help='pairs for each size')
parser.add_argument('--clock', choices=['cpu', 'wall'], default='cpu')
args = parser.parse_args()
clock = time.thread_time if args.clock == 'cpu' else time.perf_counter
torch.set_num_threads(1)


def seconds(function, *operands):
    start = clock()
    function(*operands)
    return clock() - start


rng = np.random.default_rng(0)
print(f'{machine()}\n{args.dtype}, {args.runs} paired runs, {args.clock} time\n   n  of numpy  of torch   gemm  numpy  torch GFLOP/s')
for n in args.sizes:
    a, b = (rng.standard_normal((n, n)).astype(args.dtype) for _ in range(2))
    ta, tb = torch.from_numpy(a), torch.from_numpy(b)
    assert relative_error(gemm(a, b), a @ b) < (1e-5 if args.dtype == 'float32' else 1e-13)
    torch.matmul(ta, tb)
    times = [(seconds(gemm, a, b), seconds(np.matmul, a, b), seconds(torch.matmul, ta, tb)) for _ in range(args.runs)]
    of_numpy, of_torch = (statistics.median(row[other] / row[0] for row in times) for other in (1, 2))
    ours, numpy_speed, torch_speed = (2e-9 * n**3 / statistics.median(column) for column in zip(*times))
    print(f'{n:4}{of_numpy:10.2f}{of_torch:10.2f}{ours:7.0f}{numpy_speed:7.0f}{torch_speed:7.0f}', flush=True)
