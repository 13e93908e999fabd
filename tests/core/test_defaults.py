"""What nobody told is not claimed: a row, an event or a record that was just made says nothing."""

import dataclasses
import inspect
from collections.abc import Iterator
from typing import get_args

import msgspec
import pytest

from frostline.core import events, ledger, record, run
from frostline.core.events.fact import Origin
from frostline.core.facts import AnyFact, bits, flags, optimizers, tensors
from frostline.core.facts import run as runs

MODULES = (ledger, record, run, events, bits, flags, optimizers, runs, tensors)

# Where saying nothing is another value than nothing, and why.
EXPECTED = {
    "Holding.listed": True,  # what an optimizer holds it was given, unless it is told otherwise
    "TensorRow.registered": True,
    "TensorFound.registered": True,
    "TensorFound.role": "other",
    "TensorRow.id": -1,  # made by hand, and no number of a run
    "Movement.id": -1,
    "OptimizerRow.merged": 1,  # one optimizer is itself
    "Ledger.patience": 3,
    "Record.patience": 3,
    "Expected.patience": 3,
    "Changed.verdict": "unknown",
    "Owner.role": "other",
}
NOTHING = (None, False, 0, 0.0, "", (), [], {}, dataclasses.MISSING, msgspec.NODEFAULT, msgspec.UNSET)


def defaults() -> Iterator[tuple[str, object]]:
    """Every field of every row, event and record, and what it is when nothing is said."""
    for module in MODULES:
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ != module.__name__:
                continue
            if dataclasses.is_dataclass(kind):
                for field in dataclasses.fields(kind):
                    if field.default_factory is dataclasses.MISSING:
                        yield f"{name}.{field.name}", field.default
            elif issubclass(kind, msgspec.Struct):
                for each in msgspec.structs.fields(kind):
                    yield f"{name}.{each.name}", each.default


DEFAULTS = dict(defaults())


@pytest.mark.parametrize("field", DEFAULTS)
def test_a_field_says_nothing_until_it_is_told(field: str) -> None:
    value = DEFAULTS[field]
    if field in EXPECTED:
        assert value == EXPECTED[field]
    else:
        assert any(value is nothing or (type(value) is type(nothing) and value == nothing) for nothing in NOTHING)


@pytest.mark.parametrize("kind", [*get_args(AnyFact), Origin])
def test_a_fact_cannot_be_changed(kind: type[msgspec.Struct]) -> None:
    assert kind.__struct_config__.frozen


def test_a_fact_is_stored_by_its_name_without_what_it_does_not_say() -> None:
    assert msgspec.json.encode(events.StepCompiled(step=0, model="Net")) == (
        b'{"fact":"StepCompiled","step":0,"model":"Net"}'
    )


def test_every_exception_is_a_field() -> None:
    assert EXPECTED.keys() <= DEFAULTS.keys()
    assert len(DEFAULTS) > 150
