"""Draws the picture of each lesson's card into nbs/images/cards, named like the lesson's page.

    python tools/assets/cards.py      # after tools/assets/home_picture.py, which writes hero.json
"""
import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
import numpy as np
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT/'nbs'/'images'/'cards'
HERO = ROOT/'tools'/'site'/'theme'/'hero.json'
SIZE, FINE = (480, 270), 2  # px of a card; drawn this many times larger, then made smaller
PAPER, INK, QUIET = '#f2f4f8', '#26303f', '#b9c3d3'
COLORS = '#e6007e', '#e69f00', '#0072b2', '#009e73'  # the first is the masks'
Box = tuple[float, float, float, float]


class Card:
    "An empty card to draw on, in units of its own pixels."
    def __init__(self):
        self.image = Image.new('RGB', [side*FINE for side in SIZE], PAPER)
        self.draw = ImageDraw.Draw(self.image)

    def box(self, place: Box, fill: str, outline: str | None = None) -> None:
        "A filled rectangle: left, top, right, bottom."
        self.draw.rectangle([x*FINE for x in place], fill, outline, width=2*FINE)

    def line(self, *points: tuple[float, float], fill: str = INK, width: int = 4) -> None:
        "A line through points."
        self.draw.line([(x*FINE, y*FINE) for x, y in points], fill, width*FINE)

    def dot(self, x: float, y: float, fill: str, radius: int = 9) -> None:
        "A round point."
        self.draw.circle((x*FINE, y*FINE), radius*FINE, fill)

    def text(self, x: float, y: float, words: str, size: int, fill: str = INK, font: str = 'DejaVu Sans Mono') -> None:
        "Words, centered."
        drawn = ImageFont.truetype(findfont(font), size*FINE)
        self.draw.text((x*FINE, y*FINE), words, fill, drawn, anchor='mm')

    def paste(self, picture: Image.Image, place: Box) -> None:
        "A picture in a rectangle."
        left, top, right, bottom = (round(x*FINE) for x in place)
        self.image.paste(picture.resize((right - left, bottom - top), Image.Resampling.BICUBIC), (left, top))

    def save(self, name: str) -> None:
        "The card at its size."
        FOLDER.mkdir(parents=True, exist_ok=True)
        small = self.image.resize(SIZE, Image.Resampling.LANCZOS)
        small.quantize(128).save(FOLDER/f'{name}.png', optimize=True)


def subjects() -> dict[str, dict]:
    "Name -> what hero.json holds of it."
    return {one['subject']: one for one in json.loads(HERO.read_text(encoding='utf-8'))}


def decoded(text: str) -> Image.Image:
    "A picture of hero.json."
    return Image.open(io.BytesIO(base64.b64decode(text.partition(',')[2]))).convert('RGB')


def horse() -> Image.Image:
    "The horse on sand."
    return decoded(subjects()['horse']['picture'])


def mask() -> Image.Image:
    "Its mask at the default threshold."
    one = subjects()['horse']
    values = np.frombuffer(base64.b64decode(one['map']), np.uint8).reshape(128, 128)
    return Image.fromarray(values).resize((512, 512), Image.Resampling.BICUBIC).point(
        lambda value: 255*(value > 255*one['threshold']))


# ---- the cards

def matmul(card: Card) -> None:
    "A ladder of times: each rung a fraction of the one before."
    for i, length in enumerate((390, 250, 150, 78, 26)):
        card.box((45, 34 + 42*i, 45 + length, 60 + 42*i), COLORS[2] if i < 4 else COLORS[0])


def broadcasting(card: Card) -> None:
    "A column and a row become a table."
    shades = '#cfe3f3', '#7fb8dd', '#0072b2'
    row, side = (90, 30), 54
    for k in range(3):
        card.box((row[0], row[1] + 68 + k*side, row[0] + side - 4, row[1] + 64 + (k + 1)*side), shades[k], INK)
    for j, shade in enumerate(('#fbe3b5', '#f0bb55', '#e69f00')):
        left = row[0] + 98 + j*side*1.4
        card.box((left, row[1] - 4, left + side*1.4 - 4, row[1] + side - 8), shade, INK)
        for k in range(3):
            mixed = Image.blend(*(Image.new('RGB', (1, 1), color) for color in (shade, shades[k])), .5).getpixel((0, 0))
            card.box((left, row[1] + 68 + k*side, left + side*1.4 - 4, row[1] + 64 + (k + 1)*side), mixed, INK)


def diffedit_mask(card: Card) -> None:
    "The horse and its mask."
    picture = horse().resize((512, 512), Image.Resampling.BICUBIC)
    color = Image.new('RGB', picture.size, COLORS[0])
    masked = Image.composite(Image.blend(picture, color, .65), picture, mask())
    card.paste(masked.crop((56, 100, 488, 343)), (0, 0, *SIZE))


