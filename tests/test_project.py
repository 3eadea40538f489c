"""The project's metadata agree with each other, and its files name no machine."""
import ast
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock, patch
import pytest
from installed import ROOT, run
from packaging.requirements import Requirement
from tools.floors import constraints, floors
from tools.run_tests import notebooks
from tools.settings import extras, read_settings, requirements, settings

NBS = ROOT/'nbs'
LESSONS = sorted(NBS.glob('[0-9]*.ipynb'))
MODULES = sorted((ROOT/'lessonlib').glob('*.py'))


def read(name):
    "The text of one of the project's files."
    return (ROOT/name).read_text(encoding='utf-8')


def tree(path):
    "A module's tree."
    return ast.parse(path.read_text(encoding='utf-8'))


def cells(path, kind):
    "The sources of a notebook's cells of one kind."
    found = json.loads(path.read_text(encoding='utf-8'))['cells']
    return [''.join(cell['source']) for cell in found if cell['cell_type'] == kind]


def words(path):
    "The text of a notebook."
    return '\n'.join(cells(path, 'markdown'))


def tracked():
    "The text files that git tracks (everything but pictures and weights)."
    done = subprocess.run(['git', 'ls-files', '-z'], cwd=ROOT, text=True, capture_output=True)
    names = [name for name in done.stdout.split('\0') if name]
    if not names:
        pytest.skip('not a git checkout')
    binary = {'.png', '.jpg', '.gif', '.safetensors', '.npz', '.ico', '.ttf', '.gz'}
    return [ROOT/name for name in names if Path(name).suffix not in binary and (ROOT/name).is_file()]


# ---- metadata

def test_one_version():
    version = settings['version']
    assert re.search(r'__version__ = "(.*)"', read('lessonlib/__init__.py'))[1] == version
    assert importlib.metadata.version('lessonlib') == version
    newest = re.search(r'^## (\S+) \((\d{4}-\d\d-\d\d)(, unreleased)?\)$', read('CHANGELOG.md'), re.M)
    assert newest and newest[1] == version, 'the newest entry of CHANGELOG.md is of another version'


def test_licence():
    assert settings['license'] == 'Apache-2.0'
    text = read('LICENSE')
    for part in ('Apache License', 'Version 2.0, January 2004', 'END OF TERMS AND CONDITIONS'):
        assert part in text
    assert importlib.metadata.metadata('lessonlib')['License'] == 'Apache-2.0'


def test_settings_are_read_in_one_place():
    "Whoever needs settings.ini takes it from tools/settings.py."
    paths = [ROOT/'setup.py', *(ROOT/'tools').rglob('*.py'), *(ROOT/'tests').rglob('*.py')]
    reading = [path for path in paths if re.search('^(from|import) configparser', read(path), re.M)]
    assert reading == [ROOT/'tools'/'settings.py']


def test_settings_hold_what_is_written(tmp_path):
    (tmp_path/'settings.ini').write_text('[DEFAULT]\nname = a = 100%  # é\n# c\nlist = one>=1,<2\n    two\n', 'utf-8')
    found = read_settings(tmp_path/'settings.ini')
    assert found == {'name': 'a = 100%  # é', 'list': 'one>=1,<2\ntwo'}
    assert requirements() == settings['requirements'].split()
    assert requirements('lesson', 'lab') == f"{settings['lesson_requirements']} {settings['lab_requirements']}".split()
    with pytest.raises(KeyError):
        requirements('none')


def pins():
    "Name -> version of each line of constraints.txt."
    lines = [line for line in read('constraints.txt').splitlines() if line and not line.startswith('#')]
    assert [line for line in lines if not re.fullmatch(r'[\w.-]+==[\w.!]+', line)] == []
    return {name.lower(): version for name, version in (line.split('==') for line in lines)}


@pytest.mark.parametrize('text', requirements() + requirements(*extras()))
def test_constraints_hold_the_requirement(text):
    requirement, versions = Requirement(text), pins()
    assert requirement.name.lower() in versions, 'constraints.txt does not pin it'
    assert requirement.specifier.contains(versions[requirement.name.lower()]), 'the tested version is not allowed'


def test_the_floors_are_written_as_constraints():
    "`make test-floors` installs the oldest versions that are allowed, of torch the tested one."
    lines, torch = run(sys.executable, '-m', 'tools.floors', cwd=ROOT).split(), pins()['torch']
    assert {'numpy==2.0', 'fastcore==1.12.19', f'torch=={torch}'} <= set(lines)
    assert [line for line in lines if not re.fullmatch(r'[\w-]+==[\w.]+', line)] == []
    assert run(sys.executable, '-m', 'tools.floors', '--newest', cwd=ROOT).split() == [f'torch=={torch}']
    assert constraints(newest=True, torch='newest') == [] and constraints(newest=True, torch='2.11') == ['torch==2.11']
    assert f"torch=={floors()['torch']}" in constraints(torch='floor')


