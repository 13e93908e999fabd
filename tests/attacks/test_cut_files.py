"""Files of the newer readers cut at every byte, and attacks hidden where a pickle can hide: nothing of them runs."""

import gzip
import io
import pickle
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from frostline import checkpoints
from frostline.errors import CheckpointError

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))
import fuzzing
import seeds

CUT = ("joblib", "compressed", "tar", "zip", "onnx", "tflite", "tensorflow", "torch-distributed")


def everything(path: Path) -> dict[str, bytes]:
    with checkpoints.open(path) as found:
        return {
            name: b"".join(map(bytes, tensor.source.pieces()))
            for name, tensor in found.tensors.items()
            if not tensor.unknown
        }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", CUT)
def test_a_file_cut_anywhere_is_refused_or_whole(target: str, tmp_path: Path) -> None:
    """Cut in bytes that hold nothing (padding, what the format has behind the tensors) a file may still be whole."""
    (tmp_path / "cut.data-00000-of-00001").write_bytes(seeds.TENSORFLOW_DATA)
    (tmp_path / "__0_0.distcp").write_bytes(seeds.torch_distributed_parts())
    for content in fuzzing.TARGETS[target][0]():
        (tmp_path / "cut").write_bytes(content)
        whole = everything(tmp_path / "cut")
        refused = 0
        for length in range(0, len(content), max(1, len(content) // 400)):
            (tmp_path / "cut").write_bytes(content[:length])
            try:
                found = everything(tmp_path / "cut")
            except CheckpointError:
                refused += 1
            else:
                assert found == whole, length
        assert refused > 100


class Canary:
    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> Any:
        return exec, (f"open({self.path!r}, 'w')",)


def in_tar(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("model_weights.ckpt")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def in_zip(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model.pkl", content)
    return buffer.getvalue()


PLACES: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "tar": in_tar,
    "tar, gzip": lambda content: gzip.compress(in_tar(content)),
    "zip": in_zip,
}


@pytest.mark.parametrize("place", PLACES)
def test_nothing_runs_wherever_a_pickle_hides(place: str, tmp_path: Path) -> None:
    canary = tmp_path / "ran"
    (tmp_path / "w").write_bytes(PLACES[place](pickle.dumps({"w": Canary(canary)}, 2)))
    with pytest.raises(CheckpointError, match=r"names builtins\.exec, which loading it would run"):
        checkpoints.open(tmp_path / "w")
    assert not canary.exists()


@pytest.mark.needs("torch")
@pytest.mark.filterwarnings("ignore")
def test_nothing_runs_in_a_distributed_checkpoint(tmp_path: Path) -> None:
    """An attack in the table, and one in a part of an object."""
    torch = pytest.importorskip("torch")
    import torch.distributed.checkpoint as dcp

    canary = tmp_path / "ran"
    dcp.save({"step": Canary(canary), "w": torch.ones(2)}, checkpoint_id=tmp_path / "part", no_dist=True)
    dcp.save({"w": torch.ones(2)}, checkpoint_id=tmp_path / "table", no_dist=True)
    table = pickle.loads((tmp_path / "table/.metadata").read_bytes())
    table.planner_data = Canary(canary)
    (tmp_path / "table/.metadata").write_bytes(pickle.dumps(table))
    for folder in ("part", "table"):
        with pytest.raises(CheckpointError, match=r"names builtins\.exec, which loading it would run"):
            checkpoints.open(tmp_path / folder)
        assert not canary.exists()
