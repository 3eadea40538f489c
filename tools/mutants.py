"""Change one thing in a module, and see whether a test notices: `make mutants` writes benchmarks/MUTANTS.md.

cosmic-ray makes the mutants and keeps what became of them (one session a module in out/mutants, so that a run that
was stopped goes on). Each is tried in a fork of this process, which holds the heavy packages already, on a copy of the
project: first by the cells of the module's own notebooks, whose exported names are the mutant's, then by tests/.

    python tools/mutants.py [module ...] [--again] [--report]
"""
import argparse
import ast
import contextlib
import functools
import gc
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import linecache
import os
import random
import re
import resource
import shlex
import shutil
import signal
import symtable
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SESSIONS = ROOT/'out'/'mutants'
REPORT = ROOT/'benchmarks'/'MUTANTS.md'
HEAVY = ['numpy', 'torch', 'torch.nn.functional', 'numba', 'PIL.Image', 'matplotlib.pyplot', 'hypothesis.strategies',
         'fastcore.test', 'nbdev.showdoc', 'pytest', 'tqdm.auto', 'IPython.display', 'safetensors.torch']


class Proof(NamedTuple):
    "What tries the mutants of a module."
    notebooks: str                  # their names below nbs/
    tests: str                      # arguments of pytest
    most: int | None = None         # mutants; a seeded sample where there are more; None: all
    left_out: str = ''              # functions and tables that only say how something looks
    other: str = ''                 # cells that check something else, and do not pass outside of a notebook


SLOW, TOO_SLOW = 2, 20                                            # s of a core: such cells come last, and not at all
PROPERTIES = 'tests/test_values.py tests/test_properties.py'
MODULES = {
    'broadcasting': Proof('02_broadcasting', f'{PROPERTIES} -k "shapes or einsum or matmul_rows or broadcast"'),
    'letters': Proof('helpers/letters 02_broadcasting', f'{PROPERTIES} -k "letters or einsum"', most=60),
    'questions': Proof('helpers/questions', 'tests/test_values.py tests/test_quiz.py -k "question"', most=60),
    'matmul': Proof('01_matmul', f'{PROPERTIES} -k "matmul_ or norm"', most=60),
    'guidance': Proof('05_guidance', f'{PROPERTIES} -k "guid"', most=20),
    'gemm': Proof('07_gemm', 'tests/test_properties.py -k "gemm"', most=40, other='check-solutions'),
    'masks': Proof('helpers/masks', 'tests/test_values.py -k "masks"', most=100),
    'diffedit_mask': Proof('03_diffedit_mask', f'{PROPERTIES} tests/test_bad_input.py '
                           '-k "mask or map or extreme or rescale or iou"', most=60),
    'inputs': Proof('helpers/inputs', f'{PROPERTIES} tests/test_bad_input.py -k "inputs or picture"'),
    'scenes': Proof('helpers/scenes', 'tests/test_values.py -k "scene"', most=60, left_out='_LOOKS'),
    'timing': Proof('helpers/timing', 'tests/test_values.py -k "timing"', left_out='_plot_ladder'),
}

# One change for each sign: most of cosmic-ray's others end in an error at once, and would only flatter the share.
SIGNS = {'Add': 'Sub', 'Sub': 'Add', 'Mul': 'Div', 'Div': 'Mul', 'FloorDiv': 'Mul', 'Mod': 'Div', 'Pow': 'Mul',
         'BitOr': 'BitAnd', 'BitAnd': 'BitOr', 'BitXor': 'BitAnd', 'RShift': 'LShift', 'LShift': 'RShift'}
COMPARISONS = {'Eq': 'NotEq', 'NotEq': 'Eq', 'Lt': 'LtE', 'LtE': 'Lt', 'Gt': 'GtE', 'GtE': 'Gt', 'Is': 'IsNot',
               'IsNot': 'Is'}
