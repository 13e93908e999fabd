"""Writes docs/rules/: a page for each rule, made of the rule and its example, and the table of all of them."""

from pathlib import Path

from frostline.rules import RULES
from frostline.rules.rule import Rule

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
OPENING = """# The rules

A rule names a state found in a run. **error**: the bits contradict what was declared or expected. **warning**: the
bits show nothing wrong yet, but what the optimizers hold makes it certain or likely. **note**: worth knowing. One cause
gives one finding, by the most specific rule; `frostline explain RULE` prints its page.

These pages are written by `python docs/rules_page.py`.
"""
_FENCE = "```"


def pages() -> dict[str, str]:
    """The text of every page by the name of its file, and the menu of the site."""
    return {".nav.yml": menu(), "index.md": index(), **{f"{rule.slug}.md": page(rule) for rule in RULES}}


def menu() -> str:
    lines = ["nav:", "  - index.md"]
    for letter, title in FAMILIES.items():
        lines.append(f'  - "{letter} · {title}":')
        lines += [f"      - {rule.slug}.md" for rule in RULES if rule.code.startswith(letter)]
    return "\n".join([*lines, ""])


def index() -> str:
    """All rules, a table for each family."""
    parts = [OPENING]
    for letter, title in FAMILIES.items():
        rows = [rule for rule in RULES if rule.code.startswith(letter)]
        lines = [f"| {rule.code} | [{rule.slug}]({rule.slug}.md) | {rule.severity} |" for rule in rows]
        parts.append(
            "\n".join([f"## {letter} · {title}\n", "| code | rule | severity |", "| --- | --- | --- |", *lines, ""])
        )
    return "\n".join(parts)


def page(rule: Rule) -> str:
    """One rule: what `frostline explain` prints, with links to its family."""
    family = FAMILIES[rule.code[0]]
    parts = [
        f"# {rule.code} {rule.slug}\n\n*{rule.severity}* · [{rule.code[0]} · {family}](index.md)",
        f"## What it means\n\n{rule.means}",
        f"## Why it matters\n\n{rule.matters}",
        f"## Example\n\n{_FENCE}python\n{rule.example}{_FENCE}" if rule.example else "",
        f"## What to do\n\n{sentence(rule.remedy)}",
        f"## How it is detected\n\n{rule.tells_apart}" if rule.tells_apart else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def main() -> None:
    """Write all pages, and remove those of rules that are no more."""
    FOLDER.mkdir(exist_ok=True)
    written = pages()
    for old in FOLDER.glob("*.md"):
        if old.name not in written:
            old.unlink()
    for name, text in written.items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
