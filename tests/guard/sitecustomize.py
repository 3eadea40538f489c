"""No test reaches beyond this machine: Python loads this at its start where the test runner put the folder on its path.

A try raises, and is written to LESSONLIB_NETWORK_LOG, since libraries swallow exceptions: the run fails on either.
"""
import os
import socket
import sys

LOG = os.environ.get('LESSONLIB_NETWORK_LOG')
LOCAL = None, '', 'localhost', '::', '::1', '0.0.0.0', socket.gethostname()


def is_local(host):
    "Whether a host's name or address, text or bytes, is this machine's."
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode(errors='replace')
    return host in LOCAL or host.startswith('127.')


def host_of(event, args):
    "The host that an event of Python's audit reaches for; None if it reaches for none."
    if event in ('socket.connect', 'socket.sendto'):
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


if LOG:
    sys.addaudithook(guard)
