"""What `frostline diff` says of two files, and with which exit status."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from checkpoint_calls import names

from frostline.checkpoints.diff.compare import compare
from frostline.checkpoints.opening import open_checkpoint

Arrays = dict[str, np.ndarray]


@pytest.fixture(name="compared")
def compared_fixture(tmp_path: Path, call: Any) -> Any:
    """Two dicts of arrays compared by the command: its exit status and its JSON document."""

    def compared(old: Arrays, new: Arrays, *options: str) -> tuple[int, dict[str, Any]]:
        safetensors.numpy.save_file(old, tmp_path / "old.safetensors")
        safetensors.numpy.save_file(new, tmp_path / "new.safetensors")
        found = call("diff", tmp_path / "old.safetensors", tmp_path / "new.safetensors", "--json", *options)
        return found.status, json.loads(found.out)

    return compared


def test_equal_files(compared: Any) -> None:
    arrays = {"a": np.arange(6.0), "b.c": np.array([np.nan, -0.0])}
    status, found = compared(arrays, arrays)
    assert (status, found["verdict"], found["same"]) == (0, "same", 2)
    assert not any(found[kind] for kind in ("changed", "added", "removed", "renamed", "retyped", "reshaped", "unknown"))


def test_every_kind_of_difference(compared: Any) -> None:
    same = np.arange(4, dtype="f4")
    old = {"same": same, "moved": same + 1, "gone": same + 2, "type": same, "shape": same, "changed": same}
    new = {
        "same": same,
        "elsewhere": same + 1,
        "come": same + 3,
        "type": same.astype("f8"),
        "shape": same.reshape(2, 2),
        "changed": np.array([0, 1, 2, 5], "f4"),
    }
    status, found = compared(old, new)
    assert (status, found["same"]) == (1, 1)
    assert names(found["added"]) == ["come"]
    assert names(found["removed"]) == ["gone"]
    assert [(entry["old_name"], entry["name"]) for entry in found["renamed"]] == [("moved", "elsewhere")]
    assert [(entry["name"], entry["converted"]) for entry in found["retyped"]] == [("type", True)]
    assert [(entry["name"], entry["same_bytes"]) for entry in found["reshaped"]] == [("shape", True)]
    (changed,) = found["changed"]
    assert (changed["name"], changed["elements"], changed["elements_changed"], changed["largest"]) == (
        "changed",
        4,
        1,
        2,
    )
    assert changed["relative"] == pytest.approx(2 / 3)


def test_bits_decide_and_not_values(compared: Any) -> None:
    old = np.array([0.0, np.nan, 1.0, np.nan, 2.0], "f4")
    new = np.array([-0.0, np.nan, np.nan, 5.0, 2.0], "f4")
    status, found = compared({"w": old}, {"w": new})
    (changed,) = found["changed"]
    assert status == 1
    assert changed["elements_changed"] == 3
    assert (changed["nan_appeared"], changed["nan_gone"], changed["sign_of_zero"]) == (1, 1, 1)


def test_one_more_at_two_to_the_sixty_is_a_change(compared: Any) -> None:
    old = np.array([2**60, -5, 7], "i8")
    status, found = compared({"w": old}, {"w": old + np.array([1, 0, 0])})
    assert (status, found["changed"][0]["elements_changed"], found["changed"][0]["largest"]) == (1, 1, 1)


def test_rows(compared: Any) -> None:
    old = np.zeros((1000, 8), "f4")
    new = old.copy()
    new[3:6, 2] = 1
    new[998:] = 2
    changed = compared({"w": old}, {"w": new})[1]["changed"][0]
    assert (changed["rows"], changed["rows_changed"], changed["row_ranges"]) == (1000, 5, [[3, 5], [998, 999]])
    assert changed["elements_changed"] == 3 + 16


def test_a_grown_embedding_compares_the_rows_that_both_have(compared: Any) -> None:
    old = np.arange(40, dtype="f4").reshape(10, 4)
    new = np.concatenate([old, np.ones((2, 4), "f4")])
    assert compared({"w": old}, {"w": new})[1]["reshaped"][0]["common_rows"] == 10
    assert "rows_changed" not in compared({"w": old}, {"w": new})[1]["reshaped"][0]
    new[4] += 1
    assert compared({"w": old}, {"w": new})[1]["reshaped"][0]["rows_changed"] == 1


def test_a_conversion_is_told_from_a_change(compared: Any) -> None:
    old = np.random.default_rng(0).standard_normal(1000).astype("f4")
    rounded = old.astype(ml_dtypes.bfloat16)
    assert compared({"w": old}, {"w": rounded})[1]["retyped"][0]["converted"] is True
    rounded[5] += 1
    assert compared({"w": old}, {"w": rounded})[1]["retyped"][0]["converted"] is False


@pytest.mark.parametrize(
    "wrap",
    [
        *("module.{}", "_orig_mod.{}", "module._orig_mod.{}", "base_model.model.{}", "state_dict.{}"),
        "_fsdp_wrapped_module.{}",
    ],
)
def test_wrappers_are_seen_through(wrap: str, compared: Any) -> None:
    arrays = {"fc.weight": np.ones((2, 2)), "fc.bias": np.zeros(2), "again": np.zeros(2)}
    wrapped = {wrap.format(name): array for name, array in arrays.items()}
    status, found = compared(wrapped, arrays)
    assert (status, found["same"]) == (0, 3)
    assert {(entry["old_name"], entry["name"], entry["by"]) for entry in found["renamed"]} == {
        (wrap.format(name), name, "wrapper") for name in arrays
    }
    arrays["fc.bias"] = np.ones(2)
    status, found = compared(wrapped, arrays)
    assert (status, names(found["changed"]), found["changed"][0]["old_name"]) == (
        1,
        ["fc.bias"],
        wrap.format("fc.bias"),
    )


def test_a_name_that_two_wrappers_share_is_not_guessed(compared: Any) -> None:
    old = {"module.w": np.zeros(2), "_orig_mod.w": np.ones(2)}
    status, found = compared(old, {"w": np.full(2, 2.0)})
    assert (status, len(found["removed"]), names(found["added"])) == (1, 2, ["w"])


def test_renames_of_the_user(compared: Any) -> None:
    old = {"encoder.0.w": np.ones(2), "encoder2.w": np.zeros(2)}
    new = {"body.encoder.0.w": np.full(2, 3.0), "encoder2.w": np.zeros(2)}
    assert names(compared(old, new)[1]["removed"]) == ["encoder.0.w"]
    status, found = compared(old, new, "--rename", "encoder=body.encoder")
    assert (status, names(found["changed"]), found["same"]) == (1, ["body.encoder.0.w"], 1)


def test_among_equal_bytes_the_likest_name_is_the_renamed_one(compared: Any) -> None:
    zeros = np.zeros(3)
    old = {"old.norm.bias": zeros, "old.fc.bias": zeros}
    found = compared(old, {"new.fc.bias": zeros, "new.norm.bias": zeros})[1]
    assert {(entry["old_name"], entry["name"]) for entry in found["renamed"]} == {
        ("old.norm.bias", "new.norm.bias"),
        ("old.fc.bias", "new.fc.bias"),
    }


def test_patterns(compared: Any) -> None:
    old = {"body.w": np.zeros(2), "head.w": np.zeros(2)}
    new = {"body.w": np.ones(2), "head.w": np.zeros(2)}
    assert compared(old, new, "--only", "head.**")[0] == 0
    assert compared(old, new, "--only", "head.**")[1]["left_out"] == 2
    assert compared(old, new, "--ignore", "body.**")[0] == 0
    assert compared(old, new, "--ignore", "head.**")[0] == 1


def test_a_pattern_that_matches_nothing_is_no_proof(tmp_path: Path, call: Any) -> None:
    safetensors.numpy.save_file({"head.w": np.zeros(2)}, tmp_path / "w.safetensors")
    found = call("diff", tmp_path / "w.safetensors", tmp_path / "w.safetensors", "--only", "hed.*")
    assert found.status == 2
    assert "no tensor matches hed.*" in found.err


def test_quiet_prints_nothing(tmp_path: Path, call: Any) -> None:
    safetensors.numpy.save_file({"w": np.zeros(2)}, tmp_path / "old.safetensors")
    safetensors.numpy.save_file({"w": np.ones(2)}, tmp_path / "new.safetensors")
    assert call("diff", tmp_path / "old.safetensors", tmp_path / "new.safetensors", "--quiet") == (1, "", "")


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_the_report_says_what_changed_and_ends_with_the_verdict(form: str, tmp_path: Path, call: Any) -> None:
    old = {f"layers.{index}.w": np.zeros((4, 2), "f4") for index in range(32)}
    new = old | {"layers.7.w": np.ones((4, 2), "f4"), "head.w": np.ones(3)}
    safetensors.numpy.save_file(old, tmp_path / "old.safetensors")
    safetensors.numpy.save_file(new, tmp_path / "new.safetensors")
    lines = call("diff", tmp_path / "old.safetensors", tmp_path / "new.safetensors", "--format", form).out.splitlines()
    assert lines[-1].strip("*_ ") == "different: 1 changed, 1 added, 31 the same"
    assert any("layers.7.w" in line and "8 of 8" in line and "all" in line for line in lines)
    assert any("0–6, 8–31 ×31" in line for line in lines)  # the tree is folded


def test_exact_text(tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    safetensors.numpy.save_file({"w": np.array([1, 2], "f4")}, "old.safetensors")
    safetensors.numpy.save_file({"w": np.array([1, 4], "f4")}, "new.safetensors")
    rule = "─" * (120 - len("modules "))
    assert call("diff", "old.safetensors", "new.safetensors").out.splitlines() == [
        "old.safetensors → new.safetensors",
        "",
        f"modules {rule}",
        "module  state    tensors  values",
        "all     changed        1       2",
        "",
        f"changed {rule}",
        "tensor  type     shape  changed  rows  largest  relative",
        "w       float32  [2]     1 of 2  1           2         1",
        "",
        "different: 1 changed, 0 the same",
    ]


@pytest.mark.parametrize("same", [True, False])
def test_files_without_common_names_take_work_in_proportion(same: bool, tmp_path: Path) -> None:
    """Four times the tensors, whether their bytes are all the same or all different: not sixteen times the work."""
    calls = [_calls_of_diff(count, same, tmp_path) for count in (250, 1000)]
    assert calls[1] < 5 * calls[0]


def _calls_of_diff(count: int, same: bool, folder: Path) -> int:
    """How many functions, Python's own included, are called to compare two files that share no name."""
    for number, side in enumerate(("left", "right")):
        values = np.zeros(count, np.int64) if same else np.arange(count) + number * count
        state = {f"{side}.{index}": values[index : index + 1] for index in range(count)}
        safetensors.numpy.save_file(state, folder / f"{side}.safetensors")
    events: Counter[str] = Counter()
    with open_checkpoint(folder / "left.safetensors") as left, open_checkpoint(folder / "right.safetensors") as right:
        sys.setprofile(lambda frame, event, value: events.update([event]))
        found = compare(left, right)
        sys.setprofile(None)
    assert found.exit_status == 1
    return events["call"] + events["c_call"]
