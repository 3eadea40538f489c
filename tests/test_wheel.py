"""The wheel holds what the package needs at run time, and works where no checkout is near."""
import json, re, sys, zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import pytest
from installed import ROOT, copy_lessons, environment, run
from tools.settings import requirements, settings

scripts = dict(line.split('=') for line in settings['console_scripts'].split())


@pytest.fixture(scope='module')
def names(wheel): return set(zipfile.ZipFile(wheel).namelist())


def test_every_tracked_part_is_inside(names):
    tracked = run('git', 'ls-files', 'lessonlib', 'nbs', cwd=ROOT).split()
    for name in tracked:
        path = Path(name)
        lesson = len(path.parts) == 2 and path.suffix == '.ipynb'
        site_only = path.parts[:3] == ('nbs', 'images', 'cards')           # the home page's
        beside = path.parts[:2] in (('nbs', 'images'), ('nbs', 'posts')) and not site_only
        beside = beside or path.name == 'references.bib'
        if path.parts[0] == 'lessonlib': assert name in names, name
        elif lesson or beside: assert 'lessonlib/notebooks/' + '/'.join(path.parts[1:]) in names, name
    assert any(n.startswith('lessonlib/models/') and n.endswith('.safetensors') for n in names)
    assert any(n.startswith('lessonlib/data/') and n.endswith('.png') for n in names)
    assert any(n.endswith('licenses/LICENSE') for n in names)


def test_nothing_else_is_inside(names):
    def is_stray(name):
        ours = name.startswith(('lessonlib/', 'lessonlib-'))
        return not ours or '__pycache__' in name or '.ipynb_checkpoints' in name
    assert [name for name in names if is_stray(name)] == []


def test_size(wheel):
    megabytes = wheel.stat().st_size/1e6
    assert megabytes <= 25, f'{megabytes:.1f} MB'
    said = re.search(r'The wheel has (\d+) MB', (ROOT/'README.md').read_text(encoding='utf-8'))
    assert said and abs(int(said[1]) - megabytes) <= 1, f'the README must say: The wheel has {megabytes:.0f} MB'


def test_a_wheel_from_the_checkout_is_the_same(source, wheel, tmp_path):
    "Whoever builds from the source archive gets what the checkout gives, file by file."
    run(sys.executable, '-m', 'build', '--wheel', '--no-isolation', '--outdir', tmp_path, cwd=source)
    with zipfile.ZipFile(next(tmp_path.glob('*.whl'))) as one, zipfile.ZipFile(wheel) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())
        assert [name for name in one.namelist() if one.read(name) != other.read(name)] == []


def test_metadata(wheel):
    with zipfile.ZipFile(wheel) as z: text = z.read(next(n for n in z.namelist() if n.endswith('METADATA'))).decode()
    for requirement in requirements() + requirements('lesson', 'lab', 'dev'):
        assert f'Requires-Dist: {re.split("[<>]", requirement)[0]}' in text
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
    assert Path(where).is_relative_to(python.parent.parent) and size == [128, 128] and shape == [1, 4, 32, 32]


@pytest.mark.parametrize('script', scripts)
def test_command_exists(python, script, tmp_path):
    path = next(python.parent.glob(script + '*'))
    assert 'usage' in run(path, '--help', cwd=tmp_path, env=environment()).lower()


def shipped():
    paths = [*(ROOT/'nbs').glob('*.ipynb'), *(ROOT/'nbs/posts').glob('*.ipynb')]
    return sorted(path.relative_to(ROOT/'nbs').as_posix() for path in paths)


@pytest.fixture(scope='module')
def executed(python, tmp_path_factory):
    "Name -> what `jupyter execute` said of each lesson, in a student's folder, two at a time; '' if all went well."
    folder = tmp_path_factory.mktemp('student')/'my-lessons'
    copy_lessons(python, folder)
    def execute(name):
        command = python, '-c', 'from nbclient.cli import main; main()', folder/name
        try: run(*command, cwd=folder, env=environment(OMP_NUM_THREADS='1'))
        except AssertionError as error: return str(error)
        return ''
    with ThreadPoolExecutor(2) as pool: return dict(zip(shipped(), pool.map(execute, shipped()), strict=True))


@pytest.mark.parametrize('name', shipped())
def test_lesson_runs_away_from_the_checkout(executed, name): assert not executed[name], executed[name][-3000:]
