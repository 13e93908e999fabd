"""What trackers are told of a run: scalars per module at each check; at its end the findings and the page."""

from __future__ import annotations

from collections.abc import Iterable

from frostline.core.ledger import TensorRow
from frostline.core.record import Record

MODULES = 200  # modules that are told apart; where a model has more, the innermost are added up
COLUMNS = ("severity", "code", "rule", "message", "tensors", "lines", "fix")
_PREFIX = "frostline"


def scalars(record: Record) -> dict[str, int]:
    """The scalars of one check by their tags, numbers all of them.

    ``frostline/changed/MODULE`` have other bits than at the first check; the updates of those in ``below_one_ulp`` were
    too small to change any bit; those in ``frozen_drift`` moved while they were declared frozen.
    """
    told: dict[str, int] = {}
    for module, rows in _by_module(record.tensors).items():
        parameters = [row for row in rows if row.kind == "parameter"]
        told[f"{_PREFIX}/changed/{module}"] = _numbers(row for row in parameters if row.changed.verdict == "yes")
        told[f"{_PREFIX}/below_one_ulp/{module}"] = _numbers(row for row in parameters if _is_rounded_away(row))
        told[f"{_PREFIX}/frozen_drift/{module}"] = _numbers(row for row in rows if _drifted(row))
    return told


def _by_module(rows: Iterable[TensorRow]) -> dict[str, list[TensorRow]]:
    """The tensors of each module, by its path from the model on, as deep as there are not too many."""
    paths = [(row.name.split(".")[:-1] or [row.name], row) for row in rows]
    for depth in range(max((len(path) for path, _ in paths), default=0), 0, -1):
        found: dict[str, list[TensorRow]] = {}
        for path, row in paths:
            found.setdefault(".".join(path[:depth]), []).append(row)
        if len(found) <= MODULES or depth == 1:
            return found
    return {}


def _numbers(rows: Iterable[TensorRow]) -> int:
    return sum(row.size for row in rows)


def _is_rounded_away(row: TensorRow) -> bool:
    updates = [holding.update_ulp for holding in row.optimizers if holding.update_ulp is not None]
    return row.changed.verdict == "no" and bool(updates) and max(updates) < 1


def _drifted(row: TensorRow) -> bool:
    return any(movement.trainable is False for movement in row.changed.movements)


def table(record: Record) -> list[list[str]]:
    """The findings of a run, a row each under ``COLUMNS``; those that settings set aside are left out."""
    from frostline.report.html import cards

    return [
        [card.severity, card.code, card.slug, card.message, card.described, "\n".join(card.lines), card.hint]
        for card in cards.of(record, {})
        if card.ignored is None
    ]


def page(record: Record) -> str:
    """The HTML report of a run.

    Raises:
        FrostlineError: jinja2 is not installed.
    """
    from frostline.laws import why
    from frostline.report import render

    return render(record, "html", why=why())
