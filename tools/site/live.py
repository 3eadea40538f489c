"""The live page: the model, its runtime and its script as files of the site, in the folder `live`.

The graphs are made from the shipped weights by lessonlib.export, the runtime is onnxruntime-web as npm installs it
(`npm ci` in this folder). What is large is pressed here, since not every server does it. A site without one of the two
is built all the same: its page says what is missing, and keeps the still pictures.
"""
import gzip
import hashlib
import importlib.util
import json
import shutil
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tools.settings import ROOT

MARKER = '<!-- live -->'  # in the text cell that makes room for the live part
SCRIPTS = Path(str(files('lessonlib')))/'data'/'live'
RUNTIME = Path(__file__).parent/'node_modules'/'onnxruntime-web'/'dist'
KEPT = ROOT/'build'/'live'  # pressed files, named by their content: the next build takes them from there
FOR = {'wasm': 'ort-wasm-simd-threaded', 'webgpu': 'ort-wasm-simd-threaded.asyncify'}  # which runtime each device has


def missing() -> str:
    "What a live page lacks on this machine, or ''."
    if not all((RUNTIME/f'{name}.wasm').exists() for name in FOR.values()):
        return 'onnxruntime-web is not installed (npm ci, in tools/site)'
    lacking = [name for name in ('onnx', 'onnxscript') if importlib.util.find_spec(name) is None]
    return f"{' and '.join(lacking)} cannot be imported (pip install)" if lacking else ''


def pressed(path: Path) -> bytes:
    "A file as gzip; made once."
    data = path.read_bytes()
    kept = KEPT/f'{hashlib.sha256(data).hexdigest()}.gz'
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix('.part')
        part.write_bytes(gzip.compress(data, 9, mtime=0))
        part.replace(kept)
    return kept.read_bytes()


def sources() -> list[tuple[Path, str, str | None]]:
    "(file, its name in `live`, the device that alone needs it) of all that is fetched by the page's thread."
    from lessonlib.export import exported_model
    found: list[tuple[Path, str, str | None]] = [(path, path.name, None) for path in sorted(exported_model().iterdir())]
    return found + [(RUNTIME/f'{name}.wasm', f'ort/{name}.wasm', device) for device, name in FOR.items()]


def write(folder: Path) -> dict[str, int]:
    "The folder `live` of a site -> bytes that each device has to load."
    listed, sizes = [], dict.fromkeys(FOR, 0)
    (folder/'ort').mkdir(parents=True)
    for path, name, only in sources():
        data = pressed(path)
        (folder/f'{name}.gz').write_bytes(data)
        listed.append(dict(name=f'{name}.gz', bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), only=only))
        for device in [only] if only else FOR:
            sizes[device] += len(data)
    (folder/'files.json').write_text(json.dumps(dict(files=listed)), encoding='utf-8')
    for device, name in FOR.items():
        shutil.copy(RUNTIME/f'ort.{device}.min.mjs', folder/'ort')
        shutil.copy(RUNTIME/f'{name}.mjs', folder/'ort')
    shutil.copy(Path(__file__).parent/'ort-LICENSE.txt', folder/'ort'/'LICENSE.txt')
    for path in SCRIPTS.glob('*.[mc]*'):  # .mjs, .css
        shutil.copy(path, folder)
    return sizes


@dataclass
class Shown:
    "What pages say of the model: the bytes that each device loads; or why it is not there."
    sizes: dict[str, int] | None = None
    why: str = ''

    @property
    def megabytes(self) -> str:
        "What a reader has to load without a graphics card that helps."
        return str(round(self.sizes['wasm']/1e6)) if self.sizes else ''


def prepare(nbs: Path, folder: Path, wanted: bool) -> Shown:
    "Write the folder `live`, where a notebook has room for it and this machine has all of it."
    if not any(MARKER in path.read_text(encoding='utf-8') for path in nbs.glob('*.ipynb')):
        return Shown(why='no page has room for it')
    why = missing() if wanted else 'the builder was told to leave the model out'
    if why:
        print(f'The live page is without its model: {why}.', file=sys.stderr)
        return Shown(why=why)
    return Shown(write(folder))


def arrange(nb, shown: Shown) -> None:
    "The live part in the place of the text that a notebook has instead."
    for cell in nb.cells:
        if cell.cell_type == 'markdown' and cell.source.startswith(MARKER):
            cell.source = block(shown)


def block(shown: Shown) -> str:
    "What stands in the page: the live part, or why there is none."
    if not shown.sizes:
        return f'This copy of the site was built without the live part: {shown.why}. The pictures show what it finds.'
    text = (SCRIPTS/'live.html').read_text(encoding='utf-8').replace('@MEGABYTES@', shown.megabytes)
    head = '<link rel="stylesheet" href="live/live.css"><script type="module" src="live/page.mjs"></script>'
    return f'```{{=html}}\n{head}\n{text}\n```'
