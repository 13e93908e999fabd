"""The files that a run writes, against its tensors: related when they are written, compared again at the end.

A save costs the reading of a few blocks of each tensor, whatever its size, and nothing of it is kept but digests.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from frostline.core.columns.saved import Copy, CopyState, Saved
from frostline.core.facts import Doubted, FileWritten, Origin, SavedSettled
from frostline.core.ledger import TensorRow
from frostline.core.names.name_matching import expected_by
from frostline.digest.blocks import blocks
from frostline.observe.file_series import FileSeries
from frostline.observe.observer import Observer
from frostline.observe.protocols import Unreadable
from frostline.observe.script_lines import script_line
from frostline.observe.tensor_match import Likeness, Written, holds_first, likeness, mark
from frostline.observe.tensor_state import TensorState

COPIES_KEPT = 1 << 16  # of all files together; the oldest files are forgotten first
EVENTS_KEPT = 32
LATE_KEPT = 16  # copies of a tensor that were taken before they were written
PARTS_KEPT = 4  # files that hold parts of a tensor
LATER_KEPT = 64  # files of which nothing was known when they were written
BEST_FIRST: tuple[CopyState, ...] = (
    "same",
    "rounded",
    "older",
    "fewer-rows",
    "other",
    "first",
    "overflow",
    "zero",
)


Later = Callable[[], Sequence[tuple[str, Hashable]]]


@dataclass(slots=True)
class _Kept:
    """A copy with digests of parts of what was written and of the tensor's memory then, where both could be read."""

    copy: Copy
    marks: tuple[bytes, bytes] | None = None


@dataclass(slots=True)
class _File:
    """The last writing of one file: copies by tensor, the tensors of a whole save, and what matched nothing."""

    name: str
    by: str
    step: int
    times: int
    path: str
    line: Origin | None
    entries: int = 0
    copies: dict[Hashable, _Kept] = field(default_factory=dict)
    expected: set[Hashable] = field(default_factory=set)
    unread: dict[Hashable, str] = field(default_factory=dict)  # tensors whose copy could not be compared, and why
    strange: list[int] = field(default_factory=list)  # how many numbers each tensor of unknown meaning holds
    later: Later | None = None
    general: bool = False
    apart: bool = False  # made by the script of single arrays: says what is in a file, never what is in none


