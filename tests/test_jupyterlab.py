"""Lessons in JupyterLab as a student has them: copies by `lessonlib-notebooks`, from the wheel, far from the checkout.

Run All leaves no error and nothing on a pink ground, and prompts in order; an exercise says right and wrong. The same
for every notebook that holds a live mask, a quiz or the explorer of shapes, and the piece answers. One server runs all.
"""
import base64
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
import numpy as np
import pytest
from browser import executable, open_page
from installed import environment, run
from lessonlib.show import MASK_COLOR
from PIL import Image, ImageColor
from tools.run_tests import notebooks

FIRST = ['01_matmul', '02_broadcasting', '03_diffedit_mask', '06_diffedit']
PIECES = re.compile('data-live-mask|data-quiz|data-explorer')
NOTEBOOKS = [path for path in notebooks() if path.stem in FIRST or PIECES.search(path.read_text(encoding='utf-8'))]
WITH_OUTPUTS = 'with-outputs'  # a folder of copies beside the others
TIMEOUT = 600  # seconds for one notebook
IDLE = "window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel?.status == 'idle'"
NOTEBOOK = 'window.jupyterapp.shell.currentWidget.content'
# lesson -> what is in the cell of an exercise; a wrong answer; a right one
EXERCISES = {
    '01_matmul': ('check(norm_by_product,', 'return matmul_numba(a.T, a).sum().sqrt()',
                  'return matmul_numba(a.T, a).diagonal().sum().sqrt()'),
    '02_broadcasting': ('check(bilinear,', "return einsum('bm,mn,bm->b', x, w, x)",
                        "return einsum('bm,mn,bn->b', x, w, y)"),
    '03_diffedit_mask': ('check(grow,', 'return mask', 'return F.max_pool2d(mask[None].float(), 3, 1, 1)[0] > 0'),
    '06_diffedit': ('check(soft_blend,', 'return edits + weight*(encoded - edits)',
                    'return encoded + weight*(edits - encoded)')}


def wait_for(url, process, seconds=180):
    "Wait until the server answers; its own words if it ends instead."
    end = time.time() + seconds
    while time.time() < end:
        try:
            return urllib.request.urlopen(url, timeout=5).read()
        except OSError:
            time.sleep(.3)
        assert process.poll() is None, 'JupyterLab ended: ' + process.log.read_text()[-3000:]
    raise TimeoutError('JupyterLab did not answer: ' + process.log.read_text()[-3000:])


def free_port():
    "A port of this machine that nobody uses."
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


def own_settings(folder):
    "The environment of a JupyterLab that reads no settings of this machine's user."
    names = ['JUPYTER_CONFIG_DIR', 'JUPYTER_DATA_DIR', 'JUPYTER_RUNTIME_DIR', 'JUPYTERLAB_SETTINGS_DIR',
             'JUPYTERLAB_WORKSPACES_DIR', 'IPYTHONDIR']
    folders = {name: str(folder/name.lower()) for name in names}
    share = Path(sys.prefix)/'share'/'jupyter'  # JupyterLab's pages are this environment's; the kernel is the wheel's
    return environment(JUPYTER_PATH=str(share), JUPYTERLAB_DIR=str(share/'lab'), **folders)


