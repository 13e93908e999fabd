"""Every console example in docs/checkpoints.md prints what the page shows."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

PAGE = Path(__file__).parents[2] / "docs" / "checkpoints.md"


def examples() -> list[tuple[str, str]]:
    """Each command of the page with the output under it."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        for example in block.split("$ ")[1:]:
            command, _, output = example.partition("\n")
            found.append((command, output))
    return found


def write_files(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(0)
    parts = (("q_proj.weight", (8, 8)), ("norm.weight", (8,)))
    base = {f"layers.{i}.{n}": random.standard_normal(s).astype("f4") for i in range(4) for n, s in parts}
    base |= {
        "embed.weight": random.standard_normal((100, 8)).astype("f4"),
        "head.weight": random.standard_normal((10, 8)).astype("f4"),
    }
    safetensors.numpy.save_file(base, folder / "base.safetensors")
    tuned = {name: array.copy() for name, array in base.items()} | {"head.bias": np.zeros(10, "f4")}
    tuned["head.weight"][7:] += 0.01
    tuned["embed.weight"][[3, 98, 99]] += 0.5
    torch.save({f"module.{name}": torch.from_numpy(array) for name, array in tuned.items()}, folder / "tuned.pt")
    shapes = {"A": (2, 8), "B": (8, 2)}
    lora = {
        f"base_model.model.layers.{i}.q_proj.lora_{side}.weight": np.ones(shape, "f4")
        for i in range(4)
        for side, shape in shapes.items()
    }
    safetensors.numpy.save_file(lora, folder / "adapter_model.safetensors")
    inside = {"base_model.model." + name.replace("q_proj.", "q_proj.base_layer."): a for name, a in base.items()}
    safetensors.numpy.save_file(inside | lora, folder / "under_lora.safetensors")


@pytest.mark.needs("torch")
def test_the_examples_print_what_the_page_shows(tmp_path: Path) -> None:
    write_files(tmp_path)
    shell = f'frostline() {{ "{sys.executable}" -m frostline "$@"; }}; '
    found = examples()
    assert len(found) == 6
    for command, output in found:
        done = subprocess.run(["bash", "-c", shell + command], cwd=tmp_path, capture_output=True, text=True)
        assert done.stderr == ""
        if output:
            assert done.stdout == output
        else:
            assert done.returncode == 0, command