OPERATORS = [*(f'ReplaceBinaryOperator_{old}_{new}' for old, new in SIGNS.items()),
             *(f'ReplaceComparisonOperator_{old}_{new}' for old, new in COMPARISONS.items()),
             'ReplaceUnaryOperator_USub_UAdd', 'ReplaceUnaryOperator_Delete_Invert', 'ReplaceUnaryOperator_Delete_Not',
             'AddNot', 'ReplaceTrueWithFalse', 'ReplaceFalseWithTrue', 'ReplaceAndWithOr', 'ReplaceOrWithAnd',
             'ReplaceBreakWithContinue', 'ReplaceContinueWithBreak', 'ExceptionReplacer', 'NumberReplacer',
             'RemoveDecorator', 'ZeroIterationForLoop']


# ---- the mutants

def passed_over(source: str, left_out: str = '') -> list[tuple]: # (first line, column, last line, column)
    "Where annotations stand, which are never evaluated, so that a change there is none; and what is named."
    found = []
    for node in ast.walk(ast.parse(source)):
        names = {getattr(one, 'id', getattr(one, 'name', None)) for one in getattr(node, 'targets', [node])}
        whole = node if isinstance(node, ast.stmt) and names & {*left_out.split()} else None
        for part in (getattr(node, 'annotation', None), getattr(node, 'returns', None), whole):
            if part: found.append((part.lineno, part.col_offset, part.end_lineno, part.end_col_offset))
    return found


def mutants(path: Path, source: str, most: int | None = None, left_out: str = '') -> list:
    "cosmic-ray's work items for a module; `most` of them, always the same."
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator
    from cosmic_ray.work_item import MutationSpec, WorkItem
    tree, nowhere, found = get_ast(source), passed_over(source, left_out), []
    for name in OPERATORS:
        operator = get_operator(f'core/{name}')()
        places = [place for node in ast_nodes(tree) for place in operator.mutation_positions(node)]
        for occurrence, (start, end) in enumerate(places):
            if any((first, left) <= start < (last, right) for first, left, last, right in nowhere): continue
            spec = MutationSpec(path.as_posix(), f'core/{name}', occurrence, start, end)
            found.append(WorkItem.single(f'{name}-{occurrence}', spec))
    random.Random(0).shuffle(found)                                   # what is stopped half way has seen some of each
    return found[:most]


def mutated(source: str, item) -> str | None:
    "The source with the change; None where Python cannot read it."
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator
    spec = item.mutations[0]
    changed = mutate_code(source, get_operator(spec.operator_name)(), spec.occurrence)
    with contextlib.suppress(SyntaxError):
        compile(changed, spec.module_path, 'exec')
        return changed


def change(source: str, changed: str) -> tuple[int, str]: # its line, words
    "What was changed, with a little of what stands around it."
    old, new = source.splitlines(), changed.splitlines()
    line = next(n for n, (one, two) in enumerate(zip(old + [''], new + [''], strict=False)) if one != two)
    if len(old) != len(new): return line + 1, f'`{next(text.strip() for text in old[line:] if text.strip())}` removed'
    one, two = old[line].strip(), new[line].strip()
    same = len(os.path.commonprefix([one, two]))
    tail = min(len(os.path.commonprefix([one[::-1], two[::-1]])), min(len(one), len(two)) - same)
    start = max(0, same - 28)
    if start and ' ' in one[start:same]: start = one.index(' ', start, same) + 1
    parts = [words[start:min(len(words), len(words) - tail + 16)] for words in (one, two)]
    return line + 1, ' → '.join(f'`` {words} ``' if '`' in words else f'`{words.strip()}`' for words in parts)


# ---- the tests

