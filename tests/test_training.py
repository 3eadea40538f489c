"""Two processes train together as one does: through torchrun, on this machine's processor."""
import json, os, subprocess, sys
import pytest

STEPS = 40
TORCHRUN = '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', '2'
# Trains the smallest UNet on made-up latents and writes the log; the processes tell how many they are.
SCRIPT = f'''
import sys, torch
from functools import partial
from lessonlib.training import Captions, fit, new_accelerator, new_text_to_noise, noise_loss
torch.set_num_threads(1)
accelerator = new_accelerator()
model, tokenizer, scheduler = new_text_to_noise(block_out_channels=(16, 16, 32))
patches = torch.randn(64, 4, 4, 4, generator=torch.Generator().manual_seed(0))
patches = patches.repeat_interleave(4, 2).repeat_interleave(4, 3)
numbers = torch.tensor([[i % 34, -1, i % 14] for i in range(64)])
loss = partial(noise_loss, latents=patches, numbers=numbers, captions=Captions(tokenizer),
               alphas=scheduler.alphas_cumprod)
way, optimizer = sys.argv[2:]
length = dict(steps={STEPS}) if way == 'steps' else dict(steps=None, minutes=.1)
fit(model, loss, batch=32, lr=4e-3, folder=sys.argv[1], warmup=5, ema=.9, save_every=10, progress=False,
    accelerator=accelerator, muon=optimizer == 'muon', **length)
checksum = sum(p.double().sum() for p in model.parameters()).item()
print('processes', accelerator.num_processes, checksum, flush=True)
accelerator.end_training()
'''


def train(folder, way, optimizer, *launcher):
    folder.mkdir()
    (folder/'script.py').write_text(SCRIPT)
    command = [sys.executable, *launcher, folder/'script.py', folder/'run', way, optimizer]
    one_thread = os.environ | {'OMP_NUM_THREADS': '1'}
    done = subprocess.run(command, text=True, capture_output=True, timeout=600, env=one_thread)
    assert done.returncode == 0, done.stdout + done.stderr
    told = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith('processes')]
    return told, [json.loads(line) for line in open(folder/'run'/'log.jsonl')]


@pytest.mark.slow
@pytest.mark.parametrize('optimizer', ['adamw', 'muon'])
def test_two_processes_train_as_one(tmp_path, optimizer):
    alone, log = train(tmp_path/'one', 'steps', optimizer)
    both, log_of_two = train(tmp_path/'two', 'steps', optimizer, *TORCHRUN)
    assert [n for n, _ in alone] == ['1'] and [n for n, _ in both] == ['2', '2']
    assert both[0][1] == both[1][1]  # the same weights in both
    for one, two in zip(log, log_of_two, strict=True):
        assert one['step'] == two['step'] and two['loss'] == pytest.approx(one['loss'], rel=.15), (one, two)
    assert log[-1]['loss'] < .9 * log[0]['loss']


@pytest.mark.slow
def test_two_processes_stop_at_the_same_step_when_their_minutes_are_over(tmp_path):
    both, log = train(tmp_path/'two', 'minutes', 'muon', *TORCHRUN)
    assert len(both) == 2 and both[0] == both[1]  # as many processes, the same weights
    assert log[-1]['seconds'] >= 6 and log[-1]['step'] > 3
