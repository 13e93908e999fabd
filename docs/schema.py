"""Writes docs/record.schema.json: the JSON Schema of the record, which `frostline report --format json` prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from frostline.core.record import Record

FILE = Path(__file__).parent / "record.schema.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> str:
    """The schema as it is written."""
    document = {"$schema": DRAFT, "title": "The record of a run observed by frostline", **msgspec.json.schema(Record)}
    return json.dumps(_published(document), indent=1, ensure_ascii=False) + "\n"


def _published(node: Any) -> Any:
    """The first paragraph of each description; a number may be null, since JSON has no NaN and no infinity."""
    match node:
        case {"type": "number", **rest}:
            return {"type": ["number", "null"], **_published(rest)}
        case dict():
            return {
                key: " ".join(value.split("\n\n")[0].split())
                if key == "description" and isinstance(value, str)
                else _published(value)
                for key, value in node.items()
            }
        case list():
            return [_published(each) for each in node]
        case _:
            return node


if __name__ == "__main__":
    FILE.write_text(schema(), "utf-8")
