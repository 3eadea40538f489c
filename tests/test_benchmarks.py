"""`make bench`: each part runs, at a tiny size; what it finds is kept and becomes a table; a ratio is a ratio."""
import importlib
import json
import os
import re
import subprocess
import sys
import pytest
import torch
from installed import ROOT

BENCH = ROOT/'benchmarks'


@pytest.fixture
def benchmarks(monkeypatch):
    "What gives a module of that folder."
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module


def bench(folder, *options):
    "Standard output of the command, with its results in a folder."
    command = [sys.executable, BENCH/'bench.py', '--out', folder, *options]
    done = subprocess.run(command, text=True, capture_output=True, env=os.environ | {'TQDM_DISABLE': '1'})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def found(tmp_path_factory):
    "A folder with the results of all parts at a tiny size."
    folder = tmp_path_factory.mktemp('bench')
    bench(folder, '--quick')
    return folder


def parts():
    "The names in bench.py."
    line = re.search(r'^PARTS = (.+)$', (BENCH/'bench.py').read_text(), re.M)[1]
    return re.findall(r"'(\w+)'", line)


def ratios(value):
    "Every [median, low, high, pairs] in what a part found."
    if isinstance(value, list) and len(value) == 4 and all(isinstance(x, (int, float)) for x in value): yield value
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value: yield from ratios(part)


@pytest.mark.slow
@pytest.mark.parametrize('part', [part for part in parts() if part != 'device'])
def test_each_part_finds_something(part, found):
    pieces = json.loads((found/f'{part}.json').read_text())
    assert pieces and all(f'torch {torch.__version__}' in piece['where'] for piece in pieces.values())
    if part == 'sweep': return
    some = [ratio for piece in pieces.values() for ratio in ratios(piece['result'])]
    assert some and all(0 < low <= median <= high and pairs >= 1 for median, low, high, pairs in some)


@pytest.mark.slow
def test_the_table_is_written(found, benchmarks):
    text = (found/'RESULTS.md').read_text()
    for part in parts():
        words = text.split(f'## {benchmarks(part).TITLE}\n')[1].partition('\n## ')[0]
        assert ('This part was not' in words) != (found/f'{part}.json').is_file(), part
    assert re.search(r'\| \*\*[\d.e+-]+\*\* \([\d.e+-]+ to [\d.e+-]+; \d+\) \|', text)
    assert 'Python 3.' in text and 'Load of the machine' in text
    rows = [line for line in text.splitlines() if line.startswith('|')]
    assert all(line.endswith('|') for line in rows)
    assert list(found.glob('parity-*.png'))


@pytest.mark.slow
def test_a_run_goes_on_where_it_was(found):
    "What is there is kept, and what another machine gave is not."
    file = found/'broadcasting.json'
    pieces = json.loads(file.read_text())
    first, second = list(pieces)[:2]
    pieces[first]['seconds'], pieces[second]['seconds'] = 1234.5, 1234.5
    pieces[second]['where'] = 'elsewhere'
    file.write_text(json.dumps(pieces))
    bench(found, '--quick', '--only', 'broadcasting')
    after = json.loads(file.read_text())
    assert after[first] == pieces[first]
    assert after[second]['where'] == after[first]['where'] and after[second]['seconds'] < 1000


def test_pairs(benchmarks):
    "A way that takes three times as long has a ratio of 3, and each goes first in turn."
    pairs, now, order = benchmarks('pairs'), [0.], []

    def takes(seconds):
        def run():
            now[0] += seconds
            order.append(seconds)
        return run
    assert pairs.in_turn(takes(3), takes(1), 4, lambda: now[0]) == [3, 3, 3, 4]
    assert order == [3, 1, 1, 3, 3, 1, 1, 3, 3, 1]
    assert pairs.quartiles([1, 2, 3, 4, 5]) == [3, 2, 4, 5] and pairs.quartiles([2]) == [2, 2, 2, 1]


def test_threads_of_one_are_not_in_the_other_s_way(benchmarks):
    "On two threads each way has a process of its own, and the threads that the piece was given."
    gemm = benchmarks('gemm')
    found = gemm.sizes('gemm_parallel', 'float32', 2, [64], 2)
    assert list(found) == [64] and list(found[64]) == ['numpy', 'torch']
    assert all(0 < ratio[0] and ratio[3] == 2 for ratio in found[64].values())
    with gemm.processes('numpy', 'torch') as ask:
        numbers = {who: {ask(who, os.getpid) for _ in range(3)} for who in ('numpy', 'torch')}
    assert len(numbers['numpy']) == len(numbers['torch']) == 1
    assert len({os.getpid()} | numbers['numpy'] | numbers['torch']) == 3


def test_what_was_measured_elsewhere_stays(benchmarks, tmp_path):
    "A fresh folder that knows one part writes that one anew."
    bench = benchmarks('bench')
    file = tmp_path/'RESULTS.md'
    file.write_text('# Results\n\nWords.\n\n## One\n\n| a |\n|---|\n| 1 |\n\n## Two\n\n### A part of it\n\n2\n')
    sections = {'One': '## One\n\nThis part was not yet run.\n', 'Two': '## Two\n\n3\n', 'Four': '## Four\n\n4\n'}
    bench.write(file, sections, measured={'Two'})
    text = file.read_text()
    assert text.startswith(bench.HEAD)
    assert text.removeprefix(bench.HEAD) == '\n## One\n\n| a |\n|---|\n| 1 |\n\n## Two\n\n3\n\n## Four\n\n4\n'


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='only Linux tells')
def test_memory(benchmarks):
    "40 MB are seen, 1 MB is not taken for more, and what is given back does not count for the next."
    pairs = benchmarks('pairs')
    wanted = pairs.peak_memory(lambda: torch.ones(10_000_000))
    assert 35 < wanted < 60, wanted
    assert pairs.peak_memory(lambda: torch.ones(250_000)) < 10


def test_samples_are_counted(benchmarks):
    network = torch.nn.Linear(2, 2)
    counts, hook = benchmarks('pairs').asked(network)
    network(torch.ones(3, 2)), network(torch.ones(1, 2))
    hook.remove()
    network(torch.ones(5, 2))
    assert counts == [3, 1]


def test_a_child_has_its_threads(benchmarks):
    pairs = benchmarks('pairs')
    with pytest.raises(RuntimeError, match="gemm.sizes.*no_such_way"):
        pairs.child('gemm', 'sizes', 'no_such_way', 'float32', 1, [8], 1)
    assert pairs.environment(2)['OMP_NUM_THREADS'] == '2'


def test_growth_is_told_in_words(benchmarks):
    "Of what 16 times the time and 4 times the memory take at 4 times the pixels; and only of what was measured."
    growth, ratio = benchmarks('growth'), lambda value: [value, value, value, 3]
    found = {'mask|size 256|n 2': [ratio(4), 20, 100], 'mask|size 512|n 2': [ratio(64), 20, 400],
             'training|32': [ratio(.9), ratio(.625)]}
    told = dict(growth.limits(found))
    assert list(told) == ['mask, size of the picture', 'training, processes', 'site, lessons']
    assert 'to the power 2.0, memory to the power 1.0 (400 MB at 512 px)' in told['mask, size of the picture']
    assert '24 GB would be full at 3966 px, after 230400 times' in told['mask, size of the picture']
    assert 'make 1.60 times (steps of 32) the samples of one' in told['training, processes']
    assert growth.tables({})[-1][1] == []
    unknown = {'mask|size 256|n 2': [ratio(4), None, None], 'mask|size 512|n 2': [ratio(64), None, None]}
    assert list(dict(growth.limits(unknown))) == ['site, lessons']
