"""Digests of tensors on an accelerator, made there in one batch for each device where a kernel can be had."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import torch

from frostline.digest.blocks import Digest
from frostline.frameworks.torch.tensors.tensors import PLAIN_TYPES, NamedTensor, why_unreadable
from frostline.observe.protocols import Unreadable

TYPES = ("cuda",)


class DeviceDigests:
    """Makes digests where the tensors are; what it leaves out is read through the host.

    Args:
        fault: takes the error after which no kernel is used any more.
    """

    def __init__(self, fault: Callable[[str, BaseException], None]) -> None:
        self._fault = fault
        self._makers: dict[torch.device, Any] = {}
        self._gone = False

    def of(self, tensors: Iterable[Any]) -> dict[Hashable, Digest]:
        """The present digests, by tensor key, of those tensors that a kernel can read."""
        if self._gone or (TYPES == ("cuda",) and not torch.cuda.is_initialized()):  # type: ignore[no-untyped-call]
            return {}
        placed: dict[torch.device, list[tuple[Hashable, torch.Tensor]]] = {}
        for entry in tensors:
            tensor = _memory(entry) if isinstance(entry, NamedTensor) else None
            if tensor is not None and _is_dense(tensor):
                placed.setdefault(tensor.device, []).append((entry.key, tensor))
        made: dict[Hashable, Digest] = {}
        try:
            for device, found in placed.items():
                digests = self._maker(device).digests([tensor for _, tensor in found])
                made |= {key: digest for (key, _), digest in zip(found, digests, strict=True)}
        except ImportError:  # torch came without Triton
            self._gone = True
        except Exception as error:
            self._gone = True
            self._fault("torch: digests on the device", error)
        return made

    def _maker(self, device: torch.device) -> Any:
        if device not in self._makers:
            from frostline.frameworks.torch.tensors.triton_blocks import TritonBlocks

            self._makers[device] = TritonBlocks()
        return self._makers[device]


def _memory(entry: NamedTensor) -> torch.Tensor | None:
    with contextlib.suppress(Unreadable):
        return entry.memory
    return None


def _is_dense(tensor: torch.Tensor) -> bool:
    """Whether the bytes are those of one piece of the device's memory."""
    return (
        tensor.device.type in TYPES
        and type(tensor) in PLAIN_TYPES
        and why_unreadable(tensor) is None
        and tensor.layout == torch.strided
        and tensor.is_contiguous()
        and not tensor.is_conj()
        and not tensor.is_neg()
    )
