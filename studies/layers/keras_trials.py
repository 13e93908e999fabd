"""One class of keras.layers in one situation: built into a small model, frozen, trained for a few steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
    if question.get("names"):
        return {"names": sorted(classes())}
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
    return cell.as_data()


CENSUS = "census"


def _census(cell: Cell) -> None:
    """Make the layer, call it once, and count what it owns."""
    wanted = recipe(cell.subject)
    layer = _around(made(cell.subject), wanted)
    inputs = samples(wanted, 2)
    if cell.subject not in ("InputLayer",):
        _call(layer, inputs, wanted)
    cell.size = _size(each for each in layer.variables if not _is_generator(each))
    cell.state = _size(each for each in layer.variables if _is_generator(each))
    cell.facts = {
        "lora": hasattr(layer, "enable_lora"),
        "quantises": type(layer).quantize is not layers.Layer.quantize,
        "recurrent": isinstance(layer, layers.RNN) and not wanted.cell,
    }


def _size(variables: Iterable[Any]) -> int:
    return sum(int(np.prod(each.shape)) for each in variables)


def _is_generator(variable: Any) -> bool:
    """Whether the variable is the state of a random generator, which moves by being used."""
    return "seed_generator" in variable.path


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
    subject: str,
    *,
    wrapper: Callable[[Any], Any] | None = None,
    container: dict[str, Any] | None = None,
    frozen: bool = False,
    **more: Any,
) -> Built:
    """The model: the inputs, the layer (in a wrapper, in a container), a head of one unit."""
    wanted = recipe(subject)
    frames = 3 if wrapper is layers.TimeDistributed else 0
    layer = made(subject, **({} if wanted.cell or wrapper else {"name": "subject"}), **more)
    if frozen:
        layer.trainable = False
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
    return _bytes(each for each in built.model.variables if not _is_generator(each))


def _bytes(variables: Iterable[Any]) -> Bytes:
    arrays = {
        f"{index}/{each.path}": np.array(keras.ops.convert_to_numpy(each)) for index, each in enumerate(variables)
    }
    return {name: (array.shape, array.tobytes()) for name, array in arrays.items()}


# Situations ----------------------------------------------------------------------------------------------------------


def _everything(name: str) -> bool:
    """All of the subject: what does not belong to the head."""
    return "head" not in name.replace("/", ".").split(".")


def _nothing(_name: str) -> bool:
    return False


def _tables(name: str) -> bool:
    return _everything(name) and name.replace("/", ".").rpartition(".")[2] in TABLES


def _of_layer(name: str) -> bool:
    return _everything(name) and "vector_u" not in name


def _trained(
    cell: Cell,
    built: Built,
    held: Callable[[str], bool] = _everything,
    freeze: Callable[[], None] | None = None,
    *,
    before: bool = True,
    expected: tuple[str, ...] = (),
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
    generators = [each for each in built.model.variables if _is_generator(each)]
    states = _bytes(generators)
    measure(cell, Trial(stages, lambda: _read(built), held, (built.model,), expected))
    cell.state = _size(generators)
    cell.facts["state_moved"] = bool(generators) and _bytes(generators) != states


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


def _frozen_then_wrapped(wrapper: Callable[[Any], Any]) -> Callable[[Cell], None]:
    def situation(cell: Cell) -> None:
        _trained(cell, _build(cell.subject, wrapper=wrapper, frozen=True), _of_layer)

    return situation


def _wrapper_frozen(wrapper: Callable[[Any], Any]) -> Callable[[Cell], None]:
    def situation(cell: Cell) -> None:
        built = _build(cell.subject, wrapper=wrapper)
        _trained(cell, built, freeze=_off(built.outer))

    return situation


def _original_frozen(cell: Cell) -> None:
    """Bidirectional trains copies of the layer that it is given; what the script still holds is not in the model."""
    built = _build(cell.subject, wrapper=layers.Bidirectional)
    _trained(cell, built, freeze=_off(built.layer), expected=("**.subject.**",))


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

    expected = tuple(f"**.subject.{name}" for name in TABLES if hasattr(built.layer, f"_{name}"))
    _trained(cell, built, _tables, freeze, expected=expected)


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
    "frozen, in TimeDistributed": _frozen_then_wrapped(layers.TimeDistributed),
    "TimeDistributed frozen": _wrapper_frozen(layers.TimeDistributed),
    "frozen, in SpectralNormalization": _frozen_then_wrapped(layers.SpectralNormalization),
    "SpectralNormalization frozen": _wrapper_frozen(layers.SpectralNormalization),
    "frozen, in Bidirectional": _frozen_then_wrapped(layers.Bidirectional),
    "Bidirectional frozen": _wrapper_frozen(layers.Bidirectional),
    "layer given to Bidirectional frozen": _original_frozen,
    "LoRA": _lora,
    "LoRA, then frozen": _lora_frozen,
    "LoRA, off and on": _lora_off_and_on,
    "int8": _quantised("int8"),
    "int4": _quantised("int4"),
    "float8": _quantised("float8"),
}
