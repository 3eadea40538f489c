"""What Run All of each lesson costs: minutes, the most memory of its kernel, and the cells that take more than two seconds.

    python benchmarks/lessons.py                # all lessons, one after another
    python benchmarks/lessons.py 03_diffedit_mask

The lessons state these figures, for two cores. Run it on a machine that does nothing else.
"""
import argparse, time
from datetime import datetime
from pathlib import Path
import nbformat
from nbclient import NotebookClient

NBS = Path(__file__).resolve().parent.parent/'nbs'
LAST = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"  # KB on Linux

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('names', nargs='*', default=sorted(p.stem for p in NBS.glob('[0-9]*.ipynb')), help='lessons; all without')
for name in parser.parse_args().names:
    book = nbformat.read(NBS/f'{name}.ipynb', 4)
    book.cells.append(nbformat.v4.new_code_cell(LAST))
    began = time.perf_counter()
    NotebookClient(book, timeout=None, kernel_name='python3', resources=dict(metadata=dict(path=NBS))).execute()
    seconds = time.perf_counter() - began
    print(f'{name:28}{seconds/60:5.1f} min{int(book.cells[-1].outputs[0].text)/1e6:6.2f} GB', flush=True)
    for i, cell in enumerate(book.cells):
        said = cell.metadata.get('execution', {})
        if 'iopub.execute_input' not in said: continue
        start, end = (datetime.fromisoformat(said[key].replace('Z', '+00:00')) for key in ('iopub.execute_input', 'shell.execute_reply'))
        if (end - start).total_seconds() > 2: print(f'    cell {i:3}{(end - start).total_seconds():6.1f} s  {cell.source.strip().splitlines()[-1][:100]}', flush=True)
