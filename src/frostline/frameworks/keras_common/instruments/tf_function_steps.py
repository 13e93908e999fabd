"""Training loops of the script's own inside a ``tf.function``: the call is the step, the trace tells what it trains."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

from frostline.frameworks.keras_common.tensors.tensorflow_bytes import function_type

if TYPE_CHECKING:
    from frostline.frameworks.keras_common.probe import KerasProbe


def watch_functions(probe: KerasProbe) -> None:
    """Be told of every call of a compiled function from outside any step."""
    probe.wrap(function_type(), "__call__", functools.partial(_called, probe))


def _called(probe: KerasProbe, original: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    if probe.closed or probe.running is not None or probe.function is not None:
        return original(function, *args, **kwargs)
    probe.function = function
    source = probe.optimizers.known(function)
    try:
        with contextlib.ExitStack() as stack:
            probe.stack = stack
            if source is not None:
                stack.enter_context(probe.step(lambda: source))
            return original(function, *args, **kwargs)
    finally:
        probe.asked.called(function)
        probe.function = probe.stack = None


def begin_in_function(probe: KerasProbe) -> None:
    """An optimizer is met while a function of the script is traced: the call under way is a step from here on."""
    function, stack = probe.function, probe.stack
    if function is None or stack is None or probe.running is not None:
        return
    name = str(getattr(getattr(function, "python_function", None), "__name__", "tf.function"))
    stack.enter_context(probe.step(lambda: probe.optimizers.of_function(function, name)))
