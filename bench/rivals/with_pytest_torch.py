"""pytest-torch: assertions about a model, an optimizer and a batch, for a project's tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench.rivals.complaint import Complaint, named_in
from bench.rivals.rival import Rival, checked
from bench.rivals.scene import Scene

from frostline.core.names.patterns import matches


class PytestTorch(Rival):
    """Its three assertions that concern what is trained; the loops are its own, on a copy of the model."""

    name = "pytest-torch"
    distribution = "pytest-torch"
    looks_at = "a copy of one model, trained by its own loop on one batch; optimizers' lists"
    used = "assert_optimizer_coverage, assert_all_params_receive_grad, assert_frozen"

    def look(self, scene: Scene) -> Iterable[Complaint]:
        return checked(_coverage(scene), _gradients(scene), _frozen(scene))


def _coverage(scene: Scene) -> Iterator[Complaint]:
    from pytest_torch import assert_optimizer_coverage

    try:
        assert_optimizer_coverage(scene.model, scene.optimizers)
    except AssertionError as error:
        # with several optimizers, each is bound to hold tensors that are not this model's
        theirs = "aren't parameters of the model" in str(error) and len(scene.optimizers) > 1
        yield from _said(error, scene, loud=not theirs)


def _gradients(scene: Scene) -> Iterator[Complaint]:
    from pytest_torch import assert_all_params_receive_grad

    try:
        assert_all_params_receive_grad(scene.model, scene.inputs, scene.loss)
    except AssertionError as error:
        yield from _said(error, scene)


def _frozen(scene: Scene) -> Iterator[Complaint]:
    from pytest_torch import assert_frozen

    chosen = _frozen_patterns(scene)
    if not chosen:
        return
    try:
        assert_frozen(scene.model, scene.inputs, scene.loss, chosen, optimizer=_same(scene), steps=3)
    except AssertionError as error:
        yield from _said(error, scene)


def _frozen_patterns(scene: Scene) -> list[str]:
    """What was meant to be frozen, the modules whose every parameter is, and the single ones."""
    parameters = dict(scene.model.named_parameters())
    chosen = {name for name in parameters for pattern in scene.frozen if matches(pattern, f"{scene.name}.{name}")}
    chosen |= {name for name, parameter in parameters.items() if not parameter.requires_grad}
    for name, module in scene.model.named_modules():
        below = [f"{name}.{inner}" for inner, _ in module.named_parameters()]
        if name and below and set(below) <= chosen:
            chosen.add(f"{name}.*")
    return sorted(chosen)


def _same(scene: Scene):
    """The script's kind of optimizer with its settings, over whatever the assertion hands it."""
    kind, settings = type(scene.optimizer), scene.optimizer.defaults
    return (lambda parameters: kind(parameters, **settings)) if kind.__module__.startswith("torch.optim") else None


def _said(error: AssertionError, scene: Scene, *, loud: bool = True) -> Iterator[Complaint]:
    names = [name for name, _ in (*scene.model.named_parameters(), *scene.model.named_buffers())]
    yield Complaint(str(error)[:300], named_in(str(error), names, scene.name), loud)
