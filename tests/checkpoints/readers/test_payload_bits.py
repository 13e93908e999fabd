"""One bit turned over anywhere in the weights of a file changes the lock, in every format that keeps them plain."""

import random
import warnings
from pathlib import Path

import fuzzing
import pytest
import seeds

from frostline import checkpoints
from frostline.checkpoints.files.sources import Span
from frostline.checkpoints.lock import lock_file

PLAIN = ("safetensors", "npz", "gguf", "flax", "torch-zip", "joblib", "tar", "onnx", "tflite", "tensorflow")
BITS = 40


def digests(path: Path) -> dict[str, str]:
    with checkpoints.open(path) as found:
        return {entry.name: entry.digest for entry in lock_file.locked(found)}


def places(path: Path) -> list[tuple[Path, int, str]]:
    """Every byte of every tensor that lies plain in a file: the file, where in it, and the tensor."""
    with checkpoints.open(path) as found:
        return [
            (tensor.source.file.path, tensor.source.file.start + tensor.source.offset + at, tensor.name)
            for tensor in found.tensors.values()
            if isinstance(tensor.source, Span) and tensor.source.file.whole.alone
            for at in range(tensor.nbytes)
        ]


@pytest.mark.parametrize("target", PLAIN)
def test_a_bit_of_the_weights_changes_the_lock(target: str, tmp_path: Path) -> None:
    chance, tried = random.Random(target), 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        contents = fuzzing.TARGETS[target][0]()
    for content in contents:
        (tmp_path / "w").write_bytes(content)
        (tmp_path / "w.data-00000-of-00001").write_bytes(seeds.TENSORFLOW_DATA)
        before, found = digests(tmp_path / "w"), places(tmp_path / "w")
        for path, at, name in chance.sample(found, min(BITS, len(found))):
            sound = path.read_bytes()
            path.write_bytes(sound[:at] + bytes([sound[at] ^ 1 << chance.randrange(8)]) + sound[at + 1 :])
            after = digests(tmp_path / "w")
            assert after[name] != before[name], (name, at)
            path.write_bytes(sound)
            tried += 1
    assert tried >= BITS // 2
