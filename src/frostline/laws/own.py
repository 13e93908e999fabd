"""Laws and causes of a project's own: in the files that its settings name, and in installed packages.

An entry point of a package in ``frostline.laws`` names a ``Law``, a ``Cause``, or several of them; of a file all that
it defines are taken. What they find stands beside the findings of frostline and explains none of them. One that fails
is told as a finding, and costs no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from frostline.core.record import Finding
from frostline.laws.causes.cause import Cause
from frostline.laws.law import Law
from frostline.laws.observed_run import ObservedRun

GROUP = "frostline.laws"


def own(files: tuple[Path, ...] = ()) -> list[Law | Cause]:
    """What ``files`` define and the entry points name, of those that can be loaded.

    Example:
        >>> all(isinstance(each, Law | Cause) for each in own())
        True
    """
    return [each for each in _named(files) if not isinstance(each, Finding)]


def findings(run: ObservedRun, files: tuple[Path, ...] = ()) -> Iterator[Finding]:
    """What a project's own laws and causes find in a run, and which of them failed."""
    for each in _named(files):
        if isinstance(each, Finding):
            yield each
            continue
        try:
            found = list(_found(each, run))
        except Exception as error:
            found = [_failure(f"{each.code} {each.slug}", error)]
        yield from found


@cache
def _named(files: tuple[Path, ...]) -> tuple[Law | Cause | Finding, ...]:
    installed = [each for point in entry_points(group=GROUP) for each in _loaded(point)]
    return (*(each for file in files for each in _defined(file)), *installed)


def _defined(file: Path) -> Iterator[Law | Cause | Finding]:
    """The laws and causes that a file defines; a finding where it has none, or cannot be run."""
    try:
        spec = spec_from_file_location(f"frostline_laws_{file.stem}", file)
        if spec is None or spec.loader is None:
            raise ImportError("it is no Python file")
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    except Exception as error:
        yield _failure(str(file), error)
        return
    defined: list[Law | Cause | Finding] = [each for each in vars(module).values() if isinstance(each, Law | Cause)]
    yield from defined or [_failure(str(file), TypeError("it defines neither a Law nor a Cause"))]


def _found(each: Law | Cause, run: ObservedRun) -> Iterator[Finding]:
    if isinstance(each, Law):
        for violation in each.violations(run) if each.violations else ():
            yield each.found(violation, violation.tensors)
    else:
        yield from (each.finding(case) for case in (each.cases(run) if each.cases else ()))


def _loaded(point: EntryPoint) -> Iterator[Law | Cause | Finding]:
    """The laws and causes of an entry point; a finding for what is none, or cannot be loaded."""
    try:
        named: Any = point.load()
    except Exception as error:
        yield _failure(f"{point.name} ({point.value})", error)
        return
    for each in named if isinstance(named, Iterable) else [named]:
        if isinstance(each, Law | Cause):
            yield each
        else:
            yield _failure(f"{point.name} ({point.value})", TypeError(f"{each!r} is neither a Law nor a Cause"))


def _failure(name: str, error: Exception) -> Finding:
    return Finding(
        rule="own-law-failed",
        code="X000",
        severity="warning",
        tensors=[],
        message=f"a law of your own could not be judged: {name}: {type(error).__name__}: {error}",
        evidence={},
        hint=f"mend it, or take it out of the setting `laws` or the entry points in {GROUP}",
    )