class Mutant(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    "Gives the changed source to whoever imports the module: no file is written."
    def __init__(self, module: str, source: str) -> None:
        super().__init__(f'lessonlib.{module}', str(Path(f'lessonlib/{module}.py').resolve()))
        self.code = source
    def find_spec(self, fullname, path, target=None):
        if fullname == self.name: return importlib.util.spec_from_file_location(fullname, self.path, loader=self)
    def get_code(self, fullname): return compile(self.code, self.path, 'exec')
    def get_source(self, fullname): return self.code


CHECKS = re.compile(r'^\s*assert |\b(test_\w+|refused|pytest\.raises)\(', re.M)


@functools.cache
def names_of(source: str) -> tuple[set[str], set[str]]: # bound, read
    "The names that a cell gives a value (or changes a part of), and those that it reads, in its functions too."
    top = symtable.symtable(source, '', 'exec')
    bound = {x.get_name() for x in top.get_symbols() if x.is_assigned() or x.is_imported() or x.is_namespace()}
    read, inside = {x.get_name() for x in top.get_symbols() if x.is_referenced()}, [*top.get_children()]
    while inside:
        table = inside.pop()
        inside += table.get_children()
        read |= {x.get_name() for x in table.get_symbols() if x.is_global() and x.is_referenced()}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            bound |= {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} & read
    return bound, read


@functools.cache
def cells(text: str) -> list[tuple]: # (its id, its source; '' for one that exports, the names that it binds)
    """The cells of a notebook that check something, what they need of those before, and what is exported, whose names
    come from the module. What is only shown is left out."""
    found, needed = [], set()
    for cell in json.loads(text)['cells'][::-1]:
        source = ''.join(cell['source'])
        if cell['cell_type'] != 'code' or re.search(r'^#\|\s*(slow|hub|eval:\s*false)', source, re.M): continue
        names, read = names_of(source)
        if re.search(r'^#\|\s*exports?i?\s*$', source, re.M): found.append((cell['id'], '', names))
        elif CHECKS.search(source) or names & needed or re.search('^(from|import) ', source, re.M):
            found.append((cell['id'], source, names))
            needed |= read
    return found[::-1]


def without(chosen: list[tuple], left_out: frozenset[str]) -> list[tuple]:
    "The cells without some, and without those that read a name which these bind."
    kept, lost = [], set()
    for cell, source, names in chosen:
        if source and (cell in left_out or names_of(source)[1] & lost): lost |= names
        else:
            kept.append((cell, source, names))
            lost -= names
    return kept


def idle(chosen: list[tuple], slow: frozenset[str], seen: dict[str, list[int]], line: int) -> frozenset[str]:
    "The slow cells that never come to a line, nor serve one that does; none, if no cell is known to come to it."
    busy, left_out = {cell for cell, lines in seen.items() if line in lines}, frozenset()
    for cell in slow - busy if busy else ():
        kept = {name for name, *_ in without(chosen, left_out | {cell})}
        if busy & {name for name, *_ in chosen} <= kept: left_out |= {cell}
    return left_out


class Followed:
    "While it is open: the lines of the functions of a file that were called."
    def __init__(self, path: str) -> None: self.path, self.codes = path, set()
    def __enter__(self) -> set:
        sys.settrace(self.call)
        return self.codes
    def call(self, frame, event, arg) -> None: # none: the lines themselves would make it slow
        if frame.f_code.co_filename == self.path: self.codes.add(frame.f_code)
    def __exit__(self, *error) -> None: sys.settrace(None)


def lines(codes: set) -> list[int]: return sorted({line for code in codes for *_, line in code.co_lines() if line})


def run_cells(notebook: str, left_out: frozenset[str] = frozenset(), seen: Callable | None = None) -> str:
    "The notebook's cells, in order, with the module's names in place of its own. '', or what failed first."
    path = Path('nbs', f'{notebook}.ipynb').resolve()
    text = path.read_text('utf-8')
    os.chdir(path.parent)
    module = importlib.import_module('lessonlib.' + re.search(r'default_exp (\w+)', text)[1])
    names = {'__name__': '__main__', 'display': lambda *shown: None}
    for cell, source, exported in without(cells(text), left_out):
        if not source: names |= {name: getattr(module, name) for name in exported if hasattr(module, name)}
        file = f'<{path.stem}, {cell}>'
        linecache.cache[file] = len(source), None, source.splitlines(True), file
        try:
            with seen(cell) if seen else contextlib.nullcontext(): exec(compile(source, file, 'exec'), names)
        except BaseException as error:
            if not seen: return f'{notebook} {cell}: {type(error).__name__}: {str(error)[:200]}'    # else: it is slow
    return ''


def run_tests(arguments: str) -> str: # '', or 'tests'
    "pytest on some tests, up to the first that fails."
    import pytest
    class Told:
        failed = ''
        def pytest_runtest_logreport(self, report):
            if report.failed: self.failed = report.nodeid
    told = Told()
    status = pytest.main(['-x', '-q', '-p', 'no:cacheprovider', *shlex.split(arguments)], plugins=[told])
    return '' if status in (0, 5) else told.failed or f'pytest {int(status)}'                 # 5: none is chosen


def forked(work: Callable, limit: float) -> str: # '', or what failed
    "Do some work in a fork of this process; one that takes longer than `limit` seconds has failed."
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.setpgid(0, 0)
            signal.alarm(max(1, round(limit)))
            resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30))
            for stream, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
                os.dup2(os.open(os.devnull, mode), stream)
            said = work()
        except BaseException as error:
            said = f'{type(error).__name__}: {error}'
        os.write(write, f'={said}'.encode()[:4000])
        os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    with contextlib.suppress(ProcessLookupError, PermissionError): os.killpg(pid, signal.SIGKILL)
    os.set_blocking(read, False)
    try: said = os.read(read, 4096).decode()
    except BlockingIOError: said = ''
    finally: os.close(read)
    return said[1:] if said.startswith('=') else 'it took too long, or ended the process'


