"""Fuzz targets, one for each reader: sound files of real writers, mutated; only our own error may come of them.

    python tests/fuzz/fuzzing.py [TARGET...] [--cases N] [--seconds N] [--seed N] [--keep FOLDER]

Runs every target, or those named, through so many cases each, and no longer than so many seconds. A case that fails is
written to FOLDER and named, and the exit status is 1; so it is where a target did not get through its cases in time.
A case fails by an error that is not ours, by its time, by the memory that this process grew by, and by reaching into
the modules that pickles of the seeds name: these are here, and a reader that loads a pickle would run them.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from unittest import mock

import seeds

from frostline import checkpoints
from frostline.checkpoints.diff.compare import compare
from frostline.checkpoints.readers.hdf5 import child, reader
from frostline.errors import CheckpointError

SLOW = 20.0  # seconds of processor time that no mutated small file may take; the library of HDF5 is ended after 5
LARGEST_READ = 2**24
GROWTH = 2**30  # bytes that no mutated small file may take beyond what was ever taken before it
NAMED = ("module", "spec", "placement")  # by pickles of the seeds

INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)
WIDE = (0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1)


@dataclass(frozen=True)
class Failure:
    """A case that broke something: the file and what happened."""

    target: str
    content: bytes
    what: str


class Canary(types.ModuleType):
    """A module that pickles name; that anything of it was asked for is kept in ``reached``."""

    reached: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> object:
        if not (name.startswith("__") and name.endswith("__")):  # what any list of modules is asked for
            self.reached.append(f"{self.__name__}.{name}")
        raise AttributeError(name)


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
    from frostline.checkpoints.lock import lock_file

    lock_file.load(path)


def read_hdf5(path: Path) -> None:
    """The process of the HDF5 library is forked from this one, which has loaded it: starting one takes far longer."""
    with mock.patch.object(reader.subprocess, "run", _forked):
        read_checkpoint(path)


def _forked(command: list[str], stdin: int, **_: object) -> subprocess.CompletedProcess[bytes]:
    out, into = os.pipe()
    process = os.fork()
    if process == 0:
        os.dup2(stdin, 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with open(into, "w") as sys.stdout:
            status = child.main(*map(int, command[-2:]))
        os._exit(status)
    os.close(into)
    with open(out, "rb") as said:
        content = said.read()
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return subprocess.CompletedProcess(command, status, content)


def read_tensorflow(path: Path) -> None:
    """The file is an index, and its data lies beside it."""
    path.with_name(f"{path.name}.data-00000-of-00001").write_bytes(seeds.TENSORFLOW_DATA)
    read_checkpoint(path)


def read_torch_distributed(path: Path) -> None:
    """The file is the table of a folder, and its parts lie beside it."""
    path.with_name("__0_0.distcp").write_bytes(seeds.torch_distributed_parts())
    read_checkpoint(path)


def read_zarr(path: Path) -> None:
    """The file is the name of one in a folder, and what is in it; the folder's other files are sound."""
    name, _, content = path.read_bytes().partition(b"\0")
    place = path.with_name("folder")
    for sound, text in seeds.zarr_files().items():
        (place / sound).parent.mkdir(parents=True, exist_ok=True)
        (place / sound).write_bytes(content if sound.encode() == name else text)
    for part in ("two", "three", "base"):
        if name.startswith(part.encode()):
            read_checkpoint(place / part)


TARGETS: dict[str, tuple[Callable[[], list[bytes]], Callable[[Path], None]]] = {
    "safetensors": (seeds.safetensors_seeds, read_checkpoint),
    "npz": (seeds.npz_seeds, read_checkpoint),
    "torch-zip": (seeds.torch_zip_seeds, read_checkpoint),
    "torch-stream": (seeds.torch_stream_seeds, read_checkpoint),
    "pt2": (seeds.pt2_seeds, read_checkpoint),
    "gguf": (seeds.gguf_seeds, read_checkpoint),
    "hdf5": (seeds.hdf5_seeds, read_hdf5),
    "flax": (seeds.flax_seeds, read_checkpoint),
    "joblib": (seeds.joblib_seeds, read_checkpoint),
    "compressed": (seeds.compressed_seeds, read_checkpoint),
    "tar": (seeds.tar_seeds, read_checkpoint),
    "zip": (seeds.zip_seeds, read_checkpoint),
    "onnx": (seeds.onnx_seeds, read_checkpoint),
    "tflite": (seeds.tflite_seeds, read_checkpoint),
    "tensorflow": (seeds.tensorflow_seeds, read_tensorflow),
    "torch-distributed": (seeds.torch_distributed_seeds, read_torch_distributed),
    "zarr": (seeds.zarr_seeds, read_zarr),
    "index": (seeds.index_seeds, read_checkpoint),
    "lock": (seeds.lock_seeds, read_lock),
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


def fuzz(target: str, seconds: float, seed: int, folder: Path, most: float = math.inf) -> tuple[int, list[Failure]]:
    """How many cases one target got through in its time, ``most`` at most, and those that failed."""
    make, read = TARGETS[target]
    sys.modules.update({name: Canary(name) for name in NAMED})
    sound, chance = make(), random.Random(f"{target} {seed}")
    failures: list[Failure] = []
    for content in sound:
        _tried(target, content, read, folder, failures)
    deadline, count = time.monotonic() + seconds, 0
    while time.monotonic() < deadline and count < most and len(failures) < 10:
        _tried(target, mutated(chance.choice(sound), sound, chance), read, folder, failures)
        count += 1
    return count, failures


def _tried(target: str, content: bytes, read: Callable[[Path], None], folder: Path, failures: list[Failure]) -> None:
    path = folder / "case"
    path.write_bytes(content)
    start, peak = _spent(), _peak()
    Canary.reached.clear()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read(path)
    except CheckpointError as error:
        if "\n" in error.message:
            failures.append(Failure(target, content, f"a message of several lines: {error.message!r}"))
    except BaseException:  # whatever else comes is what is looked for
        failures.append(Failure(target, content, traceback.format_exc()))
    if (took := _spent() - start) > SLOW:
        failures.append(Failure(target, content, f"took {took:.1f} seconds"))
    if _peak() - peak > GROWTH:
        failures.append(Failure(target, content, f"took {(_peak() - peak) / 2**20:,.0f} MiB"))
    if Canary.reached:
        failures.append(Failure(target, content, f"reached into {', '.join(Canary.reached)}"))


def _spent() -> float:
    """The processor time of this process and of those below it that have ended, in seconds."""
    below = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + below.ru_utime + below.ru_stime


def _peak() -> int:
    """The most bytes that this process ever held in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    options = parser.parse_args()
    seed = random.randrange(2**32) if options.seed is None else options.seed
    failed = False
    for target in options.targets or TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            count, failures = fuzz(target, options.seconds, seed, Path(folder), options.cases)
        print(
            f"{target}: {count:,} of {options.cases:,} cases, {len(failures)} failed, "
            f"{_peak() / 2**20:,.0f} MiB at most (seed {seed})",
            flush=True,
        )
        for number, failure in enumerate(failures):
            options.keep.mkdir(exist_ok=True)
            (options.keep / f"{target}-{seed}-{number}").write_bytes(failure.content)
            print(failure.what, file=sys.stderr)
        failed |= bool(failures) or count < options.cases
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
