"""Two processes train together as one does: through torchrun, on this machine's processor."""
import json, os, re, subprocess, sys
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
length = dict(steps=None, minutes=.1) if way == 'minutes' else dict(steps={STEPS})
if way == 'half': length['stop_at'] = {STEPS//2}
fit(model, loss, batch=32, lr=4e-3, folder=sys.argv[1], warmup=5, ema=.9, save_every=10, progress=False,
    accelerator=accelerator, muon=optimizer == 'muon', **length)
checksum = sum(p.double().sum() for p in model.parameters()).item()
print(f'processes {{accelerator.num_processes}} {{checksum}}\\n', end='', flush=True)    # in one piece
accelerator.end_training()
'''
# The same gradients in each process: three steps of Muon alone, and three whose products the processes share.
SHARED = '''
import copy, torch
from lessonlib.training import new_accelerator, new_text_to_noise
from lessonlib.engine import MuonAdamW
torch.set_num_threads(1)
accelerator = new_accelerator()
alone, _, _ = new_text_to_noise(block_out_channels=(16, 16, 32))
shared = copy.deepcopy(alone)
optimizers = MuonAdamW(alone.parameters(), .1), MuonAdamW(shared.parameters(), .1, accelerator)
numbers = torch.Generator().manual_seed(0)
pairs = list(zip(alone.parameters(), shared.parameters()))
before = [p.detach().clone() for p in alone.parameters()]
for step in range(3):
    for p, q in pairs:
        p.grad = torch.empty_like(p).normal_(generator=numbers)
        q.grad = p.grad.clone()
    for optimizer in optimizers: optimizer.step()
moved = min((p - old).abs().max().item() for p, old in zip(alone.parameters(), before))
apart = max((p - q).abs().max().item() for p, q in pairs)
lengths = [len(run) for run in optimizers[1].runs]
print(f'processes {accelerator.num_processes} {lengths} {apart} {moved}\\n', end='', flush=True)
accelerator.end_training()
'''


def told(*command):
    "What the processes of a script tell, and no more than one thread for each."
    one_thread = os.environ | {'OMP_NUM_THREADS': '1'}
    done = subprocess.run([sys.executable, *command], text=True, capture_output=True, timeout=600, env=one_thread)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.split(maxsplit=2)[1:] for line in done.stdout.splitlines() if line.startswith('processes')]


def train(folder, way, optimizer, *launcher):
    folder.mkdir(exist_ok=True)
    (folder/'script.py').write_text(SCRIPT)
    found = told(*launcher, folder/'script.py', folder/'run', way, optimizer)
    return found, [json.loads(line) for line in open(folder/'run'/'log.jsonl')]


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


@pytest.mark.slow
@pytest.mark.parametrize('processes', [2, 3])
def test_shared_products_make_the_step_of_one_process(tmp_path, processes):
    "With a share left out its weights would stay where they are."
    (tmp_path/'script.py').write_text(SHARED)
    found = told(*TORCHRUN[:-1], str(processes), tmp_path/'script.py')
    assert [int(n) for n, _ in found] == [processes]*processes
    for _, words in found:
        lengths, apart, moved = re.fullmatch(r'(\[.+\]) (\S+) (\S+)', words).groups()
        assert float(apart) < 1e-5 < 1e-2 < float(moved), words
        lengths = json.loads(lengths)
        assert len(lengths) == processes and max(lengths) < 1.2*sum(lengths)/processes


@pytest.mark.slow
@pytest.mark.parametrize('first, then', [((), TORCHRUN), (TORCHRUN, ())], ids=['one, then two', 'two, then one'])
def test_a_run_goes_on_with_another_number_of_processes(tmp_path, first, then):
    _, before = train(tmp_path/'run', 'half', 'muon', *first)
    found, log = train(tmp_path/'run', 'steps', 'muon', *then)
    assert len({checksum for _, checksum in found}) == 1  # the same weights in all
    assert [line['step'] for line in before] == [10, 20] and log[:2] == before
    assert [line['step'] for line in log] == [10, 20, 30, 40]
    assert log[3]['loss'] < log[2]['loss'] < log[1]['loss'] < .9*log[0]['loss'], log
