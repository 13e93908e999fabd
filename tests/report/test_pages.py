"""The page of a rule holds all it says of itself, inside its columns."""

from __future__ import annotations

from dataclasses import replace

from frostline.laws.causes.cause import Cause
from frostline.report.pages import rule_list, rule_page

RULE = Cause(
    code="F101",
    slug="frozen-but-decayed",
    severity="error",
    law="L1",
    means="A tensor was declared frozen, and weight decay moved it:\n"
    "each step multiplied it by 1 - lr·decay.\n\nStill.",
    matters="It drifts towards zero in every step, " * 4,
    remedy="Leave it out of the optimizer.",
    tells_apart="w' = c·w with one c for all elements.",
)


def test_the_page_has_all_headings_in_order():
    page = rule_page(RULE)
    lines = page.splitlines()
    assert lines[0] == "F101 frozen-but-decayed (error)"
    headings = [text.rstrip("─ ") for text in lines if text.endswith("──")]
    assert headings == [
        "What it means",
        "Why it matters",
        "Example",
        "What to do",
        "How it is detected",
        "The law it explains",
    ]
    assert max(map(len, lines)) == 80
    assert "\n    import torch\n" in page
    assert "\n        optimizer.step()\n" in page
    assert "each step multiplied it\nby 1 - lr·decay.\n\nStill." in page
    assert "\x1b" not in page
    assert "\x1b[" in rule_page(RULE, color=True)


def test_what_a_rule_does_not_say_has_no_heading():
    assert "How it is detected" not in rule_page(replace(RULE, tells_apart=""))
    assert "Example" not in rule_page(replace(RULE, slug="never-seen"))


def test_a_formula_stays_true_in_ascii():
    assert "w' = c*w" in rule_page(RULE, encoding="ascii")


def test_the_list_has_a_line_for_each_rule():
    other = replace(RULE, code="P801", slug="summary-disagrees", severity="warning")
    assert rule_list([RULE, other]).splitlines() == [
        "code  severity  rule",
        "F101  error     frozen-but-decayed",
        "P801  warning   summary-disagrees",
    ]
