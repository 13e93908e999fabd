"""Reads safetensors files: a length, a JSON header, and one run of bytes per tensor."""

from __future__ import annotations

import json
import math
from typing import Any

from frostline.checkpoints import dtypes
from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import Span
from frostline.checkpoints.readers.format import Format

HEADER_LIMIT = 100_000_000  # what the format's own library accepts

DTYPES = {
    "BOOL": "bool",
    **{f"{code}{bits}": f"{name}{bits}" for code, name in (("I", "int"), ("U", "uint")) for bits in (8, 16, 32, 64)},
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
    "F6_E2M3": "float6_e2m3fn",
    "F6_E3M2": "float6_e3m2fn",
    "F4": "float4_e2m1fn",
    "C64": "complex64",
}


def known(file: File) -> bool:
    """Whether ``file`` is a safetensors file."""
    head = file.head
    return len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**56


def read(file: File) -> Checkpoint:
    """The checkpoint in ``file``, none of its tensors read yet."""
    length = int.from_bytes(file.read(0, 8), "little")
    if length > HEADER_LIMIT:
        raise file.bad(f"claims a header of {length:,} bytes; at most {HEADER_LIMIT:,} are allowed")
    header = _parsed(file, file.read(8, length))
    checkpoint = Checkpoint(file.path, "safetensors", files=[file])
    metadata = header.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict):
        raise file.bad("its __metadata__ is no table of texts")
    checkpoint.metadata = {str(key): str(value) for key, value in metadata.items()}
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: _start(file, *item)):
        end = _add(checkpoint, 8 + length, name, entry, end)
    if 8 + length + end != file.size:
        raise file.bad(f"its tensors end at byte {8 + length + end:,}, the file at {file.size:,}")
    return checkpoint


def _parsed(file: File, text: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) != len(pairs):
            raise file.bad("its header names the same thing twice")
        return table

    try:
        header = json.loads(text.decode(), object_pairs_hook=unique)
    except UnicodeDecodeError:
        raise file.bad("its header is not UTF-8") from None
    except (ValueError, RecursionError):
        raise file.bad("its header is not JSON") from None
    if not isinstance(header, dict):
        raise file.bad("its header is no table of tensors")
    return header


def _start(file: File, name: str, entry: Any) -> tuple[int, int]:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not (isinstance(offsets, list) and len(offsets) == 2 and all(type(at) is int and at >= 0 for at in offsets)):
        raise file.bad(f"{name!r} has no usable data_offsets")
    return offsets[0], offsets[1]


def _add(checkpoint: Checkpoint, base: int, name: str, entry: dict[str, Any], end: int) -> int:
    file = checkpoint.files[0]
    start, stop = entry["data_offsets"]
    shape, code = entry.get("shape"), entry.get("dtype")
    if not isinstance(code, str) or not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise file.bad(f"{name!r} has no usable dtype and shape")
    if start != end or stop < start:
        raise file.bad(f"{name!r} covers bytes {start:,} to {stop:,}, but the tensor before it ends at {end:,}")
    if base + stop > file.size:
        raise file.bad(f"{name!r} ends at byte {base + stop:,}, the file at {file.size:,}")
    if any(extent > 2**62 for extent in shape) or math.prod(shape) > 2**62:
        raise file.bad(f"{name!r} has an absurd shape")
    dtype = DTYPES.get(code, code)
    note = "" if dtype in dtypes.BITS else f"type {code} is not known here; its bytes are compared as they are"
    checkpoint.add(Tensor(name, dtype, tuple(shape), Span(file, base + start, stop - start), note=note))
    return int(stop)


_FOLDER = (
    "model.safetensors.index.json",
    "model.safetensors",
    "adapter_model.safetensors",
    "diffusion_pytorch_model.safetensors.index.json",
    "diffusion_pytorch_model.safetensors",
    "*.safetensors.index.json",
)
FORMAT = Format("safetensors", file=(known, read), folder=_FOLDER)
