"""What a fact is: the base of everything that instruments tell, and the line of the script that did it."""

from __future__ import annotations

import os
from typing import TypeAlias

from msgspec import Struct

Names: TypeAlias = tuple[str, ...]


class Origin(Struct, frozen=True):
    """The line of the user's script that did it, as ``source`` has it.

    ``file`` is relative to the folder that the run was started in, where it is below that. ``inside`` is the function
    of an installed package that the line called, and that did it.
    """

    file: str
    line: int
    function: str = ""
    inside: str = ""
    source: str = ""

    @property
    def place(self) -> str:
        """File and line as they are printed: of a file that is elsewhere, its name alone.

        >>> Origin("src/train.py", 7).place, Origin("/home/me/train.py", 7).place
        ('src/train.py:7', 'train.py:7')
        """
        return f"{shown(self.file)}:{self.line}"

    @property
    def text(self) -> str:
        """As it is printed in one word of evidence."""
        return f"{self.place} in {self.function}"


def shown(file: str) -> str:
    """The file as it is printed: no folders of the machine.

    >>> shown("src/train.py"), shown("/home/me/train.py")
    ('src/train.py', 'train.py')
    """
    return os.path.basename(file) if os.path.isabs(file) else file


class Fact(Struct, frozen=True, tag=True, tag_field="fact", omit_defaults=True, kw_only=True):
    """Anything that was seen; ``origin`` is the line of the script that did it, where that is known.

    Example:
        >>> from frostline.core.events import StepCompiled
        >>> seen = StepCompiled(step=0, model="Net")
        >>> seen.model, seen.origin
        ('Net', None)
    """

    origin: Origin | None = None
