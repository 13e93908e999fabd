"""Whether a script uses its models after steps that hand back new weights, which it must put in place itself."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import keras
from keras.src.backend.common.stateless_scope import in_stateless_scope

from frostline.core.facts import ModelUsed
from frostline.frameworks.keras_common.probe import KerasProbe

METHODS = ("__call__", "predict", "predict_on_batch", "evaluate", "save", "save_weights")


class Uses:
    """Notes, once for each, the models that are called or written; calls with weights of the script's own are none.

    Args:
        probe: takes the facts.
    """

    def __init__(self, probe: KerasProbe) -> None:
        self._probe = probe
        self._watching = False
        self._seen: weakref.WeakSet[Any] = weakref.WeakSet()

    def watch(self) -> None:
        """Look on from now on, where that was not done before: the first such step begins."""
        if not self._watching:
            self._watching = True
            for method in METHODS:
                self._probe.wrap(keras.Model, method, self._called)

    def _called(self, original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(model, keras.Model) and self._probe.function is None and not in_stateless_scope():
            self._probe.quietly("a model is used", lambda: self._note(model))
        return original(model, *args, **kwargs)

    def _note(self, model: Any) -> None:
        if self._probe.loose is None or model in self._seen:
            return
        self._seen.add(model)
        models = self._probe.models
        names = tuple(entry.row.name for entry in models.tensors_of(model))
        self._probe.observer.tell(
            ModelUsed(step=self._probe.observer.steps, model=models.name_of(model), tensors=names)
        )
