"""Checkpoints in whole and in pieces, what is said of broken ones, and whose line a warning names."""
import errno
import json
import shutil
import warnings
from pathlib import Path
from unittest.mock import Mock, patch
import httpx
import lessonlib
import pytest
import torch
from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from lessonlib.diffedit import diffedit, sdedit
from lessonlib.scenes import scene
from lessonlib.stable_diffusion import StableDiffusion, new_components

WORDS = 'a horse zebra on grass'.split()
PARTS = 'text_encoder', 'vae', 'unet'


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    small = dict(vae=dict(block_out_channels=(8, 8)), unet=dict(block_out_channels=(8, 8, 8)))
    return StableDiffusion(**new_components(WORDS, **small))


@pytest.fixture(scope='module')
def saved(model, tmp_path_factory):
    "A folder with the model."
    folder = tmp_path_factory.mktemp('saved')
    model.pipe.save_pretrained(folder)
    for name in ('vocab.json', 'merges.txt'):  # what transformers 4 writes beside tokenizer.json
        (folder/'tokenizer'/name).unlink(missing_ok=True)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    "A copy of it that may be broken."
    return shutil.copytree(saved, tmp_path/'checkpoint')


def why_not(path_or_id):
    with pytest.raises(ValueError) as fault:
        StableDiffusion.from_pretrained(path_or_id)
    return str(fault.value)


# ---- weights in shards

def cut(model, folder, variant=None, parts=PARTS):
    "Save the weights of the model once more, in shards."
    for part in parts:
        for file in (folder/part).iterdir():
            file.unlink()
        getattr(model, part).save_pretrained(folder/part, max_shard_size='30kB', variant=variant)


def numbers(sd):
    return {f'{part}.{name}': p for part in PARTS for name, p in getattr(sd, part).named_parameters()}


@pytest.mark.parametrize('parts', [('unet',), PARTS], ids='-'.join)
@pytest.mark.parametrize('variant', [None, 'fp16'])
@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_weights_in_shards(model, folder, parts, variant, dtype):
    cut(model, folder, variant, parts)
    suffix = f'.{variant}' if variant else ''
    index = folder/'unet'/f'diffusion_pytorch_model.safetensors.index{suffix}.json'
    assert index.exists() and len(list((folder/'unet').glob('*.safetensors'))) > 2
    loaded, expected = numbers(StableDiffusion.from_pretrained(folder, dtype=dtype)), numbers(model)
    assert loaded.keys() == expected.keys()
    for name, values in expected.items():
        assert torch.equal(loaded[name], values.to(getattr(torch, dtype))), name


def test_weights_in_both_forms(model, folder, saved):
    cut(model, folder)
    shutil.copytree(saved, folder, dirs_exist_ok=True)
    loaded = numbers(StableDiffusion.from_pretrained(folder))
    assert all(torch.equal(loaded[name], values) for name, values in numbers(model).items())


@pytest.mark.parametrize('part', PARTS)
def test_a_missing_shard_is_named(model, folder, part):
    cut(model, folder, parts=(part,))
    shards = sorted((folder/part).glob('*.safetensors'))
    shards[1].unlink()
    words = why_not(folder)
    assert 'of the shards that' in words and f'it has {len(shards) - 1} of {len(shards)}' in words
    for shard in shards:
        shard.unlink(missing_ok=True)
    assert 'it has 0 of 1' in why_not(folder)


def test_the_index_says_which_shards_there_are(model, folder):
    cut(model, folder, parts=('unet',))
    index = folder/'unet'/'diffusion_pytorch_model.safetensors.index.json'
    settings = json.loads(index.read_text())
    name = next(iter(settings['weight_map']))
    settings['weight_map'][name] = 'elsewhere.safetensors'
    index.write_text(json.dumps(settings))
    words = f'it has no unet/elsewhere.safetensors, which unet/{index.name} names'
    assert words in why_not(folder)
    for broken in ('{"weight_map": [1]}', '{}'):
        index.write_text(broken)
        assert f'its unet/{index.name} holds no weight_map' in why_not(folder)


# ---- broken and missing files are named

JSON_FILES = ['model_index.json', 'scheduler/scheduler_config.json', 'text_encoder/config.json', 'vae/config.json',
              'unet/config.json', 'tokenizer/tokenizer.json', 'tokenizer/tokenizer_config.json']


@pytest.mark.parametrize('content', ['{"torn": ', '', '[]', 'null', b'\xff\xfe\x00'], ids=repr)
@pytest.mark.parametrize('name', JSON_FILES)
def test_a_broken_file_is_named(folder, name, content):
    assert (folder/name).exists()
    (folder/name).write_bytes(content if isinstance(content, bytes) else content.encode())
    words = why_not(folder)
    assert words.startswith(f'path_or_id: cannot use the folder {folder}: its {name} ')
    assert 'cannot be read' in words or 'holds no settings' in words


