"""Regular files read by position: every read is exact, and a file that changes underneath is noticed."""

from __future__ import annotations

import functools
import io
import os
import stat
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from frostline.errors import CheckpointError

HEAD = 4096
DAMAGED = "the file is damaged or was cut short; copy or download it again"


class File:
    """A file opened once and read by offset from any thread.

    Positional reads and no memory map: a file that is cut while it is read gives an error here, and would kill
    the process as a map; and a map of a large file counts as memory used. A part of a file reads from the ``whole`` of
    it, beginning at its byte ``start``, and is opened and closed with it. ``alone`` is false for what came out of
    another file: other files that it names are not beside it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            if not stat.S_ISREG(os.stat(self.path).st_mode):
                raise self.bad("not a regular file", "name the checkpoint file itself")
            self._descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except FileNotFoundError:
            raise self.bad("there is no such file", "check the path") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise self.bad(f"cannot be opened: {reason}", "check the path and its permissions") from None
        self._began(alone=True)

    @classmethod
    def spooled(cls, pieces: Iterable[bytes | bytearray | memoryview], path: Path) -> File:
        """A nameless temporary file that holds ``pieces``, for data that must be read out of order."""
        file = cls.__new__(cls)
        file.path = path
        with tempfile.TemporaryFile() as handle:
            for piece in pieces:
                handle.write(piece)
            handle.flush()
            file._descriptor = os.dup(handle.fileno())
        file._began(alone=False)
        return file

    def _began(self, alone: bool) -> None:
        self.alone = alone
        self._lock = threading.Lock()
        self.stamp = self._look()
        self.whole, self.start, self.size = self, 0, self.stamp[0]

    def part(self, start: int, size: int) -> File:
        """``size`` bytes of this file from ``start``, as a file of its own, such as an archive's entry.

        Raises:
            CheckpointError: this file does not hold them.
        """
        if start < 0 or size < 0 or start + size > self.size:
            raise self.bad(f"ends at byte {self.size:,}, but bytes up to {start + size:,} are needed")
        part = File.__new__(File)
        part.alone, part.path, part.whole = False, self.path, self.whole
        part.start, part.size = self.start + start, size
        return part

    @functools.cached_property
    def head(self) -> bytes:
        """The first bytes, by which a format is known."""
        return self.read(0, min(self.size, HEAD))

    def tail(self, count: int) -> bytes:
        """The last bytes, fewer than ``count`` where the file is shorter."""
        count = min(self.size, count)
        return self.read(self.size - count, count)

    def fileno(self) -> int:
        return self.whole._descriptor

    def bad(self, fact: str, hint: str = DAMAGED) -> CheckpointError:
        """The error that says ``fact`` about this file."""
        return CheckpointError(f"{self.path}: {fact}", hint)

    def read(self, offset: int, count: int) -> bytes:
        """Exactly ``count`` bytes from ``offset``; CheckpointError when the file does not hold them."""
        if offset < 0 or count < 0:
            raise self.bad("refers to bytes before its own start")
        if offset + count > self.size:
            raise self.bad(f"ends at byte {self.size:,}, but bytes up to {offset + count:,} are needed")
        buffer = bytearray(count)
        self.read_into(offset, buffer)
        return bytes(buffer)

    def read_into(self, offset: int, buffer: bytearray) -> None:
        """Fill ``buffer`` from ``offset``; CheckpointError when the file has become shorter."""
        view = memoryview(buffer)
        done = 0
        while done < len(view):
            try:
                count = self.whole._pread(view[done:], self.start + offset + done)
            except OSError as error:
                raise self.bad(f"cannot be read: {error.strerror}", "check the disk") from None
            if count == 0:
                self.check_unchanged()
                raise self.bad(f"ends before byte {offset + len(view):,}")
            done += count

    def check_unchanged(self) -> None:
        """Raise CheckpointError when the file was written to since it was opened."""
        if self.whole._look() != self.whole.stamp:
            raise self.bad("changed while it was being read", "wait until its writer is done, then try again")

    def close(self) -> None:
        if self.whole._descriptor >= 0:
            os.close(self.whole._descriptor)
            self.whole._descriptor = -1

    def _look(self) -> tuple[int, int]:
        seen = os.fstat(self._descriptor)
        return seen.st_size, seen.st_mtime_ns

    def _pread(self, view: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._descriptor, [view], offset)
        with self._lock:  # no positional read on this system
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            data = os.read(self._descriptor, len(view))
            view[: len(data)] = data
            return len(data)


class Window(io.RawIOBase):
    """The bytes [start, stop) of a file as a stream, for parsers that want one; no read may exceed ``limit``."""

    def __init__(self, file: File, start: int = 0, stop: int | None = None, limit: int = 2**28) -> None:
        self._file, self._start, self._limit = file, start, limit
        self._size = (file.size if stop is None else stop) - start
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, count: int | None = -1) -> bytes:
        left = max(0, self._size - self._at)
        count = left if count is None or count < 0 else min(count, left)
        if count > self._limit:
            raise self._file.bad(f"asks for {count:,} bytes of structure at once; at most {self._limit:,} are read")
        data = self._file.read(self._start + self._at, count)
        self._at += count
        return data

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
