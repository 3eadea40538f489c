"""settings.ini, read in one place: setup.py, the tools and the tests take it from here (nbdev reads it by itself)."""
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def read_settings(path: Path = ROOT/'settings.ini') -> dict[str, str]:
    "The file as a dict of name -> text."
    config = ConfigParser(delimiters=['='], interpolation=None)
    config.read_string(path.read_text(encoding='utf-8'))
    return dict(config['DEFAULT'])


settings = read_settings()


def requirements(*groups: str) -> list[str]:
    "The requirements of some groups, one text each: 'lab' reads `lab_requirements`; without groups, those at run time."
    keys = [f'{group}_requirements' for group in groups] or ['requirements']
    return [requirement for key in keys for requirement in settings[key].split()]


def extras() -> list[str]:
    "The groups beside those at run time: 'lesson', 'onnx', 'lab', 'dev'."
    return [key.removesuffix('_requirements') for key in settings if key.endswith('_requirements')]