class Saves:
    """What a script wrote, related to the tensors of one probe.

    Args:
        observer: knows the tensors.
        expected: the tensors that a save of the models with these names would hold now.
        steps: how many were made so far, where the observer is told of the last one later.
    """

    def __init__(
        self,
        observer: Observer,
        expected: Callable[[set[str]], set[Hashable]],
        steps: Callable[[], int] | None = None,
    ) -> None:
        self.observer = observer
        self.expected = expected
        self._steps = steps if steps is not None else lambda: observer.steps
        self._files: dict[str, _File] = {}
        self._series = FileSeries(observer.tell, self._named)

    def wrote(
        self,
        path: str,
        by: str,
        tensors: Sequence[Written],
        later: Later | None = None,
        general: bool = False,
        writer: str = "",
    ) -> None:
        """The script is writing these tensors to ``path`` (a name without folders, where only that is known).

        A model that no step has trained yet may not be known: then ``later`` is asked at the end for the names in the
        file and the keys of the tensors that their memory became. A file of a ``general`` function is told only when
        it holds something of a model. Of several processes that write into one place, each its own, ``writer`` is this.
        """
        file = self._file(path, by, writer)
        sections: dict[str, list[Written]] = {}
        for tensor in tensors:
            if tensor.entry is not None:
                self._keep(file, tensor, self.observer.tensors[tensor.entry], Likeness("same"))
            else:
                sections.setdefault(tensor.section, []).append(tensor)
        for section in sections.values():
            self._relate(file, section)
        file.expected = self.expected({self.observer.tensors[key].row.model for key in file.copies})
        file.entries = len(tensors)
        self.observer.going_on.remember(key for key, kept in file.copies.items() if kept.copy.state == "same")
        self._compare_with_last(path, file)
        file.later, file.general = later if not file.copies else None, general
        self._forget_old()

    def holds(self, path: str, by: str, tensor: Written) -> None:
        """The script wrote an array into a file of its own making: its bits say which tensor it is, not its name."""
        if (file := self._files.get(path)) is None or file.step < self._steps():
            file = self._file(path, by, "")
            file.general = file.apart = True
        file.entries += 1
        for watched in self.observer.tensors.values():
            with contextlib.suppress(Unreadable):
                if watched.row.shape == tensor.shape and watched.entry.key not in file.copies:
                    found = likeness(tensor, watched)
                    if found.state in ("same", "rounded"):
                        self._keep(file, tensor, watched, found)

    def _compare_with_last(self, path: str, file: _File) -> None:
        """Files that repeat each other are told by what they hold of trainable parameters."""
        kept = {
            key: each.marks
            for key, each in file.copies.items()
            if each.marks is not None and _may_train(self.observer.tensors[key].row)
        }
        content, memory = ({key: pair[place] for key, pair in kept.items()} for place in (0, 1))
        self._series.wrote(path, file.step, content, memory)

    def _named(self, keys: set[Hashable]) -> tuple[str, ...]:
        return tuple(watched.row.name for key, watched in self.observer.tensors.items() if key in keys)

    def _file(self, path: str, by: str, writer: str) -> _File:
        former = self._files.pop(path, None)
        name = _name(path)
        times = 1 if former is None else former.times + 1
        file = self._files[path] = _File(name, by, self._steps(), times, _told_apart(path, writer), script_line())
        return file

    def _forget_old(self) -> None:
        while len(self._files) > 1 and sum(len(file.copies) for file in self._files.values()) > COPIES_KEPT:
            del self._files[next(iter(self._files))]
        for file in [file for file in self._files.values() if file.later is not None][:-LATER_KEPT]:
            file.later = None

    def _relate(self, file: _File, section: Sequence[Written]) -> None:
        """Find the tensors that the tensors of one dictionary stand for, by their names."""
        written = {tensor.name: tensor for tensor in section}
        shapes = {name: tensor.shape for name, tensor in written.items()}
        told: set[str] = set()
        for tensors in self._by_model().values():
            for name, entry in expected_by(
                shapes, {each: watched.row.shape for each, watched in tensors.items()}
            ).items():
                told.add(name)
                if tensors[entry].entry.key in file.copies:  # the weights themselves are in the file beside this copy
                    continue
                try:
                    self._keep(file, written[name], tensors[entry], likeness(written[name], tensors[entry]))
                except Unreadable as reason:
                    file.unread[tensors[entry].entry.key] = str(reason)
        self._note_origin(file, [tensor for name, tensor in written.items() if name in told])
        file.strange += [tensor.numbers for name, tensor in written.items() if name not in told]

    def _note_origin(self, file: _File, section: Sequence[Written]) -> None:
        """Of tensors that hold the first bits still, say whose they are: another module's, or only a copy."""
        old = {kept.copy.name: kept.copy for kept in file.copies.values() if kept.copy.state == "first"}
        asked = next((tensor for tensor in section if tensor.name in old and tensor.origin is not None), None)
        origin = asked.origin() if asked is not None and asked.origin is not None else None
        for tensor in section:
            if tensor.name in old:
                old[tensor.name].origin = origin

    def _by_model(self) -> dict[str, dict[str, TensorState]]:
        """The tensors of each model by the names that they have inside it."""
        models: dict[str, dict[str, TensorState]] = {}
        for watched in self.observer.tensors.values():
            row = watched.row
            for name in (row.name, *row.aliases) if row.name else ():
                if name.startswith(f"{row.model}."):
                    models.setdefault(row.model, {}).setdefault(name.removeprefix(f"{row.model}."), watched)
        return models

    def _keep(self, file: _File, tensor: Written, watched: TensorState, found: Likeness) -> None:
        copy = Copy(file.name, tensor.name, file.step, found.state, tensor.dtype, found.rows)
        copy.taken, copy.rest_zero = tensor.taken, found.rest_zero
        copy.part, copy.path = tensor.part, file.path if tensor.part else ""
        marks = None
        with contextlib.suppress(Unreadable):
            memory = mark(watched.entry, watched.row.bytes_here)
            marks = (memory if found.state == "same" else mark(tensor.content, tensor.bytes)), memory
            if found.state in ("same", "rounded"):
                copy.put_back = _was_trained(watched.row) and holds_first(watched.entry, watched)
        file.copies[watched.entry.key] = _Kept(copy, marks)

    # The end

    def settle(self) -> None:
        """Fill the column, with what memory holds now."""
        self._series.end()
        files = list(self._files.values())
        for file in files:
            self._look_again(file)
        for file in [file for file in files if file.copies or not file.general][-EVENTS_KEPT:]:
            self._tell(file)
        expected: set[Hashable] = set()
        for file in [file for file in files if not file.apart]:
            expected -= self._of_models(file)
            expected |= file.expected
        for key, watched in self.observer.tensors.items():
            settled = [(file, self._settled(file.copies[key], watched)) for file in files if key in file.copies]
            copies = [copy for file, copy in settled if not file.apart or copy.state in ("same", "rounded")]
            if copies:
                copies.sort(key=lambda copy: (BEST_FIRST.index(copy.state), -copy.step))
                self._settle(watched.row, _saved(copies))
        self._note_missing(expected, files)

    def _tell(self, file: _File) -> None:
        counts = {"times": file.times, "entries": file.entries, "tensors": len(file.copies)}
        self.observer.tell(FileWritten(step=file.step, file=file.name, by=file.by, origin=file.line, **counts))

    def _settle(self, row: TensorRow, saved: Saved) -> None:
        self.observer.tell(SavedSettled(tensor=row.id, saved=saved))

    def _doubt(self, row: TensorRow, reason: str) -> None:
        self.observer.tell(Doubted(tensors=(row.id,), column="saved", reason=reason))

    def _look_again(self, file: _File) -> None:
        """What was written before its model was known has the bits of the first check."""
        for name, key in file.later() if file.later is not None else ():
            verdict = self.observer.tensors[key].row.changed.verdict
            if verdict != "unknown":
                state: CopyState = "older" if verdict == "yes" else "same"
                file.copies[key] = _Kept(Copy(file.name, name, file.step, state))
        if file.later is not None:
            file.strange = []
            file.expected = self.expected({self.observer.tensors[key].row.model for key in file.copies})

    def _of_models(self, file: _File) -> set[Hashable]:
        """All tensors of the models that the file holds something of."""
        models = {self.observer.tensors[key].row.model for key in file.copies}
        return {key for key, watched in self.observer.tensors.items() if watched.row.model in models}

    def _settled(self, kept: _Kept, watched: TensorState) -> Copy:
        """What became of a copy: first bits that were put back, and stayed, are called so."""
        copy = kept.copy
        if copy.state in ("same", "rounded") and copy.step < self.observer.steps and kept.marks is not None:
            try:
                moved = mark(watched.entry, watched.row.bytes_here) != kept.marks[1]
            except Unreadable:
                moved = watched.row.changed.verdict == "yes"
            copy.state = "older" if moved else copy.state
        copy.put_back = copy.put_back and copy.state != "older"
        copy.state = "first" if copy.put_back else copy.state
        return copy

    def _note_missing(self, expected: Iterable[Hashable], files: Iterable[_File]) -> None:
        saved = {
            name for watched in self.observer.tensors.values() if watched.row.saved for name in _names(watched.row)
        }
        strange = {count for file in files if file.copies for count in file.strange}
        unread = {key: reason for file in files for key, reason in file.unread.items()}
        for key, reason in unread.items():
            if self.observer.tensors[key].row.saved is None:
                self._doubt(self.observer.tensors[key].row, reason)
        rows = [self.observer.tensors[key].row for key in expected if key not in unread]
        doubtful = _owners(row for row in rows if row.saved and row.saved.state in ("other", "fewer-rows"))
        for row in rows:
            if not saved.isdisjoint(_names(row)):
                continue
            if row.size in strange:
                self._doubt(row, "a file holds a tensor of this size under a name that is no tensor's")
            elif _parent(row.owner.path) in doubtful or row.owner.path in doubtful:
                self._doubt(row, "the file holds other values, or a part, of its module: it may be merged into them")
            else:
                self._settle(row, Saved("missing"))


