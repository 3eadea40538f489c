"""Writes lessonlib/data/SHA256SUMS, the list that `lessonlib.inputs.shipped` compares the package's files with:
`python -m tools.checksums`, after the model was trained or a drawing was made anew. `sha256sum -c` reads it too.
"""
import hashlib
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent/'lessonlib'
LIST = PACKAGE/'data'/'SHA256SUMS'
KINDS = '.safetensors', '.png', '.npz'  # what text editors and git leave alone


def listed() -> str:
    "The list as it should be: the digest and the path inside of the package, a line for each file."
    files = sorted(path for path in PACKAGE.rglob('*') if path.suffix in KINDS)
    return ''.join(f'{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(PACKAGE).as_posix()}\n'
                   for path in files)


if __name__ == '__main__':
    LIST.write_text(listed(), encoding='utf-8')