@pytest.mark.parametrize('name', JSON_FILES[:-1])
def test_a_missing_file_is_named(folder, name):
    (folder/name).unlink()
    assert f'it has no {name}' in why_not(folder)


def test_a_broken_index_is_named(model, folder):
    cut(model, folder, parts=('unet',))
    name = 'unet/diffusion_pytorch_model.safetensors.index.json'
    (folder/name).write_text('{')
    assert f'its {name} cannot be read' in why_not(folder)


@pytest.mark.parametrize('part, name, settings', [
    ('scheduler', 'scheduler/scheduler_config.json', {'beta_schedule': 'wavy'}),
    ('unet', 'unet/config.json', {'block_out_channels': [1, 2, 3]}),
    ('tokenizer', 'tokenizer/tokenizer.json', {'model': 3}),
])
def test_settings_that_cannot_be_used_are_of_a_named_part(folder, part, name, settings):
    (folder/name).write_text(json.dumps(json.loads((folder/name).read_text()) | settings))
    assert f'path_or_id: cannot load {folder}: its {part} cannot be read: ' in why_not(folder)


@pytest.mark.parametrize('part', PARTS)
def test_torn_weights_are_of_a_named_part(folder, part):
    weights, = (folder/part).glob('*.safetensors')
    weights.write_bytes(weights.read_bytes()[:1000])
    assert f'path_or_id: cannot load {folder}: its {part} cannot be read: ' in why_not(folder)


def test_another_kind_of_prediction_is_named(folder):
    name = folder/'scheduler'/'scheduler_config.json'
    name.write_text(json.dumps(json.loads(name.read_text()) | {'prediction_type': 'flow'}))
    words = "scheduler's prediction_type: expected one of epsilon, v_prediction, sample, got 'flow'"
    assert why_not(folder) == f'path_or_id: cannot load {folder}: {words}'


def test_settings_of_other_schedulers_are_taken(folder):
    "Whatever the class: what DDIM knows of it counts, the rest is for others."
    name = folder/'scheduler'/'scheduler_config.json'
    name.write_text(json.dumps({'_class_name': 'Unheard', 'beta_start': .001, 'beta_end': .01, 'karras': True,
                                'num_train_timesteps': 500, 'clip_sample': True}))
    config = StableDiffusion.from_pretrained(folder).scheduler.config
    assert (config.beta_start, config.beta_end, config.num_train_timesteps) == (.001, .01, 500)
    assert not config.clip_sample and config.beta_schedule == 'scaled_linear'


def test_only_the_folders_of_a_checkpoint_are_looked_at(folder):
    "A home folder given by mistake is not walked through."
    with patch.object(Path, 'rglob', side_effect=AssertionError), patch('os.walk', side_effect=AssertionError):
        assert StableDiffusion.from_pretrained(folder).size == 64


# ---- the device and the dtype are no matter of the checkpoint

@pytest.mark.parametrize('options, words', [
    ({'device': 'gpu'}, 'device: expected'), ({'device': 'cuda:99'}, 'device: expected'),
    ({'dtype': 'float17'}, 'dtype: expected'), ({'dtype': 'int32'}, 'dtype: expected'),
    ({'dtype': None}, 'dtype: expected'),
], ids=str)
def test_options_are_named(folder, options, words):
    for load in (StableDiffusion.tiny, lambda **given: StableDiffusion.from_pretrained(folder, **given)):
        with pytest.raises((TypeError, ValueError), match=f'^{words}'):
            load(**options)


@pytest.mark.parametrize('dtype', ['bfloat16', 'float64', torch.bfloat16])
def test_a_dtype_by_its_name(dtype):
    sd = StableDiffusion.tiny(dtype=dtype)
    assert sd.dtype == (dtype if isinstance(dtype, torch.dtype) else getattr(torch, dtype))


# ---- the hub

@pytest.fixture
def hub(tmp_path):
    "A function that asks for a checkpoint of the hub, which lists these files, and downloads by this."
    def hub(names=(), listing=None, download=None):
        listed = Mock(siblings=[Mock(rfilename=name) for name in names])
        info = patch('huggingface_hub.HfApi.model_info', side_effect=listing, return_value=listed)
        answers = [FileNotFoundError, download]
        with info, patch('huggingface_hub.snapshot_download', side_effect=answers) as asked:
            try:
                return StableDiffusion.from_pretrained('owner/name'), asked
            except ValueError as error:
                return str(error), asked
    with patch.object(constants, 'HF_HUB_CACHE', str(tmp_path/'hub')):
        yield hub


UNREACHABLE = [
    ConnectionError('x'), ConnectionRefusedError('x'), TimeoutError('x'), httpx.ConnectError('x'),
    httpx.ReadTimeout('x'), OSError(errno.ENETUNREACH, 'x'), OfflineModeIsEnabled('x'), LocalEntryNotFoundError('x'),
    type('Httpx2Error', (Exception,), dict(__module__='httpx2'))('x'),  # of the client of huggingface_hub 2
]


