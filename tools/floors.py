"""Prints constraints for one end of what settings.ini allows: `python -m tools.floors`, and with --newest the other.

By itself: every requirement at its floor. --newest pins nothing, so that pip takes the newest that it finds.
torch stays at the tested version, since each one takes gigabytes; --torch says otherwise.
"""
import argparse
import re
from tools.settings import ROOT, extras, requirements


def floors() -> dict[str, str]:
    "Name -> the oldest version that settings.ini allows, of each requirement that names one."
    found = (re.match(r'([\w-]+)>=([\w.]+)', text) for text in requirements() + requirements(*extras()))
    return {floor[1]: floor[2] for floor in found if floor}


def tested_torch() -> str:
    "The version of torch in constraints.txt."
    found = re.search(r'^torch==(.*)$', (ROOT/'constraints.txt').read_text(encoding='utf-8'), re.M)
    if not found:
        raise ValueError('constraints.txt: expected a line torch==..., got none')
    return found[1]


def constraints(newest: bool = False, torch: str = 'tested') -> list[str]:
    "The lines. `torch`: a version, or 'tested', 'floor' or 'newest'."
    pins = {} if newest else floors()
    pins['torch'] = {'tested': tested_torch(), 'floor': floors()['torch'], 'newest': ''}.get(torch, torch)
    return [f'{name}=={version}' for name, version in pins.items() if version]


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--newest', action='store_true', help='the newest versions in place of the oldest')
    parser.add_argument('--torch', default='tested', help="a version, 'tested' (the default), 'floor' or 'newest'")
    options = parser.parse_args()
    print('\n'.join(constraints(options.newest, options.torch)))
