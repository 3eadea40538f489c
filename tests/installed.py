"""The package as a student has it: the wheel in an environment of its own, and no checkout near."""
import os, subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(*command, **options):
    "Standard output of a command that must succeed."
    command = [str(part) for part in command]
    done = subprocess.run(command, text=True, capture_output=True, stdin=subprocess.DEVNULL, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment(**more):
    "This environment with no checkout on the path and no hub."
    return os.environ | {'PYTHONPATH': str(ROOT/'tests'/'guard'), 'HF_HUB_OFFLINE': '1'} | more


def copy_lessons(python, folder):
    "`lessonlib-notebooks folder`, with the command of that Python's environment."
    run(next(python.parent.glob('lessonlib-notebooks*')), folder, cwd=python.parent, env=environment())
