"""Importing a module of the package is light and changes nothing: no drawing or model library, no network, no global state."""
import json, subprocess, sys
from pathlib import Path
import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(p.stem for p in (ROOT/'lessonlib').glob('*.py') if not p.stem.startswith('_'))

# Imports each module in turn and prints what each one loaded or changed, as JSON.
PROBE = '''
import importlib, json, os, pickle, random, socket, sys, warnings
import numpy, torch

reached = []
sys.addaudithook(lambda event, args: reached.append(event) if event in ('socket.connect', 'socket.getaddrinfo') else None)

def state():
    return {'random seed': random.getstate(), 'numpy seed': pickle.dumps(numpy.random.get_state()), 'torch seed': torch.get_rng_state().tolist(),
            'numpy print options': str(numpy.get_printoptions()), 'torch print options': str(vars(torch._tensor_str.PRINT_OPTS)),
            'default dtype': str(torch.get_default_dtype()), 'gradients on': torch.is_grad_enabled(), 'threads': torch.get_num_threads(),
            'warning filters': str(warnings.filters), 'environment': dict(os.environ), 'working directory': os.getcwd(), 'sys.path': list(sys.path)}

faults, loaded, before = {}, set(), state()
for name in sys.argv[1:]:
    importlib.import_module(name)
    heavy = {m for m in ('matplotlib', 'diffusers', 'transformers') if m in sys.modules} - loaded
    after = state()
    faults[name] = sorted('loads ' + m for m in heavy) + ['changes ' + k for k in before if before[k] != after[k]] + ['reaches for the network: ' + e for e in reached]
    loaded, before, reached[:] = loaded | heavy, after, []
print(json.dumps(faults))
'''


def probe(*modules, path=ROOT):
    done = subprocess.run([sys.executable, '-c', PROBE, *modules], cwd=path, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope='module')
def faults(): return probe(*(f'lessonlib.{m}' for m in MODULES))


@pytest.mark.parametrize('module', MODULES)
def test_import_is_light(module, faults): assert faults[f'lessonlib.{module}'] == []


def test_the_probe_sees_each_fault(tmp_path):
    bad = ['import matplotlib', 'import random; random.seed(1)', 'import numpy; numpy.set_printoptions(precision=2)',
           'import torch; torch.set_printoptions(precision=2)', 'import torch; torch.manual_seed(0)',
           'import socket; socket.getaddrinfo("localhost", 1)', 'import os; os.environ["X"] = "1"']
    for i, code in enumerate(bad): (tmp_path/f'bad{i}.py').write_text(code)
    found = probe(*(f'bad{i}' for i in range(len(bad))), path=tmp_path)
    assert [found[f'bad{i}'] for i in range(len(bad))] == [
        ['loads matplotlib'], ['changes random seed'], ['changes numpy print options'], ['changes torch print options'],
        ['changes torch seed'], ['reaches for the network: socket.getaddrinfo'], ['changes environment']]
