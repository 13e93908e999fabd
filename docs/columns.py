"""Runs docs/columns_run.py under frostline and draws its ledger, column by column, as docs/columns.svg."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

from frostline.core.columns.unlooked import FACTS, NOT_LOOKED_FOR
from frostline.core.ledger import TensorRow
from frostline.core.record import Finding, Record
from frostline.judging import load

HERE = Path(__file__).parent
PAGE = HERE / "columns.md"
FACTS_BEGIN, FACTS_END = "<!-- facts: python docs/columns.py -->\n", "<!-- end -->"
SCRIPT = HERE / "columns_run.py"
PICTURE = HERE / "columns.svg"
HEADS = {
    "expected": "what did you want?",
    "declared": "what do the flags say?",
    "optimizer": "what gets updated?",
    "changed": "which bits moved?",
    "saved": "what is in the file?",
}
# Which two columns a finding sets against each other: the colour goes there.
AT_ODDS = {
    "frozen-but-carried-by-momentum": ("declared", "changed"),
    "expected-frozen-but-changed": ("expected", "changed"),
    "expected-trained-but-unchanged": ("expected", "changed"),
    "not-in-any-optimizer": ("declared", "optimizer"),
    "trained-but-not-saved": ("changed", "saved"),
}
NAME, CELL, CODE, ROW, HEAD, EDGE = 130, 150, 70, 40, 66, 12
STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #1c2733; }
  .head { font-weight: 600; } .ask, .none { fill: #5c6b7a; font-size: 12px; }
  .name { font-family: ui-monospace, monospace; font-size: 13px; }
  .page { fill: #ffffff; } .cell { fill: #f1f4f7; } .odd { fill: #ffe1dc; stroke: #c0392b; stroke-width: 1.5; }
  .code { fill: #a5281b; font-weight: 600; font-size: 12px; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .ask, .none { fill: #9aa7b4; } .page { fill: #0f151b; } .cell { fill: #1d262f; }
    .odd { fill: #4a1f1a; stroke: #ff7b6b; } .code { fill: #ff9a8d; }
  }
"""


def observe() -> Record:
    """The record of the run."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "record.json"
        command = [sys.executable, "-m", "frostline", "run", "--quiet", "--data", str(data)]
        expected = ["--frozen", "body.**", "--trained", "head.**"]
        subprocess.run([*command, *expected, "--fail-on", "never", str(SCRIPT)], cwd=folder, check=True)
        return load(data)


def cells(row: TensorRow) -> dict[str, str]:
    """The row of one tensor in words."""
    changed = row.changed
    return {
        "expected": row.expected or "",
        "declared": {True: "trainable", False: "frozen", None: ""}[row.declared.trainable],
        "optimizer": ", ".join(holding.optimizer for holding in row.optimizers if holding.listed),
        "changed": f"yes, at step {changed.first_step}" if changed.verdict == "yes" else changed.verdict,
        "saved": {"same": "yes", "missing": "not there"}.get(row.saved.state, row.saved.state) if row.saved else "",
    }


def picture(record: Record) -> str:
    """The ledger as an SVG: a row for each tensor, what is at odds in colour, and the rule that says so."""
    found: dict[str, list[Finding]] = {}
    for finding in record.findings:
        for name in finding.tensors if finding.rule in AT_ODDS else ():
            found.setdefault(name, []).append(finding)
    width = NAME + len(HEADS) * CELL + CODE
    height = HEAD + ROW * len(record.tensors) + EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
        f"<title>The five columns of {len(record.tensors)} tensors</title><style>{STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}" rx="8"/>',
    ]
    for index, (head, question) in enumerate(HEADS.items()):
        left = NAME + index * CELL + 8
        parts += [_text(left, 28, head, "head"), _text(left, 48, question, "ask")]
    for index, row in enumerate(record.tensors):
        parts += _row(row, HEAD + index * ROW, found.get(row.name, []))
    return "\n".join([*parts, "</svg>", ""])


def _row(row: TensorRow, top: int, findings: list[Finding]) -> list[str]:
    odd = {column for finding in findings for column in AT_ODDS[finding.rule]}
    parts = [_text(EDGE, top + 23, row.owner.path, "name")]
    for index, (column, text) in enumerate(cells(row).items()):
        left = NAME + index * CELL
        kind = "odd" if column in odd else "cell"
        parts.append(f'<rect class="{kind}" x="{left}" y="{top}" width="{CELL - 8}" height="{ROW - 6}" rx="5"/>')
        parts.append(_text(left + 10, top + 22, text or "–", "" if text else "none"))
    told = [_text(NAME + len(HEADS) * CELL + 4, top + 22, ", ".join(one.code for one in findings), "code")]
    return parts + (told if findings else [])


def _text(x: int, y: int, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'


def facts() -> str:
    """The facts of a tensor: what each says, why none may be known of it, and what no framework or one does not ask."""
    rows = [f"| `{fact}` | {says} | {otherwise} |" for fact, (says, otherwise) in FACTS.items()]
    lines = ["| fact | says that | unknown where |", "| --- | --- | --- |", *rows, ""]
    for framework, title in {"torch": "torch", "keras": "Keras and tf_keras", "jax": "JAX"}.items():
        why: dict[str, list[str]] = {}
        for fact, reason in NOT_LOOKED_FOR[framework].items():
            why.setdefault(reason, []).append(f"`{fact}`")
        lines += [
            f"Never known in {title}:",
            "",
            *(f"- {', '.join(names)}: {reason}" for reason, names in why.items()),
            "",
        ]
    return "\n".join(lines)


def page() -> str:
    """The page with the facts as they are now."""
    before, _, rest = PAGE.read_text("utf-8").partition(FACTS_BEGIN)
    return f"{before}{FACTS_BEGIN}{facts()}{FACTS_END}{rest.partition(FACTS_END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    PICTURE.write_text(picture(observe()), "utf-8")
