"""What is done to a page after smalldocs has made it.

Nothing is taken from the network, and no icon font and no library of scripts is needed. Every landmark has a name, and
every control is a button; tests are folded; a footer says version and licence; address and social picture are named.
The changes are replacements of text that smalldocs writes: each that must find its place says so when it does not.
"""
import html
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tools.settings import settings
from tools.site.pages import BASE, NotBuilt, lesson
from tools.site.pictures import with_lighter_files, with_lighter_pictures

THEME = Path(__file__).parent/'theme'


@dataclass
class Page:
    "A built page: its name from the site's root, `helpers/show.html`, and its source in nbs, if it has one."
    name: str
    source: Path | None
    social: str = 'index'  # the name of its social picture
    names: set[str] = field(default_factory=set)  # all public names of the package

    @property
    def root(self) -> str:
        "The way to the site's root: '' or '../'."
        return '../'*self.name.count('/')


def replaced(text: str, pattern: str, new: str | Callable, what: str, count: int = 1) -> str:
    "The text with a pattern replaced as often as it must be there; 0 stands for any number of times."
    text, found = re.subn(pattern, new if callable(new) else lambda _: new, text, flags=re.S)
    if count and found != count:
        raise NotBuilt(f'a page of smalldocs has {found} of {count} places for {what}')
    return text


# ---- nothing from the network

NETWORK = [re.compile(pattern) for pattern in (
    r'<script\b[^>]*\ssrc="(?:https?:)?//[^>]*>\s*</script>\s*',
    r'<link\b(?=[^>]*\srel="(?:stylesheet|preload|preconnect)")[^>]*\shref="(?:https?:)?//[^>]*>\s*',
)]


def without_network(text: str) -> str:
    "A page without scripts and styles from the network: formulas are MathML, and need no KaTeX."
    for pattern in NETWORK:
        text = pattern.sub('', text)
    return text


def without_web_fonts(text: str) -> str:
    "A theme's stylesheet without the fonts from the network; the system's own come next in its lists."
    return re.sub(r"""@import\s*(?:url\(\s*["']?https?:[^)]*\)|"https?:[^"]*"|'https?:[^']*')[^;]*;""", '', text)


# ---- the head

def with_head(text: str, page: Page) -> str:
    "Canonical address and social picture; no font of icons, and one script of ours instead of two libraries."
    picture = f'{BASE}images/social/{page.social}.png'
    text = re.sub(r'(<meta (?:property="og|name="twitter):image" content=")[^"]*', rf'\g<1>{picture}', text)
    text = re.sub(r'<link rel="stylesheet" href="[^"]*bootstrap-icons.min.css">', '', text)
    text = re.sub(r'<script src="[^"]*(?:fuse.min|bootstrap.bundle.min).js"></script>', '', text)
    more = f'<script src="{page.root}site_libs/site.js" defer></script>'
    if page.name != '404.html':
        more += f'<link rel="canonical" href="{BASE}{page.name}"><meta property="og:url" content="{BASE}{page.name}">'
    return replaced(text, '</head>', f'{more}</head>', 'the head')


# ---- landmarks and controls

NAMED = {  # the beginning of a tag -> the same with a name
    '<nav class="navbar ': '<nav aria-label="Site" class="navbar ',
    '<nav class="quarto-secondary-nav"': '<nav aria-label="Where you are" class="quarto-secondary-nav"',
    '<nav id="quarto-sidebar"': '<nav aria-label="All pages" id="quarto-sidebar"',
    '<nav id="TOC"': '<nav aria-labelledby="toc-title" id="TOC"',
    '<nav class="page-navigation"': '<nav aria-label="Previous and next page" class="page-navigation"',
    '<main ': '<main tabindex="-1" ',
}
SWITCH = ('<button type="button" class="quarto-color-scheme-toggle nav-link" title="Light or dark" '
          'aria-label="Light or dark" onclick="window.smalldocsToggleScheme()">'
          '<i class="bi" aria-hidden="true"></i></button>')
