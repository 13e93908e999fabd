"""A slice of the study of layers, on real frameworks, and that no class is left out."""

import pytest
from studies.asking import NOT_RUN, Ask
from studies.cells import Cell
from studies.layers import page
from studies.layers.study import CENSUS, KERAS, MODULE, TORCH, of_torch, situations
from studies.progress import silently


@pytest.fixture(scope="module")
def ask():
    with Ask() as asking:
        yield asking


@pytest.mark.needs("keras", "torch")
@pytest.mark.parametrize(
    ("subject", "situation", "word"),
    [
        ("Dense", "own flag", "agrees"),
        ("Dense", "container's constructor", "F110"),
        ("MultiHeadAttention", "constructor", "F110"),
        ("Dense", "SpectralNormalization frozen", "F108"),
        ("Embedding", "LoRA, off and on", "M501"),
    ],
)
def test_a_layer_of_keras(ask, subject, situation, word):
    cell = ask.cell(KERAS, "torch", subject, situation)
    assert (cell.word, cell.doubts) == (word, [])


@pytest.mark.needs("keras", "torch")
def test_every_class_of_keras_layers_has_a_place_in_the_census(ask):
    keras = pytest.importorskip("keras")
    classes = [each for each in vars(keras.layers).values() if isinstance(each, type)]
    layers = {each for each in classes if issubclass(each, keras.layers.Layer)}
    names = ask.names(KERAS, "torch")
    assert {getattr(keras.layers, name) for name in names} == layers
    abstract = ask.cell(KERAS, "torch", "Layer", CENSUS)
    assert abstract.refused
    dense = ask.cell(KERAS, "torch", "Dense", CENSUS)
    assert dense.size == 15
    assert {"LoRA", "int8", "own flag"} <= set(situations(dense))


@pytest.mark.needs("torch")
def test_modules_of_torch_that_own_something_are_frozen_in_every_situation(ask):
    few = ("BatchNorm1d", "Linear", "ReLU")
    asked = Few(ask, few)
    cells = list(of_torch(asked, silently))
    words = {(cell.subject, cell.situation): cell.word for cell in cells}
    assert {cell.subject for cell in cells if cell.situation != CENSUS} == {"BatchNorm1d", "Linear"}
    assert words["Linear", "train mode"] == "agrees"
    assert words["BatchNorm1d", "train mode"] == "F107"
    assert words["BatchNorm1d", "eval mode"] == "agrees"
    text = page.text(cells, "today")
    assert "| train mode | F107 | were frozen and moved | 1 | BatchNorm1d (torch.nn) |" in text


class Few:
    """Asks about a few subjects only."""

    def __init__(self, ask, names):
        self.cell, self._names = ask.cell, list(names)

    def names(self, _module, _backend):
        return self._names


@pytest.mark.needs("torch")
def test_a_run_is_taken_up_where_it_ended_and_says_what_it_had_no_time_for():
    known = Cell("Linear", "train mode", MODULE, size=15)
    with Ask([known], minutes=0) as ask:
        assert ask.cell(TORCH, MODULE, "Linear", "train mode") is known
        assert ask.cell(TORCH, MODULE, "Linear", "eval mode").refused == NOT_RUN
