"""Many facts in few documents: what is read again is what was told, in its order, and less is written."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from tests.observe.memory import Tensor, Training

from frostline.core import facts as told
from frostline.core.storage import run_file
from frostline.core.storage.alike import FEW, Alike, gathered
from frostline.errors import RecordError


def again(facts: Iterable[told.Fact]) -> list[told.Fact]:
    """What is read of these facts after they were written."""
    written = msgspec.json.encode(list(gathered(facts)))
    documents = msgspec.json.decode(written, type=list[told.AnyFact | Alike])
    return [fact for each in documents for fact in (each.facts() if isinstance(each, Alike) else [each])]


def test_the_facts_of_a_training_are_read_as_they_were_told() -> None:
    training = Training(*(Tensor(f"m.{at}.weight", range(4), trainable=at % 3 > 0) for at in range(24)))
    training.optimizer(*training.probe.tensors[::2], weight_decay=0.1)
    for _ in range(5):
        training.step()
    training.observer.close()
    facts = training.observer.journal.facts()
    documents = list(gathered(facts))
    assert again(facts) == facts
    assert sum(isinstance(each, Alike) for each in documents) > 3
    assert len(documents) < len(facts) / 2


def test_what_a_fact_says_nothing_of_stays_unsaid() -> None:
    names = [told.TensorSeen(tensor=at, name=f"w{at}") for at in range(9)]
    marks = [told.TensorSeen(tensor=at, read=None, zeros=bool(at % 2)) for at in range(9)]
    mixed = [each for pair in zip(names, marks, strict=True) for each in pair]
    for facts in (names, marks, [*names, *marks], mixed):
        assert again(facts) == facts
    assert len(list(gathered([*names, *marks]))) == 2


def test_few_facts_are_written_one_by_one() -> None:
    facts = [told.FlagDeclared(tensor=at, flag=True) for at in range(FEW + 1)]
    assert list(gathered(facts[:FEW])) == facts[:FEW]
    assert [type(each) for each in gathered(facts)] == [Alike]


@pytest.mark.parametrize(
    "document",
    [
        b'{"fact":"Alike","of":"NoSuchFact","same":{},"each":{"tensor":[0]}}',
        b'{"fact":"Alike","of":"Unread","same":{"why":1},"each":{"tensor":[0]}}',
        b'{"fact":"Alike","of":"Unread","same":{},"each":{"tensor":[0]}}',
        b'{"fact":"Alike","of":"Unread","same":{},"each":{"tensor":[0,1],"reason":["gone"]}}',
        b'{"fact":"Alike","of":"Unread","same":{},"each":{"tensor":["0"],"reason":["gone"]}}',
        b'{"fact":"Alike","of":"Unread","same":{},"each":{"tensor":0,"reason":["gone"]}}',
        b'{"fact":"Alike","of":"Alike","same":{},"each":{"of":["Alike"]}}',
    ],
)
def test_documents_that_say_no_facts_are_told(document: bytes) -> None:
    header = b'{"format":2,"frostline":"1","facts":true}\n'
    with pytest.raises(RecordError, match="not a valid frostline record"):
        run_file.read(header + b"[" + document + b"]\n")
