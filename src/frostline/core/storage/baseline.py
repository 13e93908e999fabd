"""The baseline file: findings that an old project lives with for now, as JSON that is read and edited by people.

Format history
  1  first version: the field `leaves`
  2  it is called `tensors`
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from frostline.core.record import Known, Record
from frostline.core.storage.store import write_atomically
from frostline.core.suppressions import Baseline, known
from frostline.errors import FrostlineError

FORMAT = 2


class _Document(msgspec.Struct):
    """The file as a whole."""

    frostline_baseline: int
    findings: list[Known]


def of_record(record: Record) -> list[Known]:
    """Every finding of the record, those that settings set aside included."""
    models = {row.name: row.model for row in record.tensors}
    return [known(finding, models) for finding in record.findings]


def save(record: Record, path: Path) -> int:
    """Write the findings of ``record`` to ``path`` and return how many they are.

    Raises:
        FrostlineError: the file cannot be written, or something else than a baseline stands there.
    """
    if path.exists():
        load(path)
    document = _Document(FORMAT, of_record(record))
    try:
        write_atomically(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n", path)
    except FrostlineError as error:
        raise FrostlineError(error.message, "choose another place for the baseline") from None
    return len(document.findings)


def load(path: Path) -> Baseline:
    """The baseline stored at ``path``.

    Raises:
        FrostlineError: it is missing, or no baseline of this format.
    """
    hint = f"write one with `frostline report --write-baseline {path}`"
    try:
        document = msgspec.json.decode(path.read_bytes(), type=_Document)
    except FileNotFoundError:
        raise FrostlineError(f"there is no baseline at {path}", hint) from None
    except OSError as error:
        raise FrostlineError(f"cannot read {path}: {error.strerror}", "check the path and its permissions") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FrostlineError(f"{path} is not a frostline baseline: {error}", "it was left alone") from None
    if document.frostline_baseline != FORMAT:
        raise FrostlineError(
            f"{path} has baseline format {document.frostline_baseline}; this frostline reads format {FORMAT}", hint
        )
    return Baseline(path.name, tuple(document.findings))
