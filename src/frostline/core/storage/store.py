"""The record as one JSON document, and how files are replaced: whole or not at all. See run_file for that of a run.

Format history
  1  first version: a whole record, written again at each check
  2  the file of a run holds facts; fields have the names that PyTorch and Keras users know
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from pathlib import Path

import msgspec

from frostline.core.record import Record
from frostline.errors import RecordError

FORMAT = 2


_AGAIN = "run the script again with `frostline run`"


class _Header(msgspec.Struct):
    """The one field that every format version has."""

    format: int


def to_json(record: Record) -> bytes:
    """The record as the bytes of its JSON document, one line, UTF-8; NaN and infinities become null."""
    return msgspec.json.encode(record)


def from_json(data: bytes, source: str = "the record") -> Record:
    """The record in ``data``.

    Raises:
        RecordError: the bytes are no JSON document, of another format version, or not of the expected shape.
    """
    require_format(data, source)
    try:
        return msgspec.json.decode(data, type=Record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"{source} is not a valid frostline record: {error}", _AGAIN) from None


def require_format(data: bytes, source: str) -> None:
    """Raise RecordError unless ``data`` begins with a document of this format version."""
    try:
        found = msgspec.json.decode(data.partition(b"\n")[0], type=_Header).format
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"{source} is not a frostline record: {error}", _AGAIN) from None
    if found != FORMAT:
        raise RecordError(
            f"{source} has record format {found}; this frostline reads format {FORMAT}",
            "read it with the frostline that wrote it, or run the script again",
        )


def is_record(path: str | os.PathLike[str]) -> bool:
    """Whether the file at ``path`` begins as a record does, of whatever format version."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # to open a pipe would wait for a writer
            return False
        with open(path, "rb") as file:
            return re.match(rb'\{"format":\d+,"frostline":', file.read(64)) is not None
    except OSError:
        return False


def read(path: str | os.PathLike[str]) -> bytes:
    """What the file at ``path`` holds; RecordError when it is missing or unreadable."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise RecordError(f"{path} is no regular file", "name the record of a run, or the folder of its processes")
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise RecordError(f"there is no record at {path}", "make one with `frostline run your_script.py`") from None
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}", "check the path and its permissions") from None


def save(record: Record, path: str | os.PathLike[str]) -> None:
    """Write the record beside ``path`` under a temporary name, then rename: a kill leaves the old or the new one."""
    write_atomically(to_json(record), path)


def _create(path: Path, data: bytes) -> None:
    """Write a new file. One that stands there was left by a killed process of this number; a link is not followed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags, 0o666)
    except FileExistsError:
        path.unlink()
        descriptor = os.open(path, flags, 0o666)
    with open(descriptor, "wb") as file:
        file.write(data)


def write_atomically(data: bytes, path: str | os.PathLike[str], option: str = "--data") -> None:
    """Replace the file at ``path`` by ``data``, whole or not at all; RecordError when that is impossible.

    ``option`` is the one with which the user chose the place.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        _create(temporary, data)
        os.replace(temporary, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise RecordError(
            f"cannot write {path}: {error.strerror}", f"choose another place with {option} FILE"
        ) from None
