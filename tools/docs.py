"""Builds the documentation site from nbs/: `make docs`.

Three steps. *Prepare*: nbdev's processors turn each notebook into the source of a page, with the documentation of every
exported name; links, citations, alternative texts, the lesson's buttons and the sidebar are added. *Render*: by Quarto where
it is on the PATH, else by smalldocs, which reads the same `_quarto.yml` and names pages and anchors alike. *Finish*: what a
builder would take from the network is left out, and smalldocs' formulas become MathML, as Quarto's are.

`nbdev_docs` would run imports and exported cells once more, in the wrong folder and without the cells between them; here
names are documented from the exported modules. A notebook whose imports fail is named, and there is no site.
"""
import argparse, ast, html, importlib, json, os, posixpath, re, shutil, subprocess, sys, tempfile, textwrap
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault('MPLBACKEND', 'agg')


class NotBuilt(Exception): "There is no site; the message says why, and which notebook it was."


def settings():
    from nbdev.config import get_config
    return get_config(path=ROOT)


# ---- pages

def sources(nbs):
    "The sources of pages in reading order: home, the numbered lessons, then folder by folder."
    found = [p.relative_to(nbs) for p in nbs.rglob('*') if p.suffix in ('.ipynb', '.qmd')]
    found = [p for p in found if not any(part.startswith(('_', '.')) for part in p.parts)]
    return sorted(found, key=lambda p: (len(p.parts), p.parts[:-1], p.stem != 'index', p.name))


def page(source):
    "nbdev's rule: `01_matmul.ipynb` becomes the page `matmul`."
    return source.with_name(re.sub(r'^\d+_', '', source.name))


def lesson(source):
    "`01_matmul.ipynb` -> 1; None for a page that is no lesson."
    found = re.match(r'(\d+)_', source.name) if len(source.parts) == 1 else None
    return int(found[1]) if found else None


# ---- prepare: what is written in the notebook

def plain(text):
    "Markdown of one line without its signs."
    return re.sub(r'[`*]|\[([^]]*)\]\([^)]*\)', lambda m: m[1] or '', text).strip()


def heading_id(title):
    "The id that Quarto, Pandoc and smalldocs give to a heading."
    kept = re.sub(r'[^\w\s.-]', '', plain(title).lower())
    return re.sub(r'^[^a-z]+', '', re.sub(r'\s+', '-', kept)) or 'section'


def loose(anchor): return re.sub(r'[^a-z0-9-]', '', anchor.lower().replace(' ', '-'))


def headings(source):
    "Loosely written anchor -> the heading's id: Jupyter's anchors keep capitals and digits, the site's do not."
    cells = json.loads(source.read_text(encoding='utf-8'))['cells'] if source.suffix == '.ipynb' else []
    text = '\n'.join(''.join(c['source']) for c in cells if c['cell_type'] == 'markdown')
    return {loose(title): heading_id(title) for title in re.findall(r'^#+ +(.+?)\s*$', text, re.M)}


def relinked(text, source, nbs, base):
    "Links between notebooks and to the site's own address, as links between the pages' sources."
    def link(match):
        path, anchor = match[1], match[2] or ''
        if path.startswith(base): target = PurePosixPath(re.sub(r'\.html$', '.ipynb', path.removeprefix(base)))
        else:
            found = (nbs/source.parent/path) if path else nbs/source
            if path and (not path.endswith('.ipynb') or not found.exists()): return match[0]
            anchor = headings(found).get(loose(anchor), anchor)
            if not path: return f'](#{anchor})'
            target = page(PurePosixPath(posixpath.normpath((source.parent/path).as_posix())))
        return f"]({posixpath.relpath(str(target), source.parent.as_posix())}{'#' if anchor else ''}{anchor})"
    return re.sub(r'\]\(([^)\s#]*)(?:#([^)\s]*))?\)', link, text)


