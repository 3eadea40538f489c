"""The picture that a chat or a network shows for a link: title, question and the picture of the lesson's card."""
import textwrap
from pathlib import Path
from PIL import Image, ImageDraw, ImageFont
from tools.settings import settings

SIZE, MARGIN = (1200, 630), 70  # px
GROUND, INK, QUIET, MARK = '#141a24', '#ffffff', '#b9c7db', '#e6007e'


def lines(words: str, size: int, width: int) -> tuple[list[str], ImageFont.FreeTypeFont]:
    "Words as lines that are not wider than that many px, and their font."
    font = ImageFont.load_default(size)
    for count in range(60, 5, -1):
        broken = textwrap.wrap(words, count)
        if all(font.getlength(line) <= width for line in broken):
            return broken, font
    return broken, font


def draw(title: str, question: str, head: str, picture: Path | None) -> Image.Image:
    "The whole picture; without one of the lesson's own, the words have all of it."
    whole = Image.new('RGB', SIZE, GROUND)
    canvas = ImageDraw.Draw(whole)
    width = SIZE[0] - 2*MARGIN
    if picture:
        shown = Image.open(picture).convert('RGB').resize((480, 270), Image.Resampling.LANCZOS)
        whole.paste(shown, (SIZE[0] - MARGIN - 480, (SIZE[1] - 270)//2))
        width -= 480 + MARGIN//2
    canvas.rectangle((0, 0, 14, SIZE[1]), MARK)
    canvas.text((MARGIN, 78), head, QUIET, ImageFont.load_default(32), anchor='lm')
    for large in range(62, 30, -4):  # the largest letters with which all of it has room
        broken = [(*lines(title, large, width), large, INK), (*lines(question, large*3//5, width), large*3//5, QUIET)]
        heights = [round(size*1.22)*len(words) + 26 for words, _, size, _ in broken]
        if sum(heights) < SIZE[1] - 250:
            break
    top = 140
    for (words, font, size, color), height in zip(broken, heights, strict=True):
        for k, line in enumerate(words):
            canvas.text((MARGIN, top + round(size*1.22)*k), line, color, font)
        top += height
    foot = 'No GPU, offline, every number checked'
    canvas.text((MARGIN, SIZE[1] - 60), foot, QUIET, ImageFont.load_default(28), anchor='lm')
    return whole


def write(nbs: Path, site: Path, rows: list[dict[str, str]], cards: Path) -> None:
    "A picture for each lesson and one for all other pages."
    folder = site/'images'/'social'
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {row['page']: draw(row['title'], row['question'], f"{settings['title']}, lesson {row['number']}",
                               path if (path := nbs/cards/f"{row['page']}.png").exists() else None) for row in rows}
    question = 'Nobody told this model where the horse is. How does it know?'
    first = nbs/cards/'diffedit_mask.png'
    drawn['index'] = draw(question, 'Matrix multiplication, broadcasting and DiffEdit, in one week of notebooks.',
                          settings['title'], first if first.exists() else None)
    for name, picture in drawn.items():
        picture.quantize(64).save(folder/f'{name}.png', optimize=True)
