"""Regular files read by position: every read is exact, and a file that changes underneath is noticed."""

from __future__ import annotations

import io
import os
import stat
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from frostline.errors import CheckpointError

DAMAGED = "the file is damaged or was cut short; copy or download it again"


class File:
    """A file opened once and read by offset from any thread.

    Positional reads and no memory map: a file that is cut while it is read gives an error here, and would kill
    the process as a map; and a map of a large file counts as memory used.
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
        self._lock = threading.Lock()
        self._stamp = self._look()
        self.size = self._stamp[0]

    @classmethod
    def spooled(cls, pieces: Iterable[bytes | bytearray], path: Path) -> File:
        """A nameless temporary file that holds ``pieces``, for data that must be read out of order."""
        file = cls.__new__(cls)
        file.path = path
        with tempfile.TemporaryFile() as handle:
            for piece in pieces:
                handle.write(piece)
            handle.flush()
            file._descriptor = os.dup(handle.fileno())
        file._lock = threading.Lock()
        file._stamp = file._look()
        file.size = file._stamp[0]
        return file

    def fileno(self) -> int:
        return self._descriptor

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
                count = self._pread(view[done:], offset + done)
            except OSError as error:
                raise self.bad(f"cannot be read: {error.strerror}", "check the disk") from None
            if count == 0:
                self.check_unchanged()
                raise self.bad(f"ends before byte {offset + len(view):,}")
            done += count

    def check_unchanged(self) -> None:
        """Raise CheckpointError when the file was written to since it was opened."""
        if self._look() != self._stamp:
            raise self.bad("changed while it was being read", "wait until its writer is done, then try again")

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

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
