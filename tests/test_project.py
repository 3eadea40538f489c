"""The project's metadata agree with each other, and its files name no machine."""
import ast, importlib.metadata, json, re, subprocess
from unittest.mock import Mock, patch
from configparser import ConfigParser
from pathlib import Path
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
config = ConfigParser(delimiters=['='], interpolation=None)
config.read(ROOT/'settings.ini', encoding='utf-8')
settings = config['DEFAULT']


def read(name): return (ROOT/name).read_text(encoding='utf-8')


def tracked():
    "The text files that git tracks (everything but pictures and weights)."
    names = subprocess.run(['git', 'ls-files', '-z'], cwd=ROOT, text=True, capture_output=True).stdout.split('\0')
    if not any(names): pytest.skip('not a git checkout')
    binary = {'.png', '.jpg', '.gif', '.safetensors', '.npz', '.ico', '.ttf', '.gz'}
    return [ROOT/n for n in names if n and Path(n).suffix not in binary and (ROOT/n).is_file()]


def requirements(key): return [Requirement(r) for r in settings[key].split()]


def test_one_version():
    version = settings['version']
    assert re.search(r'__version__ = "(.*)"', read('lessonlib/__init__.py'))[1] == version
    assert importlib.metadata.version('lessonlib') == version
    newest = re.search(r'^## (\S+) \((\d{4}-\d\d-\d\d)(, unreleased)?\)$', read('CHANGELOG.md'), re.M)
    assert newest and newest[1] == version, 'the newest entry of CHANGELOG.md is of another version'


def test_licence():
    assert settings['license'] == 'Apache-2.0'
    text = read('LICENSE')
    assert 'Apache License' in text and 'Version 2.0, January 2004' in text and 'END OF TERMS AND CONDITIONS' in text
    assert importlib.metadata.metadata('lessonlib')['License'] == 'Apache-2.0'


def test_constraints_hold_every_requirement():
    pins = [Requirement(l) for l in read('constraints.txt').splitlines() if l and not l.startswith('#')]
    versions = {p.name.lower(): str(p.specifier).removeprefix('==') for p in pins}
    for r in requirements('requirements') + requirements('lesson_requirements') + requirements('lab_requirements') + requirements('dev_requirements'):
        assert r.name.lower() in versions, f'constraints.txt does not pin {r.name}'
        assert r.specifier.contains(versions[r.name.lower()]), f'{r} does not allow the tested {versions[r.name.lower()]}'
    assert [l for l in read('constraints.txt').splitlines() if not l.startswith('#') and not re.fullmatch(r'[\w.-]+==[\w.!]+', l)] == []


def test_nothing_imported_is_missing_from_the_requirements():
    "Every package that a module imports, inside functions too, is a runtime requirement or the standard library's."
    import sys
    distribution = {'PIL': 'pillow'}
    known = {r.name for r in requirements('requirements')} | {'lessonlib'} | set(sys.stdlib_module_names)
    inside = {r.name for r in requirements('lesson_requirements')} | {'IPython'}  # in a function that only a notebook calls
    for path in (ROOT/'lessonlib').glob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in names:
                package = name.split('.')[0]
                assert distribution.get(package, package) in (known | inside if node.col_offset else known), f'{path.name} imports {package}'


def test_python_version_is_said_once():
    assert re.search(r'requires-python="(.*)"', read('pyproject.toml'))[1] == '>=' + settings['min_python']
    for name in ('README.md', 'nbs/index.ipynb'):
        assert f"Python {settings['min_python']}" in read(name), name
    assert f"python-version: '{settings['min_python']}'" in read('.github/workflows/test.yml')


def test_no_star_imports():
    for path in (ROOT/'lessonlib').glob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            assert not (isinstance(node, ast.ImportFrom) and any(a.name == '*' for a in node.names)), f'{path.name}: from {node.module} import *'


MACHINE = re.compile(r'''(?<![\w.~/])/(?:root|home/\w+|Users/\w+|tmp/\w+|work|opt/\w+|mnt/\w+)(?=[/'"\s:])''' + r'|[A-Z]:\\\\?Users')
REGISTRY = re.compile('|'.join([r'pypi\.org', r'python' + r'hosted\.org', r'registry\.npm' + r'js', r'deb\.debian' + r'\.org', r'\bindex-url\s+http']))


