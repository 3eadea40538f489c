"""Writes README.md from nbs/index.ipynb, and the pictures that its cells show to nbs/images/: `make readme`.

Left out: hidden cells, `#|` lines and front matter. What is committed is what this makes: tests/test_readme.py.
"""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT/'nbs'/'images'
HIDDEN = re.compile(r'^\s*#\s*\|\s*(hide|exporti?|default_exp|include:\s*false)\b', re.M)
DIRECTIVE = re.compile(r'^\s*#\s*\|.*\n?', re.M)
RELATIVE = re.compile(r'\]\((?!\w+:|#|/)([^)]+)\)')  # a link or picture beside the notebook
HEADER = '<!-- Made from nbs/index.ipynb by `make readme`: edit the notebook. -->'


def is_hidden(cell) -> bool:
    "Whether a reader of the page does not see the cell."
    return cell.cell_type == 'raw' or (cell.cell_type == 'code' and bool(HIDDEN.search(cell.source)))


def without_directives(nb):
    "The notebook as a reader should see it."
    nb.cells = [cell for cell in nb.cells if not is_hidden(cell)]
    for cell in nb.cells:
        if cell.cell_type == 'code':
            cell.source = DIRECTIVE.sub('', cell.source)
    nb.metadata['language_info'] = {'name': 'python'}  # nbdev_clean took it; the code fences name it
    return nb


def make_readme(notebook: Path = ROOT/'nbs'/'index.ipynb') -> tuple[str, dict[str, bytes]]:
    "A notebook -> (markdown, dict of picture name in nbs/images -> bytes)."
    import nbformat
    from nbconvert import MarkdownExporter
    nb = without_directives(nbformat.read(notebook, as_version=4))
    names = {'output_files_dir': 'images', 'unique_key': 'index'}
    text, resources = MarkdownExporter().from_notebook_node(nb, names)
    pictures = {}
    for i, (path, data) in enumerate(sorted(resources.get('outputs', {}).items()), 1):
        name = f'index_{i}{Path(path).suffix}'
        text = text.replace(path, f'images/{name}')
        pictures[name] = data
    text = RELATIVE.sub(r'](nbs/\1)', text)
    text = re.sub(r'\n{3,}', '\n\n', text).strip()
    return f'{HEADER}\n\n{text}\n', pictures


def main() -> None:
    "Write README.md, and its pictures in the place of the old ones."
    text, pictures = make_readme()
    (ROOT/'README.md').write_text(text, encoding='utf-8')
    for old in IMAGES.glob('index_*'):
        old.unlink()
    for name, data in pictures.items():
        (IMAGES/name).write_bytes(data)


if __name__ == '__main__':
    main()
