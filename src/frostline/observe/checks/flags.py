"""Flags: what is declared of each tensor, compared before every step with what was declared before the last one."""

from __future__ import annotations

from collections.abc import Hashable

from frostline.core.facts import FlagDeclared, FlagFlipped, FlagHeld
from frostline.observe.tensor_state import TensorState
from frostline.observe.tracked import Tracked

FLIPS_THAT_CHECK = 4


class Flags:
    """Tells when flags flip, and for how many steps each was held.

    Args:
        tracked: the tensors that have the flags.
    """

    def __init__(self, tracked: Tracked) -> None:
        self._tracked = tracked
        self.setting_up = False  # whoever sees models before they are set to train says so, until training begins

    def begin(self) -> None:
        """Training begins: what flags were set to before this was the declaration, and no change of it."""
        if self.setting_up:
            self.poll("")
            self.setting_up = False

    def poll(self, optimizer: str, *, whole: bool = True) -> bool:
        """Compare the flags with those of the last step; True where a flip is worth a check of its own.

        ``whole`` False leaves out those that nobody can have written to, as far as the probe is told of writes.
        """
        tracked, flags = self._tracked, self._tracked.probe.flags(whole=whole)
        if flags is None or flags is tracked.flags:
            return False
        if flags == tracked.flags:
            tracked.flags = flags
            return False
        worth = False
        for watched, old, new in zip(tracked.order, tracked.flags, flags, strict=False):
            if old != new and self.setting_up:
                self._declare(watched, new)
            elif old != new:
                self._flip(watched, new, optimizer)
                worth |= watched.row.declared.flip_count <= FLIPS_THAT_CHECK
        tracked.flags = flags
        return worth

    def declare(self, key: Hashable, flag: bool | None) -> None:
        """Nothing was declared of a tensor until now: that is no flip."""
        tracked, watched = self._tracked, self._tracked.tensors[key]
        place = tracked.order.index(watched)
        tracked.flags = [*tracked.flags[:place], flag, *tracked.flags[place + 1 :]]
        self._declare(watched, flag)

    def _declare(self, watched: TensorState, flag: bool | None) -> None:
        """The flag was set before any training of it: that it was on before has left no gradient.

        That it was off may have decided what an optimizer was given, and stays known as the flag at the first check.
        """
        watched.flag, watched.froze_at = flag, self._tracked.clock.now
        self._tracked.tell(FlagDeclared(tensor=watched.row.id, flag=flag, again=True))

    def _flip(self, watched: TensorState, flag: bool | None, optimizer: str) -> None:
        """The flag was found changed just before a step."""
        now, tell = self._tracked.clock.now, self._tracked.tell
        former, steps = watched.count_flag_steps(max(0, now // 2 - 1))
        if steps:
            tell(FlagHeld(tensors=(watched.row.id,), flag=former, steps=steps))
        tell(FlagFlipped(step=now // 2, tensor=watched.row.id, flag=flag, optimizer=optimizer))
        watched.flag = flag
        watched.froze_at = now if flag is False else watched.froze_at
        watched.settled = False

    def tell_steps(self) -> None:
        """Tell for how many steps each flag was held since it was last set."""
        held: dict[tuple[bool | None, int], list[int]] = {}
        for watched in self._tracked.order:
            held.setdefault(watched.count_flag_steps(self._tracked.clock.steps), []).append(watched.row.id)
        for (flag, steps), tensors in held.items():
            if steps:
                self._tracked.tell(FlagHeld(tensors=tuple(tensors), flag=flag, steps=steps))
