"""What ``jax.vjp`` pulls back is a gradient like another; updates without any gradient have to be applied by optax."""

from pathlib import Path

import pytest
from corpus.running import in_jax
from jax_running import NEEDS, SCRIPTS, observed, plainly

pytestmark = NEEDS
WEIGHTS = {"params.body.kernel", "params.body.bias", "params.head.kernel"}
HEAD = "params.head.kernel"
UPDATED_BY = {"compiled": "train_step", "plain": "updates by hand", "gradients": "updates by hand"}
SAID = {"compiled": "gradient-not-used", "plain": "trainable-but-unchanged", "gradients": "trainable-but-unchanged"}


@pytest.mark.parametrize("way", UPDATED_BY)
def test_what_is_trained_by_it_is_seen(way: str, tmp_path: Path) -> None:
    seen = observed("pullbacks.py", tmp_path, way)
    assert seen.printed == plainly("pullbacks.py", way)
    assert seen.columns == {name: (True, [UPDATED_BY[way]], "yes") for name in WEIGHTS}
    assert seen.rules == {}
    assert seen.record.run.faults == []


@pytest.mark.parametrize("way", UPDATED_BY)
def test_a_gradient_that_goes_nowhere_is_told(way: str, tmp_path: Path) -> None:
    seen = observed("pullbacks.py", tmp_path, way, "bug")
    assert {name: row[2] for name, row in seen.columns.items()} == dict.fromkeys(WEIGHTS, "yes") | {HEAD: "no"}
    assert [(finding.rule, finding.tensors) for finding in seen.record.findings] == [(SAID[way], [HEAD])]
    assert all("run_eagerly" not in finding.hint for finding in seen.record.findings)


@pytest.mark.parametrize(("way", "optimizer"), [("compiled-applied", "evolve"), ("plain-applied", "optimizer")])
def test_changes_without_a_gradient_are_seen_where_optax_applies_them(way: str, optimizer: str, tmp_path: Path) -> None:
    seen = observed("pullbacks.py", tmp_path, way)
    assert seen.columns == {name: (True, [optimizer], "yes") for name in WEIGHTS}
    assert seen.rules == {}


def test_where_nothing_applies_them_it_is_said_what_to_do(tmp_path: Path) -> None:
    done = in_jax(["-m", "frostline", "run", str(SCRIPTS / "pullbacks.py"), "compiled-evolve"], tmp_path)
    assert done.returncode == 0
    said, hint = done.stderr.splitlines()[:2]
    assert said == "frostline: no model was found in the run"
    assert "optax.apply_updates(weights, changes)" in hint
