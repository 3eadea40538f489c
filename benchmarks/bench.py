"""Where lessonlib stands beside what people would use instead: one command, one table for each question.

    python benchmarks/bench.py                        # all parts, an hour or so (`make bench`)
    python benchmarks/bench.py --only gemm imports    # some of them
    python benchmarks/bench.py --quick                # each part at a tiny size, in its own folder: does it run?
    python benchmarks/bench.py --write                # writes its sections of benchmarks/RESULTS.md too
    python benchmarks/bench.py --only --write         # measures nothing, writes them from what is there

What was found is kept piece by piece in out/bench/PART.json, so that a run that was stopped goes on where it was. What
another machine or other versions gave is measured anew, with `--fresh` everything. Times are ratios of two things timed
in turn in one process: median (quartiles; pairs).
"""
import os
for _name in 'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS':
    os.environ.setdefault(_name, '1')                              # read when numpy and torch are loaded
os.environ.setdefault('HF_HUB_OFFLINE', '1')
import argparse
import importlib
import importlib.metadata
import json
import logging
import re
import sys
import time
import warnings
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
PARTS = 'parity', 'gemm', 'broadcasting', 'imports', 'growth', 'nano', 'device', 'sweep'
PACKAGES = 'lessonlib', 'numpy', 'numba', 'diffusers', 'transformers'


def load(file):
    "What a part has found so far: piece -> result, with where and when."
    return json.loads(file.read_text(encoding='utf-8')) if file.is_file() else {}


def save(file, found):
    "In one go, so that a stop leaves the old or the new file."
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_suffix('.half')
    half.write_text(json.dumps(found, indent=1), encoding='utf-8')
    half.replace(file)


def where():
    "Machine and versions of a result."
    from lessonlib.timing import machine
    versions = ', '.join(f'{name} {importlib.metadata.version(name)}' for name in PACKAGES)
    return f'{machine()}, {os.cpu_count()} cores; {versions}'


def run(parts, folder, quick, fresh=False):
    "Do the pieces that are missing; each result is kept at once."
    from lessonlib.progress import progress_bar
    here = where()
    pieces = [(part, *piece) for part in parts for piece in importlib.import_module(part).work(quick)]
    if fresh:
        for part in parts: (folder/f'{part}.json').unlink(missing_ok=True)
    with progress_bar(pieces, 'bench', delay=0) as bar:
        for part, name, function in bar:
            found = load(folder/f'{part}.json')
            if found.get(name, {}).get('where') == here: continue
            bar.set_postfix_str(f'{part}: {name}')
            began, busy = time.perf_counter(), os.getloadavg()[0] if hasattr(os, 'getloadavg') else None
            result = function()
            found[name] = dict(result=result, where=here, day=str(date.today()), load=busy,
                               seconds=time.perf_counter() - began)
            save(folder/f'{part}.json', found)


def shown(value):
    "A table's cell: a ratio with its quartiles and the number of pairs, or the words that it is."
    if not isinstance(value, list): return str(value)
    median, low, high, pairs = value
    return f'**{median:.3g}** ({low:.3g} to {high:.3g}; {pairs})'


def markdown(rows):
    "A table; columns as the first row has them."
    lines = ['| ' + ' | '.join(rows[0]) + ' |', '|' + '---|' * len(rows[0])]
    cells = ([shown(row.get(name, '')).replace('|', '\\|') for name in rows[0]] for row in rows)
    lines += ['| ' + ' | '.join(row) + ' |' for row in cells]
    return '\n'.join(lines)


