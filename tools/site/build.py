"""Builds the documentation site from nbs/: `make docs`, or `python -m tools.site.build` at the project's root.

Three steps. *Prepare*: nbdev's processors turn each notebook into the source of a page, with the documentation of every
exported name; links, citations, alternative texts, the lesson's buttons and the sidebar are added. *Render*: by Quarto
where it is on the PATH, else by smalldocs, which reads the same `_quarto.yml` and names pages and anchors alike.
*Finish*: what a builder would take from the network is left out, and smalldocs' formulas become MathML, as Quarto's.
"""
import argparse
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from tools.settings import ROOT, settings
from tools.site import pages, reference
from tools.site.pages import NotBuilt, lesson, page

os.environ.setdefault('MPLBACKEND', 'agg')


# ---- prepare

def prepare_notebook(source: Path, nbs: Path, folder: Path, process: Callable, names: dict, works: dict) -> str:
    "Write the source of one notebook's page; its title is given back."
    from execnb.nbio import read_nb, write_nb
    nb = read_nb(nbs/source)
    title = pages.title_of(nb, source)
    pages.keep_opening(nb)
    process(nb)
    pages.relink(nb, source, nbs)
    reference.link_names(nb, names, source)
    reference.arrange_reference(nb, source)
    pages.describe_figures(nb)
    pages.keep_scripts(nb)
    pages.join_streams(nb)
    if source.stem != 'index':
        pages.link_lesson(nb, source)
    pages.cite(nb, works, source)
    (folder/page(source)).parent.mkdir(parents=True, exist_ok=True)
    write_nb(nb, folder/page(source))
    return title


def copy_page(source: Path, nbs: Path, folder: Path) -> str:
    "A page that is written by hand stays as it is; its title is given back."
    text = (nbs/source).read_text(encoding='utf-8')
    (folder/source).parent.mkdir(parents=True, exist_ok=True)
    (folder/source).write_text(text, encoding='utf-8')
    found = re.search(r'^title:\s*["\']?(.+?)["\']?\s*$', text, re.M)
    return found[1] if found else source.stem


def copy_rest(nbs: Path, folder: Path) -> None:
    "Pictures, styles and the bibliography."
    for path in nbs.rglob('*'):
        name = path.relative_to(nbs)
        hidden = any(part[0] in '._' for part in name.parts)
        if path.is_file() and not hidden and path.suffix not in ('.ipynb', '.qmd', '.yml'):
            (folder/name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder/name)
    shutil.copy(nbs/'_quarto.yml', folder)


def prepare(nbs: Path, folder: Path) -> dict[Path, str]:
    "The sources of all pages in an empty folder -> {source: title}. Every notebook that fails is named."
    process, names, works = reference.processors(), reference.known_names(nbs), pages.references(nbs)
    titles, faults = {}, []
    for source in pages.sources(nbs):
        try:
            if source.suffix == '.ipynb':
                titles[source] = prepare_notebook(source, nbs, folder, process, names, works)
            else:
                titles[source] = copy_page(source, nbs, folder)
        except NotBuilt as fault:
            faults.append(str(fault))
        except Exception as fault:
            cause = fault.__cause__ or fault
            faults.append(f'nbs/{source.as_posix()}: {type(cause).__name__}: {cause}')
    if faults:
        raise NotBuilt('\n'.join(faults))
    copy_rest(nbs, folder)
    return titles


# ---- the way through the site

FOLDERS = {'helpers': 'Reference', 'posts': 'Write-ups'}  # folder -> its name in the sidebar


def entry(source: Path, title: str) -> dict[str, str]:
    "A page in the sidebar."
    return dict(href=page(source).as_posix(), text=f'{lesson(source)}. {title}' if lesson(source) else title)


def folder_section(name: str, titles: dict[Path, str]) -> dict:
    "The pages of one folder in the sidebar; its index is what the folder's name leads to."
    section = dict(section=FOLDERS.get(name, name.capitalize()))
    inside = [source for source in titles if len(source.parts) > 1 and source.parts[0] == name]
    if inside[0].stem == 'index':
        section['href'] = page(inside.pop(0)).as_posix()
    section['contents'] = [entry(source, titles[source]) for source in inside]
    if name == 'helpers':
        section['contents'].insert(0, dict(href='reference.md', text='All names'))
    return section


def sidebar(titles: dict[Path, str]) -> list[dict]:
    "Home, the lessons in order, other pages, then folder by folder; the page of all names stands by the helpers."
    top = [source for source in titles if len(source.parts) == 1]
    lessons = [entry(source, titles[source]) for source in top if lesson(source)]
    others = [entry(source, titles[source]) for source in top if not lesson(source) and source.stem != 'index']
    folders = dict.fromkeys(source.parts[0] for source in titles if len(source.parts) > 1)
    contents = [dict(href='index.ipynb', text='Home'), dict(section='Lessons', contents=lessons), *others]
    if 'helpers' not in folders:
        contents.insert(0, dict(href='reference.md', text='All names'))
    return contents + [folder_section(name, titles) for name in folders]


def write_navigation(folder: Path, titles: dict[Path, str]) -> None:
    "nbdev.yml and sidebar.yml, which `_quarto.yml` includes: names and addresses from settings.ini, the lessons."
    import yaml
    website = {
        'title': settings['title'],
        'description': settings['description'],
        'site-url': pages.BASE.rstrip('/'),
        'repo-url': settings['git_url'],
        'repo-branch': settings['branch'],
    }
    written = {
        'nbdev.yml': dict(project={'output-dir': '_docs'}, website=website),
        'sidebar.yml': dict(website=dict(sidebar=dict(contents=sidebar(titles)))),
    }
    for name, data in written.items():
        (folder/name).write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding='utf-8')


