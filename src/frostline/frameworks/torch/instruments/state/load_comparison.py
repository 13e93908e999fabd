"""Files that were loaded into models: whether their bits are there when the next step begins."""

from __future__ import annotations

import contextlib
import weakref
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import nn

from frostline.core.events.fact import Origin
from frostline.core.facts import Fact, LoadCompared
from frostline.core.names.name_matching import expected_by, plain
from frostline.digest.floats import FLOATS
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards.no_tracing import aside
from frostline.frameworks.torch.tensors.init_calls import InitCalls
from frostline.frameworks.torch.tensors.read_files import ReadFile, digest_of
from frostline.frameworks.torch.tensors.saved_values import Content
from frostline.frameworks.torch.tensors.tensors import NamedTensor, dtype_name
from frostline.observe.protocols import Unreadable
from frostline.observe.schedule import due
from frostline.observe.script_lines import script_line
from frostline.observe.tensor_match import are_close, kind_of, mark, values_of


@dataclass(slots=True)
class _Load:
    """A load that gave tensors of a file to a module, or nothing although a file was read for it.

    ``named`` says what the script called each tensor of the file when it gave it, ``landed`` which tensors took its
    bits, both by the names in the file.
    """

    file: ReadFile
    module: weakref.ref[nn.Module]
    parts: list[weakref.ref[nn.Module]]
    line: Origin | None
    named: dict[str, str]
    landed: dict[str, weakref.ref[torch.Tensor]] = field(default_factory=dict)


class LoadComparison:
    """Compares the models with the files that were loaded into them, before the next step.

    A module into which state is loaded again and again is looked at the 1st, 2nd, 4th, … time.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (LoadCompared,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._files: list[ReadFile] = []
        self._loads: list[_Load] = []
        self._counts: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()
        self._init_calls = InitCalls()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.files_read.append(self._read)
        self._context.signals.loaded.append(self._loaded)
        self._context.signals.step_nears.append(self._before_step)
        return [self._init_calls.end]

    def _read(self, files: list[ReadFile]) -> None:
        self._files = files

    def _loaded(self, module: nn.Module, _: list[Hashable], __: set[str], source: Any) -> None:
        """State was loaded: which file is it from, and which tensors took it?"""
        files = self._files
        if not files or not isinstance(source, Mapping):
            return
        self._counts[module] = count = self._counts.get(module, 0) + 1
        if not due(count):
            return
        own = dict(module.state_dict(keep_vars=True))
        file, given = _given(files, source) or (files[-1], {})
        if not given and not _gives_nothing(source, own):
            return
        landed = {
            name: weakref.ref(tensor)
            for key, name in given.items()
            if (tensor := own.get(key)) is not None and _took(file, name, tensor)
        }
        load = _Load(
            file,
            weakref.ref(module),
            [weakref.ref(part) for part in module.modules()],
            script_line(),
            {name: key for key, name in given.items()},
            landed,
        )
        self._loads = [each for each in self._loads if not _renews(load, each)]
        self._loads.append(load)
        self._init_calls.begin()

    def _before_step(self, *_: Any) -> None:
        if not self._loads:
            return
        with aside():
            tensors = [entry for entry in self._context.models.tensors if entry.tensor is not None and entry.row.name]
            waiting = []
            for load in self._loads:
                models = self._models_of(load)
                if models:
                    self._compare(load, [entry for entry in tensors if entry.row.model in models])
                elif load.module() is not None:
                    waiting.append(load)
            self._loads = waiting
            self._init_calls.end()

    def _models_of(self, load: _Load) -> list[str]:
        """The models that have a part of the module into which the file was loaded, the largest part first."""
        inside: Counter[str] = Counter()
        parts = {id(part) for reference in load.parts if (part := reference()) is not None}
        for model in self._context.models.models:
            if model.root is not None:
                inside[model.name] = sum(id(part) in parts for part in model.root.modules())
        return [name for name, count in inside.most_common() if count]

    def _compare(self, load: _Load, tensors: list[NamedTensor]) -> None:
        """Tell where each tensor of the file is now."""
        if any(entry.row.part is not None for entry in tensors):
            return
        found, there = _Found(), {digest for entry in tensors if (digest := _digest(entry)) is not None}
        rows = {entry.row.name.removeprefix(f"{entry.row.model}."): entry for entry in tensors}
        shapes = {load.named.get(name, name): shape for name, shape in load.file.shapes.items()}
        expected = expected_by(shapes, {name: entry.row.shape for name, entry in rows.items()})
        known = {plain(name) for name in rows}
        for name in load.file.values:
            carrier = load.landed[name]() if name in load.landed else None
            entry = self._context.models.of(carrier) if carrier is not None else None
            entry = entry or rows.get(expected.get(load.named.get(name, name), ""))
            if entry is not None and entry.row.kind == "buffer":
                continue  # what a forward pass may have written since
            if load.file.marks[name] in there or (entry is not None and _converted(load.file, name, entry)):
                found.there.append(name)
            elif entry is not None:
                found.note(load, name, entry)
            elif plain(load.named.get(name, name)) not in known:
                found.absent.append(name)
            else:
                found.otherwise.append(name)
        if load.named or (not found.there and len(found.lacking) * 2 > len(load.file.values)):
            self._tell(load, tensors[0].row.model, found, expected)

    def _tell(self, load: _Load, model: str, found: _Found, expected: Mapping[str, str]) -> None:
        unlike = [entry for entry in found.rewritten if entry.row.name not in found.close]
        lines = [self._init_calls.lines.get(id(entry.tensor)) for entry in unlike]
        before, after = _offset(expected) if found.lacking else ("", "")
        self._context.tell(
            LoadCompared(
                origin=load.line,
                step=self._context.recorder.steps,
                file=load.file.file,
                model=model,
                entries=found.entries,
                there=len(found.there),
                rewritten=tuple(entry.row.name for entry in found.rewritten),
                close=tuple(found.close),
                lacking=tuple(entry.row.name for entry in found.lacking),
                absent=tuple(found.absent),
                before=before,
                after=after,
                gave_nothing=not load.named,
                lines=tuple(dict.fromkeys(f"{line.place}" for line in lines if line is not None)),
            )
        )


@dataclass(slots=True)
class _Found:
    """What became of a file's tensors; see LoadCompared. Some are there ``otherwise``, as after a conversion."""

    there: list[str] = field(default_factory=list)
    rewritten: list[NamedTensor] = field(default_factory=list)
    close: list[str] = field(default_factory=list)
    lacking: list[NamedTensor] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    otherwise: list[str] = field(default_factory=list)

    @property
    def entries(self) -> int:
        """How many tensors of the file were compared."""
        names = len(self.there) + len(self.absent) + len(self.otherwise)
        return names + len(self.rewritten) + len(self.lacking)

    def note(self, load: _Load, name: str, entry: NamedTensor) -> None:
        if name not in load.landed:
            self.lacking.append(entry)
            return
        self.rewritten.append(entry)
        values = _values(entry)
        if values is not None and are_close(values, load.file.values[name]):
            self.close.append(entry.row.name)


