"""Which characters a stream can print: the ASCII stand-ins for the marks that reports use."""

from __future__ import annotations

import codecs

STAND_INS = {
    "─": "-", "│": "|", "├": "|", "└": "`", "·": "*", "…": "~", "–": "-", "—": "-", "×": "x",
    "→": ">", "↔": "~", "≠": "!", "’": "'", "“": '"', "”": '"', "±": "~",
}  # fmt: skip
_TABLE = str.maketrans(STAND_INS)
# What the reports draw themselves; the other stand-ins are for texts that come from rules and scripts.
_DRAWN = "─│├└·…–×"


class Charset:
    """Fits a text to an encoding: marks become ASCII when one of them cannot be printed, the rest is escaped.

    >>> Charset("ascii")("├ 0…5 · é")
    '| 0~5 * \\\\xe9'
    >>> Charset("utf-8")("├ 0…5 · é")
    '├ 0…5 · é'
    """

    def __init__(self, encoding: str | None) -> None:
        self.encoding = encoding if encoding and _exists(encoding) else "ascii"
        self.plain = not self._prints(_DRAWN)

    def __call__(self, text: str) -> str:
        if self.plain:
            text = text.translate(_TABLE)
        if self._prints(text):
            return text
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def _prints(self, text: str) -> bool:
        try:
            text.encode(self.encoding)
        except UnicodeEncodeError:
            return False
        return True


def _exists(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True
