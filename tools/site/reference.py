"""The documentation of what the package exports, written from the modules' own source.

`nbdev_docs` would run imports and exported cells once more, in the wrong folder and without the cells between them;
here names are documented from the exported modules. A notebook whose imports fail is named, and there is no site.
"""
import ast
import functools
import importlib
import posixpath
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tools.settings import ROOT, settings
from tools.site.pages import NotBuilt, add, cell_sources, heading_id, lesson, page, sources

FUNCTIONS = ast.FunctionDef, ast.AsyncFunctionDef


# ---- what a module holds

def exported(path: Path) -> str | None:
    "The module that a notebook exports: `lessonlib.matmul`, or None."
    code = '\n'.join(cell_sources(path, 'code'))
    found = re.search(r'^#\s*\|\s*default_exp\s+(\S+)', code, re.M)
    return f"{settings['lib_name']}.{found[1]}" if found else None


def module_path(module: str) -> Path:
    "`lessonlib.matmul` -> its file."
    return ROOT/(module.replace('.', '/') + '.py')


@functools.cache
def parsed(module: str) -> tuple[ast.Module, list[str]]:
    "A module's tree and its lines."
    text = module_path(module).read_text(encoding='utf-8')
    return ast.parse(text), text.splitlines()


def public(module: str) -> list[ast.FunctionDef | ast.ClassDef]:
    "The functions and classes that a module shows to others."
    return [n for n in parsed(module)[0].body if isinstance(n, (*FUNCTIONS, ast.ClassDef)) and n.name[0] != '_']


def class_of(module: str, name: str) -> ast.ClassDef | None:
    "A class of the module by its name, private ones too."
    return next((n for n in parsed(module)[0].body if isinstance(n, ast.ClassDef) and n.name == name), None)


def private_bases(module: str, node: ast.ClassDef) -> Iterator[ast.ClassDef]:
    "The private classes of the same module that a class inherits: the reader knows their methods as the class's own."
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id.startswith('_') and (found := class_of(module, base.id)):
            yield found
            yield from private_bases(module, found)


