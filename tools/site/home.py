"""The home page: the live mask in the place of its title, a card for each lesson, tabs for the ways to install.

All is made of what nbs/index.ipynb says; README.md, made of the same notebook, keeps pictures and tables.
"""
import html
import json
import re
from pathlib import Path
from tools.settings import ROOT, settings
from tools.site import live
from tools.site.pages import NotBuilt, page, title_of

THEME = Path(__file__).parent/'theme'
CARDS = Path('images')/'cards'  # beside index.ipynb: a picture for a lesson's card, named like its page
ROW = re.compile(r'^\| (\d+) \| \[`(\w+)`\]\(\w+\.ipynb\) \| (.+?) \|\s*(.*?)\s*\| (\d+) \| (.+?) \|$', re.M)


def fill(name: str, **parts: str) -> str:
    "A file of the theme with its gaps `@NAME@` filled."
    text = (THEME/name).read_text(encoding='utf-8').rstrip()
    return re.sub(r'@([A-Z]+)@', lambda gap: parts[gap[1]], text)


# ---- lessons

def lessons(nbs: Path) -> list[dict[str, str]]:
    "The rows of the table of lessons in index.ipynb, with the title of each."
    from execnb.nbio import read_nb
    text = '\n'.join(cell.source for cell in read_nb(nbs/'index.ipynb').cells if cell.cell_type == 'markdown')
    found = []
    for number, stem, question, before, minutes, run in ROW.findall(text):
        source = Path(f'{stem}.ipynb')
        if (nbs/source).exists():
            title = title_of(read_nb(nbs/source), source)
            found.append(dict(number=number, source=stem, page=page(source).stem, title=title, question=question,
                              before=before, minutes=minutes, run=run))
    return found


def picture(nbs: Path, name: str) -> Path | None:
    "The picture of a lesson's card, beside index.ipynb, or None."
    path = CARDS/f'{name}.png'
    return path if (nbs/path).exists() else None


def card(nbs: Path, row: dict[str, str]) -> str:
    "A lesson as a link with a picture."
    path = picture(nbs, row['page'])
    shown = f'<img src="{path.as_posix()}" width="480" height="270" alt="" loading="lazy">' if path else ''
    before = f", after {row['before'].replace(', ', ' and ')}" if row['before'] else ''
    return f'''<li><a href="{row['page']}.html">
<span class="picture">{shown}</span>
<span class="number">Lesson {row['number']}</span>
<b>{html.escape(row['title'])}</b>
<span>{html.escape(row['question'])}</span>
<span class="minutes">{row['minutes']} minutes{before}</span>
</a></li>'''


def show_cards(cell, nbs: Path) -> None:
    "In the place of the table, and of the legend below it."
    rows = lessons(nbs)
    cards = '\n'.join(card(nbs, row) for row in rows)
    block = f'```{{=html}}\n<ul class="lesson-cards">\n{cards}\n</ul>\n```'
    cell.source = re.sub(r'(?:^\|.*\n)+', lambda _: f'{block}\n', cell.source, count=1, flags=re.M)
    cell.source = re.sub(r'^\*Minutes\*:.*\n+', '', cell.source, flags=re.M)


# ---- the notebook

def sections(nb) -> dict[str, list]:
    "Title -> the cells of a section; the opening has none."
    found, name = {'': []}, ''
    for cell in nb.cells:
        title = re.match(r'## (.+)', cell.source) if cell.cell_type == 'markdown' else None
        name = title[1] if title else name
        found.setdefault(name, []).append(cell)
    return found


def as_tabs(text: str) -> str:
    "A section whose parts, `### `, stand behind tabs; what follows the last part's code stays below them."
    if '\n### ' not in text:
        return text
    opening, *parts = re.split(r'^(?=### )', text, flags=re.M)
    last, after = re.split(r'(?<=\n```)\n', parts[-1], maxsplit=1) if parts[-1].count('```') == 2 else (parts[-1], '')
    return '\n'.join([opening, '::: {.panel-tabset}', '', *parts[:-1], last, '', ':::', after])


def arrange(nb, nbs: Path) -> None:
    "What only the site has: cards, tabs, and the lessons before the rest. The pictures make room for the live mask."
    found = sections(nb)
    for cell in found['']:
        if cell.cell_type == 'raw':  # front matter
            cell.source = re.sub(r'^---\n', '---\ntoc: false\n', cell.source)
        elif cell.cell_type == 'markdown':
            cell.source = re.sub(r'^(?:!\[.*\]\(.*\)|Nobody told .*)\n+', '', cell.source, flags=re.M)
    for cell in found.get('Install', []):
        if cell.cell_type == 'markdown':
            cell.source = as_tabs(cell.source)
    named = found.pop('The lessons', [])
    for cell in named:
        show_cards(cell, nbs)
    opening = found.pop('')
    nb.cells = [*opening, *named, *(cell for cells in found.values() for cell in cells)]


# ---- the page

def megabytes(folder: Path) -> int:
    "The size of a folder's files."
    return round(sum(path.stat().st_size for path in folder.rglob('*') if path.is_file())/1e6)


def explorer(site: Path, names: list[str]) -> str:
    "Where a reader finds the explorer: its cell in the first lesson that has one."
    for name in names:
        before, found, _ = (site/f'{name}.html').read_text(encoding='utf-8').partition('class="lessonlib-explorer"')
        ids = re.findall(r'<(?:div|section)\b[^>]*\sid="([^"]+)"', before)
        if found and ids:
            return f'{name}.html#{ids[-1]}'
    return f'{names[0]}.html'


def hero(site: Path, rows: list[dict[str, str]], shown: live.Shown) -> str:
    "The live mask and the words beside it."
    data = (THEME/'hero.json').read_text(encoding='utf-8').strip()
    buttons = [f'<button type="button" data-choose aria-pressed="false">{subject.capitalize()} → {target}</button>'
               for subject, target in ((one['subject'], one['target']) for one in json.loads(data))]
    first = rows[0]
    colab = 'https://colab.research.google.com/github/{user}/{repo}/blob/{branch}/nbs/'.format(**settings)
    find = fill('hero_live.html', MEGABYTES=shown.megabytes) if shown.sizes else ''
    return fill('hero.html', STYLE=fill('hero.css'), SCRIPT=fill('hero.js'), DATA=data.replace('<', r'\u003c'),
                LIVE=find, BUTTONS='\n'.join(buttons),
                FIRST=f"{first['page']}.html", COLAB=f"{colab}{first['source']}.ipynb",
                EXPLORER=explorer(site, [row['page'] for row in rows]),
                MEGABYTES=str(megabytes(ROOT/settings['lib_path']/'models'/'tiny')))


def show_hero(site: Path, rows: list[dict[str, str]], shown: live.Shown) -> None:
    "Put the live mask in the place of the title of the home page; a site without lessons keeps the title."
    if not rows:
        return
    path = site/'index.html'
    text, block = path.read_text(encoding='utf-8'), hero(site, rows, shown)
    text, count = re.subn(r'<header id="title-block-header".*?</header>', lambda _: block, text, flags=re.S)
    if count != 1:
        raise NotBuilt('index.html has no title to put the live mask in the place of')
    path.write_text(text, encoding='utf-8')
