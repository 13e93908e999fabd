"""Model B inside model C, frozen in one of many ways; what C's summary says, and what a fit moves."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from studies.cells import Cell, first_line
from studies.measuring import Bytes, Trial, measure

EPOCHS = 3
THE_ARTICLES = 100
LOSS = "categorical_crossentropy"


@dataclass
class Models:
    """The three models of the article, and what was noted on the way.

    Args:
        keras: the module keras or tf_keras.
    """

    keras: Any
    a: Any = None
    b: Any = None
    c: Any = None
    epochs: int = EPOCHS
    noted: dict[str, Any] = field(default_factory=dict)

    def layer(self, units: int, activation: str, name: str) -> Any:
        """A Dense layer."""
        return self.keras.layers.Dense(units, activation=activation, name=name)

    def parts(self, **options: Any) -> None:
        """A and B as in the article; ``options`` go to the constructor of B."""
        layer, sequential, entry = self.layer, self.keras.Sequential, self.keras.Input
        self.a = sequential([entry((784,)), layer(32, "relu", "a_hidden"), layer(10, "softmax", "a_out")], name="A")
        self.b = sequential(
            [entry((10,)), layer(100, "relu", "b_hidden"), layer(10, "softmax", "b_out")], name="B", **options
        )

    def whole(self) -> None:
        """C: A, then B."""
        self.c = self.keras.Sequential([self.keras.Input((784,)), self.a, self.b], name="C")

    def compile(self) -> None:
        """As in the article."""
        self.c.compile(optimizer="adam", loss=LOSS)

    def fit(self) -> None:
        """Train C on random images."""
        random = np.random.default_rng(2017)
        images = random.random((128, 784)).astype("float32")
        labels = np.eye(10, dtype="float32")[random.integers(0, 10, 128)]
        self.c.fit(images, labels, batch_size=32, epochs=self.epochs, verbose=0)

    def summary(self) -> None:
        """Note what C's summary says."""
        lines: list[str] = []
        self.c.summary(print_fn=lambda text, **_: lines.append(str(text)))
        text = "\n".join(lines)
        for key in ("Total", "Trainable", "Non-trainable"):
            found = re.search(rf"^\s*{key} params: ([\d,]+)", text, re.MULTILINE)
            self.noted[key] = int(found[1].replace(",", "")) if found else None

    def read(self) -> Bytes:
        """The bytes of all weights of C."""
        read = {}
        for part, model in (("A", self.a), ("B", self.b)):
            for index, array in enumerate(model.get_weights()):
                read[f"C.{part}.{index}"] = (array.shape, np.array(array).tobytes())
        return read


def run(question: dict[str, str], keras: Any, label: str) -> dict[str, Any]:
    """The cell of ``{"subject", "situation"}``; the situation is the variant, the subject what is frozen."""
    if question.get("names"):
        return {"names": list(VARIANTS)}
    keras.backend.clear_session()
    keras.utils.set_random_seed(2017)
    cell = Cell("article", question["situation"], label)
    models = Models(keras)
    part, prepare = VARIANTS[cell.situation]
    try:
        stages = prepare(models)
        next(stages)  # everything is built
        held = partial(_is_in, part)
        measure(cell, Trial(partial(_rest, stages), models.read, held, (models.c,), of_subject=lambda name: True))
    except Exception as error:
        cell.refused = first_line(error)
    cell.facts |= models.noted
    return cell.as_data()


def _rest(stages: Iterator[None]) -> Iterator[None]:
    yield from stages


def _is_in(part: str, name: str) -> bool:
    return bool(part) and part in name.split(".")


def _usual(models: Models, freeze: Callable[[], None], *, epochs: int = EPOCHS) -> Iterator[None]:
    """The article's order: build, freeze, compile, look at the summary, fit."""
    models.epochs = epochs
    freeze()
    if models.c is None:
        models.whole()
    yield
    models.compile()
    models.summary()
    yield
    _look(models)


def _look(models: Models) -> None:
    """Fit, and compare the first kernels as the author did: by what was kept, with and without a deep copy."""
    kept = {"A": models.a.get_weights()[0], "B": models.b.get_weights()[0]}
    copies = {name: copy.deepcopy(array) for name, array in kept.items()}
    models.fit()
    after = {"A": models.a.get_weights()[0], "B": models.b.get_weights()[0]}
    for name in kept:
        models.noted[f"{name} as kept"] = bool(np.all(kept[name] == after[name]))
        models.noted[f"{name} as copied"] = bool(np.all(copies[name] == after[name]))


def _post(models: Models) -> Iterator[None]:
    models.parts()
    yield from _usual(models, lambda: setattr(models.b, "trainable", False), epochs=THE_ARTICLES)


def _first(models: Models) -> Iterator[None]:
    models.parts()
    yield from _usual(models, lambda: setattr(models.a, "trainable", False))


def _control(models: Models) -> Iterator[None]:
    models.parts()
    yield from _usual(models, lambda: None)


def _constructor(models: Models) -> Iterator[None]:
    models.parts(trainable=False)
    yield from _usual(models, lambda: None)


def _child_on(models: Models) -> Iterator[None]:
    models.parts()

    def freeze() -> None:
        models.b.trainable = False
        models.b.layers[0].trainable = True

    yield from _usual(models, freeze)


def _after_build(models: Models) -> Iterator[None]:
    models.parts()
    models.whole()
    yield from _usual(models, lambda: setattr(models.b, "trainable", False))


def _after_compile(models: Models) -> Iterator[None]:
    models.parts()
    models.whole()
    yield
    models.compile()
    models.b.trainable = False
    models.summary()
    yield
    _look(models)


def _after_fit(models: Models) -> Iterator[None]:
    models.parts()
    models.whole()
    yield
    models.compile()
    models.fit()
    models.b.trainable = False
    models.summary()
    yield
    _look(models)


def _unfrozen_after_fit(models: Models) -> Iterator[None]:
    models.parts()
    models.b.trainable = False
    models.whole()
    yield
    models.compile()
    models.fit()
    models.b.trainable = True
    models.summary()
    yield
    _look(models)


def _functional(models: Models) -> Iterator[None]:
    models.parts()
    inputs = models.keras.Input((784,))
    models.c = models.keras.Model(inputs, models.b(models.a(inputs)), name="C")
    yield from _usual(models, lambda: setattr(models.b, "trainable", False))


def _shared(models: Models) -> Iterator[None]:
    models.parts()
    inputs = models.keras.Input((784,))
    models.c = models.keras.Model(inputs, models.b(models.b(models.a(inputs))), name="C")
    yield from _usual(models, lambda: setattr(models.b, "trainable", False))


VARIANTS: dict[str, tuple[str, Callable[[Models], Iterator[None]]]] = {
    "the article: B frozen": ("B", _post),
    "nothing frozen": ("", _control),
    "A, the first part, frozen": ("A", _first),
    "flag after C is built": ("B", _after_build),
    "flag after compile": ("B", _after_compile),
    "flag after a fit": ("B", _after_fit),
    "flag off again after a fit": ("", _unfrozen_after_fit),
    "flag in the constructor of B": ("B", _constructor),
    "B frozen, its first layer switched on": ("B", _child_on),
    "C functional": ("B", _functional),
    "C functional, B used twice": ("B", _shared),
}
