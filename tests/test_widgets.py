"""The files in lessonlib/data/widgets are clean HTML, CSS and JavaScript, and a piece made of them is one element."""
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
import pytest
import torch
from browser import node
from lessonlib.broadcasting import broadcast_explorer
from lessonlib.widgets import live_mask

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT/'lessonlib'/'data'/'widgets').iterdir())
FORBIDDEN = {  # in a script: what it is, and how it is found
    'console': r'\bconsole\b', 'debugger': r'\bdebugger\b', 'var': r'\bvar\b', 'eval': r'\beval\(',
    '== instead of ===': r'(?<![=!<>])==(?!=)', '!= instead of !==': r'!=(?!=)', 'the network': r'\bfetch\(|https?:',
    'document.write': r'document\.write', 'two statements in a line': r'; +[\w$(\[]'}
EMPTY = {'input', 'br', 'img', 'hr', 'meta', 'link'}


def text_faults(text):
    "Faults of any file: long lines, tabs, blanks at the end."
    lines = text.splitlines()
    faults = [f'line {n}: {len(line)} columns' for n, line in enumerate(lines, 1) if len(line) > 120]
    faults += [f'line {n}: a tab or blanks at the end' for n, line in enumerate(lines, 1) if re.search(r'\t|\s$', line)]
    return faults if text.endswith('\n') else [*faults, 'no newline at the end']


def script_faults(text):
    "Faults of a script, apart from its grammar: forbidden things, and names that nothing uses."
    code = re.sub(r'//.*', '', text)
    lines = re.sub(r'for \([^()]*\)|`[^`\n]*`', '', code)            # where a semicolon ends no statement
    faults = [name for name, pattern in FORBIDDEN.items() if re.search(pattern, lines)]
    declared = re.findall(r'\b(?:const|let|function)\s+([\w$]+|\[[^\]=]*\]|\{[^}=]*\})', code)
    names = {name for group in declared for name in re.findall(r'[\w$]+', group)}
    return faults + [f'{name} is not used' for name in sorted(names) if len(re.findall(rf'\b{name}\b', code)) < 2]


def style_faults(text):
    "Faults of a style sheet: rules for more than the library's pieces, broken rules, the network."
    text = re.sub(r'/\*.*?\*/', '', text, flags=re.DOTALL)
    faults = [word for word in ('url(', '@import', 'http') if word in text]
    rules = re.findall(r'([^{}]*)\{([^{}]*)\}', text)
    if re.sub(r'[^{}]*\{[^{}]*\}', '', text).strip(): faults.append('a rule that does not close')
    for selectors, declarations in rules:
        names = [selector.strip() for selector in selectors.split(',')]
        faults += [f'{name}: not one of ours' for name in names if not name.startswith('.lessonlib-')]
        parts = [part.strip() for part in declarations.split(';')]
        if parts[-1]: faults.append(f'{parts[-1]}: no ; at the end')
        sound = re.compile(r'-{0,2}[a-z-]+: \S[^:]*')
        faults += [f'{part}: no declaration' for part in parts[:-1] if not sound.fullmatch(part)]
    return faults


class Markup(HTMLParser):
    "Collects faults of a piece of HTML: tags that do not close, more than one root, fields without a name."
    def __init__(self, text):
        super().__init__()
        self.open, self.roots, self.faults = [], 0, []
        self.feed(text)
        self.close()
        self.faults += [f'<{tag}> does not close' for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.roots += not self.open
        if tag == 'input' and not dict(attrs).get('aria-label'): self.faults.append('<input> without an aria-label')
        if len(dict(attrs)) < len(attrs): self.faults.append(f'<{tag}> has an attribute twice')
        if tag not in EMPTY: self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open[-1:] == [tag]: self.open.pop()
        else: self.faults.append(f'</{tag}> closes nothing')


def grammar_fault(script, folder, name='script.js'):
    "What Node says of a script, or nothing."
    path = folder/name
    path.write_text(script, encoding='utf-8')
    done = subprocess.run([node(), '--check', path], text=True, capture_output=True)
    return done.stderr.strip() if done.returncode else ''


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_a_file_is_clean(path, tmp_path):
    text = path.read_text(encoding='utf-8')
    assert text_faults(text) == []
    if path.suffix == '.js':
        assert script_faults(text) == []
        assert grammar_fault(text, tmp_path) == ''
    elif path.suffix == '.css': assert style_faults(text) == []
    else: assert path.suffix == '.html' and Markup(text).faults == []


def test_the_rules_see_each_fault(tmp_path):
    assert text_faults('a'*121 + '\n') == ['line 1: 121 columns']
    assert text_faults('a \n\tb') == ['line 1: a tab or blanks at the end', 'line 2: a tab or blanks at the end',
                                      'no newline at the end']
    bad = {'console.log(1);': 'console', 'debugger;': 'debugger', 'var x = 1; x;': 'var', 'if (a == b) c();': '==',
           'if (a != b) c();': '!=', 'fetch(a);': 'the network', 'const [a, b] = [1, 2];\nf(a);': 'b is not used',
           'const f = () => { let x = 1; };\nf();': 'x is not used', 'a(); b();': 'two statements in a line'}
    for script, fault in bad.items(): assert any(fault in found for found in script_faults(script)), script
    assert script_faults('const f = x => x === 1 && x !== 2;\nfor (let i = 0; i < 3; i++) f(i); // a == b') == []
    assert 'SyntaxError' in grammar_fault('const a = ;', tmp_path) and grammar_fault('const a = 1;', tmp_path) == ''
    assert style_faults('.lessonlib-a { color: red; }\n.lessonlib-a b,\n.lessonlib-c { margin: 0; --own: 1; }\n') == []
    assert style_faults('table { color: red }') == ['table: not one of ours', 'color: red: no ; at the end']
    assert style_faults('.lessonlib-a { color red; }') == ['color red: no declaration']
    assert style_faults('.lessonlib-a { color: red;') == ['a rule that does not close']
    assert Markup('<div><input></div>').faults == ['<input> without an aria-label']
    assert '</div> closes nothing' in Markup('<div><b></div>').faults
    assert Markup('<p></p><p></p>').roots == 2


@pytest.fixture(params=['live mask', 'live mask without truth', 'explorer', 'explorer of markup'])
def piece(request):
    maps = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0))
    picture = torch.zeros(3, 8, 10)
    if request.param == 'live mask': return live_mask(maps, picture, picture[0])
    if request.param == 'live mask without truth': return live_mask(maps, picture)
    return broadcast_explorer() if request.param == 'explorer' else broadcast_explorer('</script><b>', '@ID@ "&')


def test_a_piece_is_one_element_with_a_sound_script(piece, tmp_path):
    text = piece._repr_html_()
    markup = Markup(text)
    assert (markup.roots, markup.faults) == (1, [])
    script, = re.findall(r'<script>(.*?)</script>', text, flags=re.DOTALL)
    assert grammar_fault(script, tmp_path) == ''
    assert not re.search('https?:', text) and text == piece._repr_html_()
