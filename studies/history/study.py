"""The history as a page and plots, from measurements that are kept in ``measured.csv``."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from studies.asking import Ask
from studies.cells import Cell
from studies.history.plot import Bars, svg
from studies.progress import Follow
from studies.tables import table

MEASURED = Path(__file__).parent / "measured.csv"
TOTAL = 27_560
EXPERIMENTS = {
    "post": ("B, the second part, frozen before compile: the article", "b"),
    "a3": ("A, the first part, frozen before compile", "a"),
    "b1": ("B frozen after compile, before the first fit", "b after compile"),
    "b2": ("B frozen after a first fit, without compiling again", "b after a fit"),
}
INTRODUCTION = """
Models A (25,450 numbers) and B (2,110) inside C (27,560), as in the article. For every version: what C's `summary()`
said would train and would not, and how many numbers the fit then moved, whole tensors by their bits. The versions were
installed and run one by one on a CPU, each with the backend of its time; the figures are kept in
`studies/history/measured.csv` and are not measured again by this command. 1.0.8 and 1.1.2 ran under Python 3.11 on
Theano's Python mode, where 1.2.2 gave once more what is told of it here.

- **Before 1.2.0** `summary()` printed one number. In 1.0.8 it is the numbers of trainable weights, under the name of a
  total: frozen, B counts as 0 and C as 25,450. In 1.1.2 it is all of them, and nothing is said of training.
- **Introduced** by Keras commit `ef1da479ec` (2016-12-14, release 1.2.0): `summary()` began to count trainable numbers,
  walking down to the innermost layers and not asking their container. The article's bug.
- **Fixed** by commit `172397ebf4` (2017-04-11, release 2.0.4): it counts `model.trainable_weights`.
- The fix turned a harmless error into a dangerous one: frozen **first part**. Up to 2.0.9 a `Sequential` that begins
  with a model takes over its layers and drops the model with its flag, so all of it trains. Before the fix the summary
  said so, by accident; after it the summary said that 25,450 were frozen. Public report: keras-team/keras #8313.
- From 2.1.0 on both are right when the flag is set before `compile`.

No count can be trusted without the bits: each of these summaries counted something real (flags of layers, lists of
weights), and none of them looked at what a step changes.
"""


def run(_ask: Ask, _follow: Follow) -> Iterator[Cell]:
    """The measurements as cells."""
    with MEASURED.open(newline="") as lines:
        for row in csv.DictReader(lines):
            cell = Cell(row["version"], row["experiment"], moved=int(row["moved"]))
            said = {key: int(row[key]) if row[key] else None for key in ("said_trainable", "said_not")}
            cell.facts = said | {"note": row["note"]}
            yield cell


def write(cells: Sequence[Cell], opening: str) -> dict[str, str]:
    """The pages of the study, by file name."""
    lines = [
        "# What summary() said, and what was trained: Keras 1.0.8 to 3.15.1",
        "",
        opening.split(" every number")[0],
    ]
    lines += ["the measurements themselves are of November 2026.", INTRODUCTION]
    pages = {}
    for key, (title, name) in EXPERIMENTS.items():
        of = [cell for cell in cells if cell.situation == key]
        file = f"history-{name.replace(' ', '-')}.svg"
        pages[file] = svg(title, [Bars(cell.subject, cell.facts["said_trainable"], cell.moved) for cell in of], TOTAL)
        lines += ["", f"## {title}", "", f"![{title}]({file})", "", *_rows(of)]
    return {"history.md": "\n".join(lines).replace("\n\n\n", "\n\n") + "\n", **pages}


def _rows(cells: Sequence[Cell]) -> list[str]:
    heads = ["version", "said trainable", "said not trainable", "moved", "who was right"]
    rows = []
    for cell in cells:
        said = ("–" if cell.facts[key] is None else f"{cell.facts[key]:,}" for key in ("said_trainable", "said_not"))
        rows.append([cell.subject, *said, f"{cell.moved:,}", _right(cell.facts["note"])])
    return table(heads, rows)


def _right(note: str) -> str:
    words = {
        "ok": "flag and summary", "S": "the flag", "F": "the summary, by accident", "S+F": "neither",
        "silent": "the flag; the summary does not tell", "silent+F": "not the flag; the summary does not tell",
    }  # fmt: skip
    if note.startswith("R"):
        return "an exception" + (", and the weights are gone" if "lost" in note else "")
    return words.get(note.split()[0], note)
