"""`lessonlib.nano` beside diffusers and transformers: a full-size model's shapes, older checkpoints, what it needs."""
import json
import re
import shutil
import subprocess
import sys
import diffusers
import pytest
import safetensors.torch
import torch
import transformers
from installed import ROOT
from lessonlib import nano

TINY = ROOT/'lessonlib'/'models'/'tiny'
DOWN, UP = ['CrossAttnDownBlock2D']*3 + ['DownBlock2D'], ['UpBlock2D'] + ['CrossAttnUpBlock2D']*3
V1 = dict(  # the settings of Stable Diffusion v1's config files, those that are not diffusers' own
    unet=dict(act_fn='silu', attention_head_dim=8, block_out_channels=[320, 640, 1280, 1280], cross_attention_dim=768,
              down_block_types=DOWN, up_block_types=UP, downsample_padding=1, flip_sin_to_cos=True, freq_shift=0,
              in_channels=4, out_channels=4, layers_per_block=2, norm_eps=1e-5, norm_num_groups=32, sample_size=64),
    vae=dict(act_fn='silu', block_out_channels=[128, 256, 512, 512], down_block_types=['DownEncoderBlock2D']*4,
             up_block_types=['UpDecoderBlock2D']*4, in_channels=3, out_channels=3, latent_channels=4,
             layers_per_block=2, norm_num_groups=32, sample_size=512),
    text_encoder=dict(hidden_act='quick_gelu', hidden_size=768, intermediate_size=3072, layer_norm_eps=1e-5,
                      max_position_embeddings=77, num_attention_heads=12, num_hidden_layers=12, vocab_size=49408))


def theirs(part):
    "The library's module with Stable Diffusion v1's settings, without numbers."
    with torch.device('meta'):
        if part == 'unet':
            return diffusers.UNet2DConditionModel(**V1[part])
        if part == 'vae':
            return diffusers.AutoencoderKL(**V1[part])
        return transformers.CLIPTextModel(transformers.CLIPTextConfig(**V1[part]))


def shapes(module):
    "Name -> shape of each weight."
    return {nano.renamed(name): tuple(weight.shape) for name, weight in module.named_parameters()}


@pytest.mark.parametrize(('part', 'count'), [('unet', 859_520_964), ('vae', 83_653_863), ('text_encoder', 123_060_480)])
def test_a_full_size_model_builds(part, count):
    with torch.device('meta'):
        ours = nano.PARTS[part](nano.as_config(V1[part], part))
    assert sum(weight.numel() for weight in ours.parameters()) == count
    assert shapes(ours) == shapes(theirs(part))


def test_a_full_size_model_runs_on_shapes():
    with torch.device('meta'):
        unet, vae = (nano.PARTS[part](nano.as_config(V1[part], part)) for part in ('unet', 'vae'))
        latents, text = torch.zeros(2, 4, 64, 64), torch.zeros(2, 77, 768)
        assert unet(latents, torch.zeros(2), text).shape == latents.shape
        assert vae.encode(torch.zeros(2, 3, 512, 512)).shape == latents.shape
        assert vae.decode(latents).shape == (2, 3, 512, 512)


@pytest.fixture
def small():
    "A random VAE with attention in its middle and two blocks a level, as the large ones have."
    torch.manual_seed(0)
    config = V1['vae'] | dict(block_out_channels=[8, 16], down_block_types=['DownEncoderBlock2D']*2, layers_per_block=2,
                              up_block_types=['UpDecoderBlock2D']*2, norm_num_groups=4)
    return config, diffusers.AutoencoderKL(**config).eval()


@torch.no_grad()
def test_attention_in_the_autoencoder(small):
    config, vae = small
    ours = nano.load_weights(nano.VAE(nano.as_config(config, 'vae')), vae.state_dict(), 'vae')
    x, z = torch.rand(2, 3, 16, 24)*2 - 1, torch.randn(2, 4, 8, 12)
    torch.testing.assert_close(ours.encode(x), vae.encode(x).latent_dist.mode()*.18215, atol=1e-5, rtol=0)
    torch.testing.assert_close(ours.decode(z*.18215), vae.decode(z).sample, atol=1e-5, rtol=0)


