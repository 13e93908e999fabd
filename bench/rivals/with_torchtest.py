"""torchtest: do the variables change after one training step?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from bench.rivals.complaint import Complaint, named_in
from bench.rivals.rival import CannotLook, Rival, checked
from bench.rivals.scene import Scene

from frostline.core.names.patterns import matches


class Torchtest(Rival):
    """Its two assertions; both train the model they are given, which is why each gets a look of its own."""

    name = "torchtest"
    distribution = "torchtest"
    looks_at = "one model of one input and one optimizer, one step on one batch; parameters only"
    used = "assert_vars_change, assert_vars_same"

    def look(self, scene: Scene) -> Iterable[Complaint]:
        if scene.kwargs or len(scene.args) != 1 or not isinstance(scene.args[0], torch.Tensor):
            raise CannotLook("it calls the model with one tensor, and this one wants more")
        return checked(_changing(scene), _same(scene))


def _changing(scene: Scene) -> Iterator[Complaint]:
    from torchtest import assert_vars_change

    kept = set(_frozen(scene))
    expected = [(name, one) for name, one in scene.model.named_parameters() if one.requires_grad and name not in kept]
    if expected:
        yield from _asked(assert_vars_change, scene, expected)


def _same(scene: Scene) -> Iterator[Complaint]:
    from torchtest import assert_vars_same

    kept = set(_frozen(scene))
    if kept:
        yield from _asked(assert_vars_same, scene, [one for one in scene.model.named_parameters() if one[0] in kept])


def _asked(assertion, scene: Scene, parameters) -> Iterator[Complaint]:
    from torchtest.torchtest import VariablesChangeException

    loss_fn = scene.loss_fn or (lambda output, _target: scene.loss(output))
    targets = scene.targets if isinstance(scene.targets, torch.Tensor) else torch.zeros(1)
    try:
        assertion(scene.model, loss_fn, scene.optimizer, [scene.args[0], targets], "cpu", parameters)
    except VariablesChangeException as error:
        names = [name for name, _ in scene.model.named_parameters()]
        yield Complaint(str(error)[:300], named_in(str(error), names, scene.name))


def _frozen(scene: Scene) -> list[str]:
    return [
        name
        for name, parameter in scene.model.named_parameters()
        if not parameter.requires_grad or any(matches(said, f"{scene.name}.{name}") for said in scene.frozen)
    ]
