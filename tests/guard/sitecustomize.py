"""What every process of the tests does, since Python loads this at its start where the test runner put the folder on
its path: none reaches beyond this machine, and none keeps to itself what a library is going to drop.

A try to reach out raises, and is written to LESSONLIB_NETWORK_LOG, since libraries swallow exceptions: the run fails on
either. A deprecation warning is written to LESSONLIB_WARNINGS_LOG, and the run fails if it isn't on the list of known
ones (`filterwarnings` in pyproject.toml).
"""
import os
import socket
import sys
import warnings

LOG = os.environ.get('LESSONLIB_NETWORK_LOG')
LOCAL = None, '', 'localhost', '::', '::1', '0.0.0.0', socket.gethostname()
WARNINGS_LOG = os.environ.get('LESSONLIB_WARNINGS_LOG')
DEPRECATIONS = DeprecationWarning, PendingDeprecationWarning, FutureWarning


def is_local(host):
    "Whether a host's name or address, text or bytes, is this machine's."
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode(errors='replace')
    return host in LOCAL or host.startswith('127.')


def host_of(event, args):
    "The host that an event of Python's audit reaches for; None if it reaches for none."
    if event in ('socket.connect', 'socket.sendto', 'socket.sendmsg'):
        address = args[1]
        return address[0] if isinstance(address, tuple) else None  # a Unix socket has a path
    return args[0] if event in ('socket.getaddrinfo', 'socket.gethostbyname') else None


def guard(event, args):
    "Refuse what leads beyond this machine, and write it down."
    host = host_of(event, args)
    if is_local(host):
        return
    with open(LOG, 'a') as log:
        log.write(f'  {event} {host!r} in {sys.argv[:2]}\n')
    raise RuntimeError(f'The tests may not reach the network: {event} to {host!r}')


def note(message, category, filename, lineno, file=None, line=None, show=warnings.showwarning):
    "Write a deprecation warning down, a line each; show any other as ever."
    if not issubclass(category, DEPRECATIONS):
        return show(message, category, filename, lineno, file, line)
    words = ' '.join(str(message).split())
    with open(WARNINGS_LOG, 'a', encoding='utf-8') as log:
        log.write(f'{category.__name__}: {words} ({filename}:{lineno}, in {" ".join(sys.argv[:4])})\n')


if LOG:
    sys.addaudithook(guard)
if WARNINGS_LOG:
    for deprecation in DEPRECATIONS:
        warnings.simplefilter('default', deprecation)  # once a line; Python's own filters hide most
    warnings.showwarning = note