@pytest.mark.parametrize('error', UNREACHABLE, ids=lambda error: type(error).__name__)
def test_no_way_to_the_hub(hub, saved, error):
    words = f'the hub cannot be reached ({type(error).__name__}): go online'
    assert words in hub(listing=error)[0]
    assert words in hub(files(saved), download=error)[0]


@pytest.mark.parametrize('code', ['ENOSPC', 'EACCES', 'EROFS', 'EIO', 'EDQUOT'])
def test_a_full_disk_is_no_way_to_the_hub(hub, saved, code):
    number = getattr(errno, code)
    words, _ = hub(files(saved), download=OSError(number, 'what is wrong'))
    assert 'path_or_id: owner/name of the hub cannot be written to this disk' in words and 'what is wrong' in words
    assert 'reached' not in words and 'HF_HOME' in words


@pytest.mark.parametrize('error', [HfHubHTTPError('500 Server Error', response=Mock()), RuntimeError('xet: broken')],
                         ids=lambda error: type(error).__name__)
def test_what_else_went_wrong_is_said(hub, saved, error):
    words, _ = hub(files(saved), download=error)
    assert words == f'path_or_id: cannot use the checkpoint owner/name of the hub: {error}'


def files(folder):
    return [path.relative_to(folder).as_posix() for path in folder.rglob('*') if path.is_file()]


def test_shards_are_downloaded(hub, model, folder):
    cut(model, folder, parts=('unet',))
    cut(model, folder, parts=('vae',), variant='fp16')
    names = [*files(folder), 'unet/diffusion_pytorch_model-00001-of-00002.bin', 'unet/other.safetensors']
    sd, asked = hub(names, download=folder)
    wanted = set(asked.call_args.kwargs['allow_patterns'])
    assert sd.size == 64
    used = {name for name in files(folder) if name.split('/')[0] in PARTS}
    assert used <= wanted and not {name for name in wanted if name.endswith('.bin') or 'other' in name}


def test_a_broken_download_is_named(hub, folder):
    (folder/'unet'/'config.json').write_text('{')
    words, _ = hub(files(folder), download=folder)
    assert 'cannot use the checkpoint owner/name of the hub: its unet/config.json cannot be read' in words


# ---- a warning names the line of the user

@pytest.fixture(scope='module')
def sd():
    return StableDiffusion.tiny()


@pytest.fixture(scope='module')
def horse():
    return scene('horse', 'grass', seed=0).image


LONG = 'a horse ' + 'on grass '*7
QUIET = {'num_inference_steps': 2, 'progress': False}
CALLS = {
    'encode_text': lambda sd, image, words: sd.encode_text(words),
    'encode_two': lambda sd, image, words: sd.encode_text(['a horse', words, words]),
    'sample': lambda sd, image, words: sd.sample(words, **QUIET),
    'generate': lambda sd, image, words: sd.generate(words, **QUIET),
    'negative': lambda sd, image, words: sd.generate('a horse', negative_prompt=words, **QUIET),
    'sdedit': lambda sd, image, words: sdedit(sd, image, words, **QUIET),
    'diffedit': lambda sd, image, words: diffedit(sd, image, 'a horse', words, **QUIET),
    'source': lambda sd, image, words: diffedit(sd, image, words, 'a zebra', **QUIET),
}


@pytest.mark.parametrize('words', ['лошадь', 'a unicorn', LONG])
@pytest.mark.parametrize('call', CALLS)
def test_strange_words_are_said_once_at_the_users_line(sd, horse, call, words):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('default')
        CALLS[call](sd, horse, words)
    of_words = [warning for warning in told if str(warning.message).startswith('prompts: ')]
    assert len(of_words) == 1 and repr(words) in str(of_words[0].message)
    line = CALLS[call].__code__.co_firstlineno
    assert [(warning.filename, warning.lineno) for warning in of_words] == [(__file__, line)]


def test_one_loop_is_one_line(sd):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('default')
        for _ in range(3):
            sd.encode_text('a unicorn')
        sd.encode_text('a unicorn')
    assert len(told) == 2


# ---- numbers of the sampler in half precision

def test_guidance_that_overflows_is_refused():
    sd, scale = StableDiffusion.tiny(dtype='bfloat16'), 1e39
    with pytest.raises(ValueError, match='guidance_scale: expected finite numbers'):
        sd.generate('a horse', 2, scale, progress=False)


def test_the_shipped_text_encoder_has_the_usual_names():
    "Stable Diffusion v1's: transformers 4 finds no others, and would begin with random numbers."
    from safetensors import safe_open
    path = Path(lessonlib.__file__).parent/'models'/'tiny'/'text_encoder'/'model.safetensors'
    with safe_open(path, 'pt') as weights: assert all(name.startswith('text_model.') for name in weights.keys())