def report(folder, quick, parts=PARTS):
    "({title: section}, {part: tables}) of what a folder holds; what is missing is said."
    sections, all_tables = {}, {}
    for part in parts:
        module, found = importlib.import_module(part), load(folder/f'{part}.json')
        names = [name for name, _ in module.work(quick)]
        kept = {name: found[name] for name in names if name in found}
        if not kept:
            why = 'not yet run' if names else 'not run, as there was none'
            sections[module.TITLE] = f'## {module.TITLE}\n\nThis part was {why}.\n'
            continue
        tables = all_tables[part] = module.tables({name: piece['result'] for name, piece in kept.items()})
        text = [f'## {module.TITLE}\n']
        for words, rows in tables:
            if rows: text.append(f'{words}\n\n{markdown(rows)}\n'.lstrip())
        days = {}
        for piece in kept.values(): days.setdefault(piece['where'], set()).add(piece['day'])
        places = [f'{place}; {", ".join(sorted(some))}' for place, some in sorted(days.items())]
        loads = [piece['load'] for piece in kept.values() if piece['load'] is not None]
        busy = f' Load of the machine as it ran: {min(loads):.1f} to {max(loads):.1f}.' if loads else ''
        took = sum(piece['seconds'] for piece in kept.values()) / 60
        text.append(f'<small>{" / ".join(places)}.{busy} {len(kept)} of {len(names)} pieces, '
                    f'{took:.0f} min.</small>\n')
        sections[module.TITLE] = '\n'.join(text)
    return sections, all_tables


def write(file, sections, measured):
    "RESULTS.md; of what was not measured here it keeps the section that it has."
    old = re.split('^(?=## )', file.read_text(encoding='utf-8'), flags=re.M)[1:] if file.is_file() else []
    kept = {text.partition('\n')[0].removeprefix('## '): text.rstrip('\n') + '\n' for text in old}
    new = [text if title in measured else kept.get(title, text) for title, text in sections.items()]
    file.write_text('\n'.join([HEAD, *new]), encoding='utf-8')


def figures(folder, all_tables):
    "A picture for each table with ratios: PNG files beside the results."
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    for part, tables in all_tables.items():
        for number, (words, rows) in enumerate(tables):
            columns = [name for name in (rows[0] if rows else ()) if isinstance(rows[0][name], list)]
            for column in columns:
                some = [row for row in rows if isinstance(row.get(column), list)]
                names = [', '.join(str(value) for value in row.values() if not isinstance(value, list))[:60]
                         for row in some]
                median, low, high = zip(*(row[column][:3] for row in some), strict=True)
                spread = [[m - x for m, x in zip(median, low, strict=True)],
                          [x - m for m, x in zip(median, high, strict=True)]]
                figure, ax = plt.subplots(figsize=(8, .3*len(some) + 1.2), dpi=80, layout='constrained')
                ax.errorbar(median, range(len(some)), xerr=spread, fmt='o', capsize=3)
                ax.axvline(1, color='gray', linewidth=1)
                ax.set_yticks(range(len(some)), names, fontsize=8)
                ax.invert_yaxis()
                ax.set_xscale('log')
                ax.set(title=words, xlabel=f'{column}: median and quartiles, logarithmic')
                figure.savefig(folder/f'{part}-{number}-{columns.index(column)}.png')
                plt.close(figure)


HEAD = '''# Results

Made by `make bench`. Each time is a ratio of two things timed in turn in one process: **median** (quartiles; number of
pairs). Below 1 the first of the two is faster. Under each section stand the machine, the versions, the date, and how
busy the machine was: a load above the number of its cores says that others computed on it as well, which widens the
quartiles, and most where a clock on the wall is used (two threads, two processes). `make bench` goes on with the
pieces that are missing.
'''


def main(*only):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--only', nargs='*', choices=PARTS, default=only or PARTS)
    parser.add_argument('--quick', action='store_true', help='tiny sizes')
    parser.add_argument('--fresh', action='store_true', help='measure anew what is there already')
    parser.add_argument('--write', action='store_true', help='write benchmarks/RESULTS.md')
    parser.add_argument('--out', type=Path, help='folder of the results; out/bench without')
    args = parser.parse_args()
    warnings.simplefilter('ignore')                                # of sizes for which the small model was not made
    logging.getLogger('diffusers.pipelines.pipeline_utils').setLevel(logging.ERROR)
    folder = args.out or HERE.parent/'out'/('bench-quick' if args.quick else 'bench')
    run(args.only, folder, args.quick, args.fresh)
    sections, all_tables = report(folder, args.quick)
    measured = {importlib.import_module(part).TITLE for part in all_tables}
    write(folder/'RESULTS.md', sections, set(sections))
    figures(folder, all_tables)
    if args.write: write(HERE/'RESULTS.md', sections, measured)
    print('\n'.join(report(folder, args.quick, args.only)[0].values()))


if __name__ == '__main__':
    sys.path.insert(0, str(HERE))
    main()
