"""The page of the layers: counts, contradictions, matrices, reasons."""

from __future__ import annotations

from collections.abc import Sequence

from studies.cells import Cell
from studies.tables import Reasons, contradictions, counted, losses, matrix, table

BACKENDS = ("torch", "jax", "tensorflow")
FLAGS = ("nothing frozen", "own flag", "container", "constructor", "container's constructor", "after a fit")
WRAPPED = (
    "frozen, in TimeDistributed",
    "TimeDistributed frozen",
    "frozen, in SpectralNormalization",
    "SpectralNormalization frozen",
    "frozen, in Bidirectional",
    "Bidirectional frozen",
    "layer given to Bidirectional frozen",
)
OFFERED = ("LoRA", "LoRA, then frozen", "LoRA, off and on", "int8", "int4", "float8")
MODULES = (
    "nothing frozen",
    "train mode",
    "eval mode",
    "in a container",
    "after steps",
    "spectral_norm",
    "spectral_norm, eval",
    "weight_norm",
)
INTRODUCTION = """
The article that began this froze two Dense layers, and left open whether others behave alike. Here every class of
`keras.layers` and every module of `torch.nn`, found by introspection, is put into a small model, frozen in several
ways, and trained for three steps (Adam, in Keras by `fit`) under `frostline.watch`. Beside it the bytes of all tensors
are compared: a cell in which the two disagree, or a contradiction that no rule names, reads **unexplained** and fails
the command.

A cell says `declared frozen · wired to the step · moved`, in numbers of the layer, buffers such as moving averages
counted under *moved* only. Nothing more means that the bits did what was declared; a code in bold is the rule that
fired (`frostline explain F110`); `[n]` has no result, for the reason n below, which may be that the run had no time
left for it; an empty cell is a situation that the class has no part in. What is said once holds for all backends that
were tried, otherwise they are named.
"""
SITUATIONS = """
- **own flag**: `layer.trainable = False` before `compile`; **container**: the same on a functional model around it.
- **constructor**: `Layer(..., trainable=False)`; **container's constructor**: `Model(i, o, trainable=False)`.
- **after a fit**: `compile`, `fit`, `layer.trainable = False`, `fit`, without compiling again; *moved* counts both.
- **frozen, in X**: the layer is frozen and then given to the wrapper X; **X frozen**: the flag of the wrapper is set.
- **layer given to Bidirectional frozen**: the flag is set on the layer that the wrapper was made from, afterwards; that
  the wrapper's layers were meant is told to frostline (`--frozen`).
- **LoRA**: `enable_lora(2)`, the table must stay; **LoRA, off and on**: the layer is frozen and set free again, and
  that the table was meant to stay is told to frostline.
- **int8**, **int4**, **float8**: `quantize`, then the own flag.
"""


def text(cells: Sequence[Cell], opening: str) -> str:
    """The whole page."""
    reasons = Reasons()
    keras = [cell for cell in cells if cell.backend in BACKENDS]
    torch = [cell for cell in cells if cell.backend == "torch.nn"]
    tried = [cell for cell in cells if cell.situation != "census"]
    lines = ["# Which layers stay when they are frozen", "", opening, INTRODUCTION, *_totals(tried)]
    lines += ["", "## Contradictions", "", *contradictions(tried), "", *losses(tried)]
    lines += ["", "## Classes of keras.layers", "", *_census(keras), SITUATIONS]
    owners = _owning(keras)
    for title, situations in (("Flags", FLAGS), ("Wrappers", WRAPPED), ("LoRA and quantisation", OFFERED)):
        lines += ["", f"### {title}", "", *matrix(owners, situations, reasons, "layer")]
    lines += ["", "### Random generators alone", "", *_generators(keras)]
    lines += ["", "## Modules of torch.nn", "", *_modules_census(torch), "", *matrix(torch, MODULES, reasons, "module")]
    lines += ["", "## Reasons", "", *reasons.lines()]
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def _totals(tried: Sequence[Cell]) -> list[str]:
    rows = []
    for backend in (*BACKENDS, "torch.nn"):
        of = [cell for cell in tried if cell.backend == backend]
        named = [cell for cell in of if cell.contradicts and not cell.refused and not cell.doubts]
        refused = [cell for cell in of if cell.refused]
        doubts = [cell for cell in of if cell.doubts]
        agree = len(of) - len(named) - len([cell for cell in of if cell.refused or cell.doubts])
        rows.append([backend, *map(str, (len(of), agree, len(named), len(refused), len(doubts)))])
    heads = ["backend", "cells", "as declared", "contradictions with their rule", "no result", "unexplained"]
    return table(heads, rows)


