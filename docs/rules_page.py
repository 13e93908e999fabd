"""Writes docs/rules.md from the rules and their examples."""

from pathlib import Path

from frostline.rules import RULES
from frostline.rules.rule import Rule

PAGE = Path(__file__).parent / "rules.md"
FAMILIES = {
    "F": "Declared frozen, yet the bits changed",
    "T": "Declared trainable, yet no bit changed",
    "D": "The declaration itself",
    "W": "The wiring",
    "M": "Meant",
    "S": "Saved",
    "P": "Printed",
    "R": "Several processes",
}
OPENING = """# The rules

A rule names a state found in a run. **error**: the bits contradict what was declared or meant. **warning**: nothing
wrong yet seen in the bits, but the wiring makes it certain or likely. **note**: worth knowing. One cause gives one
finding, by the most specific rule; `frostline explain RULE` prints the part of this page that belongs to it.

This page is written by `python docs/rules_page.py`.
"""


def page() -> str:
    """All rules: a table of each family, then a part for each rule."""
    parts = [OPENING, "| code | rule | severity |\n| --- | --- | --- |"]
    parts[1] += "".join(f"\n| {one.code} | [{one.slug}](#{anchor(one)}) | {one.severity} |" for one in RULES) + "\n"
    for letter, title in FAMILIES.items():
        parts.append(f"## {letter} · {title}\n")
        parts += [described(rule) for rule in RULES if rule.code.startswith(letter)]
    return "\n".join(parts)


def anchor(rule: Rule) -> str:
    return f"{rule.code.lower()}-{rule.slug}"


def described(rule: Rule) -> str:
    example = f"```python\n{rule.example}```\n\n" if rule.example else ""
    return (
        f"### {rule.code} {rule.slug}\n\n{rule.means} {rule.matters}\n\n{example}"
        f"- **Severity**: {rule.severity}\n- **What to do**: {rule.remedy}\n- **Told apart by**: {rule.tells_apart}\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
