"""Python loads this at its start where the test runner put the folder on PYTHONPATH: no test reaches beyond this machine.

A try raises, and is written to LESSONLIB_NETWORK_LOG, since libraries swallow exceptions: the run fails on either.
"""
import os, socket, sys

log = os.environ.get('LESSONLIB_NETWORK_LOG')


def is_local(host):
    if isinstance(host, (bytes, bytearray)): host = bytes(host).decode(errors='replace')
    return host in (None, '', 'localhost', '::', '::1', '0.0.0.0') or host.startswith('127.') or host == socket.gethostname()


def guard(event, args):
    if event in ('socket.connect', 'socket.sendto'):
        address = args[1]
        if not isinstance(address, tuple): return  # a Unix socket
        host = address[0]
    elif event in ('socket.getaddrinfo', 'socket.gethostbyname'): host = args[0]
    else: return
    if is_local(host): return
    if log:
        with open(log, 'a') as f: f.write(f'  {event} {host!r} in {sys.argv[:2]}\n')
    raise RuntimeError(f'The tests may not reach the network: {event} to {host!r}')


if log: sys.addaudithook(guard)
