"""Runs every optimizer in every situation, and writes what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studies.asking import Ask
from studies.cells import Cell
from studies.progress import Follow
from studies.tables import Reasons, contradictions, losses, matrix, table

TORCH, KERAS = "studies.optimizers.torch_trials", "studies.optimizers.keras_trials"
TORCH_OPTIM = "torch.optim"
BACKENDS = ("torch", "jax", "tensorflow")
INTRODUCTION = """
A model of two matrices, *subject* and *head*, and one optimizer that holds both. The subject is frozen, and training
goes on for eight steps under `frostline.watch`; beside it the bytes are compared. A cell says `declared frozen · wired
to the step · moved` in numbers of the subject; where it moved after it was frozen, the rule that fired is in bold.
A cell without one agrees with the flag: what *moved* there moved before the freeze.

Without a word the optimizer is made without weight decay; `weight_decay` is 0.1. `use_ema` overwrites the weights with
their averages at every step.

- **frozen first**: the flag is off before the first step; gradients are None. **zero gradient**: they are zeros.
- **gradient left behind**: one backward pass, then the flag; the subject's gradient is never cleared.
- **frozen after steps**: eight steps, then the flag, `zero_grad()`; **zero gradient**: `zero_grad(set_to_none=False)`.
- Keras: **frozen after a fit** without compiling again, or **compiled again** with the same optimizer or a new one.
"""


def run(ask: Ask, follow: Follow) -> Iterator[Cell]:
    """All cells: the optimizers of PyTorch and its neighbours, then those of Keras on each backend."""
    about = ask.about(TORCH, TORCH_OPTIM)
    for module in about["absent"]:
        yield Cell(module, "installed", TORCH_OPTIM, refused=f"{module} is not installed here")
    questions = [(name, situation) for name in about["names"] for situation in about["situations"]]
    for name, situation in follow(questions, "optimizers of PyTorch"):
        yield ask.cell(TORCH, TORCH_OPTIM, name, situation)
    for backend in BACKENDS:
        about = ask.about(KERAS, backend)
        questions = [(name, situation) for name in about["names"] for situation in about["situations"]]
        for name, situation in follow(questions, f"optimizers of Keras, {backend}"):
            yield ask.cell(KERAS, backend, name, situation)


def write(cells: Sequence[Cell], opening: str) -> dict[str, str]:
    """The pages of the study, by file name."""
    reasons = Reasons()
    lines = ["# Which optimizers move what is frozen", "", opening, INTRODUCTION, *_totals(cells)]
    lines += ["", "## Contradictions", "", *contradictions(cells), "", *losses(cells)]
    for title, backends in (("PyTorch", (TORCH_OPTIM,)), ("Keras", BACKENDS)):
        of = [cell for cell in cells if cell.backend in backends]
        situations = list(dict.fromkeys(cell.situation for cell in of))
        lines += ["", f"## {title}", "", *matrix(of, situations, reasons, "optimizer")]
    lines += [
        "",
        "`LossScaleOptimizer`, `MultiOptimizer` and `OptimizerMap` of Keras only hand on to others and are not rows.",
        "",
        "## Reasons",
        "",
        *reasons.lines(),
    ]
    return {"optimizers.md": "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"}


def _totals(cells: Sequence[Cell]) -> list[str]:
    rows = []
    for backend in (TORCH_OPTIM, *BACKENDS):
        of = [cell for cell in cells if cell.backend == backend]
        refused = sum(bool(cell.refused) for cell in of)
        doubts = sum(bool(cell.doubts) for cell in of)
        moved = sum(bool(cell.broken) and not cell.refused and not cell.doubts for cell in of)
        subjects = len({cell.subject for cell in of})
        rows.append(
            [backend, *map(str, (subjects, len(of), len(of) - refused - doubts - moved, moved, refused, doubts))]
        )
    heads = ["backend", "optimizers", "cells", "stayed", "moved, by rule", "no result", "unexplained"]
    return table(heads, rows)
