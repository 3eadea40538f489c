"""Runs the project's tests and counts them: `make test`, and with --rest what it leaves out, `make test-all`.

The last line counts checks, notebooks and pytest's tests together: `N passed, N failed[, N skipped]`.
"""
import argparse, os, re, shutil, subprocess, sys, sysconfig, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
JOBS = 2  # notebooks at a time
TIMEOUT = 1200  # seconds for one notebook


class Tally:
    "Counts results and prints each as it comes."
    def __init__(self): self.passed, self.failed, self.skipped = 0, 0, []

    def add(self, name, fault='', seconds=None):
        took = '' if seconds is None else f'{seconds:7.1f} s'
        print(f"{'FAILED' if fault else 'ok':8}{name:48}{took}", flush=True)
        if fault: print(fault.rstrip() + '\n', flush=True)
        if fault: self.failed += 1
        else: self.passed += 1

    def skip(self, name, reason):
        print(f'skipped {name}: {reason}', flush=True)
        self.skipped.append(name)

    def line(self):
        skipped = f', {len(self.skipped)} skipped' if self.skipped else ''
        return f'{self.passed} passed, {self.failed} failed{skipped}'


def environment(network_log):
    "No hub, no network but loopback (tests/guard), and the cores shared among the notebooks that run at once."
    env = dict(os.environ, HF_HUB_OFFLINE='1', TRANSFORMERS_OFFLINE='1', HF_HUB_DISABLE_TELEMETRY='1',
               LESSONLIB_NETWORK_LOG=str(network_log))
    env.pop('IN_TEST', None)  # under it nbdev_export does nothing
    env.setdefault('OMP_NUM_THREADS', str(max(1, (os.cpu_count() or 1) // JOBS)))
    paths = [str(ROOT/'tests'/'guard'), env.get('PYTHONPATH', '')]
    env['PYTHONPATH'] = os.pathsep.join(p for p in paths if p)
    return env


def run(command, env, cwd=ROOT, timeout=None):
    "A command's exit status and its output, stdout and stderr together; a bare name is one of this Python's scripts."
    command = [str(Path(sysconfig.get_path('scripts'))/command[0])] + command[1:]
    try: done = subprocess.run(command, cwd=cwd, env=env, timeout=timeout, text=True, encoding='utf-8', errors='replace',
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired as e:
        out = e.output or ''
        return 124, (out if isinstance(out, str) else out.decode(errors='replace')) + f'\nstopped after {timeout} s'
    return done.returncode, done.stdout


def notebooks():
    "The notebooks that nbdev takes: none whose name or folder starts with `_` or `.`."
    return sorted(p for p in (ROOT/'nbs').rglob('*.ipynb') if not any(re.match('[_.]', part) for part in p.relative_to(ROOT/'nbs').parts))


def copy_project(folder):
    "What nbdev reads, in an empty folder: the notebooks without the modules made from them."
    for path in [ROOT/'settings.ini', ROOT/'pyproject.toml', ROOT/'lessonlib'/'__init__.py', *notebooks()]:
        copy = folder/path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)


def difference(made, found, made_root, found_root):
    "Path -> what is wrong with it, for each file that differs between a fresh copy and the project (line endings apart)."
    made = {p.relative_to(made_root): p.read_bytes().replace(b'\r\n', b'\n') for p in made}
    found = {p.relative_to(found_root): p.read_bytes().replace(b'\r\n', b'\n') for p in found}
    return {p: 'missing' if p not in found else 'left over' if p not in made else 'stale'
            for p in sorted(made.keys() | found.keys()) if made.get(p) != found.get(p)}


def check_export(env):
    "The modules are exactly what a fresh export of the notebooks gives: none stale, missing or left over."
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder).resolve()
        copy_project(folder)
        status, out = run(['nbdev_export'], env, cwd=folder)
        if status: return out
        files = lambda root: [root/'pyproject.toml', *(root/'lessonlib').rglob('*.py')]
        found = difference(files(folder), files(ROOT), folder, ROOT)
    advice = {'missing': 'run nbdev_export and commit it', 'stale': 'run nbdev_export', 'left over': 'no notebook makes it: delete it'}
    return '\n'.join(f'  {path} is {state}: {advice[state]}' for path, state in found.items())


def check_clean(env):
    "`nbdev_clean` would change no notebook."
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder).resolve()
        copy_project(folder)
        status, out = run(['nbdev_clean'], env, cwd=folder)
        if status or 'Failed to clean' in out: return out
        found = difference((folder/'nbs').rglob('*.ipynb'), notebooks(), folder, ROOT)
    return '\n'.join(f'  {path} is not clean: run nbdev_clean' for path in found)


def run_notebook(path, env, flags=''):
    "One notebook in a process of its own -> (name, seconds, fault)."
    start = time.time()
    status, out = run(['nbdev_test', '--path', str(path), '--n_workers', '0', '--flags', flags], env, timeout=TIMEOUT)
    fault = '' if status == 0 and 'Success.' in out else out or f'nbdev_test ended with {status} and no word'
    return path.relative_to(ROOT).as_posix(), time.time() - start, fault


def run_notebooks(tally, env, slow):
    "Every notebook, or with `slow` those that have slow cells, those cells included."
    chosen = []
    for path in notebooks():
        text = path.read_text(encoding='utf-8')
        if slow and not re.search(r'"#\s*\|\s*slow\b', text): continue
        if re.search(r'skip_exec:\s*true', text): tally.skip(path.name, 'its front matter says skip_exec')
        else: chosen.append(path)
    with ThreadPoolExecutor(JOBS) as pool:
        for name, seconds, fault in pool.map(lambda p: run_notebook(p, env, 'slow' if slow else ''), chosen):
            tally.add(name + (' with slow cells' if slow else ''), fault, seconds)


def run_pytest(tally, env, marker):
    "The tests in tests/ that have the marker; a failed one is shown by pytest itself."
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder)/'report.xml'
        status = subprocess.run([sys.executable, '-m', 'pytest', 'tests', '-q', '-m', marker, '--durations=5', '-p', 'no:cacheprovider',
                                 f'--junitxml={report}'], cwd=ROOT, env=env, stdin=subprocess.DEVNULL).returncode
        cases = list(ElementTree.parse(report).iter('testcase')) if report.exists() else []
    failed = 0
    for case in cases:
        skipped = case.find('skipped')
        if skipped is not None: tally.skip(f"{case.get('classname')}.{case.get('name')}", skipped.get('message'))
        elif case.find('failure') is not None or case.find('error') is not None: failed += 1
        else: tally.passed += 1
    tally.failed += failed
    if status not in (0, 5) and not failed: tally.add('pytest', f'pytest ended with {status}')  # 5: no test has the marker


def tree(env):
    "What git sees as changed; nothing where this is no checkout."
    done = subprocess.run(['git', 'status', '--porcelain'], cwd=ROOT, env=env, text=True, capture_output=True)
    return set(done.stdout.splitlines())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rest', action='store_true', help='what the quick run leaves out: slow cells, the wheel, the browser')
    rest = parser.parse_args().rest
    os.chdir(ROOT)
    start, tally = time.time(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        network_log = Path(folder)/'network.txt'
        env = environment(network_log)
        before = tree(env)
        if not rest:
            tally.add('modules equal a fresh export', check_export(env))
            tally.add('notebooks are clean', check_clean(env))
        run_notebooks(tally, env, slow=rest)
        run_pytest(tally, env, 'slow' if rest else 'not slow')
        tally.add('no test reached for the network', network_log.read_text() if network_log.exists() else '')
        tally.add('the tests changed no tracked file', '\n'.join(sorted(tree(env) - before)))
    print(f'{time.time() - start:.0f} s')
    print(tally.line(), flush=True)
    return 1 if tally.failed else 0


if __name__ == '__main__': sys.exit(main())
