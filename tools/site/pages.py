"""The pages: which notebooks become one, and what is added to a notebook's own words on the way.

Links, citations, alternative texts and the lesson's buttons.
"""
import ast
import json
import math
import posixpath
import re
import textwrap
from pathlib import Path, PurePosixPath
import yaml
from lessonlib.commands import read_references
from tools.settings import settings

BASE = f"{settings['doc_host']}{settings['doc_baseurl']}/"  # the address of the site


SUFFIXES = '.ipynb', '.md'  # of the sources of pages


class NotBuilt(Exception):
    "There is no site; the message says why, and which notebook it was."


# ---- which pages there are

def sources(nbs: Path) -> list[Path]:
    "The sources of pages in reading order: home, the numbered lessons, then folder by folder."
    found = [path.relative_to(nbs) for path in nbs.rglob('*') if path.suffix in SUFFIXES]
    found = [source for source in found if not any(part.startswith(('_', '.')) for part in source.parts)]
    return sorted(found, key=lambda s: (len(s.parts), s.parts[:-1], s.stem != 'index', lesson(s) or math.inf, s.name))


def page(source: Path) -> Path:
    "nbdev's rule: `01_matmul.ipynb` becomes the page `matmul`."
    return source.with_name(re.sub(r'^\d+_', '', source.name))


def lesson(source: Path) -> int | None:
    "`01_matmul.ipynb` -> 1; None for a page that is no lesson."
    found = re.match(r'(\d+)_', source.name) if len(source.parts) == 1 else None
    return int(found[1]) if found else None


def cell_sources(path: Path, kind: str) -> list[str]:
    "What is written in the cells of one kind, 'code' or 'markdown'; nothing for a page that is no notebook."
    if path.suffix != '.ipynb':
        return []
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    return [''.join(cell['source']) for cell in cells if cell['cell_type'] == kind]


def add(nb, text: str, place: int | None = None) -> None:
    "Put a Markdown cell into the notebook, at the end if no place is named."
    from execnb.nbio import mk_cell
    place = len(nb.cells) if place is None else place
    nb.cells.insert(place, mk_cell(text, 'markdown'))


# ---- headings and links

HEADING = re.compile(r'^#+ +(.+?)\s*$', re.M)


def plain(text: str) -> str:
    "Markdown of one line without its signs."
    return re.sub(r'[`*]|\[([^]]*)\]\([^)]*\)', lambda match: match[1] or '', text).strip()


def heading_id(title: str) -> str:
    "The id that Quarto, Pandoc and smalldocs give to a heading."
    kept = re.sub(r'[^\w\s.-]', '', plain(title).lower())
    return re.sub(r'^[^a-z]+', '', re.sub(r'\s+', '-', kept)) or 'section'


def loose(anchor: str) -> str:
    "An anchor without what builders write differently."
    return re.sub(r'[^a-z0-9-]', '', anchor.lower().replace(' ', '-'))


def headings(path: Path) -> dict[str, str]:
    "Loosely written anchor -> the heading's id: Jupyter's anchors keep capitals and digits, the site's do not."
    titles = HEADING.findall('\n'.join(cell_sources(path, 'markdown')))
    return {loose(title): heading_id(title) for title in titles}


def link_target(path: str, anchor: str, source: Path, nbs: Path) -> tuple[PurePosixPath | None, str] | None:
    "Where a link of a page leads: the source of a page (None: this one) and the anchor there. None: elsewhere."
    if path.startswith(BASE):
        name = path.removeprefix(BASE)
        suffix = '.md' if (nbs/name).with_suffix('.md').exists() else '.ipynb'
        return PurePosixPath(re.sub(r'\.html$', suffix, name)), anchor
    target = nbs/source.parent/path if path else nbs/source
    if path and not (path.endswith('.ipynb') and target.exists()):
        return None
    anchor = headings(target).get(loose(anchor), anchor)
    if not path:
        return None, anchor
    return page(PurePosixPath(posixpath.normpath((source.parent/path).as_posix()))), anchor


def relinked(text: str, source: Path, nbs: Path) -> str:
    "Links between notebooks and to the site's own address, as links between the pages' sources."
    def link(match: re.Match) -> str:
        found = link_target(match[1], match[2] or '', source, nbs)
        if not found:
            return match[0]
        target, anchor = found
        path = posixpath.relpath(str(target), source.parent.as_posix()) if target else ''
        return f"]({path}{'#' if anchor or not target else ''}{anchor})"
    return re.sub(r'\]\(([^)\s#]*)(?:#([^)\s]*))?\)', link, text)


