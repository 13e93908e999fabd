"""Files that a script writes one after another, such as step10.pt and step20.pt: do they hold the same bits again?"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from frostline.core.events.files import FilesAlike

_NUMBER = re.compile(r"\d+")
SERIES_KEPT = 256


@dataclass(slots=True)
class _Series:
    """The last file of a series, and those before it that it repeats, with the steps after which they were written."""

    path: str
    content: Mapping[Hashable, bytes]
    memory: Mapping[Hashable, bytes]
    files: list[str]
    steps: list[int]
    moved: set[Hashable] = field(default_factory=set)


class FileSeries:
    """Compares each file with the last one whose path differs in its numbers only, or is the same.

    Of memory and of each file no more than digests of parts are kept. A file that repeats the one before it is told at
    the end of the repetition, where memory had moved in between.
    """

    def __init__(self, tell: Callable[[FilesAlike], None], names: Callable[[set[Hashable]], tuple[str, ...]]) -> None:
        self._tell, self._names = tell, names
        self._last: dict[str, _Series] = {}

    def wrote(self, path: str, step: int, content: Mapping[Hashable, bytes], memory: Mapping[Hashable, bytes]) -> None:
        """A file was written: what it holds of some tensors, and what memory does."""
        if not content:
            return
        series = _NUMBER.sub("#", path)
        last = self._last.pop(series, None)
        if last is not None and last.content == content and last.steps[-1] < step:
            moved = {key for key, mark in memory.items() if last.memory.get(key, mark) != mark}
            if moved:
                files, steps = [*last.files, path], [*last.steps, step]
                self._last[series] = _Series(path, content, memory, files, steps, last.moved | moved)
                return
        if last is not None:
            self._close(last, goes_on=True)
        self._last[series] = _Series(path, content, memory, [path], [step])
        if len(self._last) > SERIES_KEPT:
            self._close(self._last.pop(next(iter(self._last))), goes_on=False)

    def end(self) -> None:
        """The run is over: what the last files repeat is told."""
        for series in self._last.values():
            self._close(series, goes_on=False)
        self._last.clear()

    def _close(self, series: _Series, goes_on: bool) -> None:
        if len(series.files) > 1:
            tensors = self._names(series.moved)
            files, steps = tuple(map(_short, series.files)), tuple(series.steps)
            self._tell(FilesAlike(step=steps[-1], files=files, steps=steps, tensors=tensors, went_on=goes_on))


def _short(path: str) -> str:
    """The path from the first folder or file on that has a number, or its last part.

    >>> _short("/tmp/runs/step10.pt"), _short("/tmp/out/checkpoint-20/model.safetensors")
    ('step10.pt', 'checkpoint-20/model.safetensors')
    """
    parts = path.replace("\\", "/").rstrip("/").split("/")
    return (
        parts[-1] if _NUMBER.search(parts[-1]) or not any(map(_NUMBER.search, parts[-2:-1])) else "/".join(parts[-2:])
    )
