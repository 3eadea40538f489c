"""Matrices of every layout go through every product, and `gemm_parallel` works in processes that were forked."""
import ast
import operator
import subprocess
import sys
import numpy as np
import pytest
import torch
from lessonlib.broadcasting import einsum, matmul_broadcast, matmul_rows
from lessonlib.gemm import gemm, gemm_parallel
from lessonlib.matmul import (frobenius_norm, inner_product, matmul_dot, matmul_elementwise, matmul_loops,
                              matmul_numba)
from lessonlib.timing import relative_error

PRODUCTS = {function.__name__: function for function in
            (matmul_loops, matmul_dot, matmul_numba, matmul_elementwise, matmul_rows, matmul_broadcast, gemm,
             gemm_parallel)}
PRODUCTS['inner_product'] = inner_product(operator.add, operator.mul)


def read_only(values):
    values.flags.writeable = False
    return values


def memory_mapped(values, path):
    np.save(path/'matrix.npy', values)
    return np.load(path/'matrix.npy', mmap_mode='r')


def not_aligned(values):
    array = np.frombuffer(bytearray(values.nbytes + 1), values.dtype, offset=1).reshape(values.shape)
    array[...] = values
    return array


def field(values):
    "One field of records that are 5 bytes long."
    records = np.zeros(values.shape, 'u1, f4')
    records['f1'] = values
    return records['f1']


ARRAYS = {
    'rows': lambda values, path: values,
    'columns': lambda values, path: np.asfortranarray(values),
    'backwards': lambda values, path: values[::-1, ::-1].copy()[::-1, ::-1],
    'turned': lambda values, path: np.flip(values, 1).copy()[:, ::-1],
    'gaps': lambda values, path: np.repeat(np.repeat(values, 2, 0), 3, 1)[::2, ::3],
    'read-only': lambda values, path: read_only(values.copy()),
    'a buffer': lambda values, path: np.frombuffer(values.tobytes(), values.dtype).reshape(values.shape),
    'a file': memory_mapped,
    'other byte order': lambda values, path: values.astype(values.dtype.newbyteorder()),
    'not aligned': lambda values, path: not_aligned(values),
    'a field': lambda values, path: field(values),
    'np.matrix': lambda values, path: np.asmatrix(values)}
TENSORS = {
    'rows': lambda values: values,
    'transposed': lambda values: values.T.contiguous().T,
    'gaps': lambda values: values.repeat_interleave(2, 0).repeat_interleave(3, 1)[::2, ::3],
    'negative bit': lambda values: torch.complex(values, -values).conj().imag,
    'a part of complex numbers': lambda values: torch.complex(values, values).conj().real,
    'sparse': lambda values: values.to_sparse(),
    'a parameter': torch.nn.Parameter,
    'an offset': lambda values: torch.cat([torch.zeros(1), values.flatten()])[1:].reshape(values.shape)}
LAYOUTS = list(ARRAYS)
VALUES = np.random.default_rng(0).standard_normal((6, 5)).astype('float32')
WEIGHTS = np.random.default_rng(1).standard_normal((5, 4)).astype('float32')
EXACT = VALUES.astype('float64') @ WEIGHTS.astype('float64')


def plain(x):
    return x.detach().to_dense().resolve_neg().numpy() if isinstance(x, torch.Tensor) else np.array(x)


@pytest.mark.parametrize('product', PRODUCTS.values(), ids=PRODUCTS)
@pytest.mark.parametrize('layout', LAYOUTS)
def test_arrays_of_every_layout(product, layout, tmp_path):
    a, b = ARRAYS[layout](VALUES.copy(), tmp_path), WEIGHTS.copy()
    for left, right, wanted in (a, b, EXACT), (b.T, a.T, EXACT.T):
        found = product(left, right)
        assert type(found) is np.ndarray and found.dtype == np.float32
        assert relative_error(found, wanted) < 1e-6
        assert not np.shares_memory(found, a) and not np.shares_memory(found, b)
        found[...] = 0
    assert np.array_equal(plain(a), VALUES) and np.array_equal(b, WEIGHTS)      # nothing was changed


