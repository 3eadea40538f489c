"""Runs the project's tests and counts them: `make test`, and with --rest what it leaves out, `make test-all`.

The last line counts checks, notebooks and pytest's tests together: `N passed, N failed[, N skipped]`.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT/'nbs'
JOBS = 2  # processes at a time
TIMEOUT = 1200  # seconds for one notebook


@dataclass
class Result:
    "What one check, notebook or test came to."
    name: str
    fault: str = ''  # empty: it passed
    seconds: float | None = None
    skipped: str = ''  # why it did not run
    shown: bool = True  # pytest shows its tests by itself


class Tally:
    "Counts results and prints each as it comes."
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0

    def add(self, result: Result) -> None:
        "Count one result."
        if result.skipped:
            self.skipped += 1
            print(f'skipped {result.name}: {result.skipped}', flush=True)
            return
        if result.fault:
            self.failed += 1
        else:
            self.passed += 1
        if result.shown:
            took = '' if result.seconds is None else f'{result.seconds:7.1f} s'
            print(f"{'FAILED' if result.fault else 'ok':8}{result.name:48}{took}", flush=True)
            if result.fault:
                print(result.fault.rstrip() + '\n', flush=True)

    def line(self) -> str:
        "The closing line."
        skipped = f', {self.skipped} skipped' if self.skipped else ''
        return f'{self.passed} passed, {self.failed} failed{skipped}'


# ---- processes

def environment(logs: Path) -> dict[str, str]:
    "No hub, no network but loopback (tests/guard), and the cores shared among the processes that run at once."
    env = dict(os.environ, HF_HUB_OFFLINE='1', TRANSFORMERS_OFFLINE='1', HF_HUB_DISABLE_TELEMETRY='1',
               LESSONLIB_NETWORK_LOG=str(logs/'network.txt'), LESSONLIB_WARNINGS_LOG=str(logs/'warnings.txt'))
    env.pop('IN_TEST', None)  # under it nbdev_export does nothing
    env.setdefault('OMP_NUM_THREADS', str(max(1, (os.cpu_count() or 1) // JOBS)))
    paths = [str(ROOT/'tests'/'guard'), env.get('PYTHONPATH', '')]
    env['PYTHONPATH'] = os.pathsep.join(path for path in paths if path)
    return env


def run(command: list, env: dict, cwd: Path = ROOT, timeout: float | None = None) -> tuple[int, str]:
    "Exit status and output, stdout and stderr together, of one of this Python's scripts."
    script = Path(sysconfig.get_path('scripts'))/command[0]
    try:
        done = subprocess.run([str(script), *command[1:]], cwd=cwd, env=env, timeout=timeout,
                              text=True, encoding='utf-8', errors='replace',
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired as late:
        out = late.output or ''
        out = out if isinstance(out, str) else out.decode(errors='replace')
        return 124, f'{out}\nstopped after {timeout} s'
    return done.returncode, done.stdout


# ---- checks of the files

def notebooks() -> list[Path]:
    "The notebooks that nbdev takes: none whose name or folder starts with `_` or `.`."
    found = sorted(NBS.rglob('*.ipynb'))
    return [path for path in found if not any(part[0] in '_.' for part in path.relative_to(NBS).parts)]


def copy_project(folder: Path) -> None:
    "What nbdev reads, in an empty folder: the notebooks without the modules made from them."
    for path in [ROOT/'settings.ini', ROOT/'pyproject.toml', ROOT/'lessonlib'/'__init__.py', *notebooks()]:
        copy = folder/path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)


def contents(root: Path, paths: Iterable[Path]) -> dict[Path, bytes]:
    "Path below the root -> what is in the file, line endings apart."
    return {path.relative_to(root): path.read_bytes().replace(b'\r\n', b'\n') for path in paths}


def difference(made: dict[Path, bytes], found: dict[Path, bytes]) -> dict[Path, str]:
    "Path -> what is wrong with it, for each file that differs between a fresh copy and the project."
    states = {}
    for path in sorted(made.keys() | found.keys()):
        if path not in found:
            states[path] = 'missing'
        elif path not in made:
            states[path] = 'left over'
        elif made[path] != found[path]:
            states[path] = 'stale'
    return states


def generated(root: Path) -> dict[Path, bytes]:
    "The files that nbdev_export writes."
    return contents(root, [root/'pyproject.toml', *(root/'lessonlib').rglob('*.py')])


ADVICE = {
    'missing': 'run nbdev_export and commit it',
    'stale': 'run nbdev_export',
    'left over': 'no notebook makes it: delete it',
}


def check_export(env: dict) -> str:
    "The modules are exactly what a fresh export of the notebooks gives: none stale, missing or left over."
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        copy_project(folder)
        status, out = run(['nbdev_export'], env, cwd=folder)
        if status:
            return out
        states = difference(generated(folder), generated(ROOT))
    return '\n'.join(f'  {path} is {state}: {ADVICE[state]}' for path, state in states.items())


def check_clean(env: dict) -> str:
    "`nbdev_clean` would change no notebook."
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        copy_project(folder)
        status, out = run(['nbdev_clean'], env, cwd=folder)
        if status or 'Failed to clean' in out:
            return out
        states = difference(contents(folder, (folder/'nbs').rglob('*.ipynb')), contents(ROOT, notebooks()))
    return '\n'.join(f'  {path} is not clean: run nbdev_clean' for path in states)


def check_style(env: dict) -> str:
    "ruff finds nothing in modules, tools, tests and benchmarks, and no long line in a cell (pyproject.toml)."
    status, out = run(['ruff', 'check', '--no-cache', '--output-format', 'concise'], env)
    return out if status else ''


def check(name: str, function: Callable[[dict], str], env: dict) -> list[Result]:
    "A check of the files as a job."
    start = time.time()
    fault = function(env)
    return [Result(name, fault, time.time() - start)]


# ---- notebooks and tests

def minutes(path: Path) -> float:
    "How long a lesson's opening says that it runs; 0 where it says nothing."
    found = re.search(r'\*\*Run All\*\* \| ([0-9.]+) min', path.read_text(encoding='utf-8'))
    return float(found[1]) if found else 0


def run_notebook(path: Path, env: dict, slow: bool) -> list[Result]:
    "One notebook in a process of its own, with `slow` its slow cells too."
    name = path.relative_to(ROOT).as_posix() + (' with slow cells' if slow else '')
    if re.search(r'skip_exec:\s*true', path.read_text(encoding='utf-8')):
        return [Result(name, skipped='its front matter says skip_exec')]
    start = time.time()
    command = ['nbdev_test', '--path', str(path), '--n_workers', '0', '--flags', 'slow' if slow else '']
    status, out = run(command, env, timeout=TIMEOUT)
    passed = status == 0 and 'Success.' in out
    fault = '' if passed else out or f'nbdev_test ended with {status} and no word'
    return [Result(name, fault, time.time() - start)]


def has_slow_cells(path: Path) -> bool:
    "Whether `make test` leaves cells of the notebook out."
    return bool(re.search(r'"#\s*\|\s*slow\b', path.read_text(encoding='utf-8')))


def run_pytest(env: dict, marker: str, old: bool = False) -> list[Result]:
    "The tests in tests/ that have the marker; what failed is shown by pytest itself. `old`: deprecations are no fault."
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder)/'report.xml'
        options = ['-q', '-m', marker, '--durations=5', '-p', 'no:cacheprovider', f'--junitxml={report}']
        if old:
            options += [f'-Wdefault::{kind}' for kind in ('DeprecationWarning', 'PendingDeprecationWarning',
                                                          'FutureWarning')]
        done = subprocess.run([sys.executable, '-m', 'pytest', 'tests', *options], cwd=ROOT, env=env,
                              text=True, encoding='utf-8', errors='replace',
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        cases = list(ElementTree.parse(report).iter('testcase')) if report.exists() else []
    print(done.stdout, flush=True)
    results = [case_result(case) for case in cases]
    if done.returncode not in (0, 5) and not any(r.fault for r in results):  # 5: no test has the marker
        results.append(Result('pytest', f'pytest ended with {done.returncode}'))
    return results


def case_result(case: ElementTree.Element) -> Result:
    "One test of pytest's report."
    name = f"{case.get('classname')}.{case.get('name')}"
    skipped = case.find('skipped')
    if skipped is not None:
        return Result(name, skipped=skipped.get('message'))
    failed = case.find('failure') is not None or case.find('error') is not None
    return Result(name, 'shown above' if failed else '', shown=False)


# ---- what libraries are going to drop

def known_warnings() -> list[str]:
    "How the deprecation warnings begin that are known: those which pyproject.toml has pytest ignore."
    options = tomllib.loads((ROOT/'pyproject.toml').read_text(encoding='utf-8'))['tool']['pytest']['ini_options']
    ignored = (line.split(':') for line in options['filterwarnings'] if line.startswith('ignore:'))
    return [f'{kind}: {words}' for _, words, kind in ignored]


def unknown_warnings(log: Path) -> str:
    "The lines of tests/guard's log that are not known, each once."
    lines = log.read_text(encoding='utf-8').splitlines() if log.exists() else []
    return '\n'.join(f'  {line}' for line in dict.fromkeys(lines) if not line.startswith(tuple(known_warnings())))


# ---- all of it

def changed(env: dict) -> set[str]:
    "What git sees as changed; nothing where this is no checkout."
    done = subprocess.run(['git', 'status', '--porcelain'], cwd=ROOT, env=env, text=True, capture_output=True)
    return set(done.stdout.splitlines())


def quick_jobs(env: dict, old: bool = False) -> list[tuple]:
    "`make test`: the checks, then what takes longest first, so that no core waits at the end."
    checks = {
        'modules equal a fresh export': check_export,
        'notebooks are clean': check_clean,
        'ruff finds nothing': check_style,
    }
    longest_first = sorted(notebooks(), key=minutes, reverse=True)
    return [
        *((check, name, function, env) for name, function in checks.items()),
        (run_pytest, env, 'not slow', old),
        *((run_notebook, path, env, False) for path in longest_first),
    ]


def rest_jobs(env: dict) -> list[tuple]:
    "`make test-all`, apart from its tests: those run alone, since a browser waits only so long."
    return [(run_notebook, path, env, True) for path in notebooks() if has_slow_cells(path)]


def run_jobs(jobs: list[tuple], tally: Tally) -> None:
    "Each job is a function and its arguments; JOBS of them run at once."
    with ThreadPoolExecutor(JOBS) as pool:
        futures = [pool.submit(*job) for job in jobs]
        for future in as_completed(futures):
            for result in future.result():
                tally.add(result)


def main() -> int:
    "The command; 1 if anything failed."
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rest', action='store_true', help='what is left out: slow cells, the wheel, the browser')
    parser.add_argument('--old', action='store_true', help='the versions are old ones: deprecations are only told')
    options = parser.parse_args()
    os.chdir(ROOT)
    start, tally = time.time(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder)
        env = environment(logs)
        before = changed(env)
        run_jobs(rest_jobs(env) if options.rest else quick_jobs(env, options.old), tally)
        if options.rest:
            run_jobs([(run_pytest, env, 'slow')], tally)
        reached = (logs/'network.txt').read_text() if (logs/'network.txt').exists() else ''
        tally.add(Result('no test reached for the network', reached))
        deprecated = unknown_warnings(logs/'warnings.txt')
        if options.old and deprecated:
            print(f'What these versions say is going to be dropped:\n{deprecated}', flush=True)
        tally.add(Result('nothing is used that a library will drop', '' if options.old else deprecated))
        tally.add(Result('the tests changed no tracked file', '\n'.join(sorted(changed(env) - before))))
    print(f'{time.time() - start:.0f} s')
    print(tally.line(), flush=True)
    return 1 if tally.failed else 0


if __name__ == '__main__':
    sys.exit(main())