SEARCH = '''<div class="site-search" id="quarto-search" role="search" data-root="{root}">
<i class="bi bi-search" aria-hidden="true"></i>
<input type="search" placeholder="Search" aria-label="Search" autocomplete="off">
<div class="site-search-results" hidden></div><div class="visually-hidden" role="status"></div></div>'''


def with_controls(text: str, page: Page) -> str:
    "A link past the menus, names for landmarks, buttons for what is clicked, our search box."
    for place, named in NAMED.items():
        text = text.replace(place, named)
    text = replaced(text, r'<a class="quarto-color-scheme-toggle.*?</a>', SWITCH, 'the switch of themes')
    text = replaced(text, r'<div class="smalldocs-search".*?</div></div>', SEARCH.format(root=page.root), 'the search')
    text = re.sub(r'<i class="bi bi-([\w-]+)[^"]*"[^>]*>', r'<i class="bi bi-\1" aria-hidden="true">', text)
    text = re.sub(r'<button title="Copy to Clipboard" class="code-copy-button">',
                  '<button title="Copy to Clipboard" aria-label="Copy" class="code-copy-button">', text)
    text = with_folds(text)
    if page.name != '404.html':
        skip = '<a class="skip-link" href="#quarto-document-content">To the text</a>'
        text = replaced(text, '<body[^>]*>', lambda tag: tag[0] + skip, 'the body')
    return text


def with_folds(text: str) -> str:
    "The sections of the sidebar: a heading, and a button that folds."
    head = re.compile(r'<a class="sidebar-item-text sidebar-link text-start" [^>]*"navigation"[^>]*>(.*?)</a>', re.S)
    text = head.sub(r'<span class="sidebar-item-text sidebar-link">\1</span>', text)
    toggle = re.compile(r'(<span class="menu-text">([^<]*)</span></(?:a|span)>)<a class="(sidebar-item-toggle[^"]*)" '
                        r'([^>]*)role="navigation" ([^>]*)aria-label="Toggle section">(.*?)</a>', re.S)
    return toggle.sub(r'\1<button type="button" class="\3" \4\5aria-label="Fold \2">\6</button>', text)


# ---- sections

def section(text: str, name: str) -> tuple[int, int] | None:
    "Where a section of a page begins and ends, those inside of it included."
    start, depth = text.find(f'<section id="{name}" class="level2">'), 0
    if start < 0:
        return None
    for tag in re.compile(r'<section\b|</section>').finditer(text, start):
        depth += 1 if tag[0] != '</section>' else -1
        if depth == 0:
            return start, tag.end()
    raise NotBuilt(f'the section {name} does not end')


def with_folded_checks(text: str) -> str:
    "The section `Checks` behind its heading: tests that a reader of the lesson need not read."
    place = section(text, 'checks')
    if not place:
        return text
    def fold(parts: re.Match) -> str:
        head, title, rest, foot = parts.groups()
        title = title.replace('class="anchored"', 'class="anchored no-anchor"')  # a link in a summary is one too many
        return f'{head}<details class="checks"><summary>{title}</summary>{rest}</details>{foot}'
    start, end = place
    pattern = r'^(<section[^>]*>\s*)(<h2.*?</h2>)(.*)(</section>)$'
    return text[:start] + replaced(text[start:end], pattern, fold, 'Checks') + text[end:]


def with_short_contents(text: str, page: Page) -> str:
    "The contents at the side: level 2 alone outside the lessons; in a lesson no names, and nothing of its tests."
    found = re.search(r'<nav [^>]*id="TOC".*?</nav>', text, re.S)
    if not found:
        return text
    link = r'(<a href="#(?:reference|checks)"[^>]*>[^<]*</a>)' if page.source and lesson(page.source) else '(</a>)'
    short = re.sub(link + r'<ul>.*?</ul>(?=</li>)', r'\1', found[0], flags=re.S)
    return text[:found.start()] + short + text[found.end():]


