"""The files that docs/checkpoints.md speaks of."""

from pathlib import Path

import numpy as np
import safetensors.numpy


def write(folder: Path) -> None:
    """A base, a fine-tune of it under a wrapper's names, and an adapter beside and around it."""
    import torch

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