def relink(nb, source: Path, nbs: Path) -> None:
    "The links of a notebook's text, and of the Markdown that its cells print."
    for cell in nb.cells:
        if cell.cell_type == 'markdown':
            cell.source = relinked(cell.source, source, nbs)
        for output in cell.get('outputs', []):
            data = output.get('data', {})
            if 'text/markdown' in data:
                data['text/markdown'] = relinked(''.join(data['text/markdown']), source, nbs)


# ---- citations

# Code is matched first, and left alone.
CITATION = re.compile(r'```.*?```|`[^`\n]*`|\[(-?@[\w:.-]+(?:\s*;\s*-?@[\w:.-]+)*)\]', re.S)


def references(nbs: Path) -> dict[str, tuple[str, str, str]]:
    "Key -> (authors and year, title, address) of the entries of references.bib."
    path = nbs/'references.bib'
    text = path.read_text(encoding='utf-8') if path.exists() else ''
    return read_references(text)


def cite(nb, entries: dict[str, tuple[str, str, str]], source: Path) -> None:
    """Citations `[@key; @other]` as names and years with links, and the works at the page's end.

    A page that has a list of references of its own gets no other: its citations lead to the works themselves.
    """
    texts = [cell for cell in nb.cells if cell.cell_type == 'markdown']
    own_list = any(re.search(r'^#+ References$', cell.source, re.M) for cell in texts)
    used = set()

    def link(match: re.Match) -> str:
        if match[1] is None:
            return match[0]
        links = []
        for short, key in re.findall(r'(-?)@([\w:.-]*\w)', match[1]):  # `-@key` is the year alone
            if key not in entries:
                raise NotBuilt(f'nbs/{source}: {key} is cited, but references.bib has no such entry')
            used.add(key)
            who, _, address = entries[key]
            links.append(f"[{who.split()[-1] if short else who}]({address if own_list else f'#ref-{key}'})")
        return f"({'; '.join(links)})"

    for cell in texts:
        cell.source = CITATION.sub(link, cell.source)
    if used and not own_list:
        add(nb, '\n'.join(['## References\n', *(reference_line(key, *entries[key]) for key in sorted(used))]))


def reference_line(key: str, who: str, title: str, address: str) -> str:
    "A work in the list at the end of a page."
    return f'- []{{#ref-{key}}}{who}. ' + (f'[{title}]({address}).' if address else f'{title}.')


# ---- figures and outputs

DRAWS = re.compile(r'^(show|draw|plot|log|hist|bar|scatter|imshow|step|fill|heat|ladder|gallery|compare)')


def called(node: ast.AST) -> set[str]:
    "The names of the functions that a piece of code calls."
    calls = [n.func for n in ast.walk(node) if isinstance(n, ast.Call)]
    return {getattr(function, 'attr', getattr(function, 'id', '')) for function in calls}


KINDS = {  # the beginning of a drawing function's name -> what comes out of it
    'show_image': 'picture', 'imshow': 'picture', 'hist': 'histogram', 'bar': 'bars', 'scatter': 'points',
    'heat': 'map of numbers', 'show_map': 'map of numbers', 'ladder': 'ladder of times', 'compare': 'comparison',
    'gallery': 'gallery of pictures', 'log': 'lines on logarithmic axes', 'plot': 'lines',
}


def spoken(node: ast.AST) -> str:
    "A text of the code as words; what is filled in when it runs is left out."
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ''
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    return re.sub(r'[\s,:]+$', '', ' '.join(spoken(part).strip() for part in parts))


def titles(node: ast.AST) -> list[str]:
    "The titles that a piece of code gives to its pictures: the longest list of texts in a call."
    lists = [[spoken(item) for item in n.elts] for n in ast.walk(node) if isinstance(n, ast.List)]
    return max((found for found in lists if found and all(found)), key=len, default=[])


def drawing(code: str) -> str:
    "What a cell draws, in words: its axes' labels, else the titles of its pictures, else their kind."
    found = re.findall(r"""\b(?:set_)?([xy]label)\s*[=(]\s*(["'])(.+?)\2""", code)
    labels = {name: text for name, _, text in found}
    if len(labels) == 2:
        return f"{labels['ylabel']} against {labels['xlabel']}"
    try:
        body = ast.parse(re.sub(r'^[%!].*$', '', code, flags=re.M)).body
    except SyntaxError:
        return ''
    statements = [node for node in body if isinstance(node, (ast.Expr, ast.Assign, ast.For))]
    drawn = [node for node in statements if any(DRAWS.match(name) for name in called(node))]
    if not drawn:
        return ''
    if words := titles(drawn[-1]):
        count = f'{len(words)} pictures' if len(words) > 1 else 'picture'
        return textwrap.shorten(f"{count}: {'; '.join(words)}", 240, placeholder=' ...')
    names = [name for name in called(drawn[-1]) if DRAWS.match(name)]
    kinds = [words for beginning, words in KINDS.items() for name in names if name.startswith(beginning)]
    return kinds[0] if kinds else ''


