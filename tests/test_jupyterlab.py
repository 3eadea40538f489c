"""The first lessons in JupyterLab as a student has them, from the wheel and away from the checkout, and every notebook that
holds a live mask, a quiz or the explorer of shapes: Run All, no cell with an error, prompts in order, and the piece answers."""
import json, os, re, socket, subprocess, sys, time, urllib.request
from pathlib import Path
import pytest
from browser import executable, open_page
from installed import ROOT, copy_lessons, environment

NBS = ROOT/'nbs'
FIRST = ['01_matmul', '02_broadcasting', '03_diffedit_mask']
NOTEBOOKS = [p for p in sorted(NBS.rglob('*.ipynb')) if not {'_proc', '.ipynb_checkpoints'} & set(p.parts)
             and (p.stem in FIRST or re.search('data-live-mask|data-quiz|data-explorer', p.read_text(encoding='utf-8')))]
TIMEOUT = 600  # seconds for one notebook


def wait_for(url, process, seconds=60):
    "Wait until the server answers; its own words if it ends instead."
    end = time.time() + seconds
    while time.time() < end:
        try: return urllib.request.urlopen(url, timeout=5).read()
        except OSError: time.sleep(.3)
        assert process.poll() is None, 'JupyterLab ended: ' + Path(process.log).read_text()[-3000:]
    raise TimeoutError('JupyterLab did not answer: ' + Path(process.log).read_text()[-3000:])


@pytest.fixture
def lab(python, tmp_path):
    "JupyterLab on a free port, in a folder that `lessonlib-notebooks` filled, with no settings of this machine's user: (folder, address)."
    executable()
    folder = tmp_path/'my-lessons'
    copy_lessons(python, folder)
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    names = ['JUPYTER_CONFIG_DIR', 'JUPYTER_DATA_DIR', 'JUPYTER_RUNTIME_DIR', 'JUPYTERLAB_SETTINGS_DIR', 'JUPYTERLAB_WORKSPACES_DIR', 'IPYTHONDIR']
    share = Path(sys.prefix)/'share'/'jupyter'   # JupyterLab's pages are this environment's; the kernel is the wheel's
    env = environment(JUPYTER_PATH=str(share), JUPYTERLAB_DIR=str(share/'lab'), **{name: str(tmp_path/name.lower()) for name in names})
    command = [python, '-m', 'jupyterlab', '--no-browser', f'--port={port}', '--ServerApp.port_retries=0', '--ip=127.0.0.1',
               '--allow-root', f'--ServerApp.root_dir={folder}', '--IdentityProvider.token=lesson', '--expose-app-in-browser',
               '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate', '--LabApp.news_url=None', '--LabApp.extension_manager=readonly']
    with open(tmp_path/'jupyterlab.log', 'w') as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=folder)
    process.log = tmp_path/'jupyterlab.log'
    try:
        wait_for(f'http://127.0.0.1:{port}/api?token=lesson', process)
        yield folder, f'http://127.0.0.1:{port}'
    finally:
        process.terminate()
        try: process.wait(20)
        except subprocess.TimeoutExpired: process.kill()


def test_there_are_notebooks_to_try(): assert {*FIRST, 'show', 'check'} <= {p.stem for p in NOTEBOOKS}


@pytest.mark.parametrize('notebook', NOTEBOOKS, ids=lambda p: p.stem)
def test_run_all(notebook, lab, tmp_path):
    folder, address = lab
    copy = folder/notebook.name
    book = json.loads(notebook.read_text(encoding='utf-8'))
    for cell in book['cells']: cell.update(outputs=[], execution_count=None) if cell['cell_type'] == 'code' else None
    where = "import lessonlib; lessonlib.__file__"
    book['cells'].append(dict(cell_type='code', id='where', metadata={}, source=where, outputs=[], execution_count=None))
    copy.write_text(json.dumps(book), encoding='utf-8')
    with open_page(tmp_path/'profile', viewport=dict(width=1200, height=900)) as page:
        page.goto(f'{address}/lab/tree/{notebook.name}?token=lesson')
        page.wait_for_selector('.jp-Notebook .jp-Cell', timeout=60_000)
        page.wait_for_function("window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel?.status == 'idle'", timeout=60_000)
        page.set_default_timeout(TIMEOUT*1000)
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
        cells = [c for c in json.loads(copy.read_text(encoding='utf-8'))['cells'] if c['cell_type'] == 'code' and ''.join(c['source']).strip()]
        assert [o['evalue'] for c in cells for o in c['outputs'] if o['output_type'] == 'error'] == []
        assert [c['execution_count'] for c in cells] == list(range(1, len(cells) + 1))
        assert 'site-packages' in cells[-1]['outputs'][0]['data']['text/plain'][0], 'the package is not the one of the wheel'
        page.set_default_timeout(60_000)
        if has(page, 'data-live-mask'): follow_sliders(page)
        if has(page, 'data-explorer=\\"'): type_shapes(page)
        if has(page, 'data-quiz'): answer_quiz(page)
        foreign = [url for url in page.requests if not url.startswith((address, address.replace('http', 'ws'), 'data:', 'blob:', 'about:'))]
        assert foreign == []


