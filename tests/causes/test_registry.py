"""The table of rules: names that can be told apart, pages that are whole, and a command that finds each."""

import re
from collections import Counter

import pytest
from click.testing import CliRunner

from frostline.cli import cli
from frostline.core.record import SEVERITIES
from frostline.laws.causes import CAUSES
from frostline.laws.causes.cause import Cause
from frostline.report.pages import rule_page

FAMILIES = {
    "F": "declared frozen",
    "T": "declared trainable",
    "D": "flags",
    "W": "wiring",
    "M": "expected",
    "S": "saved",
    "P": "printed",
    "R": "ranks",
}
HEADINGS = ("What it means", "Why it matters", "What to do", "How it is detected")


def test_codes_and_slugs_name_one_rule() -> None:
    assert [slug for slug, count in Counter(rule.slug for rule in CAUSES).items() if count > 1] == []
    assert [code for code, count in Counter(rule.code for rule in CAUSES).items() if count > 1] == []


@pytest.mark.parametrize("rule", CAUSES, ids=lambda rule: rule.slug)
def test_a_rule_names_a_state_in_its_family(rule: Cause) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.slug)
    assert re.fullmatch(r"[A-Z][1-8]\d\d", rule.code)
    assert rule.code[0] in FAMILIES
    assert rule.severity in SEVERITIES
    if rule.code[0] == "F":
        assert rule.slug.startswith("frozen-") or rule.slug == "stale-compiled-step"


@pytest.mark.parametrize("rule", CAUSES, ids=lambda rule: rule.slug)
def test_a_page_has_all_its_parts(rule: Cause) -> None:
    page = rule_page(rule)
    assert [heading for heading in HEADINGS if f"\n{heading} ─" not in page] == []
    for text in (rule.means, rule.matters, rule.tells_apart):
        assert text.endswith(".")
        assert text[0].isupper() or text.startswith(("layer.", "w'"))
    assert rule.remedy[0].islower()
    assert not rule.remedy.endswith(".")


@pytest.mark.parametrize("rule", CAUSES, ids=lambda rule: rule.slug)
def test_explain_finds_it_by_code_and_by_name(rule: Cause) -> None:
    for name in (rule.code, rule.code.lower(), rule.slug):
        shown = CliRunner().invoke(cli, ["explain", name])
        assert shown.exit_code == 0
        assert f"{rule.code} {rule.slug} ({rule.severity})" in shown.output
        assert all(line.strip() in shown.output for line in rule.example.splitlines())


def test_rules_lists_them_all() -> None:
    listed = CliRunner().invoke(cli, ["rules"]).output
    assert [rule.slug for rule in CAUSES if rule.slug not in listed.split()] == []