def reading_the_paper(card: Card) -> None:
    "A formula, and the code that it becomes."
    card.box((60, 30, 420, 128), '#ffffff', QUIET)
    card.text(240, 78, '‖ ε(x, q) − ε(x, r) ‖', 27, font='DejaVu Serif')
    card.line((240, 136), (240, 162), fill=COLORS[0])
    card.draw.polygon([(x*FINE, y*FINE) for x, y in ((228, 158), (252, 158), (240, 174))], COLORS[0])
    card.box((60, 182, 420, 244), INK)
    card.text(240, 212, '(query - ref).norm(dim=1)', 20, fill='#ffffff')


def guidance(card: Card) -> None:
    "Two replies, and the line on beyond the second."
    start, second, beyond = (90, 210), (210, 150), (390, 60)
    card.line(start, second, fill=INK, width=5)
    card.line(second, beyond, fill=COLORS[0], width=5)
    for place, color in (start, QUIET), (second, INK), (beyond, COLORS[0]):
        card.dot(*place, color, 13)
    card.text(150, 236, 'no words', 19)
    card.text(290, 166, '“a horse”', 19)
    card.text(318, 40, '7 times', 19, fill=COLORS[0])


def diffedit(card: Card) -> None:
    "Half a horse, half a zebra."
    one = subjects()['horse']
    before, after = decoded(one['picture']), decoded(one['edit'])
    size = 512, 512
    before, after = (p.resize(size, Image.Resampling.BICUBIC).crop((56, 100, 488, 343)) for p in (before, after))
    card.paste(before, (0, 0, *SIZE))
    half = after.crop((216, 0, 432, 243))
    card.paste(half, (240, 0, 480, 270))
    card.line((240, 0), (240, 270), fill='#ffffff', width=4)


def gemm(card: Card) -> None:
    "A matrix in blocks, one of them in tiles."
    for i in range(3):
        for j in range(6):
            left, top = 36 + 69*j, 34 + 69*i
            card.box((left, top, left + 63, top + 63), COLORS[2] if (i, j) == (1, 2) else '#cfd9e6')
    for i in range(4):
        for j in range(4):
            left, top = 36 + 69*2 + 4 + 14.5*j, 34 + 69 + 4 + 14.5*i
            card.box((left, top, left + 11, top + 11), COLORS[0] if (i, j) == (1, 1) else '#8fc1e2')


def tiny_stable_diffusion(card: Card) -> None:
    "From noise to a picture."
    picture = np.asarray(horse().resize((110, 110)), dtype=float)
    noise = np.random.default_rng(0).normal(128, 70, picture.shape)
    for i, share in enumerate((1, .75, .4, 0)):
        mixed = (share*noise + (1 - share)*picture).clip(0, 255).astype(np.uint8)
        card.paste(Image.fromarray(mixed), (8 + 117*i, 80, 8 + 117*i + 113, 193))


def tensor_puzzles(card: Card) -> None:
    "A grid with a question."
    for i in range(4):
        for j in range(4):
            color = COLORS[(i*j + i + j) % 4] if (i, j) != (2, 1) else '#ffffff'
            card.box((131 + 55*j, 26 + 55*i, 131 + 55*j + 51, 26 + 55*i + 51), color, INK)
    card.text(131 + 55 + 26, 26 + 110 + 26, '?', 34)


def in_your_browser(card: Card) -> None:
    "A browser's window, and the mask in it."
    card.box((60, 22, 420, 250), '#ffffff', INK)
    card.box((60, 22, 420, 54), INK)
    for i, color in enumerate(COLORS[:3]):
        card.dot(80 + 22*i, 38, color, 7)
    card.box((150, 29, 406, 47), '#ffffff')
    picture = horse().resize((512, 512), Image.Resampling.BICUBIC)
    color = Image.new('RGB', picture.size, COLORS[0])
    masked = Image.composite(Image.blend(picture, color, .65), picture, mask())
    card.paste(picture.crop((40, 100, 256, 343)), (62, 56, 240, 248))
    card.paste(masked.crop((256, 100, 472, 343)), (240, 56, 418, 248))


def nano_stable_diffusion(card: Card) -> None:
    "The UNet as a U: its boxes, what it keeps for the way up, and a product in the middle."
    heights = 176, 128, 88, 56, 88, 128, 176
    for i, height in enumerate(heights[:3]):
        y = 135 - height/2 + 10
        card.line((37 + 60*i, y), (60 + 60*(6 - i), y), fill=QUIET, width=4)
    for i, height in enumerate(heights):
        color = COLORS[0] if i == 3 else COLORS[1] if 0 < i < 6 else COLORS[2]
        card.box((37 + 60*i, 135 - height/2, 83 + 60*i, 135 + height/2), color)
    card.text(240, 133, '@', 30, fill='#ffffff')


DRAWN: tuple[Callable[[Card], None], ...] = (
    matmul, broadcasting, diffedit_mask, reading_the_paper, guidance, diffedit, gemm, tiny_stable_diffusion,
    tensor_puzzles, nano_stable_diffusion, in_your_browser)


def main() -> None:
    "Write all of them."
    for draw in DRAWN:
        card = Card()
        draw(card)
        card.save(draw.__name__)


if __name__ == '__main__':
    main()