def try_cells(module: str, source: str, left_out: frozenset[str] = frozenset(), notes: Path | None = None) -> str:
    "The cells of the module's notebooks on a source of it. To the file `notes`: s of each, and the lines it came to."
    sys.meta_path.insert(0, Mutant(module, source))
    path, folder, took, seen = importlib.import_module(f'lessonlib.{module}').__file__, os.getcwd(), {}, {}
    @contextlib.contextmanager
    def watched(cell):
        began = time.process_time()                                   # others may be busy
        with Followed(path) as codes: yield
        took[cell], seen[cell] = time.process_time() - began, lines(codes)
    for notebook in MODULES[module].notebooks.split():
        os.chdir(folder)
        said = run_cells(notebook, left_out | {*MODULES[module].other.split()}, watched if notes else None)
        if said: return said
    if notes: notes.write_text(json.dumps([took, seen]))
    return ''


def try_tests(module: str, source: str) -> str:
    "The tests that touch the module, on a source of it."
    sys.meta_path.insert(0, Mutant(module, source))
    return run_tests(MODULES[module].tests)


# ---- the run

def copied() -> tempfile.TemporaryDirectory:
    "A copy of what is needed, and this process in it: whoever works on the project meanwhile changes nothing here."
    folder = tempfile.TemporaryDirectory(prefix='mutants-')
    for name in ('lessonlib', 'nbs', 'tests', 'tools', 'benchmarks'):
        shutil.copytree(ROOT/name, Path(folder.name)/name, ignore=shutil.ignore_patterns('node_modules', '.ipynb*'))
    for name in ('pyproject.toml', 'settings.ini'): shutil.copy(ROOT/name, folder.name)
    os.chdir(folder.name)
    sys.path[:] = [folder.name, *(path for path in sys.path if Path(path or '.').resolve() != ROOT)]
    os.environ['PYTHONPATH'] = folder.name
    return folder


def get_ready() -> None:
    "Import what is heavy once, and none of lessonlib."
    os.environ |= {'MPLBACKEND': 'Agg', 'IN_TEST': '1', 'TQDM_DISABLE': '1', 'HF_HUB_OFFLINE': '1',
                   'OMP_NUM_THREADS': '1', 'NUMBA_NUM_THREADS': os.environ.get('NUMBA_NUM_THREADS', '2')}
    for name in HEAVY: importlib.import_module(name)
    import torch
    torch.set_num_threads(1)
    from lessonlib.stable_diffusion import StableDiffusion
    StableDiffusion.tiny()                                            # diffusers and transformers load as they go
    for name in [name for name in sys.modules if name.split('.')[0] == 'lessonlib']: del sys.modules[name]
    gc.collect()
    gc.freeze()


def mark(*texts: str) -> str: return hashlib.sha256('\0'.join(texts).encode()).hexdigest()[:12]


def session(module: str, source: str): # cosmic-ray's database, and the items of it that count
    "What is known of a module's mutants; begun anew when the module has changed."
    from cosmic_ray.work_db import WorkDB
    SESSIONS.mkdir(parents=True, exist_ok=True)
    path = SESSIONS/f'{module}-{mark(source)}.sqlite'
    for old in SESSIONS.glob(f'{module}-*.sqlite'):
        if old != path: old.unlink()
    db, proof = WorkDB(str(path), WorkDB.Mode.create), MODULES[module]
    chosen = mutants(Path('lessonlib', f'{module}.py'), source, proof.most, proof.left_out)
    known = {item.job_id for item in db.work_items}
    db.add_work_items([item for item in chosen if item.job_id not in known])
    return db, chosen


