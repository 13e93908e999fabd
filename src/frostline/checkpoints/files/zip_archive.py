"""The directory of a zip archive, checked: what torch, numpy and Keras pack their tensors in."""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass

from frostline.checkpoints.files.file import File, Window
from frostline.checkpoints.files.sources import Inflated, Source, Span
from frostline.errors import CheckpointError

DIRECTORY_LIMIT = 64 * 2**20
HARMLESS_EXPANSION = 2**30
LARGEST_RATIO = 100
STRUCTURE_LIMIT = 2**28

_LOCAL = struct.Struct("<4s5H3I2H")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in the archive; its content starts at ``offset`` of the archive file."""

    name: str
    offset: int
    stored: int
    size: int
    checksum: int
    deflated: bool


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip archive whose entries lie apart from each other and unpack to a sane size."""

    file: File
    entries: dict[str, Entry]
    has_comment: bool = False

    def source(self, name: str, skip: int = 0) -> Source:
        """The bytes of an entry, less the first ``skip``."""
        entry = self.entries[name]
        if entry.deflated:
            return Inflated(self.file, entry.offset, entry.stored, entry.size, entry.checksum, skip)
        return Span(self.file, entry.offset + skip, entry.size - skip)

    def content(self, name: str) -> bytes:
        """An entry that is structure, whole; CheckpointError when it is absurdly large."""
        entry = self.entries[name]
        if entry.size > STRUCTURE_LIMIT:
            raise self.file.bad(f"its {name} takes {entry.size:,} bytes; at most {STRUCTURE_LIMIT:,} are read")
        return b"".join(bytes(piece) for piece in self.source(name).pieces())

    def unpacked(self, name: str) -> File:
        """An entry as a file of its own: in place, or unpacked to a temporary file."""
        entry = self.entries[name]
        if entry.deflated:
            return File.spooled(self.source(name).pieces(), self.file.path)
        return self.file.part(entry.offset, entry.size)


def known(file: File) -> bool:
    """Whether ``file`` is a zip archive."""
    head = file.head
    return head[:2] == b"PK" and head[2:4] in (b"\x03\x04", b"\x05\x06")


def read(file: File) -> Archive:
    """The archive in ``file``; CheckpointError when its directory is damaged, hostile or of a kind nobody writes."""
    try:
        with zipfile.ZipFile(Window(file, limit=DIRECTORY_LIMIT)) as found:
            infos = found.infolist()
            has_comment = bool(found.comment) or any(info.comment for info in infos)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError) as error:
        raise file.bad(f"is not a sound zip archive: {error}") from None
    except (ValueError, OverflowError, struct.error, zlib.error, OSError):
        raise file.bad("is not a sound zip archive: its directory cannot be read") from None
    entries: dict[str, Entry] = {}
    for info in infos:
        if info.orig_filename.endswith("/"):
            continue
        if info.orig_filename in entries:
            raise file.bad(f"holds two entries named {info.orig_filename!r}")
        entries[info.orig_filename] = _entry(file, info)
    _refuse_several(file, infos)
    _refuse_overlap(file, list(entries.values()))
    _refuse_bomb(file, list(entries.values()))
    return Archive(file, entries, has_comment)


def _entry(file: File, info: zipfile.ZipInfo) -> Entry:
    name = info.orig_filename
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise file.bad(f"{name!r} is packed with zip method {info.compress_type}", "pack it again, plain or deflated")
    if info.flag_bits & 1:
        raise file.bad(f"{name!r} is encrypted", "unpack it and pack it again without a password")
    signature, _, _, _, _, _, _, _, _, name_length, extra_length = _LOCAL.unpack(
        file.read(info.header_offset, _LOCAL.size)
    )
    start = info.header_offset + _LOCAL.size
    if signature != b"PK\x03\x04" or file.read(start, name_length) != _encoded(info):
        raise file.bad(f"its directory and its entry {name!r} do not agree")
    offset = start + name_length + extra_length
    if offset + info.compress_size > file.size:
        raise file.bad(f"ends before the end of its entry {name!r}")
    deflated = info.compress_type == zipfile.ZIP_DEFLATED
    if not deflated and info.compress_size != info.file_size:
        raise file.bad(f"its entry {name!r} states two sizes")
    return Entry(name, offset, info.compress_size, info.file_size, info.CRC, deflated)


def _encoded(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")


def _refuse_several(file: File, infos: list[zipfile.ZipInfo]) -> None:
    """A directory knows the last archive of several that were written one behind the other."""
    if infos and min(info.header_offset for info in infos) > 0:
        raise CheckpointError(
            f"{file.path}: holds several archives one behind the other, as a part of a checkpoint of torch.distributed",
            "name the folder that it lies in, or the .metadata beside it",
        )


def _refuse_overlap(file: File, entries: list[Entry]) -> None:
    furthest = 0
    for entry in sorted(entries, key=lambda entry: (entry.offset, entry.stored)):
        if entry.stored and entry.offset < furthest:
            raise file.bad(f"its entry {entry.name!r} overlaps another one")
        furthest = max(furthest, entry.offset + entry.stored)


def _refuse_bomb(file: File, entries: list[Entry]) -> None:
    expanded = sum(entry.size for entry in entries if entry.deflated)
    if expanded > HARMLESS_EXPANSION and expanded > LARGEST_RATIO * file.size:
        raise CheckpointError(
            f"{file.path}: its {file.size:,} bytes claim to unpack to {expanded:,}",
            "if you trust the file, unpack it and save it without compression",
        )
