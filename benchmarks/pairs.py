"What the benchmarks share: pairs of calls in turn, the most memory of a call, and Python in a process of its own."
import ctypes
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def quartiles(values):
    "Median, lower and upper quartile, and how many there are: what a table shows of ratios."
    if len(values) < 2: return [*values*3, len(values)]
    low, median, high = statistics.quantiles(values, n=4, method='inclusive')
    return [median, low, high, len(values)]


def seconds(function, clock):
    "Of one call."
    start = clock()
    function()
    return clock() - start


def in_turn(a, b, pairs=9, clock=time.process_time):
    "a's time over b's: `quartiles` of the pairs, in which a and b go first in turn, after one call of each."
    a(), b()
    return told_in_turn(lambda: seconds(a, clock), lambda: seconds(b, clock), pairs)


def told_in_turn(a, b, pairs=9):
    "As `in_turn`, of functions that time themselves and give s."
    ratios = []
    for k in range(pairs):
        order = (a, b) if k % 2 else (b, a)
        took = {function: function() for function in order}
        ratios.append(took[a] / took[b])
    return quartiles(ratios)


def _status(name):
    "A line of this process's status, in MB; Linux alone has it."
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith(name): return int(line.split()[1]) / 1000


def peak_memory(function):
    "MB that a call needs beyond what the process holds; None where the system does not tell (it is not Linux)."
    function()                                                     # what stays, such as compiled kernels
    gc.collect()
    try:
        ctypes.CDLL('libc.so.6').malloc_trim(0)
        Path('/proc/self/clear_refs').write_text('5')              # the most so far is forgotten
    except OSError: return None
    before = _status('VmRSS')
    function()
    return _status('VmHWM') - before


def environment(threads=1):
    "For a process with so many threads, which asks no model hub."
    counts = {name: str(threads) for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS',
                                              'NUMBA_NUM_THREADS')}
    return os.environ | counts | {'HF_HUB_OFFLINE': '1', 'TQDM_DISABLE': '1'}


def child(part, function, *arguments, threads=1):
    "What `part.function(*arguments)` gives in a process of its own; all of it as JSON."
    code = f'import json, {part}; print(json.dumps({part}.{function}(*json.loads({json.dumps(arguments)!r}))))'
    done = subprocess.run([sys.executable, '-c', code], cwd=HERE, env=environment(threads), text=True,
                          capture_output=True)
    if done.returncode: raise RuntimeError(f'{part}.{function}{arguments}: {done.stderr}')
    return json.loads(done.stdout.splitlines()[-1])


def asked(network):
    "(list, hook): how many samples each call of a network was asked for, as it goes on; `hook.remove()` ends it."
    counts = []
    return counts, network.register_forward_pre_hook(lambda _, inputs: counts.append(len(inputs[0])))
