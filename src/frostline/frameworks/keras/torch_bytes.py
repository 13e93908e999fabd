"""The bytes of variables of the torch backend, read through the methods of their own tensors; torch is not imported."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

from frostline.core.ledger import Gradient
from frostline.observe.protocols import Unreadable


def host_bytes(tensor: Any) -> Any:
    """The bytes of a torch tensor in C order; a view of live memory where the tensor is dense and on the CPU.

    Args:
        tensor: of any shape and dtype, on any device; of a DTensor this process's shard is read.

    Raises:
        Unreadable: with the reason to print.
    """
    reason = _why_unreadable(tensor)
    if reason:
        raise Unreadable(reason)
    plain = _local(tensor).detach()
    if not _is_plain(plain):
        raise Unreadable(f"tensor subclass {type(plain).__name__}")
    if plain.is_sparse:
        plain = plain.coalesce().values()
    if plain.is_conj() or plain.is_neg():
        plain = plain.resolve_conj().resolve_neg()
    if plain.device.type != "cpu":
        plain = plain.cpu()
    return _memory(plain if plain.is_contiguous() else plain.contiguous())


def zero_state(gradient: Any) -> Gradient:
    """Whether a gradient is missing, exactly zero everywhere, or not; NaN counts as not zero."""
    if gradient is None:
        return "none"
    try:
        values = _local(gradient).detach()
        return "nonzero" if bool((values._values() if values.is_sparse else values).any()) else "zero"
    except (RuntimeError, NotImplementedError):
        return "unknown"


def _why_unreadable(tensor: Any) -> str | None:
    torch = sys.modules["torch"]
    if torch.nn.parameter.is_lazy(tensor):
        return "a lazy tensor that has no shape yet"
    if tensor.is_meta:
        return "a meta tensor: it has a shape and no data"
    if tensor.is_nested:
        return "a nested tensor"
    if tensor.layout not in (torch.strided, torch.sparse_coo):
        return f"sparse layout {str(tensor.layout).removeprefix('torch.')}"
    return None


def _is_plain(tensor: Any) -> bool:
    """Whether the storage is the value itself; a subclass with a dispatch of its own may keep its data elsewhere."""
    torch = sys.modules["torch"]
    is_torchs = type(tensor) in (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer)
    return is_torchs or type(tensor).__torch_dispatch__ is torch.Tensor.__torch_dispatch__


def _local(tensor: Any) -> Any:
    """This process's part of a DTensor; of the whole, all processes would have to compute at once."""
    to_local = getattr(tensor, "to_local", None)
    return tensor if to_local is None else to_local().detach()


def _memory(tensor: Any) -> Any:
    size = tensor.numel() * tensor.element_size()
    if size == 0:
        return b""
    if tensor.untyped_storage().nbytes() < size:  # sharded training gathers a weight for its use, then frees it
        raise Unreadable("its memory was freed while the tensor lives on")
    view = (ctypes.c_char * size).from_address(tensor.data_ptr())
    view.tensor = tensor  # the view must not outlive its memory
    return view
