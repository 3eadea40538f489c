"""What the notebooks cite is in nbs/references.bib, and what lesson 04 links exists."""
import importlib
import json
import re
import pytest
from installed import ROOT
from tools.run_tests import notebooks
from tools.settings import settings
from tools.site.pages import BASE, cell_sources
from tools.site.reference import known_names

NBS = ROOT/'nbs'
KEY = r'[a-z]+\d{4}[a-z]+'  # the first author, the year, a word of the title
PAPER = NBS/'04_reading_the_paper.ipynb'


def words(path):
    "The text of a notebook."
    return '\n\n'.join(cell_sources(path, 'markdown'))


def cited(text):
    "The keys that markdown cites, `[@key]`, `[@key; @key, p. 3]` or `@key`; what is code is no citation."
    text = re.sub(r'```.*?```|`[^`\n]*`', '', text, flags=re.S)
    return set(re.findall(rf'(?<![\w@])@({KEY})\b', text)) | set(re.findall(r'\[@([^\s\];,]+)', text))


def entries(text):
    "Key -> the fields of a BibTeX entry, for all entries in the form that the file has: one field a line."
    found = {}
    for key, body in re.findall(r'^@\w+\{([^,\s]+),\n(.*?)^\}', text, re.M | re.S):
        assert key not in found, f'{key} is there twice'
        found[key] = dict(re.findall(r'^\s*(\w+)\s*=\s*\{(.*)\},?$', body, re.M))
    return found


BIB = (NBS/'references.bib').read_text(encoding='utf-8')
ENTRIES = entries(BIB)


def test_the_patterns_find():
    text = 'A [@ho2020denoising; @song2020denoising, p. 3], @keshav2007read. `[@no2000code]` a @ b x@y2000z [@odd]'
    assert cited(text) == {'ho2020denoising', 'song2020denoising', 'keshav2007read', 'odd'}
    entry = '@misc{a2000b,\n  title = {{A} b},\n  year = {2000}\n}\n'
    assert entries(entry) == {'a2000b': dict(title='{A} b', year='2000')}


def test_every_entry_is_read():
    assert len(ENTRIES) == len(re.findall(r'^@', BIB, re.M)) > 8


@pytest.mark.parametrize('key', ENTRIES)
def test_entry_is_whole(key):
    entry = ENTRIES[key]
    assert entry.get('title') and entry.get('author') and re.fullmatch(r'\d{4}', entry.get('year', '')), entry
    assert re.fullmatch(KEY, key) and entry['year'] in key, 'a key is the first author, the year, a word of the title'
    assert {'doi', 'eprint', 'url'} & set(entry), 'it has no doi, eprint or url'
    assert re.fullmatch(r'10\.\d{4,}/\S+', entry.get('doi', '10.1000/x'))
    assert entry.get('url', 'https://').startswith('https://')
    if 'eprint' in entry:
        assert re.fullmatch(r'\d{4}\.\d{4,5}', entry['eprint'])
        assert entry['eprint'] in entry.get('url', entry['eprint'])


@pytest.mark.parametrize('path', notebooks(), ids=lambda path: path.stem)
def test_citations_are_in_the_bibliography(path):
    text = words(path)
    assert cited(text) <= set(ENTRIES), f'not in references.bib: {cited(text) - set(ENTRIES)}'
    if '## References' not in text:
        return
    # For those who read without Quarto: each key with its link.
    listed = re.findall(r'^- `(\w+)`: .*\]\((https://\S+)\)$', text.split('## References')[1], re.M)
    assert {key for key, _ in listed} == cited(text)
    for key, link in listed:
        known = [ENTRIES[key][field] for field in ('doi', 'eprint', 'url') if field in ENTRIES[key]]
        assert any(part in link for part in known), f'{key}: {link}'


def said_twice(text):
    "Keys whose first author the sentence has just named: the page would say it again; `[-@key]` is the year alone."
    found = re.findall(rf'([^.!?|\n]*)\[@({KEY})', text.replace('et al.', 'et al'))
    return [key for before, key in found if ENTRIES[key]['author'].split(',')[0] in before]


@pytest.mark.parametrize('text, keys', [
    ('As Ho et al. [@ho2020denoising] say.', ['ho2020denoising']),
    ("Ho's *word* [@ho2020denoising]", ['ho2020denoising']),
    ('Ho [-@ho2020denoising]. Noise [@ho2020denoising].', []),
])
def test_said_twice_finds(text, keys):
    assert said_twice(text) == keys


@pytest.mark.parametrize('path', notebooks(), ids=lambda path: path.stem)
def test_no_name_is_said_twice(path):
    assert said_twice(words(path)) == []


def test_something_is_cited():
    assert {'couairon2022diffedit', 'meng2021sdedit'} <= cited(words(PAPER))


# ---- lesson 04: each sentence of the paper, the function that does it, and its source

LINKS = rf'\[`([\w.]+)`\]\({re.escape(BASE)}(\S+?)\) \| \[source\]\((\S+?)\)'
ROWS = re.findall(LINKS, words(PAPER))


def test_each_sentence_has_a_link():
    table = words(PAPER).split('## From sentence to function')[1].split('\n\n')[2]
    assert len(ROWS) == len(table.splitlines()) - 2 >= 12


@pytest.mark.parametrize('name, page, source', ROWS, ids=[row[0] for row in ROWS])
def test_what_a_sentence_links_exists(name, page, source):
    module = re.fullmatch(r'(?:helpers/)?(\w+)\.html#.+', page)[1]
    thing = importlib.import_module(f'lessonlib.{module}')
    for part in name.split('.'):
        thing = getattr(thing, part)
    assert callable(thing)
    documented = known_names(NBS)[f'lessonlib.{module}.{name}']
    assert page == documented.replace('.ipynb#', '.html#'), 'its documentation is elsewhere'
    assert source == f"{settings['git_url']}/blob/{settings['branch']}/lessonlib/{module}.py"


# ---- write-ups

POSTS = [path for path in notebooks() if path.parent == NBS/'posts' and path.stem != 'index']


@pytest.mark.parametrize('path', POSTS, ids=lambda path: path.stem)
def test_write_up_is_listed_and_says_whose_it_is(path):
    assert f']({path.name})' in words(NBS/'posts'/'index.ipynb')
    head = ''.join(json.loads(path.read_text(encoding='utf-8'))['cells'][0]['source'])
    assert re.fullmatch(r'# .+\n\n> .+\n\n- author: .+\n- date: \d{4}-\d\d-\d\d\n- categories: \[.+\]', head)


def test_there_are_write_ups():
    assert {'template', 'diffedit_in_one_page'} <= {path.stem for path in POSTS}
