"""Runs the script of README.md under frostline; writes how its report begins there, and all of it to terminal.svg."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from frostline.core.record import Record
from frostline.judging import load
from frostline.report import render

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
PICTURE = DOCS / "terminal.svg"
SCRIPT = "train.py"
WIDTH = 80
COMMAND = f"$ frostline run {SCRIPT}"
CYCLE, TYPED, TRAINED, LINE = 18.0, 1.2, 1.2, 0.04  # seconds: of the whole, of typing, of training, of a line


def observe(text: str) -> Record:
    """The record of a run of the script in the README's text."""
    script = re.search(rf"<!-- file: {SCRIPT} -->\n```python\n(.*?)```", text, re.DOTALL)
    if script is None:
        raise SystemExit(f"README.md has no block of the file {SCRIPT}")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / SCRIPT).write_text(script[1], "utf-8")
        data = Path(folder) / "record.json"
        subprocess.run(
            [sys.executable, "-m", "frostline", "run", "--quiet", "--data", data, SCRIPT],
            env=os.environ | {"COLUMNS": str(WIDTH)}, cwd=folder, check=True,
        )  # fmt: skip
        return load(data)


def report(record: Record, color: bool) -> str:
    """What is printed at the end of the run, but for its duration, which is another each time."""
    return re.sub(r"(?<=checks).*", "", render(record, "text", width=WIDTH, color=color, stored=".frostline.json"))


def blocks(record: Record) -> dict[str, str]:
    """The README's blocks by name: the verdict and the first finding."""
    verdict, first, *_ = report(record, color=False).split("\n\n")
    return {"report": f"```text\n{COMMAND}\n{verdict}\n\n{first}\n```"}


def readme(text: str, shown: dict[str, str]) -> str:
    """The README with its blocks replaced: what stands between a block's two marks is written here."""
    for name, block in shown.items():
        parts = re.split(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", text, flags=re.DOTALL)
        if len(parts) != 2:
            raise SystemExit(f"README.md has {len(parts) - 1} blocks named {name}, not 1")
        text = f"{parts[0]}{block}\n{parts[1]}"
    return text


def picture(record: Record, command: str = COMMAND) -> str:
    """The same report in colours, as an SVG."""
    console = Console(width=WIDTH, record=True, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115
    console.print(command, style="bold", highlight=False)
    console.print(Text.from_ansi(report(record, color=True)), soft_wrap=True)
    drawn = console.export_svg(title="frostline", unique_id="frostline")
    return re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)  # no font is fetched: the reader's own will do


def animated(record: Record) -> str:
    """The same picture; the command is typed, and the report follows it."""
    drawn = picture(record)
    lines = 1 + max(map(int, re.findall(r"<text [^>]*#frostline-line-(\d+)", drawn)))
    style = motion(lines, len(COMMAND))
    return drawn.replace("</style>", f"{style}    </style>", 1)


def motion(lines: int, letters: int) -> str:
    """The style by which the command is typed and the report follows it, again and again; still for who wants that."""
    shown = [TYPED + TRAINED + LINE * line for line in range(lines)]
    delays = "".join(
        f'text[clip-path="url(#frostline-line-{line})"] {{ animation-delay: {shown[line]:.2f}s }}\n'
        for line in range(1, lines)
    )
    return f"""
@media (prefers-reduced-motion: no-preference) {{
.frostline-matrix text {{ animation: frostline-shown {CYCLE:g}s step-end infinite backwards }}
{delays}text[clip-path="url(#frostline-line-0)"] {{ animation: none }}
#frostline-line-0 rect {{ animation: frostline-typed {CYCLE:g}s steps({letters}) infinite }}
@keyframes frostline-shown {{ 0%, {100 * (1 - shown[-1] / CYCLE):.0f}% {{ opacity: 0 }} 0.1% {{ opacity: 1 }} }}
@keyframes frostline-typed {{ 0% {{ width: 0 }} {100 * TYPED / CYCLE:.1f}%, 100% {{ width: {letters * 12.2:.0f}px }} }}
}}
"""


def main() -> None:
    """Write both."""
    text = README.read_text("utf-8")
    record = observe(text)
    README.write_text(readme(text, blocks(record)), "utf-8")
    PICTURE.write_text(animated(record), "utf-8")


if __name__ == "__main__":
    main()
