"""The commands as a shell runs them: no input is lost, no terminal, disk or Ctrl-C ends them in a traceback."""
import errno, json, os, signal, subprocess, sys, time
from pathlib import Path
import pytest, torch
from PIL import Image
from lessonlib import commands
from lessonlib.scenes import scene

WORDS = '--source', 'a horse', '--target', 'a zebra', '--steps', '1', '--num-maps', '1'
# Runs a command of the package as its script would, and tells when it has begun.
BEGIN = 'import sys; from lessonlib import commands'
END = 'sys.exit(getattr(commands, sys.argv.pop(1))())'
SCRIPT = f"{BEGIN}; print('begun', flush=True); {END}"


@pytest.fixture(scope='module')
def horse(): return scene('horse', 'sand', seed=10_000_013).image


@pytest.fixture(scope='module')
def model():
    from lessonlib.stable_diffusion import StableDiffusion
    return StableDiffusion.tiny()


@pytest.fixture
def loaded(model, monkeypatch):
    "The model is there, and each picture is done at once: the files are real, what they show is not."
    def files(sd, image, source, target, folder, **options):
        grey, mask = Image.new('RGB', image.size, 'grey'), torch.ones(image.size[::-1]) > 0
        return commands.write_pictures(dict.fromkeys(('all-steps', '01-picture', 'mask', 'edit'), grey), folder), mask
    monkeypatch.setattr(commands, '_load_model', lambda *args: model)
    monkeypatch.setattr(commands, 'diffedit_files', files)


@pytest.fixture
def files(tmp_path, horse, monkeypatch):
    "A function that writes the horse to each of some paths, in a folder of its own; they are all different."
    monkeypatch.chdir(tmp_path)
    def write(*names):
        for i, name in enumerate(names):
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            picture = horse.copy()
            picture.putpixel((0, 0), (i, 0, 0))
            picture.save(name, format='png')
        return list(names)
    return write


def start(command, *argv, **options):
    "A process that runs a command, and has begun."
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, '-c', SCRIPT, command, *argv], stdin=subprocess.DEVNULL,
                               stdout=pipe, stderr=pipe, bufsize=0, **options)     # no line is read ahead
    assert process.stdout.readline() == b'begun\n'
    return process


def run(command, *argv, env=None, **options):
    "Exit status, and what a command says on both streams, as bytes."
    process = start(command, *argv, env=os.environ | (env or {}), **options)
    out, err = process.communicate(timeout=120)
    assert b'Traceback' not in out + err, err.decode(errors='replace')
    return process.returncode, out, err


# No output path is ever an input

def link(target, name):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).symlink_to(Path(target).absolute())


def put_elsewhere(name, target):
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    link(Path(name).rename(target), name)


def link_folders():
    Path('out/cat').mkdir(parents=True)
    link('out/cat', 'out/dog')


def hard_link(target, name):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).hardlink_to(target)


# name -> the pictures, in the order in which they are given; what else is made before
PLACES = {
    'in the folder of its own name': (['out/mask/mask.png'], None),
    'the edit, edited again': (['out/edit/edit.png'], None),
    'another picture in the folder': (['cat.png', 'out/cat/edit.png'], None),
    'named by way of the folder above': (['out/mask/../mask/mask.png'], None),
    'a link to a picture in the folder': (['p.png'], lambda: put_elsewhere('p.png', 'out/p/mask.png')),
    'a link in the folder': (['p.png'], lambda: link('p.png', 'out/p/mask.png')),
    'a hard link in the folder': (['p.png'], lambda: hard_link('p.png', 'out/p/mask.png')),
    'the folder is a link': (['photos/edit.png'], lambda: link('photos', 'out/edit')),
    'the picture is where the folder would be': (['out/cat'], None),
    'dots': (['out/..png', 'out/...png'], None),
    'one name in two folders': (['cat-3.png', 'cat.png', 'other/cat.png'], None),
    'capitals': (['a/Cat.png', 'b/cat.png'], None),
    'two forms of a letter': (['a/\u00e9.png', 'b/e\u0301.png'], None),
    'two folders that are one': (['cat.png', 'dog.png'], link_folders)}


