"""torchtest2: one call that runs a battery of checks on one batch."""

from __future__ import annotations

from collections.abc import Iterable

from bench.rivals.complaint import Complaint, named_in
from bench.rivals.rival import CannotLook, Rival
from bench.rivals.scene import Scene

from frostline.core.names.patterns import matches

CONCERNED = ("optimizer_coverage", "gradient_flow", "params_change", "frozen_params")


class Torchtest2(Rival):
    """Of its checks, those that concern what is trained; the others are not held against it."""

    name = "torchtest2"
    distribution = "torchtest2"
    looks_at = "one model and one optimizer, one step on one batch, then restored"
    used = "check_model(model, inputs, targets, loss_fn=, optimizer=, frozen=)"

    def look(self, scene: Scene) -> Iterable[Complaint]:
        from torchtest2 import check_model

        names = [name for name, _ in scene.model.named_parameters()]
        frozen = [name for name in names for said in scene.frozen if matches(said, f"{scene.name}.{name}")]
        report = check_model(
            scene.model,
            scene.inputs,
            scene.targets,
            loss_fn=scene.loss_fn,
            optimizer=scene.optimizer,
            frozen=frozen,
            overfit_steps=0,
        )
        if report["forward"].status.value == "FAIL":
            raise CannotLook(report["forward"].message[:160])
        for result in report:
            if result.name in CONCERNED and result.status.value in ("FAIL", "WARN"):
                said = f"{result.name}: {result.message} {dict(result.details)}"
                yield Complaint(said[:300], named_in(said, names, scene.name), result.status.value == "FAIL")
