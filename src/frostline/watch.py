"""The façade: a training watched from within a script, and what was found, to read and to assert on."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from frostline.core.record import Finding, Record
from frostline.core.verdict import failing, headline
from frostline.errors import FindingsError, FrostlineError
from frostline.integrations import notebook
from frostline.integrations.trackers import listeners
from frostline.run.session import UNDER_WAY, Session
from frostline.settings import Settings, load

NAMES_TOLD = 8
_WITH = "train inside `with frostline.watch(model, optimizer) as seen:`"


class Report:
    """What a watch found, to print, to assert on, or to read as data.

    Args:
        record: of the run; ``report.record.tensors`` has a row for each tensor, ``.findings`` what contradicts.

    Example:
        >>> import torch, frostline
        >>> report = frostline.summary(torch.nn.Linear(2, 1))
        >>> report.record.verdict.errors, [row.shape for row in report.record.tensors]
        (0, [(1, 2), (1,)])
    """

    def __init__(self, record: Record) -> None:
        self.record = record

    def check(self, fail_on: str = "error") -> None:
        """Raise when there are findings at or above ``fail_on``.

        Args:
            fail_on: ``"error"``, ``"warning"``, or ``"never"``.

        Raises:
            FindingsError: with every such finding in its message.

        Example:
            >>> import torch, frostline
            >>> frostline.summary(torch.nn.Linear(2, 1)).check(fail_on="warning")
        """
        __tracebackhide__ = True  # pytest shows the line of the test
        findings = failing(self.record.findings, fail_on)
        if findings:
            raise findings_error(findings)

    def __str__(self) -> str:
        from frostline.report import render

        return render(self.record, "text", color=False)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from frostline.report import html

        return html.fragment(self.record)


def findings_error(findings: Sequence[Finding]) -> FindingsError:
    """The error that tells these findings: a paragraph each, with the tensors and what to do."""
    return FindingsError("\n\n".join(_paragraph(finding) for finding in findings), findings[0].hint)


def _paragraph(finding: Finding) -> str:
    names = finding.tensors[:NAMES_TOLD]
    more = [f"and {len(finding.tensors) - len(names):,} more"] if len(finding.tensors) > len(names) else []
    lines = [f"{finding.code} {finding.rule}: {finding.message}"]
    lines += [f"  tensors: {', '.join([*names, *more])}"] if names else []
    lines += [f"  hint: {finding.hint}"] if finding.hint else []
    return "\n".join(lines)


class watch(contextlib.AbstractContextManager["watch"]):
    """Observe the training inside a ``with`` block.

    Args:
        objects: models and optimizers of interest; they must belong to a framework that is imported. Models are
            looked at when the block begins.
        frozen: patterns of tensors that should stay as they are; None takes those of the settings files.
        trained: patterns of tensors that should change; the same.
        check_every: check at every n-th step instead of at 1, 2, 4, 8, …
        patience: executed steps below which "unchanged so far" is a note and never an error.
        settings: all of them, in place of those of the files.

    Raises:
        SettingsError: a settings file cannot be read, or says something unknown.

    Examples:
        >>> import torch, frostline
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> with frostline.watch(model, optimizer) as seen:
        ...     model(torch.ones(4, 2)).sum().backward()
        ...     optimizer.step()
        >>> seen.report.record.totals.changed
        3
    """

    def __init__(
        self,
        *objects: Any,
        frozen: Iterable[str] | None = None,
        trained: Iterable[str] | None = None,
        check_every: int | None = None,
        patience: int | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.objects = objects
        settings = (load() if settings is None else settings).but(
            frozen=frozen if frozen is None else tuple(frozen),
            trained=trained if trained is None else tuple(trained),
            check_every=check_every,
            patience=patience,
        )
        self.session = Session(replace(settings, data=None), listeners=(*listeners(settings), *notebook.listeners()))
        self._report: Report | None = None
        self._entered = False

    def __enter__(self) -> watch:
        self._entered = True
        self.session.attach_imported()
        self.session.take(*self.objects)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._report = Report(self.session.close())

    @property
    def report(self) -> Report:
        """What was found; during the block, what has been found so far.

        Raises:
            FrostlineError: the block was never entered, so that nothing was watched.
        """
        if not self._entered:
            raise FrostlineError("nothing was watched: this watch was never entered", _WITH)
        return self._report or Report(self.session.record())

    def __repr__(self) -> str:
        """How far it is, for a notebook that shows it."""
        if not self._entered:
            return f"<frostline.watch, not entered: {_WITH}>"
        return f"<frostline.watch, {'over' if self._report else 'under way'}: {headline(self.report.record)}>"

    def __del__(self) -> None:
        """Say that a watch which nobody entered has watched nothing."""
        if not getattr(self, "_entered", True):
            UNDER_WAY[:] = [session for session in UNDER_WAY if session is not self.session]
            warnings.warn(f"nothing was watched: a frostline.watch was never entered; {_WITH}", stacklevel=2)


def assert_frozen(model: Any, *patterns: str, during: Callable[[], object]) -> None:
    """Run ``during()`` and raise unless every tensor that the patterns name kept its bits.

    Args:
        model: a model of an imported framework.
        patterns: which tensors; all of the model when none is given.
        during: a function of no arguments that trains.

    Raises:
        FindingsError: naming the tensors that moved and why.

    Example:
        >>> import torch, frostline
        >>> model = torch.nn.Linear(2, 1).requires_grad_(False)
        >>> frostline.assert_frozen(model, "weight", during=lambda: model(torch.ones(4, 2)))
    """
    with watch(model, settings=Settings(frozen=patterns or ("**",))) as seen:
        during()
    expected = [each for each in failing(seen.report.record.findings, "error") if _concerns_expected(each, seen)]
    if expected:
        raise findings_error(expected)


def _concerns_expected(finding: Finding, seen: watch) -> bool:
    tensor_rows = seen.report.record.tensors
    frozen = {row.name for row in tensor_rows if "frozen" in (row.expected, *(rows.expected for rows in row.rows))}
    return bool(frozen & set(finding.tensors)) or finding.rule == "pattern-matches-nothing"


def summary(model: Any, *optimizers: Any) -> Report:
    """What the flags of a model declare, what optimizers hold, and what has changed so far in a watched run.

    Args:
        model: of an imported framework.
        optimizers: whose groups to look at; inside ``watch`` or ``frostline run`` those that have stepped are known.

    Returns:
        a report that prints as text at 80 columns and shows as HTML in a notebook.

    Examples:
        >>> import torch, frostline
        >>> print(frostline.summary(torch.nn.Linear(2, 1)).record.totals.declared_trainable)
        3
    """
    if UNDER_WAY:
        UNDER_WAY[-1].take(model, *optimizers)
        return Report(UNDER_WAY[-1].record())
    with watch(model, *optimizers, settings=Settings()) as seen:
        pass
    return seen.report