@pytest.fixture(scope='module')
def server(python, tmp_path_factory):
    "JupyterLab on a free port, in a folder that `lessonlib-notebooks` filled: (folder, address)."
    executable()
    tmp_path = tmp_path_factory.mktemp('lab')
    folder, port = tmp_path/'my-lessons', free_port()
    settings = own_settings(tmp_path)
    command = next(python.parent.glob('lessonlib-notebooks*'))
    run(command, folder, cwd=tmp_path, env=settings)
    assert 'signed' not in run(command, folder/WITH_OUTPUTS, '--outputs', cwd=tmp_path, env=settings)
    options = [
        '--no-browser', '--ip=127.0.0.1', f'--port={port}', '--ServerApp.port_retries=0', '--allow-root',
        f'--ServerApp.root_dir={folder}', '--IdentityProvider.token=lesson', '--expose-app-in-browser',
        '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate', '--LabApp.news_url=None',
        '--LabApp.extension_manager=readonly',
    ]
    path = tmp_path/'jupyterlab.log'
    with open(path, 'w') as log:
        process = subprocess.Popen([python, '-m', 'jupyterlab', *options], env=settings, cwd=folder,
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    process.log = path
    try:
        wait_for(f'http://127.0.0.1:{port}/api?token=lesson', process)
        yield folder, f'http://127.0.0.1:{port}'
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture
def lab(server):
    "The folder and the address; afterwards no kernel runs, so that the next notebook has the memory."
    yield server
    sessions = f'{server[1]}/api/sessions'
    for session in json.loads(urllib.request.urlopen(f'{sessions}?token=lesson').read()):
        ended = urllib.request.Request(f"{sessions}/{session['id']}?token=lesson", method='DELETE')
        urllib.request.urlopen(ended).close()


def test_there_are_notebooks_to_try():
    assert {*FIRST, 'widgets', 'quiz'} <= {path.stem for path in NOTEBOOKS}


def without_outputs(notebook):
    "The notebook as nobody ran it, with one more cell that says where the package is."
    book = json.loads(notebook.read_text(encoding='utf-8'))
    where = 'import lessonlib; lessonlib.__file__'
    book['cells'].append(dict(cell_type='code', id='where', metadata={}, source=where))
    for cell in book['cells']:
        if cell['cell_type'] == 'code':
            cell.update(outputs=[], execution_count=None)
    return json.dumps(book)


def run_all(page):
    "Run All, and save."
    page.wait_for_selector('.jp-Notebook .jp-Cell', timeout=60_000)
    page.wait_for_function(IDLE, timeout=60_000)
    page.set_default_timeout(TIMEOUT*1000)
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.set_default_timeout(60_000)


def look_at_the_outputs(path):
    "No error, nothing on a pink ground, prompts in order, and the package is the wheel's."
    book = json.loads(path.read_text(encoding='utf-8'))
    cells = [cell for cell in book['cells'] if cell['cell_type'] == 'code' and ''.join(cell['source']).strip()]
    outputs = [output for cell in cells for output in cell['outputs']]
    assert [output['evalue'] for output in outputs if output['output_type'] == 'error'] == []
    pink = [''.join(output['text']) for output in outputs if output.get('name') == 'stderr']
    assert pink == [], 'on standard error'
    assert [cell['execution_count'] for cell in cells] == list(range(1, len(cells) + 1))
    assert 'site-packages' in outputs[-1]['data']['text/plain'][0], 'the package is not the one of the wheel'


@pytest.mark.parametrize('notebook', NOTEBOOKS, ids=lambda path: path.stem)
def test_run_all(notebook, lab, tmp_path):
    folder, address = lab
    copy = folder/notebook.name
    copy.write_text(without_outputs(copy if copy.exists() else notebook), encoding='utf-8')
    with open_page(tmp_path/'profile', viewport=dict(width=1200, height=900)) as page:
        page.goto(f'{address}/lab/tree/{notebook.name}?token=lesson&reset')
        run_all(page)
        look_at_the_outputs(copy)
        if notebook.stem in EXERCISES:
            answer_exercise(page, *EXERCISES[notebook.stem])
        for mark, try_piece in TRIED.items():
            if has(page, mark):
                try_piece(page)
        own = address, address.replace('http', 'ws'), 'data:', 'blob:', 'about:'
        assert [url for url in page.requests if not url.startswith(own)] == []


def test_stored_pieces_move_at_once(lab, tmp_path):
    "Copies with outputs are signed: JupyterLab runs their scripts before any cell has run."
    _, address = lab
    with open_page(tmp_path/'profile', viewport=dict(width=1200, height=900)) as page:
        page.goto(f'{address}/lab/tree/{WITH_OUTPUTS}/03_diffedit_mask.ipynb?token=lesson&reset')
        page.wait_for_selector('.jp-Notebook .jp-Cell')
        page.wait_for_function(IDLE)
        follow_sliders(page)


def answer_exercise(page, mark, wrong, right):
    "A wrong answer typed into an exercise draws its case; a right one has its tick and is counted."
    index = page.evaluate(f"""mark => {NOTEBOOK}.widgets.findIndex(
        cell => cell.model.sharedModel.getSource().includes(mark))""", mark)
    type_over(page, index, '...', wrong)
    said, pictures = answer(page, index, '✗ not yet')
    assert len(pictures) == 1, said
    picture = Image.open(io.BytesIO(base64.b64decode(pictures[0])))
    assert picture.width >= 2*160
    marks = np.abs(np.asarray(picture.convert('RGB'), int) - ImageColor.getrgb(MASK_COLOR)).max(-1) < 24
    assert marks.sum() > 100, 'no number is marked'
    type_over(page, index, wrong, right)
    said, pictures = answer(page, index, '✓ right')
    assert re.search(r'\d cases?\n1 of [2-9] right so far', said) and pictures == [], said


def answer(page, index, verdict):
    """What a cell says once this verdict is there, and its pictures in base64.

    Read from the notebook, not from the page: JupyterLab takes off the page what is scrolled out of sight.
    """
    outputs = f'{NOTEBOOK}.widgets[{index}].model.sharedModel.outputs'
    page.wait_for_function(f'!!window.jupyterapp && {IDLE} && JSON.stringify({outputs}).includes("{verdict}")')
    data = [output.get('data', {'text/plain': str(output)}) for output in page.evaluate(outputs)]
    words = [''.join(part.get('text/plain', '')) for part in data]
    return '\n'.join(words), [part['image/png'] for part in data if 'image/png' in part]


def type_over(page, index, old, new):
    "Type a line of a cell anew, and run it."
    page.evaluate(f"""async index => {{
        {NOTEBOOK}.activeCellIndex = index;
        await {NOTEBOOK}.scrollToItem(index, 'center');
    }}""", index)
    # by its place: Run All makes the last cell the active one, and may come to that late
    cell = page.locator(f'.jp-Notebook-cell[data-windowed-list-index="{index}"]')
    cell.locator('.cm-line', has_text=old).first.click(click_count=3)
    page.keyboard.insert_text(f'    {new}\n')
    page.keyboard.press('Control+Enter')


def has(page, mark):
    "The first cell whose output holds the mark, from 1; 0 if there is none."
    return page.evaluate("""mark => {
        const cells = window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells;
        const shown = output => [output.data?.['text/html'] ?? ''].flat().join('');
        const html = cell => (cell.outputs ?? []).map(shown).join();
        return 1 + cells.findIndex(cell => html(cell).includes(mark));
    }""", mark)


def go_to(page, mark):
    "Scroll to the first cell whose output holds the mark."
    page.evaluate("""index => {
        const notebook = window.jupyterapp.shell.currentWidget.content;
        notebook.activeCellIndex = index;
        return notebook.scrollToItem(index, 'center');
    }""", has(page, mark) - 1)


def type_shapes(page):
    "Typed shapes are explained, and no key starts a shortcut: `a` would add a cell, a digit would make a heading."
    go_to(page, 'data-explorer="')
    explorer = page.locator('.lessonlib-explorer').first
    cells = f'{NOTEBOOK}.widgets.map(cell => cell.model.type).join()'
    before = page.evaluate(cells)
    explorer.locator('input').nth(0).fill('(5, 3, 4)')
    explorer.locator('input').nth(1).click()
    page.keyboard.press('Control+a')
    page.keyboard.type('5, 4a')
    assert explorer.locator('pre').inner_text() == 'b: expected up to 8 whole numbers such as (3, 1), got 5, 4a'
    page.keyboard.press('Backspace')
    assert 'smallest fix: b[:, None, :]' in explorer.locator('pre').inner_text()
    assert page.evaluate(cells) == before


def right_answers(quiz):
    "What to type for each question of a quiz; None where an option is chosen."
    script = quiz.locator('script').text_content()
    asked = json.loads(re.search(r'const QUIZ = (.*?); +//', script)[1])['questions']
    return [str(sum(one['span'])/2) if 'span' in one else
            ' '.join(map(str, one['sizes'])) if 'sizes' in one else one.get('letters') for one in asked]


def answer_quiz(page):
    "Every option and every field gives an answer, right and wrong ones come, and no key starts a shortcut."
    go_to(page, 'data-quiz')
    quiz = page.locator('.lessonlib-quiz').first
    quiz.locator('.Question').first.wait_for()
    assert quiz.locator(':scope > pre').count() == 0
    grounds = quiz.locator('code').evaluate_all('all => all.map(code => getComputedStyle(code).backgroundColor)')
    assert set(grounds) <= {'rgba(0, 0, 0, 0)'}, "JupyterLab's own colours lie behind the code"
    count = page.evaluate(f'{NOTEBOOK}.widgets.length')
    for question, typed in zip(quiz.locator('.Question').all(), right_answers(quiz), strict=True):
        said, seen = question.locator('.Feedback'), []
        for option in question.locator('.Options button:not(.Hint)').all():
            option.focus()
            for key in 'b', 'ArrowDown', 'Enter':  # not JupyterLab's: a new cell, the next cell, a cell's editor
                page.keyboard.press(key)
            seen.append(said.get_attribute('data-verdict'))
        for box in question.locator('input').all():
            for words in '98765a', typed:  # the first is wrong everywhere; `a` would add a cell
                box.fill('')
                page.keyboard.type(words)
                page.keyboard.press('Enter')
                seen.append(said.get_attribute('data-verdict'))
        assert sorted(set(seen)) == ['right', 'wrong'] and seen.count('right') == 1, seen
    asked = quiz.locator('.Question').count()
    assert quiz.locator('.Score').inner_text().startswith(f'{asked} of {asked} right')
    assert page.evaluate(f'{NOTEBOOK}.widgets.length') == count
    page.screenshot(path=os.environ.get('LESSONLIB_SCREENSHOT', os.devnull), type='png')


def follow_sliders(page):
    "The first live mask is drawn, and its sliders, by key and by mouse, change what it says."
    go_to(page, 'data-live-mask')
    piece = page.locator('.lessonlib-live-mask').first
    piece.wait_for()
    assert piece.get_attribute('data-pixels'), 'the script did not run'
    said = piece.locator('[data-score]')
    first = said.text_content()
    piece.locator('input[name=threshold]').focus()
    for _ in range(10):
        page.keyboard.press('ArrowRight')  # JupyterLab's own shortcuts leave the key to the slider
    second = said.text_content()
    box = piece.locator('input[name=n]').bounding_box()
    page.mouse.click(box['x'] + 2, box['y'] + box['height']/2)
    assert piece.locator('[data-value=n]').text_content() == '1'
    assert len({first, second, said.text_content()}) == 3
    assert 'px in the mask' in first and 'px in the mask' in second
    values = piece.locator('[data-draw=mask]').evaluate("""canvas => {
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return new Set(data).size;
    }""")
    assert values > 10, 'the mask is not drawn'
    page.screenshot(path=os.environ.get('LESSONLIB_SCREENSHOT', os.devnull), type='png')


TRIED = {'data-live-mask': follow_sliders, 'data-explorer="': type_shapes, 'data-quiz': answer_quiz}
