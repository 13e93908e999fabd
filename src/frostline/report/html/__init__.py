"""Reports as HTML: one page that needs nothing else, and a fragment for notebooks, made of the same parts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from frostline.core.record import Record
from frostline.report.form import View, visible
from frostline.report.html import cards, payload
from frostline.report.views import full, run

_BESIDE = ("findings",)  # shown as cards, not as the section that text has


def render(record: Record, why: Mapping[str, str]) -> str:
    """``record`` as a page: verdict, findings, map, tree, timelines and a table of every tensor.

    The page is one file that asks for nothing from elsewhere. Whatever a name holds stays text. Without JavaScript it
    can be read down to the table.

    Args:
        record: what was seen and judged.
        why: why a rule or law matters, by its code.
    """
    parts = full.parts(record)
    findings = cards.of(record, why)
    codes = cards.codes(findings)
    return _page(
        "report.html.jinja",
        script=_script(),
        title=visible(" ".join(record.run.command)) or "a run",
        verdict=cards.verdict(record),
        when=visible(run.began(record.run)),
        ended=run.summed_up(record.run),
        cards=findings,
        sections=[section for name, section in parts.items() if name not in _BESIDE],
        rows=list(payload.rows(record, codes)),
        count=len(record.tensors),
        payload=payload.document(record, codes),
        states=payload.STATES,
    )


def fragment(record: Record) -> str:
    """The same verdict, findings, parameters and ledger as a piece of HTML for a notebook, without any script."""
    parts = full.parts(record)
    kept = [section for name, section in parts.items() if name.startswith(("parameters", "ledger"))]
    return _page("fragment.html.jinja", verdict=cards.verdict(record), cards=cards.of(record, {}), sections=kept)


def page(view: View) -> str:
    """Any view as a page in the same style; a difference between checkpoints for one."""
    return _page("view.html.jinja", view=view)


def _page(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(style=_text("style.css"), **values)


@cache
def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


@cache
def _script() -> str:
    """The parts of the page's script, in the order of their numbers, in one scope."""
    parts = sorted(files(__package__).joinpath("script").iterdir(), key=lambda part: part.name)
    return "\n".join(["(() => {", '"use strict";', *(part.read_text("utf-8") for part in parts), "})();"])


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_text), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
