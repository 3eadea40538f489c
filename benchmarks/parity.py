"""Mask and edit beside diffusers' deprecated DiffEdit pipeline, on the same weights: time, UNet samples, memory.

    python benchmarks/parity.py
    python benchmarks/parity.py --quick

Mask: `diffedit_mask` against `generate_mask` (n = 10), and against the bare cost of one encoding and 2n UNet samples.
Edit: encoding and masked decoding (strength .8, 50 steps) against `invert` and `__call__`. CPU time of one thread. How
well the masks fit is another part: sweep.py.
"""
from pairs import asked, in_turn, peak_memory

TITLE = 'Mask and edit beside diffusers\' DiffEdit pipeline'


def ways(steps):
    "Name -> (ours, theirs): functions without arguments; and the model."
    import torch
    from lessonlib.diffedit import ddim_encode, masked_decode
    from lessonlib.diffedit_mask import diffedit_mask
    from lessonlib.scenes import scene
    from lessonlib.stable_diffusion import StableDiffusion, diffedit_pipeline
    sd, s = StableDiffusion.tiny(), scene('horse', 'grass', seed=10_000_003)
    old, words = diffedit_pipeline(sd), ('a horse', 'a zebra')
    mask = torch.tensor(s.mask)[::sd.factor, ::sd.factor]
    noised = torch.randn(20, 4, *mask.shape, generator=torch.Generator().manual_seed(0))
    def noise(): return torch.Generator().manual_seed(0)

    @torch.no_grad()
    def bare():
        sd.encode_image(s.image)
        sd.unet(noised, 500, sd.encode_text(list(words)).repeat_interleave(10, 0))

    def our_mask(): return diffedit_mask(sd, s.image, *words, generator=noise(), progress=False).pixel_mask
    def their_mask(): return old.generate_mask(s.image, words[1], source_prompt=words[0], generator=noise())

    def our_edit():
        encoded = ddim_encode(sd, sd.encode_image(s.image), num_inference_steps=steps, progress=False)
        return masked_decode(sd, encoded, mask, words[1], progress=False)

    def their_edit():
        path = old.invert(words[0], s.image, num_inference_steps=steps, generator=noise()).latents
        return old(words[1], mask[None, None].float(), path, num_inference_steps=steps, output_type='latent')

    return {'mask of generate_mask, n = 10': (our_mask, their_mask),
            'mask of one encoding and 20 samples': (our_mask, bare),
            'edit of invert and __call__, strength .8, 50 steps': (our_edit, their_edit)}, sd


def beside(name, pairs, steps):
    "What one comparison costs on both sides."
    found, sd = ways(steps)
    ours, theirs = found[name]
    samples = []
    for way in ours, theirs:
        counts, hook = asked(sd.unet)
        way()
        hook.remove()
        samples.append(sum(counts))
    return dict(time=in_turn(ours, theirs, pairs), samples=samples, memory=[peak_memory(ours), peak_memory(theirs)])


def work(quick):
    "(name, function) of each piece."
    pairs = {'mask of generate_mask, n = 10': 15, 'mask of one encoding and 20 samples': 15,
             'edit of invert and __call__, strength .8, 50 steps': 7}
    for name, count in pairs.items():
        yield name, lambda name=name, count=count: beside(name, 2 if quick else count, 4 if quick else 50)


def tables(found):
    "[(words, rows)]"
    rows = []
    for name, one in found.items():
        row = {'ours of theirs': name, 'time': one['time'], 'UNet samples': ' of '.join(map(str, one['samples']))}
        ours, theirs = one['memory']
        row['most memory beyond the model'] = f'{ours/theirs:.2f} ({ours:.0f} of {theirs:.0f} MB)' if theirs else ''
        rows.append(row)
    return [('One thread, 128 px:', rows)]


if __name__ == '__main__':
    from bench import main
    main('parity')