@pytest.mark.parametrize('pattern, text', [(MACHINE, 'in "/' + 'root/x"'), (MACHINE, '/' + 'home/me/x'), (MACHINE, 'C:\\' + 'Users'),
                                           (REGISTRY, 'https://py' + 'pi.org/simple')])
def test_the_patterns_find(pattern, text): assert pattern.search(text)


def test_no_machine_and_no_registry_is_named():
    for path in tracked():
        if path == Path(__file__).resolve(): continue
        for n, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
            found = MACHINE.search(line) or REGISTRY.search(line)
            assert not found, f'{path.relative_to(ROOT)}:{n}: {found[0]}'


notebooks = sorted((ROOT/'nbs').rglob('[!_.]*.ipynb'))


@pytest.mark.parametrize('path', [p for p in notebooks if '.ipynb_checkpoints' not in p.parts], ids=lambda p: p.stem)
def test_notebook_is_small_and_its_outputs_are_good(path):
    assert path.stat().st_size < 300 * 1024, f'{path.stat().st_size // 1024} KB'
    for cell in json.loads(path.read_text(encoding='utf-8'))['cells']:
        for output in cell.get('outputs', []):
            assert output['output_type'] != 'error', f"an error in its saved output: {output.get('ename')}"
            assert output.get('name') != 'stderr', f"a warning or a progress bar in its saved output: {''.join(output['text'])[:200]}"


def words(path): return '\n'.join(''.join(c['source']) for c in json.loads(path.read_text(encoding='utf-8'))['cells'] if c['cell_type'] == 'markdown')


def anchors(path):
    "The headings of a notebook as links name them, letters, digits and hyphens only."
    return {re.sub(r'[^a-z0-9-]', '', title.lower().replace(' ', '-')) for title in re.findall(r'^#+ (.+)$', words(path), re.M)}


@pytest.mark.parametrize('path', [p for p in notebooks if '.ipynb_checkpoints' not in p.parts], ids=lambda p: p.stem)
def test_links_between_notebooks_lead_somewhere(path):
    for name, anchor in re.findall(r'\]\(([\w./-]+\.ipynb)?(?:#([^)\s]+))?\)', words(path)):
        target = (path.parent/name) if name else path
        assert target.exists(), name
        assert not anchor or re.sub(r'[^a-z0-9-]', '', anchor.lower()) in anchors(target), f'{name}#{anchor}'


def test_nothing_is_left_to_be_filled_in():
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding='utf-8') if path.suffix == '.md' else words(path)
             for path in tracked() if path.suffix in ('.md', '.ipynb')}
    assert len(texts) > 20
    assert [(name, blank) for name, text in texts.items() for blank in re.findall(r'@[A-Z]+[0-9]*@|\bTODO\b|\bFIXME\b', text)] == []


LESSONS = sorted((ROOT/'nbs').glob('[0-9]*.ipynb'))


def test_each_lesson_begins_by_installing_the_package_where_it_is_missing():
    firsts = {path.stem: next(''.join(c['source']) for c in json.loads(path.read_text(encoding='utf-8'))['cells'] if c['cell_type'] == 'code') for path in LESSONS}
    assert len(set(firsts.values())) == 1, firsts
    code = firsts['01_matmul']
    assert code.startswith('#| hide\n')
    calls = {}
    for missing in False, True:
        with patch('importlib.util.find_spec', return_value=None if missing else Mock()): exec(code, dict(get_ipython=(shell := Mock())))
        calls[missing] = [c.args for c in shell().run_line_magic.call_args_list]
    assert calls == {False: [], True: [('pip', f'install --quiet "lessonlib[lessons] @ git+{settings["git_url"]}"')]}


def test_each_lesson_says_what_it_takes_and_the_index_says_the_same():
    index = {name: (minutes, run) for name, minutes, run in re.findall(r'^\| \d+ \| \[`(\w+)`\].*\| (\d+) \| ([^|]+) \|$', words(ROOT/'nbs/index.ipynb'), re.M)}
    for path in LESSONS:
        minutes = re.search(r'^\| \*\*Time\*\* \| (\d+) minutes', words(path), re.M)
        run = re.search(r'^\| \*\*Run All\*\* \| ([0-9.]+ min, [0-9.]+ GB) on two cores \|$', words(path), re.M)
        assert minutes and run and index.get(path.stem) == (minutes[1], run[1]), f'{path.stem}: {minutes and minutes[1]}, {run and run[1]}; index: {index.get(path.stem)}'
    assert set(index) == {path.stem for path in LESSONS}