@pytest.mark.parametrize('place', PLACES)
def test_no_picture_is_written_over(place, files, loaded, capsys):
    names, prepare = PLACES[place]
    files(*names)
    if prepare: prepare()
    before = {name: Path(name).read_bytes() for name in names}
    assert commands.diffedit_command([*names, *WORDS, '--out', 'out']) == 0, capsys.readouterr()
    assert {name: Path(name).read_bytes() for name in names} == before
    made = [path.resolve() for path in Path('out').glob('*/all-steps.png')]
    assert len(set(made)) == len(names) and all(path.is_relative_to(Path('out').resolve()) for path in made)
    told = capsys.readouterr().out
    assert all(f'{name}: 128x128 px' in told for name in names)


def test_folders_differ_on_any_disk():
    "Also on those that leave capitals, the form of a letter, or dots at the end out of account."
    pairs = [('Cat', 'cat'), ('\u00e9', 'e\u0301'), ('stra\u00dfe', 'STRASSE'), ('cat.', 'cat'), ('cat ', 'cat')]
    for pair in [(f'{a}.png', f'{b}.png') for a, b in pairs]:
        names = [path.name for path in commands._folders(pair, 'nowhere')]
        assert names[1].endswith('-2'), names


def test_a_folder_for_a_picture_that_is_not_there_yet(files, loaded, capsys):
    files('a.png')
    assert commands.diffedit_command(['a.png', 'out/a/edit.png', *WORDS, '--out', 'out']) == 1
    assert sorted(path.name for path in Path('out').iterdir()) == ['a-2']


def test_one_picture_given_twice(files, loaded, capsys):
    files('a/cat.png')
    link('a/cat.png', 'b/cat.png')
    given = ['a/cat.png', 'a/cat.png', './a/cat.png', 'b/cat.png']
    assert commands.diffedit_command([*given, *WORDS, '--out', 'out']) == 0
    assert [path.name for path in Path('out').iterdir()] == ['cat']
    out, err = capsys.readouterr()
    assert out.count('the mask covers') == 1
    assert 'note: b/cat.png is the same file as a/cat.png, which is edited once\n' in err


def test_earlier_results_are_replaced_and_other_files_stay(files, loaded, capsys):
    files('cat.png', 'out/cat/mask.png')
    Path('out/cat/notes.txt').write_text('mine')
    earlier = Path('out/cat/mask.png').read_bytes()
    assert commands.diffedit_command(['cat.png', *WORDS, '--out', 'out']) == 0
    assert Path('out/cat/notes.txt').read_text() == 'mine' and Path('out/cat/mask.png').read_bytes() != earlier
    assert [path.name for path in Path('out').iterdir()] == ['cat']


# Any terminal

@pytest.mark.parametrize('encoding', ['latin-1', 'ascii', 'utf-8:strict'])
def test_names_that_the_terminal_cannot_show(encoding, files):
    files('\U0001f40e.png', os.fsdecode(b'caf\xe9\xff.png'))
    Path('\u043b\u043e\u0448\u0430\u0434\u044c.png').write_text('no picture')
    argv = ['\U0001f40e.png', os.fsdecode(b'caf\xe9\xff.png'), '\u043b\u043e\u0448\u0430\u0434\u044c.png', *WORDS]
    env = {'PYTHONIOENCODING': encoding}
    status, out, err = run('diffedit_command', *argv, '--out', 'caf\u00e9 \U0001f40e', env=env)
    assert (status, out.count(b'the mask covers')) == (1, 2)
    assert b'1 of 3 pictures failed' in err and (b'\\U0001f40e' in out) == (not encoding.startswith('utf'))
    assert len(list(Path('caf\u00e9 \U0001f40e').iterdir())) == 2


