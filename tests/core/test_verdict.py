"""One function decides; the exit status and the sentence follow it."""

import pytest

from frostline.core.ledger import Holding, TensorRow
from frostline.core.record import Finding, Verdict
from frostline.core.run import Run
from frostline.core.verdict import by_severity, exit_status, failing, judge, sentence, totals


def finding(severity):
    return Finding("r", "X1", severity, [], "m", {}, "h")


def tensor_row(**settings):
    row = TensorRow("a", "m", settings.pop("kind", "parameter"), (3,), "float32", 12, 3)
    row.declared.trainable = settings.get("trainable")
    row.changed.verdict = settings.get("changed", "no")
    return row


def test_findings_are_counted_by_severity_and_unknown_tensors_apart():
    lost = tensor_row(changed="unknown")
    assert judge([finding("error"), finding("note"), finding("note")], [tensor_row(), lost]) == Verdict(1, 0, 2, 1)


@pytest.mark.parametrize(
    ("run", "missing", "uncompared"),
    [
        (Run(), 0, 0),
        (Run(world_size=4), 0, 0),
        (Run(rank=0), 0, 0),
        (Run(rank=0, world_size=4), 0, 3),
        (Run(rank=0, world_size=4, missing=["rank 1", "rank 2"]), 2, 3),
    ],
)
def test_what_is_not_known_of_other_processes_is_counted(run, missing, uncompared):
    assert judge([], [], run) == Verdict(missing=missing, uncompared=uncompared)


@pytest.mark.parametrize(
    ("verdict", "fail_on", "status"),
    [
        (Verdict(errors=1), "error", 1),
        (Verdict(warnings=1), "error", 0),
        (Verdict(warnings=1), "warning", 1),
        (Verdict(notes=9, unknown=9), "warning", 0),
        (Verdict(errors=9), "never", 0),
    ],
)
def test_the_exit_status_follows_the_threshold(verdict, fail_on, status):
    assert exit_status(verdict, fail_on) == status


@pytest.mark.parametrize("errors", range(3))
@pytest.mark.parametrize("warnings", range(3))
def test_the_sentence_says_no_contradiction_exactly_when_nothing_fails(errors, warnings):
    verdict = Verdict(errors, warnings)
    assert sentence(verdict).startswith("no contradiction") == (exit_status(verdict, "warning") == 0)


def test_totals_count_numbers_and_keep_buffers_apart():
    rows = [
        tensor_row(trainable=True, changed="yes"),
        tensor_row(trainable=False),
        tensor_row(kind="buffer", changed="yes"),
    ]
    counted = totals(rows)
    assert (counted.parameters, counted.buffers, counted.changed, counted.unchanged) == (6, 3, 3, 3)
    assert (counted.declared_trainable, counted.declared_frozen) == (3, 3)


def test_only_what_a_program_really_holds_counts_as_wired():
    rows = [tensor_row(trainable=True) for _ in range(3)]
    rows[0].optimizers = [Holding("sgd", listed=False)]  # a compiled step reads it and trains it not
    rows[1].optimizers = [Holding("sgd", listed=False), Holding("adam")]
    assert totals(rows).in_optimizer == 3


def test_a_column_that_is_not_known_makes_a_tensor_count_as_unknown_once():
    known, doubted, lost = tensor_row(), tensor_row(), tensor_row(changed="unknown")
    doubted.unknown["saved"] = lost.unknown["changed"] = "it could not be read"
    assert judge([], [known, doubted, lost, tensor_row(changed="unknown")]).unknown == 3


@pytest.mark.parametrize(
    ("fail_on", "failed"), [("error", ["error"]), ("warning", ["error", "warning"]), ("never", [])]
)
def test_findings_at_or_above_the_threshold_fail(fail_on, failed):
    findings = [finding(severity) for severity in ("note", "error", "warning")]
    ignored = finding("error")
    ignored.ignored = "known"
    assert [each.severity for each in failing([*findings, ignored], fail_on)] == failed
    assert [each.severity for each in by_severity(findings)] == ["error", "warning", "note"]


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (Verdict(), "no contradiction found (0 errors, 0 warnings, 0 notes)"),
        (
            Verdict(unknown=1),
            "no contradiction found in what is known (0 errors, 0 warnings, 0 notes); 1 tensor unknown",
        ),
        (Verdict(notes=1, ignored=2), "0 errors, 0 warnings, 1 note; 2 ignored"),
        (Verdict(1, 2, 3, 4, 5), "1 error, 2 warnings, 3 notes; 5 ignored; 4 tensors unknown"),
    ],
)
def test_the_sentence_counts(verdict, line):
    assert sentence(verdict) == line


def test_what_has_no_flag_is_neither_trainable_nor_frozen():
    rows = [tensor_row(trainable=None), tensor_row(trainable=True, changed="unknown"), tensor_row(trainable=False)]
    counted = totals(rows)
    assert (counted.tensors, counted.declared_trainable, counted.declared_frozen, counted.unknown) == (3, 3, 3, 3)