def test_older_names_are_found(small):
    config, vae = small
    older = {'to_q': 'query', 'to_k': 'key', 'to_v': 'value', 'to_out.0': 'proj_attn'}
    tensors = {re.sub('|'.join(older), lambda found: older[found.group()], name): weight
               for name, weight in vae.state_dict().items()}
    assert tensors.keys() != vae.state_dict().keys()
    ours = nano.load_weights(nano.VAE(nano.as_config(config, 'vae')), tensors, 'vae')
    assert all(torch.equal(weight, vae.state_dict()[name]) for name, weight in ours.state_dict().items())


def test_position_ids_are_no_weight():
    tensors = safetensors.torch.load_file(TINY/'text_encoder'/'model.safetensors')
    tensors['text_model.embeddings.position_ids'] = torch.arange(16)[None]
    config = nano.as_config(json.loads((TINY/'text_encoder'/'config.json').read_text()), 'text_encoder')
    nano.load_weights(nano.TextEncoder(config), tensors, 'text_encoder')
    with pytest.raises(ValueError, match='the file has too much 1: position_ids'):
        nano.load_weights(nano.TextEncoder(config), tensors | dict(position_ids=torch.arange(3)), 'text_encoder')


def test_the_older_form_of_a_tokenizer(tmp_path):
    "vocab.json and merges.txt, the pad token with its settings."
    model = json.loads((TINY/'tokenizer'/'tokenizer.json').read_text())['model']
    (tmp_path/'vocab.json').write_text(json.dumps(model['vocab']))
    merges = [merge if isinstance(merge, str) else ' '.join(merge) for merge in model['merges']]
    (tmp_path/'merges.txt').write_text('\n'.join(['#version: 0.2', *merges]))
    config = dict(model_max_length=16, pad_token=dict(content='<|endoftext|>', special=True))
    (tmp_path/'tokenizer_config.json').write_text(json.dumps(config))
    texts = ['a horse on grass', 'a horsefly', '', *(token.removesuffix('</w>') for token in model['vocab'])]
    assert torch.equal(nano.load_tokenizer(tmp_path)(texts), nano.load_tokenizer(TINY/'tokenizer')(texts))


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.float16])
def test_weights_of_any_float(tmp_path, dtype):
    tensors = dict(a=torch.randn(3, 4).to(dtype), b=torch.tensor(2.).to(dtype))
    safetensors.torch.save_file(tensors, tmp_path/'x.safetensors', metadata=dict(format='pt'))
    found = nano.read_safetensors(tmp_path/'x.safetensors')
    assert found.keys() == tensors.keys() and all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_a_file_that_was_cut_is_named(tmp_path):
    whole = TINY/'vae'/'diffusion_pytorch_model.safetensors'
    shutil.copytree(TINY, tmp_path/'cut')
    (tmp_path/'cut'/'vae'/whole.name).write_bytes(whole.read_bytes()[:-1000])
    with pytest.raises(ValueError, match='vae.*cannot be read as safetensors'):
        nano.Nano.load(tmp_path/'cut')


def test_it_needs_torch_alone():
    "Loading a model and asking it, with every other package of the environment forbidden."
    code = f'''
import sys
import torch
torch.set_num_threads(1)
FORBIDDEN = 'numpy', 'safetensors', 'diffusers', 'transformers', 'tokenizers', 'PIL', 'numba', 'matplotlib'
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in FORBIDDEN: raise ImportError(name)
before = set(sys.modules)
sys.meta_path.insert(0, Nothing())
from lessonlib.nano import Nano, find_mask
model = Nano.load({str(TINY)!r})
found = find_mask(model, torch.rand(1, 3, 32, 32), 'a horse', 'a zebra', torch.randn(1, 4, 8, 8))
assert found.shape == (32, 32) and found.isfinite().all()
print(sorted({{name.partition('.')[0] for name in set(sys.modules) - before}} - set(sys.stdlib_module_names)))
'''
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout.replace("'", '"'))) <= {'lessonlib', 'torch'}


def test_it_can_be_read():
    "Lines of code: the comments that mark a cell and the list of names are nbdev's."
    text = (ROOT/'lessonlib'/'nano.py').read_text(encoding='utf-8')
    text = re.sub(r'__all__ = \[.*?\]', '', text, flags=re.S)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith('# ')]
    widths = sorted(map(len, lines))
    assert len(lines) <= 500 and widths[-1] <= 120 and widths[len(lines)//2] < 100