def test_lessons_into_a_folder_that_the_terminal_cannot_show(tmp_path):
    env = {'PYTHONIOENCODING': 'latin-1'}
    assert run('notebooks_command', tmp_path/'\U0001f40e', env=env)[0] == 0
    status, out, err = run('notebooks_command', tmp_path/'\U0001f40e', env=env)
    assert status == 1 and b'\\U0001f40e' in out and b'There already' in err


# Ctrl-C

@pytest.mark.parametrize('delay', [.05, .4, 1.2, 2.5])
def test_stopped_while_it_loads(delay, files):
    files('a.png')
    process = start('diffedit_command', 'a.png', *WORDS[:-1], '1000', '--out', 'out')
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and out == b'', err
    assert b'\nStopped. Pictures that were done are whole; of the others there is nothing.\n' in err
    assert b'Traceback' not in err and b'KeyboardInterrupt' not in err, err
    assert not list(Path('out').iterdir()) if Path('out').exists() else True


@pytest.mark.parametrize('command, argv', [('train_command', ['--folder', 'here']), ('_demo_command', [])])
def test_stopped_while_it_imports(command, argv, tmp_path):
    process = start(command, *argv, cwd=tmp_path)
    time.sleep(.7)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err.startswith(b'\nStopped.') and err.count(b'\n') == 2, err


def test_an_interrupt_that_a_library_turns_into_another_error(files, monkeypatch, capsys):
    files('a.png')
    def load(*args):
        try: os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt as stop: raise ImportError('numpy could not be imported') from stop
    monkeypatch.setattr(commands, '_load_model', load)
    handler = signal.getsignal(signal.SIGINT)
    assert commands.diffedit_command(['a.png', *WORDS, '--out', 'out']) == 130
    assert capsys.readouterr().err.startswith('\nStopped.') and signal.getsignal(signal.SIGINT) is handler


# lessonlib-notebooks

@pytest.mark.skipif(os.name == 'nt', reason='the words are quoted for another shell')
@pytest.mark.parametrize('name', ['lessons', 'my lessons', "it's mine", '$HOME', 'a;b', '"', '~x'])
def test_the_command_that_is_told_works(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path/'bin').mkdir()
    (tmp_path/'bin'/'jupyter').write_text(f'#!{sys.executable}\nimport sys\nprint(sys.argv[1:])\n')
    (tmp_path/'bin'/'jupyter').chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path/'bin'), prepend=os.pathsep)
    assert commands.notebooks_command([name]) == 0
    told = capsys.readouterr().out.splitlines()[-1].removeprefix('Next: ')
    found = subprocess.run(told, shell=True, capture_output=True, text=True, check=True).stdout
    assert found == f'{["lab", f"--notebook-dir={name}"]}\n'
    assert Path(name, 'index.ipynb').exists()


@pytest.mark.parametrize('place', ['jupyter', 'taken'])
def test_copies_with_outputs_are_signed_or_it_is_told(place, tmp_path):
    "Where Jupyter's folder cannot be made the copies are there all the same."
    from nbformat import read
    from nbformat.sign import NotebookNotary
    (tmp_path/'taken').write_text('a file')
    home = {f'JUPYTER_{name}_DIR': str(tmp_path/place) for name in ('DATA', 'CONFIG', 'RUNTIME')}
    env = home | {'HOME': str(tmp_path/'home')}
    status, out, err = run('notebooks_command', tmp_path/'lessons', '--outputs', env=env)
    copies = list((tmp_path/'lessons').rglob('*.ipynb'))
    assert status == 0 and out.startswith(b'Copied to ') and (tmp_path/'lessons'/'03_diffedit_mask.ipynb') in copies
    assert not (tmp_path/'home').exists() and (tmp_path/'taken').read_text() == 'a file'
    if place == 'taken':
        assert err.startswith(b'The copies are not signed (') and err.count(b'\n') == 1, err
        return
    assert err == b''
    with NotebookNotary(data_dir=str(tmp_path/place)) as notary:
        assert all(notary.check_signature(read(path, 4)) for path in copies)


