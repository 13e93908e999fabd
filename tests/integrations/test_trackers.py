"""Runs that are told to Weights & Biases and to MLflow, both offline, and read back with their own readers."""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.needs("torch", "wandb", "mlflow")

# Momentum carries `body` on after it is frozen: an error. The script draws numbers, and says what it has of trackers.
SCRIPT = """
import sys
import torch
from torch import nn

torch.manual_seed(0)
model = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
begun = begin() if "begin" in globals() else None
hooks = sys.exit, sys.excepthook
for step in range(8):
    if step == 3:
        model["body"].requires_grad_(False)
    optimizer.zero_grad(set_to_none=False)
    loss = model["head"](model["body"](torch.randn(16, 4))).square().mean()
    loss.backward()
    optimizer.step()
    if begun:
        log(step)
print(torch.rand(1).item(), hooks == (sys.exit, sys.excepthook))
if begun:
    print(begun())
"""
WITH_BOTH = """
import mlflow, wandb

def begin():
    theirs = wandb.init(project="theirs", group="night"), mlflow.start_run()
    return lambda: (wandb.run is theirs[0], wandb.run.step, mlflow.active_run().info.run_id == theirs[1].info.run_id)

def log(step):
    wandb.log({"loss": 1.0}, step=step)
    mlflow.log_metric("loss", 1.0, step=step)
"""


@dataclass
class Offline:
    """What one run of Weights & Biases left on the disk."""

    job: str = ""
    project: str = ""
    group: str = ""
    history: dict[int, dict[str, Any]] = field(default_factory=dict)
    artifacts: list[str] = field(default_factory=list)
    folder: Path = Path()


def run(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "train.py").write_text(script, "utf-8")
    places = {name: str(folder / "theirs") for name in ("WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR")}
    offline = {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "MLFLOW_ALLOW_FILE_STORE": "true"}
    offline["MLFLOW_TRACKING_URI"] = (folder / "mlruns").as_uri()
    return subprocess.run(
        [sys.executable, "-m", "frostline", "run", "--quiet", *arguments, "train.py"],
        cwd=folder, env=os.environ | places | offline, capture_output=True, text=True,
    )  # fmt: skip


def written(content: bytes) -> Iterator[bytes]:
    """The records of a file of Weights & Biases: LevelDB's log in blocks of 32 KiB, after a header of 7 bytes."""
    at, begun = 7, b""
    while at + 7 <= len(content):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        length, kind = struct.unpack_from("<HB", content, at + 4)
        begun += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # the whole, or its last piece
            yield begun
            begun = b""


def offline_runs(folder: Path) -> Iterator[Offline]:
    from wandb.proto.wandb_internal_pb2 import Record

    for file in sorted(folder.glob("wandb/offline-run-*/*.wandb")):
        found = Offline(folder=file.parent)
        for data in written(file.read_bytes()):
            record = Record.FromString(data)
            if record.HasField("run"):
                found.job, found.project, found.group = record.run.job_type, record.run.project, record.run.run_group
            if record.HasField("artifact"):
                found.artifacts += [entry.path for entry in record.artifact.manifest.contents]
            if record.HasField("history"):
                items = {item.key or ".".join(item.nested_key): item.value_json for item in record.history.item}
                found.history[record.history.step.num] = {key: json.loads(value) for key, value in items.items()}
        yield found


def metrics(folder: Path, run_id: str, key: str) -> list[tuple[int, float]]:
    return [(each.step, each.value) for each in client(folder).get_metric_history(run_id, key)]


def client(folder: Path) -> Any:
    import mlflow

    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    return mlflow.MlflowClient((folder / "mlruns").as_uri())


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run without trackers of its own that was told to both."""
    folder = tmp_path_factory.mktemp("told")
    alone, done = run(folder, SCRIPT), run(folder, SCRIPT, "--track", "wandb", "--track", "mlflow")
    assert (done.returncode, done.stdout, done.stderr) == (0, alone.stdout, "")
    assert done.stdout.endswith("True\n")
    return folder


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder and the output of a run that logs into both trackers itself."""
    folder = tmp_path_factory.mktemp("beside")
    (folder / "frostline.toml").write_text('track = ["wandb", "mlflow"]\n', "utf-8")
    done = run(folder, WITH_BOTH + SCRIPT)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_wandb_has_the_scalars_the_findings_and_the_page(told: Path) -> None:
    (found,) = offline_runs(told)
    assert (found.job, found.project) == ("frostline", "frostline")
    head = {step: row["frostline/changed/model.head"] for step, row in found.history.items() if len(row) > 4}
    assert head == {1: 5, 2: 5, 4: 5, 8: 5}
    assert found.history[8]["frostline/frozen_drift/model.body"] == 20
    (table,) = found.folder.glob("files/media/table/frostline/findings*.json")
    rows = json.loads(table.read_text())
    assert rows["columns"] == ["severity", "code", "rule", "message", "tensors", "lines", "fix"]
    first = dict(zip(rows["columns"], rows["data"][0], strict=True))
    assert (first["severity"], first["code"]) == ("error", "F102")
    assert "frozen by train.py:13" in first["lines"]
    assert "frostline.html" in found.artifacts


def test_mlflow_has_the_metrics_the_findings_and_the_page(told: Path) -> None:
    (made,) = client(told).search_runs(["0"])
    run_id = made.info.run_id
    assert (made.info.status, made.info.run_name) == ("FINISHED", "frostline train.py")
    assert metrics(told, run_id, "frostline/changed/model.head") == [(1, 5.0), (2, 5.0), (4, 5.0), (8, 5.0)]
    assert metrics(told, run_id, "frostline/frozen_drift/model.body")[-1] == (8, 20.0)
    artifacts = told / "mlruns" / "0" / run_id / "artifacts" / "frostline"
    rows = json.loads((artifacts / "findings.json").read_text())
    assert rows["data"][0][:2] == ["error", "F102"]
    assert json.loads(made.data.tags["mlflow.loggedArtifacts"]) == [
        {"path": "frostline/findings.json", "type": "table"}
    ]
    page = (artifacts / "frostline.html").read_text("utf-8")
    assert "frozen-but-carried-by-momentum" in page
    assert "Why it matters" in page


def test_the_scripts_own_runs_keep_their_steps(beside: tuple[Path, str]) -> None:
    folder, output = beside
    assert output.endswith("(True, 7, True)\n")
    runs = {found.job: found for found in offline_runs(folder)}
    assert {step: row["loss"] for step, row in runs[""].history.items()} == dict.fromkeys(range(8), 1.0)
    assert (runs["frostline"].project, runs["frostline"].group) == ("theirs", "night")
    (theirs,) = client(folder).search_runs(["0"])
    assert len(metrics(folder, theirs.info.run_id, "loss")) == 8
    assert metrics(folder, theirs.info.run_id, "frostline/changed/model.head")[-1] == (8, 5.0)


def test_a_tracker_that_fails_costs_its_scalars_only(tmp_path: Path) -> None:
    (tmp_path / "mlruns").touch()
    done = run(tmp_path, SCRIPT, "--track", "mlflow")
    assert (done.returncode, done.stderr) == (0, "")
    assert "telling MLflow: " in (tmp_path / ".frostline.json").read_text("utf-8")
