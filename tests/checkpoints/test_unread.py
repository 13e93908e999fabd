"""Formats that are not read are named, with a way out that works; archives of torch.export are read."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from frostline import checkpoints
from frostline.errors import CheckpointError


def refusal(path: Path) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught, checkpoints.open(path):
        pass
    assert caught.value.hint
    return caught.value


STARTS = {
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a pointer of Git LFS"),
    "page": (b"<!DOCTYPE html><html></html>", "a web page"),
    "7z": (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
}


@pytest.mark.parametrize(("content", "message"), STARTS.values(), ids=STARTS)
def test_what_is_often_there_in_place_of_a_checkpoint(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(content)
    assert message in refusal(tmp_path / "model.bin").message


# torch.export


@pytest.fixture(name="exported")
def exported_fixture(tmp_path: Path) -> tuple[Any, Path]:
    """A model with tied weights, a view that is not contiguous and a constant, and the archive of it."""
    torch = pytest.importorskip("torch")

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = torch.nn.Embedding(6, 4)
            self.head = torch.nn.Linear(4, 6, bias=False)
            self.head.weight = self.embed.weight
            self.turned = torch.nn.Parameter(torch.arange(8.0, dtype=torch.bfloat16).reshape(2, 4).t())
            self.scale = torch.arange(4.0)

        def forward(self, index: Any) -> Any:
            return self.head(self.embed(index) * self.scale) + self.turned.float().sum()

    model = Net()
    program = torch.export.export(model, (torch.tensor([1, 2]),))
    torch.export.save(program, tmp_path / "m.pt2")
    return model, tmp_path / "m.pt2"


@pytest.mark.needs("torch")
@pytest.mark.filterwarnings("ignore")
def test_an_exported_program(exported: tuple[Any, Path], bytes_of: Any) -> None:
    model, path = exported
    with checkpoints.open(path) as found:
        assert found.kind == "torch.export"
        state = model.state_dict()
        assert set(found.tensors) == {*state, "scale"}
        for name in ("embed.weight", "head.weight"):
            assert bytes_of(found.tensors[name]) == state[name].numpy().tobytes()
        turned = found.tensors["turned"]
        assert (turned.dtype, turned.shape) == ("bfloat16", (4, 2))
        assert bytes_of(turned) == bytes(state["turned"].contiguous().view(dtype=__import__("torch").uint8).numpy())
        assert bytes_of(found.tensors["scale"]) == np.arange(4, dtype=np.float32).tobytes()
        assert found.ties() == [["embed.weight", "head.weight"]]


WRONG = {
    "no number": ("sizes", [{"as_expr": "s0"}], "no usable type"),
    "a negative size": ("sizes", [{"as_int": -1}, {"as_int": 4}], "no usable type"),
    "more axes than strides": ("sizes", [{"as_int": 6}], "no usable type"),
    "too large": ("sizes", [{"as_int": 2**40}, {"as_int": 4}], "past the end"),
    "far away": ("storage_offset", {"as_int": 2**40}, "past the end"),
    "no strides": ("strides", None, "no usable type"),
}


@pytest.mark.needs("torch")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("key", "value", "message"), WRONG.values(), ids=WRONG)
def test_a_table_that_lies(key: str, value: Any, message: str, exported: tuple[Any, Path], tmp_path: Path) -> None:
    assert (
        message
        in refusal(changed(exported[1], tmp_path, lambda meta: meta["tensor_meta"].update({key: value}))).message
    )


@pytest.mark.needs("torch")
@pytest.mark.filterwarnings("ignore")
def test_a_table_that_names_a_file_elsewhere(exported: tuple[Any, Path], tmp_path: Path) -> None:
    path = changed(exported[1], tmp_path, lambda meta: meta.update(path_name="../../../etc/passwd"))
    assert "lacks" in refusal(path).message


def changed(archive: Path, folder: Path, change: Any) -> Path:
    """The archive with what its table says of the first weight changed."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(folder / "bad.pt2", "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename.endswith("_weights_config.json"):
                table = json.loads(content)
                change(table["config"]["embed.weight"])
                content = json.dumps(table).encode()
            new.writestr(info.filename, content)
    return folder / "bad.pt2"
