"""Importing a module of the package is light and changes nothing, and imports go one way.

Light: no drawing or model library, no network, no global state.
"""
import ast
import json
import subprocess
import sys
import pytest
from installed import ROOT

MODULES = sorted(path.stem for path in (ROOT/'lessonlib').glob('*.py') if not path.stem.startswith('_'))

# Imports each module in turn and prints what each one loaded or changed, as JSON.
PROBE = '''
import importlib, json, os, pickle, random, socket, sys, warnings
import numpy, torch

HEAVY = 'matplotlib', 'diffusers', 'transformers', 'fastcore', 'IPython'
reached = []
NETWORK = 'socket.connect', 'socket.getaddrinfo'
sys.addaudithook(lambda event, args: reached.append(event) if event in NETWORK else None)

def state():
    return {
        'random seed': random.getstate(),
        'numpy seed': pickle.dumps(numpy.random.get_state()),
        'torch seed': torch.get_rng_state().tolist(),
        'numpy print options': str(numpy.get_printoptions()),
        'torch print options': str(vars(torch._tensor_str.PRINT_OPTS)),
        'default dtype': str(torch.get_default_dtype()),
        'gradients on': torch.is_grad_enabled(),
        'threads': torch.get_num_threads(),
        'warning filters': str(warnings.filters),
        'environment': dict(os.environ),
        'working directory': os.getcwd(),
        'sys.path': list(sys.path),
    }

faults, loaded, before = {}, {m for m in HEAVY if m in sys.modules}, state()
for name in sys.argv[1:]:
    importlib.import_module(name)
    heavy = {m for m in HEAVY if m in sys.modules} - loaded
    after = state()
    faults[name] = [
        *sorted(f'loads {m}' for m in heavy),
        *(f'changes {key}' for key in before if before[key] != after[key]),
        *(f'reaches for the network: {event}' for event in reached),
    ]
    loaded, before, reached[:] = loaded | heavy, after, []
print(json.dumps(faults))
'''


def probe(*modules, path=ROOT):
    "Module -> its faults, all of them imported in one process."
    done = subprocess.run([sys.executable, '-c', PROBE, *modules], cwd=path, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope='module')
def faults():
    return probe(*(f'lessonlib.{module}' for module in MODULES))


@pytest.mark.parametrize('module', MODULES)
def test_import_is_light(module, faults):
    assert faults[f'lessonlib.{module}'] == []


BAD = {
    'import matplotlib': 'loads matplotlib',
    'import random; random.seed(1)': 'changes random seed',
    'import numpy; numpy.set_printoptions(precision=2)': 'changes numpy print options',
    'import torch; torch.set_printoptions(precision=2)': 'changes torch print options',
    'import torch; torch.manual_seed(0)': 'changes torch seed',
    'import socket; socket.getaddrinfo("localhost", 1)': 'reaches for the network: socket.getaddrinfo',
    'import os; os.environ["X"] = "1"': 'changes environment',
}


def test_the_probe_sees_each_fault(tmp_path):
    names = [f'bad{i}' for i in range(len(BAD))]
    for name, code in zip(names, BAD, strict=True):
        (tmp_path/f'{name}.py').write_text(code)
    found = probe(*names, path=tmp_path)
    assert [found[name] for name in names] == [[fault] for fault in BAD.values()]


# ---- imports go one way: lessons import helpers, concepts import lower concepts

HELPERS = {'inputs', 'masks', 'photos', 'progress', 'timing', 'show', 'widgets', 'reports', 'letters', 'check', 'quiz',
           'questions', 'scenes', 'stable_diffusion', 'engine', 'studio'}
AT_THE_TOP = {  # module -> the modules of ours that it may import
    'inputs': set(),
    'masks': {'inputs'},
    'photos': {'inputs'},
    'progress': set(),
    'timing': {'inputs', 'progress'},
    'show': {'inputs', 'masks'},
    'widgets': {'inputs', 'show'},
    'reports': {'inputs', 'widgets'},
    'letters': {'inputs'},
    'questions': {'reports'},
    'check': {'inputs'},
    'quiz': {'inputs', 'check', 'widgets'},
    'scenes': {'inputs'},
    'engine': {'inputs', 'progress'},
    'stable_diffusion': {'inputs', 'progress', 'guidance'},  # guidance is a concept of tensors alone
    'matmul': {'inputs'},
    'broadcasting': {'matmul', 'reports', 'letters'},
    'gemm': {'inputs', 'matmul'},
    'nano': set(),  # torch alone
    'guidance': {'inputs'},
    'diffedit_mask': {'inputs', 'masks', 'photos', 'progress', 'stable_diffusion'},
    'diffedit': {'inputs', 'photos', 'stable_diffusion', 'guidance', 'diffedit_mask', 'progress'},
    'export': {'inputs', 'stable_diffusion', 'diffedit_mask'},
    'studio': {'inputs', 'progress', 'scenes', 'stable_diffusion', 'engine'},
    'training': {'inputs', 'stable_diffusion', 'engine', 'studio'},
    'commands': set(),
    'app': {'commands'},
}
IN_FUNCTIONS = {  # more of them, inside functions; a concept may import each helper there
    'check': {'show'},
    'commands': set(MODULES),
    'app': set(MODULES),
}


def imported(path):
    "(at the top, in functions): the modules of ours that a module imports, those for type checkers at the top."
    top, inside = set(), set()
    tree = ast.parse(path.read_text(encoding='utf-8'))
    functions = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))]
    within = {id(n) for function in functions for n in ast.walk(function)}
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = f'lessonlib.{node.module or ""}'.rstrip('.') if node.level else node.module
            names = [f'{module}.{alias.name}' for alias in node.names]
        ours = {name.split('.')[1] for name in names if name.startswith('lessonlib.')}
        (inside if id(node) in within else top).update(ours & set(MODULES))
    return top, inside


@pytest.mark.parametrize('module', MODULES)
def test_imports_go_one_way(module):
    assert module in AT_THE_TOP, f'say in this file what {module} may import'
    top, inside = imported(ROOT/'lessonlib'/f'{module}.py')
    concept = module not in HELPERS and module != 'commands'
    later = AT_THE_TOP[module] | IN_FUNCTIONS.get(module, set()) | (HELPERS if concept else set())
    assert sorted(top - AT_THE_TOP[module]) == [], 'at the top of the module'
    assert sorted(inside - later) == [], 'inside a function'


def test_the_ways_have_no_circle():
    "By the table, which names every module: whoever comes later imports whoever came before."
    assert sorted(AT_THE_TOP) == MODULES
    order = []
    while left := [module for module in AT_THE_TOP if module not in order]:
        ready = [module for module in left if AT_THE_TOP[module] <= set(order)]
        assert ready, left
        order += ready


def test_all_kinds_of_imports_are_seen(tmp_path):
    code = '''
import lessonlib.inputs
from lessonlib.show import to_pil, show_image
from lessonlib import matmul
from .scenes import scene
import torch
if True:
    from lessonlib.quiz import quiz
def later():
    from . import widgets
    import lessonlib.check as c
'''
    (tmp_path/'made.py').write_text(code)
    assert imported(tmp_path/'made.py') == ({'inputs', 'show', 'matmul', 'scenes', 'quiz'}, {'widgets', 'check'})
