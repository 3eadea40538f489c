"""What the package brings along is what it was: weights, drawings and digits have their SHA-256 in the repository, and
each is compared with it before it is used.
"""
import subprocess
import time
import pytest
from installed import ROOT
from lessonlib import inputs
from lessonlib.inputs import checksums, shipped
from lessonlib.matmul import load_digits
from lessonlib.scenes import drawings
from lessonlib.stable_diffusion import StableDiffusion
from lessonlib.studio import Judge
from lessonlib.training import start_model
from tools.checksums import KINDS, LIST, listed

PACKAGE = ROOT/'lessonlib'


def test_the_list_is_right():
    assert LIST.read_text() == listed(), 'python -m tools.checksums writes the list anew'


def test_all_that_is_committed_is_on_it():
    tracked = subprocess.run(['git', 'ls-files', 'lessonlib'], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name.removeprefix('lessonlib/') for name in tracked.stdout.splitlines() if name.endswith(KINDS)]
    assert len(names) > 150 and sorted(names) == sorted(checksums())


def test_nothing_that_runs_code_when_it_is_opened_is_shipped():
    found = [path for path in PACKAGE.rglob('*') if path.suffix in ('.pt', '.pth', '.bin', '.ckpt', '.pkl', '.pickle')]
    assert found == []


@pytest.fixture
def package(tmp_path, monkeypatch):
    "The package's files as they would be after a bad download; a function damages one of them."
    for cached in (checksums, shipped):
        cached.cache_clear()
    (tmp_path/'data').mkdir()
    (tmp_path/'data'/'SHA256SUMS').write_bytes(LIST.read_bytes())
    monkeypatch.setattr(inputs, '_PACKAGE', tmp_path)
    def put(name, change):
        for file in checksums():
            if file.startswith(name):
                (tmp_path/file).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path/file).write_bytes(change((PACKAGE/file).read_bytes()))
    yield put
    for cached in (checksums, shipped):
        cached.cache_clear()


def flipped(data): return data[:-1] + bytes([data[-1] ^ 1])


DAMAGE = {'a bit': flipped, 'the end is missing': lambda data: data[:len(data)//2], 'nothing': lambda data: b''}
USES = {'data/digits/digits.npz': load_digits, 'models/start/model.safetensors': start_model,
        'models/tiny/judge/model.safetensors': Judge.load}


@pytest.mark.parametrize('damage', DAMAGE)
@pytest.mark.parametrize('name', USES)
def test_a_damaged_file_is_refused(name, damage, package):
    package(name, DAMAGE[damage])
    with pytest.raises(ValueError, match=f'{name}: expected the file that came with lessonlib, got another one of'):
        USES[name]()
    package(name, lambda data: data)
    USES[name]()                                         # whole again, it is taken


@pytest.mark.parametrize('name', USES)
def test_a_missing_file_is_refused(name, package):
    with pytest.raises(ValueError, match=f'{name}: expected the file .*got none that can be read .*install lessonlib'):
        USES[name]()


def test_a_drawing_that_was_changed_or_is_missing_is_refused(package):
    from lessonlib import scenes
    scenes._sprites.cache_clear()
    with pytest.raises(ValueError, match=r'noto/horse\.png: expected the file .* got none that can be read'):
        drawings('horse')
    package('data/sprites/noto/horse.png', flipped)
    with pytest.raises(ValueError, match=r'noto/horse\.png: expected the file .* got another one of'):
        drawings('horse')
    scenes._sprites.cache_clear()


def test_a_folder_is_looked_at_in_whole(package):
    package('models/tiny/', lambda data: data)
    assert shipped('models/tiny').name == 'tiny'
    shipped.cache_clear()
    package('models/tiny/vae', flipped)
    with pytest.raises(ValueError, match='models/tiny/vae/diffusion_pytorch_model.safetensors: expected the file'):
        shipped('models/tiny')


def test_it_costs_little():
    "To look at the weights takes a part of the time that it takes to load them; both in turn, the best of three."
    def took(work):
        start = time.process_time()
        work()
        return time.process_time() - start
    def look():
        shipped.cache_clear()
        shipped('models/tiny')
    times = [(took(look), took(StableDiffusion.tiny)) for _ in range(4)][1:]
    assert min(looked for looked, _ in times) < .5*min(loaded for _, loaded in times)
