"""One torch tensor as a live tensor: its bytes without a copy where that is possible, its flag and its gradient."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Hashable
from typing import Any

import torch

from frostline.core.ledger import Gradient, TensorRow
from frostline.core.storage_overlap import Span
from frostline.frameworks.torch.tensors.shards import Shard, is_flat
from frostline.observe.protocols import Unreadable

# Containers whose storage is the value itself; any other subclass may keep its data elsewhere.
PLAIN_TYPES = (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer)
HOLDS_NONE = "this process holds no value of it"


def dtype_name(tensor: torch.Tensor) -> str:
    """The type's name without the framework's prefix, such as ``bfloat16``."""
    return str(tensor.dtype).removeprefix("torch.")


def shape_of(tensor: torch.Tensor) -> tuple[int, ...]:
    """The tensor's shape; none for a nested one, whose rows have lengths of their own."""
    return () if tensor.is_nested else tuple(tensor.shape)


def bytes_held(tensor: torch.Tensor) -> int:
    """The size of the memory that the tensor keeps; none while it is lazy, or for a meta tensor."""
    return 0 if torch.nn.parameter.is_lazy(tensor) or tensor.is_meta else tensor.numel() * tensor.element_size()


def why_unreadable(tensor: torch.Tensor) -> str | None:
    """The reason why the bytes of ``tensor`` cannot be had, or None when they can."""
    if torch.nn.parameter.is_lazy(tensor):
        return "a lazy tensor that has no shape yet"
    if tensor.is_meta:
        return "a meta tensor: it has a shape and no data"
    if tensor.is_nested:
        return "a nested tensor"
    if tensor.layout not in (torch.strided, torch.sparse_coo):
        return f"sparse layout {str(tensor.layout).removeprefix('torch.')}"
    return None


def local(tensor: torch.Tensor) -> torch.Tensor:
    """The plain tensor behind wrappers that hold this process's part (a DTensor's shard).

    Whatever is computed, is computed on that part: of the whole, all processes would have to compute at once, and those
    that are not asked to would keep the others waiting for ever.
    """
    to_local = getattr(tensor, "to_local", None)
    return to_local() if to_local is not None else tensor


def in_shared_memory(tensor: torch.Tensor) -> bool:
    """Whether other processes may have mapped the memory of ``tensor`` too."""
    has_memory = type(tensor) in PLAIN_TYPES and tensor.layout == torch.strided and tensor.device.type == "cpu"
    return has_memory and tensor.untyped_storage().is_shared()


def span_of(tensor: torch.Tensor) -> Span:
    """Where the tensor lies in memory; of one without memory of its own, that it is itself."""
    dense = tensor.layout is torch.strided and not tensor.is_meta and not tensor.is_nested
    plain = type(tensor) in PLAIN_TYPES or type(tensor).__torch_dispatch__ is _PLAIN_DISPATCH
    if not (plain and dense) or torch.nn.parameter.is_lazy(tensor):
        return Span(("object", id(tensor)), 0, 1)
    width, count = tensor.element_size(), tensor.numel()
    start = int(tensor.storage_offset()) * width
    if count and not tensor.is_contiguous():
        count = 1 + sum((int(size) - 1) * int(step) for size, step in zip(tensor.shape, tensor.stride(), strict=True))
    return Span((tensor.device, tensor.untyped_storage().data_ptr()), start, start + count * width)


def host_bytes(tensor: torch.Tensor) -> Any:
    """The bytes of ``tensor`` in C order as a buffer; a view of live memory where the tensor is dense and on the CPU.

    Raises:
        Unreadable: with the reason to print.
    """
    reason = why_unreadable(tensor)
    if reason:
        raise Unreadable(reason)
    with torch.no_grad():
        plain = local(tensor).detach()
        if type(plain) not in PLAIN_TYPES and type(plain).__torch_dispatch__ is not _PLAIN_DISPATCH:
            raise Unreadable(f"tensor subclass {type(plain).__name__}")
        if plain.layout == torch.sparse_coo:
            plain = plain.coalesce().values()
        if plain.is_conj() or plain.is_neg():
            plain = plain.resolve_conj().resolve_neg()
        if plain.device.type != "cpu":
            plain = plain.cpu()
        if not plain.is_contiguous():
            plain = plain.contiguous()
    return _memory(plain)


def host_part(tensor: torch.Tensor, start: int, stop: int) -> bytes:
    """The bytes [start, stop) of ``tensor`` in C order; from an accelerator these alone are fetched.

    Raises:
        Unreadable: with the reason to print.
    """
    dense = type(tensor) in PLAIN_TYPES and tensor.layout == torch.strided and tensor.is_contiguous()
    if dense and tensor.device.type not in ("cpu", "meta") and not tensor.is_conj() and not tensor.is_neg():
        with torch.no_grad():
            flat = tensor.detach().view(-1).view(torch.uint8)
            return bytes(_memory(flat[start:stop].cpu()))
    return bytes(memoryview(host_bytes(tensor)).cast("B")[start:stop])


