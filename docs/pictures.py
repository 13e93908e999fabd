"""Runs the script of README.md under frostline and writes the report into README.md and terminal.svg."""

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
    """The README's blocks by name."""
    return {"report": f"```text\n{COMMAND}\n{report(record, color=False)}\n```"}


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


def main() -> None:
    """Write both."""
    text = README.read_text("utf-8")
    record = observe(text)
    README.write_text(readme(text, blocks(record)), "utf-8")
    PICTURE.write_text(picture(record), "utf-8")


if __name__ == "__main__":
    main()
