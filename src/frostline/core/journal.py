"""The journal of a run: every fact that is told takes effect at once, and is kept to be stored."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from frostline.core.facts import BaselineTaken, Fact, FlagDeclared, FlagSeen, OptimizerSeen, TensorFound
from frostline.core.fold import Fold

_OF_EACH = (FlagDeclared, BaselineTaken, FlagSeen)  # told of each tensor that is found, each about fields of its own


class Journal:
    """Takes facts and numbers what they are about.

    Example:
        >>> from frostline.core.facts import OptimizerFound
        >>> journal = Journal()
        >>> journal.tell(OptimizerFound(optimizer="adam", kind="optimizer", name="Adam"))
        >>> journal.step("adam", 1)
        >>> [type(fact).__name__ for fact in journal.facts()]
        ['OptimizerFound', 'OptimizerSeen']
    """

    def __init__(self) -> None:
        self.fold = Fold()
        self.tensors = itertools.count()
        self.moves = itertools.count()
        self.comparisons = itertools.count()
        self.summaries = itertools.count()
        self._facts: list[Fact] = []
        self._held: dict[type[Fact], list[Fact]] = {kind: [] for kind in _OF_EACH}
        self._stepped: set[str] = set()
        self.after_step: Callable[[], None] | None = None  # is called when an optimizer made a step

    def tell(self, fact: Fact) -> None:
        """Take one fact.

        What is told of each tensor that is found is kept by kind as long as nothing else is told: facts of one kind
        that stand in a row are stored as one document.
        """
        self.fold.apply(fact)
        kind = type(fact)
        if kind in self._held:
            self._held[kind].append(fact)
            return
        if kind is not TensorFound:
            self._let_go()
        self._facts.append(fact)

    def _let_go(self) -> None:
        for facts in self._held.values():
            self._facts += facts
            facts.clear()

    def step(self, optimizer: str, last_step: int) -> None:
        """An optimizer made a step; the fact that says how many it made is told when they are asked for."""
        self.fold.count_step(optimizer, last_step)
        self._stepped.add(optimizer)
        if self.after_step is not None:
            self.after_step()

    def facts(self) -> list[Fact]:
        """All facts so far, in the order in which they were told."""
        for optimizer in sorted(self._stepped & self.fold.optimizers.keys()):
            row = self.fold.optimizers[optimizer]
            self.tell(OptimizerSeen(optimizer=optimizer, steps_executed=row.steps_executed, last_step=row.last_step))
        self._stepped.clear()
        self._let_go()
        return self._facts
