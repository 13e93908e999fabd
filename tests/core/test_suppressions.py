"""What settings make of findings: severities, what is ignored for a reason, and what a baseline knows."""

from pathlib import Path

import pytest

from frostline.core.ledger import TensorRow
from frostline.core.record import Finding, Record, Totals, Verdict
from frostline.core.run import Run
from frostline.core.storage import baseline
from frostline.core.storage.store import FORMAT
from frostline.core.suppressions import Baseline, Ignore, Override, Policy, known, settle, use_of
from frostline.core.verdict import exit_status, failing, judge, sentence
from frostline.errors import FrostlineError

NAMES = ("net.0.weight", "net.0.bias", "net.2.weight")
LEAVES = [TensorRow(name, "net", "parameter", (1,), "float32", 4, 1) for name in NAMES]


def finding(*tensors: str, rule: str = "frozen-but-changed", severity: str = "error", message: str = "") -> Finding:
    return Finding(rule, "F100", severity, list(tensors), message, {}, "do this")  # type: ignore[arg-type]


def settled(findings: list[Finding], **policy) -> list[Finding]:
    return settle(findings, LEAVES, Policy(**policy))


def test_what_is_ignored_is_kept_with_its_reason_and_does_not_count() -> None:
    [one] = settled([finding(NAMES[0])], ignore=(Ignore("f100", "because"),))
    assert one.ignored == "because"
    verdict = judge([one], [])
    assert verdict == Verdict(ignored=1)
    assert exit_status(verdict, "error") == 0
    assert failing([one], "warning") == []
    assert sentence(verdict) == "0 errors, 0 warnings, 0 notes; 1 ignored"


@pytest.mark.parametrize(("ignore", "covered"), [
    (Ignore("frozen-but-changed", "r"), True),
    (Ignore("F101", "r"), False),
    (Ignore("F100", "r", ("0.**",)), True),
    (Ignore("F100", "r", ("0.weight",)), False),
    (Ignore("F100", "r", ("0.weight", "*.bias")), True),
])  # fmt: skip
def test_a_finding_is_ignored_only_where_all_of_its_tensors_are(ignore: Ignore, covered: bool) -> None:
    [one] = settled([finding("net.0.weight", "net.0.bias")], ignore=(ignore,))
    assert (one.ignored is not None) is covered


def test_patterns_of_tensors_do_not_cover_a_finding_without_tensors() -> None:
    [one] = settled([finding()], ignore=(Ignore("F100", "r", ("**",)),))
    assert one.ignored is None


def test_a_severity_can_be_changed_and_changed_back() -> None:
    softer = {"frozen-but-changed": Override("error", "note")}
    first = settled([finding(NAMES[0])], severity=softer)
    assert (first[0].severity, first[0].usual) == ("note", "error")
    assert settled(first)[0] == finding(NAMES[0])


def test_findings_that_a_run_made_milder_are_not_made_graver() -> None:
    graver = {"frozen-but-changed": Override("warning", "error")}
    assert settled([finding(severity="note")], severity=graver)[0].severity == "note"
    assert settled([finding(severity="warning")], severity=graver)[0].severity == "error"


def record(*findings: Finding) -> Record:
    return Record(FORMAT, "0", Run(), [], LEAVES, Totals(), list(findings), Verdict())


def test_a_baseline_knows_its_findings_under_another_name_of_the_model(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    assert baseline.save(record(finding(*NAMES[:2]), finding(message="3 of 12")), path) == 2
    old = baseline.load(path)
    renamed = [TensorRow("other.0.weight", "other", "parameter", (1,), "float32", 4, 1)]
    [same] = settle([finding("other.0.weight")], renamed, Policy(baseline=old))
    assert same.ignored == "known: it is in known.json"
    [again] = settle([finding(message="3 of 1,400")], renamed, Policy(baseline=old))
    assert again.ignored


def test_new_leaves_a_graver_severity_and_other_rules_show(tmp_path: Path) -> None:
    old = Baseline("known.json", (known(finding(NAMES[0], severity="warning"), {NAMES[0]: "net"}),))
    for new in (
        finding(NAMES[0], NAMES[2], severity="warning"),
        finding(NAMES[0], severity="error"),
        finding(NAMES[0], severity="warning", rule="other"),
        finding(severity="warning"),
    ):
        assert settled([new], baseline=old)[0].ignored is None, new


def test_what_is_found_no_longer_is_told(tmp_path: Path) -> None:
    entries = [finding(*NAMES[:2]), finding(NAMES[2]), finding(message="no step")]
    old = Baseline("known.json", tuple(known(each, dict.fromkeys(NAMES, "net")) for each in entries))
    use = use_of(old, [finding(NAMES[0])], LEAVES)
    assert use.known == 1
    assert [(each.tensors, each.subject) for each in use.resolved] == [(["2.weight"], ""), ([], "no step")]


def test_patterns_may_be_written_into_a_baseline_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text(
        '{"frostline_baseline": 2, "findings":'
        ' [{"rule": "frozen-but-changed", "severity": "error", "tensors": ["*.weight"]}]}'
    )
    policy = Policy(baseline=baseline.load(path))
    assert settle([finding(NAMES[0], NAMES[2])], LEAVES, policy)[0].ignored
    assert settle([finding(*NAMES)], LEAVES, policy)[0].ignored is None


@pytest.mark.parametrize("content", ["", "[]", '{"frostline_baseline": 1, "findings": []}', '{"format": 1}', "\x00"])
def test_another_file_is_no_baseline_and_is_left_alone(content: str, tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text(content)
    with pytest.raises(FrostlineError):
        baseline.load(path)
    with pytest.raises(FrostlineError):
        baseline.save(record(), path)
    assert path.read_text() == content


def test_a_finding_without_tensors_is_known_by_its_words_and_not_by_its_numbers() -> None:
    models: dict[str, str] = {}
    assert known(finding(message="4 of 1,024 steps skipped"), models).subject == "# of # steps skipped"
    assert known(finding(NAMES[0], message="4 steps"), models).subject == ""
    old = known(finding(message="4 steps skipped"), models)
    before = Baseline("known.json", (old,))
    [same] = settled([finding(message="9 steps skipped")], baseline=before)
    [other] = settled([finding(message="no step was made")], baseline=before)
    assert (same.ignored is None, other.ignored is None) == (False, True)


def test_an_entry_is_found_no_longer_where_none_of_the_findings_of_its_rule_is_the_same() -> None:
    one, other = finding(NAMES[0]), finding(NAMES[1])
    before = Baseline("known.json", (known(one, {}), known(finding(NAMES[2], rule="another-rule"), {})))
    use = use_of(before, [one, other], [])
    assert (use.known, [each.rule for each in use.resolved]) == (1, ["another-rule"])
    assert len(use_of(before, [other], []).resolved) == 2


@pytest.mark.parametrize(("pattern", "found"), [("net.0.weigh?", True), ("*.0.weight", True), ("net.0", False)])
def test_an_entry_with_a_pattern_stands_as_long_as_it_matches(pattern: str, found: bool) -> None:
    entry = known(finding(pattern), {})
    assert (use_of(Baseline("known.json", (entry,)), [finding(NAMES[0])], []).resolved == []) is found
