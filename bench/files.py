"""The checkpoint commands against `cmp`, the blake3 library and tools for the same task, on files in the page cache.

`MIB=2048` sets the size of each file; tools that are not installed are left out. Memory is the peak of a process that
does nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from bench.turns import Line, process

PACKAGES = ("numpy", "blake3", "xxhash")
MIB, TURNS = int(os.environ.get("MIB") or 256), 7
FROSTLINE = [sys.executable, "-m", "frostline"]
TENSOR_MIB = 64
PEAK_MIB = 200


def write_safetensors(path: Path, mib: int, seed: int, one_tensor: bool = False) -> None:
    """A file of random float32 tensors, written piece by piece."""
    sizes = [mib * 2**20] if one_tensor else [TENSOR_MIB * 2**20] * (mib // TENSOR_MIB)
    header, end = {}, 0
    for index, size in enumerate(sizes):
        header[f"layers.{index}.weight"] = {
            "dtype": "F32", "shape": [size // 4096, 1024], "data_offsets": [end, end + size]
        }  # fmt: skip
        end += size
    text = json.dumps(header).encode()
    random = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _ in range(end // 2**22):
            file.write(random.standard_normal(2**20, np.float32).tobytes())


def paired(what: str, name: str, ours: Callable[[], object], theirs: Callable[[], object], goal: float | None) -> Line:
    """The median seconds of both and the median ratio of their speeds, in turns that alternate who is first."""
    times = []
    for turn in range(TURNS):
        if turn % 2:
            second = seconds(theirs)
            times.append((seconds(ours), second))
        else:
            times.append((seconds(ours), seconds(theirs)))
    ratio = statistics.median(other / own for own, other in times)
    own, other = (statistics.median(pair[index] for pair in times) for index in (0, 1))
    met = None if goal is None else ratio >= goal
    return Line(
        what, f"{own:.3f} s", f"{other:.3f} s, {name}", f"{ratio:.2f}", "" if goal is None else f"≥ {goal}", met
    )


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def command(*words: str) -> Callable[[], None]:
    """A command whose exit status must be 0."""

    def call() -> None:
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return call


def blake3_of(path: Path) -> Callable[[], None]:
    """The library's own fastest way: the file mapped, all cores."""
    code = f"import blake3; h = blake3.blake3(max_threads=blake3.blake3.AUTO); h.update_mmap({str(path)!r}); h.digest()"
    return command(sys.executable, "-c", code)


def in_process_lock(path: Path) -> Callable[[], object]:
    from frostline.checkpoints import open as open_checkpoint
    from frostline.checkpoints.lock import lock_file

    def call() -> None:
        with open_checkpoint(path) as checkpoint:
            lock_file.locked(checkpoint)

    return call


def in_process_blake3(path: Path) -> Callable[[], object]:
    from blake3 import blake3

    return lambda: blake3(max_threads=blake3.AUTO).update_mmap(str(path)).digest()


def model_signing(folder: Path) -> Callable[[], None] | None:
    """The digest that model-signing makes of a folder before it signs, where the package is installed."""
    code = f"from model_signing.hashing import Config; import pathlib; Config().hash(pathlib.Path({str(folder)!r}))"
    call = command(sys.executable, "-c", code)
    try:
        call()
    except subprocess.CalledProcessError:
        return None
    return call


def peak(what: str, words: list[str], folder: Path) -> Line:
    used = process(words, folder, {}).peak_mib
    return Line(f"peak memory of {what}", f"{used:.0f} MiB", "", "", f"≤ {PEAK_MIB} MiB", used <= PEAK_MIB)


def measure() -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        one, other, single = folder / "one.safetensors", folder / "other.safetensors", folder / "single.safetensors"
        write_safetensors(one, MIB, 0)
        shutil.copy(one, other)
        write_safetensors(single, MIB, 1, one_tensor=True)
        for path in (one, other, single):
            command("cat", str(path))()
        diff = [*FROSTLINE, "diff", "--quiet", str(one), str(other)]
        lock = [*FROSTLINE, "lock", str(one), "-o", str(folder / "weights.lock")]
        compare = command("cmp", str(one), str(other))
        yield paired(f"diff of two equal files of {MIB} MiB", "cmp", command(*diff), compare, 1.5)
        yield peak("that diff", diff, folder)
        for path, words in ((one, "many tensors"), (single, "one tensor")):
            rival = in_process_blake3(path)
            yield paired(
                f"lock of {words}, without the interpreter's start", "blake3", in_process_lock(path), rival, 0.92
            )
        yield paired("lock, as a command", "blake3 in Python", command(*lock), blake3_of(one), None)
        yield peak("lock", lock, folder)
        changed = seconds(lambda: subprocess.run([*FROSTLINE, "diff", "--quiet", one, single]))
        yield Line("diff where everything changed", f"{changed:.3f} s")
        sft, b3sum = shutil.which("sft", path=str(Path(sys.executable).parent)), shutil.which("b3sum")
        if sft:
            rival = command(sft, "diff", "--delta", str(one), str(other))
            yield paired("diff, as a command", "sft-cli", command(*diff), rival, None)
        if b3sum:
            yield paired("lock, as a command", "b3sum", command(*lock), command(b3sum, str(one)), 0.9)
        alone = folder / "alone"
        alone.mkdir()
        one.rename(alone / one.name)
        signing = model_signing(alone)
        if signing is not None:
            words = [*FROSTLINE, "lock", str(alone / one.name), "-o", str(folder / "weights.lock")]
            yield paired("lock, as a command", "model-signing", command(*words), signing, None)