def references(nbs):
    "Key -> (authors and year, title, address) of the entries of references.bib."
    path, entries = nbs/'references.bib', {}
    for key, body in re.findall(r'@\w+\{([^,\s]+),(.*?)\n\}', path.read_text(encoding='utf-8') if path.exists() else '', re.S):
        field = {name.lower(): re.sub(r'[{}]', '', value) for name, value in re.findall(r'(\w+)\s*=\s*\{(.*?)\},?\s*$', body, re.M | re.S)}
        names = [a.split(',')[0].strip() for a in field.get('author', key).split(' and ')]
        who = names[0] if len(names) == 1 else ' and '.join(names) if len(names) == 2 else f'{names[0]} et al.'
        address = field.get('url') or (f"https://doi.org/{field['doi']}" if 'doi' in field else '')
        entries[key] = f"{who} {field.get('year', '')}".strip(), field.get('title', key), address
    return entries


def cited(nb, entries, source):
    "Citations `[@key; @other]` as names and years with links, and the works at the page's end, the same with both builders."
    used, own_list = [], any(re.search(r'^#+ References$', c.source, re.M) for c in nb.cells if c.cell_type == 'markdown')
    def cite(match):
        keys = re.findall(r'(-?)@([\w:.-]*\w)', match[1])           # `-@key` is the year alone
        unknown = [k for _, k in keys if k not in entries]
        if unknown: raise NotBuilt(f'nbs/{source}: {unknown[0]} is cited, but references.bib has no such entry')
        used.extend(k for _, k in keys if k not in used)
        name = lambda short, who: who.split()[-1] if short else who
        return '(' + '; '.join(f'[{name(short, entries[k][0])}]({entries[k][2] if own_list else f"#ref-{k}"})' for short, k in keys) + ')'
    for cell in nb.cells:
        if cell.cell_type == 'markdown': cell.source = re.sub(r'\[(-?@[\w:.-]+(?:\s*;\s*-?@[\w:.-]+)*)\]', cite, cell.source)
    lines = [f'- []{{#ref-{k}}}{who}. ' + (f'[{title}]({address}).' if address else f'{title}.')
             for k, (who, title, address) in ((k, entries[k]) for k in sorted(used))]
    if lines and not own_list: add(nb, '## References\n\n' + '\n'.join(lines))


def add(nb, text, place=None):
    "Put a Markdown cell into the notebook, at the end if no place is named."
    from execnb.nbio import mk_cell
    cell = mk_cell(text, 'markdown')
    nb.cells.append(cell) if place is None else nb.cells.insert(place, cell)


# ---- prepare: the documentation of a name, read from the module's source

def exported(source):
    "The module that a notebook exports: `lessonlib.matmul`, or None."
    cells = json.loads(source.read_text(encoding='utf-8'))['cells'] if source.suffix == '.ipynb' else []
    found = re.search(r'^#\s*\|\s*default_exp\s+(\S+)', '\n'.join(''.join(c['source']) for c in cells if c['cell_type'] == 'code'), re.M)
    return f'{settings().lib_name}.{found[1]}' if found else None


def is_patch(node): return any(ast.unparse(d).startswith('patch') for d in node.decorator_list)


def definition(tree, name):
    "The node of a function or class by its name; of `Class.method` also where `patch` adds the method from outside."
    owner, _, last = name.rpartition('.')
    inside = next((n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == owner), []) if owner else tree.body
    kinds = ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef
    patched = [n for n in tree.body if owner and isinstance(n, kinds[:2]) and is_patch(n) and ast.unparse(n.args.args[0].annotation) == owner]
    return next((n for n in [*inside, *patched] if isinstance(n, kinds) and n.name == last), None)


