"""Asks for cells: from a run before this one, or from the warm process of their backend, until the time is up."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import click

from studies.cells import Cell
from studies.serving import Server

NOT_RUN = "not run: the time was up"
KERAS_BACKENDS = ("torch", "jax", "tensorflow")


class Ask(AbstractContextManager["Ask"]):
    """The processes of one run of a study.

    Args:
        known: cells of a run before, which are not asked for again unless they are not explained.
        minutes: after which every further cell is refused as not run; None for no limit.
    """

    def __init__(self, known: Iterable[Cell] = (), minutes: float | None = None) -> None:
        done = [each for each in known if each.refused != NOT_RUN and not each.doubts]
        self._known = {(each.backend, each.subject, each.situation): each for each in done}
        self._ends = None if minutes is None else time.monotonic() + minutes * 60
        self._servers: dict[tuple[str, str], Server] = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers.values():
            server.close()

    def about(self, module: str, backend: str) -> dict[str, Any]:
        """What a module of trials can be asked for: ``names``, and what else it tells."""
        answer = self._server(module, backend).ask({"names": True})
        if "ended" in answer:
            raise click.ClickException(f"{module} cannot be tried on {backend}: {answer['ended']}")
        return answer

    def names(self, module: str, backend: str) -> list[str]:
        """The subjects of a module of trials."""
        return self.about(module, backend)["names"]

    def cell(self, module: str, backend: str, subject: str, situation: str) -> Cell:
        """One cell; where the process died over it, that is its reason."""
        known = self._known.get((backend, subject, situation))
        if known is not None:
            return known
        if self._ends is not None and time.monotonic() > self._ends:
            return Cell(subject, situation, backend, refused=NOT_RUN)
        answer = self._server(module, backend).ask({"subject": subject, "situation": situation})
        return Cell(subject, situation, backend, refused=answer["ended"]) if "ended" in answer else Cell(**answer)

    def _server(self, module: str, backend: str) -> Server:
        of_keras = backend if backend in KERAS_BACKENDS else ""
        return self._servers.setdefault((module, backend), Server(module, of_keras))
