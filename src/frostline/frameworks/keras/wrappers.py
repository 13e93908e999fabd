"""What stands around the methods of Keras 3: each calls the original unchanged and tells the probe."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

import keras
from keras.src.backend.common.stateless_scope import in_stateless_scope

from frostline.frameworks.keras.instruments.model_uses import Uses
from frostline.frameworks.keras.keras_api import inner, worker
from frostline.frameworks.keras.readers import JaxReader, Reader
from frostline.frameworks.keras_common.instruments.tf_function_steps import begin_in_function
from frostline.frameworks.keras_common.instruments.variable_reads import Reads
from frostline.frameworks.keras_common.optimizers.captured_step import Capture, Source
from frostline.frameworks.keras_common.probe import KerasProbe
from frostline.frameworks.keras_common.steps import Assignments, printed_parameters, renew
from frostline.frameworks.keras_common.tensors import tensorflow_bytes

Original = Callable[..., Any]


class Wrappers:
    """The wrappers of one probe.

    Args:
        probe: is told what happens.
        backend: the name of Keras's backend.
        reader: reads its variables.
    """

    def __init__(self, probe: KerasProbe, backend: str, reader: Reader) -> None:
        self.probe = probe
        self.backend = backend
        self.reader = reader
        self.assignments = Assignments(probe, [(keras.Variable, "assign")])
        self.reads = Reads(probe, keras.Variable)
        self.uses = Uses(probe)

    # Train steps

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
        renew(self.probe, model, traced_before=function is before and self._mode(model) == "traced")
        step = self._jax_step if isinstance(self.reader, JaxReader) else self._step
        observed = functools.partial(step, function, weakref.ref(model))
        observed.observed_by = self.probe  # type: ignore[attr-defined]
        model.train_function = observed

    def _mode(self, model: Any) -> Any:
        return "traced" if self.backend == "tensorflow" and not model.run_eagerly else "eager"

    def _reads_are_seen(self, model: Any) -> bool:
        """Whether properties may be replaced around a step: torch's compiler would follow them into its graph."""
        return self.backend != "torch" or not model.jit_compile

    def _step(self, function: Original, reference: Callable[[], Any], *args: Any) -> Any:
        model = reference()
        with (
            self.probe.step(lambda: self.probe.optimizers.of_model(model, self._mode(model))) as source,
            self.assignments.noted(source),
            self.reads.noted(source if self._reads_are_seen(model) else None),
        ):
            return function(*args)

    def _jax_step(self, function: Original, reference: Callable[[], Any], state: Any, iterator: Any) -> Any:
        model, reader = reference(), self.reader
        assert isinstance(reader, JaxReader)
        self.probe.quietly("before a step", lambda: reader.enter(model, state))
        try:
            with (
                self.probe.step(lambda: self._positional(model)) as source,
                self.assignments.noted(source),
                self.reads.noted(source),
            ):
                logs, state = function(state, iterator)
                self.probe.quietly("after a step", lambda: reader.enter(model, state))
            return logs, state
        finally:
            reader.leave()

    def _positional(self, model: Any) -> Source:
        """The optimizer of a model whose state is handed over: what it holds and with whose state is told by order."""
        assert isinstance(self.reader, JaxReader)
        source = self.probe.optimizers.of_model(model, "positional")
        order = self.reader.order(model)
        source.capture = _by_position(model.optimizer, order) if model.optimizer is not None else Capture()
        return source

    def get_jax_state(self, original: Original, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Around ``JAXTrainer._get_jax_state``: from here on the weights live in what it returns."""
        if kwargs.get("optimizer_variables") and isinstance(self.reader, JaxReader):
            reader = self.reader
            self.probe.quietly("a state was made", lambda: reader.lay_out(model))
        return original(model, *args, **kwargs)

    # Optimizers

    def apply(self, original: Original, optimizer: Any, grads: Any, trainable_variables: Any = None) -> Any:
        """Around ``Optimizer.apply``: tells the step under way what it trains, or is a step of its own."""
        variables = trainable_variables
        if variables is not None:
            variables = trainable_variables = list(variables)
        if variables is None:
            variables = list(optimizer._trainable_variables)
        if self._is_part_of_a_step():
            return self._applied(original, optimizer, grads, variables, trainable_variables)
        with self.probe.step(lambda: self._source(optimizer, variables)):
            return self._applied(original, optimizer, grads, variables, trainable_variables)

    def _is_part_of_a_step(self) -> bool:
        if self.probe.running is not None and self.probe.running is not self.probe.loose:
            return True
        if self.backend == "tensorflow" and tensorflow_bytes.in_graph():
            self.probe.quietly("a function is traced", lambda: begin_in_function(self.probe))
            return True
        return bool(in_stateless_scope())

    def _source(self, optimizer: Any, variables: list[Any]) -> Source:
        self.probe.models.meet_variables(variables)
        return self.probe.optimizers.of_optimizer(optimizer)

    def _applied(self, original: Original, optimizer: Any, grads: Any, variables: list[Any], given: Any) -> Any:
        if not in_stateless_scope():
            self.probe.quietly("gradients are applied", lambda: self.probe.applied(optimizer, variables, list(grads)))
        self.probe.applying += 1
        try:
            return original(optimizer, grads, given)
        finally:
            self.probe.applying -= 1

    def stateless_apply(self, original: Original, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Around ``stateless_apply``: in a loop of the script a step begins here; its end shows later.

        In a function that the script compiled this is its trace, and every call of that function is a step.
        """
        jitted = self.probe.function
        counted = jitted is not None and jitted.source is not None
        if not self.probe.applying and self.probe.running is self.probe.loose and not counted:
            self.probe.loose_step(lambda: self._loose(optimizer, jitted))
            if jitted is not None:
                jitted.source = self.probe.loose
        elif not self.probe.applying and counted and self.probe.running is jitted.source:
            self.probe.quietly("a further optimizer steps", lambda: self._join(jitted.source, optimizer))
        self.probe.applying += 1
        try:
            return original(optimizer, *args, **kwargs)
        finally:
            self.probe.applying -= 1

    def _loose(self, optimizer: Any, jitted: Any) -> Source:
        variables = list(inner(optimizer)._trainable_variables)
        self.probe.models.meet_variables(variables)
        self.uses.watch()
        optimizers = self.probe.optimizers
        source = optimizers.of_jitted(optimizer, jitted.name) if jitted else optimizers.of_optimizer(optimizer)
        source.mode = "positional"
        source.capture = _by_position(optimizer, variables)
        source.uncounted = True
        return source

    def _join(self, source: Source, optimizer: Any) -> None:
        """A function with several optimizers, as of adversarial networks, is one optimizer with what each trains."""
        known = source.capture or Capture()
        if any(each is optimizer for each in source.optimizers()):
            return
        variables = list(inner(optimizer)._trainable_variables)
        self.probe.models.meet_variables(variables)
        self.probe.optimizers.joined(optimizer, source)
        added = _by_position(optimizer, variables)
        known.flags |= added.flags
        known.optimizers |= added.optimizers
        source.capture = known
        source.tally.begin(source, self.probe.dialect)
        self.probe.observer.update_holdings(source.key)

    def finalize(self, original: Original, optimizer: Any, var_list: Any) -> Any:
        """Around ``finalize_variable_values``, which writes averages over the weights at the end of ``fit``."""
        variables = list(var_list)
        if not optimizer.use_ema:
            return original(optimizer, variables)
        with self.probe.writing(optimizer, lambda: variables, "average overwritten"):
            result = original(optimizer, variables)
        self.probe.quietly("averages were written", lambda: self.probe.misplaced(optimizer, variables))
        return result

    # Writes and prints

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
        optimizer = model.optimizer if model.compiled and model.optimizer and model.optimizer.built else None
        values = functools.partial(
            printed_parameters, model, self.probe.dialect, optimizer.variables if optimizer else None
        )
        self.probe.quietly("a summary was printed", lambda: self.probe.summarised(model, values()))
        return result


def _by_position(optimizer: Any, order: list[Any]) -> Capture:
    built = list(inner(optimizer)._trainable_variables)
    return Capture(
        flags={id(variable): None for variable in order},
        optimizers={id(variable): weakref.ref(worker(optimizer, variable)) for variable in order},
        states={id(variable): owner for variable, owner in zip(order, built, strict=False) if owner is not variable},
    )
