"""Whole scripts: the callback of Keras on each backend, and an Accelerate loop under ``frostline run`` unchanged."""

import subprocess
import sys
from pathlib import Path

import pytest
from corpus.running import in_keras

from frostline.judging import load

SCRIPTS = Path(__file__).parent / "scripts"


@pytest.mark.parametrize("backend", [
    pytest.param("jax", marks=pytest.mark.needs("keras", "jax")),
    pytest.param("torch", marks=pytest.mark.needs("keras", "torch")),
    pytest.param("tensorflow", marks=pytest.mark.needs("keras", "tensorflow")),
])  # fmt: skip
def test_the_callback_of_keras(backend: str, tmp_path: Path) -> None:
    done = in_keras(backend, [str(SCRIPTS / "keras_callback.py")], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "bits kept True", "8 385 [] []", "still of fit 8", "M501 expected-frozen-but-changed",
    ]  # fmt: skip
    assert done.stderr.count("frostline: no contradiction found") == 1


@pytest.mark.needs("torch", "transformers", "peft", "accelerate")
def test_a_loop_of_accelerate_with_peft(tmp_path: Path) -> None:
    expected = ["--frozen", "**.base_layer.**", "--frozen", "**.embeddings.**", "--trained", "**.lora_*.**"]
    data = tmp_path / "record.json"
    run = ["-m", "frostline", "run", "--quiet", "--fail-on", "warning", "--data", str(data)]
    command = [sys.executable, *run, *expected, str(SCRIPTS / "accelerated.py")]
    subprocess.run(command, check=True, timeout=300)
    changed = [row.name for row in load(data).tensors if row.changed.verdict == "yes"]
    assert len(changed) == 2 * 2 * 2 + 2
    assert all("lora_" in name or "modules_to_save" in name for name in changed)
