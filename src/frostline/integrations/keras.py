"""A callback for Keras 3: which weights each ``fit`` really trained."""

from __future__ import annotations

from typing import Any

import keras

from frostline.integrations.training import Watcher


class WatchWeights(Watcher, keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Watch every ``fit`` that it is given to, and print what was found at its end.

    Args:
        frozen: patterns of weights that should stay as they are.
        trained: patterns of weights that should change.
        options: ``check_every``, ``patience``, ``fail_on``, ``data`` and ``quiet``, as ``Training`` takes them.

    Raises:
        FindingsError: at the end of ``fit``, where ``fail_on`` asks for it.

    Examples:
        >>> import keras, numpy
        >>> from frostline.integrations.keras import WatchWeights
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, name="head")])
        >>> model.compile("sgd", "mse")
        >>> watch = WatchWeights(trained=["head.**"], quiet=True)
        >>> history = model.fit(numpy.ones((8, 4)), numpy.ones(8), epochs=3, verbose=0, callbacks=[watch])
        >>> watch.report.record.totals.changed
        5
    """

    def set_model(self, model: Any) -> None:
        """Look at the model before its train step is made."""
        super().set_model(model)
        self._fitting = False
        self.training.begin(model)

    def on_train_begin(self, logs: Any = None) -> None:
        """It is ``fit`` that the callback was given to."""
        self._fitting = True

    def on_test_begin(self, logs: Any = None) -> None:
        """Outside ``fit`` there is nothing to watch."""
        self._leave()

    def on_predict_begin(self, logs: Any = None) -> None:
        """Outside ``fit`` there is nothing to watch."""
        self._leave()

    def on_train_end(self, logs: Any = None) -> None:
        """``fit`` is over."""
        self._fitting = False
        self.training.conclude()

    def _leave(self) -> None:
        if not self._fitting:
            self.training.drop()
