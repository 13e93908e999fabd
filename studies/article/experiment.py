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

    def parts(self, built: bool = True, **options: Any) -> None:
        """A and B as in the article, B ``built`` by an input of its own; ``options`` go to the constructor of B."""
        layer, sequential, entry = self.layer, self.keras.Sequential, self.keras.Input
        self.a = sequential([entry((784,)), layer(32, "relu", "a_hidden"), layer(10, "softmax", "a_out")], name="A")
        inside = [layer(100, "relu", "b_hidden"), layer(10, "softmax", "b_out")]
        self.b = sequential([entry((10,)), *inside] if built else inside, name="B", **options)

    def whole(self) -> None:
        """C: A, then B."""
        self.c = self.keras.Sequential([self.keras.Input((784,)), self.a, self.b], name="C")

    def compile(self) -> None:
        """As in the article."""
        self.c.compile(optimizer="adam", loss=LOSS)

    def fit(self) -> None:
        """Train C on random images."""
        images, labels = _random(784)
        self.c.fit(images, labels, batch_size=32, epochs=self.epochs, verbose=0)

    def fit_in_turn(self) -> None:
        """Train B by its own step on random inputs, and C by C's on random images, batch after batch."""
        theirs, images = _random(10), _random(784)
        for _ in range(4 * self.epochs):
            self.b.train_on_batch(*theirs)
            self.c.train_on_batch(*images)

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


def _random(width: int) -> tuple[Any, Any]:
    random = np.random.default_rng(2017)
    inputs = random.random((128, width)).astype("float32")
    return inputs, np.eye(10, dtype="float32")[random.integers(0, 10, 128)]


def run(question: dict[str, str], keras: Any, label: str) -> dict[str, Any]:
    """The cell of ``{"subject", "situation"}``; the situation is the variant, the subject what is frozen."""
    if question.get("names"):
        return {"names": list(VARIANTS)}
    keras.backend.clear_session()
    keras.utils.set_random_seed(2017)
    cell = Cell("article", question["situation"], label)
    models = Models(keras)
    variant = VARIANTS[cell.situation]
    try:
        stages = variant.stages(models)
        next(stages)  # everything is built
        trial = Trial(
            partial(_rest, stages),
            models.read,
            partial(_is_in, variant.held),
            (models.c,),
            wanted=partial(_is_in, variant.wanted),
            of_subject=lambda name: True,
        )
        measure(cell, trial)
    except Exception as error:
        cell.refused = first_line(error)
    cell.facts |= models.noted
    return cell.as_data()


def _rest(stages: Iterator[None]) -> Iterator[None]:
    yield from stages


def _is_in(part: str, name: str) -> bool:
    return bool(part) and part in name.split(".")


def _usual(
    models: Models, freeze: Callable[[], None], *, epochs: int = EPOCHS, fit: Callable[[], None] | None = None
) -> Iterator[None]:
    """The article's order: build, freeze, compile, look at the summary, fit (by C's own ``fit`` if not told)."""
    models.epochs = epochs
    freeze()
    if models.c is None:
        models.whole()
    yield
    models.compile()
    models.summary()
    yield
    _look(models, fit)


def _look(models: Models, fit: Callable[[], None] | None = None) -> None:
    """Fit, and compare the first kernels as the author did: by what was kept, a view, and a deep copy."""
    parts = {"A": models.a, "B": models.b}
    kept = {name: model.get_weights()[0] for name, model in parts.items()}
    views = {name: _view(model.weights[0]) for name, model in parts.items()}
    copies = {name: copy.deepcopy(array) for name, array in kept.items()}
    (fit or models.fit)()
    for name, model in parts.items():
        after = model.get_weights()[0]
        for way, arrays in (("kept", kept), ("a view", views), ("copied", copies)):
            models.noted[f"{name} as {way}"] = bool(np.all(arrays[name] == after))


def _view(variable: Any) -> Any:
    """What the framework hands out as an array without being asked for a copy."""
    value = variable if callable(getattr(variable, "value", None)) else variable.value
    return value.detach().numpy() if hasattr(value, "detach") else np.asarray(value)


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


def _subclassed(models: Models) -> Iterator[None]:
    models.parts()

    class Whole(models.keras.Model):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__(name="C")
            self.A, self.B = models.a, models.b

        def call(self, images: Any) -> Any:
            return self.B(self.A(images))

    models.c = Whole()
    models.c(_random(784)[0])
    yield from _usual(models, lambda: setattr(models.b, "trainable", False))


def _before_build(models: Models) -> Iterator[None]:
    models.parts(built=False)
    yield from _usual(models, lambda: setattr(models.b, "trainable", False))


def _in_turn(models: Models) -> Iterator[None]:
    """The recipe for adversarial networks, whence the article came: B is compiled before its flag goes off, C after."""
    models.parts()
    models.b.compile(optimizer="adam", loss=LOSS)
    yield from _usual(models, lambda: setattr(models.b, "trainable", False), fit=models.fit_in_turn)


@dataclass(frozen=True)
class Variant:
    """How C is made, frozen and trained; which part of it is to stay, and which is to be trained whatever its flag."""

    stages: Callable[[Models], Iterator[None]]
    held: str = ""
    wanted: str = ""


VARIANTS = {
    "the article: B frozen": Variant(_post, held="B"),
    "nothing frozen": Variant(_control),
    "A, the first part, frozen": Variant(_first, held="A"),
    "flag before B is built": Variant(_before_build, held="B"),
    "flag after C is built": Variant(_after_build, held="B"),
    "flag after compile": Variant(_after_compile, held="B"),
    "flag after a fit": Variant(_after_fit, held="B"),
    "flag off again after a fit": Variant(_unfrozen_after_fit),
    "flag in the constructor of B": Variant(_constructor, held="B"),
    "B frozen, its first layer switched on": Variant(_child_on, held="B"),
    "C functional": Variant(_functional, held="B"),
    "C functional, B used twice": Variant(_shared, held="B"),
    "C subclassed": Variant(_subclassed, held="B"),
    "adversarial: B compiled, then frozen in C, trained in turn": Variant(_in_turn, wanted="B"),
}
