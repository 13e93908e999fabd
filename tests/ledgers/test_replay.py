"""The rules, replayed over the stored ledgers of real runs, say today what they said when these were stored.

Where a change is meant: ``make ledgers ARGS=--findings`` renews what they say, and the diff of it is the review.
"""

import functools
import json
import re
from dataclasses import replace

import msgspec
import pytest
from tests.ledgers import stored
from tests.ledgers.programs import programs, shelf
from tests.ledgers.stored import SHELVES

from frostline.laws import causes, judge

OF_A_MACHINE = rb'"(?:/[a-z]+/|[A-Za-z]:\\\\)[^"]*'
SHOWN = 5  # of programs that are judged otherwise, each with its difference


@functools.cache
def seen(name):
    return stored.load(name)


def judged_otherwise(name):
    """Programs of a shelf about which the rules say something else now, with the difference."""
    expected = stored.expected(name)
    found = {each.program: stored.judged(each) for each in seen(name)}
    names = sorted(expected.keys() | found.keys())
    different = ((program, stored.difference(expected.get(program), found.get(program))) for program in names)
    return {program: text for program, text in different if text}


@pytest.mark.parametrize("name", SHELVES)
def test_the_rules_say_what_they_said(name):
    different = judged_otherwise(name)
    shown = "\n\n".join(f"{program}\n{text}" for program, text in list(different.items())[:SHOWN])
    assert not different, f"{len(different)} programs are judged otherwise: {', '.join(different)}\n\n{shown}"


@pytest.mark.parametrize("name", SHELVES)
def test_all_programs_are_stored(name):
    assert {each.program for each in seen(name)} == {trial.name for trial in programs() if shelf(trial) == name}


def test_every_rule_is_found_in_a_stored_program():
    judgements = (judgement for name in SHELVES for judgement in stored.expected(name).values())
    assert {finding["rule"] for each in judgements for finding in each["findings"]} >= {
        rule.slug for rule in causes.CAUSES
    }


@pytest.mark.parametrize("name", SHELVES)
def test_nothing_stored_is_lost_in_reading(name):
    """A field that was renamed or removed would be passed over in silence, and its default be judged instead."""
    for line, read in zip(stored.lines(name).splitlines(), seen(name), strict=True):
        assert list(lost(json.loads(line), msgspec.to_builtins(read))) == [], read.program


def lost(before, now, place=""):
    """Places of plain data that later data does not have."""
    if isinstance(before, dict):
        for key, value in before.items():
            yield from lost(value, now[key], f"{place}.{key}") if key in now else [f"{place}.{key}"]
    elif isinstance(before, list):
        for one, other in zip(before, now, strict=True):
            yield from lost(one, other, f"{place}[]")


def test_a_lost_field_is_noticed():
    assert list(lost({"a": [{"old": 1, "same": 2}]}, {"a": [{"new": 1, "same": 2}]})) == [".a[].old"]


@pytest.mark.parametrize("name", SHELVES)
def test_nothing_of_the_machine_is_stored(name):
    assert set(re.findall(OF_A_MACHINE, stored.lines(name))) == set()
    for run in (ledger.run for each in seen(name) for ledger in each.ledgers):
        assert (run.command, run.pid, run.host, run.python, run.started, run.seconds) == ([], None, "", "", "", 0.0)


def test_a_rule_that_is_gone_is_noticed(monkeypatch):
    monkeypatch.setattr(causes.frozen, "find", lambda run: [])
    different = judged_otherwise("torch")
    lines = different["bugs/torch/digits_staged"].splitlines()
    assert '-   "code": "F103",' in lines
    assert '+   "code": "L1",' in lines  # the violation stands: only its cause is not known any longer


def test_one_other_word_is_noticed(monkeypatch):
    def reworded(ledger, files):
        found, excused = judge(ledger, files)
        return [replace(each, hint=each.hint.replace("when you freeze", "as you freeze")) for each in found], excused

    monkeypatch.setattr("frostline.judging.judge_by_laws", reworded)
    different = judged_otherwise("torch")
    assert {each.program for each in seen("torch")} > different.keys() >= {"bugs/torch/digits_staged"}
    changed = [line for line in different["bugs/torch/digits_staged"].splitlines() if line[:2] in ("- ", "+ ")]
    assert changed == [
        '-   "hint": "set .grad = None for the tensors when you freeze them",',
        '+   "hint": "set .grad = None for the tensors as you freeze them",',
    ]


def test_a_fact_that_is_gone_is_noticed():
    """Without its movements, a ledger is judged otherwise: the stored data is what the rules see."""
    [digits] = [each for each in seen("torch") if each.program == "bugs/torch/digits_staged"]
    [ledger] = digits.ledgers
    still = [replace(row, changed=replace(row.changed, movements=[])) for row in ledger.tensors]
    now = stored.judged(replace(digits, ledgers=[replace(ledger, tensors=still)]))
    assert stored.difference(stored.expected("torch")["bugs/torch/digits_staged"], now)
