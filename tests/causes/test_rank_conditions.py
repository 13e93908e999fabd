"""Conditions under which processes disagree, each by itself, on records by hand: no real launcher takes them apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from frostline.core.columns.part import Part
from frostline.core.columns.replica import ReplicaSample
from frostline.core.ledger import Changed, Declared, Holding, OptimizerRow, Owner, TensorRow
from frostline.core.record import Finding, Record, Totals, Verdict
from frostline.core.run import Run
from frostline.core.storage import store
from frostline.laws.causes.last_digits import Apart, Precision, distance, furthest
from frostline.laws.causes.ranks import find

START = "0" * 32


def tensor(
    last: str = "1", first: str = "0", name: str = "m.w", gradient: str | None = None, **other: Any
) -> TensorRow:
    """A trained weight that ends with the digest ``last``."""
    row = TensorRow(name, "m", "parameter", (4,), "float32", 16, 4, declared=Declared(True, True))
    changed = Changed("yes", checks=4, digests=(first * 32, last * 32))
    return replace(row, changed=changed, optimizers=[Holding("o", first_gradient=gradient)], **other)


def of_rank(rank: int, *rows: TensorRow, steps: int = 8, complete: bool = True) -> Record:
    optimizer = OptimizerRow("o", "optimizer", "SGD", steps_executed=steps, holds=1)
    run = Run(rank=rank, world_size=2, steps=steps, complete=complete)
    return Record(store.FORMAT, "0.1", run, [optimizer], list(rows), Totals(), [], Verdict())


def found(*ranks: TensorRow | list[TensorRow]) -> list[tuple[str, str]]:
    """Code and severity of what is found in ranks of these rows."""
    return coded(of_rank(rank, *(rows if isinstance(rows, list) else [rows])) for rank, rows in enumerate(ranks))


def coded(records: Any) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in find(records)]


def test_the_same_bits_are_no_finding() -> None:
    assert found(tensor("1"), tensor("1")) == []


def test_other_bits_at_the_end_are_an_error_where_they_began_equal() -> None:
    assert found(tensor("1"), tensor("2")) == [("R701", "error")]


def test_who_never_agreed_is_warned() -> None:
    assert found(tensor("1"), tensor("2", first="9")) == [("R701", "warning")]


@pytest.mark.parametrize(
    ("gradients", "severities"),
    [
        (("a", "a"), ["error"]),  # they average, and so are one model that began as two
        (("a", "b"), ["note"]),  # each trains its own
        ((None, None), ["warning"]),
        (("a", None), ["warning"]),  # one alone is no average
    ],
)
def test_gradients_say_whether_starts_may_differ(gradients: tuple[str | None, ...], severities: list[str]) -> None:
    rows = [tensor(str(rank + 1), str(rank), gradient=gradient) for rank, gradient in enumerate(gradients)]
    assert [severity for _, severity in found(*rows)] == severities


def test_statistics_and_states_of_random_numbers_may_differ() -> None:
    assert found(tensor("1", kind="buffer"), tensor("2", kind="buffer")) == [("R701", "note")]
    state = {"owner": Owner("module", "Dropout", role="random-state")}
    assert found(tensor("1", **state), tensor("2", **state)) == []


def test_statistics_beside_a_weight_that_fell_apart_excuse_only_themselves() -> None:
    ranks = [[tensor(last), tensor(last, name="m.mean", kind="buffer")] for last in "12"]
    findings = find(of_rank(rank, *rows) for rank, rows in enumerate(ranks))
    assert {finding.severity: finding.tensors for finding in findings} == {"error": ["m.w"], "note": ["m.mean"]}


@pytest.mark.parametrize("other", [{"shape": (2, 2)}, {"dtype": "float64"}, {"shared": True}, {"sharded": "dtensor"}])
def test_what_is_no_replica_is_not_compared(other: dict[str, Any]) -> None:
    changed_in_both = {key: value for key, value in other.items() if key in ("shared", "sharded")}
    assert found(tensor("1", **changed_in_both), tensor("2", **other)) == []


def test_a_complete_process_without_bits_takes_its_tensor_out() -> None:
    unknown = replace(tensor("2"), changed=Changed("unknown"))
    ranks = [tensor("1"), tensor("3"), unknown]
    assert coded(of_rank(rank, row) for rank, row in enumerate(ranks)) == []
    cut = [of_rank(rank, row, complete=rank < 2) for rank, row in enumerate(ranks)]
    assert coded(cut) == [("R701", "error")]


def test_parts_are_compared_with_those_of_their_place() -> None:
    def part(place: str, last: str, values: int = 2, of: str | None = None) -> TensorRow:
        return tensor(last, sharded="dtensor", part=Part(place, values, of))

    assert found(part("0:2", "1"), part("2:4", "2")) == []
    assert found(part("0:2", "1"), part("0:2", "2")) == [("R701", "error")]
    assert found(part("0:2", "1"), part("0:2", "2", values=0)) == []
    assert found(part("0:2", "1", of="a"), part("2:4", "2", of="a")) == []
    assert found(part("0:2", "1", of="a"), part("2:4", "2", of="b")) == [("R701", "error")]


def sample(units: float, step: int = 4) -> ReplicaSample:
    """A sample that is so many units in the last place of 1 away from that with 0."""
    return ReplicaSample(step, (units * 2.0**-23,), (units * 2.0**-23,), size=1.0, travelled=1.0)


def sampled(*ranks: tuple[str, ReplicaSample | None]) -> list[Finding]:
    rows = [tensor(last) for last, _ in ranks]
    for row, (_, taken) in zip(rows, ranks, strict=True):
        row.changed = replace(row.changed, sample=taken) if taken is not None else row.changed
    return find(of_rank(rank, row) for rank, row in enumerate(rows))


def test_last_digits_are_a_note_while_all_are_near() -> None:
    severities = lambda *ranks: [finding.severity for finding in sampled(*ranks)]  # noqa: E731
    assert severities(("1", sample(0)), ("2", sample(1))) == ["note"]
    assert severities(("1", sample(0)), ("2", sample(99))) == ["error"]
    assert severities(("1", sample(0)), ("2", sample(99)), ("3", sample(1))) == ["error"]  # the furthest one decides
    assert severities(("1", sample(0)), ("2", sample(1)), ("2", sample(99))) == ["note"]  # the same bits: one answer
    assert severities(("1", sample(0)), ("2", None)) == ["error"]
    assert severities(("1", sample(0)), ("2", sample(1, step=5))) == ["error"]


def test_one_tensor_that_drifted_takes_the_excuse_from_the_others() -> None:
    near, far = tensor("1", name="m.a"), tensor("3", name="m.b")
    ranks = []
    for rank, (a, b) in enumerate([(0, 0), (1, 99)]):
        rows = [replace(near, changed=replace(near.changed, digests=(START, f"{rank}" * 32), sample=sample(a)))]
        rows.append(replace(far, changed=replace(far.changed, digests=(START, f"{rank}" * 32), sample=sample(b))))
        ranks.append(of_rank(rank, *rows))
    assert coded(ranks) == [("R701", "error")]


@pytest.mark.parametrize(
    ("verdicts", "severity"), [(("yes", "yes"), "warning"), (("no", "no"), "warning"), (("yes", "no"), "error")]
)
def test_flags_that_differ_weigh_by_what_moved(verdicts: tuple[str, str], severity: str) -> None:
    rows = [replace(tensor(), declared=Declared(flag, flag)) for flag in (True, False)]
    rows = [
        replace(row, changed=Changed(verdict, checks=4, digests=(START, str(rank) * 32)))  # type: ignore[arg-type]
        for rank, (row, verdict) in enumerate(zip(rows, verdicts, strict=True))
    ]
    assert found(*rows) == [("R702", severity)]


def test_optimizers_that_hold_other_tensors_are_told() -> None:
    unlisted = replace(tensor(), optimizers=[Holding("o", listed=False)])
    assert found(tensor(), replace(tensor(), optimizers=[])) == [("R702", "warning")]
    assert found(unlisted, replace(tensor(), optimizers=[])) == []


def test_a_tensor_that_one_process_lacks_is_told_with_it() -> None:
    both, alone = tensor(name="m.a"), tensor(name="m.b")
    [finding] = find([of_rank(0, both, alone), of_rank(1, both)])
    assert (finding.code, finding.severity, finding.tensors) == ("R702", "warning", ["m.b"])
    assert "rank 1" in finding.message
    assert find([of_rank(0, tensor(name="m.a")), of_rank(1, tensor(name="m.b"))]) == []  # the parts of one model


def test_other_numbers_of_steps_weigh_by_the_bits() -> None:
    def of(last: str, complete: bool = True) -> list[tuple[str, str]]:
        return coded([of_rank(0, tensor("1"), steps=8), of_rank(1, tensor(last), steps=7, complete=complete)])

    assert of("1") == [("R702", "note")]
    assert of("2") == [("R702", "warning"), ("R701", "error")]
    assert of("1", complete=False) == []


def test_many_answers_are_cut() -> None:
    rows = [tensor(chr(ord("a") + rank)) for rank in range(11)]
    [finding] = find(of_rank(rank, row) for rank, row in enumerate(rows))
    assert finding.evidence["digests"][-1] == "and 3 more"
    assert len(finding.evidence["digests"]) == 9
    [whole] = find(of_rank(rank, row) for rank, row in enumerate(rows[:8]))
    assert len(whole.evidence["digests"]) == 8


@pytest.mark.parametrize(("first", "looks", "how"), [("0", "equal", "ended apart"), ("9", "different", "never had")])
def test_the_finding_says_how_they_began(first: str, looks: str, how: str) -> None:
    [finding] = find([of_rank(0, tensor("1")), of_rank(1, tensor("2", first))])
    assert finding.evidence["first_looks"] == looks
    assert how in finding.message
    assert finding.evidence["digests"] == ["rank 0: 11111111…", "rank 1: 22222222…"]


def test_the_tensor_that_is_furthest_apart_is_shown() -> None:
    ranks = []
    for rank, apart in enumerate([(0, 0, 0), (1, 3, 2)]):
        rows = [tensor(str(rank + 1), name=f"m.{name}") for name in "abc"]
        for row, units in zip(rows, apart, strict=True):
            row.changed = replace(row.changed, sample=sample(units))
        ranks.append(of_rank(rank, *rows))
    [finding] = find(ranks)
    assert (finding.evidence["tensor"], len(finding.tensors)) == ("m.b", 3)


def test_what_each_process_says_of_a_flag_is_told() -> None:
    frozen = replace(tensor(), declared=Declared(False, False), optimizers=[])
    [finding] = find([of_rank(0, tensor()), of_rank(1, frozen)])
    assert finding.message == "1 tensor is trainable, held by o in rank 0; frozen, held by nothing in rank 1"


def test_processes_share_no_bits_before_steps_are_compared() -> None:
    """Tensors that are no replicas say nothing of how the processes ended."""
    stages = [of_rank(0, tensor("1"), steps=8), of_rank(1, tensor("1", shape=(2, 2)), steps=7)]
    assert coded(stages) == [("R702", "warning")]
    one_apart = [
        of_rank(rank, tensor("1", name="m.a"), tensor(str(rank), name="m.b"), steps=8 - rank) for rank in range(2)
    ]
    assert ("R702", "warning") in coded(one_apart)


def test_many_numbers_of_steps_are_cut() -> None:
    [finding] = find(of_rank(rank, tensor("1"), steps=rank + 1) for rank in range(10))
    assert finding.message.endswith("8 steps in rank 7; and 2 more answers")
    [whole] = find(of_rank(rank, tensor("1"), steps=rank + 1) for rank in range(8))
    assert whole.message.endswith("7 steps in rank 6; 8 steps in rank 7")


UNIT = 2.0**-23
HALF = Precision(2.0**-10, few=8.0, share=0.2)
ALIKE = ReplicaSample(4, (0.0,), (0.0,), size=1.0, travelled=1.0)


@pytest.mark.parametrize(
    ("dtype", "unit", "few"),
    [
        ("float32", UNIT, 32.0),
        ("complex64", UNIT, 32.0),
        ("float64", 2.0**-52, 32.0),
        ("complex128", 2.0**-52, 32.0),
        ("bfloat16", 2.0**-7, 8.0),
        ("float16", 2.0**-10, 8.0),
    ],
)
def test_how_far_two_replicas_are_apart_is_told_in_units_of_the_type(dtype: str, unit: float, few: float) -> None:
    other = ReplicaSample(4, (unit,), (3 * unit,), size=0.5, travelled=0.25)
    apart = distance(ALIKE, other, dtype)
    assert apart is not None
    assert (apart.units, apart.earlier, apart.step, apart.share) == (3, 1, 4, 12 * unit)
    assert (apart.precision.unit, apart.precision.few) == (unit, few)


@pytest.mark.parametrize(
    ("other", "dtype"),
    [
        (None, "float32"),
        (ALIKE, "int8"),
        (replace(ALIKE, step=5), "float32"),
        (replace(ALIKE, travelled=0.0), "float32"),  # nothing moved
    ],
)
def test_a_distance_that_is_not_known(other: ReplicaSample | None, dtype: str) -> None:
    assert distance(ALIKE, other, dtype) is None
    assert distance(other, ALIKE, dtype) is None


def test_replicas_of_zeros_have_no_unit() -> None:
    zeros = replace(ALIKE, size=0.0)
    assert distance(zeros, zeros, "float32") is None


@pytest.mark.parametrize(
    ("apart", "is_rounding"),
    [
        (Apart(units=16, share=0.01), True),
        (Apart(units=16.1, share=0.01), False),
        (Apart(units=16, share=0.011), False),
        (Apart(units=24, earlier=2), True),  # four times as many as after half of the run
        (Apart(units=24.1, earlier=2), False),
        (Apart(units=32, earlier=30), True),
        (Apart(units=32.1, earlier=30), False),
        (Apart(units=8, share=0.2, precision=HALF), True),
        (Apart(units=8.1, share=0.2, precision=HALF), False),
        (Apart(units=8, share=0.21, precision=HALF), False),
    ],
)
def test_a_few_units_of_a_small_share_are_rounding(apart: Apart, is_rounding: bool) -> None:
    assert (apart.rounding() is not None) is is_rounding


def test_two_distances_are_as_far_as_the_larger_of_each_number() -> None:
    near, far = Apart(1, 2, 3, 0.4), Apart(4, 1, 2, 0.1)
    assert furthest(near, far) == furthest(far, near) == Apart(4, 2, 3, 0.4)
    assert furthest(near, None) is furthest(None, near) is None
