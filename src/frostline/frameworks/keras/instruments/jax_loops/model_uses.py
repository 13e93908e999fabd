"""Whether a script uses its models after steps that hand back new weights, which it must put in place itself."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import keras
from keras.src.backend.common.stateless_scope import in_stateless_scope

from frostline.core.facts import Fact, ModelUsed
from frostline.frameworks.keras_common.context import Context

METHODS = ("__call__", "predict", "predict_on_batch", "evaluate", "save", "save_weights")


class ModelUses:
    """Notes, once for each, the models that are called or written; calls with weights of the script's own are none.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (ModelUsed,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._watching = False
        self._seen: weakref.WeakSet[Any] = weakref.WeakSet()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument; models are hooked when the first such step begins."""
        self._context.signals.loose_step_began.append(self._watch)
        return []

    def _watch(self) -> None:
        if not self._watching:
            self._watching = True
            hooks = [self._context.wrap(keras.Model, method, self._called) for method in METHODS]
            self._context.removers.extend(hooks)

    def _called(self, original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(model, keras.Model) and self._context.steps.function is None and not in_stateless_scope():
            self._context.quietly("a model is used", lambda: self._note(model))
        return original(model, *args, **kwargs)

    def _note(self, model: Any) -> None:
        if self._context.steps.loose is None or model in self._seen:
            return
        self._seen.add(model)
        models, step = self._context.models, self._context.recorder.steps
        names = tuple(entry.row.name for entry in models.tensors_of(model))
        self._context.tell(ModelUsed(step=step, model=models.name_of(model), tensors=names))
