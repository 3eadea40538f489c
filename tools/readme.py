"""Writes README.md from nbs/index.ipynb, and the pictures that its cells show to nbs/images/: `make readme`.

Left out: hidden cells, `#|` lines and front matter. tests/test_readme.py holds that what is committed is what this makes.
"""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HIDDEN = re.compile(r'^\s*#\s*\|\s*(hide|exporti?|default_exp|include:\s*false)\b', re.M)
DIRECTIVE = re.compile(r'^\s*#\s*\|.*\n?', re.M)
RELATIVE = re.compile(r'\]\((?!\w+:|#|/)([^)]+)\)')  # a link or picture beside the notebook


def without_directives(nb):
    "The notebook as a reader should see it."
    nb.cells = [c for c in nb.cells if c.cell_type != 'raw' and not (c.cell_type == 'code' and HIDDEN.search(c.source))]
    for cell in nb.cells:
        if cell.cell_type == 'code': cell.source = DIRECTIVE.sub('', cell.source)
    nb.metadata['language_info'] = {'name': 'python'}  # nbdev_clean took it; the code fences name it
    return nb


def make_readme(notebook=ROOT/'nbs'/'index.ipynb'):
    "A notebook -> (markdown, dict of picture name in nbs/images -> bytes)."
    import nbformat
    from nbconvert import MarkdownExporter
    nb = without_directives(nbformat.read(notebook, as_version=4))
    text, resources = MarkdownExporter().from_notebook_node(nb, {'output_files_dir': 'images', 'unique_key': 'index'})
    pictures = {}
    for i, (path, data) in enumerate(sorted(resources.get('outputs', {}).items()), 1):
        name = f'index_{i}{Path(path).suffix}'
        text = text.replace(path, f'images/{name}')
        pictures[name] = data
    text = RELATIVE.sub(r'](nbs/\1)', text)
    text = re.sub(r'\n{3,}', '\n\n', text).strip() + '\n'
    header = '<!-- Made from nbs/index.ipynb by `make readme`: edit the notebook. -->\n\n'
    return header + text, pictures


if __name__ == '__main__':
    text, pictures = make_readme()
    (ROOT/'README.md').write_text(text, encoding='utf-8')
    for old in (ROOT/'nbs'/'images').glob('index_*'): old.unlink()
    for name, data in pictures.items(): (ROOT/'nbs'/'images'/name).write_bytes(data)
