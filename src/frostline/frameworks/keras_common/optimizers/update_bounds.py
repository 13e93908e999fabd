"""How large the steps of Keras's optimizers can be, from what they keep."""

from __future__ import annotations

from typing import Any

import numpy as np

from frostline.digest.floats import FLOATS, Float
from frostline.digest.shift import update_in_ulp
from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.frameworks.keras_common.optimizers.captured_step import Capture
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable
from frostline.observe.protocols import Unreadable

# Divide the gradient by its own size: no element moves by more than a few times the rate.
NORMALISING = {"Adam", "AdamW", "Nadam", "Adamax", "RMSprop", "Lion"}
LARGEST_NORMALISED = 10.0
ROUNDING = 1.01
BY_TWO_MOMENTS = {"Adam", "AdamW"}  # the first moment, over the root of the second and a small constant


def is_plain_descent(optimizer: Any, variable: Any, dialect: Dialect) -> bool:
    """Whether the optimizer takes the rate times the gradient and keeps nothing."""
    return "SGD" in _kinds(optimizer, dialect) and not dialect.optimizers.slots(optimizer, variable)


def update_in_units(entry: NamedVariable, capture: Capture | None, dialect: Dialect) -> float | None:
    """A bound of the last step's update, in units in the last place of the weights; None where nothing gives one."""
    reference = capture.optimizers.get(id(entry.variable)) if capture is not None else None
    optimizer = reference() if reference is not None else None
    if optimizer is None or entry.row.dtype not in FLOATS:
        return None
    try:
        bound = _bound(entry, optimizer, dialect)
    except Unreadable:
        return None
    return None if bound is None else in_units(entry, bound)


def in_units(entry: NamedVariable, update: Any) -> float | None:
    """The largest of these changes (one for all, or one for each number) in units in the last place of the weights."""
    if entry.row.dtype not in FLOATS:
        return None
    try:
        changes = np.broadcast_to(np.asarray(update, np.float64).ravel(), entry.row.size)
        return update_in_ulp(entry.read(), np.ascontiguousarray(changes), entry.row.dtype, update_dtype="float64")
    except Unreadable:
        return None


def _bound(entry: NamedVariable, optimizer: Any, dialect: Dialect) -> Any:
    """Of each element, how far the step can have moved it, as float64."""
    rate, kinds = (
        dialect.optimizers.rate(optimizer, dialect.optimizers.part(optimizer, entry.variable)),
        _kinds(optimizer, dialect),
    )
    slots = [
        _values(dialect.read(slot), entry.row.dtype) for slot in dialect.optimizers.slots(optimizer, entry.variable)
    ]
    slots = [slot for slot in slots if slot.size == entry.row.size]
    if rate is None:
        return None
    if slots and NORMALISING & kinds:
        decayed = np.abs(_values(entry.read(), entry.row.dtype)) * (
            dialect.optimizers.decay(optimizer, entry.variable) or 0.0
        )
        normalised = _normalised(slots, optimizer, kinds, dialect)
        layout = FLOATS[entry.row.dtype]
        if BY_TWO_MOMENTS & kinds and layout.width == 16:
            slower = getattr(dialect.optimizers.inner(optimizer), "beta_2", None)
            normalised[_is_nothing(slots[0], rate, slower, layout)] = 0
        return (normalised + decayed) * rate
    if "SGD" not in kinds:
        return None
    if slots:
        return 2 * np.abs(slots[0])  # the velocity, which Nesterov's look ahead at most doubles
    _, content = dialect.gradient(entry.variable)
    return None if content is None else np.abs(_values(content, entry.row.dtype)) * rate


def _normalised(slots: list[Any], optimizer: Any, kinds: set[str], dialect: Dialect) -> Any:
    """How far a step of rate 1 moves each element at most: a gradient may be nothing beside Adam's small constant."""
    bound = np.any([slot != 0 for slot in slots], axis=0) * LARGEST_NORMALISED
    settings: list[Any] = [
        getattr(dialect.optimizers.inner(optimizer), name, None) for name in ("epsilon", "beta_1", "beta_2")
    ]
    if not BY_TWO_MOMENTS & kinds or len(slots) < 2 or not all(isinstance(each, float) for each in settings):
        return bound
    constant, slow, slower = map(float, settings)
    corrected = ROUNDING if slow <= slower else ROUNDING / (1 - slow)  # the most that the warm-up can make of it
    size = np.sqrt(np.maximum(slots[1], 0)) + constant
    return np.minimum(bound, np.divide(corrected * np.abs(slots[0]), size, out=bound.copy(), where=size > 0))


def _is_nothing(moment: Any, rate: float, slower: Any, layout: Float) -> Any:
    """Where Adam's step is zero because it is computed in the weights' own narrow type.

    Its warm-up multiplies by the root of 1 - beta_2 ** t, which is 0 where beta_2 rounds to 1; and the product of rate
    and moment may be less than the smallest number of the type.
    """
    if isinstance(slower, float) and 1 - slower < layout.below_one / 2:
        return np.ones_like(moment, bool)
    smallest = layout.smallest
    most = max(rate * ROUNDING, np.ceil(rate * ROUNDING / smallest) * smallest)
    return np.abs(moment) * most < smallest / 2


def _values(content: Any, dtype: str) -> Any:
    layout = FLOATS[dtype]
    return layout.values(np.frombuffer(content, f"<u{layout.width // 8}"))


def _kinds(optimizer: Any, dialect: Dialect) -> set[str]:
    """The names of the optimizer's class and of those it is made from."""
    return {kind.__name__ for kind in type(dialect.optimizers.inner(optimizer)).__mro__}
