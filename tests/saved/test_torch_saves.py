"""The column saved in PyTorch runs: what scripts usually write is quiet, what they lose is told."""

import copy
import pickle
from pathlib import Path

import h5py
import joblib
import numpy as np
import pytest

import frostline
from frostline.core.events.files import FileWritten
from frostline.core.record import Record

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.needs("torch")


def trained(save, after: int = 6, more: int = 0, tied: bool = False, begin=lambda model: None) -> Record:
    """The record of a run that saves by ``save(model, optimizer)`` after some steps, and goes on for others.

    ``begin(model)`` is called before the first of them.
    """
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
        begin(model)
        steps(after)
        save(model, optimizer)
        steps(more)
    assert seen.report.record.run.faults == []
    return seen.report.record


def said(record: Record) -> dict[str, str]:
    return {finding.rule: finding.severity for finding in record.findings if finding.code.startswith("S")}


def states(record: Record) -> set[str]:
    return {row.saved.state for row in record.tensors if row.saved is not None}


def test_a_whole_checkpoint_is_the_same(tmp_path: Path) -> None:
    def save(model, optimizer) -> None:
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}, tmp_path / "a.pt")

    record = trained(save)
    assert (said(record), states(record)) == ({}, {"same"})
    assert {row.kind for row in record.tensors if row.saved} == {"parameter", "buffer"}


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


@pytest.mark.parametrize(("part", "severity"), [("", "error"), ("head.", "note")])
def test_first_bits_that_are_put_back_before_the_save(part: str, severity: str, tmp_path: Path) -> None:
    first: dict[str, torch.Tensor] = {}

    def load(model, _) -> None:
        state = {name: tensor for name, tensor in first.items() if name.startswith(part)}
        model.load_state_dict(state, strict=False)
        torch.save({name: tensor.clone() for name, tensor in model.state_dict().items()}, tmp_path / "model.pt")

    assert said(trained(load, begin=lambda model: first.update(copy.deepcopy(model.state_dict())))) == {
        "saved-copy-is-older": severity
    }


def test_first_bits_that_are_put_back_before_the_training_goes_on(tmp_path: Path) -> None:
    first: dict[str, torch.Tensor] = {}

    def load(model, _) -> None:
        model.load_state_dict(first)
        torch.save(model.state_dict(), tmp_path / "begin.pt")

    record = trained(load, more=6, begin=lambda model: first.update(copy.deepcopy(model.state_dict())))
    assert said(record) == {"saved-copy-is-older": "note"}
    assert states(record) == {"older"}


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


@pytest.mark.parametrize(("cut", "told"), [(True, {}), (False, {"saved-values-differ": "error"})])
def test_rows_that_are_left_out_are_no_loss_where_they_are_zero(cut: bool, told: dict, tmp_path: Path) -> None:
    def save(model, _) -> None:
        last = model["body"][3]
        with torch.no_grad():
            last.weight[24:].mul_(0 if cut else 1)
        state = model.state_dict() | {"body.3.weight": last.weight[:24], "body.3.bias": last.bias[:24]}
        torch.save({name: tensor.clone() for name, tensor in state.items()}, tmp_path / "model.pt")

    assert said(trained(save)) == told


def test_the_file_is_the_one_that_the_script_wrote(tmp_path: Path) -> None:
    def save(model, _) -> None:
        kept.update({name: value.clone() for name, value in model.state_dict().items()})
        torch.save(model.state_dict(), tmp_path / "a.pt")

    kept: dict[str, object] = {}
    trained(save)
    loaded = torch.load(tmp_path / "a.pt")
    assert all(torch.equal(loaded[name], value) for name, value in kept.items())


def by_pickle(model, folder: Path) -> None:
    with open(folder / "a.pickle", "wb") as file:
        pickle.dump({"epoch": 3, "weights": model.state_dict()}, file)


def by_joblib(model, folder: Path) -> None:
    joblib.dump(model.state_dict(), folder / "a.joblib")


def by_numpy(model, folder: Path) -> None:
    np.savez(folder / "a.npz", **{name: value.numpy() for name, value in model.state_dict().items()})


def by_dcp(model, folder: Path) -> None:
    import torch.distributed.checkpoint as dcp

    dcp.save({"model": model.state_dict()}, checkpoint_id=folder / "a", no_dist=True)


def by_jit(model, folder: Path) -> None:
    torch.jit.save(torch.jit.trace(Run(model), torch.randn(4, 8), check_trace=False), folder / "a.pt")


def by_export(model, folder: Path) -> None:
    torch.export.save(torch.export.export(Run(model), (torch.randn(4, 8),)), folder / "a.pt2")


class Run(torch.nn.Module):
    """The model of ``trained`` as one pass."""

    def __init__(self, parts) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, rows):
        return self.parts["head"](self.parts["body"](rows))