def signature(node, lines):
    "A definition as it is written, with the comment of each parameter and without decorators, docstring and body."
    if isinstance(node, ast.ClassDef):
        fields = [n for n in node.body if isinstance(n, ast.AnnAssign)]
        start = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == '__init__'), None)
        rest = lines[fields[0].lineno - 1:fields[-1].end_lineno] if fields else signature(start, lines) if start else []
        return [lines[node.lineno - 1].split(': ')[0].rstrip(':') + ':', *rest]
    body = node.body[0]
    if body.lineno == node.lineno: return [lines[node.lineno - 1][:body.col_offset].rstrip()]
    return lines[node.lineno - 1:body.lineno - 1]


def docstring(node):
    "A docstring as Markdown, in which `m*k*n` without backticks is no emphasis."
    pieces = (ast.get_docstring(node) or '').split('`')
    return '`'.join(re.sub(r'(?<=\w)([*])(?=\w)', r'\\\1', piece) if i % 2 == 0 else piece for i, piece in enumerate(pieces))


def documented(module, name, level=3):
    "Heading, link to the source, signature and docstring as Markdown; for a class its public methods too."
    path = Path(module.__file__)
    text = path.read_text(encoding='utf-8')
    lines, node = text.splitlines(), definition(ast.parse(text), name)
    if node is None: raise NotBuilt(f'{name} is not in {path.name}: run nbdev_export')
    config = settings()
    source = f'{config.git_url}/blob/{config.branch}/{path.relative_to(ROOT).as_posix()}#L{node.lineno}'
    code = textwrap.dedent('\n'.join(signature(node, lines)).rstrip())
    parts = [f"{'#'*level} {name} {{#{heading_id(name)}}}", f'[source]({source}){{.source-link}}', f'``` {{.python .code-overflow-wrap}}\n{code}\n```', docstring(node)]
    methods = [n.name for n in node.body if isinstance(n, ast.FunctionDef) and n.name[0] != '_' and ast.get_docstring(n)] if isinstance(node, ast.ClassDef) else []
    return '\n\n'.join(parts + [documented(module, f'{name}.{m}', level + 1) for m in methods])


# ---- prepare: nbdev's processors, and ours

def processors():
    "nbdev's processors; names are documented from the exported module, instead of from cells that are run again."
    from nbdev.processors import FilterDefaults, Processor, _is_showdoc, add_fold, exec_show_docs
    skipped = set(settings().tst_flags.split())

    class DocumentFromModule(Processor):
        def begin(self):
            name = exported(Path(self.nb.path_))
            self.module = importlib.import_module(name) if name else None

        def cell(self, cell):
            directives = getattr(cell, 'directives_', {})
            if cell.cell_type != 'code' or directives.keys() & skipped or directives.get('eval:', [''])[0].lower() == 'false': return
            if _is_showdoc(cell):
                name = re.search(r'^show_doc\(([\w.]+)', cell.source, re.M)[1]
                cell.update(cell_type='markdown', source=documented(self.module, name), documents=self.module.__name__)
            else:
                for node in cell.parsed_() or []:
                    if isinstance(node, (ast.Import, ast.ImportFrom)): exec(compile(ast.Module([node], []), 'import', 'exec'), {})

    class Pages(FilterDefaults):
        def base_procs(self): return [DocumentFromModule if p is exec_show_docs else p for p in super().base_procs() if p is not add_fold]

    return Pages()


def own_index():
    "nbdev finds the index of names by an entry point of the installed package; here it is this checkout's."
    from importlib.metadata import EntryPoint
    import nbdev.doclinks
    name, names_in = settings().lib_name, nbdev.doclinks._re_backticks
    nbdev.doclinks.entry_points = lambda group: [EntryPoint(name, f'{name}._modidx:d', group)]
    nbdev.doclinks._build_lookup_table.cache_clear()
    names = nbdev.doclinks._build_lookup_table(None, None, None)[1]  # a private name has no place to link to
    for name in [n for n in names if any(part.startswith('_') for part in n.split('.'))]: del names[name]
    def link_line(self, line):                                       # a name inside a link has its link already
        pieces = re.split(r'(\[[^]]*\]\([^)]*\))', line)
        return ''.join(piece if i % 2 else names_in.sub(self._link_sym, piece) for i, piece in enumerate(pieces))
    nbdev.doclinks.NbdevLookup.link_line = link_line