def _owning(keras: Sequence[Cell]) -> list[Cell]:
    owning = {cell.subject for cell in keras if cell.situation == "census" and cell.size}
    return [cell for cell in keras if cell.subject in owning and cell.situation != "census"]


def _census(keras: Sequence[Cell]) -> list[str]:
    census = [cell for cell in keras if cell.situation == "census"]
    rows = []
    for backend in BACKENDS:
        of = [cell for cell in census if cell.backend == backend]
        rows.append(
            [
                backend,
                str(len(of)),
                str(counted(of, lambda cell: cell.size > 0)),
                str(counted(of, lambda cell: not cell.size and cell.state > 0)),
                str(counted(of, lambda cell: not cell.size and not cell.state and not cell.refused)),
                str(counted(of, lambda cell: bool(cell.refused) and not cell.size)),
            ]
        )
    heads = ["backend", "classes", "own weights", "own a random generator alone", "own nothing", "not made"]
    return [*table(heads, rows), "", *_not_made(census)]


def _not_made(census: Sequence[Cell]) -> list[str]:
    found: dict[tuple[str, str], list[str]] = {}
    for cell in census:
        if cell.refused and not cell.size:
            found.setdefault((cell.subject, cell.refused), []).append(cell.backend)
    return [f"- not made: {name} ({', '.join(where)}): {reason}" for (name, reason), where in found.items()]


def _generators(keras: Sequence[Cell]) -> list[str]:
    """Layers that own nothing but the state of a generator: frozen by their own flag, does it move?"""
    alone = {cell.subject for cell in keras if cell.situation == "census" and cell.state and not cell.size}
    groups: dict[str, list[str]] = {}
    for name in sorted(alone):
        of = [cell for cell in keras if cell.subject == name and cell.situation == "own flag"]
        groups.setdefault("; ".join(f"{cell.backend}: {_moves(cell)}" for cell in of), []).append(name)
    rows = [[", ".join(names), str(len(names)), how] for how, names in groups.items()]
    return [
        "The state of a generator moves by being used; no flag covers it, and frostline leaves it out.",
        "",
        *table(["layers", "count", "state in three steps of a frozen layer"], rows),
    ]


def _moves(cell: Cell) -> str:
    if cell.refused:
        return f"no result ({cell.refused})"
    return "moves" if cell.facts.get("state_moved") else "stays"


def _modules_census(torch: Sequence[Cell]) -> list[str]:
    census = [cell for cell in torch if cell.situation == "census"]
    owning = counted(census, lambda cell: cell.size > 0)
    nothing = counted(census, lambda cell: not cell.size and not cell.refused)
    rest = [cell for cell in census if cell.refused and not cell.size]
    return [
        f"{len(census)} classes: {owning} own parameters or buffers, {nothing} own nothing, {len(rest)} are not made.",
        *(f"- not made: {cell.subject}: {cell.refused}" for cell in rest),
        "",
        "`requires_grad_(False)` before the first step: in **train mode**, in **eval mode**, by **a container** around "
        "it; **after steps**: three steps, then frozen, then three more. **spectral_norm** and **weight_norm**: "
        "parametrised, then frozen.",
    ]