def try_all(module: str, again: bool) -> None:
    "Every mutant of a module that was not tried yet; `again`: those that lived, too."
    from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult
    source = Path('lessonlib', f'{module}.py').read_text('utf-8')
    db, chosen = session(module, source)
    done = dict(db.results)
    left = [item for item in chosen if item.job_id not in done or
            again and done[item.job_id].test_outcome == TestOutcome.SURVIVED]
    if not left: return
    def at_first(name, work): # on the module as it is: s
        began = time.perf_counter()
        if said := forked(work, 1200): raise SystemExit(f'{module}: as it is, its {name} fail: {said}')
        return time.perf_counter() - began
    texts = [Path('nbs', f'{name}.ipynb').read_text('utf-8') for name in MODULES[module].notebooks.split()]
    every = [cell for text in texts for cell in cells(text)]
    notes = SESSIONS/f'{module}-{mark(source, *texts)}.json'
    if not notes.exists(): at_first('cells', lambda: try_cells(module, source, notes=notes))
    took, seen = json.loads(notes.read_text())
    slow, never = (frozenset(cell for cell in took if took[cell] > most) for most in (SLOW, TOO_SLOW))
    ways = {'cells': lambda code, line: try_cells(module, code, slow),
            'slow cells': lambda code, line: try_cells(module, code, never | idle(every, slow, seen, line)),
            'tests': lambda code, line: try_tests(module, code)}
    if not slow: del ways['slow cells']
    limits = {'slow cells': sum(took.values())}
    limits |= {name: at_first(name, functools.partial(ways[name], source, 0)) for name in ('cells', 'tests')}
    took = ', '.join(f'{name} {limit:.1f} s' for name, limit in limits.items())
    print(f'{module}: {len(left)} mutants; {took}', flush=True)
    began, lived = time.perf_counter(), 0
    for n, item in enumerate(left, 1):
        changed, by, said = mutated(source, item), '', ''
        if changed is None:
            db.set_result(item.job_id, WorkResult(WorkerOutcome.NO_TEST))
            continue
        line, words = change(source, changed)
        order = reversed(ways.items()) if item.job_id in done else ways.items()      # there may be new tests
        for by, way in order:                                         # noqa: B007
            if by == 'slow cells' and slow <= never | idle(every, slow, seen, line): continue
            if said := forked(functools.partial(way, changed, line), 3*limits[by] + 10): break
        told = json.dumps({'by': by if said else '', 'said': said, 'line': line, 'change': words})
        outcome = TestOutcome.KILLED if said else TestOutcome.SURVIVED
        db.set_result(item.job_id, WorkResult(WorkerOutcome.NORMAL, told, outcome))
        lived += not said
        if not said: print(f'  lived: {module}.py:{line} {words}', flush=True)
        if n % 20 == 0: print(f'  {module}: {n} of {len(left)}, {lived} lived, {time.perf_counter() - began:.0f} s',
                              flush=True)


# ---- the report

ABOUT = """# Mutants

Written by `make mutants` (`tools/mutants.py`), but for the last column of the tables below, which is written by hand
and kept. A mutant is a module in which one thing was changed: a number by one, `<` to `<=`, `+` to `-`, a condition to
its opposite, a loop to none. It is caught if a test fails, an error comes, or it takes three times as long as the
module itself. {versions}

"Cells" are those of the module's own notebooks that assert something, with what they need, but for those that take
more than twenty seconds of a core; "tests" are those of `tests/` that touch the module, run where the cells had caught
nothing. "60 of 108" is a seeded sample. Left out: `_plot_ladder`, the table of colours in `scenes`, annotations, which
are never evaluated, and all but one other sign for each operator, since most of the rest end in an error at once.

| module | mutants | caught by cells | by cells and tests | survivors |
|---|--:|--:|--:|--:|
{table}

{missing}What was tried elsewhere keeps its rows until it is tried again.

## Survivors
"""


