"""One optimizer of Keras in one situation: a layer is frozen, and training goes on with the head beside it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers

from studies.cells import Cell, first_line
from studies.measuring import Bytes, Trial, measure

BACKEND = keras.backend.backend()
ABSTRACT = ("Optimizer", "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap")
SWITCHES: dict[str, dict[str, Any]] = {
    "": {},
    "weight_decay": {"weight_decay": 0.1},
    "use_ema": {"use_ema": True, "ema_overwrite_frequency": 1},
}


def subjects() -> dict[str, Callable[[], Any]]:
    """Every optimizer with each switch that it takes; those that only wrap others are left to their own."""
    found: dict[str, Callable[[], Any]] = {}
    for name in sorted(dir(keras.optimizers)):
        kind = getattr(keras.optimizers, name)
        if not isinstance(kind, type) or not issubclass(kind, keras.optimizers.Optimizer) or name in ABSTRACT:
            continue
        taken = inspect.signature(kind.__init__).parameters
        momentum = {"momentum": 0.9} if "momentum" in taken else {}
        for switch, options in SWITCHES.items():
            if all(key in taken or "kwargs" in taken for key in options):
                found[f"keras.optimizers.{name} {switch}".strip()] = partial(
                    kind, learning_rate=0.01, **momentum, **options
                )
    return found


def run(question: dict[str, str]) -> dict[str, Any]:
    """The cell of ``{"subject", "situation"}``, or with ``names`` all that there are."""
    if question.get("names"):
        return {"names": list(subjects()), "situations": list(SITUATIONS), "wrappers": list(ABSTRACT)}
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)
    cell = Cell(question["subject"], question["situation"], BACKEND)
    try:
        model = _model()
        stages = partial(SITUATIONS[cell.situation], model, subjects()[cell.subject])
        measure(cell, Trial(stages, partial(_read, model), _held, (model,)))
    except Exception as error:
        cell.refused = first_line(error)
    return cell.as_data()


def _model() -> Any:
    inputs = keras.Input((4,))
    hidden = layers.Dense(4, name="subject", use_bias=False)(inputs)
    return keras.Model(inputs, layers.Dense(1, name="head", use_bias=False)(hidden), name="model")


def _fit(model: Any) -> None:
    random = np.random.default_rng(0)
    data, targets = random.random((16, 4)), random.random((16, 1))
    model.fit(data, targets, batch_size=4, epochs=2, verbose=0, shuffle=False)


def _read(model: Any) -> Bytes:
    arrays = {each.path: np.array(keras.ops.convert_to_numpy(each)) for each in model.variables}
    return {name: (array.shape, array.tobytes()) for name, array in arrays.items()}


def _held(name: str) -> bool:
    return "subject" in name.replace("/", ".").split(".")


def _first(model: Any, optimizer: Callable[[], Any]) -> Iterator[None]:
    model.get_layer("subject").trainable = False
    model.compile(optimizer(), "mse")
    yield
    _fit(model)


def _after_fit(model: Any, optimizer: Callable[[], Any]) -> Iterator[None]:
    model.compile(optimizer(), "mse")
    _fit(model)
    model.get_layer("subject").trainable = False
    yield
    _fit(model)


def _compiled_again(model: Any, optimizer: Callable[[], Any], *, same: bool) -> Iterator[None]:
    used = optimizer()
    model.compile(used, "mse")
    _fit(model)
    model.get_layer("subject").trainable = False
    model.compile(used if same else optimizer(), "mse")
    yield
    _fit(model)


SITUATIONS: dict[str, Callable[..., Iterator[None]]] = {
    "frozen first": _first,
    "frozen after a fit": _after_fit,
    "compiled again, same optimizer": partial(_compiled_again, same=True),
    "compiled again, new optimizer": partial(_compiled_again, same=False),
}
