"""The copy of all flags that ``Model.compile`` keeps, and that layers carry while ``fit`` runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from tf_keras.src.engine.training_utils import RespectCompiledTrainableState

from frostline.core.facts import Fact
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.tf_keras.keras_api import Keras2


class FlagCompilation:
    """Keeps the flags that the user set apart from those of ``compile``.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        assert isinstance(context.dialect, Keras2)
        self._context, self._flags = context, context.dialect.compiled_flags

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        return [
            self._context.wrap(self._context.dialect.model_type, "compile", self._compile),
            self._context.wrap(RespectCompiledTrainableState, "__enter__", self._enter),
            self._context.wrap(RespectCompiledTrainableState, "__exit__", self._leave),
        ]

    def _compile(self, original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(model, *args, **kwargs)
        self._context.quietly("a model was compiled", lambda: self._flags.note_compiled(model))
        return result

    def _enter(self, original: Callable[..., Any], scope: Any) -> Any:
        """Around the scope in which ``fit`` gives the layers the flags they had at compile()."""
        result = original(scope)
        found = (scope._model, scope._current_trainable_state, scope._compiled_trainable_state)
        if scope._should_set_trainable:
            self._context.quietly("flags are set aside", lambda: self._flags.set_aside(*found))
        return result

    def _leave(self, original: Callable[..., Any], scope: Any, *error: Any) -> Any:
        """The end of that scope."""
        self._context.quietly("flags are restored", self._flags.restore)
        return original(scope, *error)
