"""Ledgers of real runs, stored as test data, and what the rules say about them.

A shelf is a framework, for Keras one backend of it. ``<shelf>.jsonl.xz`` holds what was seen, one program a line;
``<shelf>.findings.json`` what the rules said about each program, as text, so that a change of it is read as one.
"""

from __future__ import annotations

import difflib
import json
import lzma
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from frostline import judging
from frostline.core.ledger import Ledger
from frostline.core.record import Record
from frostline.core.suppressions import Policy
from frostline.run.combine import combine

HERE = Path(__file__).parent
SHELVES = ("torch", "keras-jax", "keras-torch", "keras-tensorflow", "tf_keras", "jax")
JUDGED = ("findings", "totals", "verdict")


@dataclass(slots=True)
class Seen:
    """What was seen of one program: the ledger of each of its processes."""

    program: str
    ledgers: list[Ledger]


def load(shelf: str) -> list[Seen]:
    """The programs of a shelf."""
    return msgspec.json.Decoder(Seen).decode_lines(lines(shelf))


def lines(shelf: str) -> bytes:
    return lzma.decompress((HERE / f"{shelf}.jsonl.xz").read_bytes())


def save(shelf: str, programs: Iterable[Seen]) -> None:
    packed = msgspec.json.Encoder().encode_lines(sorted(programs, key=lambda each: each.program))
    (HERE / f"{shelf}.jsonl.xz").write_bytes(lzma.compress(packed, preset=9 | lzma.PRESET_EXTREME))


def expected(shelf: str) -> dict[str, Any]:
    """What the rules said about each program of a shelf."""
    return json.loads((HERE / f"{shelf}.findings.json").read_text("utf-8"))


def save_expected(shelf: str, said: dict[str, Any]) -> None:
    (HERE / f"{shelf}.findings.json").write_text(f"{_text(dict(sorted(said.items())))}\n", "utf-8")


def record_of(seen: Seen) -> Record:
    """What was seen with what the rules say of it now; that of all processes together."""
    each = [judging.judged(ledger, Policy()) for ledger in seen.ledgers]
    return combine(each) if len(each) > 1 else each[0]


def judged(seen: Seen) -> dict[str, Any]:
    """What the rules say now about what was seen, as plain data."""
    return as_data(record_of(seen))


def as_data(record: Record) -> dict[str, Any]:
    """The judgement in a record as JSON: findings, totals and verdict, without what only runs of processes have."""
    data = json.loads(msgspec.json.encode({name: getattr(record, name) for name in JUDGED}))
    for count in ("missing", "uncompared"):
        del data["verdict"][count]
    for finding in data["findings"]:
        for origin in finding["origins"]:
            origin["file"] = os.path.basename(origin["file"])
        if not finding["origins"]:  # as of all that was stored before lines were told
            del finding["origins"]
    return data


def difference(before: Any, now: Any) -> str:
    """Two judgements compared line by line, only what differs with what stands around it; empty when nothing does."""
    texts = [_text(each).splitlines() for each in (before, now)]
    return "\n".join(difflib.unified_diff(*texts, "stored", "now", n=3, lineterm=""))


def _text(data: Any) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False)
