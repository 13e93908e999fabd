"""What was measured blind: bugs that nobody who wrote laws or causes had seen, as the documentation shows them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).with_name("blind.toml")
INTRODUCTION = """
## Who wrote these programs, and what they are worth

This project wrote them, most of them while it learned to find their bugs: that all are found says that nothing was
lost since, and little about the next bug. A Keras program counts once for each backend. What frostline is worth on a
bug that it does not know is measured blind: scripts from public reports that nobody who wrote a law or a cause had
seen, each with a healthy twin, the wrong thing confirmed by a comparison of bits that is not frostline's. A
measurement stays as it was made; what it missed is mended afterwards, and the next one is made on new reports.
"""


def measured(path: Path = MEASURED) -> list[dict[str, Any]]:
    """Every measurement, in the order in which they were made."""
    rows: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["measured"]
    for row in rows:
        if row["right"] + row["seen"] + row["missed"] != row["tried"]:
            raise ValueError(f"{path.name}: {row['of']}: the results do not add up to {row['tried']}")
    return rows


def markdown(path: Path = MEASURED) -> list[str]:
    """The lines of the documentation's section."""
    lines = [
        *INTRODUCTION.splitlines(),
        "",
        "| measured blind | version | tried | right cause | seen, another cause or none | missed | false alarms |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in measured(path):
        counts = f"{row['tried']} | {row['right']} | {row['seen']} | {row['missed']}"
        alarms = f"{row['alarms']} of {row['healthy']}"
        lines.append(f"| {row['of']}, {row['on']} | {row['version']} | {counts} | {alarms} |")
    return lines
