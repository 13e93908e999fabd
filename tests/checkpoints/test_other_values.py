"""Numbers, texts and objects beside the tensors: compared by diff, one line of a lock, and proven by verify."""

import argparse
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch

from frostline.checkpoints.extras import NAME

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.needs("torch")

BESIDE = {"epoch": 3, "names": ["a", "b"], "args": argparse.Namespace(alpha=16), "note": "x" * 100, "empty": {}}


@pytest.fixture(autouse=True)
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files whose weights are the same: `base.pt`, and two in which other values are not."""
    monkeypatch.chdir(tmp_path)
    weights = {"w": torch.ones(2)}
    torch.save({**weights, **BESIDE}, "base.pt")
    torch.save({**weights, **BESIDE, "epoch": 4, "args": argparse.Namespace(alpha=8), "note": "x" * 101}, "other.pt")
    torch.save({**weights, **{name: value for name, value in BESIDE.items() if name != "empty"}}, "fewer.pt")
    safetensors.torch.save_file(weights, "base.safetensors")


def test_diff_names_what_is_another(call: Any) -> None:
    found = call("diff", "base.pt", "other.pt", "--json")
    assert found.status == 1
    others = {each["name"]: (each["old"], each["new"]) for each in json.loads(found.out)["others"]}
    assert set(others) == {"epoch", "args", "note"}
    assert others["epoch"] == ("3", "4")
    assert "epoch  3 became 4" in call("diff", "base.pt", "other.pt").out
    assert "different: 3 other values changed, 1 the same" in call("diff", "base.pt", "other.pt").out
    assert call("diff", "base.pt", "base.pt").status == 0


def test_what_one_file_alone_has_differs_within_a_format_only(call: Any) -> None:
    assert "empty  empty became nothing" in call("diff", "base.pt", "fewer.pt").out
    assert call("diff", "base.pt", "base.safetensors").status == 0


def test_patterns_choose_among_them_too(call: Any) -> None:
    assert call("diff", "base.pt", "other.pt", "--only", "w").status == 0
    assert call("diff", "base.pt", "fewer.pt", "--ignore", "empty").status == 0
    assert call("diff", "base.pt", "other.pt", "--ignore", "epoch").status == 1


def test_a_lock_has_one_line_of_all(call: Any) -> None:
    assert call("lock", "base.pt", "-o", "base.lock").status == 0
    first, weight, last = Path("base.lock").read_text().splitlines()
    assert (first, weight.split()[0]) == ("# frostline lock, format 3", "w")
    assert last.startswith(f"{NAME} values [6] blake3:")
    assert call("verify", "base.pt", "base.lock").status == 0
    for file in ("other.pt", "fewer.pt"):
        found = call("verify", file, "base.lock")
        assert (found.status, "beside the tensors differ" in found.out) == (1, True)
        assert call("verify", file, "base.lock", "--may-differ", NAME).status == 0
        assert call("verify", file, "base.lock", "--partial").status == 0


def test_another_format_has_no_place_for_them(call: Any) -> None:
    assert call("lock", "base.pt", "-o", "base.lock").status == 0
    found = call("verify", "base.safetensors", "base.lock")
    assert (found.status, "not compared: the lock's numbers and texts" in found.out) == (0, True)
    assert call("lock", "base.safetensors", "-o", "plain.lock").status == 0
    found = call("verify", "base.pt", "plain.lock")
    assert (found.status, "not compared: numbers and texts beside the tensors" in found.out) == (0, True)


def test_a_tensor_of_that_name_is_another_entry(call: Any) -> None:
    torch.save({NAME: torch.ones(2), "epoch": 3}, "named.pt")
    assert call("lock", "named.pt", "-o", "named.lock").status == 0
    assert f'"{NAME} (2)" values [1]' in Path("named.lock").read_text()
    assert call("verify", "named.pt", "named.lock").status == 0


def write_gguf(path: Path, **values: Any) -> Path:
    import gguf
    import numpy as np

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_array("tokens", [f"t{index}" for index in range(199)] + [values.get("last", "t199")])
    writer.add_float32("llama.rope.freq_base", values.get("rope", 1e4))
    writer.add_tensor("w", np.ones(2, "f4"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_the_metadata_of_gguf_makes_the_model(call: Any) -> None:
    pytest.importorskip("gguf")
    base = write_gguf(Path("base.gguf"))
    assert call("lock", base, "-o", "base.lock").status == 0
    assert call("verify", write_gguf(Path("same.gguf")), "base.lock").status == 0
    for changed in ({"rope": 5e5}, {"last": "t199!"}):
        other = write_gguf(Path("other.gguf"), **changed)
        assert call("diff", base, other).status == 1
        found = call("verify", other, "base.lock")
        assert (found.status, "beside the tensors differ" in found.out) == (1, True)


def test_the_metadata_of_safetensors_is_compared_by_diff_alone(call: Any) -> None:
    weights = {"w": torch.ones(2)}
    for name, metadata in (("old", {"format": "pt", "rank": "8"}), ("new", {"format": "np", "rank": "16"})):
        safetensors.torch.save_file(weights, f"{name}.safetensors", metadata=metadata)
    found = call("diff", "old.safetensors", "new.safetensors")
    assert (found.status, "rank  8 became 16" in found.out, "format" in found.out) == (1, True, False)
    assert call("diff", "old.safetensors", "base.safetensors").status == 0
    assert call("lock", "old.safetensors", "-o", "old.lock").status == 0
    found = call("verify", "new.safetensors", "old.lock")
    assert (found.status, "not compared: the file's metadata" in found.out) == (0, True)


def last(call: Any, *words: str) -> str:
    return " ".join(call(*words).out.rpartition("\n\n")[2].split())


def test_what_nothing_compares_is_named(call: Any) -> None:
    torch.save(torch.nn.Linear(2, 2).state_dict(), "versions.pt")
    torch.save({"w": torch.nn.Parameter(torch.ones(2))}, "flags.pt")
    torch.save({"w": torch.nn.Parameter(torch.ones(2), requires_grad=False)}, "no_flags.pt")
    for file, what in (("versions.pt", "versions of modules (_metadata)"), ("flags.pt", "(requires_grad)")):
        assert call("lock", file, "-o", "w.lock").status == 0
        assert what in last(call, "verify", file, "w.lock").partition("; not compared: ")[2]
        assert what in last(call, "diff", file, file).partition("; not compared: ")[2]
        assert what in json.loads(call("diff", file, file, "--json").out)["not_compared"][0]
    assert last(call, "diff", "no_flags.pt", "no_flags.pt") == "the same: 1 the same"


def test_comments_of_an_archive_are_not_compared(call: Any) -> None:
    torch.save({"w": torch.ones(2)}, "commented.pt")
    with zipfile.ZipFile("commented.pt", "a") as archive:
        archive.comment = b"second try"
    assert last(call, "diff", "commented.pt", "commented.pt").endswith("; not compared: comments in the archive")


def test_the_graph_of_a_model_is_not_compared(call: Any) -> None:
    onnx = pytest.importorskip("onnx")
    weight = onnx.numpy_helper.from_array(torch.ones(2).numpy(), "w")
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [], [weight])), "w.onnx")
    assert last(call, "diff", "w.onnx", "w.onnx").endswith("; not compared: the graph and the attributes of its nodes")


def test_keys_that_are_no_plain_values_keep_their_tensors_apart(call: Any) -> None:
    torch.save({np.int64(3): torch.ones(2), np.int64(4): torch.zeros(2)}, "keys.pt")
    torch.save({np.int64(3): torch.ones(2), np.int64(5): torch.zeros(2)}, "others.pt")
    assert call("diff", "keys.pt", "keys.pt").status == 0
    assert call("diff", "keys.pt", "others.pt").status == 1
