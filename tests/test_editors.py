"""What an editor knows of the package: types of calls, names to complete, annotations. No module is imported for it."""
import ast
import json
import re
import subprocess
import sys
import jedi
import pytest
from installed import ROOT

# Six calls of the public names, and the type that an editor shows for each.
SETTING = '''
import torch
from lessonlib.broadcasting import einsum
from lessonlib.diffedit import diffedit
from lessonlib.diffedit_mask import diffedit_mask
from lessonlib.scenes import scene
from lessonlib.stable_diffusion import StableDiffusion
sd = StableDiffusion.tiny()
s = scene('horse', 'grass', seed=0, size=128)
a = torch.ones(2, 3)
'''
CALLS = {
    "sd.generate('a horse', num_inference_steps=20, generator=torch.Generator())": 'list[Image]',
    'sd.encode_image(s.image)': 'Tensor',
    "s.swap('zebra')": 'Scene',
    "diffedit_mask(sd, s.image, 'a horse', 'a zebra', strength=0.5)": 'DiffEditMask',
    "diffedit(sd, s.image, 'a horse', 'a zebra', mask=s.mask)": 'DiffEditResult',
    "einsum('ij,jk->ik', a, a.T)": 'Tensor',
}


@pytest.fixture(scope='module')
def diagnostics(tmp_path_factory):
    "What pyright says of the calls, each within `reveal_type`."
    folder = tmp_path_factory.mktemp('editor')
    revealed = '\n'.join(f'reveal_type({call})' for call in CALLS)
    (folder/'calls.py').write_text(SETTING + revealed)
    config = {'include': ['calls.py'], 'extraPaths': [str(ROOT)], 'typeCheckingMode': 'standard'}
    (folder/'pyrightconfig.json').write_text(json.dumps(config))
    command = [sys.executable, '-m', 'basedpyright', '--outputjson', '--pythonpath', sys.executable]
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True)
    assert done.stdout.strip().startswith('{'), done.stdout + done.stderr
    return json.loads(done.stdout)['generalDiagnostics']


def test_the_calls_have_no_error(diagnostics):
    assert [d['message'] for d in diagnostics if d['severity'] != 'information'] == []


def test_the_types_of_the_calls_are_known(diagnostics):
    words = '\n'.join(d['message'] for d in diagnostics)
    found = dict(re.findall(r'^Type of "(.+)" is "(.+)"$', words, re.M))
    assert found == CALLS


NAMES = '''add_noise ddim_decode decode decode_tensor encode_image encode_text from_pretrained generate noise_image pipe
           predict_noise predict_original sample timestep timesteps tiny'''.split()


@pytest.fixture(scope='module')
def completed(tmp_path_factory):
    "The public names that an editor offers after `sd.`, the first time that it is asked."
    jedi.settings.cache_directory = tmp_path_factory.mktemp('jedi')
    code = 'from lessonlib.stable_diffusion import StableDiffusion\nsd = StableDiffusion.tiny()\nsd.'
    script = jedi.Script(code, path=ROOT/'student.py', project=jedi.Project(ROOT))
    return {name.name for name in script.complete() if not name.name.startswith('_')}


def test_an_editor_completes_the_names_of_the_contract(completed):
    assert sorted(set(NAMES) - completed) == []


def test_an_editor_completes_every_public_method(completed):
    from lessonlib.stable_diffusion import StableDiffusion
    assert sorted({name for name in dir(StableDiffusion) if not name.startswith('_')} - completed) == []


# ---- annotations: a package with py.typed has the types that it says, and none are guessed

MODULES = [path for path in sorted((ROOT/'lessonlib').glob('*.py')) if not path.stem.startswith('_')]


def test_the_package_says_that_it_is_typed():
    assert (ROOT/'lessonlib'/'py.typed').read_text() == ''


def functions(path):
    "(name, node) of the public functions of a module, and of the methods of its classes."
    tree = ast.parse(path.read_text(encoding='utf-8'))
    owners = [('', tree), *((f'{node.name}.', node) for node in tree.body if isinstance(node, ast.ClassDef))]
    for prefix, owner in owners:
        for node in owner.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not re.match('_[^_]', node.name):
                yield prefix + node.name, node


@pytest.mark.parametrize('path', MODULES, ids=lambda path: path.stem)
def test_every_return_is_annotated(path):
    bare = [name for name, node in functions(path) if node.returns is None and not name.endswith('.__init__')]
    assert bare == []


@pytest.mark.parametrize('path', MODULES, ids=lambda path: path.stem)
def test_every_parameter_is_annotated(path):
    bare = []
    for name, node in functions(path):
        parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        bare += [f'{name}({p.arg})' for p in parameters if p and not p.annotation and p.arg not in ('self', 'cls')]
    assert bare == []
