"""Builds the documentation site from nbs/: `make docs`, or `python -m tools.site.build` at the project's root.

Three steps. *Prepare*: nbdev's processors turn each notebook into the source of a page, with the documentation of every
exported name; links, citations, alternative texts, the lesson's buttons and the sidebar are added. *Render*: smalldocs
reads `_quarto.yml` and makes the pages. *Finish*: formulas become MathML, and `finish` does the rest.
"""
import argparse
import html
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from tools.settings import ROOT, settings
from tools.site import home, live, pages, reference, social
from tools.site.finish import MISSING, Page, finish
from tools.site.pages import NotBuilt, lesson, page


# ---- prepare

def prepare_notebook(source: Path, nbs: Path, folder: Path, process: Callable, names: dict, works: dict,
                     shown: live.Shown) -> str:
    "Write the source of one notebook's page; its title is given back."
    from execnb.nbio import read_nb, write_nb
    nb = read_nb(nbs/source)
    title = pages.title_of(nb, source)
    pages.keep_opening(nb)
    process(nb)
    live.arrange(nb, shown)
    pages.relink(nb, source, nbs)
    reference.link_names(nb, names, source)
    reference.arrange_reference(nb, source)
    pages.describe_figures(nb)
    pages.keep_scripts(nb)
    pages.join_streams(nb)
    if source == Path('index.ipynb'):
        home.arrange(nb, nbs)
    elif source.stem != 'index':
        pages.link_lesson(nb, source)
    pages.cite(nb, works, source)
    (folder/page(source)).parent.mkdir(parents=True, exist_ok=True)
    write_nb(nb, folder/page(source))
    return title


def copy_page(source: Path, nbs: Path, folder: Path) -> str:
    "A page that is written by hand stays as it is, but for its links to notebooks; its title is given back."
    text = (nbs/source).read_text(encoding='utf-8')
    (folder/source).parent.mkdir(parents=True, exist_ok=True)
    (folder/source).write_text(pages.relinked(text, source, nbs), encoding='utf-8')
    found = re.search(r'^title:\s*["\']?(.+?)["\']?\s*$', text, re.M)
    return found[1] if found else source.stem


def copy_rest(nbs: Path, folder: Path) -> None:
    "Pictures, styles and the bibliography."
    for path in nbs.rglob('*'):
        name = path.relative_to(nbs)
        hidden = any(part[0] in '._' for part in name.parts)
        if path.is_file() and not hidden and path.suffix not in (*pages.SUFFIXES, '.yml'):
            (folder/name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder/name)
    shutil.copy(nbs/'_quarto.yml', folder)


def prepare(nbs: Path, folder: Path, shown: live.Shown) -> dict[Path, str]:
    "The sources of all pages in an empty folder -> {source: title}. Every notebook that fails is named."
    process, names, works = reference.processors(), reference.known_names(nbs), pages.references(nbs)
    titles, faults = {}, []
    for source in pages.sources(nbs):
        try:
            if source.suffix == '.ipynb':
                titles[source] = prepare_notebook(source, nbs, folder, process, names, works, shown)
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

def render(folder: Path) -> None:
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


def built_pages(titles: dict[Path, str], nbs: Path, rows: list[dict[str, str]]) -> list[Page]:
    "What `finish` needs to know of each page."
    pictures = {row['page'] for row in rows}
    modules = [module for source in titles if (module := reference.exported(nbs/source))]
    names = {name for module in modules for node in reference.public(module) for name in reference.spoken(module, node)}
    found = [Page('reference.html', None, names=names), Page('404.html', None)]
    for source in titles:
        name = page(source).with_suffix('.html')
        found.append(Page(name.as_posix(), source, name.stem if name.stem in pictures and lesson(source) else 'index'))
    return found


def build_site(out: Path, nbs: Path = ROOT/'nbs', with_model: bool = True) -> dict[Path, str]:
    "Build the site of the notebooks into the folder -> {source: title} of its pages."
    with tempfile.TemporaryDirectory() as name:
        folder, model = Path(name).resolve()/'source', Path(name).resolve()/'live'
        shown = live.prepare(nbs, model, with_model)
        titles = prepare(nbs, folder, shown)
        reference.write_reference(folder, titles, nbs)
        write_navigation(folder, titles)
        (folder/'404.md').write_text(MISSING, encoding='utf-8')
        render(folder)
        rows = home.lessons(nbs)
        finish(folder/'_docs', built_pages(titles, nbs, rows))
        home.show_hero(folder/'_docs', rows, shown)
        if model.exists():
            shutil.move(model, folder/'_docs'/'live')
        social.write(nbs, folder/'_docs', rows, home.CARDS)
        check_pages(folder/'_docs', titles)
        replace(folder/'_docs', out)
    return titles


def main() -> int:
    "The command; 1 if there is no site."
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=ROOT/'_docs', help='folder of the site (default: _docs)')
    parser.add_argument('--nbs', type=Path, default=ROOT/'nbs', help='folder of the notebooks (default: nbs)')
    parser.add_argument('--with', choices=['smalldocs'], help='the only builder, and the default')
    parser.add_argument('--without-model', action='store_true', help='leave the live part out, and say so in its page')
    args = parser.parse_args()
    os.environ.setdefault('MPLBACKEND', 'agg')
    os.chdir(ROOT)  # nbdev looks for settings.ini from here
    try:
        titles = build_site(args.out.resolve(), args.nbs.resolve(), not args.without_model)
    except NotBuilt as fault:
        print(f'The site was not built.\n{fault}', file=sys.stderr)
        return 1
    print(f'{len(titles) + 1} pages in {args.out}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