# ---- the foot

def with_foot(text: str, page: Page) -> str:
    "Version, licence, and where to mend the page."
    git, branch = settings['git_url'], settings['branch']
    links = [f'<a href="{git}/issues/new">Report an issue</a>']
    if page.source:
        links.insert(0, f'<a href="{git}/edit/{branch}/nbs/{page.source.as_posix()}">Edit this page</a>')
    foot = (f'<footer class="site-footer"><span>{settings["title"]} {settings["version"]}</span>'
            f'<span><a href="{git}/blob/{branch}/LICENSE">Apache licence 2.0</a></span>'
            + ''.join(f'<span>{link}</span>' for link in links) + '</footer>')
    return replaced(text, '</body>', f'{foot}</body>', 'the footer')


# ---- a page that is not there

MISSING = '''---
title: This page is not here
description: The address leads nowhere.
search: false
toc: false
---

It may have been renamed. Look for it in the search above, or begin at the [home page](index.ipynb).
'''


def with_base(text: str) -> str:
    "The page for wrong addresses is shown at any of them: its links begin at the root of the site, or of a copy of it."
    root = settings['doc_baseurl'].rstrip('/') + '/'
    script = f"if (!location.pathname.startsWith('{root}')) document.querySelector('base').href = './'"
    return replaced(text, '<head>', f'<head><base href="{root}"><script>{script}</script>', 'the head')


# ---- the search

def ranked(entries: list[dict], lessons: set[str], names: set[str]) -> Iterator[dict]:
    "The entries of the search without tests; `api` marks a name of the package, `lesson` a lesson's own text."
    for entry in entries:
        page = entry['href'].partition('#')[0]
        if entry['section'] == 'Checks':
            continue
        is_name = entry['section'] in names or page == 'reference.html'
        kind = 'api' if is_name else 'lesson' if page in lessons else 'page'
        yield {key: entry[key] for key in ('href', 'title', 'section', 'text')} | {'kind': kind}


def write_search(site: Path, pages: list[Page]) -> None:
    "search.json for our box."
    path = site/'search.json'
    lessons = {page.name for page in pages if page.source and lesson(page.source)}
    names = set().union(*(page.names for page in pages))
    entries = list(ranked(json.loads(path.read_text(encoding='utf-8')), lessons, names))
    path.write_text(json.dumps(entries, ensure_ascii=False), encoding='utf-8')


# ---- all of it

def finish_page(text: str, page: Page) -> str:
    "One page as it is served."
    text = with_head(without_network(text), page)
    text = with_controls(text, page)
    text = with_short_contents(with_folded_checks(text), page)
    text = with_foot(text, page)
    return with_base(text) if page.name == '404.html' else text


def finish(site: Path, pages: list[Page]) -> None:
    "All pages of a built site, its styles, scripts and search."
    for page in pages:
        path = site/page.name
        text = finish_page(path.read_text(encoding='utf-8'), page)
        path.write_text(with_lighter_files(with_lighter_pictures(text), path.parent), encoding='utf-8')
    for path in site.rglob('*.css'):
        path.write_text(without_web_fonts(path.read_text(encoding='utf-8')), encoding='utf-8')
    for name in ('bootstrap', 'bootstrap-icons', 'fuse'):
        shutil.rmtree(site/'site_libs'/name, ignore_errors=True)
    shutil.copy(THEME/'site.js', site/'site_libs')
    write_search(site, pages)
    sitemap = site/'sitemap.xml'
    kept = re.sub(rf'\s*<url>\s*<loc>{re.escape(html.escape(BASE))}404\.html</loc>.*?</url>', '',
                  sitemap.read_text(encoding='utf-8'), flags=re.S)
    sitemap.write_text(kept, encoding='utf-8')
