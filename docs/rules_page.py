"""Writes docs/rules/: a page for each rule, made of the rule and its example, and the table of all of them."""

import re
from pathlib import Path

from frostline.laws import LAWS
from frostline.laws.causes import CAUSES
from frostline.laws.causes.cause import Cause
from frostline.laws.law import Law

FOLDER = Path(__file__).parent / "rules"
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
LAW = {law.code: law for law in LAWS}
LAWS_OPENING = """# The laws

A law is a sentence about bits and time that holds in every healthy training. Its violation is found by the law alone,
whatever caused it; then a [rule](rules/index.md) names the cause. Where no rule does and no excuse is proven, the
finding stands under the law's own code. `frostline explain L1` prints its page.

This page is written by `python docs/rules_page.py`."""
OPENING = """# The rules

A rule names a state found in a run. **error**: the bits contradict what was declared or expected. **warning**: the
bits show nothing wrong yet, but what the optimizers hold makes it certain or likely. **note**: worth knowing. One cause
gives one finding, by the most specific rule; `frostline explain RULE` prints its page.

These pages are written by `python docs/rules_page.py`.
"""
_FENCE = "```"


def pages() -> dict[str, str]:
    """The text of every page by the name of its file, and the menu of the site."""
    return {".nav.yml": menu(), "index.md": index(), **{f"{rule.slug}.md": page(rule) for rule in CAUSES}}


def menu() -> str:
    lines = ["nav:", "  - index.md"]
    for letter, title in FAMILIES.items():
        lines.append(f'  - "{letter} · {title}":')
        lines += [f"      - {rule.slug}.md" for rule in CAUSES if rule.code.startswith(letter)]
    return "\n".join([*lines, ""])


def index() -> str:
    """All rules, a table for each family."""
    parts = [OPENING]
    for letter, title in FAMILIES.items():
        rows = [rule for rule in CAUSES if rule.code.startswith(letter)]
        lines = [f"| {rule.code} | [{rule.slug}]({rule.slug}.md) | {rule.severity} |" for rule in rows]
        parts.append(
            "\n".join([f"## {letter} · {title}\n", "| code | rule | severity |", "| --- | --- | --- |", *lines, ""])
        )
    return "\n".join(parts)


def page(rule: Cause) -> str:
    """One rule: what `frostline explain` prints, with links to its family."""
    family = FAMILIES[rule.code[0]]
    parts = [
        f"# {rule.code} {rule.slug}\n\n*{rule.severity}* · [{rule.code[0]} · {family}](index.md)",
        f"## What it means\n\n{rule.means}",
        f"## Why it matters\n\n{rule.matters}",
        f"## Example\n\n{_FENCE}python\n{rule.example}{_FENCE}" if rule.example else "",
        f"## What to do\n\n{sentence(rule.remedy)}",
        f"## How it is detected\n\n{rule.tells_apart}" if rule.tells_apart else "",
        f"## When it weighs less, once proven\n\n{mitigations(rule)}" if rule.mitigations else "",
        f"## The law it explains\n\n{link(rule.law)}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def mitigations(cause: Cause) -> str:
    return "\n".join(f"- **{each.name}** ({each.severity}): {each.means}" for each in cause.mitigations)


def link(code: str) -> str:
    """A link to a law's part of its page."""
    name = f"{code} {LAW[code].slug}"
    return f"[{name}](../laws.md#{name.lower().replace(' ', '-')})"


def laws() -> str:
    """Every law under the headings that the pages of rules have."""
    return "\n\n".join([LAWS_OPENING, *map(law_part, LAWS)]) + "\n"


def law_part(law: Law) -> str:
    """One law: what it means, why it matters, what to do, and how a violation is detected, excused and missed."""
    causes = ", ".join(f"[{each.code}](rules/{each.slug}.md)" for each in CAUSES if each.law == law.code)
    detected = [
        "By its causes alone." if not law.violations else "From what was seen of the run:",
        "\n".join(f"- {observation(fact)}" for fact in law.needs) if law.violations else "",
        "\n".join(["Excused, once proven, by:\n", *(f"- **{each.name}**: {each.means}" for each in law.excuses)])
        if law.excuses
        else "Nothing excuses it.",
        f"What it cannot see: {law.cannot_see[0].lower()}{law.cannot_see[1:]}" if law.cannot_see else "",
    ]
    parts = [
        f"## {law.code} {law.slug}\n\n*{law.severity}*, unless a known cause is found and weighs otherwise",
        f"### What it means\n\n{law.statement}",
        f"### Why it matters\n\n{law.matters}",
        f"### What to do\n\n{sentence(law.remedy)}\n\nKnown causes, each with its own fix: {causes or 'none'}.",
        "### How it is detected\n\n" + "\n\n".join(filter(None, detected)),
    ]
    return "\n\n".join(parts)


def observation(fact: type) -> str:
    """What a fact says, in the first words of its description."""
    first = " ".join((fact.__doc__ or "").split("\n\n")[0].split())
    return f"{re.split('[:;]', first)[0].rstrip('.')}.".replace("``", "`")


def sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def main() -> None:
    """Write all pages, and remove those of rules that are no more."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER.parent / "laws.md").write_text(laws(), "utf-8")
    written = pages()
    for old in FOLDER.glob("*.md"):
        if old.name not in written:
            old.unlink()
    for name, text in written.items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