def has(page, mark):
    "The first cell whose output holds the mark, from 1; 0 if there is none."
    return page.evaluate("""mark => {
        const cells = window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells;
        return 1 + cells.findIndex(cell => JSON.stringify((cell.outputs ?? []).map(output => output.data?.['text/html'] ?? '')).includes(mark));
    }""", mark)


def go_to(page, mark):
    "Scroll to the first cell whose output holds the mark."
    page.evaluate("""index => { const notebook = window.jupyterapp.shell.currentWidget.content;
                                notebook.activeCellIndex = index; return notebook.scrollToItem(index, 'center'); }""", has(page, mark) - 1)


def type_shapes(page):
    "Typed shapes are explained, and no key starts a shortcut: `a` would add a cell, a digit would make a heading of it."
    go_to(page, 'data-explorer=\\"')
    explorer = page.locator('.lessonlib-explorer').first
    cells = "window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.type).join()"
    before = page.evaluate(cells)
    explorer.locator('input').nth(0).fill('(5, 3, 4)')
    explorer.locator('input').nth(1).click()
    page.keyboard.press('Control+a')
    page.keyboard.type('5, 4a')
    assert explorer.locator('pre').inner_text() == 'b: expected up to 8 whole numbers such as (3, 1), got 5, 4a'
    page.keyboard.press('Backspace')
    assert 'smallest fix: b[:, None, :]' in explorer.locator('pre').inner_text()
    assert page.evaluate(cells) == before


def answer_quiz(page):
    "Every option and every field of the first quiz gives an answer, both right and wrong ones come, and no key starts a shortcut."
    go_to(page, 'data-quiz')
    quiz = page.locator('.lessonlib-quiz').first
    quiz.locator('.Quiz').first.wait_for()
    assert quiz.locator(':scope > pre').count() == 0
    backgrounds = quiz.locator('code').evaluate_all('pieces => pieces.map(piece => getComputedStyle(piece).backgroundColor)')
    assert set(backgrounds) <= {'rgba(0, 0, 0, 0)'}, "JupyterLab's own colours lie behind the code"
    count = page.evaluate('window.jupyterapp.shell.currentWidget.content.widgets.length')
    for question in quiz.locator('.Quiz').all():
        said, seen = question.locator('.Feedback'), []
        for option in question.locator('label.MCButton').all():
            option.click()
            seen.append(said.inner_text().split('.')[0])
        for box in question.locator('input.Input-text').all():
            box.click()
            page.keyboard.type('98765a')  # wrong everywhere; `a` would add a cell
            page.keyboard.press('Enter')
            seen.append(said.inner_text().split('.')[0])
            right = json.loads(box.get_attribute('data-answers'))[0]
            box.click()
            page.keyboard.type(str(right['answer'] if 'answer' in right else right['value'] if 'value' in right else sum(right['range'])/2))
            page.keyboard.press('Enter')
            seen.append(said.inner_text().split('.')[0])
        assert sorted(set(seen)) == ['Not yet', 'Right'] and seen.count('Right') == 1, seen
    assert page.evaluate('window.jupyterapp.shell.currentWidget.content.widgets.length') == count
    page.screenshot(path=os.environ.get('LESSONLIB_SCREENSHOT', os.devnull), type='png')


def follow_sliders(page):
    "The first live mask is drawn, and its sliders, by key and by mouse, change what it says."
    go_to(page, 'data-live-mask')
    piece = page.locator('.lessonlib-live-mask').first
    piece.wait_for()
    assert piece.get_attribute('data-pixels'), 'the script did not run'
    words = lambda: piece.locator('[data-score]').text_content()
    first = words()
    piece.locator('input[name=threshold]').focus()
    for _ in range(10): page.keyboard.press('ArrowRight')  # JupyterLab's own shortcuts leave the key to the slider
    second = words()
    box = piece.locator('input[name=n]').bounding_box()
    page.mouse.click(box['x'] + 2, box['y'] + box['height']/2)
    assert piece.locator('[data-value=n]').text_content() == '1'
    assert len({first, second, words()}) == 3 and all('px in the mask' in text for text in (first, second))
    assert piece.locator('[data-draw=mask]').evaluate("""canvas =>
        new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size""") > 10
    page.screenshot(path=os.environ.get('LESSONLIB_SCREENSHOT', os.devnull), type='png')
