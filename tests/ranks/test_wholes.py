"""Tensors of which each rank holds a part: named as the user named them, counted once, judged as wholes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from corpus.running import in_torch_together
from test_shards import LOOP, START

from frostline import judging
from frostline.core.columns.part import Part
from frostline.core.events import LineSeen
from frostline.core.events.fact import Origin
from frostline.core.ledger import Changed, Declared, Holding, OptimizerRow, TensorRow
from frostline.core.record import Record, Totals, Verdict
from frostline.core.run import Run
from frostline.core.storage import store
from frostline.run.combine import combine

PARAMETERS = 3_858  # of the model of START
OPTIMIZER = (
    "\noptimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3, foreach=False)\n"
)
WRAPPED = """
from torch.distributed.fsdp import FullyShardedDataParallel

cpu = torch.device("cpu")
model.embedding = FullyShardedDataParallel(model.embedding, use_orig_params={originals}, device_id=cpu)
for index, block in enumerate(model.blocks):
    model.blocks[index] = FullyShardedDataParallel(block, use_orig_params={originals}, device_id=cpu)
model = FullyShardedDataParallel(model, use_orig_params={originals}, device_id=cpu)
"""
FROZEN_TOO_LATE = """
from torch.distributed.fsdp import FullyShardedDataParallel

model.requires_grad_(True)
model = FullyShardedDataParallel(model, device_id=torch.device("cpu"))
model.module.embedding.requires_grad_(False)
"""
WRITTEN_IN_RANK_1 = """if dist.get_rank() == 1:
        with torch.no_grad():
            next(p for n, p in model.named_parameters() if "blocks.0" in n and p.numel()).mul_(0.999)"""


@pytest.fixture
def launched(tmp_path: Path) -> Callable[[str], Record]:
    """Runs a script as two observed processes of one group; gives the record of all."""

    def launch(script: str) -> Record:
        (tmp_path / "train.py").write_text(script)
        done = in_torch_together([["-m", "frostline", "run", "--quiet", "train.py"]] * 2, tmp_path)
        assert [each.returncode for each in done] == [0, 0], done
        record = judging.load(tmp_path / ".frostline.json")
        assert record.run.faults == []
        return record

    return launch


def grave(record: Record) -> dict[str, list[str]]:
    return {finding.rule: finding.tensors for finding in record.findings if finding.severity != "note"}


@pytest.mark.needs("torch")
@pytest.mark.parametrize("originals", [True, False])
def test_a_wrapped_model_is_the_users_model(originals: bool, launched: Callable[[str], Record]) -> None:
    record = launched(START + WRAPPED.format(originals=originals) + OPTIMIZER + LOOP.format(after=""))
    frozen = [row for row in record.tensors if "embedding" in row.name or "blocks.0" in row.name]
    assert (record.totals.parameters, record.totals.unknown) == (PARAMETERS, 0)
    assert record.totals.unchanged == sum(row.size for row in frozen)
    assert {row.name for row in frozen} >= {"model.embedding.weight", "model.blocks.0.up.weight"}
    assert {row.shape for row in record.tensors if row.name.endswith("up.weight")} == {(32, 16)}
    assert grave(record) == {}


@pytest.mark.needs("torch")
def test_a_part_that_one_rank_writes_is_a_move_of_the_whole(launched: Callable[[str], Record]) -> None:
    script = START + WRAPPED.format(originals=True) + OPTIMIZER + LOOP.format(after=WRITTEN_IN_RANK_1)
    [(rule, moved)] = grave(launched(script)).items()
    assert rule == "frozen-but-decayed"
    assert len(moved) == 1
    assert moved[0].startswith("model.blocks.0.")


@pytest.mark.needs("torch")
def test_freezing_after_flat_parameters_were_made_is_found(launched: Callable[[str], Record]) -> None:
    record = launched(START + FROZEN_TOO_LATE + OPTIMIZER + LOOP.format(after=""))
    assert grave(record) == {"frozen-flag-not-inherited": ["model.embedding.weight"]}
    [finding] = [each for each in record.findings if each.rule == "frozen-flag-not-inherited"]
    assert "before FullyShardedDataParallel wraps the model" in (finding.hint or "")


SHARDED = """
from torch.distributed.fsdp import fully_shard

