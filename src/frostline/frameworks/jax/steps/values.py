"""Which array is the value of each tensor now; worked out when somebody reads one, and not at every step."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from frostline.digest.blocks import Digest, blocks
from frostline.frameworks.jax.steps.functions import Call, Function
from frostline.frameworks.jax.tensors.paths import Path
from frostline.frameworks.jax.tensors.tensors import JaxTensor, bytes_of
from frostline.observe.protocols import Unreadable


class Values:
    """The values of all tensors, brought up to date with the last call of each function.

    Args:
        digests: by the key of a tensor, its digest when it was last looked at.
    """

    def __init__(self, digest_of: Callable[[Hashable], Digest | None]) -> None:
        self._digest_of = digest_of
        self.due: dict[Function, None] = {}  # whose last call, or that under way, is not taken in yet; the latest last
        self._by_array: dict[int, JaxTensor] = {}

    def hand_in(self, function: Function) -> None:
        """A call begins: what it is handed are the values of its tensors, and its results are when it has ended."""
        self.due.pop(function, None)
        self.due[function] = None

    def forget(self, function: Function) -> None:
        """The call that began came to nothing."""
        self.due.pop(function, None)

    def settle(self) -> None:
        """Bring every tensor up to date."""
        while self.due:
            function = next(iter(self.due))
            del self.due[function]
            if function.under_way is None:
                self._take_results(function)
            else:
                self._take_handed(function, function.under_way)

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Bring every tensor up to date for a moment: what the script hands over next may show another result."""
        due = dict(self.due)
        self.settle()
        try:
            yield
        finally:
            self.due = due

    def put(self, tensor: JaxTensor, array: Any) -> None:
        """From now on this array is the tensor's value."""
        former = tensor.array
        if former is not None and self._by_array.get(id(former)) is tensor:
            del self._by_array[id(former)]
        tensor.carry(array)
        self._by_array[id(array)] = tensor

    def tensor_of(self, array: Any) -> JaxTensor | None:
        """The tensor whose value this very array is."""
        tensor = self._by_array.get(id(array))
        return tensor if tensor is not None and tensor.array is array else None

    def _take_handed(self, function: Function, call: Call) -> None:
        arrays = call.arrays
        for path, tensor in function.tensors.items():
            if path in arrays:
                self.put(tensor, arrays[path])

    def _take_results(self, function: Function) -> None:
        results = function.results()
        given = _handed_to(function.following)
        for path, tensor in function.tensors.items():
            result, now = results.get(path), given.get(tensor)
            if result is None or function.by_hand:  # the next gradient is of what the script made of them
                if (value := result if now is None else now) is not None:
                    self.put(tensor, value)
            elif now is result:
                self.put(tensor, result)
                function.handed_on.add(path)
            elif now is None:
                if path not in function.dropped or path in function.handed_on:
                    self.put(tensor, result)
            elif self._is_dropped(tensor, result, now):
                self.put(tensor, now)
                function.dropped[path] = function.dropped.get(path, 0) + 1
            else:
                self.put(tensor, result)

    def _is_dropped(self, tensor: JaxTensor, result: Any, now: Any) -> bool:
        """Whether the step made other bits, and what the next step is handed are those from before it."""
        before = self._digest_of(tensor.key)
        return before is not None and _digest(now) == before and _digest(result) != before


def _handed_to(following: tuple[Function, Call] | None) -> Mapping[JaxTensor, Any]:
    if following is None:
        return {}
    function, call = following
    arrays = call.arrays
    return {tensor: arrays[path] for path, tensor in function.tensors.items() if path in arrays}


def _digest(array: Any) -> Digest | None:
    try:
        return blocks(bytes_of(array))
    except Unreadable:
        return None


def digests_of(arrays: Mapping[Path, Any]) -> dict[Path, Digest]:
    """The digests of those arrays that can be read."""
    found = ((path, _digest(array)) for path, array in arrays.items())
    return {path: digest for path, digest in found if digest is not None}
