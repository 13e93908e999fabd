"""R: what the processes of one run disagree on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from frostline.core.amounts import are, several, were
from frostline.core.columns.replica import ReplicaSample
from frostline.core.ledger import TensorRow
from frostline.core.record import Finding, Record
from frostline.laws.causes.cause import Case, Cause, Evidence, Mitigation, proven
from frostline.laws.causes.last_digits import NOWHERE, Apart, distance, furthest

Answers = dict[str, list[int]]
_SHOWN = 8  # different answers that a finding lists


@dataclass(slots=True)
class _Tensor:
    """What the ranks say of one tensor: its row in the first of them, and each answer with the ranks that gave it."""

    row: TensorRow
    ranks: list[int] = field(default_factory=list)
    held: Answers = field(default_factory=dict)
    first: dict[str, set[str]] = field(default_factory=dict)  # by the part that a rank holds; "" is the whole
    last: dict[str, Answers] = field(default_factory=dict)
    sample: ReplicaSample | None = None  # that of the first rank
    distance: Apart | None = NOWHERE  # from there to those that ended with other bits
    changed: set[str] = field(default_factory=set)
    gradients: Answers = field(default_factory=dict)  # of the first step
    wholes: Answers = field(default_factory=dict)  # what ranks took their parts from
    is_replica: bool = True

    @property
    def began_equal(self) -> bool:
        """Whether the replicas of each part began with the same bits."""
        return all(len(said) == 1 for said in self.first.values())

    @property
    def is_averaged(self) -> bool:
        """Whether all processes applied the same bits of gradient, which came of data of their own."""
        return list(self.gradients.values()) == [self.ranks]

    def add(self, rank: int, row: TensorRow, is_complete: bool) -> None:
        """One more rank's row; the last bits of a process that was cut short are not known."""
        self.ranks.append(rank)
        self.held.setdefault(_held(row), []).append(rank)
        self.changed.add(row.changed.verdict)
        for gradient in {each.first_gradient for each in row.optimizers if each.first_gradient is not None}:
            self.gradients.setdefault(gradient, []).append(rank)
        if row.part is not None and row.part.of:
            self.wholes.setdefault(row.part.of, []).append(rank)
        digests = row.changed.digests
        if (row.shape, row.dtype) != (self.row.shape, self.row.dtype):
            self.is_replica = False  # stages of a pipeline name their tensors alike
        if row.part is not None and not row.part.values:
            return
        if (row.sharded and row.part is None) or row.shared or (digests is None and is_complete):
            self.is_replica = False
        elif digests is not None:
            place = row.part.place if row.part is not None else ""
            self.first.setdefault(place, set()).add(digests[0])
            answers = self.last.setdefault(place, {})
            if not answers:
                self.sample = row.changed.sample
            elif digests[1] not in answers:
                self.distance = furthest(self.distance, distance(self.sample, row.changed.sample, row.dtype))
            answers.setdefault(digests[1], []).append(rank)

    def answers(self) -> Answers:
        """The last bits of the replicas of one part that fell apart, with the ranks that have them; else none."""
        return next((answers for answers in self.last.values() if len(answers) > 1), {})


BITS_AGREE = Mitigation[set[str]](
    "bits agree",
    "No tensor moved in one process and stood still in another.",
    lambda changed: None if len(changed) > 1 else "what moved in one process moved in all that have it",
    severity="warning",
)
ENDED_ALIKE = Mitigation[bool](
    "ended alike",
    "All tensors have the same bits in all processes at the end, however many steps each made.",
    lambda alike: "every tensor that the processes share ends with the same bits in all of them" if alike else None,
    severity="note",
)
LAST_DIGITS = Mitigation[_Tensor](
    "last digits",
    "Each process computes the tensor by itself, and sums round in more than one way.",
    lambda tensor: tensor.distance.rounding() if tensor.began_equal and tensor.distance is not None else None,
    hint="nothing, where a last digit may differ; else broadcast these tensors from one process",
)
DIVERGED = Cause(
    code="R701",
    slug="ranks-diverge",
    severity="error",
    law="L11",
    means="A tensor began with the same bits in every process and ended with different ones.",
    matters="The copies of a model are no longer copies: what is saved depends on which process saves it.",
    remedy="let every gradient be reduced (wrap the whole model, no unsynchronised step), and load in every process",
    tells_apart="The first checks agree and the last ones do not. Of shards, replicas of one part are compared, and "
    "what each was taken from.",
    mitigations=(
        Mitigation(
            "statistics",
            "Each process gathers statistics of its own data.",
            lambda tensor: "it is a buffer, and no optimizer moves it" if tensor.row.kind == "buffer" else None,
        ),
        Mitigation(
            "own gradients",
            "The processes began apart and apply other gradients: each trains one of its own, such as an expert.",
            lambda tensor: (
                None
                if tensor.began_equal or len(tensor.gradients) < 2
                else "the first checks of the processes differ, and so do the gradients of their first steps"
            ),
        ),
        Mitigation(
            "never agreed",
            "The processes began apart, may be meant to differ, and are not seen to average gradients.",
            lambda tensor: (
                None if tensor.began_equal or tensor.is_averaged else "the first checks of the processes differ too"
            ),
            severity="warning",
        ),
        LAST_DIGITS,
    ),
)
HELD_APART = Cause(
    code="R702",
    slug="ranks-hold-different-tensors",
    severity="error",
    law="L11",
    means="The processes differ in which tensors there are, which are trainable, or which an optimizer holds.",
    matters="One process trains what another keeps frozen, or waits for a gradient that never comes.",
    remedy="set flags and make optimizers alike in every process, not by rank, data or random numbers",
    tells_apart="Flags, optimizers or numbers of steps differ; where bits differ too, this is why.",
    mitigations=(BITS_AGREE, ENDED_ALIKE),
)