for block in model.blocks:
    fully_shard(block, mesh=mesh)
fully_shard(model, mesh=mesh)
"""
SAVED = {
    "full": """
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
state = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
if dist.get_rank() == 0:
    torch.save(state, "model.pt")
""",
    "distributed": """
import torch.distributed.checkpoint as dcp
dcp.save({"model": model.state_dict()}, checkpoint_id="saved")
""",
    "one shard": """
if dist.get_rank() == 0:
    torch.save(model.state_dict(), "model.pt")
""",
    "zeros": """
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
state = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
if dist.get_rank() == 0:
    state["head.weight"].zero_()
    torch.save(state, "model.pt")
""",
}


@pytest.mark.needs("torch")
@pytest.mark.parametrize(
    ("how", "found"),
    [("full", {}), ("distributed", {}), ("one shard", {"part"}), ("zeros", {"zero"})],
)
def test_what_files_hold_of_shards(how: str, found: set[str], launched: Callable[[str], Record]) -> None:
    ending = LOOP.format(after="").replace("dist.destroy_process_group()", SAVED[how] + "\ndist.barrier()")
    record = launched(START + SHARDED + OPTIMIZER + ending)
    states = {row.name: row.saved.state for row in record.tensors if row.saved is not None}
    assert len(states) == len(record.tensors)
    wrong = {"model.head.weight"} if how == "zeros" else set(states) if how == "one shard" else set()
    assert {name for name, state in states.items() if state != "same"} == wrong
    assert ("saved-values-differ" in grave(record)) == bool(found)


@pytest.mark.needs("torch")
@pytest.mark.parametrize("sharding", [SHARDED, WRAPPED.format(originals=False)], ids=["fully_shard", "flat"])
@pytest.mark.parametrize("seed", ["0", "dist.get_rank()"])
def test_parts_of_different_wholes_are_found(sharding: str, seed: str, launched: Callable[[str], Record]) -> None:
    start = START.replace("torch.manual_seed(0)", f"torch.manual_seed({seed})")
    found = grave(launched(start + sharding + OPTIMIZER + LOOP.format(after="")))
    drawn = {name for tensors in found.values() for name in tensors}
    assert set(found) == ({"ranks-diverge"} if seed != "0" else set())
    assert ("model.head.weight" in drawn, "model.blocks.0.norm.weight" in drawn) == (seed != "0", False)


ROWS = """
from torch.distributed import checkpoint
from torch.distributed.fsdp import StateDictType

with FullyShardedDataParallel.state_dict_type(model, StateDictType.SHARDED_STATE_DICT):
    state = model.state_dict()
for shard in state["head.weight"].local_shards():
    shard.tensor = shard.tensor * 2
