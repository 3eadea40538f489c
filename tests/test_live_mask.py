"""The live mask in a static page: what the sliders show is what `paper_difference` finds."""
import itertools
import pytest
import torch
from browser import CONTRAST
from lessonlib.diffedit_mask import paper_difference
from lessonlib.widgets import live_mask

SETTINGS = list(itertools.product([1, 2, 7, 10], [.5, .9, .95, .975, 1], [.05, .31, .5, .8]))  # n, quantile, threshold


def example_maps():
    "Ten noisy maps of 16 by 16 with a disc and a few extreme cells, a picture of 80 by 64 px, and the disc's mask."
    generator = torch.Generator().manual_seed(0)
    row, column = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 80), indexing='ij')
    disc = (row**2 + (column + .2)**2) < .3
    cells = torch.nn.functional.interpolate(disc[None, None].float(), size=(16, 16), mode='area')[0]
    extremes = torch.rand(10, 16, 16, generator=generator) < .01
    maps = .8*cells + .8*torch.randn(10, 16, 16, generator=generator).abs() + 8*extremes
    return maps, torch.stack([row/2 + .5, column/2 + .5, disc*.6]), disc


def example():
    maps, picture, disc = example_maps()
    return live_mask(maps, picture, disc, quantile=.95, combine=paper_difference)


def set_slider(page, name, value):
    "Move a slider as a hand does: its value, then the event."
    page.eval_on_selector(f'.lessonlib-live-mask input[name={name}]', """(slider, value) => {
        slider.value = value;
        slider.dispatchEvent(new Event('input'));
    }""", str(value))


def read_table(page, names, settings):
    "Move the sliders to each setting and read the piece: pixels, IoU, the words, the values beside the sliders."
    return page.evaluate("""settings => {
        const piece = document.querySelector('.lessonlib-live-mask');
        return settings.map(setting => {
            for (const [name, value] of Object.entries(setting)) {
                const slider = piece.querySelector(`input[name=${name}]`);
                slider.value = value;
                slider.dispatchEvent(new Event('input'));
            }
            const shown = [...piece.querySelectorAll('[data-value]')].map(value => value.textContent);
            return [piece.dataset.pixels, piece.dataset.iou, piece.querySelector('[data-score]').textContent, shown];
        });
    }""", [dict(zip(names, setting, strict=True)) for setting in settings])


def test_the_sliders_show_pythons_numbers(page, show):
    live = example()
    show(live)
    results = [live.result(*setting) for setting in SETTINGS]
    found = read_table(page, ['n', 'quantile', 'threshold'], SETTINGS)
    for setting, result, (pixels, iou, words, shown) in zip(SETTINGS, results, found, strict=True):
        difference = paper_difference(live.maps[:setting[0]], setting[1])
        assert torch.equal(result.difference, difference), setting
        assert int(pixels) == result.pixels, setting
        assert float(iou) == pytest.approx(result.iou, abs=1e-12), setting
        assert words == f'IoU {result.iou:.3f}, {result.pixels} of {64*80} px in the mask'
        assert shown == [str(value) for value in setting]
    assert len({result.pixels for result in results}) > len(SETTINGS)/2  # the settings do differ


def test_without_a_function_the_plain_average(page, show):
    "Two sliders, and Python's numbers."
    live = live_mask(*example_maps())
    show(live)
    settings = list(itertools.product([1, 4, 10], [.05, .31, .5, .8]))
    for setting, (pixels, _, _, shown) in zip(settings, read_table(page, ['n', 'threshold'], settings), strict=True):
        assert int(pixels) == live.result(setting[0], threshold=setting[1]).pixels
        assert shown == [str(value) for value in setting]
    assert page.locator('.lessonlib-live-mask input').count() == 2


def test_the_text_before_the_script_is_the_scripts(page, show):
    live = example()
    show(live)
    assert page.locator('[data-score]').text_content() in live._repr_html_()


def test_what_is_drawn(page, show):
    "A black picture without an exact mask: exactly the mask's pixels are tinted, with half of the mask's colour."
    live = live_mask(example().maps, torch.zeros(3, 64, 80), combine=paper_difference)
    show(live)
    canvas = "document.querySelector('[data-draw=mask]').getContext('2d')"
    page.wait_for_function(f'{canvas}.getImageData(0, 0, 1, 1).data[3] === 255')
    for n, threshold in [(10, .5), (3, .3)]:
        set_slider(page, 'n', n)
        set_slider(page, 'threshold', threshold)
        pixels = torch.tensor(page.evaluate(f'[...{canvas}.getImageData(0, 0, 80, 64).data]')).reshape(64, 80, 4)
        assert torch.equal(pixels[..., 0] > 60, live.result(n, None, threshold).mask)
    tinted = pixels[pixels[..., 0] > 60][:, :3].float()
    assert (tinted - torch.tensor([115., 0, 63])).abs().max() <= 2
    assert page.locator('.lessonlib-live-mask').get_attribute('data-iou') is None


def test_any_start_and_two_on_one_page(page, show):
    "A setting that no step of a slider has is kept until that slider moves; twins on a page do not disturb each other."
    maps, black = example().maps, torch.zeros(3, 64, 80)
    start = live_mask(maps, black, quantile=.9731, threshold=.123, combine=paper_difference)
    show(start, start, example())
    pieces = page.locator('.lessonlib-live-mask')
    assert [int(pieces.nth(i).get_attribute('data-pixels')) for i in range(2)] == [start.result().pixels]*2
    set_slider(page, 'n', 4)  # the first piece's
    assert int(pieces.nth(0).get_attribute('data-pixels')) == start.result(4).pixels
    assert int(pieces.nth(1).get_attribute('data-pixels')) == start.result().pixels


@pytest.mark.parametrize('style', ['background:#fff;color:#000', 'background:#111;color:#eee;color-scheme:dark'])
def test_words_are_readable_on_light_and_dark_pages(page, show, style):
    show(example(), style=style)
    ratios = page.evaluate('() => {' + CONTRAST + """
        const behind = element => {
            const color = numbers(getComputedStyle(element).backgroundColor);
            return color[3] === 0 ? behind(element.parentElement) : color;
        };
        const words = [...document.querySelectorAll('.lessonlib-live-mask div, .lessonlib-live-mask span')];
        return words.filter(e => e.textContent.trim())
                    .map(e => contrast(numbers(getComputedStyle(e).color), behind(e)));
    }""")
    assert len(ratios) > 10 and min(ratios) > 4.5


def test_keys_move_a_slider(page, show):
    live = example()
    show(live)
    page.locator('input[name=n]').focus()
    page.keyboard.press('ArrowLeft')
    assert page.locator('[data-value=n]').text_content() == '9'
    assert int(page.locator('.lessonlib-live-mask').get_attribute('data-pixels')) == live.result(9).pixels