DRAWS = re.compile(r'^(show|draw|plot|log|hist|bar|scatter|imshow|step|fill|heat|ladder|gallery|compare)')


def drawing(code):
    "What a cell draws, in words: its axes' labels, else the call that draws."
    labels = {name: text for name, _, text in re.findall(r"""\b(?:set_)?([xy]label)\s*[=(]\s*(["'])(.+?)\2""", code)}
    if len(labels) == 2: return f"{labels['ylabel']} against {labels['xlabel']}"
    try: body = ast.parse(re.sub(r'^[%!].*$', '', code, flags=re.M)).body
    except SyntaxError: return ''
    called = lambda node: {getattr(n.func, 'attr', getattr(n.func, 'id', '')) for n in ast.walk(node) if isinstance(n, ast.Call)}
    shown = [n for n in body if isinstance(n, (ast.Expr, ast.Assign, ast.For)) and any(DRAWS.match(name) for name in called(n))]
    return f"drawn by {textwrap.shorten(ast.unparse(shown[-1]), 120, placeholder=' ...')}" if shown else ''


def describe_figures(nb):
    "An alternative text for each figure whose cell has no `fig-alt`: the section, and what is drawn."
    section = nb.frontmatter_.get('title', '')
    for cell in nb.cells:
        if cell.cell_type == 'markdown': section = ([section] + re.findall(r'^#+ +(.+?)\s*$', cell.source, re.M))[-1]
        elif any(mime.startswith('image/') for o in cell.get('outputs', []) for mime in o.get('data', {})) and 'fig-alt' not in cell.source:
            words = ', '.join(part for part in (plain(re.sub(r' *\{#.*\}$', '', section)), drawing(cell.source)) if part)
            cell.source = f'#| fig-alt: {json.dumps(f"Figure: {words}", ensure_ascii=False)}\n{cell.source}'


def keep_scripts(nb):
    "JavaScript outputs as HTML: smalldocs shows HTML, and drops `application/javascript`."
    for output in (o for cell in nb.cells for o in cell.get('outputs', [])):
        data = output.get('data', {})
        script = data.get('application/javascript')
        if script and 'text/html' not in data: data['text/html'] = f"<script>{''.join(script)}</script>"


def join_streams(nb):
    "What a cell prints as one output, however many times it was flushed."
    for cell in nb.cells:
        joined = []
        for output in cell.get('outputs', []):
            last = joined[-1] if joined else {}
            if output.output_type == 'stream' == last.get('output_type') and output.name == last['name']:
                last['text'] = ''.join(last['text']) + ''.join(output.text)
            else: joined.append(output)
        if joined: cell.outputs = joined


def lesson_links(nb, source):
    "Lesson number, Colab, the notebook itself: a line under the title."
    config = settings()
    path = f'{config.user}/{config.repo}/blob/{config.branch}/nbs/{source.as_posix()}'
    raw = f'{config.git_url}/raw/{config.branch}/nbs/{source.as_posix()}'
    number = f'[Lesson {lesson(source)}]{{.lesson-number}} [Open in Colab](https://colab.research.google.com/github/{path}) ' if lesson(source) else ''
    add(nb, f'::: {{.lesson-links}}\n{number}[View source]({config.git_url}/blob/{config.branch}/nbs/{source.as_posix()}) [Download]({raw})\n:::', 1)


def arrange_reference(nb, source):
    "In a lesson the code is the text, and the documentation of its names stands at the end; elsewhere the code is folded below it."
    names = [c for c in nb.cells if 'documents' in c]
    if lesson(source) and names:
        nb.cells = [c for c in nb.cells if 'documents' not in c]
        add(nb, f'## Reference\n\nWhat `{names[0].documents}` exports.')
        nb.cells += names
    elif names:
        for cell in nb.cells:
            if 'exports' in getattr(cell, 'directives_', {}): cell.source = f'#| code-fold: true\n#| code-summary: Source\n{cell.source}'
    own_ids(nb.cells, names)
    for cell in names: del cell['documents']


