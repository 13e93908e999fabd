"""What examples/ci shows is valid by the rules of those who read it, and its commands are really run."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from page_examples import ROOT, blocks_of, environment

WORKFLOW = ROOT / "examples" / "ci" / "frostline.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
CONFIG = ROOT / "examples" / "ci" / "pre-commit-config.yaml"
SUBJECT = ["base.safetensors", "weights.lock"]

TRAIN = """
import torch
model = torch.nn.Sequential(torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))
model[0].requires_grad_(False)
{more}
optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1)
for step in range(8):
    optimizer.zero_grad()
    model(torch.randn(16, 4)).square().mean().backward()
    optimizer.step()
"""
GH = '#!/bin/sh\necho "$@" > gh-was-asked\ncat "$7" > gh-was-given\n'


def valid(schema: str, path: Path) -> bool:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    return subprocess.run(command, capture_output=True).returncode == 0


def steps() -> list[dict]:
    (job,) = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"].values()
    return job["steps"]


def test_the_page_shows_the_files_themselves() -> None:
    text = (ROOT / "docs" / "guides" / "ci.md").read_text("utf-8")
    shown = {block.file: block.body for block in blocks_of(text)}
    assert shown[".github/workflows/frostline.yml"] == WORKFLOW.read_text("utf-8")
    assert shown[".pre-commit-config.yaml"] == CONFIG.read_text("utf-8")


@pytest.mark.needs("check_jsonschema")
def test_the_workflow_is_one_by_the_published_schema(tmp_path: Path) -> None:
    assert valid("vendor.github-workflows", WORKFLOW)
    planted = tmp_path / "planted.yml"
    planted.write_text(WORKFLOW.read_text("utf-8").replace("runs-on:", "run-on:"), "utf-8")
    assert not valid("vendor.github-workflows", planted)


def test_the_workflow_asks_for_no_more_than_it_needs() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    granted = {"contents": "read", "pull-requests": "write", "security-events": "write"}
    assert workflow["permissions"] == granted
    assert all(re.fullmatch(r"[\w.-]+(/[\w.-]+)+@v\d+", step["uses"]) for step in steps() if "uses" in step)
    assert not any("${{" in step.get("run", "") for step in steps())  # nothing of a pull request becomes code


@pytest.mark.needs("torch")
@pytest.mark.parametrize(("more", "status"), [("model[0].eval()", 0), ("", 1)])
def test_every_step_of_the_workflow_that_can_run_here_runs(more: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN.format(more=more), "utf-8")
    variables = environment(tmp_path)
    (tmp_path / ".tools" / "gh").write_text(GH, "utf-8")
    (tmp_path / ".tools" / "gh").chmod(0o755)
    variables |= {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"), "GH_TOKEN": "none", "PULL_REQUEST": "7"}
    scripts = [step["run"] for step in steps() if "run" in step]
    assert len(scripts) == 5
    left = [subprocess.run(["bash", "-e", "-c", one], cwd=tmp_path, env=variables).returncode for one in scripts]
    assert left == [0, 0, 0, 0, status]
    uploaded = [step["with"] for step in steps() if "with" in step]
    assert all((tmp_path / path).is_file() for path in uploaded[-1]["path"].split())
    (run,) = json.loads((tmp_path / uploaded[-2]["sarif_file"]).read_text("utf-8"))["runs"]
    assert ["F107"] * status == [one["ruleId"] for one in run["results"] if one["level"] == "error"]
    asked = (tmp_path / "gh-was-asked").read_text("utf-8").split()
    assert asked == ["pr", "comment", "7", "--edit-last", "--create-if-none", "--body-file", "comment.md"]
    comment = (tmp_path / "gh-was-given").read_text("utf-8")
    assert comment == (tmp_path / "summary.md").read_text("utf-8")
    assert ("F107" in comment) is bool(status)


@pytest.mark.needs("pre_commit")
@pytest.mark.parametrize(("kind", "path"), [("manifest", HOOKS), ("config", CONFIG)])
def test_the_files_for_pre_commit_are_valid(kind: str, path: Path, tmp_path: Path) -> None:
    planted = tmp_path / "planted.yaml"
    planted.write_text(path.read_text("utf-8").replace("id:", "name:"), "utf-8")
    command = [sys.executable, "-m", "pre_commit", f"validate-{kind}"]
    assert subprocess.run([*command, path]).returncode == 0
    assert subprocess.run([*command, planted], stdout=subprocess.DEVNULL).returncode == 1


def published(folder: Path, git: Callable[..., subprocess.CompletedProcess[str]]) -> str:
    """A repository of what users get from ours, made where pre-commit can clone it; its revision."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, folder / name)
    git("init", "-q", cwd=folder)
    git("add", "-A", cwd=folder)
    git("commit", "-q", "-m", "all", cwd=folder)
    return git("rev-parse", "HEAD", cwd=folder).stdout.strip()


@pytest.mark.needs("pre_commit", "safetensors")
def test_a_commit_that_changes_locked_weights_is_refused(tmp_path: Path) -> None:
    """As users have it: pre-commit clones the repository and builds the hook an environment of its own."""
    variables = environment(tmp_path) | {
        "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.c",
        "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.c", "PRE_COMMIT_HOME": str(tmp_path / "home"),
    }  # fmt: skip
    repository = tmp_path / "repository"
    repository.mkdir()

    def git(*arguments: str, cwd: Path = repository) -> subprocess.CompletedProcess[str]:
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=cwd, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    revision = published(tmp_path / "frostline", git)
    config = yaml.safe_load(CONFIG.read_text("utf-8"))
    config["repos"][0] |= {"repo": str(tmp_path / "frostline"), "rev": revision}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    save(repository, body=0.0, head=0.0)
    lock = ["frostline", "lock", SUBJECT[0], "-o", SUBJECT[1]]
    subprocess.run(lock, cwd=repository, env=variables, check=True)
    git("init", "-q")
    subprocess.run([sys.executable, "-m", "pre_commit", "install"], cwd=repository, env=variables, check=True)

    def commit() -> subprocess.CompletedProcess[str]:
        git("add", "-A")
        return git("commit", "-q", "-m", "weights")

    first = commit()
    assert first.returncode == 0, first.stdout
    save(repository, body=0.0, head=1.0)  # what may differ
    assert commit().returncode == 0
    save(repository, body=1.0, head=1.0)
    done = commit()
    assert done.returncode == 1
    assert "body.weight" in done.stdout
    assert git("log", "--oneline").stdout.count("\n") == 2


def save(folder: Path, **values: float) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    save_file({f"{name}.weight": np.full(4, value, "f4") for name, value in values.items()}, folder / SUBJECT[0])