def test_words_are_quoted_for_the_shell_of_windows():
    line = commands._shell_line('jupyter', 'lab', '--notebook-dir=my lessons', windows=True)
    assert line == 'jupyter lab "--notebook-dir=my lessons"'


@pytest.mark.parametrize('name', ['images', 'posts'])
@pytest.mark.parametrize('make', [Path.write_text, lambda path, text: path.symlink_to(text)])
def test_a_file_where_a_folder_is_wanted(name, make, tmp_path, capsys):
    make(tmp_path/name, 'nothing')
    assert commands.notebooks_command([str(tmp_path)]) == 2
    assert f'DIR: expected a folder, or nothing yet, at {tmp_path/name}, got something else' in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [name]


# Too much

@pytest.mark.parametrize('count', ['1000000000', '1001', '0', '-1', '1e3', 'nan', '9'*5000])
def test_too_many_maps_are_refused_at_once(count, files, capsys, monkeypatch):
    monkeypatch.setattr(commands, '_load_model', None)
    files('a.png')
    assert commands.diffedit_command(['a.png', *WORDS[:-1], count, '--out', 'out']) == 2
    assert 'argument --num-maps: expected a whole number in [1, 1000], got ' in capsys.readouterr().err


def full(*args, **options): raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_named(files, loaded, capsys, monkeypatch):
    files('a.png', 'b.png', 'out/b/mask.png')
    before, save, saved = Path('out/b/mask.png').read_bytes(), Image.Image.save, []
    def save_some(*args, **options):
        saved.append(1)
        return full() if len(saved) % 3 == 0 else save(*args, **options)
    monkeypatch.setattr(Image.Image, 'save', save_some)
    assert commands.diffedit_command(['a.png', 'b.png', *WORDS, '--out', 'out']) == 1
    err = capsys.readouterr().err
    for name in 'a', 'b': assert f'{name}.png: cannot write to the folder out/{name}: No space left on device' in err
    assert [str(path) for path in Path('out').rglob('*')] == ['out/b', 'out/b/mask.png']
    assert Path('out/b/mask.png').read_bytes() == before


def test_a_disk_that_ends_in_the_middle_of_a_file(files):
    files('a.png')
    resource = pytest.importorskip('resource')
    def limit(): resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
    status, out, err = run('diffedit_command', 'a.png', *WORDS, '--out', 'out', preexec_fn=limit)
    assert status == 1 and b'a.png: cannot write to the folder out/a: File too large' in err
    assert list(Path('out').iterdir()) == []