CAUSES = (DIVERGED, HELD_APART)


class Comparison:
    """Compares the records of ranks, one after the other; it keeps what each says, and no record."""

    def __init__(self) -> None:
        self._tensors: dict[str, _Tensor] = {}
        self._steps: dict[str, dict[int, int]] = {}
        self._ranks: list[int] = []
        self._complete = True

    def add(self, record: Record) -> None:
        """The record of one more rank."""
        rank = len(self._ranks) if record.run.rank is None else record.run.rank
        self._ranks.append(rank)
        self._complete &= record.run.complete
        for row in record.tensors:
            tensor = self._tensors.get(row.name)
            if tensor is None:
                tensor = self._tensors[row.name] = _Tensor(row)
            tensor.add(rank, row, record.run.complete)
        for optimizer in record.optimizers:
            counts = self._steps.setdefault(optimizer.id, {})
            counts[rank] = counts.get(rank, 0) + optimizer.steps_executed

    def findings(self) -> list[Finding]:
        """What the ranks disagree on."""
        in_all = {name: each for name, each in self._tensors.items() if len(each.ranks) == len(self._ranks)}
        shared = [each for each in in_all.values() if each.is_replica and each.last]
        alike = bool(shared) and not any(each.answers() for each in shared)
        found = [*(self._missing() if in_all else ()), *self._unequal_steps(alike), *_held_apart(in_all.values())]
        found += _divided(in_all.values())
        explained = {name for finding in found for name in finding.tensors}
        return found + _diverged([each for name, each in in_all.items() if name not in explained])

    def _missing(self) -> Iterable[Finding]:
        """Tensors that some ranks do not have; ranks that share none hold the parts of one model."""
        groups: dict[tuple[int, ...], list[TensorRow]] = {}
        for tensor in self._tensors.values():
            if len(tensor.ranks) < len(self._ranks):
                there = set(tensor.ranks)
                without = tuple(rank for rank in self._ranks if rank not in there)
                groups.setdefault(without, []).append(tensor.row)
        for without, rows in groups.items():
            fact = f"{several(len(rows), 'tensor')} {are(len(rows))} not there in {told_ranks(without)}"
            evidence: Evidence = {"missing_in": list(map(str, without))}
            yield HELD_APART.finding(Case(rows, fact, evidence, mitigated=BITS_AGREE.proven(set())))

    def _unequal_steps(self, alike: bool) -> Iterable[Finding]:
        """Optimizers of one name that made other numbers of steps, which processes that end ``alike`` may do."""
        for optimizer, counts in self._steps.items() if self._complete else ():
            answers: Answers = {}
            for rank in self._ranks:
                answers.setdefault(several(counts.get(rank, 0), "step"), []).append(rank)
            if len(answers) > 1:
                fact = f"{optimizer} executed {_told(answers)}"
                agree = ENDED_ALIKE.proven(alike) or BITS_AGREE.proven(set())
                yield HELD_APART.finding(Case([], fact, {"optimizer": optimizer}, mitigated=agree))


def find(records: Iterable[Record]) -> list[Finding]:
    """Compare the records of several processes, in the order of their ranks."""
    comparison = Comparison()
    for record in records:
        comparison.add(record)
    return comparison.findings()


