"""An anonymous record has nothing of its user in it, and is judged as the one that it was made of."""

import re

import msgspec
import pytest
from tests.ledgers import stored

from frostline import judging
from frostline.core.anonymous import anonymous
from frostline.core.ledger import Ledger
from frostline.core.names.public_words import PUBLIC
from frostline.core.run import Run
from frostline.core.suppressions import Policy


def found(record):
    return sorted((each.code, each.severity, len(each.tensors)) for each in record.findings)


@pytest.mark.parametrize("name", stored.SHELVES)
def test_stored_runs_are_judged_as_before_and_every_name_is_a_frameworks_or_replaced(name) -> None:
    for seen in stored.load(name):
        for ledger in seen.ledgers:
            record = judging.judged(ledger, Policy())
            replaced = judging.anonymised(record)
            assert found(replaced) == found(record), seen.program
            for row in replaced.tensors:
                parts = re.findall(r"[^\W\d_]+", f"{row.name}.{row.model}.{row.owner.type}")
                own = [part for part in parts if part not in _PARTS and not re.fullmatch("n[b-df-hj-np-tv-xz]+", part)]
                assert own == [], (seen.program, row.name)


_PARTS = {part for word in PUBLIC for part in re.findall(r"[^\W\d_]+", word)}


def test_what_errors_said_and_where_a_run_was_made_are_left_out() -> None:
    faults = ["a check: SecretError: at /mnt/x", "a step: ValueError: secret"]
    run = Run(["/mnt/secret.py"], "secret", host="secret", commit="secret", ended_by="SecretError", faults=faults)
    again = anonymous(Ledger(run=run)).run
    assert again.faults == ["a check: an error", "a step: ValueError"]
    assert not re.search("mnt|secret", str(msgspec.to_builtins(again)), re.IGNORECASE)
    assert (again.command, again.id, again.host, again.commit) == (["train.py"], "", "", "")