def _given(files: list[ReadFile], source: Mapping[str, Any]) -> tuple[ReadFile, dict[str, str]] | None:
    """The file that gave the most of a dictionary, with the name in the file of each of its names."""
    digests = {key: digest_of(value) for key, value in source.items() if isinstance(value, torch.Tensor)}
    given: dict[str, str] = {}
    best = None
    for file in reversed(files):
        names = {file.marks[name]: name for name in file.values}
        mine = {key: names[digest] for key, digest in digests.items() if digest in names}
        if len(mine) > len(given):
            best, given = file, mine
    return (best, given) if best is not None else None


def _gives_nothing(source: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Whether a dictionary has only the module's own tensors, or none."""
    return all(
        isinstance(value, torch.Tensor) and key in own and value.data_ptr() == own[key].data_ptr()
        for key, value in source.items()
    )


def _took(file: ReadFile, name: str, tensor: torch.Tensor) -> bool:
    """Whether a tensor has the bits of the file now, or its values in another type."""
    if digest_of(tensor) == file.marks[name]:
        return True
    dtype = dtype_name(tensor)
    with contextlib.suppress(Unreadable):
        values = values_of(Content(tensor), dtype, tensor.numel()) if dtype != file.dtypes[name] else None
        return values is not None and are_close(values, file.values[name])
    return False


def _renews(load: _Load, former: _Load) -> bool:
    """Whether a load gives again what a former one gave to the same module, or that one gave nothing."""
    return load.module() is former.module() and (not former.landed or bool(load.landed.keys() & former.landed.keys()))


def _digest(entry: NamedTensor) -> bytes | None:
    row = entry.row
    with contextlib.suppress(Unreadable):
        return kind_of(row.dtype, row.shape) + mark(entry, row.bytes) if row.part is None else None
    return None


def _values(entry: NamedTensor) -> Any:
    with contextlib.suppress(Unreadable):
        return values_of(entry, entry.row.dtype, entry.row.size)
    return None


def _converted(file: ReadFile, name: str, entry: NamedTensor) -> bool:
    """Whether a tensor has the file's values in another type: rounded ones go together, others cannot be compared."""
    dtype = entry.row.dtype
    if dtype == file.dtypes[name]:
        return False
    values = _values(entry)
    return dtype not in FLOATS or (values is not None and are_close(values, file.values[name]))


def _offset(expected: Mapping[str, str]) -> tuple[str, str]:
    """What most names of the file have in front that those of the model have not, and the other way round.

    >>> _offset({"net.0.weight": "0.weight", "net.0.bias": "0.bias", "head.bias": "out.bias"})
    ('net', '')
    """
    pairs: Counter[tuple[str, str]] = Counter()
    for name, tensor in expected.items():
        one, other = name.split("."), tensor.split(".")
        while one and other and one[-1] == other[-1]:
            del one[-1], other[-1]
        pairs[".".join(one), ".".join(other)] += 1
    return max(pairs, key=pairs.__getitem__, default=("", ""))