def own_ids(cells, names):
    "Each id stands once on the page: a name keeps its own, and a section (or a second name, `Paired` after `paired`) gives way."
    seen = set()
    def rename(match):
        marks, title, given = match[1], match[2], match[3] or heading_id(match[2])
        if not match[3] and given not in taken: return match[0]
        new = given if match[3] and given not in seen else f'{given}-1' if match[3] else f'{given}-section'
        seen.add(new)
        return f'{marks} {title} {{#{new}}}'
    taken = {i for c in names for i in re.findall(r'^#+ .* \{#(.+)\}$', c.source, re.M)}
    for cell in cells:
        if cell.cell_type == 'markdown': cell.source = re.sub(r'^(#+) +(.+?)(?: \{#(.+)\})?$', rename, cell.source, flags=re.M)


def keep_opening(nb):
    "nbdev makes the whole cell of the title into front matter; what follows title, `> description` and `- key: value` moves to a cell of its own."
    cell = next(c for c in nb.cells if c.cell_type == 'markdown' and re.match(r'# ', c.source))
    head = re.match(r'# .*(?:\s*\n> .*)*(?:\s*\n- \w+: .*)*', cell.source)[0]
    rest = cell.source[len(head):].strip()
    cell.set_source(head)
    if rest: add(nb, rest, nb.cells.index(cell) + 1)
    for i, c in enumerate(nb.cells): c.idx_ = i


def prepare_notebook(source, nbs, folder, build):
    from execnb.nbio import read_nb, write_nb
    nb = read_nb(nbs/source)
    title = next((c.source.splitlines()[0] for c in nb.cells if c.cell_type == 'markdown' and c.source.startswith('# ')), None)
    if not title: raise NotBuilt(f'nbs/{source}: no cell begins with a heading `# Title`')
    keep_opening(nb)
    build['process'](nb)
    base = f'{settings().doc_host}{settings().doc_baseurl}/'
    for cell in nb.cells:
        if cell.cell_type == 'markdown': cell.source = relinked(cell.source, source, nbs, base)
        for data in (o['data'] for o in cell.get('outputs', []) if 'text/markdown' in o.get('data', {})):
            data['text/markdown'] = relinked(''.join(data['text/markdown']), source, nbs, base)
    arrange_reference(nb, source)
    describe_figures(nb)
    keep_scripts(nb)
    join_streams(nb)
    if source.stem != 'index': lesson_links(nb, source)
    cited(nb, build['references'], source)
    (folder/page(source)).parent.mkdir(parents=True, exist_ok=True)
    write_nb(nb, folder/page(source))
    return re.sub(r'^\d+\.?\s+', '', plain(title[2:]))


def prepare(nbs, folder):
    "The sources of all pages in an empty folder -> {source: title}. Every notebook that fails is named."
    own_index()
    build = dict(process=processors(), references=references(nbs))
    titles, faults = {}, []
    for source in sources(nbs):
        try: titles[source] = prepare_notebook(source, nbs, folder, build) if source.suffix == '.ipynb' else copy_page(source, nbs, folder)
        except NotBuilt as e: faults.append(str(e))
        except Exception as e:
            cause = e.__cause__ or e
            faults.append(f'nbs/{source.as_posix()}: {type(cause).__name__}: {cause}')
    if faults: raise NotBuilt('\n'.join(faults))
    for path in nbs.rglob('*'):  # pictures, styles, bibliography
        if path.is_file() and path.suffix not in ('.ipynb', '.qmd', '.yml') and not any(p[0] in '._' for p in path.relative_to(nbs).parts):
            (folder/path.relative_to(nbs)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder/path.relative_to(nbs))
    shutil.copy(nbs/'_quarto.yml', folder)
    return titles


