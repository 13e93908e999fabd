"""A view as text for a terminal or a log file: roles become colours, blocks become lines of bounded width."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

import rich.text
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from frostline.report.charset import Charset
from frostline.report.form import Block, Code, Column, Facts, Line, Prose, Role, Row, Section, Table, View

STYLES: dict[Role, str] = {
    "plain": "",
    "title": "bold",
    "label": "bold",
    "name": "cyan",
    "dim": "dim",
    "changed": "magenta",
    "still": "blue",
    "trainable": "magenta",
    "frozen": "blue",
    "mixed": "yellow",
    "unknown": "yellow",
    "error": "bold red",
    "warning": "bold yellow",
    "note": "bold cyan",
    "good": "bold green",
    "hint": "italic",
    "command": "cyan",
}
_GAP = 2
_NARROWEST = 40
_LABEL = 18
_SHORT_NAME = 14
_NARROW, _MORE_IF_NARROW = 70, 2  # columns, and lines that a block of few may have besides: the fix is to be whole
_WORD = 10
_WORDS = 12
_TREE = 36
_SHORT_TREE = 24


def render(view: View, width: int = 80, color: bool = False, encoding: str | None = "utf-8") -> str:
    """The view as text of at most ``width`` columns.

    Args:
        view: what to show.
        width: columns of the terminal, at least 40.
        color: whether to use escape codes for colours.
        encoding: of the stream it goes to; where that cannot print lines and dots, ASCII stands in.
    """
    page = _Page(max(width, _NARROWEST), Charset(encoding))
    if not color:
        return "\n".join(text.plain.rstrip() for text in page.view(view)).rstrip("\n")
    console = Console(
        file=io.StringIO(), width=page.width, force_terminal=True, legacy_windows=False,
        color_system="standard", highlight=False, emoji=False, markup=False,
    )  # fmt: skip
    with console.capture() as capture:
        for text in page.view(view):
            text.rstrip()
            console.print(text, soft_wrap=True)
    return capture.get().rstrip("\n")


class _Page:
    """Lays blocks out as lines that fit the width."""

    def __init__(self, width: int, charset: Charset) -> None:
        self.width = width
        self.charset = charset
        self._ruler = Console(width=width, file=io.StringIO(), legacy_windows=False)

    def view(self, view: View) -> Iterator[Text]:
        if view.title:
            yield from self.wrapped(view.title, hanging=_GAP)
        for index, section in enumerate(view.sections):
            if index or view.title:
                yield Text()
            yield from self.section(section)
        if view.last:
            yield Text()
            yield from self.wrapped(view.last, hanging=_GAP)

    def section(self, section: Section) -> Iterator[Text]:
        if section.title.text:
            title = _cut(self.text((section.title,)), self.width - _GAP, self.charset)
            yield title.append(" " + self.charset("─") * (self.width - title.cell_len - 1), STYLES["dim"])
        for index, block in enumerate(section.blocks):
            if index and not section.close:
                yield Text()
            yield from self.block(block)

    def block(self, block: Block) -> Iterator[Text]:
        match block:
            case Prose():
                yield from self.wrapped(block.line)
            case Code():
                yield from (Text(self.charset(f"    {text}")) for text in block.lines)
            case Facts():
                yield from self.facts(block)
            case Table():
                yield from self.table(block)

    def facts(self, facts: Facts) -> Iterator[Text]:
        bounds = iter(facts.heights)
        above = list(self.bounded(facts.head, next(bounds, None), hanging=_GAP)) if facts.head else []
        yield from above
        left = facts.height - len(above) + (_MORE_IF_NARROW if self.width < _NARROW else 0)
        indent = 4 if facts.head else 0
        widest = max((cell_len(self.charset(label.text)) for label, _ in facts.rows), default=0)
        start = indent + min(widest, _LABEL) + _GAP
        for label, value in facts.rows:
            head = Text(" " * indent).append_text(self.text((label,)))
            room = self.width - start
            height = next(bounds, max(left, 1)) if facts.height else None
            lines = list(self.bounded(value, height, room=room)) or [Text()]
            left -= len(lines)
            if head.cell_len > start - _GAP:
                head.truncate(self.width)
                yield head
                head = Text()
            head.append(" " * (start - head.cell_len))
            yield head.append_text(lines[0])
            yield from (Text(" " * start).append_text(more) for more in lines[1:])

    def table(self, table: Table) -> Iterator[Text]:
        heads = [Text(self.charset(column.head), STYLES["dim"]) for column in table.columns]
        rows = [[self.text(cell) for cell in row.cells] + [Text()] for row in table.rows]
        guides = list(_guides(table.rows)) if table.tree else ["  " * row.depth for row in table.rows]
        for cells, guide in zip(rows, guides, strict=True):
            cells[0] = Text(self.charset(guide), STYLES["dim"]).append_text(cells[0])
        kept = self._kept(table.columns, _needs(heads, rows))
        columns = [table.columns[index] for index in kept]
        lines = [[cells[index] for index in kept if index < len(cells)] for cells in (heads, *rows)]
        widths = self._widths(columns, _needs(lines[0], lines[1:]))
        for cells in lines:
            yield _joined(self._row(cells, columns, widths))

    def _kept(self, columns: Sequence[Column], needs: Sequence[int]) -> list[int]:
        """The columns that fit while words can be read: without those that the table can spare, where all do not."""
        least = [
            need if column.right else min(need, _WORD if index else _SHORT_NAME)
            for index, (column, need) in enumerate(zip(columns, needs, strict=True))
        ]
        kept = list(range(len(columns)))
        for index in sorted(kept, key=lambda index: -columns[index].spare):
            if columns[index].spare and sum(least[each] + _GAP for each in kept) - _GAP > self.width:
                kept.remove(index)
        return kept

    def _row(self, cells: Sequence[Text], columns: Sequence[Column], widths: Sequence[int]) -> Iterator[str | Text]:
        """The cells of one row, cut and filled up to the widths of their columns, and the gaps between them."""
        gap = ""
        for column, width, cell in zip(columns, widths, cells, strict=False):
            shown = _cut(cell, width, self.charset)
            pad = " " * (width - shown.cell_len)
            yield from (gap, pad, shown) if column.right else (gap, shown.append(pad))
            gap = gap or " " * (_GAP if width else 0)

    def _widths(self, columns: Sequence[Column], needs: list[int]) -> list[int]:
        """What the cells need; where that is too much, long names and words give way, numbers last."""
        excess = sum(needs) + _GAP * (len(columns) - 1) - self.width
        words = [index for index, column in enumerate(columns) if index and not column.right]
        parameters = [index for index, column in enumerate(columns) if index and column.right]
        giving = (
            ([0], _TREE), (words, _WORDS), ([0], _SHORT_TREE), (words, _WORD),
            ([0], _SHORT_NAME), (words, 2), (parameters, 2), ([0], 2),
        )  # fmt: skip
        for indices, least in giving:
            while excess > 0 and any(needs[index] > least for index in indices):
                needs[max(indices, key=needs.__getitem__)] -= 1
                excess -= 1
        return needs

    def bounded(self, line: Line, height: int | None, hanging: int = 0, room: int | None = None) -> Iterator[Text]:
        """The line broken into at most ``height`` lines; of a longer one the end is left out."""
        lines = list(self.wrapped(line, hanging, room))
        if height is None or len(lines) <= height:
            yield from lines
            return
        mark = self.charset("…")
        last = lines[height - 1] if height > 1 else self.text(line)
        last.rstrip()
        last.truncate((room or self.width) - _GAP)
        yield from (*lines[: height - 1], last.append(f" {mark}" if height > 1 else mark))

    def wrapped(self, line: Line, hanging: int = 0, room: int | None = None) -> Iterator[Text]:
        """The line broken at ``room`` columns, further lines indented; a word longer than a line is broken too."""
        broken = self.text(line).wrap(self._ruler, (room or self.width) - hanging, overflow="fold")
        for index, text in enumerate(broken):
            yield Text(" " * hanging).append_text(text) if index and hanging else text

    def text(self, line: Line) -> Text:
        """The spans as one styled text, in characters that can be printed."""
        return _styled([(self.charset(span.text), STYLES[span.role]) for span in line])


def _needs(heads: Sequence[Text], rows: Sequence[Sequence[Text]]) -> list[int]:
    """How wide the cells of each column are at most."""
    return [
        max([head.cell_len, *(row[index].cell_len for row in rows if index < len(row))])
        for index, head in enumerate(heads)
    ]


def _guides(rows: Sequence[Row]) -> Iterator[str]:
    """The lines that join each row of a tree to the row above it."""
    for index, row in enumerate(rows):
        guide = ""
        for depth in range(1, row.depth + 1):
            goes_on = next((later.depth == depth for later in rows[index + 1 :] if later.depth <= depth), False)
            if depth == row.depth:
                guide += "├ " if goes_on else "└ "
            else:
                guide += "│ " if goes_on else "  "
        yield guide


def _styled(pieces: Sequence[tuple[str, str]]) -> Text:
    """What Text.assemble makes of pieces and their styles, at a third of its cost: long tables have very many."""
    ends = list(accumulate(len(piece) for piece, _ in pieces))
    spans = [
        rich.text.Span(end - len(piece), end, style) for end, (piece, style) in zip(ends, pieces, strict=True) if style
    ]
    return Text("".join(piece for piece, _ in pieces), spans=spans)


def _joined(parts: Iterable[str | Text]) -> Text:
    """Texts and bare strings one after the other."""
    plain, spans, at = [], [], 0
    for part in parts:
        if isinstance(part, Text):
            own = [rich.text.Span(0, len(part), part.style)] if part.style else []
            spans += [rich.text.Span(start + at, end + at, style) for start, end, style in (*own, *part.spans)]
            part = part.plain
        plain.append(part)
        at += len(part)
    return Text("".join(plain), spans=spans)


def _cut(text: Text, width: int, charset: Charset) -> Text:
    """The text in at most ``width`` columns; of a longer one what it ends with in parentheses goes, then its middle."""
    if text.cell_len > width and text.plain.endswith(")"):
        text = text[: max(0, text.plain.rfind(" ("))] or text
    if text.cell_len <= width:
        return text
    tail = min((width - 1) // 2, len(text))
    head = min(width - 1 - tail, len(text))
    while True:
        cut = text[:head].append(charset("…")).append_text(text[len(text) - tail :])
        if cut.cell_len <= width:
            return cut
        head, tail = (head - 1, tail) if head > tail else (head, tail - 1)
