"""Fuzz targets, one for each reader: sound files of real writers, mutated; only our own error may come of them.

    python tests/fuzz/fuzzing.py [TARGET...] [--seconds N] [--seed N] [--keep FOLDER]

Runs every target, or those named, for so many seconds each. A case that fails is written to FOLDER and named, and the
exit status is 1.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from frostline import checkpoints
from frostline.checkpoints.compare import compare
from frostline.errors import CheckpointError

SLOW = 20.0  # seconds that no mutated small file may take, on a busy machine
LARGEST_READ = 2**24

INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)
WIDE = (0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1)


@dataclass(frozen=True)
class Failure:
    """A case that broke something: the file and what happened."""

    target: str
    content: bytes
    what: str


def safetensors_seeds() -> list[bytes]:
    header = {
        "__metadata__": {"format": "pt"},
        "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
        "b": {"dtype": "BF16", "shape": [3], "data_offsets": [16, 22]},
        "c": {"dtype": "F4", "shape": [2, 2], "data_offsets": [22, 24]},
    }
    text = json.dumps(header).encode()
    return [len(text).to_bytes(8, "little") + text + bytes(range(24))]


def npz_seeds() -> list[bytes]:
    seeds = []
    arrays = {"a": np.arange(6.0).reshape(2, 3), "f": np.asfortranarray(np.ones((2, 3), ">f4")), "s": np.int8(3)}
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, **arrays)  # type: ignore[arg-type]
        seeds.append(buffer.getvalue())
    for array in (arrays["f"], np.array([{"w": np.ones(2)}, "text", 1], object), np.array([1.5, 2.5], object)):
        buffer = io.BytesIO()
        np.save(buffer, array)
        seeds.append(buffer.getvalue())
    return seeds


def _pickle_bodies() -> list[bytes]:
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04%btQ"
    view = b"K\x00(K\x02K\x02t(K\x02K\x01t\x89ccollections\nOrderedDict\n)R"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + view + b"tR"
    parameter = b"ctorch._utils\n_rebuild_parameter\n(" + tensor + b"\x88Ntq\x01R"
    sparse = (
        b"ctorch._utils\n_rebuild_sparse_tensor\n(ctorch.serialization\n_get_layout\n(X\x10\0\0\0torch.sparse_cootR("
        + tensor + tensor + b"ctorch\nSize\n(K\x02K\x02t\x85R\x88ttR"
    )  # fmt: skip
    module = b"cmodule\nNet\n)\x81}(X\x0b\0\0\0_parameters}X\x01\0\0\0w" + parameter + b"sX\x08\0\0\0_modules}ub"
    return [b"\x80\x02}(X\x01\0\0\0t" + body + b"X\x01\0\0\0nI3\nu." for body in (tensor, parameter, sparse, module)]


def _wrapped_bodies() -> list[bytes]:
    """A tensor subclass with a plain attribute, a DTensor, a lazy conjugate, and a jax array."""
    tensor = _pickle_bodies()[0].removeprefix(b"\x80\x02}(X\x01\0\0\0t").removesuffix(b"X\x01\0\0\0nI3\nu.")
    wrapper = b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_wrapper_subclass\n"
    plain = wrapper + b"cmodule\nPacked\n(Nctorch\nfloat32\n(K\x02K\x02t(K\x02K\x01tK\0NN\x89t"
    packed = plain + b"}(X\x06\0\0\0packed" + tensor + b"X\x05\0\0\0scaleG?\xe0\0\0\0\0\0\0utR"
    spec = b"cspec\nDTensorSpec\n)\x81}X\x0a\0\0\0placements(cplacement\nShard\n)\x81}X\3\0\0\0dimK\0sbtsb"
    sharded = plain.replace(b"cmodule\nPacked", b"cmodule\nDTensor") + (
        b"}(X\x0d\0\0\0_local_tensor" + tensor + b"X\x05\0\0\0_spec" + spec + b"utR"
    )
    array = (
        b"cjax._src.array\n_reconstruct_array\n(NN(K\x01K\x02\x85cnumpy\ndtype\n(X\2\0\0\0f4\x89\x88tR"
        b"(K\x03X\1\0\0\0<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89c_codecs\nencode\n"
        b"(X\x08\0\0\0abcdefghX\x06\0\0\0latin1tRt}tR"
    )
    return [b"\x80\x02}(X\x01\0\0\0t" + body + b"u." for body in (packed, sharded, array)]


def torch_zip_seeds() -> list[bytes]:
    seeds = []
    for body in (*_pickle_bodies(), *_wrapped_bodies()):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("archive/data.pkl", body.replace(b"%b", b""))
            file.writestr("archive/byteorder", "little")
            file.writestr("archive/data/0", bytes(range(16)))
        seeds.append(buffer.getvalue())
    return seeds


def torch_stream_seeds() -> list[bytes]:
    head = (
        b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."
        b"\x80\x02}(X\x10\0\0\0protocol_versionM\xe9\x03X\r\0\0\0little_endian\x88u."
    )
    tail = b"\x80\x02]X\x01\0\0\x000a." + (4).to_bytes(8, "little") + bytes(range(16))
    return [head + body.replace(b"%b", b"N") + tail for body in _pickle_bodies()]


def pt2_seeds() -> list[bytes]:
    def meta(path: str, kind: int, shape: list[int], stride: list[int]) -> dict[str, object]:
        sizes, strides = ([{"as_int": number} for number in parameters] for parameters in (shape, stride))
        tensor = {"dtype": kind, "sizes": sizes, "strides": strides, "storage_offset": {"as_int": 0}}
        return {"path_name": path, "is_param": True, "use_pickle": False, "tensor_meta": tensor}

    table = {"config": {"w": meta("weight_0", 7, [2, 2], [1, 2]), "v": meta("weight_0", 13, [3], [2])}}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("m/archive_format", "pt2")
        file.writestr("m/byteorder", "little")
        file.writestr("m/data/weights/weight_0", bytes(range(16)))
        file.writestr("m/data/weights/model_weights_config.json", json.dumps(table))
        file.writestr("m/data/constants/model_constants_config.json", '{"config": {}}')
    return [buffer.getvalue()]


def gguf_seeds() -> list[bytes]:
    return [_gguf(3, 8, "little"), _gguf(1, 4, "little"), _gguf(3, 8, "big")]


def _gguf(version: int, size: int, order: Literal["little", "big"]) -> bytes:
    def number(value: int, width: int = 4) -> bytes:
        return value.to_bytes(width, order)

    def count(value: int) -> bytes:
        return number(value, size)

    def text(value: bytes) -> bytes:
        return count(len(value)) + value

    pairs = text(b"general.alignment") + number(4) + number(32)
    pairs += text(b"tokens") + number(9) + number(8) + count(2) + text(b"a") + text(b"bc")
    plain = text(b"w") + number(2) + count(2) + count(2) + number(0) + number(0, 8)
    packed = text(b"q") + number(1) + count(32) + number(8) + number(32, 8)
    head = b"GGUF" + number(version) + count(2) + count(2) + pairs + plain + packed
    return head + bytes(-len(head) % 32) + bytes(range(96))


def hdf5_seeds() -> list[bytes]:
    import h5py

    seeds = []
    for libver in ("earliest", "latest"):
        buffer = io.BytesIO()
        with h5py.File(buffer, "w", libver=libver) as file:
            file["layers/dense/vars/0"] = np.ones((2, 3), "f4")
            file["layers/dense/vars"].attrs["name"] = "head"
            file.create_dataset("packed", data=np.ones((4, 4)), chunks=(2, 2), compression="gzip", shuffle=True)
            file["soft"] = h5py.SoftLink("/packed")
        seeds.append(buffer.getvalue())
    return seeds


def index_seeds() -> list[bytes]:
    return [b'{"metadata": {"total_size": 1}, "weight_map": {"a": "shard", "b": ["shard"], "c": "sub/shard"}}']


def lock_seeds() -> list[bytes]:
    line = b"name float32 [2,3] blake3:" + b"0a" * 32
    return [b"# frostline lock, format 1\n" + line + b"\n" + b'"a b"' + line[4:] + b"\n"]


def flax_seeds() -> list[bytes]:
    array = msgspec.msgpack.Ext(1, msgspec.msgpack.encode(((2, 2), "float32", bytes(range(16)))))
    number = msgspec.msgpack.Ext(2, msgspec.msgpack.encode((1.0, 2.0)))
    return [msgspec.msgpack.encode({"params": {"a": array, "b": [array, number]}, "step": 70_000, "name": "net"})]


def read_checkpoint(path: Path) -> None:
    """Open a file, draw the first bytes of each tensor, and compare it with itself."""
    with checkpoints.open(path) as one, checkpoints.open(path) as other:
        small = all(tensor.nbytes < LARGEST_READ for tensor in one.tensors.values())
        for tensor in one.tensors.values():
            next(tensor.source.pieces(), None)
        if small and len(one.tensors) < 100:
            assert not compare(one, other).differs
        one.ties()


def read_lock(path: Path) -> None:
    from frostline.checkpoints import lock

    lock.load(path)


TARGETS: dict[str, tuple[Callable[[], list[bytes]], Callable[[Path], None]]] = {
    "safetensors": (safetensors_seeds, read_checkpoint),
    "npz": (npz_seeds, read_checkpoint),
    "torch-zip": (torch_zip_seeds, read_checkpoint),
    "torch-stream": (torch_stream_seeds, read_checkpoint),
    "pt2": (pt2_seeds, read_checkpoint),
    "gguf": (gguf_seeds, read_checkpoint),
    "hdf5": (hdf5_seeds, read_checkpoint),
    "flax": (flax_seeds, read_checkpoint),
    "index": (index_seeds, read_checkpoint),
    "lock": (lock_seeds, read_lock),
}


def mutated(content: bytes, seeds: list[bytes], chance: random.Random) -> bytes:
    """The content with a few random changes of the kinds that find bugs in parsers."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(8):
            case 0 if data:
                data[at % len(data)] ^= 1 << chance.randrange(8)
            case 1 if data:
                data[at % len(data)] = chance.choice(INTERESTING)
            case 2:
                width = chance.choice((2, 4, 8))
                data[at : at + width] = (chance.choice(WIDE) % 2 ** (8 * width)).to_bytes(width, "little")
            case 3:
                del data[at : at + chance.randrange(1, 40)]
            case 4:
                data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 20)))
            case 5:
                start = chance.randrange(len(data) + 1)
                data[at:at] = data[start : start + chance.randrange(1, 200)]
            case 6:
                other = chance.choice(seeds)
                start = chance.randrange(len(other) + 1)
                data[at : at + 16] = other[start : start + 16]
            case _:
                del data[len(data) - chance.randrange(min(64, len(data) + 1)) :]
    return bytes(data)


