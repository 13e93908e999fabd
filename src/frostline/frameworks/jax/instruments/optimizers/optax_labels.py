"""``optax.multi_transform``: labels that choose an optimizer for each tensor, and those of them that none has."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import jax

from frostline.core.facts import Fact, LabelUnmatched
from frostline.frameworks.jax.context import Context
from frostline.frameworks.jax.steps.updates import FREEZING
from frostline.observe.script_lines import line_of, script_line


class OptaxLabels:
    """Compares the labels that tensors have with those that optimizers were given for.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (LabelUnmatched,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._told: set[tuple[str, ...]] = set()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.when_imported("optax", self._hook)
        return []

    def _hook(self, optax: Any) -> None:
        for name in ("multi_transform", "partition"):
            if hasattr(optax, name):
                self._context.put(optax, name, self._around(getattr(optax, name)))

    def _around(self, original: Any) -> Any:
        @functools.wraps(original)
        def multi_transform(transforms: Any, param_labels: Any, *args: Any, **kwargs: Any) -> Any:
            def label(params: Any) -> Any:
                labels = param_labels(params)
                self._context.quietly("tensors are labelled", self._compare, transforms, labels, param_labels)
                return labels

            if not callable(param_labels):
                self._context.quietly("tensors are labelled", self._compare, transforms, param_labels, None)
            return original(transforms, label if callable(param_labels) else param_labels, *args, **kwargs)

        return multi_transform

    def _compare(self, transforms: Mapping[Any, Any], labels: Any, labeller: Any) -> None:
        used = {str(label) for label in jax.tree_util.tree_leaves(labels)}
        unmatched = {str(label): made for label, made in transforms.items() if str(label) not in used}
        known = tuple(sorted(unmatched))
        if not known or known in self._told or self._context.calls.elsewhere:
            return
        self._told.add(known)
        freezes = any(made.update.__qualname__.startswith(FREEZING) for made in unmatched.values())
        step = self._context.recorder.steps
        line, words = line_of(labeller) or script_line(), tuple(sorted(used))
        self._context.tell(LabelUnmatched(step=step, labels=known, used=words, freezes=freezes, origin=line))
