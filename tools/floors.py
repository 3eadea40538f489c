"""Prints constraints that pin every requirement of settings.ini to its floor: `python -m tools.floors`.

torch stays at the tested version, since each one takes gigabytes.
"""
import re
from tools.settings import ROOT, requirements

for requirement in requirements() + requirements('lesson', 'lab', 'dev'):
    floor = re.match(r'([\w-]+)>=([\w.]+)', requirement)
    if floor and floor[1] != 'torch':
        print(f'{floor[1]}=={floor[2]}')
print(re.search(r'^torch==.*$', (ROOT/'constraints.txt').read_text(encoding='utf-8'), re.M)[0])