def fuzz(target: str, seconds: float, seed: int, folder: Path) -> tuple[int, list[Failure]]:
    """How many cases one target got through in its time, and those that failed."""
    make, read = TARGETS[target]
    seeds, chance = make(), random.Random(f"{target} {seed}")
    failures: list[Failure] = []
    for content in seeds:
        _tried(target, content, read, folder, failures)
    deadline, count = time.monotonic() + seconds, 0
    while time.monotonic() < deadline and len(failures) < 10:
        _tried(target, mutated(chance.choice(seeds), seeds, chance), read, folder, failures)
        count += 1
    return count, failures


def _tried(target: str, content: bytes, read: Callable[[Path], None], folder: Path, failures: list[Failure]) -> None:
    path = folder / "case"
    path.write_bytes(content)
    start = time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read(path)
    except CheckpointError as error:
        if "\n" in error.message:
            failures.append(Failure(target, content, f"a message of several lines: {error.message!r}"))
    except BaseException:  # whatever else comes is what is looked for
        failures.append(Failure(target, content, traceback.format_exc()))
    if time.monotonic() - start > SLOW:
        failures.append(Failure(target, content, f"took {time.monotonic() - start:.1f} seconds"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    options = parser.parse_args()
    seed = random.randrange(2**32) if options.seed is None else options.seed
    failed = False
    for target in options.targets or TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            count, failures = fuzz(target, options.seconds, seed, Path(folder))
        print(f"{target}: {count:,} cases, {len(failures)} failed (seed {seed})", flush=True)
        for number, failure in enumerate(failures):
            options.keep.mkdir(exist_ok=True)
            (options.keep / f"{target}-{seed}-{number}").write_bytes(failure.content)
            print(failure.what, file=sys.stderr)
        failed |= bool(failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