class Kept(NamedTuple):
    "What the report has of a module."
    name: str                                                         # and a note
    counts: list[int]                                                 # mutants, by cells, caught, survivors
    lived: list[tuple[str, str, str]]                                 # line, change, why it stays


def kept() -> dict[str, Kept]: # by module
    found = {}
    for line in REPORT.read_text('utf-8').splitlines() if REPORT.exists() else []:
        if match := re.fullmatch(r'\| (`(\w+)`.*) \| (\d+) \| (\d+) .* \| (\d+) .* \| (\d+) \|', line):
            found[match[2]] = Kept(match[1], [int(x) for x in match.groups()[2:]], [])
        if line.startswith('### '): lived = found[line[4:].strip('`')].lived
        if match := re.fullmatch(r'\| (\d+) \| (.+) \| (.*) \|', line): lived.append(match.groups())
    return found


def share(part: int, whole: int) -> str: return f'{part} ({part/max(whole, 1):.0%})'


def report() -> int: # how many survive without a word why
    "Write the report of all that was tried."
    import platform
    from importlib.metadata import version
    from cosmic_ray.work_item import WorkerOutcome
    old, new = kept(), {}
    for module, proof in MODULES.items():
        source = (ROOT/'lessonlib'/f'{module}.py').read_text('utf-8')
        db, chosen = session(module, source)
        done = dict(db.results)
        results = [done[item.job_id] for item in chosen if item.job_id in done]
        if not results:                                               # not tried on this machine
            if module in old: new[module] = old[module]
            continue
        unfinished = len(chosen) - len(results)
        told = [json.loads(result.output) for result in results if result.worker_outcome == WorkerOutcome.NORMAL]
        words = {change: why for _, change, why in old[module].lived} if module in old else {}
        lines = sorted((one['line'], one['change'].replace('|', '\\|')) for one in told if not one['by'])
        lived = [(str(line), change, words.get(change, '')) for line, change in lines]
        counts = [len(told), sum('cells' in one['by'] for one in told), len(told) - len(lived), len(lived)]
        total = len(mutants(Path(f'{module}.py'), source, None, proof.left_out))
        note = '' if len(chosen) == total else f' ({len(chosen)} of {total})'
        note += f' ({unfinished} not tried yet)' if unfinished else ''
        new[module] = Kept(f'`{module}`{note}', counts, lived)
    names = ', '.join(f'{name} {version(name)}' for name in ('cosmic-ray', 'torch', 'numpy', 'hypothesis'))
    versions = f'{time.strftime("%Y-%m-%d")}, Python {platform.python_version()}, {names}.'
    REPORT.write_text(written(new, versions), 'utf-8')
    return sum(not why for one in new.values() for *_, why in one.lived)


def written(found: dict[str, Kept], versions: str) -> str:
    "The report as Markdown."
    rows = [row(one.name, one.counts) for one in found.values()]
    rows.append(row('all', [sum(column) for column in zip(*(one.counts for one in found.values()), strict=True)]))
    left = ', '.join(f'`{module}`' for module in MODULES if module not in found)
    missing = f'Not tried yet: {left}. ' if left else ''
    lists = []
    for module, one in found.items():
        if one.lived: lists += ['', f'### `{module}`', '', '| line | change | why it stays |', '|--:|---|---|']
        lists += [f'| {line} | {change} | {why} |' for line, change, why in one.lived]
    return ABOUT.format(versions=versions, table='\n'.join(rows), missing=missing) + '\n'.join(lists) + '\n'


def row(name: str, counts: Sequence[int]) -> str:
    mutants, by_cells, caught, live = counts
    return f'| {name} | {mutants} | {share(by_cells, mutants)} | {share(caught, mutants)} | {live} |'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('modules', nargs='*', help=f'of {", ".join(MODULES)}; none: all')
    parser.add_argument('--again', action='store_true', help='try those that lived once more')
    parser.add_argument('--report', action='store_true', help='only write the report of what was tried')
    options = parser.parse_args()
    if not options.report:
        folder = copied()
        get_ready()
        for module in options.modules or MODULES: try_all(module, options.again)
        os.chdir(ROOT)
        folder.cleanup()
    print(f'{REPORT.relative_to(ROOT)} is written; {report()} survive without a word why')


if __name__ == '__main__': main()
