"""Formats that are not read: each is known by its content, and told with what to do instead."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from frostline.errors import CheckpointError

TENSORFLOW = (
    "load it in TensorFlow and save the model as .keras or its weights as .weights.h5, "
    "or numpy.savez(file, **{v.name: v.numpy() for v in variables})"
)
DISTRIBUTED = "join it first: python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER model.pt"
ORBAX = "restore it with orbax.checkpoint and write the arrays with safetensors.numpy.save_file or numpy.savez"
PACKED = "unpack it first, and name a file from it"

_TABLE_END = bytes.fromhex("57fb808b247547db")  # of the sorted tables that TensorFlow keeps its index in

# first bytes: what the file is, and what to do instead
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a pointer of Git LFS in place of the file itself", "git lfs pull fetches the file"),
    (b"<!DOCTYPE", "a web page", "the download gave a page in place of the file: fetch it again, logged in if need be"),
    (b"<html", "a web page", "the download gave a page in place of the file: fetch it again, logged in if need be"),
    (b"\x1f\x8b", "packed with gzip", PACKED),
    (b"BZh", "packed with bzip2", PACKED),
    (b"\xfd7zXZ\0", "packed with xz", PACKED),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", PACKED),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", PACKED),
    (b"x\x9c", "packed with zlib, as joblib does", "joblib.dump it again with compress=0, or numpy.savez the arrays"),
)

# a file inside a folder: what the folder is, and what to do instead
_FOLDERS: tuple[tuple[str, str, str], ...] = (
    ("saved_model.pb", "a TensorFlow SavedModel", TENSORFLOW),
    ("*.index", "a TensorFlow checkpoint", TENSORFLOW),
    (".metadata", "a checkpoint of torch.distributed", DISTRIBUTED),
    ("*.distcp", "a checkpoint of torch.distributed", DISTRIBUTED),
    ("manifest.ocdbt", "an Orbax checkpoint", ORBAX),
    ("_METADATA", "an Orbax checkpoint", ORBAX),
    ("_CHECKPOINT_METADATA", "an Orbax checkpoint", ORBAX),
)


def file(path: Path, head: bytes, tail: bytes) -> CheckpointError | None:
    """The refusal of a file with these first and last bytes, if its format is known by name."""
    for start, what, hint in _STARTS:
        if head.startswith(start):
            return _refusal(path, what, hint)
    if head[257:262] == b"ustar":
        return _refusal(path, "a tar archive", f"{PACKED}; torch before 0.1.10 wrote such files: torch.save it again")
    if tail.endswith(_TABLE_END):
        return _refusal(path, "the index of a TensorFlow checkpoint", TENSORFLOW)
    if path.name == "saved_model.pb":
        return _refusal(path, "the graph of a TensorFlow SavedModel", TENSORFLOW)
    if ".data-000" in path.name:
        return _refusal(path, "the data of a TensorFlow checkpoint, without names or shapes", TENSORFLOW)
    return None


def folder(path: Path) -> CheckpointError | None:
    """The refusal of a folder, if it is a checkpoint of a kind known by name."""
    for pattern, what, hint in _FOLDERS:
        if next(path.glob(pattern), None) is not None:
            return _refusal(path, what, hint)
    return None


def name(path: Path) -> CheckpointError | None:
    """The refusal of a part that means nothing alone, and of the name that the files of a checkpoint begin with."""
    if path.suffix == ".distcp":
        return _refusal(path, "a part of a checkpoint of torch.distributed", DISTRIBUTED)
    if not path.exists() and path.with_name(f"{path.name}.index").is_file():
        return _refusal(path, "a TensorFlow checkpoint", TENSORFLOW)
    return None


def archive(path: Path, entries: Iterable[str]) -> CheckpointError | None:
    """The refusal of a zip archive with these entries, if its kind is known by name."""
    if any(name.rpartition("/")[2] == "serialized_exported_program.json" for name in entries):
        hint = "load it and torch.export.save it with torch 2.8 or newer, or torch.save(program.state_dict, file)"
        return _refusal(path, "an archive of torch.export of an older kind", hint)
    return None


def _refusal(path: Path, what: str, hint: str) -> CheckpointError:
    return CheckpointError(f"{path}: {what}, which is not read", hint)
