"""The guard of the tests bites: no process of theirs reaches the network, and no deprecation warning passes unseen."""
import os
import subprocess
import sys
import tomllib
import warnings
import pytest
from installed import ROOT
from tools import run_tests

GUARD = ROOT/'tests'/'guard'


def guarded(code, folder):
    "Python's exit status and stderr for some code, and what the guard wrote of the network and of warnings."
    env = run_tests.environment(folder)
    done = subprocess.run([sys.executable, '-c', code], env=env, capture_output=True, text=True)
    logs = [folder/f'{name}.txt' for name in ('network', 'warnings')]
    return done.returncode, done.stderr, *(log.read_text() if log.exists() else '' for log in logs)


CONNECT = "socket.socket(socket.AF_INET, {}).{}"
TRIES = {
    'a name': "socket.getaddrinfo('example.invalid', 443)",
    'an old call for a name': "socket.gethostbyname('example.invalid')",
    'an address': CONNECT.format('socket.SOCK_STREAM', "connect(('192.0.2.1', 80))"),
    'an address, without waiting': CONNECT.format('socket.SOCK_STREAM', "connect_ex(('192.0.2.1', 80))"),
    'a packet': CONNECT.format('socket.SOCK_DGRAM', "sendto(b'x', ('192.0.2.1', 53))"),
    'a packet in parts': CONNECT.format('socket.SOCK_DGRAM', "sendmsg([b'x'], [], 0, ('192.0.2.1', 53))"),
    'an address of six': "socket.socket(socket.AF_INET6, socket.SOCK_STREAM).connect(('2001:db8::1', 80))",
    'urllib': "__import__('urllib.request').request.urlopen('http://example.invalid')"}


@pytest.mark.parametrize('way', TRIES)
def test_no_way_leads_out(way, tmp_path):
    status, said, reached, _ = guarded(f'import socket; {TRIES[way]}', tmp_path)
    assert status == 1 and 'RuntimeError: The tests may not reach the network: socket.' in said
    assert ('192.0.2.1' in reached) or ('2001:db8' in reached) or ('example.invalid' in reached)


def test_what_a_library_swallows_is_written_down(tmp_path):
    "From a process that a process starts, too."
    inner = f'import socket\ntry: {TRIES["a name"]}\nexcept Exception: pass'
    code = f'import subprocess, sys; subprocess.run([sys.executable, "-c", {inner!r}], check=True)'
    status, said, reached, _ = guarded(code, tmp_path)
    assert (status, said) == (0, '') and reached.startswith("  socket.getaddrinfo 'example.invalid' in ")


def test_this_machine_may_be_asked(tmp_path):
    code = '''
import socket, threading
server = socket.create_server(('127.0.0.1', 0))
for host in 'localhost', '127.0.0.1': socket.create_connection((host, server.getsockname()[1])).close()
'''
    assert guarded(code, tmp_path) == (0, '', '', '')


@pytest.mark.skipif(not os.environ.get('LESSONLIB_NETWORK_LOG'), reason='only tools/run_tests.py sets the guard up')
def test_these_tests_are_guarded():
    import sitecustomize
    assert sitecustomize.__file__ == str(GUARD/'sitecustomize.py')
    assert warnings.filters and sitecustomize.WARNINGS_LOG


def test_every_process_of_the_tests_is_told_where_the_guard_is(tmp_path):
    env = run_tests.environment(tmp_path)
    assert env['PYTHONPATH'].split(os.pathsep)[0] == str(GUARD)
    assert env['HF_HUB_OFFLINE'] == '1' and env['LESSONLIB_NETWORK_LOG'].startswith(str(tmp_path))


# ---- what libraries are going to drop

KINDS = 'DeprecationWarning', 'PendingDeprecationWarning', 'FutureWarning'


@pytest.mark.parametrize('kind', KINDS)
def test_a_deprecation_is_written_down(kind, tmp_path):
    "And is not shown, since tests read what processes print. Any other warning is as ever."
    code = f"import warnings; warnings.warn('x is\\n going', {kind}); warnings.warn('mind x')"
    status, said, _, noted = guarded(code, tmp_path)
    assert status == 0 and 'UserWarning: mind x' in said and 'going' not in said
    assert noted == f'{kind}: x is going (<string>:1, in -c)\n'
    assert run_tests.unknown_warnings(tmp_path/'warnings.txt') == f'  {noted.strip()}'


def test_a_warning_that_a_library_hides_or_catches_is_none(tmp_path):
    code = '''
import warnings
with warnings.catch_warnings(): warnings.simplefilter('ignore'); warnings.warn('a', DeprecationWarning)
with warnings.catch_warnings(record=True) as told: warnings.warn('b', DeprecationWarning)
assert len(told) == 1
'''
    assert guarded(code, tmp_path) == (0, '', '', '')


def test_what_is_known_does_not_fail(tmp_path):
    known = run_tests.known_warnings()
    (tmp_path/'warnings.txt').write_text('\n'.join([f'{line} and more' for line in known] + ['FutureWarning: new']*2))
    assert run_tests.unknown_warnings(tmp_path/'warnings.txt') == '  FutureWarning: new'
    assert run_tests.unknown_warnings(tmp_path/'none.txt') == ''


@pytest.mark.parametrize('kind', KINDS)
def test_a_deprecation_in_these_tests_is_an_error(kind, pytestconfig):
    if any(kind in option for option in pytestconfig.getoption('-W') or ()):
        pytest.skip('these are old versions: deprecations are only told')
    with pytest.raises(__builtins__[kind], match='going'):
        warnings.warn('x is going', __builtins__[kind], stacklevel=1)


def test_each_known_deprecation_has_its_reason():
    "In the line above, and it is one of the kinds that fail."
    text = (ROOT/'pyproject.toml').read_text()
    lines = tomllib.loads(text)['tool']['pytest']['ini_options']['filterwarnings']
    ignored = [line for line in lines if not line.startswith('error::')]
    assert [line for line in lines if line.startswith('error::')] == [f'error::{kind}' for kind in KINDS]
    for line in ignored:
        assert line.split(':')[0] == 'ignore' and line.split(':')[2] in KINDS
        above = text.splitlines()[text.splitlines().index(f'    "{line}",') - 1]
        assert above.startswith('    # '), line
