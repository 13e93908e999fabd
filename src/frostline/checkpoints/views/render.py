"""What the commands show, as the one form that text, Markdown and HTML are made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.diff.compare import Diff, Pair
from frostline.checkpoints.diff.moves import Move
from frostline.checkpoints.lock.verification import Verification
from frostline.checkpoints.views import documents
from frostline.core.ledger import TensorRow
from frostline.report.folding import folded
from frostline.report.form import Block, Column, Line, Prose, Role, Row, Section, Span, Table, View, line

SHOWN = 40
_ROLES: dict[str, Role] = {"same": "still", "changed": "changed", "unknown": "unknown", "added": "changed"}


def of_checkpoint(checkpoint: Checkpoint, digests: dict[str, str], limit: int | None = None) -> View:
    """A checkpoint: tensors, ties, what else it holds, totals."""
    columns = [Column("tensor"), Column("type"), Column("shape"), Column("bytes", right=True)]
    if digests:
        columns.append(Column("digest"))
    rows = [
        Row(
            (
                (Span(tensor.name, "name"),),
                line(tensor.dtype),
                line(_shape(tensor.shape)),
                line(f"{tensor.nbytes:,}"),
                line(digests.get(tensor.name) or ("unknown" if digests else "")),
            )
        )
        for tensor in list(checkpoint.tensors.values())[:limit]
    ]
    left_out = len(checkpoint.tensors) - len(rows)
    sections = [_section("tensors", _table(columns, rows, None) + _more(left_out))]
    ties = [Prose(line(" = ".join(group))) for group in checkpoint.ties()]
    sections.append(_section("the same storage", ties[:limit] + _more(len(ties[limit:]) if limit else 0)))
    notes = [(t.name, t.note) for t in checkpoint.tensors.values() if t.note and not t.unknown]
    sections.append(_section("notes", _listed(notes, limit)))
    unread = [(t.name, t.unknown) for t in checkpoint.tensors.values() if t.unknown]
    sections.append(_section("not read", _listed(unread, limit)))
    sections.append(_section("not tensors", _listed(checkpoint.extras.items(), SHOWN)))
    sections.append(_section("metadata", _listed(checkpoint.metadata.items(), SHOWN)))
    total = documents.totals(checkpoint)
    stored = f", {_size(total['stored'])} of them stored" if total["stored"] != total["bytes"] else ""
    unknown = f"; {total['unknown']} without bytes" if total["unknown"] else ""
    last = f"{_count(total['tensors'], 'tensor')}, {total['values']:,} values, {_size(total['bytes'])}{stored}{unknown}"
    title = line(Span(str(checkpoint.path), "title"), f"  {checkpoint.kind}")
    return View(title, tuple(section for section in sections if section.blocks), line(last))


def of_diff(diff: Diff, limit: int | None = None) -> View:
    """A difference: the tree of modules, then a table for each thing that happened."""
    sections = [_section("modules", [_tree(diff)] if diff.pairs or diff.added or diff.removed else [])]
    sections.append(_section("changed", _changed(diff.of("changed"), limit)))
    for heading, tensors in (("added", diff.added), ("removed", diff.removed)):
        entries = [(tensor.name, _described(tensor)) for tensor in tensors]
        sections.append(_section(heading, _listed(entries, limit)))
    renamed = [(pair.name, f"was {pair.old.name}; the same bytes") for pair in diff.of("renamed")]
    sections.append(_section("renamed", _listed(renamed, limit)))
    for state in ("retyped", "reshaped"):
        pairs = [(pair.name, _conversion(pair)) for pair in diff.of(state)]
        sections.append(_section(state, _listed(pairs, limit)))
    sections.append(_section("not tensors", _listed(((each.name, each.text) for each in diff.others), limit)))
    sections.append(_section("could not tell", _listed(diff.unread.items(), limit)))
    sections.append(_section("not read, as allowed", _listed(((t.name, t.unknown or "") for t in diff.allowed), limit)))
    title = line(Span(str(diff.old.path), "title"), " → ", Span(str(diff.new.path), "title"))
    return View(title, tuple(section for section in sections if section.blocks), line(sentence(diff)))


def sentence(diff: Diff) -> str:
    """The verdict on two checkpoints in one line."""
    counts = {state: len(diff.of(state)) for state in ("changed", "retyped", "reshaped", "renamed")}
    counts |= {"added": len(diff.added), "removed": len(diff.removed), "could not be told": len(diff.of("unknown"))}
    found = [f"{count:,} {what}" for what, count in counts.items() if count]
    found += [f"{_count(len(diff.others), 'other value')} changed"] if diff.others else []
    same = len(diff.of("same"))
    through = sum(1 for pair in diff.of("same") if pair.through)
    found.append(f"{same:,} the same" + (f" ({through:,} under a wrapper's name)" if through else ""))
    if diff.left_out:
        found.append(f"{diff.left_out:,} left out")
    if diff.allowed:
        found.append(f"{len(diff.allowed):,} not read, as allowed")
    apart = f"; not compared: {', '.join(diff.uncompared)}" if diff.uncompared else ""
    return f"{('the same', 'different', 'could not tell')[diff.exit_status]}: {', '.join(found)}{apart}"


def of_verification(result: Verification, title: str, limit: int | None = None) -> View:
    """What a file proved about a lock."""
    sections = [
        _section("differ", _listed(result.differ, limit)),
        _section("missing", _listed(((name, "in the lock, not in the file") for name in result.missing), limit)),
        _section("new", _listed(((name, "in the file, not in the lock") for name in result.new), limit)),
        _section("could not tell", _listed(result.unknown, limit)),
        _section("free to differ", _listed(result.allowed, limit)),
        _section("not read, as allowed", _listed(result.unread, limit)),
    ]
    counts = (
        (len(result.differ), "differ"),
        (len(result.missing), "missing"),
        (len(result.new), "new"),
        (len(result.unknown), "could not be told"),
        (len(result.allowed), "free to differ"),
        (len(result.absent), "not in this part"),
        (len(result.unread), "not read, as allowed"),
    )
    verdict = ("verified", "not verified", "could not tell")[result.exit_status]
    rest = "".join(f", {number:,} {what}" for number, what in counts if number)
    if result.exit_status == 0 and not result.same:
        verdict = "verified, and no locked tensor is in the file"
    apart = f"; not compared: {', '.join(result.apart)}" if result.apart else ""
    last = f"{verdict}: {_count(len(result.same), 'tensor')} bit for bit the same{rest}{apart}"
    return View(line(Span(title, "title")), tuple(section for section in sections if section.blocks), line(last))


def _section(title: str, blocks: Sequence[Block]) -> Section:
    return Section(Span(title, "label"), tuple(blocks))


def _table(columns: Sequence[Column], rows: Sequence[Row], limit: int | None) -> list[Block]:
    if not rows:
        return []
    kept = rows[: limit or len(rows)]
    blocks: list[Block] = [Table(tuple(columns), tuple(kept))]
    return blocks + _more(len(rows) - len(kept))


def _listed(entries: Iterable[tuple[str, str]], limit: int | None) -> list[Block]:
    rows = [Row(((Span(name, "name"),), line(text))) for name, text in entries]
    return _table((Column("name"), Column("what")), rows, limit)


def _more(count: int) -> list[Block]:
    return [Prose(line(Span(f"… and {count:,} more; --all lists them", "dim")))] if count else []


def _tree(diff: Diff) -> Table:
    states = {pair.name: pair.state for pair in diff.pairs}
    states |= {tensor.name: "added" for tensor in diff.added} | {tensor.name: "removed" for tensor in diff.removed}
    tensors = [*(pair.new for pair in diff.pairs), *diff.added, *diff.removed]
    tensor_rows = [_tensor(tensor) for tensor in tensors]
    marks = {id(row): states[tensor.name] for row, tensor in zip(tensor_rows, tensors, strict=True)}
    rows = []
    for fold in folded("", tensor_rows, lambda row: marks[id(row)], "all"):
        counts = Counter(marks[id(row)] for row in fold.tensors)
        values = sum(row.size for row in fold.tensors)
        rows.append(
            Row(
                ((Span(fold.label, "name"),), _states(counts), line(f"{len(fold.tensors):,}"), line(f"{values:,}")),
                fold.depth,
            )
        )
    columns = (Column("module"), Column("state"), Column("tensors", right=True), Column("values", right=True))
    return Table(columns, tuple(rows), tree=True)


def _tensor(tensor: Tensor) -> TensorRow:
    name = tensor.name.replace("/", ".")
    return TensorRow(name, "", "parameter", tensor.shape, tensor.dtype, tensor.nbytes, tensor.size)


def _states(counts: Counter[str]) -> Line:
    spans: list[Span | str] = []
    for state, count in counts.most_common():
        spans += [", "] if spans else []
        spans.append(Span(state if len(counts) == 1 else f"{count:,} {state}", _ROLES.get(state, "mixed")))
    return line(*spans)


def _changed(pairs: Sequence[Pair], limit: int | None) -> list[Block]:
    columns = [Column("tensor"), Column("type"), Column("shape"), Column("changed", right=True), Column("rows")]
    columns += [Column("largest", right=True), Column("relative", right=True, spare=1)]
    moves = [pair.move for pair in pairs if pair.move is not None]
    columns += [Column("also")] if any(map(_also, moves)) else []
    rows = []
    for pair, move in zip(pairs, moves, strict=True):
        cells = (pair.new.dtype, _shape(pair.new.shape), f"{move.changed:,} of {move.elements:,}", _rows(move))
        values = (_number(move.largest), _number(move.relative), _also(move))
        words = (*cells, *values)[: len(columns) - 1]
        rows.append(Row(((Span(pair.name, "name"),), *map(line, words))))
    return _table(columns, rows, limit)


def _rows(move: Move) -> str:
    if move.rows is None:
        return f"(counted in {move.unit})" if move.unit != "elements" else ""
    if move.rows_changed == move.rows:
        return "all"
    runs = [str(first) if first == last else f"{first}–{last}" for first, last in move.ranges[:4]]
    shown = sum(last - first + 1 for first, last in move.ranges[:4])
    return ", ".join(runs) + (", …" if shown < move.rows_changed else "")


def _also(move: Move) -> str:
    facts = (
        (move.nan_appeared, "became NaN"),
        (move.nan_gone, "no longer NaN"),
        (move.sign_of_zero, "changed the sign of zero"),
    )
    return ", ".join(f"{count:,} {what}" for count, what in facts if count)


def _conversion(pair: Pair) -> str:
    words = f"{_described(pair.old)} became {_described(pair.new)}"
    if pair.same_bytes:
        return f"{words}; the same bytes"
    if pair.converted is not None:
        return f"{words}; {'the old values, converted' if pair.converted else 'not the old values converted'}"
    if pair.common_rows:
        return f"{words}; {_common(pair)}"
    return words


def _common(pair: Pair) -> str:
    rows = f"of the first {pair.common_rows:,} rows"
    return f"{rows} {pair.move.rows_changed:,} changed" if pair.move else f"{rows} none changed"


def _described(tensor: Tensor) -> str:
    return f"{tensor.dtype} {_shape(tensor.shape)}"


def _shape(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _size(count: int) -> str:
    """Bytes in the unit that leaves few digits.

    >>> _size(1536), _size(12)
    ('1.5 KiB', '12 bytes')
    """
    if count < 1024:
        return _count(count, "byte")
    power = min(4, (count.bit_length() - 1) // 10)
    return f"{count / 1024**power:.1f} {('KiB', 'MiB', 'GiB', 'TiB')[power - 1]}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