checkpoint.save(state, checkpoint_id="saved")
"""


@pytest.mark.needs("torch")
def test_rows_of_flat_parameters_are_known_in_the_folder_of_all(launched: Callable[[str], Record]) -> None:
    ending = LOOP.format(after="").replace("dist.destroy_process_group()", ROWS + "\ndist.barrier()")
    record = launched(START + WRAPPED.format(originals=True) + OPTIMIZER + ending)
    states = {row.name: row.saved.state for row in record.tensors if row.saved is not None}
    assert states.pop("model.head.weight") == "other"
    assert set(states.values()) == {"same"}
    assert "model.blocks.0.up.weight" in states
    assert grave(record) == {}


def of_rank(rank: int, place: str, verdict: str, *, values: int = 2, last: str = "1") -> Record:
    changed = Changed(verdict, checks=4, checked_until=8, digests=("0" * 32, last * 32))  # type: ignore[arg-type]
    row = TensorRow(
        "m.w", "m", "parameter", (4,), "float32", 16, 4, declared=Declared(True, True), changed=changed, sharded=True
    )
    row = replace(
        row, part=Part(place, values), optimizers=[Holding("o", gradients={"nonzero": 4}, lr=0.1, max_lr=0.1)]
    )
    optimizer = OptimizerRow("o", "optimizer", "SGD", steps_executed=8, holds=1)
    run = Run(rank=rank, world_size=2, steps=8, complete=True)
    return Record(store.FORMAT, "0.1", run, [optimizer], [row], Totals(), [], Verdict())


def test_a_whole_stands_still_where_every_part_does() -> None:
    moved = combine([of_rank(0, "0:2", "no"), of_rank(1, "2:4", "yes")])
    assert (moved.tensors[0].changed.verdict, moved.findings) == ("yes", [])
    still = combine([of_rank(0, "0:2", "no"), of_rank(1, "2:4", "no")])
    assert [(finding.severity, finding.tensors) for finding in still.findings] == [("error", ["m.w"])]


def test_a_whole_has_the_lines_of_the_process_whose_events_are_told() -> None:
    """Rank 0 holds nothing of m.w and calls it 1; rank 1 calls it 0, which is another tensor of rank 0."""
    none, all_of_it = of_rank(0, "nothing", "unknown", values=0), of_rank(1, "0:4", "no", values=4)
    [own] = none.tensors
    [theirs] = all_of_it.tensors
    lines = [
        LineSeen(step=0, act="group", tensors=(number,), optimizer="o", origin=Origin("train.py", line))
        for number, line in ((0, 11), (1, 22))
    ]
    other = replace(own, name="m.other", sharded=None, part=None, changed=Changed("yes"), id=0)
    none = replace(none, tensors=[other, replace(own, id=1)], events=lines)
    all_of_it = replace(all_of_it, tensors=[replace(theirs, id=0)])
    [finding] = (each for each in combine([none, all_of_it]).findings if each.tensors == ["m.w"])
    assert (finding.code, [origin.line for origin in finding.origins]) == ("T200", [22])


def test_a_whole_is_unknown_where_a_part_is_missing() -> None:
    [row] = combine([of_rank(0, "0:2", "no"), of_rank(1, "nothing", "unknown", values=0)]).tensors
    assert (row.changed.verdict, "part" in row.unknown["changed"]) == ("unknown", True)


def test_only_replicas_of_one_part_are_compared() -> None:
    parts = [of_rank(0, "0:2", "yes", last="1"), of_rank(1, "2:4", "yes", last="2")]
    assert combine(parts).findings == []
    replicas = [of_rank(0, "0:2", "yes", last="1"), of_rank(1, "0:2", "yes", last="2")]
    assert [finding.rule for finding in combine(replicas).findings] == ["ranks-diverge"]


def replicas(rank: int, names: dict[str, str]) -> Record:
    """The record of a rank whose replicas end with these bits."""
    one = of_rank(rank, "", "yes")
    rows = [
        replace(
            one.tensors[0], name=name, sharded=None, part=None, changed=Changed("yes", digests=("0" * 32, last * 32))
        )
        for name, last in names.items()
    ]
    return replace(one, tensors=rows, run=replace(one.run, world_size=3))


def test_what_fell_apart_between_the_same_ranks_is_one_finding() -> None:
    ranks = [
        {"m.a": "1", "m.b": "2", "m.c": "3"},
        {"m.a": "1", "m.b": "2", "m.c": "4"},
        {"m.a": "5", "m.b": "6", "m.c": "3"},
    ]
    findings = combine([replicas(rank, names) for rank, names in enumerate(ranks)]).findings
    told = {tuple(finding.tensors): finding.evidence["digests"] for finding in findings}
    assert set(told) == {("m.a", "m.b"), ("m.c",)}
    assert [said.partition(":")[0] for said in told["m.a", "m.b"]] == ["ranks 0, 1", "rank 2"]
    assert [said.partition(":")[0] for said in told["m.c",]] == ["ranks 0, 2", "rank 1"]


def test_tensors_of_one_name_and_other_shapes_are_no_replicas() -> None:
    stages = [replicas(rank, {"model.0.weight": last}) for rank, last in enumerate("12")]
    assert [finding.rule for finding in combine(stages).findings] == ["ranks-diverge"]
    stages[1] = replace(stages[1], tensors=[replace(stages[1].tensors[0], shape=(2, 2))])
    assert combine(stages).findings == []
