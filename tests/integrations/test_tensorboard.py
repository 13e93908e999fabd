"""Scalars of a real run, read back with the reader of TensorBoard; they bring no framework along."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from frostline.errors import FrostlineError
from frostline.integrations import trackers
from frostline.settings import Settings

pytestmark = pytest.mark.needs("torch", "tensorboard")

# Momentum carries `drifting`, the updates of `rounded` are too small for bfloat16, `head` trains.
SCRIPT = """
import sys
import torch
from torch import nn

torch.manual_seed(0)
model = nn.ModuleDict({"drifting": nn.Linear(4, 4), "rounded": nn.Linear(4, 4).bfloat16(), "head": nn.Linear(4, 1)})
nn.init.ones_(model["rounded"].weight)
nn.init.ones_(model["rounded"].bias)
groups = [{"params": model["rounded"].parameters(), "lr": 1e-6}]
groups += [{"params": [*model["drifting"].parameters(), *model["head"].parameters()], "lr": 1e-2}]
optimizer = torch.optim.Adam(groups)
for step in range(8):
    if step == 3:
        model["drifting"].requires_grad_(False)
    optimizer.zero_grad(set_to_none=False)
    hidden = model["rounded"](model["drifting"](torch.randn(16, 4)).bfloat16()).float()
    model["head"](hidden).square().mean().backward()
    optimizer.step()
print(*sorted({"tensorflow", "jax", "keras"} & sys.modules.keys()))
"""


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "train.py").write_text(SCRIPT, "utf-8")
    return subprocess.run(
        [sys.executable, "-m", "frostline", "run", "--quiet", *arguments, "train.py"],
        cwd=folder, env=os.environ | variables, capture_output=True, text=True,
    )  # fmt: skip


def read_back(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        tag.removeprefix("frostline/"): [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def test_the_scalars_of_a_run_are_read_back(tmp_path: Path) -> None:
    done = run(tmp_path, "--tensorboard", "logs")
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")
    found = read_back(tmp_path / "logs")
    assert {tag.partition("/")[0] for tag in found} == {"changed", "below_one_ulp", "frozen_drift"}
    assert [step for step, _ in found["changed/model.head"]] == [1, 2, 4, 8]
    assert {value for _, value in found["changed/model.head"]} == {5.0}
    assert {value for _, value in found["changed/model.rounded"]} == {0.0}
    assert found["below_one_ulp/model.rounded"][-1] == (8, 20.0)
    assert {value for _, value in found["below_one_ulp/model.head"]} == {0.0}
    drift = [value for _, value in found["frozen_drift/model.drifting"]]
    assert drift[0] == 0.0
    assert drift[-1] == 20.0


def test_the_setting_asks_for_them_too_and_each_process_has_its_folder(tmp_path: Path) -> None:
    (tmp_path / "frostline.toml").write_text('tensorboard = "logs"\n', "utf-8")
    assert run(tmp_path, RANK="1", WORLD_SIZE="2").returncode == 0
    assert "changed/model.head" in read_back(tmp_path / "logs" / "rank1")


def test_a_folder_that_cannot_be_made_costs_the_scalars_only(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    done = run(tmp_path, "--tensorboard", "logs")
    assert (done.returncode, done.stdout) == (0, "\n")
    assert "writing scalars for TensorBoard" in (tmp_path / ".frostline.json").read_text("utf-8")


def test_without_the_writer_the_script_is_not_started(monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FrostlineError, match="not installed") as raised:
        trackers.require(Settings(tensorboard=Path("logs")))
    assert raised.value.hint == "pip install 'frostline[tensorboard]'"
    with pytest.raises(FrostlineError, match="wandb is not installed") as raised:
        trackers.require(Settings(track=("wandb",)))
    assert raised.value.hint == "pip install 'frostline[wandb]'"
    trackers.require(Settings())
