"""`einsum` and `matmul_broadcast` beside torch's, and `explain_broadcast` on many axes and operands.

    python benchmarks/broadcasting.py
    python benchmarks/broadcasting.py --quick
"""
import time
from pairs import in_turn, peak_memory

TITLE = 'einsum, matmul_broadcast and explain_broadcast'
SPECS = ('ik,kj->ij', 'bik,bkj->bij', 'bhqd,bhkd->bhqk', 'i,j->ij', 'ij->ji', 'ii->i', 'ijk->', 'bi,bj,bij->b')


def einsum_of(spec, size, pairs):
    "Our time and memory over torch's; each letter has `size` places."
    import torch
    from lessonlib.broadcasting import einsum
    generator = torch.Generator().manual_seed(0)
    tensors = [torch.randn([size]*len(term), generator=generator) for term in spec.split('->')[0].split(',')]
    torch.testing.assert_close(einsum(spec, *tensors), torch.einsum(spec, *tensors), rtol=1e-4, atol=1e-3)
    def ours(): return [einsum(spec, *tensors) for _ in range(20)][-1]
    def theirs(): return [torch.einsum(spec, *tensors) for _ in range(20)][-1]
    return in_turn(ours, theirs, pairs, time.thread_time)


def matmul_of(n, pairs):
    "Time over torch's, and the most memory in MB."
    import torch
    from lessonlib.broadcasting import matmul_broadcast
    a, b = torch.randn(2, n, n, generator=torch.Generator().manual_seed(0)).unbind()
    def ours(): return matmul_broadcast(a, b)
    def theirs(): return [a @ b for _ in range(20)]
    ratio = in_turn(ours, theirs, pairs, time.thread_time)
    return [*(20*value for value in ratio[:3]), ratio[3]], peak_memory(ours)


def explained(axes, operands, pairs):
    "Time over torch's, which says of shapes that fit only how they meet: `torch.broadcast_shapes`."
    import torch
    from lessonlib.broadcasting import broadcast_shape, explain_broadcast
    shapes = [[1 if (k + j) % operands else 1 + j % 9 for j in range(axes)] for k in range(operands)]
    assert broadcast_shape(*shapes) == tuple(torch.broadcast_shapes(*shapes))
    def often(function): return lambda: [function() for _ in range(20)]
    theirs = often(lambda: torch.broadcast_shapes(*shapes))
    ours = often(lambda: broadcast_shape(*shapes)), often(lambda: repr(explain_broadcast(*shapes)))
    return [in_turn(way, theirs, pairs, time.thread_time) for way in ours]


def work(quick):
    "(name, function) of each piece."
    pairs = 3 if quick else 15
    for spec in SPECS[:2] if quick else SPECS:
        for size in (4,) if quick else (4, 16, 64):
            if size**len(set(spec) - set(',->')) > 2e6: continue       # products: seconds for one call
            yield f'einsum|{spec}|{size}', lambda spec=spec, size=size: einsum_of(spec, size, pairs)
    for n in (16,) if quick else (16, 32, 64, 128, 256, 512):
        yield f'matmul|{n}', lambda n=n: matmul_of(n, min(pairs, 7))
    for axes, operands in ((8, 2),) if quick else ((2, 2), (8, 2), (32, 2), (64, 2), (8, 8), (8, 26), (64, 26)):
        yield f'explain|{axes}|{operands}', lambda a=axes, o=operands: explained(a, o, min(pairs, 7))


def tables(found):
    "[(words, rows)]"
    rows = {'einsum': [], 'matmul': [], 'explain': []}
    for name, one in found.items():
        kind, *what = name.split('|')
        if kind == 'einsum': row = {'einsum': f'`{what[0]}`', 'places of a letter': what[1], 'of torch\'s time': one}
        elif kind == 'matmul':
            row = {'n': what[0], 'of torch.matmul\'s time': one[0]}
            row['most memory'] = '' if one[1] is None else f'{one[1]:.0f} MB'
        else: row = {'axes': what[0], 'operands': what[1], 'broadcast_shape, of torch.broadcast_shapes\' time': one[0],
                     'explain_broadcast and its words, of the same': one[1]}
        rows[kind].append(row)
    return [('`einsum` makes all products at once and sums them, torch\'s asks for a matrix product:', rows['einsum']),
            ('`matmul_broadcast` holds m k n products at once, so memory is where it gives out:', rows['matmul']),
            ('`explain_broadcast` finds words, torch only the shape:', rows['explain'])]


if __name__ == '__main__':
    from bench import main
    main('broadcasting')
