"""Firefox by its own protocol, Marionette: a socket, lists of JSON, and no driver to install."""
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PREFERENCES = {'datareporting.policy.dataSubmissionEnabled': False, 'app.update.auto': False,
               'network.captive-portal-service.enabled': False, 'network.connectivity-service.enabled': False,
               'browser.shell.checkDefaultBrowser': False, 'app.normandy.enabled': False}


def executable() -> str | None:
    "Firefox's path, if it is there."
    return shutil.which('firefox-esr') or shutil.which('firefox')


class Firefox:
    "A page in Firefox."
    def __init__(self, port: int, patience: float):
        end = time.time() + patience
        while True:
            try:
                self.socket = socket.create_connection(('127.0.0.1', port), timeout=120)
                break
            except OSError:
                if time.time() > end:
                    raise
                time.sleep(.2)
        self.count = 0
        self._read()                                       # a greeting
        self.ask('WebDriver:NewSession', capabilities={})
        self.ask('WebDriver:SetTimeouts', script=120_000)

    def _read(self) -> Any:
        "One message: its length, a colon, JSON."
        length = b''
        while (byte := self.socket.recv(1)) != b':':
            length += byte
        data = b''
        while len(data) < int(length):
            data += self.socket.recv(int(length) - len(data))
        return json.loads(data)

    def ask(self, command: str, **parameters: Any) -> Any:
        "What the browser answers; its errors are raised."
        self.count += 1
        text = json.dumps([0, self.count, command, parameters]).encode()
        self.socket.sendall(str(len(text)).encode() + b':' + text)
        _, _, error, result = self._read()
        if error:
            raise RuntimeError(f"{error['error']}: {error['message']}")
        return result.get('value') if isinstance(result, dict) and 'value' in result else result

    def goto(self, address: str) -> None:
        "Open a page."
        self.ask('WebDriver:Navigate', url=address)

    def evaluate(self, script: str, *args: Any) -> Any:
        "What an async function's body returns."
        whole = f'const done = arguments[arguments.length - 1];(async (...args) => {{{script}}})(...arguments)'
        script = f'{whole}.then(done, e => done(String(e)))'
        return self.ask('WebDriver:ExecuteAsyncScript', script=script, args=[*args])


@contextmanager
def open_firefox(folder: Path) -> Iterator[Firefox]:
    "Firefox with a fresh profile in the folder."
    folder.mkdir(parents=True)
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    lines = [f'user_pref({json.dumps(name)}, {json.dumps(value)});'
             for name, value in {**PREFERENCES, 'marionette.port': port}.items()]
    (folder/'user.js').write_text('\n'.join(lines), encoding='utf-8')
    command = [executable(), '--headless', '--marionette', '--no-remote', '--profile', folder]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=os.environ | {'HOME': str(folder), 'MOZ_DISABLE_CONTENT_SANDBOX': '1'})
    try:
        yield Firefox(port, patience=60)
    finally:
        process.terminate()
        process.wait(30)