def copy_page(source, nbs, folder):
    text = (nbs/source).read_text(encoding='utf-8')
    (folder/source).parent.mkdir(parents=True, exist_ok=True)
    (folder/source).write_text(text, encoding='utf-8')
    return (re.search(r'^title:\s*["\']?(.+?)["\']?\s*$', text, re.M) or [0, source.stem])[1]


# ---- prepare: what the site adds

def reference_page(folder, titles, nbs):
    "A page with every public name, its first sentence, and where it is explained."
    lines = ['---', 'title: All names', 'description: What the package exports, module by module.', '---', '']
    for source in titles:
        name = exported(nbs/source)
        if not name: continue
        tree = ast.parse(Path(importlib.import_module(name).__file__).read_text(encoding='utf-8'))
        names = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name[0] != '_' and not is_patch(n)]
        target = page(source).as_posix()
        lines += [f'## {name}', '', f'Explained in [{titles[source]}]({target}).', '', '::: {.names}', '| | |', '|---|---|']
        for node in sorted(names, key=lambda n: n.name.lower()):
            first = re.split(r'(?<=[.?!])\s+(?=[A-Z`])', docstring(node).split('\n\n')[0].replace('\n', ' '))[0].replace('|', r'\|')
            lines.append(f'| [`{node.name}`]({target}#{heading_id(node.name)}) | {first} |')
        lines += [':::', '']
    (folder/'reference.md').write_text('\n'.join(lines), encoding='utf-8')


FOLDERS = {'helpers': 'Reference', 'posts': 'Write-ups'}  # folder -> its name in the sidebar


def write_navigation(folder, titles):
    "nbdev.yml and sidebar.yml, which `_quarto.yml` includes: names and addresses from settings.ini, the lessons in order."
    import yaml
    config = settings()
    website = dict(title=config.title, description=config.description, **{'site-url': f'{config.doc_host}{config.doc_baseurl}',
                   'repo-url': config.git_url, 'repo-branch': config.branch})
    entry = lambda s: dict(href=page(s).as_posix(), text=f'{lesson(s)}. {titles[s]}' if lesson(s) else titles[s])
    top = [s for s in titles if len(s.parts) == 1]
    contents = [dict(href='index.ipynb', text='Home'), dict(section='Lessons', contents=[entry(s) for s in top if lesson(s)])]
    contents += [entry(s) for s in top if not lesson(s) and s.stem != 'index']
    folders = {name: [s for s in titles if s.parts[0] == name] for name in dict.fromkeys(s.parts[0] for s in titles if len(s.parts) > 1)}
    for name, inside in folders.items():
        section = dict(section=FOLDERS.get(name, name.capitalize()))
        if inside[0].stem == 'index': section['href'] = page(inside.pop(0)).as_posix()
        contents.append(dict(section, contents=[entry(s) for s in inside]))
    everything = dict(href='reference.md', text='All names')
    next((c['contents'] for c in contents if c.get('section') == FOLDERS['helpers']), contents).insert(0, everything)
    write = lambda name, data: (folder/name).write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding='utf-8')
    write('nbdev.yml', dict(project={'output-dir': '_docs'}, website=website))
    write('sidebar.yml', dict(website=dict(sidebar=dict(contents=contents))))


# ---- render and finish

def render_quarto(folder):
    done = subprocess.run(['quarto', 'render', '--no-cache', '--no-execute'], cwd=folder)
    if done.returncode: raise NotBuilt(f'quarto render ended with {done.returncode}')


def render_smalldocs(folder):
    from smalldocs.site import build
    site = build(folder, quiet=True)
    for source, href in site.broken: print(f'warning: {source}: the link {href} leads nowhere', file=sys.stderr)
    for path in (folder/'_docs').rglob('*.html'): edit(path, lambda text: with_formulas(text, path.relative_to(folder/'_docs')))


def edit(path, change): path.write_text(change(path.read_text(encoding='utf-8')), encoding='utf-8')


