"""Pictures of a built page: lighter ones, and which of them are drawings that the dark theme may turn around."""
import base64
import io
import re
from functools import cache
from pathlib import Path
import numpy as np
from PIL import Image

EMBEDDED = re.compile(r'<img\b[^>]*\ssrc="data:image/(png|jpeg);base64,([^"]+)"[^>]*>')
LINKED = re.compile(r'(<img\b[^>]*\ssrc=")([^":]+)(\.(?:png|jpg))"[^>]*>')
WHITE = .6  # a drawing has at least this share of white


def coded(picture: Image.Image, **options) -> bytes:
    "A picture as WebP."
    file = io.BytesIO()
    picture.save(file, 'webp', method=4, **options)
    return file.getvalue()


@cache
def lighter(data: bytes) -> bytes | None:
    "A picture as WebP, if that is smaller: without loss, or with as little as is not seen where that halves it."
    picture = Image.open(io.BytesIO(data))
    exact = picture.format == 'PNG'
    picture = picture.convert('RGBA' if picture.has_transparency_data else 'RGB')
    found = coded(picture, quality=76)
    if exact and len(whole := coded(picture, lossless=True)) < min(2*len(found), 60_000):
        found = whole
    return found if len(found) < len(data) else None


def is_drawing(data: bytes) -> bool:
    "Whether a picture is mostly white paper, as plots are, and stands on no ground of its own."
    picture = Image.open(io.BytesIO(data)).convert('RGB')
    picture.thumbnail((200, 200), Image.Resampling.NEAREST)
    white = np.asarray(picture).min(axis=2) > 250
    return bool(white[[0, 0, -1, -1], [0, -1, 0, -1]].all() and white.mean() > WHITE)


def with_lighter_pictures(text: str) -> str:
    "A page with the pictures that it holds as WebP where that is smaller; drawings have a class."
    def change(match: re.Match) -> str:
        tag, kind, data = match[0], match[1], base64.b64decode(match[2])
        found = lighter(data)
        if found:
            text = base64.b64encode(found).decode()
            tag = tag.replace(f'data:image/{kind};base64,{match[2]}', f'data:image/webp;base64,{text}')
        return re.sub(r'class="', 'class="drawing ', tag, count=1) if is_drawing(data) else tag
    return EMBEDDED.sub(change, text)


def with_lighter_files(text: str, folder: Path) -> str:
    "A page whose pictures are files beside it: they come when the reader does, as WebP where that is smaller."
    def change(match: re.Match) -> str:
        path = folder/f'{match[2]}{match[3]}'
        if not path.is_file():
            return match[0]
        data = path.read_bytes()
        width, height = Image.open(io.BytesIO(data)).size
        if found := lighter(data):
            path.with_suffix('.webp').write_bytes(found)
        tag = match[0].replace(match[3], '.webp') if found else match[0]
        size = f'loading="lazy" width="{width}" height="{height}"'
        return tag if 'loading=' in tag else tag.replace('<img', f'<img {size}')
    return LINKED.sub(change, text)