def test_no_requirement_is_tighter_than_its_floor():
    "What users get has a floor and no other bound; one that is bound above would take versions away from them."
    users = requirements() + requirements('lesson', 'onnx', 'lab')
    assert [text for text in users if not re.fullmatch(r'[\w-]+>=[\w.]+', text)] == []
    assert {Requirement(text).name for text in users} <= floors().keys()


def said_versions():
    "Package -> (from, the newest tested, Colab's or None) as the page on installing says."
    rows = re.findall(r'^\| ([\w-]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+|not there) \|$', read('nbs/install.md'), re.M)
    return {name: (oldest, newest, None if colab == 'not there' else colab) for name, oldest, newest, colab in rows}


def test_the_page_on_installing_says_which_versions_were_tested():
    names = {Requirement(text).name for text in requirements() + requirements('lesson')}
    wanted = {name: (floors()[name], pins()[name.lower()]) for name in names}
    assert {name: versions[:2] for name, versions in said_versions().items()} == wanted


def test_colab_has_most_of_it_in_a_version_that_fits():
    "There pip adds what is missing and replaces nothing; torch is among what stays."
    colab = {name: version for name, (_, _, version) in said_versions().items()}
    needed = {Requirement(text).name: Requirement(text) for text in requirements() + requirements('lesson')}
    missing = [name for name in needed if not colab[name]]
    assert sorted(missing) == ['hypothesis'] and colab['torch']
    unfit = [name for name, need in needed.items() if colab[name] and not need.specifier.contains(colab[name])]
    assert unfit == []


def test_the_pythons_are_those_that_the_tests_run_with():
    pythons = settings['pythons'].split()
    assert pythons[0] == settings['min_python']
    quick = re.search(r'^  quick:.*?^    steps:$', read('.github/workflows/test.yml'), re.M | re.S)[0]
    assert sorted(set(re.findall(r"'(3\.\d+)'", quick))) == pythons


def test_both_ends_of_the_versions_are_run_on_a_schedule():
    "With the tested torch, and with torch's own ends."
    ends = read('.github/workflows/test.yml').split('\n  ends:')[1]
    assert "github.event_name == 'schedule'" in ends and 'make ${{ matrix.target }} TORCH=${{ matrix.torch }}' in ends
    assert '[test-floors, test-newest]' in ends and '{target: test-floors, torch: floor,' in ends
    for target in ('test-floors', 'test-newest'):
        assert re.search(f'^{target}:', read('Makefile'), re.M)


def imports(path):
    "(package, whether inside of something) of each import in a module."
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        else:
            continue
        for name in names:
            yield name.split('.')[0], node.col_offset > 0


def test_nothing_imported_is_missing_from_the_requirements():
    "Every package that a module imports, inside functions too, is a runtime requirement or the standard library's."
    distribution = {'PIL': 'pillow'}
    known = {Requirement(text).name for text in requirements()} | {'lessonlib'} | set(sys.stdlib_module_names)
    notebook_only = {'IPython', 'nbformat', 'onnx'}  # in a function for Jupyter, or a site's builder
    for path in MODULES:
        for package, inside in imports(path):
            allowed = known | notebook_only if inside else known
            assert distribution.get(package, package) in allowed, f'{path.name} imports {package}'


def test_no_requirement_is_idle():
    "Every package that comes at run time is imported by a module, or said here to be another's part."
    parts = {'llvmlite': "numba's, of which settings.ini names a floor"}
    distribution = {'PIL': 'pillow'}
    used = {distribution.get(package, package) for path in MODULES for package, _ in imports(path)}
    idle = {Requirement(text).name for text in requirements()} - used
    assert idle <= set(parts), sorted(idle)


def test_python_version_is_said_once():
    version = settings['min_python']
    assert re.search(r'requires-python="(.*)"', read('pyproject.toml'))[1] == f'>={version}'
    for name in ('README.md', 'nbs/index.ipynb'):
        assert f'Python {version}' in read(name), name
    assert f"python-version: '{version}'" in read('.github/workflows/test.yml')


def test_the_site_is_deployed_from_main_alone():
    "A pull request builds and tests the pages; only main's are put where readers see them."
    text = read('.github/workflows/docs.yml')
    assert re.search(r'^  pull_request:$', text, re.M)
    build, deploy = re.split(r'^  deploy:$', text, flags=re.M)
    assert 'pytest tests/test_site.py' in build and 'pages: write' not in build
    assert "github.event_name != 'pull_request' && github.ref == 'refs/heads/main'" in deploy


# ---- code

@pytest.mark.parametrize('path', MODULES, ids=lambda path: path.stem)
def test_no_star_imports(path):
    for node in ast.walk(tree(path)):
        star = isinstance(node, ast.ImportFrom) and any(alias.name == '*' for alias in node.names)
        assert not star, f'from {node.module} import *'


