"""Paired measurements of the checkpoint commands against cmp, the blake3 library and tools for the same task.

    python bench/checkpoints.py                    two files of 256 MiB
    python bench/checkpoints.py --mib 2048         the sizes that the targets are stated for
    python bench/checkpoints.py --json             the same as one JSON document

Files are read once beforehand, so all stand in the page cache. Contestants take turns, and the ratio is the median of
the ratios of turns. Memory is the peak of a process that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

FROSTLINE = [sys.executable, "-m", "frostline"]
TENSOR_MIB = 64
TARGETS = {"diff": 0.8, "lock": 0.9}
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


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def paired(ours: Callable[[], object], theirs: Callable[[], object], turns: int) -> dict[str, float]:
    """Median seconds of both and the median ratio of their speeds, in turns that alternate who is first."""
    times = []
    for turn in range(turns):
        if turn % 2:
            second = seconds(theirs)
            times.append((seconds(ours), second))
        else:
            times.append((seconds(ours), seconds(theirs)))
    return {
        "ours_s": round(statistics.median(a for a, _ in times), 3),
        "theirs_s": round(statistics.median(b for _, b in times), 3),
        "speed_ratio": round(statistics.median(b / a for a, b in times), 2),
    }


def command(*words: str) -> Callable[[], None]:
    """A command whose exit status must be 0."""

    def call() -> None:
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return call


def peak_mib(*words: str) -> float:
    """The peak resident memory of one command."""
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    out = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True).stdout
    return round(int(out) / 1024, 1)


def blake3_of(path: Path) -> Callable[[], None]:
    """The library's own fastest way: the file mapped, all cores."""
    code = f"import blake3; h = blake3.blake3(max_threads=blake3.blake3.AUTO); h.update_mmap({str(path)!r}); h.digest()"
    return command(sys.executable, "-c", code)


def in_process_lock(path: Path) -> Callable[[], object]:
    from frostline.checkpoints import lock
    from frostline.checkpoints import open as open_checkpoint

    def call() -> None:
        with open_checkpoint(path) as checkpoint:
            lock.locked(checkpoint)

    return call


def in_process_blake3(path: Path) -> Callable[[], object]:
    from blake3 import blake3

    return lambda: blake3(max_threads=blake3.AUTO).update_mmap(str(path)).digest()


def model_signing(python: Path, folder: Path) -> Callable[[], None] | None:
    """The digest that model-signing makes of a folder before it signs, where that interpreter has the package."""
    code = f"from model_signing.hashing import Config; import pathlib; Config().hash(pathlib.Path({str(folder)!r}))"
    call = command(str(python), "-c", code)
    try:
        call()
    except (OSError, subprocess.CalledProcessError):
        return None
    return call


def measure(mib: int, turns: int, folder: Path, others: Path) -> dict[str, object]:
    one, other, single = folder / "one.safetensors", folder / "other.safetensors", folder / "single.safetensors"
    write_safetensors(one, mib, 0)
    shutil.copy(one, other)
    write_safetensors(single, mib, 1, one_tensor=True)
    for path in (one, other, single):
        path.read_bytes() if mib <= 512 else command("cat", str(path))()
    diff = [*FROSTLINE, "diff", "--quiet", str(one), str(other)]
    lock = [*FROSTLINE, "lock", str(one), "-o", str(folder / "weights.lock")]
    results: dict[str, object] = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "mib": mib, "turns": turns},
        "diff, equal files, beside cmp": paired(command(*diff), command("cmp", str(one), str(other)), turns),
        "diff, peak MiB": peak_mib(*diff),
        "lock, many tensors, beside blake3": paired(in_process_lock(one), in_process_blake3(one), turns),
        "lock, one tensor, beside blake3": paired(in_process_lock(single), in_process_blake3(single), turns),
        "lock as a command beside blake3 as one": paired(command(*lock), blake3_of(one), turns),
        "lock, peak MiB": peak_mib(*lock),
        "diff, all changed, s": round(seconds(lambda: subprocess.run([*FROSTLINE, "diff", "--quiet", one, single])), 3),
    }
    sft, b3sum = others / "sft", shutil.which("b3sum")
    if sft.exists():
        results["diff beside sft-cli"] = paired(
            command(*diff), command(str(sft), "diff", "--delta", str(one), str(other)), 1
        )
    if b3sum:
        results["lock beside b3sum"] = paired(command(*lock), command(b3sum, str(one)), turns)
    alone = folder / "alone"
    alone.mkdir()
    one.rename(alone / one.name)
    signing = model_signing(others / "python", alone)
    if signing is not None:
        words = [*FROSTLINE, "lock", str(alone / one.name), "-o", str(folder / "weights.lock")]
        results["lock beside model-signing"] = paired(command(*words), signing, turns)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=256, help="size of each file, a multiple of 64")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument(
        "--others", type=Path, default=Path(sys.executable).parent, help="a bin folder with sft-cli, ..."
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(options.mib, options.turns, Path(folder), options.others)
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for name, value in results.items():
        print(f"{name:45} {value}")


if __name__ == "__main__":
    main()