# ---- render and finish

def render_quarto(folder: Path) -> None:
    "Have Quarto make the pages."
    done = subprocess.run(['quarto', 'render', '--no-cache', '--no-execute'], cwd=folder)
    if done.returncode:
        raise NotBuilt(f'quarto render ended with {done.returncode}')


def render_smalldocs(folder: Path) -> None:
    "Have smalldocs make the pages; their formulas are made here."
    from smalldocs.site import build
    for source, href in build(folder, quiet=True).broken:
        print(f'warning: {source}: the link {href} leads nowhere', file=sys.stderr)
    for path in (folder/'_docs').rglob('*.html'):
        text = path.read_text(encoding='utf-8')
        path.write_text(with_formulas(text, path.relative_to(folder/'_docs')), encoding='utf-8')


def with_formulas(text: str, name: Path) -> str:
    "A page of smalldocs with its formulas as MathML."
    from math_core import LatexError, LatexToMathML
    converter = LatexToMathML(fancy_error=False)

    def formula(match: re.Match) -> str:
        kind, latex = match[1], html.unescape(match[2])
        try:
            math = converter.convert_with_local_state(latex, displaystyle=kind == 'display')
        except LatexError as fault:
            raise NotBuilt(f'{name}: the formula {latex} has an error: {fault}') from None
        return f'<span class="math {kind}">{math}</span>'

    return re.sub(r'<span class="math (inline|display)">\\[(\[](.*?)\\[)\]]</span>', formula, text, flags=re.S)


NETWORK = [re.compile(pattern) for pattern in (
    r'<script\b[^>]*\ssrc="(?:https?:)?//[^>]*>\s*</script>\s*',
    r'<link\b(?=[^>]*\srel="(?:stylesheet|preload|preconnect)")[^>]*\shref="(?:https?:)?//[^>]*>\s*',
    r'<script\b[^>]*>[^<]*\bkatex\b[^<]*</script>\s*',
    r"<script\b[^>]*>\s*define\('jquery'[^<]*</script>\s*",
)]


def without_network(text: str) -> str:
    """A page without scripts and styles from the network.

    Formulas are MathML and need no KaTeX; and Quarto brings RequireJS and jQuery from a CDN to every page with an HTML
    output, since some outputs want them. Ours do not.
    """
    for pattern in NETWORK:
        text = pattern.sub('', text)
    return text


def without_web_fonts(text: str) -> str:
    "A theme's stylesheet without the fonts from the network; the system's own come next in its lists."
    return re.sub(r"""@import\s*(?:url\(\s*["']?https?:[^)]*\)|"https?:[^"]*"|'https?:[^']*')[^;]*;""", '', text)


def finish(site: Path) -> None:
    "Whoever built the pages: they take nothing from the network."
    for suffix, change in ('html', without_network), ('css', without_web_fonts):
        for path in site.rglob(f'*.{suffix}'):
            path.write_text(change(path.read_text(encoding='utf-8')), encoding='utf-8')


def check_pages(folder: Path, titles: dict[Path, str]) -> None:
    "Every source has its page, and there is no page but these and the list of names."
    built = {path.relative_to(folder).as_posix() for path in folder.rglob('*.html')}
    wanted = {page(source).with_suffix('.html').as_posix(): source for source in titles} | {'reference.html': None}
    missing = [f'nbs/{source}: no page {name} was built' for name, source in wanted.items() if name not in built]
    stray = [f'{name}: no notebook makes this page' for name in sorted(built - wanted.keys() - {'404.html'})]
    if missing or stray:
        raise NotBuilt('\n'.join(missing + stray))


def replace(built: Path, out: Path) -> None:
    "Put the built site where it belongs; a folder that holds something else stays."
    if out.exists() and any(out.iterdir()) and not (out/'search.json').exists():
        raise NotBuilt(f'{out} holds something that is not a built site: name another folder, or empty it')
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(built, out)


def build_site(out: Path, nbs: Path = ROOT/'nbs', builder: str | None = None) -> dict[Path, str]:
    "Build the site of the notebooks into the folder -> {source: title} of its pages."
    render = dict(quarto=render_quarto, smalldocs=render_smalldocs)
    builder = builder or ('quarto' if shutil.which('quarto') else 'smalldocs')
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        titles = prepare(nbs, folder)
        reference.write_reference(folder, titles, nbs)
        write_navigation(folder, titles)
        render[builder](folder)
        finish(folder/'_docs')
        check_pages(folder/'_docs', titles)
        replace(folder/'_docs', out)
    return titles


def main() -> int:
    "The command; 1 if there is no site."
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=ROOT/'_docs', help='folder of the site (default: _docs)')
    parser.add_argument('--nbs', type=Path, default=ROOT/'nbs', help='folder of the notebooks (default: nbs)')
    parser.add_argument('--with', dest='builder', choices=['quarto', 'smalldocs'],
                        help='default: quarto where it is on the PATH')
    args = parser.parse_args()
    os.chdir(ROOT)  # nbdev looks for settings.ini from here
    try:
        titles = build_site(args.out.resolve(), args.nbs.resolve(), args.builder)
    except NotBuilt as fault:
        print(f'The site was not built.\n{fault}', file=sys.stderr)
        return 1
    print(f'{len(titles) + 1} pages in {args.out}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
