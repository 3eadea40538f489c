"""DiffEdit in the reader's browser: the same files in Node and in a browser, compared with Python for one noise."""
import json
import re
import subprocess
import nbformat.v4 as v4
import numpy as np
import pytest
import torch
from browser import node
from installed import ROOT
from live_reference import cases, model
from test_widgets import Markup, grammar_fault, script_faults, style_faults, text_faults
from tools.site import live

without = pytest.mark.skipif(bool(live.missing()), reason=live.missing())
TEXTS = ['a horse', 'A  Horse, on GRASS!', "it's a zèbre", '', 'a unicorn and 2 cats', 'horse'*12, 'no—such “words”',
         'a picture of a horse and a car on the sea', 'the cat the dog the cow the pig the car the bus the end']
WAYS = [(.8, 25), (.5, 25), (1., 50), (.05, 7), (.33, 11)]


@pytest.fixture(scope='module')
def answer():
    "What Node makes of the scenes with the page's steps."
    from lessonlib.export import exported_model
    question = dict(texts=TEXTS, ways=WAYS, scenes=[case.question for case in cases()])
    command = [node(), ROOT/'tests'/'live_node.mjs', live.RUNTIME, exported_model()]
    done = subprocess.run(command, input=json.dumps(question), text=True, capture_output=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def same_mask(found, wanted, values, threshold):
    "Masks are the same, but for places that lie on the threshold within the rounding."
    flipped = np.ravel(found).astype(bool) != np.ravel(wanted)
    assert np.abs(np.ravel(values)[flipped] - threshold).max(initial=0) < 1e-4 and flipped.sum() < 10


@without
@pytest.mark.parametrize('number', range(3))
def test_node_finds_what_python_finds(answer, number):
    case, found = cases()[number], answer['found'][number]
    assert np.abs(np.array(found['latents']) - case.mask.latents.numpy().ravel()).max() < 3e-4
    assert np.abs(np.array(found['maps']) - case.mask.maps.flatten(1).numpy()).max() < 1e-4
    assert np.abs(np.array(found['difference']) - case.mask.difference.numpy().ravel()).max() < 1e-4
    pixels = case.mask.pixel_difference.numpy().ravel()
    assert np.abs(np.array(found['pixelDifference']) - pixels).max() < 5e-4
    same_mask(found['pixelMask'], case.mask.pixel_mask, pixels, case.mask.threshold)
    assert abs(found['iou'] - case.iou) < 1e-3
    edited = np.asarray(case.edit.image).ravel().astype(int)
    apart = np.abs(np.array(found['edited']) - edited)
    assert apart.max() <= 2 and (apart > 0).mean() < .01


@without
def test_the_maps_of_another_noise_are_noticed(answer):
    "What is compared would see a wrong seed, though the masks are much alike."
    found = np.array(answer['found'][0]['maps'])
    assert np.abs(found[[1, 0, *range(2, len(found))]] - cases()[0].mask.maps.flatten(1).numpy()).max() > .01


@without
def test_one_answer_at_the_start_is_compared_with_torch(answer):
    assert 0 < answer['apart'] < 1e-4


@without
@pytest.mark.parametrize('number, text', list(enumerate(TEXTS)), ids=repr)
def test_the_tokens_of_a_text_are_the_tokenizers(answer, number, text):
    found, sd = answer['tokens'][number], model()
    assert found['ids'] == sd._token_ids([text])[0].tolist()
    length = len(sd.tokenizer(text, add_special_tokens=False, verbose=False).input_ids)
    assert found['left'] == max(0, length - sd.tokens + 2)


@without
def test_unknown_words_are_named(answer):
    unknown = dict(zip(TEXTS, (found['unknown'] for found in answer['tokens']), strict=True))
    assert unknown['a horse'] == [] and unknown['a unicorn and 2 cats'] == ['unicorn', '2', 'cats']


@without
def test_the_way_up_is_pythons(answer):
    assert answer['rounded'] == [model().timesteps(*way).tolist() for way in WAYS]


@without
def test_the_pages_noise_is_normal(answer):
    noise = torch.tensor(answer['noise'])
    assert abs(noise.mean()) < .02 and abs(noise.std() - 1) < .02 and 3.5 < noise.abs().max() < 6


# ---- the files

FILES = sorted(live.SCRIPTS.iterdir())
ALLOWED = {'worker.mjs': {'the network'}}  # it fetches the model from where it came from itself


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_a_file_is_clean(path, tmp_path):
    text = path.read_text(encoding='utf-8')
    assert text_faults(text) == []
    if path.suffix == '.mjs':
        exported = {f'{name} is not used' for name in re.findall(r'^export (?:const|class) (\w+)', text, re.M)}
        assert set(script_faults(text)) - exported <= ALLOWED.get(path.name, set())
        assert not re.search(r'https?:', text)
        assert grammar_fault(text, tmp_path, 'script.mjs') == ''
    elif path.suffix == '.css':
        assert style_faults(text) == []
    else:
        assert Markup(text).faults == []


def test_the_scripts_are_short():
    "The page and its thread, and apart from them the steps that the lesson explains; lines of code."
    counts = {path.name: len(re.findall(r'^(?!\s*//)\s*\S', path.read_text(encoding='utf-8'), re.M)) for path in FILES}
    assert counts['page.mjs'] + counts['live.mjs'] + counts['worker.mjs'] < 400 and counts['diffedit.mjs'] < 300


def test_each_step_has_the_name_that_it_has_in_python():
    from lessonlib import diffedit, diffedit_mask, guidance
    script = (live.SCRIPTS/'diffedit.mjs').read_text(encoding='utf-8')
    steps = script.split('// ---- step 1')[1]
    known = {name for module in (diffedit, diffedit_mask, guidance) for name in module.__all__}
    camel = {re.sub(r'_(\w)', lambda letter: letter[1].upper(), name) for name in known}
    exported = set(re.findall(r'^export const (\w+)', steps, re.M))
    assert exported - camel == {'makeMask'}, 'what DiffEditMask holds'


# ---- a site without the model

def test_a_site_without_the_model_says_what_is_missing(tmp_path, monkeypatch, capsys):
    (tmp_path/'11_live.ipynb').write_text(live.MARKER)
    for wanted, words in (False, 'the builder was told to leave the model out'), (True, 'npm ci'):
        monkeypatch.setattr(live, 'RUNTIME', tmp_path)
        shown = live.prepare(tmp_path, tmp_path/'live', wanted)
        nb = v4.new_notebook(cells=[v4.new_markdown_cell(f'{live.MARKER}\nElsewhere.'), v4.new_markdown_cell('Words.')])
        live.arrange(nb, shown)
        assert words in nb.cells[0].source and 'The pictures show what it finds.' in nb.cells[0].source
        assert nb.cells[1].source == 'Words.' and not (tmp_path/'live').exists() and shown.megabytes == ''
        assert words in capsys.readouterr().err


def test_a_site_with_the_model_says_what_it_weighs():
    text = live.block(live.Shown(dict(wasm=20_600_000, webgpu=23_700_000)))
    assert 'Load the model (21 MB)' in text and 'src="live/page.mjs"' in text