def told_ranks(ranks: Sequence[int]) -> str:
    """Ranks as a person lists them.

    >>> told_ranks([1]), told_ranks([0, 1]), told_ranks([0, 1, 2, 3, 5])
    ('rank 1', 'ranks 0, 1', 'ranks 0-3, 5')
    """
    spans: list[list[int]] = []
    for rank in ranks:
        if spans and rank == spans[-1][-1] + 1:
            spans[-1].append(rank)
        else:
            spans.append([rank])
    parts = [f"{span[0]}-{span[-1]}" if len(span) > 2 else ", ".join(map(str, span)) for span in spans]
    return f"rank{'s' if len(ranks) > 1 else ''} {', '.join(parts)}"


def _held(row: TensorRow) -> str:
    flag = {True: "trainable", False: "frozen", None: ""}[row.declared.trainable]
    optimizers = sorted({holding.optimizer for holding in row.optimizers if holding.listed})
    return f"{flag}, held by {' and '.join(optimizers) or 'nothing'}"


def _held_apart(tensors: Iterable[_Tensor]) -> Iterable[Finding]:
    """Tensors that ranks declare or hold differently, those with the same answers in the same ranks together."""
    groups: dict[tuple[tuple[str, tuple[int, ...]], ...], list[_Tensor]] = {}
    for tensor in tensors:
        if len(tensor.held) > 1:
            groups.setdefault(tuple((said, tuple(ranks)) for said, ranks in tensor.held.items()), []).append(tensor)
    for alike in groups.values():
        answers, changed = alike[0].held, set().union(*(tensor.changed for tensor in alike))
        case = Case(
            [tensor.row for tensor in alike],
            f"{several(len(alike), 'tensor')} {are(len(alike))} {_told(answers)}",
            {
                "changed": sorted(changed),
                "by_rank": _listed({told_ranks(ranks): said for said, ranks in answers.items()}),
            },
            mitigated=BITS_AGREE.proven(changed),
        )
        yield HELD_APART.finding(case)


def _divided(tensors: Iterable[_Tensor]) -> Iterable[Finding]:
    """Sharded tensors that are put together of parts of other wholes, those of the same ranks together."""
    groups: dict[tuple[tuple[int, ...], ...], list[_Tensor]] = {}
    for tensor in tensors:
        if len(tensor.wholes) > 1:
            groups.setdefault(tuple(sorted(map(tuple, tensor.wholes.values()))), []).append(tensor)
    for apart, alike in groups.items():
        yield DIVERGED.finding(
            Case(
                [tensor.row for tensor in alike],
                f"{several(len(alike), 'tensor')} {were(len(alike))} divided from other values in each process: the "
                "whole is put "
                "together of them",
                {"tensor": alike[0].row.name, "first_looks": "different", "alike_in": list(map(told_ranks, apart))},
            )
        )


def _diverged(tensors: Iterable[_Tensor]) -> list[Finding]:
    """Replicas whose last bits differ, those that fall apart between the same ranks together.

    Where one of them went further than its last digits, the others are on the way.
    """
    fallen = [each for each in tensors if each.is_replica and each.answers() and each.row.owner.role != "random-state"]
    rounded = all(each.row.kind == "buffer" or LAST_DIGITS.proven(each) for each in fallen)
    mitigations = [each for each in DIVERGED.mitigations if rounded or each is not LAST_DIGITS]
    groups: dict[tuple[str, bool, tuple[tuple[int, ...], ...]], list[_Tensor]] = {}
    for tensor in fallen:
        ranks = tuple(sorted(map(tuple, tensor.answers().values())))
        groups.setdefault((tensor.row.kind, tensor.began_equal, ranks), []).append(tensor)
    return [DIVERGED.finding(_case(alike, mitigations)) for alike in groups.values()]


def _case(alike: Sequence[_Tensor], mitigations: Iterable[Mitigation[_Tensor]]) -> Case:
    first = max(alike, key=lambda tensor: tensor.distance.units if tensor.distance else 0.0)
    how = (
        "began with the same bits in all processes and ended apart" if first.began_equal else "never had the same bits"
    )
    return Case(
        [tensor.row for tensor in alike],
        f"{several(len(alike), 'tensor')} {how}",
        {
            "tensor": first.row.name,
            "digests": _listed({told_ranks(ranks): f"{last[:8]}…" for last, ranks in first.answers().items()}),
            "first_looks": "equal" if first.began_equal else "different",
        },
        mitigated=proven(mitigations, first),
    )


def _listed(answers: dict[str, str]) -> list[str]:
    lines = [f"{ranks}: {said}" for ranks, said in answers.items()]
    return lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], f"and {len(lines) - _SHOWN:,} more"]


def _told(answers: Answers) -> str:
    parts = [f"{said} in {told_ranks(ranks)}" for said, ranks in answers.items()]
    return "; ".join(parts if len(parts) <= _SHOWN else [*parts[:_SHOWN], f"and {len(parts) - _SHOWN:,} more answers"])
