"""Folders of torch.distributed.checkpoint: parts put together, and tables that lie."""

import dataclasses
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from frostline import checkpoints
from frostline.checkpoints.files.sources import Held
from frostline.checkpoints.files.tiles import Tile, Tiled, fills
from frostline.errors import CheckpointError

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.needs("torch"), pytest.mark.filterwarnings("ignore")]


def save_in_two(rank: int, folder: str, port: int) -> None:
    import torch.distributed as dist
    import torch.distributed.checkpoint as dcp
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor, init_device_mesh

    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    dist.init_process_group("gloo", rank=rank, world_size=2)
    mesh = init_device_mesh("cpu", (2,))
    placed = {name: distribute_tensor(value, mesh, [placement]) for name, value, placement in (
        ("rows", whole()["rows"], Shard(0)), ("columns", whole()["columns"], Shard(1)),
        ("same", whole()["same"], Replicate()),
    )}  # fmt: skip
    dcp.save({"model": placed, "step": 3, "plain": torch.ones(3, dtype=torch.int64)}, checkpoint_id=folder)
    dist.destroy_process_group()


def whole() -> dict[str, Any]:
    values = torch.arange(28.0).reshape(7, 4)
    return {"rows": values, "columns": (values + 1).to(torch.bfloat16), "same": values * 2}


@pytest.fixture(name="sharded", scope="module")
def sharded_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import socket

    import torch.multiprocessing as mp

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    folder = tmp_path_factory.mktemp("dcp")
    mp.spawn(save_in_two, args=(str(folder), port), nprocs=2)
    return folder


def test_shards_are_put_together(sharded: Path, tmp_path: Path, call: Any) -> None:
    state = {"model": whole(), "plain": torch.ones(3, dtype=torch.int64)}
    torch.save(state, tmp_path / "whole.pt")
    assert call("diff", sharded, tmp_path / "whole.pt").status == 0
    call("lock", tmp_path / "whole.pt", "-o", tmp_path / "lock")
    assert call("verify", sharded, tmp_path / "lock").status == 0
    state["model"]["columns"][3, 3] += 1
    torch.save(state, tmp_path / "whole.pt")
    changed = call("diff", sharded, tmp_path / "whole.pt")
    assert (changed.status, "1 of 28" in changed.out) == (1, True)
    with checkpoints.open(sharded) as found:
        assert found.tensors["model.rows"].note == "in 2 parts"
        assert found.extras["step"] == "3"


def test_the_table_and_a_part_alone(sharded: Path) -> None:
    with checkpoints.open(sharded / ".metadata") as found:
        assert len(found.tensors) == 4
    with pytest.raises(CheckpointError, match=r"a part of a checkpoint of torch\.distributed") as caught:
        checkpoints.open(sharded / "__0_0.distcp")
    assert "name the folder" in caught.value.hint


@pytest.fixture(name="changed")
def changed_fixture(tmp_path: Path) -> Callable[[Callable[[Any], Any]], Path]:
    """A folder whose table was changed by a function."""
    import torch.distributed.checkpoint as dcp

    dcp.save({"w": torch.arange(6.0).reshape(2, 3)}, checkpoint_id=tmp_path / "dcp", no_dist=True)

    def change(how: Callable[[Any], Any]) -> Path:
        table = pickle.loads((tmp_path / "dcp/.metadata").read_bytes())
        (tmp_path / "dcp/.metadata").write_bytes(pickle.dumps(how(table) or table))
        return tmp_path / "dcp"

    return change


def stored(**values: Any) -> Callable[[Any], None]:
    def change(table: Any) -> None:
        table.storage_data = {index: dataclasses.replace(info, **values) for index, info in table.storage_data.items()}

    return change


def shape(table: Any) -> None:
    table.state_dict_metadata["w"].size = torch.Size((4, 3))


def lesser_part(table: Any) -> None:
    record = table.state_dict_metadata["w"]
    record.size = record.chunks[0].sizes = torch.Size((1, 3))


def no_place(table: Any) -> None:
    table.storage_data = {}


def another(table: Any) -> None:
    index, info = next(iter(table.storage_data.items()))
    table.storage_data[dataclasses.replace(index, fqn="hidden")] = dataclasses.replace(info, offset=info.length)


def shared(table: Any) -> None:
    index, info = next(iter(table.storage_data.items()))
    table.storage_data[dataclasses.replace(index, fqn="again")] = info


LIES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a place outside": (stored(relative_path="../x"), "a path that leaves its folder"),
    "an absolute place": (stored(relative_path="/etc/passwd"), "a path that leaves its folder"),
    "no such file": (stored(relative_path="x"), "no such file"),
    "past the end": (stored(length=10**9), "ends at byte"),
    "before the start": (stored(offset=-1), "share bytes|ends at byte"),
    "no number": (stored(offset="1"), "not as torch writes it"),
    "inside a part": (stored(offset=100), "no checkpoint of a known format|ends at byte"),
    "too large a shape": (shape, "do not fill its shape"),
    "too small a part": (lesser_part, r"lists float32 \[1, 3\] for a part of 'w' that is float32 \[2, 3\]"),
    "one place for two": (shared, "two parts that share bytes"),
    "nowhere": (no_place, "lists no file for a part"),
    "another pickle": (lambda table: {"w": table}, "not as torch writes it"),
}


@pytest.mark.parametrize(("lie", "message"), LIES.values(), ids=LIES)
def test_lies(lie: Callable[[Any], Any], message: str, changed: Any) -> None:
    with pytest.raises(CheckpointError, match=message):
        checkpoints.open(changed(lie))


def test_what_is_listed_and_belongs_to_nothing_is_unread(changed: Any, tmp_path: Path, call: Any) -> None:
    assert call("lock", changed(another), "-o", tmp_path / "lock").status == 2


def test_a_transform_is_not_undone(changed: Any, tmp_path: Path, call: Any) -> None:
    locked = call("lock", changed(stored(transform_descriptors=["zstd"])), "-o", tmp_path / "lock")
    assert (locked.status, "transformed" in locked.err) == (2, True)


def test_boxes_that_overlap_or_leave_a_gap() -> None:
    assert fills((4, 2), [((0, 0), (4, 1)), ((0, 1), (4, 1))])
    assert fills((), [((), ())])
    assert not fills((4, 2), [((0, 0), (2, 2)), ((1, 0), (2, 2))])
    assert not fills((4, 2), [((0, 0), (2, 2))])
    assert not fills((4,), [((0,), (5,))])
    assert not fills((4,), [((0, 0), (4, 1))])
    assert not fills((4,), [((-1,), (4,))])
    assert not fills((20_000,), [((start,), (1,)) for start in range(20_000)])


def test_tiles_of_every_kind() -> None:
    """A grid of uneven tiles, in no order."""
    array = np.arange(7 * 5 * 2, dtype=np.int16).reshape(7, 5, 2)
    tiles = []
    for rows in ((0, 3), (3, 7)):
        for columns in ((0, 1), (1, 5)):
            part = np.ascontiguousarray(array[rows[0] : rows[1], columns[0] : columns[1]])
            tiles.append(Tile((rows[0], columns[0], 0), part.shape, Held(part.tobytes())))
    whole = Tiled(array.shape, 2, tuple(reversed(tiles)))
    assert b"".join(bytes(piece) for piece in whole.pieces(16)) == array.tobytes()
