# mypy: disable-error-code="untyped-decorator, no-untyped-def"
"""The digest of blocks made where the tensors are: XXH3-64 on a CUDA device, the very numbers of ``digest.blocks``.

All tensors of a check are hashed by a handful of launches, one for each way of reading memory, and one copy brings the
values back. Of a tensor's last block of 240 bytes or fewer, for which XXH3 has other rules, the bytes themselves come
along and are hashed on the host.

Source: the XXH3 algorithm of xxHash 0.8, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
import torch
import triton
import triton.language as tl

from frostline.digest.blocks import BLOCK, Digest, blocks

SHORT = 240  # up to here XXH3 works in other ways
ROW = 256  # bytes that a short block is given on its way to the host
WIDEST = 8
PIECES = {8: tl.uint64, 4: tl.uint32, 2: tl.uint16, 1: tl.uint8}
RUNS, WARPS = 1, 1  # of memory in one optimizer, and threads by 32: not measured on a device yet

_SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248e"
    "e03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d"
    "8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc"
    "8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)
_INITIAL = (
    0xC2B2AE3D, 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
    0x85EBCA77C2B2AE63, 0x85EBCA77, 0x27D4EB2F165667C5, 0x9E3779B1,
)  # fmt: skip


def _word(offset: int) -> int:
    return int.from_bytes(_SECRET[offset : offset + 8], "little")


# What the kernel draws its constants from.
_WORDS = np.array(
    [
        *(_word(8 * index) for index in range(24)),  # 0: the keys of stripes; from 16 on those that scramble
        *(_word(121 + 8 * lane) for lane in range(8)),  # 24: of the last stripe
        *(_word(11 + 8 * lane) for lane in range(8)),  # 32: of the end
        *_INITIAL,  # 40
    ],
    np.uint64,
)


@triton.jit
def _load(place, mask, PIECE: tl.constexpr, WIDTH: tl.constexpr):
    """The 64-bit little-endian words at these addresses, drawn in pieces of WIDTH bytes, as alignment allows."""
    word = tl.load(place.to(tl.pointer_type(PIECE)), mask=mask, other=0).to(tl.uint64)
    for part in tl.static_range(1, 8 // WIDTH):
        piece = tl.load((place + part * WIDTH).to(tl.pointer_type(PIECE)), mask=mask, other=0)
        word = word | (piece.to(tl.uint64) << (part * WIDTH * 8))
    return word


@triton.jit
def _product(data, key):
    """The low half times the high half of data xor key."""
    mixed = data ^ key
    return (mixed & 0xFFFFFFFF) * (mixed >> 32)


@triton.jit
def _neighbours(value, COUNT: tl.constexpr):
    """Each pair of lanes exchanged."""
    even, odd = tl.split(tl.reshape(value, (COUNT, 4, 2)))
    return tl.reshape(tl.join(odd, even), (COUNT, 8))


@triton.jit
def _xxh3_long(
    places, lengths, words, values, targets, count, PIECE: tl.constexpr, WIDTH: tl.constexpr, COUNT: tl.constexpr
):
    """XXH3-64 of COUNT runs of memory, each longer than 240 bytes: values[targets[i]] = hash(places[i], lengths[i])."""
    run = tl.program_id(0) * COUNT + tl.arange(0, COUNT)
    real = run < count
    place = tl.load(places + run, mask=real, other=0)
    length = tl.load(lengths + run, mask=real, other=1)
    lane, stripe = tl.arange(0, 8), tl.arange(0, 16)
    key = tl.load(words + stripe[:, None] + lane[None, :])[None, :, :]
    scramble = tl.load(words + 16 + lane)[None, :]
    sums = tl.load(words + 40 + lane)[None, :] + tl.zeros((COUNT, 8), tl.uint64)
    inside = (stripe[:, None] * 64 + lane[None, :] * 8)[None, :, :]
    rounds = (length - 1) // 1024
    for turn in range(tl.max(rounds, 0)):
        active = (turn < rounds) & real
        data = _load(place[:, None, None] + turn * 1024 + inside, active[:, None, None] & (inside >= 0), PIECE, WIDTH)
        mixed = sums + tl.sum(_product(data, key), 1) + _neighbours(tl.sum(data, 1), COUNT)
        mixed = (mixed ^ (mixed >> 47) ^ scramble) * 0x9E3779B1
        sums = tl.where(active[:, None], mixed, sums)
    # what is left: whole stripes, then the last 64 bytes, which may overlap them
    stripes = (length - 1 - rounds * 1024) // 64
    wanted = (stripe[None, :, None] < stripes[:, None, None]) & real[:, None, None] & (inside >= 0)
    data = _load(place[:, None, None] + (rounds * 1024)[:, None, None] + inside, wanted, PIECE, WIDTH)
    sums += tl.sum(tl.where(wanted, _product(data, key), 0), 1) + _neighbours(tl.sum(data, 1), COUNT)
    tail = (place + length - 64)[:, None] + (lane * 8)[None, :]
    data = _load(tail, real[:, None] & (tail != 0), PIECE, WIDTH)
    sums += _product(data, tl.load(words + 24 + lane)[None, :]) + _neighbours(data, COUNT)
    # eight sums into one value
    one, other = tl.split(tl.reshape(sums ^ tl.load(words + 32 + lane)[None, :], (COUNT, 4, 2)))
    folded = tl.sum((one * other) ^ tl.umulhi(one, other), 1)
    value = folded + length.to(tl.uint64) * 0x9E3779B185EBCA87
    value = (value ^ (value >> 37)) * 0x165667919E3779F9
    value = value ^ (value >> 32)
    tl.store(values + tl.load(targets + run, mask=real, other=0), value, mask=real)


@triton.jit
def _copy_short(places, lengths, rows, SIZE: tl.constexpr):
    """The bytes of short runs of memory, each into a row of its own."""
    run = tl.program_id(0)
    place, at = tl.load(places + run), tl.arange(0, SIZE)
    byte = tl.load((place + at).to(tl.pointer_type(tl.uint8)), mask=at < tl.load(lengths + run), other=0)
    tl.store(rows + run * SIZE + at, byte)


@dataclass(slots=True)
class _Runs:
    """Runs of memory that are read in the same way: where each begins, how long it is, where its value goes."""

    places: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)

    def add(self, place: int, length: int, target: int) -> None:
        self.places.append(place)
        self.lengths.append(length)
        self.targets.append(target)

    def __len__(self) -> int:
        return len(self.places)


class TritonBlocks:
    """Makes the digests of dense tensors on their device.

    The tables that a launch reads are kept while the same tensors are asked for, so that a later check sends nothing.
    """

    def __init__(self) -> None:
        self._asked: tuple[tuple[int, int], ...] = ()
        self._plan: _Plan | None = None

    def digests(self, tensors: Sequence[torch.Tensor]) -> list[Digest]:
        """The digest of each tensor; all are contiguous and on one device.

        >>> TritonBlocks().digests([])
        []
        """
        if not tensors:
            return []
        asked = tuple((tensor.data_ptr(), tensor.numel() * tensor.element_size()) for tensor in tensors)
        if self._plan is None or asked != self._asked or self._plan.device != tensors[0].device:
            self._asked, self._plan = asked, _Plan(asked, tensors[0].device)
        return self._plan.run()


class _Plan:
    """Everything that the launches for some runs of memory need, on the device."""

    def __init__(self, asked: Sequence[tuple[int, int]], device: torch.device) -> None:
        self.device = device
        self.ends: list[int] = []
        long: dict[int, _Runs] = {}
        short = _Runs()
        count = 0
        for start, size in asked:
            for offset in range(0, size, BLOCK):
                place, length = start + offset, min(BLOCK, size - offset)
                if length <= SHORT:
                    short.add(place, length, count)
                else:
                    long.setdefault(math.gcd(place, length, WIDEST), _Runs()).add(place, length, count)
                count += 1
            self.ends.append(count)
        self.count, self.short = count, short
        self.words = torch.from_numpy(_WORDS.view(np.int64)).to(device).view(torch.uint64)
        self._long = [(width, self._tables(runs)) for width, runs in sorted(long.items())]
        self._short = self._tables(short)

    def _tables(self, runs: _Runs) -> list[torch.Tensor]:
        columns = (runs.places, runs.lengths, runs.targets)
        return list(torch.tensor(columns, dtype=torch.int64).reshape(3, -1).to(self.device).unbind())

    def run(self) -> list[Digest]:
        """Launch, bring back one buffer, and finish the short runs."""
        rows = len(self.short) * ROW // 8
        made = torch.empty(self.count + rows, dtype=torch.int64, device=self.device)
        with torch.cuda.device(self.device) if self.device.type == "cuda" else nullcontext():
            self._launch(made)
            host = made.cpu().numpy()
        hashes = bytearray(host[: self.count].astype(">i8").tobytes())
        content = memoryview(host[self.count :].tobytes())
        for index, (target, length) in enumerate(zip(self.short.targets, self.short.lengths, strict=True)):
            hashes[8 * target : 8 * target + 8] = blocks(content[index * ROW : index * ROW + length]).hashes
        starts = [0, *self.ends[:-1]]
        return [Digest(bytes(hashes[8 * start : 8 * end])) for start, end in zip(starts, self.ends, strict=True)]

    def _launch(self, made: torch.Tensor) -> None:
        values = made[: self.count].view(torch.uint64)
        for width, (places, lengths, targets) in self._long:
            grid = (triton.cdiv(len(places), RUNS),)
            run = _xxh3_long[grid]
            run(places, lengths, self.words, values, targets, len(places), PIECES[width], width, RUNS, num_warps=WARPS)
        if len(self.short):
            places, lengths, _ = self._short
            _copy_short[(len(self.short),)](places, lengths, made[self.count :].view(torch.uint8), ROW, num_warps=1)