_PLAIN_DISPATCH = torch.Tensor.__torch_dispatch__
_ARRAY_TYPES: dict[int, type[ctypes.Array[ctypes.c_char]]] = {}


def _memory(tensor: torch.Tensor) -> Any:
    size = tensor.nbytes
    if size == 0:
        return b""
    if tensor.untyped_storage().nbytes() < size:  # sharded training gathers a weight for its use, then frees it
        raise Unreadable("its memory was freed while the tensor lives on")
    kind = _ARRAY_TYPES.get(size)
    if kind is None:
        kind = _ARRAY_TYPES[size] = ctypes.c_char * size
    array = kind.from_address(tensor.data_ptr())
    array.tensor = tensor  # type: ignore[attr-defined]  # the view must not outlive its memory
    return array


def _lies_plain(tensor: torch.Tensor) -> bool:
    """Whether the tensor's memory, as it lies on the CPU, is its value in C order."""
    plain = type(tensor) in PLAIN_TYPES and tensor.is_cpu and tensor.layout is torch.strided
    return plain and tensor.is_contiguous() and not tensor.is_conj() and not tensor.is_neg()


def zero_state(gradient: torch.Tensor | None) -> Gradient:
    """Whether a gradient is missing, exactly zero everywhere, or not; NaN counts as not zero."""
    if gradient is None:
        return "none"
    try:
        with torch.no_grad():
            values = local(gradient).detach()
            if values.layout == torch.sparse_coo:
                values = values._values()
            return "nonzero" if bool(values.any()) else "zero"
    except (RuntimeError, NotImplementedError):
        return "unknown"


class NamedTensor:
    """A parameter or buffer of a torch model, under the name of its first owner.

    Only a weak reference is held: the observer must not keep a model alive. ``carry`` gives the name to another
    tensor when the module exchanges it. Of a sharded one this is the part that the process holds: ``shard`` says which,
    and ``tensor`` may be the flat parameter that it stands in.
    """

    __slots__ = ("_module", "_tensor", "key", "row", "shard")

    def __init__(
        self,
        key: Hashable,
        row: TensorRow,
        tensor: torch.Tensor,
        module: torch.nn.Module | None,
        shard: Shard | None = None,
    ) -> None:
        self.key = key
        self.row = row
        self.carry(tensor, module, shard)

    def carry(self, tensor: torch.Tensor, module: torch.nn.Module | None, shard: Shard | None = None) -> None:
        """From now on ``tensor``, held by ``module``, goes by this tensor's name."""
        self._tensor = weakref.ref(tensor)
        self._module = weakref.ref(module) if module is not None else None
        self.shard = shard

    @property
    def tensor(self) -> torch.Tensor | None:
        """The tensor that carries the name now; None when it was freed."""
        return self._tensor()

    @property
    def module(self) -> torch.nn.Module | None:
        """The module that holds it, while that is alive."""
        return self._module() if self._module is not None else None

    @property
    def memory(self) -> torch.Tensor:
        """The tensor whose bytes are read: of a sharded one, this process's part.

        Raises:
            Unreadable: there is none any longer, or this process holds none.
        """
        tensor, shard = self._tensor(), self.shard
        if tensor is None:
            raise Unreadable("the tensor was freed before it could be read again")
        if shard is None:
            return tensor if type(tensor) in PLAIN_TYPES else local(tensor)
        if not shard.part.values:
            raise Unreadable(HOLDS_NONE)
        part = shard.memory()
        return local(tensor) if part is None else part

    def own(self, value: torch.Tensor) -> torch.Tensor:
        """What belongs to this tensor of a gradient or state that its optimizer keeps for ``tensor``."""
        tensor, shard = self._tensor(), self.shard
        return shard.cut(value) if shard is not None and tensor is not None and is_flat(tensor) else value

    def read(self) -> Any:
        """The live bytes, or Unreadable with the reason."""
        tensor = self.memory
        return _memory(tensor) if _lies_plain(tensor) else host_bytes(tensor)

    def part(self, start: int, stop: int) -> bytes:
        """See LiveTensor."""
        tensor = self.memory
        if _lies_plain(tensor):
            memory = _memory(tensor)
            whole = start == 0 and stop >= len(memory)
            return bytes(memory) if whole else bytes(memoryview(memory).cast("B")[start:stop])
        return host_part(tensor, start, stop)

    def flag(self) -> bool | None:
        """``requires_grad`` now; the last flag seen where the tensor was freed."""
        tensor = self._tensor()
        return tensor.requires_grad if tensor is not None else self.row.declared.trainable

    def gradient(self) -> Gradient:
        """The state of ``.grad`` now."""
        tensor, shard = self._tensor(), self.shard
        if tensor is None or (shard is not None and not shard.part.values):
            return "unknown"
        return zero_state(None if tensor.grad is None else self.own(tensor.grad))
