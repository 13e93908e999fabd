"""PEFT's own status of adapters: which are there, active, enabled, trainable."""

from __future__ import annotations

from collections.abc import Iterable

from bench.rivals.complaint import Complaint
from bench.rivals.rival import CannotLook, Rival
from bench.rivals.scene import Scene


class Peft(Rival):
    """It judges nothing but "irregular": a reader who knows what was meant compares the flags with it."""

    name = "PEFT status"
    distribution = "peft"
    looks_at = "flags of the adapters of a PEFT model"
    moments = ("end",)
    used = "get_layer_status, get_model_status"

    def look(self, scene: Scene) -> Iterable[Complaint]:
        from peft import get_layer_status, get_model_status

        try:
            layers, model = get_layer_status(scene.model), get_model_status(scene.model)
        except (ValueError, TypeError) as error:
            raise CannotLook("no adapters of PEFT in the model") from error
        for adapter, flag in model.requires_grad.items():
            if flag == "irregular":
                yield Complaint(f"requires_grad of {adapter} is irregular")
        for layer in layers:
            for adapter, flag in layer.requires_grad.items():
                for part in ("lora_A", "lora_B"):
                    row = f"{scene.name}.base_model.{layer.name}.{part}.{adapter}.weight"
                    yield Complaint("", (row,), shown="trainable" if flag else "frozen")
