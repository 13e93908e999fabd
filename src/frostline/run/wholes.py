"""Tensors of which each process holds a part: judged as the wholes that they are, once for all processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from frostline import judging
from frostline.core.columns.saved import Saved
from frostline.core.fold import MOVEMENTS_KEPT
from frostline.core.ledger import Answer, Changed, Holding, Ledger, Owner, TensorRow
from frostline.core.record import Excused, Finding, Record
from frostline.core.run import Run
from frostline.core.suppressions import Policy

_PARTS_MISSING = "this part is known, and not that of every process"


@dataclass(slots=True)
class _Whole:
    """A tensor as far as it is known: what the processes say of their parts, and which parts those are."""

    row: TensorRow
    parts: dict[str, int] = field(default_factory=dict)  # how many values there are at each place

    def add(self, row: TensorRow) -> None:
        """One more process's row."""
        if row.part is None or row.part.values:
            has_values = self.row.part is None or bool(self.row.part.values)
            self.row = joined(self.row, row) if self.parts and has_values else row
        if row.part is not None:
            self.parts[row.part.place] = row.part.values

    def complete(self) -> TensorRow:
        """The row of the whole: where a part is missing, that nothing moved is not known."""
        row, known = replace(self.row, saved=self._saved()), sum(self.parts.values())
        if row.changed.verdict == "yes" or row.part is None or known >= row.size:
            return row
        changed = replace(row.changed, verdict="unknown", reason=_PARTS_MISSING)
        return replace(row, changed=changed, unknown=row.unknown | {"changed": _PARTS_MISSING})

    def _saved(self) -> Saved | None:
        """The column saved: files hold the whole where they hold all parts; the last that writes a file stays in it."""
        saved = self.row.saved
        if saved is None or saved.state != "part":
            return saved
        written = set({copy.path: copy.part for copy in saved.copies if copy.part}.values())
        whole = sum(self.parts.get(place, 0) for place in written) >= self.row.size
        return replace(saved, state=saved.copies[0].state) if whole else saved


class Wholes:
    """The sharded tensors of the processes of one run, added one process after the other."""

    def __init__(self) -> None:
        self._wholes: dict[str, _Whole] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._wholes

    def add(self, record: Record) -> None:
        """What one more process holds."""
        for row in record.tensors:
            if row.sharded or row.name in self._wholes:
                if (whole := self._wholes.get(row.name)) is None:
                    whole = self._wholes[row.name] = _Whole(row)
                whole.add(row)

    def rows(self) -> dict[str, TensorRow]:
        """Each whole, by its name."""
        return {name: whole.complete() for name, whole in self._wholes.items()}

    def judged(self, first: Record, tensors: list[TensorRow], run: Run) -> tuple[list[Finding], list[Excused]]:
        """What is found of the wholes, and excused.

        Args:
            first: the record of one process, which says what they have in common.
            tensors: all those of the run, with the wholes among them.
            run: all processes together.
        """
        if not self._wholes:
            return [], []
        complete = [replace(row, sharded=False, part=None) if row.name in self else row for row in tensors]
        ledger = Ledger(complete, first.optimizers, first.events, first.expected, run, first.patience)
        record = judging.judged(ledger, Policy())
        excused = [each for each in record.excused if each.tensor in self]
        return [finding for finding in record.findings if self.concerns(finding)], excused

    def concerns(self, finding: Finding) -> bool:
        """Whether a finding is one of a whole: what a process said of its part alone does not count."""
        return any(name in self._wholes for name in finding.tensors)


