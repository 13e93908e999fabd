"""What stands around the methods of Keras 2: each calls the original unchanged and tells the probe."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from frostline.frameworks.keras_common.instruments.tf_function_steps import begin_in_function
from frostline.frameworks.keras_common.optimizers.captured_step import Source
from frostline.frameworks.keras_common.probe import KerasProbe
from frostline.frameworks.keras_common.steps import Assignments, printed_parameters, renew
from frostline.frameworks.keras_common.tensors import tensorflow_bytes
from frostline.frameworks.tf_keras.keras_api import Keras2

Original = Callable[..., Any]


class Wrappers:
    """The wrappers of one probe.

    Args:
        probe: is told what happens.
        dialect: remembers the flags that ``fit`` sets aside.
        variable_type: the class whose methods assign to variables.
    """

    def __init__(self, probe: KerasProbe, dialect: Keras2, variable_type: type) -> None:
        self.probe = probe
        self.dialect = dialect
        methods = ("assign", "assign_add", "assign_sub")
        self.assignments = Assignments(probe, [(variable_type, name) for name in methods])

    def make_train_function(self, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Around ``Model.make_train_function``: the new train function tells when it begins and ends."""
        before = model.train_function
        result = original(model, *args, **kwargs)
        self.probe.quietly("a train function was made", lambda: self._put_around(model, before))
        return result if result is None else model.train_function

    def _put_around(self, model: Any, before: Any) -> None:
        function = model.train_function
        if function is None or getattr(function, "observed_by", None) is self.probe:
            return
        renew(self.probe, model, traced_before=function is before)
        observed = functools.partial(self._step, function, weakref.ref(model))
        observed.observed_by = self.probe  # type: ignore[attr-defined]
        model.train_function = observed

    def _step(self, function: Original, reference: Callable[[], Any], *args: Any) -> Any:
        model = reference()
        with (
            self.probe.step(lambda: self.probe.optimizers.of_model(model, "traced")) as source,
            self.assignments.noted(source),
        ):
            return function(*args)

    def apply_gradients(
        self, original: Original, optimizer: Any, grads_and_vars: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Around ``Optimizer.apply_gradients``: tells the step under way what it trains, or is a step of its own."""
        pairs = list(grads_and_vars)
        if self._is_part_of_a_step():
            return self._applied(original, optimizer, pairs, *args, **kwargs)
        with self.probe.step(lambda: self._source(optimizer, pairs)):
            return self._applied(original, optimizer, pairs, *args, **kwargs)

    def _is_part_of_a_step(self) -> bool:
        if self.probe.running is not None:
            return True
        if tensorflow_bytes.in_graph():
            self.probe.quietly("a function is traced", lambda: begin_in_function(self.probe))
            return True
        return False

    def _source(self, optimizer: Any, pairs: list[tuple[Any, Any]]) -> Source:
        self.probe.models.meet_variables([variable for _, variable in pairs])
        return self.probe.optimizers.of_optimizer(optimizer)

    def _applied(
        self, original: Original, optimizer: Any, pairs: list[tuple[Any, Any]], *args: Any, **kwargs: Any
    ) -> Any:
        gradients, variables = [each for each, _ in pairs], [each for _, each in pairs]
        self.probe.quietly("gradients are applied", lambda: self.probe.applied(optimizer, variables, gradients))
        self.probe.applying += 1
        try:
            return original(optimizer, pairs, *args, **kwargs)
        finally:
            self.probe.applying -= 1

    def finalize(self, original: Original, optimizer: Any, var_list: Any) -> Any:
        """Around ``finalize_variable_values``, which writes averages over the weights at the end of ``fit``."""
        variables = list(var_list)
        if not optimizer.use_ema:
            return original(optimizer, variables)
        with self.probe.writing(optimizer, lambda: variables, "average overwritten"):
            return original(optimizer, variables)

    def compile(self, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Around ``Model.compile``, which keeps a copy of all flags."""
        result = original(model, *args, **kwargs)
        self.probe.quietly("a model was compiled", lambda: self.dialect.note_compiled(model))
        return result

    def enter_compiled_state(self, original: Original, scope: Any) -> Any:
        """Around the scope in which ``fit`` gives the layers the flags they had at compile()."""
        result = original(scope)
        found = (scope._model, scope._current_trainable_state, scope._compiled_trainable_state)
        if scope._should_set_trainable:
            self.probe.quietly("flags are set aside", lambda: self.dialect.set_aside(*found))
        return result

    def leave_compiled_state(self, original: Original, scope: Any, *error: Any) -> Any:
        """The end of that scope."""
        self.probe.quietly("flags are restored", self.dialect.restore)
        return original(scope, *error)

    def set_weights(self, original: Original, layer: Any, weights: Any) -> Any:
        """Around ``Layer.set_weights``."""
        with self.probe.writing(layer, lambda: layer.weights, "set_weights"):
            return original(layer, weights)

    def load_weights(self, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Around ``Model.load_weights``."""
        with self.probe.writing(model, lambda: model.weights, "load_weights"):
            return original(model, *args, **kwargs)

    def summary(self, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Around ``Model.summary``: notes the numbers that it printed."""
        result = original(model, *args, **kwargs)
        values = functools.partial(printed_parameters, model, self.dialect, None)
        self.probe.quietly("a summary was printed", lambda: self.probe.summarised(model, values()))
        return result
