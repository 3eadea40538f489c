"""What Run All of each lesson costs: minutes, the most memory of its kernel, and the cells that take over two seconds.

It runs a student's copy, which ends before the checks.

    python benchmarks/lessons.py                # all lessons, one after another
    python benchmarks/lessons.py 03_diffedit_mask

The lessons state these figures, for two cores. Run it on a machine that does nothing else.
"""
import argparse
import json
import time
from datetime import datetime
from pathlib import Path
import nbformat
from lessonlib.commands import student_copy
from nbclient import NotebookClient

NBS = Path(__file__).resolve().parent.parent/'nbs'
LAST = 'import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)'  # KB on Linux


def arguments():
    lessons = sorted(path.stem for path in NBS.glob('[0-9]*.ipynb'))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('names', nargs='*', default=lessons, help='lessons; all without')
    return parser.parse_args()


def run(name):
    "The executed notebook with a last cell that tells the memory, and the seconds that it took."
    lesson = json.loads((NBS/f'{name}.ipynb').read_text(encoding='utf-8'))
    book = nbformat.reads(json.dumps(student_copy(lesson)), 4)
    book.cells.append(nbformat.v4.new_code_cell(LAST))
    began = time.perf_counter()
    resources = dict(metadata=dict(path=NBS))
    NotebookClient(book, timeout=None, kernel_name='python3', resources=resources).execute()
    return book, time.perf_counter() - began


def cell_seconds(cell):
    "How long a cell ran; 0 for one that did not."
    said = cell.metadata.get('execution', {})
    if 'iopub.execute_input' not in said: return 0
    start, end = (datetime.fromisoformat(said[key].replace('Z', '+00:00'))
                  for key in ('iopub.execute_input', 'shell.execute_reply'))
    return (end - start).total_seconds()


def main():
    for name in arguments().names:
        book, seconds = run(name)
        print(f'{name:28}{seconds/60:5.1f} min{int(book.cells[-1].outputs[0].text)/1e6:6.2f} GB', flush=True)
        for number, cell in enumerate(book.cells):
            if (taken := cell_seconds(cell)) > 2:
                print(f'    cell {number:3}{taken:6.1f} s  {cell.source.strip().splitlines()[-1][:100]}', flush=True)


if __name__ == '__main__': main()
