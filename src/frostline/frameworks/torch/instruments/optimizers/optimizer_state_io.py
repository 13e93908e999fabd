"""Optimizer state that is saved and loaded: to which tensor it belonged, and which tensor it has become the state of.

A state dictionary knows its tensors by position. What was handed out in this run is recognised by a sample of its
bytes, what carries names (``param_names``) by those; anything else tells nothing.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

import torch

from frostline.core.facts import Fact, Held
from frostline.digest.blocks import blocks
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.optimizers import optimizer_state
from frostline.frameworks.torch.optimizers.optimizers import held
from frostline.frameworks.torch.tensors.tensors import NamedTensor, host_bytes
from frostline.observe.protocols import Hold, Unreadable

SAMPLED = 4096  # elements of a state tensor, spread over it
KEPT = 2**16  # samples
Place = tuple[str, str]


class OptimizerStateIO:
    """Follows optimizer state through saving and loading.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (Held,)

    def __init__(self, context: Context) -> None:
        self._context, self._models = context, context.models
        self._handed_out: dict[bytes, Place | None] = {}  # by sample; None where two tensors have the same
        self._of: dict[int, tuple[weakref.ref[torch.Tensor], str]] = {}  # by id: a tensor is not equal to itself

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.holds_read.append(self._add_sources)
        return [
            self._context.wrap(torch.optim.Optimizer, "state_dict", self._state_dict),
            self._context.wrap(torch.optim.Optimizer, "load_state_dict", self._load_state_dict),
        ]

    def _state_dict(self, wrapped: Any, optimizer: Any, args: Any, kwargs: Any) -> Any:
        if self._context.optimizers.registered(optimizer):
            self._context.quietly("optimizer state is saved", self._saved, optimizer)
        return wrapped(*args, **kwargs)

    def _load_state_dict(self, wrapped: Any, optimizer: Any, args: Any, kwargs: Any) -> Any:
        names = [group.get("param_names") for group in optimizer.param_groups]
        result = wrapped(*args, **kwargs)

        def after() -> None:
            self._context.owners.meet(optimizer)
            self._loaded(optimizer, names)

        self._context.quietly("optimizer state was loaded", after)
        return result

    def _add_sources(self, _: Hashable, holds: dict[Hashable, Hold]) -> None:
        for key, hold in holds.items():
            entry = self._context.recorder.tensors[key].entry
            hold.state_of = self._source(entry.tensor) if isinstance(entry, NamedTensor) else None

    def _saved(self, optimizer: torch.optim.Optimizer) -> None:
        """The optimizer's state is handed out: remember what belongs to which tensor."""
        for entry, sample in self._samples(optimizer):
            place = self._place(entry)
            known = self._handed_out.pop(sample, place)
            self._handed_out[sample] = place if known == place else None
        for oldest in list(itertools.islice(self._handed_out, max(0, len(self._handed_out) - KEPT))):
            del self._handed_out[oldest]

    def _loaded(self, optimizer: torch.optim.Optimizer, names: list[Any]) -> None:
        """State was loaded; ``names`` are those that the groups gave their tensors before."""
        for tensor in held(optimizer):
            self._of.pop(id(tensor), None)
        for entry, sample in self._samples(optimizer):
            source = self._handed_out.get(sample)
            kind, name = self._place(entry)
            if source is not None and source[0] == kind and source[1] != name:
                self._note(entry.tensor, source[1])
        for group, before in zip(optimizer.param_groups, names, strict=False):
            after = group.get("param_names")
            if before and after and len(before) == len(after):
                for tensor, mine, theirs in zip(group["params"], before, after, strict=False):
                    if mine != theirs:
                        self._note(tensor, str(theirs))

    def _source(self, tensor: torch.Tensor | None) -> str | None:
        """The name of the other tensor whose state the tensor has got, or None."""
        reference, name = self._of.get(id(tensor), (None, None))
        return name if reference is not None and reference() is tensor else None

    def _note(self, tensor: torch.Tensor | None, source: str) -> None:
        if tensor is not None:
            self._of[id(tensor)] = weakref.ref(tensor), source

    def _place(self, entry: NamedTensor) -> Place:
        """The class of the tensor's model and its name in there: the model of a later session is another object."""
        kind = next((model.type for model in self._models.models if model.name == entry.row.model), "")
        return kind, entry.row.name.removeprefix(f"{entry.row.model}.")

    def _samples(self, optimizer: torch.optim.Optimizer) -> Iterator[tuple[NamedTensor, bytes]]:
        for tensor in held(optimizer):
            entry, state = self._models.of(tensor), optimizer.state.get(tensor)
            if entry is not None and isinstance(state, Mapping):
                for kept in optimizer_state.state_tensors(state, tensor):
                    sample = _sample(kept)
                    if sample is not None:
                        yield entry, sample


def _sample(tensor: torch.Tensor) -> bytes | None:
    """A digest of some elements; None where they are all zero or cannot be read."""
    try:
        flat = tensor.detach().reshape(-1)
        some = flat[:: max(1, flat.numel() // SAMPLED)][:SAMPLED]
        return blocks(host_bytes(some)).hashes if bool(some.any()) else None
    except (RuntimeError, NotImplementedError, Unreadable):
        return None