@pytest.mark.parametrize('writer', [(commands.shutil, 'copyfile'), (commands.Path, 'write_text')])
def test_a_full_disk_for_the_lessons(writer, tmp_path, monkeypatch, capsys):
    "Pictures are copied, notebooks are written anew: what was whole stays, what failed leaves nothing."
    monkeypatch.setattr(*writer, full)
    assert commands.notebooks_command([str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert 'DIR: cannot write ' in err and err.endswith('No space left on device. What was copied is whole.\n')
    written = [path for path in tmp_path.rglob('*') if path.is_file()]
    for path in written: json.loads(path.read_text(encoding='utf-8'))
    assert writer[1] == 'copyfile' or written == []


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='no /dev/full here')
@pytest.mark.parametrize('buffer', ['', '1'])
def test_output_to_a_full_disk(buffer, tmp_path, monkeypatch):
    monkeypatch.setenv('PYTHONUNBUFFERED', buffer)
    command = [sys.executable, '-c', f'{BEGIN}; {END}', 'notebooks_command', 'lessons']
    with open('/dev/full', 'w') as nowhere:
        done = subprocess.run(command, cwd=tmp_path, stdout=nowhere, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and done.stderr == 'cannot write the output: No space left on device\n', done.stderr


def test_a_reader_who_goes_away(tmp_path):
    process = start('notebooks_command', 'lessons', cwd=tmp_path)
    process.stdout.close()
    assert process.stderr.read() == b'' and process.wait(60) == 1
    process.stderr.close()


# Anything else

OUT = [*WORDS, '--out', 'out']
NOTHING = [
    [], ['a.png'], [*OUT],
    *(['a.png', *WORDS, '--out', out] for out in ('', 'a.png', 'a.png/b', 'x'*300, 'a\0b')),
    *(['a.png', *OUT, '--device', device] for device in ('gpu', 'meta', 'cuda:99', '')),
    *(['a.png', *OUT, '--model', model] for model in ('nowhere', '', '~no-such-user/x', 'a.png', 'a\0b', '.')),
    *(['a.png', *OUT, '--strength', number] for number in ('nan', '0', '1.1', 'half')),
    *(['a.png', *OUT, '--guidance-scale', number] for number in ('nan', 'inf', '-1')),
    *(['a.png', *OUT, '--method', method] for method in ('best', 'Guided', '', 'a\udcff')),
    ['a.png', *OUT, '--threshold', 'nan'],
    ['a.png', *OUT, '--steps', '1001'], ['a.png', *OUT, '--seed', '-1'], ['a.png', *OUT, '--seed', str(2**64)],
    ['a.png', *OUT, '--threshold', '1.1'], ['a.png', *OUT, '--size', '15'], ['a.png', *OUT, '--size', '64.5'],
    ['a.png', '--source', 'a\udcff', '--target', 'b', '--out', 'out'],
    ['a.png', '--source', 'a horse', '--target', ' a  horse ', '--out', 'out']]


@pytest.mark.parametrize('argv', NOTHING)
def test_what_cannot_be_begun(argv, files, capsys):
    files('a.png')
    assert commands.diffedit_command(argv) == 2
    assert 'lessonlib-diffedit: error: ' in capsys.readouterr().err


def test_pictures_that_are_none(files, loaded, capsys):
    files('a.png')
    Path('torn.png').write_bytes(Path('a.png').read_bytes()[:2000])
    Path('words.png').write_text('no picture')
    Path('empty.png').touch()
    names = ['torn.png', 'words.png', 'empty.png', '.', '', 'none.png', 'x'*300, 'a\0b', 'a.png/b']
    assert commands.diffedit_command([*names, 'a.png', *WORDS, '--out', 'out']) == 1
    err = capsys.readouterr().err
    assert err.count('IMAGE: expected a picture file, got ') == 9 and '9 of 10 pictures failed' in err
    assert [path.name for path in Path('out').iterdir()] == ['a']


@pytest.mark.parametrize('argv', [*(['--folder', name] for name in ('file', '', 'a\0b', 'x'*300)),
                                  ['--folder', 'here', '--out', 'file']])
def test_a_training_that_cannot_be_written(argv, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path('file').touch()
    monkeypatch.setattr('lessonlib.training.train', None)
    assert commands.train_command(argv) == 2
    assert f'lessonlib-train: error: {argv[-2]}: ' in capsys.readouterr().err


def test_a_command_begins_before_large_libraries_are_imported():
    "So that Ctrl-C is heard from the start. A name that brings them along comes when it is asked for."
    code = '''
import sys
import lessonlib.commands
assert not {'torch', 'numpy', 'PIL', 'matplotlib'} & sys.modules.keys()
from lessonlib.commands import read_picture
from lessonlib import inputs
assert read_picture is inputs.read_picture and not hasattr(lessonlib.commands, 'write_picture')
'''
    subprocess.run([sys.executable, '-c', code], check=True)
