"""A framework of its own, small and without dependencies: tensors in memory, plain optimizers, and their probe.

It trains for real, and the observer is driven by it as by any other framework: what a test needs of a training that no
user's framework does at will (a tensor that cannot be read, a move in one certain half-step) is one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from frostline.core.facts import BufferFrozen
from frostline.core.journal import Journal
from frostline.core.ledger import Gradient, Kind, Movement, TensorRow
from frostline.digest.blocks import Digest, blocks
from frostline.observe.observer import Observer
from frostline.observe.protocols import Hold, LiveTensor, MaskedGradient, Unreadable
from frostline.observe.tensor_state import TensorState
from frostline.settings import Settings


class Tensor:
    """Numbers in memory with a name, a flag and a gradient; as a live tensor it reads its own bytes."""

    def __init__(self, name: str, values: ArrayLike, *, trainable: bool = True, dtype: str = "float32") -> None:
        self.key: Hashable = name
        self.values = np.array(values, dtype)
        self.trainable = trainable
        self.grad: Any = None
        self.unreadable: Unreadable | None = None  # raised by whoever reads
        self.kind: Kind = "parameter"
        self.in_frozen_module = False
        self.name, self.dtype = name, dtype
        self.row: TensorRow  # once it is observed

    def read(self) -> Any:
        if self.unreadable is not None:
            raise self.unreadable
        return self.values

    def part(self, start: int, stop: int) -> bytes:
        return bytes(memoryview(self.read()).cast("B")[start:stop])

    def gradient(self) -> Gradient:
        return "none" if self.grad is None else "nonzero" if np.any(self.grad) else "zero"


def buffer(name: str, values: ArrayLike, *, frozen: bool = False) -> Tensor:
    """A tensor that no optimizer trains: statistics of a module, which may be frozen as a whole."""
    tensor = Tensor(name, values, trainable=False)
    tensor.kind, tensor.in_frozen_module = "buffer", frozen
    return tensor


@dataclass
class Optimizer:
    """Descent with decoupled weight decay and, where asked for, momentum."""

    tensors: list[Tensor]
    lr: float = 0.5
    weight_decay: float = 0.0
    momentum: float = 0.0
    velocity: dict[Hashable, Any] = field(default_factory=dict)

    def step(self) -> None:
        for tensor in self.tensors:
            if tensor.grad is None:
                continue
            pull = tensor.grad + self.momentum * self.velocity.get(tensor.key, 0.0)
            if self.momentum:
                self.velocity[tensor.key] = pull
            tensor.values *= 1 - self.lr * self.weight_decay
            tensor.values -= self.lr * pull


class Memory:
    """The probe: what it is asked, it reads off the tensors and optimizers."""

    name = "memory"

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.optimizers: dict[Hashable, Optimizer] = {}
        self.on_accelerator: set[Hashable] = set()  # keys of tensors whose digests are made where they are
        self.masks: dict[Hashable, MaskedGradient] = {}
        self.elsewhere: dict[str, bytes] = {}  # other tensors of the process, by name
        self.forwards_watched: list[bool] = []
        self.finished = 0
        self.how: Callable[[Hold], Hold] = lambda hold: hold  # what a test adds to a hold

    def digests(self, tensors: Iterable[LiveTensor]) -> dict[Hashable, Digest]:
        return {entry.key: blocks(entry.read()) for entry in tensors if entry.key in self.on_accelerator}

    def flags(self, *, whole: bool) -> list[bool | None]:
        return [tensor.trainable for tensor in self.tensors]

    def refresh(self) -> None:
        pass

    def holds(self, optimizer_row: Hashable) -> dict[Hashable, Hold]:
        optimizer = self.optimizers[optimizer_row]
        return {
            tensor.key: self.how(
                Hold(0, lr=optimizer.lr, weight_decay=optimizer.weight_decay, state=tensor.key in optimizer.velocity)
            )
            for tensor in optimizer.tensors
        }

    def update_ulp(self, optimizer: Hashable, entry: LiveTensor) -> float | None:
        return 0.25

    def negligible(self, optimizer: Hashable, entry: LiveTensor) -> bool:
        return False

    def rates(self, optimizer: Hashable) -> list[float | None]:
        return [self.optimizers[optimizer].lr]

    def masked_gradients(self) -> dict[Hashable, MaskedGradient]:
        return self.masks

    def copies(self, entry: LiveTensor, content: bytes) -> str | None:
        return next((name for name, held in self.elsewhere.items() if held == content), None)

    def states(self, entry: LiveTensor) -> Iterable[tuple[str, bytes]]:
        return ()

    def kin(self, entry: LiveTensor) -> Iterable[LiveTensor]:
        alike = (entry.row.shape, entry.row.dtype)
        return [each for each in self.tensors if each is not entry and (each.row.shape, each.row.dtype) == alike]

    def watch_forwards(self, wanted: bool) -> None:
        self.forwards_watched.append(wanted)

    def finish_rows(self) -> None:
        self.finished += 1


class Training:
    """Tensors, their optimizers and an observer that watches them.

    Args:
        tensors: all that there are at first.
        settings: of the observation, as ``Settings`` takes them.
    """

    def __init__(self, *tensors: Tensor, **settings: Any) -> None:
        self.probe = Memory()
        self.checks: list[int] = []  # the steps after which there was one
        self.observer = Observer(self.probe, Settings(progress=False, **settings), Journal(), self._note_check)
        for tensor in tensors:
            self.add(tensor)

    def _note_check(self) -> None:
        self.checks.append(self.observer.steps)

    def add(self, tensor: Tensor) -> TensorState:
        model, _, rest = tensor.name.partition(".")
        tensor.row = self.observer.tracked.found(
            name=tensor.name,
            model=model,
            kind=tensor.kind,
            shape=tensor.values.shape,
            dtype=tensor.dtype,
            bytes=tensor.values.nbytes,
            size=tensor.values.size,
            owner=rest.rpartition(".")[0],
        )
        if tensor.in_frozen_module:
            self.observer.tell(BufferFrozen(tensor=tensor.row.id, subtree=""))
        self.probe.tensors.append(tensor)
        return self.observer.tracked.adopt(tensor, tensor.trainable)

    def optimizer(self, *tensors: Tensor, name: str = "sgd", **options: Any) -> str:
        self.probe.optimizers[name] = Optimizer(list(tensors), **options)
        return self.observer.tracked.found_optimizer(name, "optimizer", name).id

    @contextmanager
    def inside(self, name: str = "sgd"):  # type: ignore[no-untyped-def]
        """A step of the optimizer, and whatever else happens in it."""
        self.observer.before_step(name)
        yield self.probe.optimizers[name]
        self.observer.after_step(name)

    def step(self, name: str = "sgd", gradient: ArrayLike | None = 1.0) -> None:
        """One step in which every tensor of the optimizer has this gradient."""
        for tensor in self.probe.optimizers[name].tensors:
            tensor.grad = None if gradient is None else np.broadcast_to(np.float32(gradient), tensor.values.shape)
        with self.inside(name) as optimizer:
            optimizer.step()

    def watched(self, tensor: Tensor) -> TensorState:
        return self.observer.tensors[tensor.key]


def places(tensor: Tensor) -> list[tuple[str, int, int]]:
    """Where and between which steps the tensor was seen to move."""
    return [(move.place, move.since, move.until) for move in tensor.row.changed.movements]


def only(tensor: Tensor) -> Movement:
    """The one move that was seen of the tensor."""
    (movement,) = tensor.row.changed.movements
    return movement
