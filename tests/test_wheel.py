"""The wheel holds what the package needs at run time, and works where no checkout is near."""
import json, os, subprocess, sys, sysconfig, venv, zipfile
from configparser import ConfigParser
from pathlib import Path
import pytest

ROOT = Path(__file__).resolve().parent.parent
config = ConfigParser(delimiters=['='], interpolation=None)
config.read(ROOT/'settings.ini', encoding='utf-8')
scripts = dict(line.split('=') for line in config['DEFAULT']['console_scripts'].split())


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], text=True, capture_output=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    "The wheel, built from the tracked files by way of the source archive."
    source, dist = tmp_path_factory.mktemp('source'), tmp_path_factory.mktemp('dist')
    for name in run('git', 'ls-files', '-z', cwd=ROOT).split('\0'):
        if not (ROOT/name).is_file(): continue
        (source/name).parent.mkdir(parents=True, exist_ok=True)
        (source/name).write_bytes((ROOT/name).read_bytes())
    run(sys.executable, '-m', 'build', '--no-isolation', '--outdir', dist, cwd=source)  # the wheel from the sdist, as a release is
    return next(dist.glob('*.whl'))


@pytest.fixture(scope='module')
def names(wheel): return set(zipfile.ZipFile(wheel).namelist())


@pytest.fixture(scope='module')
def python(wheel, tmp_path_factory):
    "The Python of a fresh environment with the wheel in it; the requirements are this environment's."
    folder = tmp_path_factory.mktemp('venv')
    venv.create(folder, with_pip=False, symlinks=os.name != 'nt')
    python = folder/('Scripts' if os.name == 'nt' else 'bin')/('python.exe' if os.name == 'nt' else 'python')
    run(sys.executable, '-m', 'pip', '--python', python, 'install', '--quiet', '--no-deps', '--no-index', wheel)
    site = Path(run(python, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))').strip())
    (site/'requirements.pth').write_text(sysconfig.get_path('purelib') + '\n')  # a folder on the path: its own .pth files are not read
    return python


def environment(**more):
    "This environment with no checkout on the path."
    return os.environ | {'PYTHONPATH': str(ROOT/'tests'/'guard')} | more


def test_every_tracked_part_is_inside(names):
    tracked = run('git', 'ls-files', 'lessonlib', 'nbs', cwd=ROOT).split()
    for name in tracked:
        path = Path(name)
        if path.parts[0] == 'lessonlib': assert name in names, name
        elif path.parts[:2] in (('nbs', 'images'), ('nbs', 'posts')) or path.name == 'references.bib' or (len(path.parts) == 2 and path.suffix == '.ipynb'):
            assert 'lessonlib/notebooks/' + '/'.join(path.parts[1:]) in names, name
    assert any(n.startswith('lessonlib/models/') and n.endswith('.safetensors') for n in names)
    assert any(n.startswith('lessonlib/data/') and n.endswith('.png') for n in names)
    assert any(n.endswith('licenses/LICENSE') for n in names)


def test_nothing_else_is_inside(names):
    stray = [n for n in names if not n.startswith(('lessonlib/', 'lessonlib-')) or '__pycache__' in n or '.ipynb_checkpoints' in n]
    assert stray == []


def test_size(wheel): assert wheel.stat().st_size < 40e6, f'{wheel.stat().st_size / 1e6:.1f} MB'


def test_metadata(wheel):
    with zipfile.ZipFile(wheel) as z: text = z.read(next(n for n in z.namelist() if n.endswith('METADATA'))).decode()
    for key in ('requirements', 'lesson_requirements', 'lab_requirements', 'dev_requirements'):
        for requirement in config['DEFAULT'][key].split(): assert f"Requires-Dist: {requirement.split('>')[0].split('<')[0]}" in text
    assert '# lessonlib' in text, 'the README is the long description'


def test_model_and_scenes_load_from_the_wheel(python, tmp_path):
    code = '''
import json, lessonlib
from lessonlib.scenes import scene
from lessonlib.stable_diffusion import StableDiffusion
s = scene("horse", "grass")
latents = StableDiffusion.tiny().encode_image(s.image)
print(json.dumps([lessonlib.__file__, list(s.image.size), list(latents.shape)]))
'''
    out = run(python, '-c', code, cwd=tmp_path, env=environment(HF_HUB_OFFLINE='1'))
    where, size, shape = json.loads(out.splitlines()[-1])
    assert Path(where).is_relative_to(python.parent.parent) and size == [64, 64] and shape == [1, 4, 32, 32]


@pytest.mark.parametrize('script', scripts)
def test_command_exists(python, script, tmp_path):
    path = next(python.parent.glob(script + '*'))
    assert 'usage' in run(path, '--help', cwd=tmp_path, env=environment()).lower()


def test_notebooks_are_copied_from_the_wheel(python, tmp_path):
    run(next(python.parent.glob('lessonlib-notebooks*')), tmp_path/'lessons', cwd=tmp_path, env=environment())
    assert (tmp_path/'lessons'/'03_diffedit_mask.ipynb').exists()
