"""Prints constraints that pin every requirement of settings.ini to its floor; torch stays at the tested version, since each takes gigabytes."""
import re
from configparser import ConfigParser
from pathlib import Path

root = Path(__file__).resolve().parent.parent
config = ConfigParser(delimiters=['='], interpolation=None)
config.read(root/'settings.ini', encoding='utf-8')
settings = config['DEFAULT']

for requirement in ' '.join(settings[k] for k in ('requirements', 'lesson_requirements', 'lab_requirements', 'dev_requirements')).split():
    floor = re.match(r'([\w-]+)>=([\w.]+)', requirement)
    if floor and floor[1] != 'torch': print(f'{floor[1]}=={floor[2]}')
print(re.search(r'^torch==.*$', (root/'constraints.txt').read_text(encoding='utf-8'), re.M)[0])
