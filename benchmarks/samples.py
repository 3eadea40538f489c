"""What the model draws, in the opinion of the judge that ships beside it, and how well its autoencoder keeps pictures.

    python benchmarks/samples.py                     # the shipped model, 4 samples of each subject
    python benchmarks/samples.py --seed 500000       # other noise
    python benchmarks/samples.py --model DIR --each 1

The judge looks at 64 x 64 px: larger pictures are averaged down. Its own accuracy, on scenes that it was not trained
on, stands first; then the autoencoder's round trip, at the model's size. The same numbers on every run.
"""
import argparse, collections, time
from lessonlib.stable_diffusion import StableDiffusion
from lessonlib.training import Judge, judge_accuracy, psnr, recognised

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('--model', help='folder of a Stable Diffusion v1/v2 model; the shipped one without')
parser.add_argument('--each', type=int, default=4, help='samples of each subject')
parser.add_argument('--guidance-scale', type=float, default=5.)
parser.add_argument('--steps', type=int, default=25)
parser.add_argument('--seed', type=int, default=0, help='of the noise that the samples begin with')
args = parser.parse_args()

start, judge = time.perf_counter(), Judge.load()
sd = StableDiffusion.from_pretrained(args.model) if args.model else StableDiffusion.tiny()
for drawing in ('seen', 'unseen'):
    subject, background = judge_accuracy(judge, 680, drawing=drawing)
    print(f'judge on {drawing} drawings: subject {subject:.1%}, background {background:.1%} of 680 scenes')
for drawing in ('seen', 'unseen'):
    print(f'autoencoder, {drawing} drawings: {psnr(sd.vae, 128, drawing=drawing):.1f} dB')
subject, background, confused = recognised(sd, judge, args.each, args.guidance_scale, args.steps, args.seed)
print(f'samples: subject recognised in {subject:.1%}, background in {background:.1%} of {34 * args.each} '
      f'(guidance {args.guidance_scale:g}, {args.steps} steps, {sd.size} px, seed {args.seed})')
for (said, found), times in collections.Counter(confused).most_common():
    print(f'  {said} taken for {found}: {times}')
print(f'{time.perf_counter() - start:.0f} s')