@pytest.mark.parametrize('product', PRODUCTS.values(), ids=PRODUCTS)
@pytest.mark.parametrize('layout', TENSORS)
def test_tensors_of_every_layout(product, layout):
    a, b = TENSORS[layout](torch.from_numpy(VALUES.copy())), torch.from_numpy(WEIGHTS.copy())
    for left, right, wanted in (a, b, EXACT), (b.T, a.T, EXACT.T):
        found = product(left, right)
        assert isinstance(found, torch.Tensor) and found.dtype == torch.float32 and not found.is_neg()
        assert relative_error(found, wanted) < 1e-6
        found.detach().zero_()
    assert np.array_equal(plain(a), VALUES) and np.array_equal(plain(b), WEIGHTS)


@pytest.mark.parametrize('product', PRODUCTS.values(), ids=PRODUCTS)
def test_views_whose_cells_share_memory(product):
    "Expanded and overlapping views, and one matrix as both operands."
    line, one = torch.arange(8.), torch.ones(1)
    for a, b in ((one.expand(3, 4), line.as_strided((4, 5), (1, 1))), (line.as_strided((3, 3), (2, 1)),)*2):
        before = line.clone()
        assert relative_error(product(a, b), a.double() @ b.double()) < 1e-6
        assert relative_error(product(a.numpy(), b.numpy()), a.double() @ b.double()) < 1e-6
        assert torch.equal(line, before) and one.item() == 1
    wide = np.broadcast_to(np.float32(2), (3, 4)), np.broadcast_to(np.arange(5, dtype='float32'), (4, 5))
    assert relative_error(product(*wide), wide[0] @ wide[1]) < 1e-6


@pytest.mark.parametrize('layout', TENSORS)
def test_einsum_and_norm_of_every_layout(layout):
    a, b = TENSORS[layout](torch.from_numpy(VALUES.copy())), torch.from_numpy(WEIGHTS.copy())
    assert relative_error(frobenius_norm(a), np.linalg.norm(VALUES.astype('float64'))) < 1e-6
    if layout == 'sparse': return                                # has no strides to follow
    assert relative_error(einsum('ik,kj->ij', a, b), EXACT) < 1e-6
    assert relative_error(einsum('ij->j', a), VALUES.sum(0, dtype='float64')) < 1e-6


@pytest.mark.parametrize('layout', ARRAYS)
def test_norm_of_every_layout(layout, tmp_path):
    found = frobenius_norm(ARRAYS[layout](VALUES.copy(), tmp_path))
    assert isinstance(found, np.float32) and relative_error(found, np.linalg.norm(VALUES.astype('float64'))) < 1e-6


FORKED = '''
import multiprocessing, sys, warnings
import numba, numpy as np, torch
from lessonlib.gemm import gemm, gemm_parallel

a = np.arange(64*64, dtype='float64').reshape(64, 64)

def job(n):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        right = np.array_equal(gemm_parallel(a, a + n), a @ (a + n))
    return right, [str(warning.message) for warning in said]

numba.config.THREADING_LAYER = sys.argv[1]
gemm(a, a)                                                       # compiled once, for all processes
for when in sys.argv[2:]:
    if when == 'use': gemm_parallel(a, a)
    if when == 'other': numba.njit(parallel=True)(lambda x: x + x)(a)
    if when == 'torch':
        torch.set_num_threads(2)
        torch.ones(1000, 1000).exp()
    if when == 'fork':
        with multiprocessing.get_context('fork').Pool(2) as pool: print(pool.map_async(job, range(2)).get(timeout=100))
if 'use' in sys.argv: assert job(1) == (True, [])                # the parent itself is as it was
'''


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='where processes are forked')
@pytest.mark.parametrize('layer, steps, warned', [
    ('default', ['torch', 'fork', 'other', 'fork'], [True, True]), ('omp', ['use', 'fork'], [True]),
    ('workqueue', ['torch', 'fork', 'use', 'fork'], [False, False])])
def test_a_pool_of_forked_processes(layer, steps, warned):
    "A fork that asks GNU OpenMP for threads waits for ever or is ended, and so its pool: `gemm_parallel` does not ask."
    done = subprocess.run([sys.executable, '-c', FORKED, layer, *steps], capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr
    words = "gemm_parallel: threads of OpenMP do not survive a fork, so this process computes on one; "
    for line, expected in zip(done.stdout.splitlines(), warned, strict=True):
        for right, said in ast.literal_eval(line):
            assert right and bool(said) == expected and all(text.startswith(words) for text in said)
