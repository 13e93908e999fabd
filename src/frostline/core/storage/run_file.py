"""The file of one run: a header, the facts in the order in which they were seen, and the findings that seal it.

Each line is a JSON document. Facts are appended at every check, so that a kill loses nothing that was seen, and a check
writes only what is new. A last line that was torn by a kill is no line.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from frostline.core.events.fact import Fact
from frostline.core.facts import AnyFact, RunSeen
from frostline.core.fold import fold
from frostline.core.journal import Journal
from frostline.core.ledger import Ledger
from frostline.core.record import BaselineUse, Excused, Finding, Record
from frostline.core.run import Run
from frostline.core.storage.alike import Alike, gathered
from frostline.core.storage.store import FORMAT, write_atomically
from frostline.errors import RecordError


class Header(msgspec.Struct):
    """The first line. ``facts`` tells the file of a run from a whole record, which is one document."""

    format: int
    frostline: str
    facts: bool = True


class Seal(msgspec.Struct):
    """The last line of a run that came to its end: what was found, as the settings of the run wanted it to count."""

    findings: list[Finding]
    baseline: BaselineUse | None = None
    excused: list[Excused] = []


@dataclass(frozen=True, slots=True)
class StoredRun:
    """What the file of a run says: who wrote it, what was seen, and what was found, unless the run was cut short."""

    frostline: str
    ledger: Ledger
    seal: Seal | None


class RunFile:
    """Writes the file of a run as the run goes on.

    Args:
        path: where it goes; a file that stands there is replaced at the first call of ``append``.
        journal: whose facts are stored.
        frostline: the version that writes.
    """

    def __init__(self, path: Path, journal: Journal, frostline: str) -> None:
        self._path, self._journal, self._frostline = path, journal, frostline
        self._written = 0  # facts that are in the file
        self._place: tuple[int, int] | None = None  # its inode and size when it was last written

    def append(self, run: Run, seal: Seal | None = None) -> None:
        """Store what was told since the last call, and how the run stands.

        Raises:
            RecordError: the file cannot be written; what was in it before is still there.
        """
        self._journal.tell(RunSeen(run=msgspec.convert(msgspec.to_builtins(run), Run)))
        facts = self._journal.facts()
        end = [] if seal is None else [seal]
        if self._place is None or _place(self._path) != self._place:  # the first time, or somebody removed it
            header = Header(FORMAT, self._frostline)
            write_atomically(_lines([header, facts, *end]), self._path)
        else:
            self._extend(_lines([facts[self._written :], *end]), self._place[1])
        self._written, self._place = len(facts), _place(self._path)

    def _extend(self, data: bytes, size: int) -> None:
        try:
            with open(self._path, "ab") as file:
                try:
                    file.write(data)
                    file.flush()
                except OSError:
                    os.truncate(self._path, size)  # half a line would hide all that comes after it
                    raise
        except OSError as error:
            raise RecordError(
                f"cannot write {self._path}: {error.strerror}", "choose another place with --data FILE"
            ) from None


def _place(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size


def _lines(documents: list[Header | list[Fact] | Seal]) -> bytes:
    return b"".join(
        msgspec.json.encode(list(gathered(document)) if isinstance(document, list) else document) + b"\n"
        for document in documents
    )


def is_run_file(data: bytes) -> bool:
    """Whether ``data`` begins as the file of a run does, and not as a whole record.

    >>> is_run_file(b'{"format":2,"frostline":"1","facts":true}'), is_run_file(b'{"format":2,"frostline":"1","run":{')
    (True, False)
    """
    first = data.partition(b"\n")[0]
    return first.startswith(b'{"format":') and first.endswith(b',"facts":true}')


def is_sealed(data: bytes) -> bool:
    """Whether the file of a run holds its last line.

    >>> is_sealed(b'{"format":2}\\n[]\\n{"findings":[]}\\n'), is_sealed(b'{"format":2}\\n[]\\n')
    (True, False)
    """
    body = data.removesuffix(b"\n")
    return data.endswith(b"\n") and body[body.rfind(b"\n") + 1 :].startswith(b'{"findings":')


def read(data: bytes, source: str = "the run file") -> StoredRun:
    """What the file of a run says.

    Args:
        data: its content.
        source: the name to use in errors.

    Raises:
        RecordError: a line is no facts or findings of this format; one that a kill has torn is left out.
    """
    lines = data.split(b"\n")[:-1]
    seal: Seal | None = None
    facts: list[Fact] = []
    try:
        header = msgspec.json.decode(lines[0], type=Header)
        for line in lines[1:]:
            if line.startswith(b"["):
                facts += _facts(msgspec.json.decode(line, type=list[AnyFact | Alike]))
            else:
                seal = msgspec.json.decode(line, type=Seal)
        return StoredRun(header.frostline, fold(facts), seal)
    except (msgspec.MsgspecError, ValueError, RecursionError, LookupError, AttributeError, TypeError) as error:
        hint = "run the script again with `frostline run`"
        raise RecordError(f"{source} is not a valid frostline record: {error}", hint) from None


def _facts(documents: list[AnyFact | Alike]) -> Iterator[Fact]:
    for document in documents:
        if isinstance(document, Alike):
            yield from document.facts()
        else:
            yield document


def sealed(record: Record) -> Seal:
    """What ends the file of the run that ``record`` is of."""
    return Seal(record.findings, record.baseline, record.excused)