def with_formulas(text, name):
    "A page of smalldocs with its formulas as MathML."
    from math_core import LatexError, LatexToMathML
    converter = LatexToMathML(fancy_error=False)
    def formula(match):
        try: return f'<span class="math {match[1]}">{converter.convert_with_local_state(html.unescape(match[2]), displaystyle=match[1] == "display")}</span>'
        except LatexError as e: raise NotBuilt(f'{name}: the formula {html.unescape(match[2])} has an error: {e}') from None
    return re.sub(r'<span class="math (inline|display)">\\[(\[](.*?)\\[)\]]</span>', formula, text, flags=re.S)


def without_network(text):
    """A page without scripts and styles from the network. Formulas are MathML and need no KaTeX; and Quarto brings RequireJS
    and jQuery from a CDN to every page with an HTML output, since some outputs want them. Ours do not."""
    text = re.sub(r'<script\b[^>]*\ssrc="(?:https?:)?//[^>]*>\s*</script>\s*', '', text)
    text = re.sub(r'<link\b(?=[^>]*\srel="(?:stylesheet|preload|preconnect)")[^>]*\shref="(?:https?:)?//[^>]*>\s*', '', text)
    return re.sub(r"<script\b[^>]*>\s*define\('jquery'[^<]*</script>\s*", '', re.sub(r'<script\b[^>]*>[^<]*\bkatex\b[^<]*</script>\s*', '', text))


def without_web_fonts(text):
    "A theme's stylesheet without the fonts that it would take from the network; the system's own come next in its lists."
    return re.sub(r"""@import\s*(?:url\(\s*["']?https?:[^)]*\)|"https?:[^"]*"|'https?:[^']*')[^;]*;""", '', text)


def finish(site):
    "Whoever built the pages: they take nothing from the network."
    for path in site.rglob('*.html'): edit(path, without_network)
    for path in site.rglob('*.css'): edit(path, without_web_fonts)


def check_pages(folder, titles):
    "Every source has its page, and there is no page but these and the list of names."
    built = {p.relative_to(folder).as_posix() for p in folder.rglob('*.html')}
    wanted = {page(s).with_suffix('.html').as_posix(): s for s in titles} | {'reference.html': None}
    missing = [f'nbs/{s}: no page {name} was built' for name, s in wanted.items() if name not in built]
    stray = [f'{name}: no notebook makes this page' for name in sorted(built - wanted.keys() - {'404.html'})]
    if missing or stray: raise NotBuilt('\n'.join(missing + stray))


def replace(built, out):
    "Put the built site where it belongs; a folder that holds something else stays."
    if out.exists() and any(out.iterdir()) and not (out/'search.json').exists():
        raise NotBuilt(f'{out} holds something that is not a built site: name another folder, or empty it')
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(built, out)


def build_site(out, nbs=ROOT/'nbs', builder=None):
    builder = builder or ('quarto' if shutil.which('quarto') else 'smalldocs')
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder).resolve()
        titles = prepare(nbs, folder)
        reference_page(folder, titles, nbs)
        write_navigation(folder, titles)
        (render_quarto if builder == 'quarto' else render_smalldocs)(folder)
        finish(folder/'_docs')
        check_pages(folder/'_docs', titles)
        replace(folder/'_docs', out)
    return titles


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=ROOT/'_docs', help='folder of the site (default: _docs)')
    parser.add_argument('--nbs', type=Path, default=ROOT/'nbs', help='folder of the notebooks (default: nbs)')
    parser.add_argument('--with', dest='builder', choices=['quarto', 'smalldocs'], help='default: quarto where it is on the PATH')
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)  # nbdev looks for settings.ini from here
    try: titles = build_site(args.out.resolve(), args.nbs.resolve(), args.builder)
    except NotBuilt as e:
        print(f'The site was not built.\n{e}', file=sys.stderr)
        return 1
    print(f'{len(titles) + 1} pages in {args.out}')
    return 0


if __name__ == '__main__': sys.exit(main())
