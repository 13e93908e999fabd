"""What a move is compared with: adapters beside the weight, and what trained tensors of its shape were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.observe.memory import Tensor, Training, only

from frostline.core.facts import MoveExplained
from frostline.core.ledger import Declared, Owner, TensorRow
from frostline.observe.moves import value_samples
from frostline.observe.moves.merging import is_merge
from frostline.observe.moves.value_samples import Glimpses
from frostline.observe.tensor_state import Reading

RANDOM = np.random.default_rng(0)
WEIGHT = RANDOM.standard_normal((8, 6)).astype(np.float32)


def matrix(path: str, shape: tuple[int, ...] = (8, 6), trainable: bool = True, model: str = "m") -> TensorRow:
    size = int(np.prod(shape))
    row = TensorRow(f"{model}.{path}", model, "parameter", shape, "float32", 4 * size, size)
    row.owner, row.declared = Owner(path.rpartition(".")[0]), Declared(trainable)
    return row


def moved_by(rank: int) -> Reading:
    """A move of the weight by a product of matrices of this rank."""
    factors = RANDOM.standard_normal((8, rank)) @ RANDOM.standard_normal((rank, 6))
    after = (WEIGHT + factors).astype(np.float32)
    return Reading(1, WEIGHT.tobytes(), after.tobytes())


def merged(rank: int, *beside: TensorRow, shape: tuple[int, ...] = (8, 6)) -> bool:
    return is_merge(matrix("layer.base.weight", shape, trainable=False), moved_by(rank), beside)


def test_a_move_of_the_rank_of_the_adapter_beside_it_is_a_merge() -> None:
    down, up = matrix("layer.down.weight", (2, 6)), matrix("layer.up.weight", (8, 2))
    assert merged(2, down, up)
    assert merged(1, up)
    assert merged(2, matrix("layer.base.up", (2, 6)))
    assert not merged(3, down, up)
    assert not merged(2)
    assert not is_merge(matrix("layer.base.weight"), Reading(1, None, None), [down, up])


@pytest.mark.parametrize(
    "beside",
    [
        matrix("layer.down.weight", (2, 6), trainable=False),
        matrix("layer.down.weight", (2, 6), model="other"),
        matrix("other.down.weight", (2, 6)),
        matrix("layers.down.weight", (2, 6)),
        matrix("layer.down.weight", (2,)),
        matrix("layer.down.weight", (2, 7)),  # no side in common
        matrix("layer.down.weight", (4, 6)),  # not thin beside the weight
    ],
)
def test_what_is_no_adapter_of_the_weight(beside: TensorRow) -> None:
    assert not merged(2, beside)


def test_only_matrices_are_merged_into() -> None:
    assert not merged(2, matrix("layer.down.weight", (2, 6)), shape=(48,))


def test_the_bits_of_a_move_are_compared_with_those_of_trained_tensors_of_the_shape() -> None:
    tensors = {
        "frozen": Tensor("m.frozen", range(8), trainable=False),
        "alike": Tensor("m.alike", range(1, 9)),
        "other": Tensor("m.other", range(9)),
    }
    training = Training(*tensors.values())
    training.optimizer(tensors["alike"], tensors["other"])
    training.step(gradient=0.0)
    glimpses = Glimpses()
    glimpses.take(training.watched(each) for each in tensors.values())
    content = tensors["alike"].values.tobytes()
    assert [(apart, row.name) for apart, row in glimpses.distances(training.watched(tensors["frozen"]), content)] == [
        (0.0, "m.alike")
    ]
    assert glimpses.distances(training.watched(tensors["alike"]), content) == []  # it is not compared with itself


@pytest.mark.parametrize(("largest", "kind", "taken"), [(32, "parameter", 1), (31, "parameter", 0), (32, "buffer", 0)])
def test_only_parameters_up_to_a_size_are_remembered(
    largest: int, kind: Any, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(value_samples, "LARGEST", largest)
    small, frozen, other = Tensor("m.a", [1.0], trainable=False), Tensor("m.b", range(8)), Tensor("m.c", range(8))
    frozen.trainable, other.kind = False, kind
    training = Training(small, frozen, other)
    glimpses = Glimpses()
    glimpses.take(training.watched(each) for each in (small, frozen, other))
    assert len(glimpses.distances(training.watched(frozen), frozen.values.tobytes())) == taken


def copied(**elsewhere: bytes) -> list[str | None]:
    """What is told to have the new bits of a frozen tensor, of other tensors of the process."""
    frozen, weight = Tensor("m.frozen", range(32), trainable=False), Tensor("m.weight", [1.0])
    training = Training(frozen, weight)
    training.optimizer(weight)
    training.step()
    training.probe.elsewhere = elsewhere
    frozen.values += 3
    training.step()
    explained = [fact for fact in training.observer.journal.facts() if isinstance(fact, MoveExplained)]
    assert only(frozen).equals == (explained[0].equals if explained else None)
    return [fact.equals for fact in explained]


def test_another_tensor_of_the_process_with_the_new_bits_is_named() -> None:
    values = (np.arange(32, dtype=np.float32) + 3).tobytes()
    assert copied(average=values) == ["average"]
    assert copied(average=values[::-1]) == []
