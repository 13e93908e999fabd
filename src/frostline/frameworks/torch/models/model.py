"""One root module under observation, kept alive for the last check where it is small."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from torch import nn

from frostline.frameworks.torch.tensors.tensors import NamedTensor, bytes_held

KEPT_ALIVE = 64 * 2**20


class Model:
    """One root module under observation.

    A script's model usually dies with the function that made it, before the run ends. Small models are therefore
    kept alive for the last check; for the others ``on_death`` is called while their tensors are still there.
    """

    def __init__(self, root: nn.Module, name: str, on_death: Callable[[Model], None]) -> None:
        self.name = name
        self.type = type(root).__name__
        self.reference = weakref.ref(root, lambda _: on_death(self))
        self.bytes = sum(bytes_held(tensor) for tensor in root.parameters())
        self.kept: nn.Module | None = root
        self.nameless = False
        self.tensors: list[NamedTensor] = []

    @property
    def root(self) -> nn.Module | None:
        return self.reference()

    def let_go(self) -> None:
        """The run is over: keep nothing alive, and have nothing happen when the model is freed."""
        root, self.kept = self.reference(), None
        if root is not None:
            self.reference = weakref.ref(root)
