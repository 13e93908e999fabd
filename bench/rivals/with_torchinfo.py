"""torchinfo: a table of layers with their counts and flags."""

from __future__ import annotations

from collections.abc import Iterable

from bench.rivals.complaint import Complaint
from bench.rivals.rival import Rival
from bench.rivals.scene import Scene


class Torchinfo(Rival):
    """It judges nothing: a reader who knows what was meant compares the column with it."""

    name = "torchinfo"
    distribution = "torchinfo"
    looks_at = "flags of the parameters of one model; runs a forward pass of its own"
    moments = ("end",)
    used = "summary(model, input_data=, col_names=(…, 'trainable'))"

    def look(self, scene: Scene) -> Iterable[Complaint]:
        from torchinfo import summary

        table = summary(
            scene.model,
            input_data=scene.args or None,
            col_names=("num_params", "trainable"),
            depth=12,
            verbose=0,
            **scene.kwargs,
        )
        where = {module: name for name, module in scene.model.named_modules()}
        for layer in table.summary_list:
            name = where.get(layer.module, "")
            if layer.is_leaf_layer or layer.module.__dict__["_parameters"]:
                for inner, _ in layer.module.named_parameters(recurse=False):
                    row = ".".join(part for part in (scene.name, name, inner) if part)
                    yield Complaint("", (row,), shown="frozen" if layer.trainable == "False" else "trainable")