MACHINE = re.compile(r'''(?<![\w.~/])/(?:root|home/\w+|Users/\w+|tmp/\w+|work|opt/\w+|mnt/\w+)(?=[/'"\s:])'''
                     r'|[A-Z]:\\\\?Users')
ADDRESSES = [r'pypi\.org', 'python' + r'hosted\.org', r'registry\.npm' + 'js', r'deb\.debian' + r'\.org',
             r'\bindex-url\s+http']
REGISTRY = re.compile('|'.join(ADDRESSES))


@pytest.mark.parametrize('pattern, text', [
    (MACHINE, 'in "/' + 'root/x"'),
    (MACHINE, '/' + 'home/me/x'),
    (MACHINE, 'C:\\' + 'Users'),
    (REGISTRY, 'https://py' + 'pi.org/simple'),
])
def test_the_patterns_find(pattern, text):
    assert pattern.search(text)


def test_no_machine_and_no_registry_is_named():
    for path in tracked():
        if path == Path(__file__).resolve():
            continue
        for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
            found = MACHINE.search(line) or REGISTRY.search(line)
            assert not found, f'{path.relative_to(ROOT)}:{number}: {found[0]}'


# ---- notebooks

@pytest.mark.parametrize('path', notebooks(), ids=lambda path: path.stem)
def test_notebook_is_small_and_its_outputs_are_good(path):
    assert path.stat().st_size < 400 * 1024, f'{path.stat().st_size // 1024} KB'
    for cell in json.loads(path.read_text(encoding='utf-8'))['cells']:
        for output in cell.get('outputs', []):
            assert output['output_type'] != 'error', f"an error in its saved output: {output.get('ename')}"
            printed = ''.join(output.get('text', []))[:200]
            assert output.get('name') != 'stderr', f'a warning or a progress bar in its saved output: {printed}'


def loose(anchor):
    "An anchor's letters, digits and hyphens."
    return re.sub(r'[^a-z0-9-]', '', anchor.lower().replace(' ', '-'))


def anchors(path):
    "The headings of a notebook as links name them."
    return {loose(title) for title in re.findall(r'^#+ (.+)$', words(path), re.M)}


@pytest.mark.parametrize('path', notebooks(), ids=lambda path: path.stem)
def test_links_between_notebooks_lead_somewhere(path):
    for name, anchor in re.findall(r'\]\(([\w./-]+\.ipynb)?(?:#([^)\s]+))?\)', words(path)):
        target = path.parent/name if name else path
        assert target.exists(), name
        assert not anchor or loose(anchor) in anchors(target), f'{name}#{anchor}'


def test_nothing_is_left_to_be_filled_in():
    "No `@NAME@` of a template and no reminder is left in the prose, code in it apart."
    texts = {path: words(path) for path in notebooks()}
    texts |= {path: read(path) for path in tracked() if path.suffix == '.md'}
    assert len(texts) > 20
    for path, text in texts.items():
        prose = re.sub(r'```.*?```|`[^`\n]*`', '', text, flags=re.S)
        found = re.findall(r'@[A-Z]+[0-9]*@|\bTODO\b|\bFIXME\b', prose)
        assert found == [], path.relative_to(ROOT)


@pytest.mark.parametrize('missing', [False, True])
def test_each_lesson_begins_by_installing_the_package_where_it_is_missing(missing):
    firsts, shell = {path.stem: cells(path, 'code')[0] for path in LESSONS}, Mock()
    with_onnx = firsts.pop('11_in_your_browser')
    assert len(set(firsts.values())) == 1, firsts
    url = settings['git_url']
    for code, install in ((firsts['01_matmul'], f'"lessonlib[lessons] @ git+{url}"'),
                          (with_onnx, f'"lessonlib[lessons,onnx] @ git+{url}" "onnx<1.23"')):
        assert code.startswith('#| hide\n')
        shell.reset_mock()
        with patch('importlib.util.find_spec', return_value=None if missing else Mock()):
            exec(code, dict(get_ipython=shell))
        calls = [call.args for call in shell().run_line_magic.call_args_list]
        assert calls == ([('pip', f'install --quiet {install}')] if missing else [])


def said_by(path):
    "(minutes with the exercises, what Run All takes) as a lesson's opening says them."
    row = r'^\| \*\*Time\*\* \| (\d+) minutes, and (\d+) for the (?:exercises|puzzles) \|$'
    minutes = re.search(row, words(path), re.M)
    run = re.search(r'^\| \*\*Run All\*\* \| ([0-9.]+ min, [0-9.]+ GB) on two cores \|$', words(path), re.M)
    return minutes and str(int(minutes[1]) + int(minutes[2])), run and run[1]


def test_each_lesson_says_what_it_takes_and_the_index_says_the_same():
    rows = re.findall(r'^\| \d+ \| \[`(\w+)`\].*\| (\d+) \| ([^|]+) \|$', words(NBS/'index.ipynb'), re.M)
    index = {name: (minutes, run) for name, minutes, run in rows}
    assert {path.stem: said_by(path) for path in LESSONS} == index
