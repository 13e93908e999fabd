"""Stores the ledgers again, or only what the rules say about them: ``python -m tests.ledgers [NAMES] [--findings]``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import click
import msgspec
from corpus.cases import Trial
from corpus.running import Outcome, prepare, run
from tests.ledgers import stored, what_if
from tests.ledgers.programs import programs, shelf
from tests.ledgers.stored import SHELVES, Seen

from frostline.core.events import Event
from frostline.core.ledger import Ledger
from frostline.core.record import Record


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1)
@click.option("--shelf", "shelves", type=click.Choice(SHELVES), multiple=True, help="Only these; all without it.")
@click.option("--findings", is_flag=True, help="Keep the ledgers; renew what the rules say about them.")
@click.option("--jobs", default=2, show_default=True, help="Programs that run at a time.")
def main(names: Sequence[str], shelves: Sequence[str], findings: bool, jobs: int) -> None:
    """Run programs under frostline, store their ledgers and what the rules say, and print what changed in it.

    NAMES are parts or patterns of names, as in 'clean/torch/*' or 'digits'; all without one.
    """
    everything = programs()
    complaints: list[str] = []
    for name in shelves or SHELVES:
        mine = [trial for trial in everything if shelf(trial) == name]
        if not findings:
            complaints += _store(name, mine, [trial for trial in mine if trial.is_among(names)], jobs)
        _renew(name)
    for complaint in complaints:
        click.echo(complaint, err=True)
    sys.exit(1 if complaints else 0)


def _store(name: str, mine: Sequence[Trial], chosen: Sequence[Trial], jobs: int) -> list[str]:
    """Run the chosen programs of a shelf; what of them could not be stored, and why."""
    path = stored.HERE / f"{name}.jsonl.xz"
    kept = {seen.program: seen for seen in stored.load(name)} if path.exists() else {}
    complaints = []
    for outcome in _outcomes(chosen, jobs):
        program = outcome.trial.name
        seen = Seen(program, [_ledger(record) for record in outcome.each])
        if outcome.record is None:
            complaints.append(f"{program} is not stored: {outcome.problem}")
        elif differs := stored.difference(stored.as_data(outcome.record), stored.judged(seen)):
            complaints.append(f"{program} is not stored: its ledger is judged otherwise than its run was\n{differs}")
        else:
            kept[program] = seen
    known = {trial.name for trial in mine}
    stored.save(name, [seen for program, seen in kept.items() if program in known])
    return complaints


def _outcomes(chosen: Sequence[Trial], jobs: int) -> Iterator[Outcome]:
    prepare()
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(run, chosen)


def _ledger(record: Record) -> Ledger:
    """What was seen, without the judgement and without the machine on which it was."""
    run = replace(record.run, command=[], pid=None, host="", python="", started="", seconds=0.0)
    return Ledger(record.tensors, record.optimizers, [_placed(each) for each in record.events], record.expected, run)


def _placed(event: Event) -> Event:
    """The event with the file of its line without folders."""
    lines = {field: line for field in ("origin", "until") if (line := getattr(event, field, None)) is not None}
    return msgspec.structs.replace(
        event,
        **{field: msgspec.structs.replace(line, file=os.path.basename(line.file)) for field, line in lines.items()},
    )


def _renew(name: str) -> None:
    """Store what the rules say about a shelf, and print in what that is new."""
    path = stored.HERE / f"{name}.findings.json"
    before = stored.expected(name) if path.exists() else {}
    now = {seen.program: stored.judged(seen) for seen in stored.load(name)}
    stored.save_expected(name, now)
    changed = [program for program in now if program in before and now[program] != before[program]]
    for program in changed:
        click.echo(f"{program}\n" + "\n".join(_changes(before[program], now[program])))
    new, gone = len(now.keys() - before.keys()), len(before.keys() - now.keys())
    click.echo(f"{name}: {len(now)} programs, {len(changed)} judged otherwise, {new} new, {gone} gone")
    _renew_what_if(name)


def _renew_what_if(name: str) -> None:
    """Store what is found with one field changed, and say of how many changes that is something else now."""
    before, now = what_if.load(name), what_if.renewed(name)
    what_if.save(name, now)
    pairs = [(before.get(program, {}), each) for program, each in now.items()]
    other = sum(each[change] != was[change] for was, each in pairs for change in was.keys() & each.keys())
    new = sum(len(each.keys() - was.keys()) for was, each in pairs)
    click.echo(f"{name}, with one field changed: {other} judged otherwise, {new} new")


def _changes(before: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """A line for each finding that is gone, new or worded otherwise, and for other counts."""
    old, new = (_by_tensors(each["findings"]) for each in (before, now))
    yield from (f"  - {_title(old[key])}" for key in old if key not in new)
    yield from (f"  + {_title(new[key])}" for key in new if key not in old)
    for key in [key for key in old if key in new]:
        if parts := [part for part in new[key] if new[key][part] != old[key].get(part)]:
            yield f"  ~ {_title(new[key])} ({', '.join(parts)})"
    yield from (f"  ~ {part}" for part in ("totals", "verdict") if before[part] != now[part])
    if list(old) != list(new) and old.keys() == new.keys():
        yield "  ~ order of findings"


def _by_tensors(findings: Sequence[dict[str, Any]]) -> dict[tuple[str, ...], dict[str, Any]]:
    return {(each["code"], *each["tensors"]): each for each in findings}


def _title(finding: dict[str, Any]) -> str:
    return f"{finding['code']} {finding['rule']} [{finding['severity']}]: {finding['message']}"


if __name__ == "__main__":
    main()
