"""The live mask in a static page: what the sliders show is what Python computes."""
import itertools
import pytest, torch
from lessonlib.show import live_mask

SETTINGS = list(itertools.product([1, 2, 7, 10], [.5, .9, .95, .975, 1], [.05, .31, .5, .8]))  # n, quantile, threshold


def example(truth=True):
    "Ten noisy maps of 16 by 16 with a disc and a few extreme cells, over a picture of 80 by 64 px."
    generator = torch.Generator().manual_seed(0)
    row, column = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 80), indexing='ij')
    disc = (row**2 + (column + .2)**2) < .3
    cells = torch.nn.functional.interpolate(disc[None, None].float(), size=(16, 16), mode='area')[0]
    maps = .8*cells + .8*torch.randn(10, 16, 16, generator=generator).abs() + 8*(torch.rand(10, 16, 16, generator=generator) < .01)
    picture = torch.stack([row/2 + .5, column/2 + .5, disc*.6])
    return live_mask(maps, picture, disc if truth else None, quantile=.95)


def set_slider(page, name, value):
    "Move a slider as a hand does: its value, then the event."
    page.eval_on_selector(f'.lessonlib-live-mask input[name={name}]',
                          "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }", str(value))


def read_table(page, settings):
    "Move the sliders to each setting and read the piece: pixels, IoU, the words, the quantile beside its slider."
    return page.evaluate("""settings => {
        const piece = document.querySelector('.lessonlib-live-mask');
        return settings.map(setting => {
            for (const [name, value] of Object.entries(setting)) {
                const slider = piece.querySelector(`input[name=${name}]`);
                slider.value = value;
                slider.dispatchEvent(new Event('input'));
            }
            return [piece.dataset.pixels, piece.dataset.iou, piece.querySelector('[data-score]').textContent,
                    piece.querySelector('[data-value=quantile]').textContent];
        });
    }""", [dict(zip(['n', 'quantile', 'threshold'], setting)) for setting in settings])


def test_the_sliders_show_pythons_numbers(page, show):
    live = example()
    show(live)
    results = [live.result(*setting) for setting in SETTINGS]
    for setting, result, (pixels, iou, words, quantile) in zip(SETTINGS, results, read_table(page, SETTINGS), strict=True):
        assert int(pixels) == result.pixels, setting
        assert float(iou) == pytest.approx(result.iou, abs=1e-12), setting
        assert words == f'IoU {result.iou:.3f}, {result.pixels} of {64*80} px in the mask'
        assert quantile == str(setting[1])
    assert len({result.pixels for result in results}) > len(SETTINGS)/2  # the settings do differ


def test_the_text_before_the_script_is_the_scripts(page, show):
    live = example()
    show(live)
    assert page.locator('[data-score]').text_content() in live._repr_html_()


def test_what_is_drawn(page, show):
    "A black picture without an exact mask: exactly the mask's pixels are tinted, with half of the mask's colour."
    live = live_mask(example().maps, torch.zeros(3, 64, 80))
    show(live)
    page.wait_for_function("document.querySelector('[data-draw=mask]').getContext('2d').getImageData(0, 0, 1, 1).data[3] == 255")
    drawn = lambda: page.evaluate("""() => { const canvas = document.querySelector('[data-draw=mask]');
        return [...canvas.getContext('2d').getImageData(0, 0, 80, 64).data]; }""")
    for n, threshold in [(10, .5), (3, .3)]:
        set_slider(page, 'n', n), set_slider(page, 'threshold', threshold)
        pixels = torch.tensor(drawn()).reshape(64, 80, 4)
        assert torch.equal(pixels[..., 0] > 60, live.result(n, None, threshold).mask)
    tinted = pixels[pixels[..., 0] > 60][:, :3].float()
    assert (tinted - torch.tensor([115., 0, 63])).abs().max() <= 2
    assert page.locator('.lessonlib-live-mask').get_attribute('data-iou') is None


def test_any_start_and_two_on_one_page(page, show):
    "A setting that no step of a slider has is kept until that slider moves; twins on a page do not disturb each other."
    start = live_mask(example().maps, torch.zeros(3, 64, 80), quantile=.9731, threshold=.123)
    show(start, start, example())
    pieces = page.locator('.lessonlib-live-mask')
    assert [int(pieces.nth(i).get_attribute('data-pixels')) for i in range(2)] == [start.result().pixels]*2
    set_slider(page, 'n', 4)  # the first piece's
    assert int(pieces.nth(0).get_attribute('data-pixels')) == start.result(4).pixels
    assert int(pieces.nth(1).get_attribute('data-pixels')) == start.result().pixels


@pytest.mark.parametrize('style', ['background:#fff;color:#000', 'background:#111;color:#eee;color-scheme:dark'])
def test_words_are_readable_on_light_and_dark_pages(page, show, style):
    show(example(), style=style)
    ratios = page.evaluate("""() => {
        const numbers = text => text.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => [r, g, b].map(v => v/255).map(v => v <= .03928 ? v/12.92 : ((v + .055)/1.055)**2.4)
                                              .reduce((sum, v, i) => sum + v*[.2126, .7152, .0722][i], 0);
        const behind = element => { const color = numbers(getComputedStyle(element).backgroundColor);
                                    return color[3] === 0 ? behind(element.parentElement) : color; };
        return [...document.querySelectorAll('.lessonlib-live-mask div, .lessonlib-live-mask span')].filter(e => e.textContent.trim()).map(e => {
            const [a, b] = [light(numbers(getComputedStyle(e).color)), light(behind(e))];
            return (Math.max(a, b) + .05)/(Math.min(a, b) + .05);
        });
    }""")
    assert len(ratios) > 10 and min(ratios) > 4.5


def test_keys_move_a_slider(page, show):
    live = example()
    show(live)
    page.locator('input[name=n]').focus()
    page.keyboard.press('ArrowLeft')
    assert page.locator('[data-value=n]').text_content() == '9'
    assert int(page.locator('.lessonlib-live-mask').get_attribute('data-pixels')) == live.result(9).pixels