def _name(path: str) -> str:
    """The last part of a path; the number of a step is told with the folder around it.

    >>> _name("/tmp/runs/model.npz"), _name("/tmp/runs/300/")
    ('model.npz', 'runs/300')
    """
    *_, folder, name = ("", *path.replace("\\", "/").rstrip("/").split("/"))
    return f"{folder}/{name}" if name.isdigit() and folder else name


def _saved(copies: Sequence[Copy]) -> Saved:
    """The column of a tensor whose copies these are, the best first: one of each kind is kept.

    Those that the script took before it wrote them are all kept, within reason.
    """
    late = [copy for copy in copies if copy.taken is not None and copy.taken < copy.step][:LATE_KEPT]
    kinds = {(copy.state, copy.file if copy in late else "", copy.path): copy for copy in copies[::-1]}
    kept = [copy for copy in copies if copy in kinds.values()]
    whole = [copy for copy in kept if not copy.part]
    parts = [copy for copy in kept if copy.part][:PARTS_KEPT]
    return Saved(whole[0].state if whole else "part", [copy for copy in kept if copy in whole or copy in parts])


def _told_apart(path: str, writer: str) -> str:
    """A few digits that are the same for one file in all processes, and tell nothing of folders."""
    return blocks(os.path.abspath(f"{path}/{writer}" if writer else path).encode()).hashes.hex()[:8]


def _may_train(row: TensorRow) -> bool:
    return row.kind == "parameter" and row.declared.trainable is not False and row.part is None


def _was_trained(row: TensorRow) -> bool:
    """Whether a step moved the tensor while it was trainable: what is merged and taken out again was not trained."""
    held = any(holding.listed for holding in row.optimizers)
    return any(
        move.trainable and (move.optimizer is not None or (held and move.place == "between"))  # two checks
        for move in row.changed.movements
    )


def _names(row: TensorRow) -> tuple[str, ...]:
    return (row.name, *row.aliases)


def _owners(rows: Iterable[TensorRow]) -> set[str]:
    """The modules whose tensors are in a file with values of their own, and the modules around them."""
    paths = [row.owner.path for row in rows]
    return {path for path in (*paths, *map(_parent, paths)) if path}


def _parent(path: str) -> str:
    return path.rpartition(".")[0]
