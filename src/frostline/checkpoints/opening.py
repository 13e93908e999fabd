"""Opens a checkpoint by what is in the file, whatever its name says."""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.files import zip_archive
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.zip_archive import Archive
from frostline.checkpoints.readers import unsupported
from frostline.checkpoints.readers.containers import zipped
from frostline.checkpoints.readers.table import FORMATS
from frostline.errors import CheckpointError, UnknownFormat

DEEPEST = 4
MOST_LOOKED_AT, MOST_NAMED = 1000, 4
NAMES = f"{', '.join(format.name for format in FORMATS)} are read"


def open_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """The checkpoint at ``path``: a file, the index of a sharded one, or a folder that holds one.

    Raises:
        CheckpointError: there is no such file, its format is not known, or it is damaged.
    """
    file = File(_found(Path(path)))
    try:
        with _without_collector():
            checkpoint = _read(file, depth=0)
        _refuse_nothing(checkpoint)
        return checkpoint
    except BaseException:
        file.close()
        raise


@contextmanager
def _without_collector() -> Iterator[None]:
    """No search for cycles meanwhile: the many small objects of a table of tensors have none, and it takes as long."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _refuse_nothing(checkpoint: Checkpoint) -> None:
    """Refuse a pickle of values among which there is no tensor."""
    if not checkpoint.tensors and checkpoint.extras:
        name, text = next(iter(checkpoint.extras.items()))
        raise CheckpointError(
            f"{checkpoint.path}: holds no tensor; its {name!r} is {text}", "nothing of it was loaded or run"
        )


def _read(file: File, depth: int) -> Checkpoint:
    """The checkpoint in ``file``, which lies in ``depth`` others."""
    if depth > DEEPEST:
        raise file.bad(f"is packed more than {DEEPEST} times", "unpack it, and name a file from it")
    if zip_archive.known(file):
        archive = zip_archive.read(file)
        checkpoint = _from_archive(archive, depth)
        checkpoint.uncompared += ["comments in the archive"] if archive.has_comment else []
        return checkpoint
    for format in FORMATS:
        if format.file and format.file[0](file):
            return format.file[1](file)
        if format.container and format.container[0](file):
            return format.container[1](file, lambda inner: _read(inner, depth + 1))
    if not file.size:
        raise UnknownFormat(f"{file.path}: is empty", "the run that should have written it may have failed")
    raise unsupported.file(file) or UnknownFormat(f"{file.path}: is no checkpoint of a known format", NAMES)


def _from_archive(archive: Archive, depth: int) -> Checkpoint:
    for format in FORMATS:
        if format.archive and format.archive[0](archive):
            return format.archive[1](archive)
    if (refusal := unsupported.archive(archive)) is not None:
        raise refusal
    return zipped.read(archive, lambda inner: _read(inner, depth + 1))


def _found(path: Path) -> Path:
    """The file to open for ``path``: for a folder the one that the table of formats names first."""
    if not path.is_dir():
        if (refusal := unsupported.name(path)) is not None:
            raise refusal
        index = path.with_name(f"{path.name}.index")  # TensorFlow names a checkpoint by what its files begin with
        return index if not path.exists() and index.is_file() else path
    for pattern in itertools.chain.from_iterable(format.folder for format in FORMATS):
        found = sorted(itertools.islice(path.glob(pattern), MOST_LOOKED_AT))
        if len(found) == 1:
            return found[0]
        if found:
            raise CheckpointError(f"{path}: a folder with {len(found):,} checkpoints", _choice(path, found))
    if (refusal := unsupported.folder(path)) is not None:
        raise refusal
    inside = list(_checkpoints_in(path))
    hint = _choice(path, inside) if inside else f"no file in it is a checkpoint: {NAMES}"
    raise CheckpointError(f"{path}: a folder without a checkpoint of a usual name", hint)


def _choice(folder: Path, files: list[Path]) -> str:
    first = ", ".join(str(folder / file.relative_to(folder)) for file in files[:MOST_NAMED])
    return f"name one of its files: {first}{', …' if len(files) > MOST_NAMED else ''}"


def _checkpoints_in(folder: Path) -> Iterator[Path]:
    """The files in a folder that look like checkpoints by their first bytes."""
    for path in sorted(itertools.islice(folder.iterdir(), MOST_LOOKED_AT)):
        try:
            file = File(path)
        except CheckpointError:
            continue
        try:
            if zip_archive.known(file) or any(format.file and format.file[0](file) for format in FORMATS):
                yield path
        finally:
            file.close()
