"""The wheel holds what the package needs at run time, and works where no checkout is near."""
import json, os, re, sys, venv, zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import pytest
from installed import ROOT, copy_lessons, environment, run
from test_project import said_versions
from tools.settings import extras, requirements, settings

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
    for requirement in requirements() + requirements(*extras()):
        assert f'Requires-Dist: {re.split("[<>]", requirement)[0]}' in text
    assert '# lessonlib' in text, 'the README is the long description'


def empty_wheel(folder, name, version):
    "A wheel that says what it is, with nothing in it."
    path, info = folder/f'{name}-{version}-py3-none-any.whl', f'{name}-{version}.dist-info'
    with zipfile.ZipFile(path, 'w') as z:
        z.writestr(f'{info}/METADATA', f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n')
        z.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
        z.writestr(f'{info}/RECORD', '')
    return path


def would_install(wheel, there, folder):
    "The names that pip would install for `lessonlib[lessons]` where `there` is, and version 99 of each is offered."
    (offered := folder/'offered').mkdir()
    for name in there: empty_wheel(offered, name, '99')
    venv.create(folder/'venv', with_pip=False, symlinks=sys.platform != 'win32')
    python = folder/'venv'/('Scripts/python.exe' if sys.platform == 'win32' else 'bin/python')
    site = Path(run(python, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))').strip())
    for name, version in there.items():
        if version: zipfile.ZipFile(empty_wheel(folder, name, version)).extractall(site)
    pip = sys.executable, '-m', 'pip', '--python', python, 'install', '--dry-run', '--quiet', '--no-index'
    run(*pip, '--find-links', offered, '--report', folder/'report.json', f'lessonlib[lessons] @ {wheel.as_uri()}',
        env=environment(PIP_CONFIG_FILE=os.devnull))
    report = json.loads((folder/'report.json').read_text(encoding='utf-8'))
    return sorted(part['metadata']['name'] for part in report['install'])


def test_on_colab_pip_replaces_nothing(wheel, tmp_path):
    "Its environment has the versions that the page on installing names, and newer ones are offered."
    there = {name: colab for name, (_, _, colab) in said_versions().items()}
    missing = [name for name, version in there.items() if not version]
    assert would_install(wheel, there, tmp_path) == sorted(['lessonlib', *missing])


def test_where_the_oldest_versions_are_pip_replaces_nothing(wheel, tmp_path):
    there = {name: oldest for name, (oldest, _, _) in said_versions().items()}
    assert would_install(wheel, there, tmp_path) == ['lessonlib']


def test_pip_replaces_what_is_too_old(wheel, tmp_path):
    there = {name: oldest for name, (oldest, _, _) in said_versions().items()} | {'torch': '2.8'}
    assert would_install(wheel, there, tmp_path) == ['lessonlib', 'torch']


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
