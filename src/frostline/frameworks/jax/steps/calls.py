"""Calls from outside any compiled function: each may be a step, which ends where the next one begins.

A step of JAX hands back new arrays, and only the next call shows whether the script put them in place.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import get_ident
from typing import Any, TypeVar

from frostline.frameworks.jax.signals import Signals
from frostline.frameworks.jax.steps.functions import Call, Function
from frostline.frameworks.jax.steps.values import Values, digests_of
from frostline.frameworks.jax.tensors.paths import Arrays, is_inexact
from frostline.frameworks.jax.traces.outside import is_outside
from frostline.frameworks.jax.traces.records import Record
from frostline.observe.observer import Observer

Quietly = Callable[..., None]
Found = TypeVar("Found")


class Calls:
    """The calls of one run.

    Args:
        recorder: is told of steps.
        values: of all tensors.
        signals: for instruments.
        learn: is given a function whose trace was recorded, with the call, before the call's results are known as such.
        quietly: runs our part, so that an error in it stays with us.
        fault: takes such an error where our part is run at every call.
    """

    def __init__(
        self,
        recorder: Observer,
        values: Values,
        signals: Signals,
        learn: Callable[[Function, Call, Any], None],
        quietly: Quietly,
        fault: Callable[[str, BaseException], None],
    ) -> None:
        self._recorder, self._values, self._signals = recorder, values, signals
        self._learn, self._quietly, self._fault = learn, quietly, fault
        self.thread = get_ident()
        self._open: Function | None = None  # the last step, which ends where the next begins
        self.current: Function | None = None
        self.call: Call | None = None
        self.over = False

    @property
    def elsewhere(self) -> bool:
        """Whether what is done now is no matter of ours: the run is over, or this is another thread."""
        return self.over or get_ident() != self.thread

    def is_outermost(self) -> bool:
        """Whether a call that is made now is the script's own, and not inside another one or inside a trace."""
        outside = self.current is None and not self.over and get_ident() == self.thread
        return outside and is_outside()

    @property
    def steps_made(self) -> int:
        """How many steps were made; the last of them may be under way still, as far as the recorder knows."""
        under_way = self._open is not None and not self._open.by_hand
        return self._recorder.steps + under_way

    def run(self, function: Function, call: Call, act: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """One call from outside any other.

        Args:
            function: that is called.
            call: finds what is handed over.
            act: calls it with ``args`` and ``kwargs``.
        """
        try:
            if function is self._open and self._recorder.next_step(function.key):
                self._open, function.under_way, self._values.due[function] = None, call, None
            else:
                self._before(function, call)
        except Exception as error:
            self._fault("before a call", error)
        self.current, self.call = function, call
        try:
            result = act(*args, **kwargs)
        except BaseException:
            self._quietly("after a call that failed", self._failed, function, call)
            raise
        finally:
            self.current = self.call = None
        try:
            if function.records:
                self._learn_from(function, call, result)
            function.called = True
            if function.row is not None:
                self.made(function, call.handed_back, result)
        except Exception as error:
            self._fault("after a call", error)
        call.out = None
        return result

    def _before(self, function: Function, call: Call) -> None:
        if function.row is not None:
            self.begin(function, call)
        elif not function.called:
            self._look_ahead(call)
        if function.differentiates:
            self._publish_gradients(function, call)

    def record(self, function: Function, act: Callable[[], Found]) -> tuple[Found, list[Record]]:
        """What ``act`` gives, which traces the function and does not call it; and what was seen meanwhile."""
        self.current, self.call = function, None
        try:
            return act(), list(function.records)
        finally:
            self.current = None
            function.records.clear()

    def note(self, record: Record) -> None:
        """Something was seen while a function of the script is traced."""
        if self.current is not None:
            self.current.records.append(record)

    # Steps, compiled or not

    def begin(self, function: Function, call: Call) -> None:
        """A step begins."""
        self.finish(function, call)
        function.under_way = call
        self._values.hand_in(function)
        self._recorder.before_step(function.key)

    def made(self, function: Function, handed_back: Callable[[Any], Arrays], result: Any) -> None:
        """A step was made; it ends where the next one begins.

        Args:
            function: that made it.
            handed_back: finds in its result the arrays that it handed back.
            result: of the call.
        """
        if function.in_place and self._recorder.checking:
            found = handed_back(result)
            handed_back = lambda _: found  # noqa: E731
        function.handed_back, function.result = handed_back, result
        function.under_way = function.following = self._values.due[function] = None
        self._open = function

    def finish(self, function: Function | None = None, call: Call | None = None) -> None:
        """The step under way has ended, since the next one begins; at the end of the run, since nothing follows."""
        last, self._open = self._open, None
        if last is None:
            return
        last.following = (function, call) if function is not None and call is not None else None
        clock = self._recorder.clock
        checks = clock.checks
        if last.by_hand and function is not last:
            self._recorder.forgot_step()  # what the script did with the last gradients was not seen
            return
        self._recorder.after_step(last.key)
        if clock.checks > checks and call is not None and function is last:
            self._signals_handed_on(last, call)

    def _signals_handed_on(self, function: Function, call: Call) -> None:
        results = function.results()
        for callback in self._signals.step_handed_on:
            self._quietly("a result was handed on", callback, function, results, call)

    # Around a call

    def _look_ahead(self, call: Call) -> None:
        """A function is called for the first time: what it is handed, and whether that ends the step under way."""
        call.digests = digests_of({path: each for path, each in call.arrays.items() if is_inexact(each)})
        if self._open is not None and not self._open.by_hand:
            results = {id(array) for array in self._open.results().values()}
            if any(id(array) in results for array in call.arrays.values()):
                self.finish()

    def _publish_gradients(self, function: Function, call: Call) -> None:
        arrays = {path: call.arrays[path] for path in function.differentiates if path in call.arrays}
        for callback in self._signals.gradients_given:
            self._quietly("gradients were given", callback, function, arrays, call.digests)

    def _learn_from(self, function: Function, call: Call, result: Any) -> None:
        """A function was traced in its call."""
        call.out = result if call.out is None else call.out
        self._learn(function, call, result)
        function.records.clear()
        if function.differentiates and not function.called:
            self._publish_gradients(function, call)

    def _failed(self, function: Function, call: Call) -> None:
        for callback in self._signals.call_failed:
            self._quietly("a call failed", callback, function, call)
        function.records.clear()
        if function.row is not None:
            function.under_way = None
            self._recorder.forgot_step()
            self._values.forget(function)
