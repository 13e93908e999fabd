"""A view as Markdown for a pull request: roles become emphasis and code, blocks become lists and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from frostline.report.charset import Charset
from frostline.report.form import Block, Code, Facts, Line, Prose, Role, Span, Table, View

MARKUP: dict[Role, str] = {
    "plain": "",
    "title": "**",
    "label": "**",
    "name": "`",
    "dim": "_",
    "changed": "**",
    "still": "",
    "trainable": "",
    "frozen": "",
    "mixed": "_",
    "unknown": "_",
    "error": "**",
    "warning": "**",
    "note": "**",
    "good": "**",
    "hint": "_",
    "command": "`",
}
_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
_OPENING = re.compile(r"^(\s*\d*)([#+>=.)-])")


def render(view: View, encoding: str | None = "utf-8") -> str:
    """The view as GitHub-flavoured Markdown; whatever a name holds stays text.

    Args:
        view: what to show.
        encoding: of the stream it goes to; what that cannot print becomes a character reference.
    """
    codec = Charset(encoding).encoding
    return "\n".join(_lines(view)).encode(codec, "xmlcharrefreplace").decode(codec)


def _lines(view: View) -> Iterator[str]:
    yield f"## {_inline(view.title)}"
    for section in view.sections:
        if section.title.text:
            yield from ("", f"### {_escaped(section.title.text)}")
        for block in section.blocks:
            yield ""
            yield from _block(block)
    if view.last:
        yield from ("", _inline(view.last))


def _block(block: Block) -> Iterator[str]:
    match block:
        case Prose():
            yield _OPENING.sub(r"\1\\\2", _inline(block.line))
        case Code():
            fence = _fence("\n".join(block.lines), 3)
            yield from (fence, *block.lines, fence)
        case Facts():
            if block.head:
                yield from (_inline(block.head), "")
            for label, value in block.rows:
                yield f"- {_inline((label,))}{': ' if label.text else ''}{_inline(value)}"
        case Table():
            yield from _table(block)


def _table(table: Table) -> Iterator[str]:
    yield _cells(_escaped(column.head) for column in table.columns)
    yield _cells("---:" if column.right else ":---" for column in table.columns)
    for row in table.rows:
        first, *others = (_inline(cell, in_table=True) for cell in row.cells)
        missing = [""] * (len(table.columns) - len(row.cells))
        yield _cells(["&emsp;" * row.depth + first, *others, *missing])


def _cells(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _inline(line: Line, in_table: bool = False) -> str:
    return "".join(_marked(span, in_table) for span in line)


def _marked(span: Span, in_table: bool) -> str:
    """The span with its mark around the text; emphasis may not touch a space from inside."""
    mark = MARKUP[span.role]
    inner = span.text.strip()
    if not mark or not inner:
        return _escaped(span.text)
    if mark == "`":
        fence = _fence(inner, 1)
        padded = f" {inner} " if "`" in inner else inner
        code = f"{fence}{padded}{fence}"
        return code.replace("|", "\\|") if in_table else code
    before, _, after = span.text.partition(inner)
    return f"{before}{mark}{_escaped(inner)}{mark}{after}"


def _fence(text: str, shortest: int) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(shortest, longest + 1 if longest else 0)


def _escaped(text: str) -> str:
    """Text that stays text: no markup, and nobody is called by what follows an ``@``."""
    return _SPECIAL.sub(r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;")).replace("@", "@<!-- -->")
