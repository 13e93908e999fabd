"""The pages of a rule and of a law, and the list of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from frostline.report import terminal
from frostline.report.form import Block, Code, Column, Facts, Prose, Role, Row, Section, Span, Table, View, line

_SEVERITY: dict[str, Role] = {"error": "error", "warning": "warning", "note": "note"}


class Named(Protocol):
    """A rule or a law: what a finding can be named after."""

    @property
    def code(self) -> str: ...
    @property
    def slug(self) -> str: ...
    @property
    def severity(self) -> str: ...


class Page(Named, Protocol):
    """What a rule says of itself."""

    @property
    def law(self) -> str: ...
    @property
    def means(self) -> str: ...
    @property
    def matters(self) -> str: ...
    @property
    def example(self) -> str: ...
    @property
    def remedy(self) -> str: ...
    @property
    def tells_apart(self) -> str: ...
    @property
    def mitigations(self) -> Sequence[ExcusePage]: ...


class ExcusePage(Protocol):
    """What an excuse, or what makes a cause weigh less, says of itself."""

    @property
    def name(self) -> str: ...
    @property
    def means(self) -> str: ...


def rule_page(rule: Page, *, width: int = 80, color: bool = False, encoding: str | None = "utf-8") -> str:
    """The page of ``rule``: what it means, why it matters, an example, what to do and what tells it apart."""
    sections: tuple[tuple[str, tuple[Block, ...]], ...] = (
        ("What it means", _paragraphs(rule.means)),
        ("Why it matters", _paragraphs(rule.matters)),
        ("Example", (Code(tuple(rule.example.strip("\n").expandtabs(4).splitlines())),) if rule.example else ()),
        ("What to do", _paragraphs(rule.remedy)),
        ("How it is detected", _paragraphs(rule.tells_apart)),
        ("When it weighs less, once proven", _excuses(rule.mitigations)),
        ("The law it explains", _paragraphs(rule.law)),
    )
    view = View(
        title=line(Span(f"{rule.code} {rule.slug}", "title"), " (", _severity(rule), ")"),
        sections=tuple(Section(Span(title, "title"), blocks) for title, blocks in sections if blocks),
    )
    return terminal.render(view, width, color, encoding)


class LawPage(Named, Protocol):
    """What a law says of itself."""

    @property
    def statement(self) -> str: ...
    @property
    def matters(self) -> str: ...
    @property
    def remedy(self) -> str: ...
    @property
    def needs(self) -> Sequence[type]: ...
    @property
    def cannot_see(self) -> str: ...
    @property
    def excuses(self) -> Sequence[ExcusePage]: ...


def law_page(
    law: LawPage, rules: Iterable[Page], *, width: int = 80, color: bool = False, encoding: str | None = "utf-8"
) -> str:
    """The page of ``law``: its statement, what it is judged by, its excuses, its blind spots, and its causes."""
    causes = tuple(Row((line(Span(rule.code, "name")), line(rule.slug))) for rule in rules if rule.law == law.code)
    sections: tuple[tuple[str, tuple[Block, ...]], ...] = (
        ("What it means", _paragraphs(law.statement)),
        ("Why it matters", _paragraphs(law.matters)),
        ("What to do", _paragraphs(law.remedy)),
        ("How it is detected", _paragraphs(", ".join(fact.__name__ for fact in law.needs))),
        ("What excuses it, once proven", _excuses(law.excuses)),
        ("What it cannot see", _paragraphs(law.cannot_see)),
        ("Known causes", (Table((Column("code"), Column("rule")), causes),) if causes else ()),
    )
    view = View(
        title=line(Span(f"{law.code} {law.slug}", "title"), " (", _severity(law), ")"),
        sections=tuple(Section(Span(title, "title"), blocks) for title, blocks in sections if blocks),
    )
    return terminal.render(view, width, color, encoding)


def rule_list(rules: Iterable[Named], *, width: int = 80, color: bool = False, encoding: str | None = "utf-8") -> str:
    """All rules, a line each: code, severity and slug."""
    columns = (Column("code"), Column("severity"), Column("rule"))
    rows = tuple(Row((line(Span(rule.code, "name")), line(_severity(rule)), line(rule.slug))) for rule in rules)
    view = View(title=(), sections=(Section(Span(""), (Table(columns, rows),)),))
    return terminal.render(view, width, color, encoding)


def _severity(rule: Named) -> Span:
    return Span(rule.severity, _SEVERITY.get(rule.severity, "plain"))


def _excuses(excuses: Sequence[ExcusePage]) -> tuple[Block, ...]:
    return (Facts(tuple((Span(each.name, "label"), line(each.means)) for each in excuses)),) if excuses else ()


def _paragraphs(text: str) -> tuple[Block, ...]:
    """Paragraphs are parted by empty lines; line breaks inside one do not count."""
    return tuple(Prose(line(" ".join(paragraph.split()))) for paragraph in text.split("\n\n") if paragraph.strip())
