"""Paired measurements: ``python -m bench`` takes all of them, ``python -m bench digests quiet`` those two.

Contestants of one measurement take turns in one run; medians and their ratios are printed, with the machine and its
load. ``--write`` puts what was measured on the page docs/benchmarks.md as well.
"""

from __future__ import annotations

import argparse
import compileall
import importlib
import sys
from pathlib import Path

from bench import page
from bench.turns import HEAD, load, machine

import frostline

MEASURES = (
    "digests",
    "cycle",
    "size",
    "quiet",
    "jax_calls",
    "profile",
    "journey",
    "samples",
    "growth",
    "memory",
    "start",
    "reports",
    "ranks",
    "overhead",
    "alternatives",
    "traincheck",
    "files",
    "formats",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASURES)}")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md too")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in MEASURES]
    if unknown:
        parser.error(f"there is no measurement {unknown[0]}; there are {', '.join(MEASURES)}")
    # pip compiles what it installs. An editable install stays source, and where PYTHONDONTWRITEBYTECODE is set every
    # process compiles it again: 0.15 s for a run that no user pays.
    compileall.compile_dir(Path(frostline.__file__).parent, quiet=1)
    for name in options.names or MEASURES:
        measure = importlib.import_module(f"bench.{name}")
        before = load()
        lines = list(measure.measure())
        facts = f"{machine(measure.PACKAGES)}; load {before} before and {load()} after"
        print(f"\n{name}: {facts}")
        rows = [HEAD, *(line.cells() for line in lines)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
        for row in rows:
            print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        sys.stdout.flush()
        if options.write and lines:
            page.put(name, page.section(name, measure.__doc__ or "", facts, lines))


if __name__ == "__main__":
    main()