def joined(one: TensorRow, other: TensorRow) -> TensorRow:
    """The rows of two processes that hold parts of one tensor as one row: it moved where a part did.

    >>> from frostline.core.columns.part import Part
    >>> what = {"shape": (4,), "dtype": "float32", "bytes": 16, "size": 4, "sharded": True}
    >>> one = TensorRow("m.w", "m", "parameter", changed=Changed("no"), part=Part("0:2", 2), **what)
    >>> other = TensorRow("m.w", "m", "parameter", changed=Changed("yes", first_step=3), part=Part("2:4", 2), **what)
    >>> joined(one, other).changed.verdict
    'yes'
    """
    return replace(
        one,
        changed=_changed(one.changed, other.changed),
        optimizers=_holdings(one.optimizers, other.optimizers),
        owner=_owner(one.owner, other.owner),
        saved=_saved(one.saved, other.saved),
        zeros=_all(one.zeros, other.zeros),
        cleared=_all(one.cleared, other.cleared),
        reached_by_backward=_any(one.reached_by_backward, other.reached_by_backward),
        unknown=_unknown(one, other),
    )


def _owner(one: Owner, other: Owner) -> Owner:
    initial = _all(one.default_initialised, other.default_initialised)
    gradient = _any(one.output_got_gradient, other.output_got_gradient)
    if (initial, gradient) == (one.default_initialised, one.output_got_gradient):
        return one  # as for all but the first processes of many: copying takes longest here
    return replace(one, default_initialised=initial, output_got_gradient=gradient)


def _changed(one: Changed, other: Changed) -> Changed:
    said: set[Answer] = {one.verdict, other.verdict}
    moves = sorted((*one.movements, *other.movements), key=lambda move: (move.since, move.until))
    steps = [step for step in (one.first_step, other.first_step) if step is not None]
    last = [step for step in (one.last_step, other.last_step) if step is not None]
    return replace(
        one,
        verdict=together(said),
        first_step=min(steps, default=None),
        last_step=max(last, default=None),
        during=list(dict.fromkeys((*one.during, *other.during))),
        blocks=one.blocks + other.blocks,
        blocks_moved=one.blocks_moved + other.blocks_moved,
        before_training=one.before_training or other.before_training,
        followed=one.followed or other.followed,
        near=one.near if one.near == other.near else None,
        movements=moves[:MOVEMENTS_KEPT],
        digests=None,
        sample=None,
        reason=one.reason or other.reason,
    )


def together(said: Iterable[Answer]) -> Answer:
    """Whether a tensor changed of which several processes say it.

    >>> together({"no", "yes"}), together({"no", "unknown"}), together({"no"})
    ('yes', 'unknown', 'no')
    """
    said = set(said)
    return "yes" if "yes" in said else "unknown" if "unknown" in said else "no"


def _holdings(ones: Iterable[Holding], others: Iterable[Holding]) -> list[Holding]:
    found = {holding.optimizer: holding for holding in ones}
    for other in others:
        one = found.get(other.optimizer)
        found[other.optimizer] = other if one is None else _holding(one, other)
    return list(found.values())


def _holding(one: Holding, other: Holding) -> Holding:
    bounds = [bound for bound in (one.update_ulp, other.update_ulp) if bound is not None]
    return replace(
        one,
        gradients=_sums(one.gradients, other.gradients),
        state=_any(one.state, other.state),
        update_ulp=max(bounds, default=None),
        negligible=one.negligible and other.negligible,
        gradient_inferred=one.gradient_inferred and other.gradient_inferred,
    )


def _saved(one: Saved | None, other: Saved | None) -> Saved | None:
    if one is None or other is None:
        return one or other
    better = min(one, other, key=lambda saved: (saved.state == "missing", saved.state == "part"))
    return replace(better, copies=[*one.copies, *other.copies])


def _unknown(one: TensorRow, other: TensorRow) -> dict[str, str]:
    reasons = other.unknown | one.unknown
    if "yes" in (one.changed.verdict, other.changed.verdict):
        reasons.pop("changed", None)
    return reasons


def _sums(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def _any(one: bool | None, other: bool | None) -> bool | None:
    return other if one is None else one or bool(other)


def _all(one: bool | None, other: bool | None) -> bool | None:
    return None if one is None or other is None else one and other