def has_picture(cell) -> bool:
    "Whether a picture is among a cell's outputs."
    return any(mime.startswith('image/') for output in cell.get('outputs', []) for mime in output.get('data', {}))


def written_alt(code: str) -> str:
    "What a cell's own line `#| fig-alt: \"text\"` says of its picture; '' if it has none. `ValueError`: none is read."
    line = re.search(r'^#\|\s*(fig-alt:.*)$', code, re.M)
    if not line:
        return ''
    try:
        text = yaml.safe_load(line[1])['fig-alt']
    except yaml.YAMLError:
        text = None
    if not (isinstance(text, str) and text.strip()):
        raise ValueError(f'expected fig-alt: "a text", got {line[1]}')
    return text


def describe_figures(nb) -> None:
    "An alternative text for each figure whose cell has no `fig-alt`: the section, and what is drawn."
    section = nb.frontmatter_.get('title', '')
    for cell in nb.cells:
        if cell.cell_type == 'markdown':
            section = [section, *HEADING.findall(cell.source)][-1]
        elif has_picture(cell) and not written_alt(cell.source):
            title = plain(re.sub(r' *\{#.*\}$', '', section))
            end = '' if re.search(r'[.?!]$', title) else '.'
            words = ' '.join(part for part in (f'{title}{end}', drawing(cell.source)) if part)
            cell.source = f'#| fig-alt: {json.dumps(f"Figure: {words}", ensure_ascii=False)}\n{cell.source}'


def keep_scripts(nb) -> None:
    "JavaScript outputs as HTML: smalldocs shows HTML, and drops `application/javascript`."
    for cell in nb.cells:
        for output in cell.get('outputs', []):
            data = output.get('data', {})
            script = data.get('application/javascript')
            if script and 'text/html' not in data:
                data['text/html'] = f"<script>{''.join(script)}</script>"


def join_streams(nb) -> None:
    "What a cell prints as one output, however many times it was flushed."
    for cell in nb.cells:
        joined = []
        for output in cell.get('outputs', []):
            last = joined[-1] if joined else {}
            if output.output_type == 'stream' == last.get('output_type') and output.name == last['name']:
                last['text'] = ''.join(last['text']) + ''.join(output.text)
            else:
                joined.append(output)
        if joined:
            cell.outputs = joined


# ---- top of a page

def title_of(nb, source: Path) -> str:
    "The page's title without signs and number."
    for cell in nb.cells:
        if cell.cell_type == 'markdown' and cell.source.startswith('# '):
            return re.sub(r'^\d+\.?\s+', '', plain(cell.source.splitlines()[0][2:]))
    raise NotBuilt(f'nbs/{source}: no cell begins with a heading `# Title`')


def keep_opening(nb) -> None:
    """What follows title, `> description` and `- key: value` in the title's cell moves to a cell of its own.

    nbdev makes the whole cell of the title into front matter.
    """
    cell = next(cell for cell in nb.cells if cell.cell_type == 'markdown' and cell.source.startswith('# '))
    head = re.match(r'# .*(?:\s*\n> .*)*(?:\s*\n- \w+: .*)*', cell.source)[0]
    rest = cell.source[len(head):].strip()
    cell.set_source(head)
    if rest:
        add(nb, rest, nb.cells.index(cell) + 1)
    for i, cell in enumerate(nb.cells):
        cell.idx_ = i


def link_lesson(nb, source: Path) -> None:
    "Lesson number, Colab, the notebook itself: a line under the title."
    file = f"blob/{settings['branch']}/nbs/{source.as_posix()}"
    links = []
    if lesson(source):
        links.append(f'[Lesson {lesson(source)}]{{.lesson-number}}')
        colab = f"https://colab.research.google.com/github/{settings['user']}/{settings['repo']}"
        links.append(f'[Open in Colab]({colab}/{file})')
    links.append(f"[View source]({settings['git_url']}/{file})")
    links.append(f"[Download]({settings['git_url']}/raw/{settings['branch']}/nbs/{source.as_posix()})")
    add(nb, f"::: {{.lesson-links}}\n{' '.join(links)}\n:::", 1)
