"""How findings of causes and violations of laws are weighed against each other, on findings by hand."""

from __future__ import annotations

import pytest
from tests.causes.test_mitigations import row

from frostline.core.record import Finding, Severity
from frostline.laws import LAWS, _explained, _weighed
from frostline.laws.law import Violation

A, B = row("net.a"), row("net.b")
L4 = next(law for law in LAWS if law.code == "L4")
WHOLE = Violation((A, B), "nothing moved", {}, whole=True)


def finding(severity: Severity, *names: str, **evidence: str) -> Finding:
    return Finding("no-gradient", "T203", severity, list(names), "did not change", dict(evidence), None)


@pytest.mark.parametrize(
    ("findings", "severities"),
    [
        ([("note", "net.a", "net.b")], ["error"]),  # of the whole it is not harmless
        ([("note", "net.a", "net.b", "net.c")], ["error"]),
        ([("note", "net.a"), ("warning", "net.b")], ["error", "error"]),  # they share the whole among them
        ([("note", "net.a")], ["note"]),  # of a part it may be
        ([("note", "net.a"), ("note", "net.b", "net.c")], ["note", "note"]),
        ([("note", "net.a"), ("error", "net.b")], ["note", "error"]),  # one of them says how grave it is
        ([("note",)], ["note"]),
        ([("note", "net.a", "net.b"), ("note", "net.c")], ["error", "note"]),
    ],
)
def test_what_explains_the_whole_weighs_as_the_law_does(
    findings: list[tuple[Severity, str]], severities: list[str]
) -> None:
    known = [finding(severity, *names) for severity, *names in findings]
    weighed = _weighed(L4, WHOLE, known)
    assert [each.severity for each in weighed] == severities
    assert all(("law" in now.evidence) is (now is not then) for now, then in zip(weighed, known, strict=True))
    parts = Violation((A, B), "nothing moved", {})
    assert _weighed(L4, parts, known) == known


@pytest.mark.parametrize(
    ("violation", "known", "explained"),
    [
        (WHOLE, finding("error", "net.a"), True),
        (WHOLE, finding("error", "net.c"), False),
        (WHOLE, finding("warning", "net.a", "net.b"), False),
        (Violation((A, B), "nothing moved", {}), finding("error", "net.a"), False),
        (Violation((), "holds nothing", {}, optimizer="sgd"), finding("note", optimizer="sgd"), True),
        (Violation((), "holds nothing", {}, optimizer="sgd"), finding("note", optimizer="adam"), False),
    ],
)
def test_an_error_about_a_part_explains_the_whole(violation: Violation, known: Finding, explained: bool) -> None:
    assert _explained(violation, [known]) is explained
