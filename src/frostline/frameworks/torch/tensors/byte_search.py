"""Where else in the process the bytes of a tensor are: in optimizers, in their state, in tensors of the script."""

from __future__ import annotations

from typing import Any

import torch

from frostline.frameworks.alive import alive
from frostline.frameworks.torch.tensors.tensors import PLAIN_TYPES, NamedTensor, host_bytes
from frostline.observe.protocols import Unreadable
from frostline.observe.variable_names import variable_names


def named_tensor_with(content: bytes, entry: NamedTensor, optimizers: list[Any]) -> str | None:
    """The name of another tensor that holds exactly these bytes after a change of type: a master or averaged copy."""
    shape, own = entry.row.shape, entry.tensor
    for optimizer in optimizers:
        for group in optimizer.param_groups if optimizer is not None else ():
            for tensor in group["params"]:
                if tensor is own or tuple(tensor.shape) != shape or _same_storage(tensor, own):
                    continue
                if _holds(tensor, content, own):
                    return f"a tensor of {type(optimizer).__name__}"
        for state in optimizer.state.values() if optimizer is not None else ():
            for name, tensor in state.items() if isinstance(state, dict) else ():
                if isinstance(tensor, torch.Tensor) and tuple(tensor.shape) == shape and _holds(tensor, content, own):
                    return f"{type(optimizer).__name__}'s {name}"
    for tensor in [value for value in alive(torch.Tensor) if type(value) in PLAIN_TYPES]:
        if tensor is own or tensor.is_meta or tensor.is_nested or tuple(tensor.shape) != shape:
            continue
        if tensor.numel() < 2 or _same_storage(tensor, own) or not _holds(tensor, content, own):
            continue
        if bool(tensor.detach().any()):
            return variable_names({id(tensor)}).get(id(tensor), "a copy kept by the script")
    return None


def _same_storage(one: torch.Tensor, other: torch.Tensor | None) -> bool:
    return other is not None and one.layout == torch.strided and one.data_ptr() == other.data_ptr()


def _holds(tensor: torch.Tensor, content: bytes, like: torch.Tensor | None) -> bool:
    if like is None:
        return False
    try:
        return bytes(host_bytes(tensor.detach().to(like.dtype))) == content
    except (RuntimeError, Unreadable):
        return False