WRITERS = (by_pickle, by_joblib, by_numpy, by_dcp, by_jit, by_export)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore:torch.distributed is disabled:UserWarning")  # it need not be enabled
@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_other_functions_that_write(write, tmp_path: Path) -> None:
    """A whole model is the same; its head alone is told as a part, whichever function wrote it."""

    def save(model, _) -> None:
        write(model.eval(), tmp_path)
        model.train()

    record = trained(save)
    assert (said(record), states(record)) == ({}, {"same"})
    (event,) = record.events_of(FileWritten)
    assert event.file.startswith("a")


@pytest.mark.parametrize("write", [by_pickle, by_joblib, by_numpy], ids=lambda write: write.__name__)
def test_a_head_alone_by_other_functions(write, tmp_path: Path) -> None:
    record = trained(lambda model, _: write(model["head"], tmp_path))
    assert said(record) == {"trained-but-not-saved": "warning"}


def test_what_is_no_model_is_not_told(tmp_path: Path) -> None:
    def save(model, _) -> None:
        np.savez(tmp_path / "data.npz", rows=np.zeros((100, 8)), labels=np.zeros(100))
        joblib.dump({"mean": np.zeros(7), "name": "scaler"}, tmp_path / "scaler.joblib")

    record = trained(save)
    assert (said(record), states(record)) == ({}, set())
    assert record.events_of(FileWritten) == []


class Hiding(torch.nn.Module):
    """Layers in a plain list: they run, and state_dict() knows nothing of them."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = [torch.nn.Linear(8, 8) for _ in range(2)]
        self.head = torch.nn.Linear(8, 1)

    def forward(self, rows):
        for layer in self.layers:
            rows = layer(rows).relu()
        return self.head(rows)


def hiding(save, everything: bool = True) -> Record:
    torch.manual_seed(0)
    model = Hiding()
    hidden = [parameter for layer in model.layers for parameter in layer.parameters()]
    optimizer = torch.optim.Adam([*model.parameters(), *(hidden if everything else [])], lr=1e-2)
    with frostline.watch() as seen:
        for _ in range(6):
            optimizer.zero_grad()
            model(torch.randn(16, 8)).square().mean().backward()
            optimizer.step()
        save(model)
    assert seen.report.record.run.faults == []
    return seen.report.record


def test_layers_in_a_plain_list_are_trained_and_in_no_file(tmp_path: Path) -> None:
    record = hiding(lambda model: torch.save(model.state_dict(), tmp_path / "a.pt"))
    (finding,) = [finding for finding in record.findings if finding.code.startswith("S")]
    assert (finding.rule, finding.severity, len(finding.tensors)) == ("trained-but-not-saved", "error", 4)
    assert "model.layers.0" in finding.message


def test_layers_in_a_plain_list_that_are_saved_by_hand(tmp_path: Path) -> None:
    def save(model) -> None:
        state = {"model": model.state_dict(), "layers": [layer.state_dict() for layer in model.layers]}
        torch.save(state, tmp_path / "a.pt")

    assert said(hiding(save)) == {}


def test_layers_in_a_plain_list_that_no_optimizer_holds(tmp_path: Path) -> None:
    assert said(hiding(lambda model: torch.save(model.state_dict(), tmp_path / "a.pt"), everything=False)) == {}


@pytest.mark.parametrize("again", [False, True])
def test_a_save_before_the_first_step_only(again: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    with frostline.watch() as seen:
        model = torch.nn.Linear(8, 1)
        torch.save(model.state_dict(), tmp_path / "init.pt")
        torch.save({"weight": torch.zeros(1, 8), "bias": torch.zeros(1)}, tmp_path / "other.pt")
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            model(torch.randn(16, 8)).square().mean().backward()
            optimizer.step()
        if again:
            torch.save(model.state_dict(), tmp_path / "last.pt")
    assert said(seen.report.record) == ({} if again else {"saved-copy-is-older": "note"})
    assert states(seen.report.record) == ({"same"} if again else {"older"})


@pytest.mark.parametrize(("by", "missing"), [("numpy", False), ("h5py", False), ("a part", True), ("nothing", True)])
def test_arrays_that_the_script_writes_itself_are_in_a_file(by: str, missing: bool, tmp_path: Path) -> None:
    def save(model, optimizer) -> None:
        torch.save(model["head"].state_dict(), tmp_path / "head.pt")
        arrays = {name: value.numpy() for name, value in model["body"].state_dict().items() if value.ndim}
        for name, array in arrays.items() if by == "numpy" else ():
            np.save(tmp_path / f"{name}.npy", array)
        if by in ("h5py", "a part"):
            with h5py.File(tmp_path / "body.h5", "w") as file:
                for name, array in arrays.items():
                    if by == "h5py" or name.startswith("0"):
                        file[f"of/body/{name.replace('.', '/')}"] = array

    rows = trained(save).tensors
    lost = {row.name for row in rows if row.kind == "parameter" and row.saved and row.saved.state == "missing"}
    assert bool(lost) is missing
    assert (by == "a part") == (bool(lost) and not any(".0." in name for name in lost))
