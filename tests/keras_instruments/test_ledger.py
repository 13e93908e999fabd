"""One toy model, one expected ledger: the columns are the same whatever carries the model."""

import re

import pytest
from running import GENERATIONS, Seen, observed

from frostline.core.events import SummaryPrinted

#          tensor                            kind         flag   held   changed
EXPECTED = {
    "model.frozen.hidden.kernel": ("parameter", False, False, "no"),
    "model.frozen.hidden.bias": ("parameter", False, False, "no"),
    "model.frozen.norm.gamma": ("parameter", False, False, "no"),
    "model.frozen.norm.beta": ("parameter", False, False, "no"),
    "model.frozen.norm.moving_mean": ("buffer", None, False, "no"),
    "model.frozen.norm.moving_variance": ("buffer", None, False, "no"),
    "model.live_norm.gamma": ("parameter", True, True, "yes"),
    "model.live_norm.beta": ("parameter", True, True, "yes"),
    "model.live_norm.moving_mean": ("buffer", None, False, "yes"),
    "model.live_norm.moving_variance": ("buffer", None, False, "yes"),
    "model.kept.kernel": ("parameter", False, False, "no"),
    "model.kept.bias": ("parameter", False, False, "no"),
    "model.head.kernel": ("parameter", True, True, "yes"),
    "model.head.bias": ("parameter", True, True, "yes"),
}


@pytest.fixture(scope="module", params=GENERATIONS)
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return observed("toy.py", request.param, tmp_path_factory.mktemp("toy"))


def test_the_toy_model_has_one_ledger(seen: Seen) -> None:
    found = {
        row.name: (
            row.kind,
            row.declared.trainable,
            any(holding.listed for holding in row.optimizers),
            row.changed.verdict,
        )
        for row in seen.record.tensors
    }
    assert found == EXPECTED
    assert {finding.severity for finding in seen.record.findings} <= {"note"}


def test_steps_checks_and_the_printed_numbers_are_told(seen: Seen) -> None:
    optimizer = seen.optimizer("model")
    assert (optimizer.kind, optimizer.steps_executed) == ("compiled-step", 3 * 5 + 1)
    assert optimizer.checks == [1, 2, 4, 8, 16]
    assert optimizer.holds == 4
    assert seen.row("frozen.hidden.kernel").name == "model.frozen.hidden.kernel"

    printed = [int(number.replace(",", "")) for number in re.findall(r"params: ([\d,]+)", seen.printed)]
    (event,) = seen.record.events_of(SummaryPrinted)
    assert [event.total, event.trainable, event.non_trainable] == printed
    assert event.flags_trainable == printed[1]
    assert len(event.tensors) == len(EXPECTED)
    assert seen.row("model.head.kernel").optimizers[0].lr == pytest.approx(0.01)
