"""The column saved in PyTorch runs: what scripts usually write is quiet, what they lose is told."""

import copy
from pathlib import Path

import pytest

import frostline
from frostline.core.ledger import Record

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.needs("torch")


def trained(save, after: int = 6, more: int = 0, tied: bool = False) -> Record:
    """The record of a run that saves by ``save(model, optimizer)`` after some steps, and goes on for others."""
    torch.manual_seed(0)
    body = torch.nn.Sequential(
        torch.nn.Linear(8, 32), torch.nn.BatchNorm1d(32), torch.nn.ReLU(), torch.nn.Linear(32, 32)
    )
    model = torch.nn.ModuleDict({"body": body, "head": torch.nn.Linear(32, 1)})
    if tied:
        model["decoder"] = torch.nn.Linear(32, 32)
        model["decoder"].weight = body[3].weight
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)

    def steps(count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            hidden = model["body"](torch.randn(16, 8))
            hidden = model["decoder"](hidden) if tied else hidden
            model["head"](hidden).square().mean().backward()
            optimizer.step()

    with frostline.watch(model, optimizer) as seen:
        steps(after)
        save(model, optimizer)
        steps(more)
    assert seen.report.record.run.faults == []
    return seen.report.record


def said(record: Record) -> dict[str, str]:
    return {finding.rule: finding.severity for finding in record.findings if finding.code.startswith("S")}


def states(record: Record) -> set[str]:
    return {leaf.saved.state for leaf in record.leaves if leaf.saved is not None}


def test_a_whole_checkpoint_is_the_same(tmp_path: Path) -> None:
    def save(model, optimizer) -> None:
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}, tmp_path / "a.pt")

    record = trained(save)
    assert (said(record), states(record)) == ({}, {"same"})
    assert {leaf.kind for leaf in record.leaves if leaf.saved} == {"parameter", "buffer"}


def test_half_precision_is_rounding_and_no_difference(tmp_path: Path) -> None:
    def save(model, _) -> None:
        torch.save({name: value.half() for name, value in model.state_dict().items()}, tmp_path / "half.pt")

    record = trained(save)
    assert said(record) == {}
    assert "rounded" in states(record)


def test_safetensors_with_tied_weights(tmp_path: Path) -> None:
    from safetensors.torch import save_model

    assert said(trained(lambda model, _: save_model(model, tmp_path / "tied.safetensors"), tied=True)) == {}


def test_the_best_of_many_is_left_alone(tmp_path: Path) -> None:
    def save(model, _) -> None:
        for _ in range(2):
            torch.save(copy.deepcopy(model.state_dict()), tmp_path / "best.pt")

    record = trained(save, more=4)
    assert (said(record), states(record)) == ({}, {"older"})


def test_one_save_before_the_end_is_a_note(tmp_path: Path) -> None:
    record = trained(lambda model, _: torch.save(model.state_dict(), tmp_path / "a.pt"), more=4)
    assert said(record) == {"saved-copy-is-older": "note"}


def test_a_head_without_the_body_that_was_trained_with_it(tmp_path: Path) -> None:
    record = trained(lambda model, _: torch.save(model["head"].state_dict(), tmp_path / "head.pt"))
    assert said(record) == {"trained-but-not-saved": "warning"}
    (finding,) = [finding for finding in record.findings if finding.code == "S601"]
    assert {name.split(".")[1] for name in finding.tensors} == {"body"}


def test_parameters_without_the_statistics_beside_them(tmp_path: Path) -> None:
    def save(model, _) -> None:
        torch.save(dict(model.named_parameters()), tmp_path / "parameters.pt")

    record = trained(save)
    assert said(record) == {"trained-but-not-saved": "error"}


def test_zeros_in_the_file(tmp_path: Path) -> None:
    def save(model, _) -> None:
        torch.save({name: torch.zeros_like(value) for name, value in model.state_dict().items()}, tmp_path / "a.pt")

    assert said(trained(save)) == {"saved-values-differ": "error"}


def test_the_file_is_the_one_that_the_script_wrote(tmp_path: Path) -> None:
    def save(model, _) -> None:
        kept.update({name: value.clone() for name, value in model.state_dict().items()})
        torch.save(model.state_dict(), tmp_path / "a.pt")

    kept: dict[str, object] = {}
    trained(save)
    loaded = torch.load(tmp_path / "a.pt")
    assert all(torch.equal(loaded[name], value) for name, value in kept.items())
