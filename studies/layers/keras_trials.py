"""One class of keras.layers in one situation: built into a small model, frozen, trained for a few steps."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

from studies.cells import Cell, first_line
from studies.layers.keras_recipes import Recipe, classes, made, recipe, samples
from studies.measuring import Bytes, Trial, measure

BACKEND = keras.backend.backend()
SAMPLES, BATCH = 12, 4
TABLES = ("kernel", "embeddings")


@dataclass
class Built:
    """A model around one layer.

    ``outer`` is what stands in the model: the layer, a wrapper around it, or a container that holds it.
    """

    model: Any
    layer: Any
    outer: Any
    data: list[np.ndarray]


def run(question: dict[str, str]) -> dict[str, Any]:
    """The cell of ``{"subject", "situation"}``, or its census: how many numbers the class owns."""
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)
    subject, situation = question["subject"], question["situation"]
    cell = Cell(subject, situation, BACKEND)
    try:
        if situation == CENSUS:
            _census(cell)
        else:
            SITUATIONS[situation](cell)
    except Exception as error:
        cell.refused = first_line(error)
    gc.collect()
    return cell.as_data()


CENSUS = "census"


def _census(cell: Cell) -> None:
    """Make the layer, call it once, and count what it owns."""
    wanted = recipe(cell.subject)
    layer = _around(made(cell.subject), wanted)
    inputs = samples(wanted, 2)
    if cell.subject not in ("InputLayer",):
        _call(layer, inputs, wanted)
    generators = [each for each in layer.variables if "seed_generator" in each.path]
    own = [each for each in layer.variables if not any(each is other for other in generators)]
    cell.numbers = sum(int(np.prod(each.shape)) for each in own)
    cell.state = sum(int(np.prod(each.shape)) for each in generators)
    cell.facts = {
        "lora": hasattr(layer, "enable_lora"),
        "quantises": type(layer).quantize is not layers.Layer.quantize,
        "recurrent": isinstance(layer, layers.RNN) and not wanted.cell,
    }


# Building ------------------------------------------------------------------------------------------------------------


def _around(layer: Any, wanted: Recipe) -> Any:
    return layers.RNN(layer, name="subject") if wanted.cell else layer


def _call(layer: Any, inputs: list[Any], wanted: Recipe) -> Any:
    if wanted.inputs == 1:
        return layer(inputs[0])
    return layer(*inputs) if wanted.spread else layer(inputs)


def _inputs(wanted: Recipe, frames: int) -> list[Any]:
    shape = (*((frames,) if frames else ()), *wanted.shape)
    dtype = "float32" if wanted.integers is None else "int32"
    return [keras.Input(shape, dtype=dtype) for _ in range(wanted.inputs)]


def _build(
    subject: str, *, wrapper: Callable[[Any], Any] | None = None, container: dict[str, Any] | None = None, **more: Any
) -> Built:
    """The model: the inputs, the layer (in a wrapper, in a container), a head of one unit."""
    wanted = recipe(subject)
    frames = 3 if wrapper is layers.TimeDistributed else 0
    layer = made(subject, **({} if wanted.cell or wrapper else {"name": "subject"}), **more)
    outer = wrapper(layer, name="subject") if wrapper else _around(layer, wanted)
    inputs = _inputs(wanted, frames)
    result = _call(outer, inputs, wanted)
    if container is not None:
        outer = keras.Model(inputs, result, name="body", **container)
        inputs = _inputs(wanted, frames)
        result = outer(inputs if len(inputs) > 1 else inputs[0])
    first = keras.tree.flatten(result)[0]
    flat = layers.Reshape((-1,), name="flat", dtype="float32")(first)
    model = keras.Model(inputs, layers.Dense(1, name="head")(flat), name="model")
    _compile(model)
    return Built(model, layer, outer, samples(wanted, SAMPLES, frames=frames))


def _compile(model: Any) -> None:
    model.compile(keras.optimizers.Adam(0.01), "mse")


def _fit(built: Built) -> None:
    targets = np.random.default_rng(1).random((SAMPLES, 1)).astype("float32")
    data = built.data if len(built.data) > 1 else built.data[0]
    built.model.fit(data, targets, batch_size=BATCH, epochs=1, verbose=0, shuffle=False)


def _read(built: Built) -> Bytes:
    read: Bytes = {}
    for index, variable in enumerate(built.model.variables):
        array = np.array(keras.ops.convert_to_numpy(variable.value))
        read[f"{index}/{variable.path}"] = (tuple(variable.shape), array.tobytes())
    return read


# Situations ----------------------------------------------------------------------------------------------------------


def _everything(name: str) -> bool:
    """All of the subject: what does not belong to the head, nor to a generator of random numbers."""
    return "head" not in name.replace("/", ".").split(".") and "seed_generator" not in name


def _nothing(_name: str) -> bool:
    return False


def _tables(name: str) -> bool:
    return _everything(name) and name.replace("/", ".").rpartition(".")[2] in TABLES


def _of_inner(name: str) -> bool:
    return _everything(name) and "vector_u" not in name


def _trained(
    cell: Cell,
    built: Built,
    held: Callable[[str], bool] = _everything,
    freeze: Callable[[], None] | None = None,
    *,
    before: bool = True,
    meant: tuple[str, ...] = (),
) -> None:
    """Freeze, train, measure; with ``before=False`` train, freeze, and train on without compiling again."""

    def stages() -> Iterator[None]:
        if not before:
            _fit(built)
        if freeze is not None:
            freeze()
        yield
        _fit(built)

    if before and freeze is not None:
        freeze()
        _compile(built.model)
    measure(cell, Trial(stages, lambda: _read(built), held, (built.model,), meant))


def _off(layer: Any) -> Callable[[], None]:
    def freeze() -> None:
        layer.trainable = False

    return freeze


def _control(cell: Cell) -> None:
    _trained(cell, _build(cell.subject), _nothing)


def _own_flag(cell: Cell) -> None:
    built = _build(cell.subject)
    _trained(cell, built, freeze=_off(built.layer))


def _in_container(cell: Cell) -> None:
    built = _build(cell.subject, container={})
    _trained(cell, built, freeze=_off(built.outer))


def _in_constructor(cell: Cell) -> None:
    _trained(cell, _build(cell.subject, trainable=False))


def _in_container_constructor(cell: Cell) -> None:
    _trained(cell, _build(cell.subject, container={"trainable": False}))


def _after_fit(cell: Cell) -> None:
    built = _build(cell.subject)
    _trained(cell, built, freeze=_off(built.layer), before=False)


def _wrapped(wrapper: Callable[[Any], Any], inner: bool) -> Callable[[Cell], None]:
    def situation(cell: Cell) -> None:
        built = _build(cell.subject, wrapper=wrapper)
        # A wrapper may work on a copy of the layer that it was given; what is frozen is the one that runs.
        _trained(cell, built, _of_inner if inner else _everything, _off(built.layer if inner else built.outer))

    return situation


def _lora(cell: Cell) -> None:
    built = _build(cell.subject)
    built.layer.enable_lora(2)
    _compile(built.model)
    _trained(cell, built, _tables)


def _lora_frozen(cell: Cell) -> None:
    built = _build(cell.subject)
    built.layer.enable_lora(2)
    _trained(cell, built, freeze=_off(built.layer))


def _lora_off_and_on(cell: Cell) -> None:
    built = _build(cell.subject)
    built.layer.enable_lora(2)

    def freeze() -> None:
        built.layer.trainable = False
        built.layer.trainable = True

    meant = tuple(f"**.subject.{name}" for name in TABLES if hasattr(built.layer, f"_{name}"))
    _trained(cell, built, _tables, freeze, meant=meant)


def _quantised(mode: str) -> Callable[[Cell], None]:
    def situation(cell: Cell) -> None:
        built = _build(cell.subject)
        built.layer.quantize(mode)
        _trained(cell, built, freeze=_off(built.layer))

    return situation


SITUATIONS: dict[str, Callable[[Cell], None]] = {
    "nothing frozen": _control,
    "own flag": _own_flag,
    "container": _in_container,
    "constructor": _in_constructor,
    "container's constructor": _in_container_constructor,
    "after a fit": _after_fit,
    "TimeDistributed, layer": _wrapped(layers.TimeDistributed, True),
    "TimeDistributed, wrapper": _wrapped(layers.TimeDistributed, False),
    "SpectralNormalization, layer": _wrapped(layers.SpectralNormalization, True),
    "SpectralNormalization, wrapper": _wrapped(layers.SpectralNormalization, False),
    "Bidirectional, layer": _wrapped(layers.Bidirectional, True),
    "Bidirectional, wrapper": _wrapped(layers.Bidirectional, False),
    "LoRA": _lora,
    "LoRA, then frozen": _lora_frozen,
    "LoRA, off and on": _lora_off_and_on,
    "int8": _quantised("int8"),
    "float8": _quantised("float8"),
}


def names() -> list[str]:
    """Every class that keras.layers has."""
    return sorted(classes())
