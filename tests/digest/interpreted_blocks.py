"""Run by test_triton_blocks.py in a process with TRITON_INTERPRET=1: the kernel on tensors in the host's memory."""

import gc

import pytest
import torch
import xxhash

import frostline
from frostline.core.record import Record
from frostline.digest.blocks import BLOCK, blocks
from frostline.frameworks.torch.tensors import device_digests
from frostline.frameworks.torch.tensors.tensors import host_bytes
from frostline.frameworks.torch.tensors.triton_blocks import SHORT, TritonBlocks

SHORTEST = [0, 1, 3, 4, 8, 9, 16, 17, 128, 129, SHORT - 1, SHORT]
STRIPES = [SHORT + 1, 256, 257, 1023, 1024, 1025, 1088, 1089, 2049, 5000]
BLOCKS = [BLOCK - 1, BLOCK + 1, BLOCK + SHORT + 1]
TYPES = [torch.float32, torch.bfloat16, torch.int8, torch.bool, torch.complex64]


def noise(size: int) -> torch.Tensor:
    return torch.randint(0, 256, (size,), dtype=torch.uint8, generator=torch.Generator().manual_seed(size))


def same(tensors: list[torch.Tensor]) -> None:
    assert TritonBlocks().digests(tensors) == [blocks(host_bytes(tensor)) for tensor in tensors]


def test_the_first_block_is_xxhash_of_its_bytes() -> None:
    data = noise(BLOCK + 5_001)[1:]
    (digest,) = TritonBlocks().digests([data])
    raw = data.numpy().tobytes()
    assert list(digest.values) == [xxhash.xxh3_64_intdigest(raw[at : at + BLOCK]) for at in range(0, len(raw), BLOCK)]


@pytest.mark.parametrize("size", [*STRIPES, *BLOCKS])
def test_sizes(size: int) -> None:
    same([noise(size)])


def test_short_tensors_in_one_batch() -> None:
    same([noise(size) for size in SHORTEST])


@pytest.mark.parametrize("offset", [1, 2, 3, 4, 6, 7])
def test_offsets(offset: int) -> None:
    """Views that begin anywhere: words are drawn in the pieces that their alignment allows."""
    data = noise(5_000)
    same([data[offset:], data[offset : offset + 1_001], data[offset : offset + 100]])


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_types(dtype: torch.dtype) -> None:
    tensor = torch.randn(37, 41).to(dtype) if dtype != torch.bool else torch.randn(37, 41) > 0
    same([tensor, tensor[1:], tensor[:0]])


def test_many_small_tensors_of_all_kinds() -> None:
    same([noise(size)[size % 3 :] for size in range(3, 900, 37)])


def test_the_tables_are_kept_and_the_bits_are_read_anew() -> None:
    maker, tensors = TritonBlocks(), [noise(5_000), noise(100)]
    first = maker.digests(tensors)
    plan = maker._plan
    tensors[0][4_321] ^= 1
    second = maker.digests(tensors)
    assert maker._plan is plan
    assert (second[0] != first[0], second[1] == first[1]) == (True, True)
    assert second == [blocks(host_bytes(tensor)) for tensor in tensors]
    assert maker.digests(tensors[:1]) == second[:1]
    assert maker._plan is not plan


def test_special_numbers() -> None:
    same([torch.tensor([0.0, -0.0, float("nan"), float("inf")]).repeat(1_000), torch.zeros(17_000), torch.ones(1)])


def watched() -> Record:
    """A run with a frozen tensor that decays, one that stands still, trained ones, a buffer and a short tail."""
    gc.collect()  # the optimizer of the run before would be known as well
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(200, 90), torch.nn.BatchNorm1d(90), torch.nn.Linear(90, 7), torch.nn.Linear(7, 1)
    )
    model[0].requires_grad_(False)
    model[2].bias.requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with frostline.watch(model, optimizer) as seen:
        for step in range(4):
            optimizer.zero_grad()
            model(torch.randn(8, 200)).square().mean().backward()
            optimizer.step()
            if step == 2:
                with torch.no_grad():
                    model[0].weight *= 0.99
    return seen.report.record


def test_a_run_is_judged_alike_by_device_and_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the host's memory were a device's: the same columns and findings; the kernel read every tensor."""
    watched()  # the first run of a process finds what torch loads late
    by_host = watched()
    made = []
    digests = TritonBlocks.digests
    monkeypatch.setattr(device_digests, "TYPES", ("cpu",))
    monkeypatch.setattr(TritonBlocks, "digests", lambda self, asked: made.append(len(asked)) or digests(self, asked))
    by_device = watched()
    assert by_device.run.faults == by_host.run.faults == []
    assert max(made) == len(by_device.tensors) == 11
    for here, there in zip(by_host.tensors, by_device.tensors, strict=True):
        assert (here.name, here.changed.verdict, here.changed.blocks, here.changed.blocks_moved) == (
            *(there.name, there.changed.verdict),
            *(there.changed.blocks, there.changed.blocks_moved),
        )
        assert [move.shift for move in here.changed.movements] == [move.shift for move in there.changed.movements]
    assert [finding.message for finding in by_host.findings] == [finding.message for finding in by_device.findings]
    assert any(finding.code.startswith("F") for finding in by_device.findings)


def test_an_error_of_the_kernel_is_told_once_and_the_host_reads_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: TritonBlocks, asked: object) -> None:
        raise RuntimeError("no such device")

    by_host = watched()
    monkeypatch.setattr(device_digests, "TYPES", ("cpu",))
    monkeypatch.setattr(TritonBlocks, "digests", broken)
    record = watched()
    assert len(record.run.faults) == 1
    assert "no such device" in record.run.faults[0]
    assert [tensor.changed.verdict for tensor in record.tensors] == [
        tensor.changed.verdict for tensor in by_host.tensors
    ]
