"""With one field of a stored ledger changed, the laws find today what they found when that was stored.

Where a change is meant: ``make ledgers ARGS=--findings`` renews it, and the diff of it is the review.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.ledgers import stored, what_if
from tests.ledgers.stored import SHELVES

from frostline.laws import causes

SHOWN = 12


def found_otherwise(shelf: str) -> list[str]:
    """The changes that do something else now than what is stored, or do not fit their program any longer."""
    kept = what_if.load(shelf)
    lines = []
    for seen in stored.load(shelf):
        before = kept.get(seen.program, {})
        now = what_if.effects(seen, before)
        lines += [
            f"{seen.program}: {'/'.join(map(str, place))} = {value!r}: {does!r} → {now.get((place, value))!r}"
            for (place, value), does in before.items()
            if now.get((place, value)) != does
        ]
    return lines


@pytest.mark.parametrize("shelf", SHELVES)
def test_one_changed_field_does_what_it_did(shelf: str) -> None:
    different = found_otherwise(shelf)
    assert not different, "\n".join([f"{len(different)} changes do otherwise:", *different[:SHOWN]])


@pytest.mark.parametrize("shelf", SHELVES)
def test_every_program_has_changes_that_matter(shelf: str) -> None:
    kept = what_if.load(shelf)
    assert kept.keys() == {seen.program for seen in stored.load(shelf)}
    assert sum(bool(does) for each in kept.values() for does in each.values()) > 2 * len(kept)
    assert not [does for each in kept.values() for does in each.values() if does.startswith(what_if.FAILS)]


def test_a_condition_that_is_gone_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    family = causes.optimizers
    [cause] = [each for each in family.CAUSES if each.slug == "frozen-in-optimizer"]
    monkeypatch.setattr(family, "CAUSES", tuple(each for each in family.CAUSES if each is not cause))
    assert found_otherwise("jax") or found_otherwise("torch")


def test_a_change_that_no_longer_fits_is_noticed() -> None:
    [seen] = [each for each in stored.load("torch") if each.program == "bugs/torch/digits_staged"]
    gone = replace(seen, ledgers=[replace(seen.ledgers[0], tensors=[])])
    assert what_if.effects(seen, [(("tensors", 0, "declared", "trainable"), None)])
    assert what_if.effects(gone, [(("tensors", 0, "declared", "trainable"), None)]) == {}
