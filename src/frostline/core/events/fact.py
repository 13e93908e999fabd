"""What a fact is: the base of everything that instruments tell, and the line of the script that did it."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

Names: TypeAlias = tuple[str, ...]


class Origin(Struct, frozen=True):
    """The line of the user's script that did it; ``inside`` is the function of a package that it called on the way."""

    file: str
    line: int
    function: str = ""
    inside: str = ""

    @property
    def text(self) -> str:
        """As it is printed."""
        return f"{self.file}:{self.line} in {self.function}"


class Fact(Struct, frozen=True, tag=True, tag_field="fact", omit_defaults=True, kw_only=True):
    """Anything that was seen; ``origin`` is the line of the script that did it, where that is known.

    Example:
        >>> from frostline.core.events import StepCompiled
        >>> seen = StepCompiled(step=0, model="Net")
        >>> seen.model, seen.origin
        ('Net', None)
    """

    origin: Origin | None = None