def methods(module: str, node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    "Name -> node of a class's methods, those of its private bases with them, as Python finds them."
    found = {}
    for owner in (node, *private_bases(module, node)):
        for n in owner.body:
            if isinstance(n, FUNCTIONS):
                found.setdefault(n.name, n)
    return found


def documented_methods(module: str, node: ast.ClassDef) -> list[ast.FunctionDef]:
    "The public methods that have a docstring, in the notebook's order."
    found = [n for n in methods(module, node).values() if n.name[0] != '_' and ast.get_docstring(n)]
    return sorted(found, key=lambda n: n.lineno)


def definition(module: str, name: str) -> ast.FunctionDef | ast.ClassDef:
    "The node of a function or class, or of `Class.method`."
    owner, _, last = name.rpartition('.')
    if owner:
        node = class_of(module, owner)
        found = methods(module, node).get(last) if node else None
    else:
        found = next((n for n in public(module) if n.name == last), None)
    if found is None:
        raise NotBuilt(f'{name} is not in {module_path(module).name}: run nbdev_export')
    return found


# ---- a name's documentation

SHOWN = {'property', 'cached_property', 'classmethod', 'staticmethod'}  # the decorators that tell how to call


def function_signature(node: ast.FunctionDef, lines: list[str]) -> list[str]:
    "A function's lines up to its body, with the decorators that tell how it is called."
    body, indent = node.body[0], ' ' * node.col_offset
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    shown = [f'{indent}@{name}' for name in decorators if name in SHOWN]
    if body.lineno == node.lineno:
        return [*shown, lines[node.lineno - 1][:body.col_offset].rstrip()]
    return [*shown, *lines[node.lineno - 1:body.lineno - 1]]


def fields(node: ast.ClassDef, lines: list[str]) -> list[str]:
    "The lines of the fields that a class's own body names, with what is said of each."
    found = [n for n in node.body if isinstance(n, ast.AnnAssign)]
    return lines[found[0].lineno - 1:found[-1].end_lineno] if found else []


def class_signature(module: str, node: ast.ClassDef, lines: list[str]) -> list[str]:
    "The head of a class without its private bases, its fields, and how it is made."
    bases = [ast.unparse(base) for base in node.bases if not ast.unparse(base).startswith('_')]
    head = f"class {node.name}({', '.join(bases)}):" if bases else f'class {node.name}:'
    owners = dict.fromkeys([*private_bases(module, node), node])
    held = [line for owner in owners for line in fields(owner, lines)]
    start = methods(module, node).get('__init__')
    made = function_signature(start, lines) if start else []
    return [head, *held, *([''] if held and made else []), *made]


def signature(module: str, node: ast.FunctionDef | ast.ClassDef) -> str:
    "A definition as it is written, with the comment of each parameter and without docstring and body."
    lines = parsed(module)[1]
    kept = class_signature(module, node, lines) if isinstance(node, ast.ClassDef) else function_signature(node, lines)
    return textwrap.dedent('\n'.join(kept).rstrip())


def docstring(node: ast.FunctionDef | ast.ClassDef) -> str:
    "A docstring as Markdown, in which `m*k*n` without backticks is no emphasis."
    pieces = (ast.get_docstring(node) or '').split('`')
    pieces[::2] = [re.sub(r'(?<=\w)([*])(?=\w)', r'\\\1', piece) for piece in pieces[::2]]
    return '`'.join(pieces)


def documented(module: str, name: str, level: int = 3) -> str:
    "Heading, link to the source, signature and docstring as Markdown; for a class its public methods too."
    node = definition(module, name)
    file = module_path(module).relative_to(ROOT).as_posix()
    parts = [
        f"{'#' * level} {name} {{#{heading_id(name)}}}",
        f"[source]({settings['git_url']}/blob/{settings['branch']}/{file}#L{node.lineno}){{.source-link}}",
        f'``` {{.python .code-overflow-wrap}}\n{signature(module, node)}\n```',
        docstring(node),
    ]
    if isinstance(node, ast.ClassDef):
        names = [method.name for method in documented_methods(module, node)]
        parts += [documented(module, f'{name}.{method}', level + 1) for method in names]
    return '\n\n'.join(parts)


# ---- names in the text

def spoken(module: str, node: ast.FunctionDef | ast.ClassDef) -> list[str]:
    "The names that a reader knows of a definition: its own, and a class's methods."
    if not isinstance(node, ast.ClassDef):
        return [node.name]
    return [node.name, *(f'{node.name}.{method.name}' for method in documented_methods(module, node))]


def known_names(nbs: Path) -> dict[str, str]:
    "Public name -> the source of its page and the anchor there: `iou` and `lessonlib.diffedit_mask.iou` alike."
    found = {}
    for source in sources(nbs):
        module = exported(nbs/source)
        if not module or not module_path(module).exists():
            continue
        for node in public(module):
            for name in spoken(module, node):
                target = f'{page(source).as_posix()}#{heading_id(name)}'
                found.setdefault(name, target)
                found[f'{module}.{name}'] = target
    return found


def with_links(line: str, names: dict[str, str], source: Path) -> str:
    "A line of text in which names in backticks lead to their documentation, but for those inside a link."
    def link(match: re.Match) -> str:
        target = names.get(match[1])
        return f'[{match[0]}]({posixpath.relpath(target, source.parent.as_posix())})' if target else match[0]
    pieces = re.split(r'(\[[^]]*\]\([^)]*\))', line)
    pieces[::2] = [re.sub(r'`([^`\s]+?)(?:\(\))?`', link, piece) for piece in pieces[::2]]
    return ''.join(pieces)


def link_names(nb, names: dict[str, str], source: Path) -> None:
    "Names in a notebook's text, code apart, lead to their documentation."
    for cell in nb.cells:
        if cell.cell_type != 'markdown':
            continue
        lines, in_code = cell.source.splitlines(), False
        for i, line in enumerate(lines):
            if line.startswith('```'):
                in_code = not in_code
            elif not in_code and not line.startswith('    '):
                lines[i] = with_links(line, names, source)
        cell.source = '\n'.join(lines)


# ---- nbdev's part

def processors():
    "nbdev's processors of a page; names are documented from the module, instead of from cells that are run again."
    from nbdev.processors import FilterDefaults, Processor, add_fold, add_links, exec_show_docs
    skipped = set(settings['tst_flags'].split())

    class DocumentFromModule(Processor):
        "In the place of each `show_doc(name)` the documentation of the name; imports are tried."
        def begin(self) -> None:
            "The module must be there, and load."
            self.module = exported(Path(self.nb.path_))
            if self.module:
                importlib.import_module(self.module)

        def cell(self, cell) -> None:
            "One cell, if the site takes it."
            directives = getattr(cell, 'directives_', {})
            unread = directives.get('eval:', [''])[0].lower() == 'false' or directives.keys() & skipped
            if cell.cell_type != 'code' or unread:
                return
            shown = re.search(r'^show_doc\(([\w.]+)', cell.source, re.M)
            if shown and shown[1].startswith('_'):  # nbdev would show `__getattr__` of a module
                del cell['source']
            elif shown:
                text = documented(self.module, shown[1])
                cell.update(cell_type='markdown', source=text, documents=self.module)
            else:
                try_imports(cell.parsed_() or [])

    class Pages(FilterDefaults):
        "The processors that a page needs."
        def base_procs(self) -> list:
            "nbdev's own, without those that this file and `pages` do otherwise."
            kept = [p for p in super().base_procs() if p not in (add_fold, add_links)]
            return [DocumentFromModule if p is exec_show_docs else p for p in kept]

    return Pages()


def try_imports(nodes: list[ast.stmt]) -> None:
    "Run the imports of a cell, so that one that fails is named."
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            exec(compile(ast.Module([node], []), 'import', 'exec'), {})


# ---- its place on the page

def arrange_reference(nb, source: Path) -> None:
    """In a lesson the code is the text, and the documentation of its names stands at the end.

    Elsewhere the documentation stands where the name is defined, and the code is folded below it.
    """
    documents = [cell for cell in nb.cells if 'documents' in cell]
    if lesson(source) and documents:
        nb.cells = [cell for cell in nb.cells if 'documents' not in cell]
        add(nb, f'## Reference\n\nWhat `{documents[0].documents}` exports.')
        nb.cells += documents
    elif documents:
        for cell in nb.cells:
            if 'exports' in getattr(cell, 'directives_', {}):
                cell.source = f'#| code-fold: true\n#| code-summary: Source\n{cell.source}'
    set_ids(nb.cells, documents)
    for cell in documents:
        del cell['documents']


def set_ids(cells: list, documents: list) -> None:
    "Each id stands once: a name keeps its own, and a section (or a second name, `Paired` after `paired`) gives way."
    taken = {name for cell in documents for name in re.findall(r'^#+ .* \{#(.+)\}$', cell.source, re.M)}
    seen = set()

    def rename(match: re.Match) -> str:
        marks, title, given = match.groups()
        if given:
            new = f'{given}-1' if given in seen else given
        elif heading_id(title) in taken:
            new = f'{heading_id(title)}-section'
        else:
            return match[0]
        seen.add(new)
        return f'{marks} {title} {{#{new}}}'

    for cell in cells:
        if cell.cell_type == 'markdown':
            cell.source = re.sub(r'^(#+) +(.+?)(?: \{#(.+)\})?$', rename, cell.source, flags=re.M)


# ---- the page of all names

def first_sentence(node: ast.FunctionDef | ast.ClassDef) -> str:
    "The first sentence of a docstring, fit for a table."
    paragraph = docstring(node).split('\n\n')[0].replace('\n', ' ')
    return re.split(r'(?<=[.?!])\s+(?=[A-Z`])', paragraph)[0].replace('|', r'\|')


def module_table(module: str, title: str, target: PurePosixPath) -> list[str]:
    "The lines about one module: where it is explained, and a table of its names."
    lines = [f'## {module}', '', f'Explained in [{title}]({target}).', '', '::: {.names}', '| | |', '|---|---|']
    for node in sorted(public(module), key=lambda n: n.name.lower()):
        lines.append(f'| [`{node.name}`]({target}#{heading_id(node.name)}) | {first_sentence(node)} |')
    return [*lines, ':::', '']


def write_reference(folder: Path, titles: dict[Path, str], nbs: Path) -> None:
    "reference.md: every public name, its first sentence, and where it is explained."
    lines = ['---', 'title: All names', 'description: What the package exports, module by module.', '---', '']
    for source, title in titles.items():
        module = exported(nbs/source)
        if module:
            lines += module_table(module, title, PurePosixPath(page(source)))
    (folder/'reference.md').write_text('\n'.join(lines), encoding='utf-8')
