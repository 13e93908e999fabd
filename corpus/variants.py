"""The mechanical variants of a program: each is the script after one edit."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from corpus.cases import Case, Trial
from corpus.edits import jax, keras, torch
from corpus.edits.shared import Edit


def variants(trial: Trial, folder: Path) -> Iterator[Trial]:
    """The trial's variants, their scripts written into ``folder``; edits that change nothing are left out."""
    source = trial.script.read_text()
    plain = ast.unparse(ast.parse(source))
    for name, edit in edits(trial.case).items():
        if name in trial.case.variants_skip or f"{name}[{trial.backend}]" in trial.case.variants_skip:
            continue
        edited = ast.unparse(ast.fix_missing_locations(edit(ast.parse(source), trial.case)))
        if edited != plain:
            script = folder / f"{trial.name.replace('/', '.')}.{name}.py"
            script.write_text(edited + "\n")
            yield Trial(trial.case, trial.role, script, trial.backend, name)


def in_turn(made: Iterable[Trial]) -> list[Trial]:
    """Each edit of each program once, on one of its backends: the next edit takes the next one."""
    alike: dict[tuple[str, str, str], list[Trial]] = {}
    for variant in made:
        alike.setdefault((variant.case.name, variant.role, variant.variant), []).append(variant)
    return [backends[place % len(backends)] for place, backends in enumerate(alike.values())]


def edits(case: Case) -> Mapping[str, Edit]:
    """The edits that fit the case's framework, by name."""
    return {"torch": torch.EDITS, "jax": jax.EDITS}.get(case.framework, keras.EDITS)
