"""A base under LoRA with the real peft: a lock of the base proves that training an adapter left it alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from checkpoint_calls import names

pytestmark = [pytest.mark.needs("torch"), pytest.mark.filterwarnings("ignore")]
torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")
ADAPTER = ["--may-differ", "**.lora_*.**"]


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(20, 8)
        self.blocks = torch.nn.ModuleList(torch.nn.Linear(8, 8) for _ in range(2))
        self.norm = torch.nn.LayerNorm(8)
        self.head = torch.nn.Linear(8, 4)

    def forward(self, index: Any) -> Any:
        hidden = self.embed(index)
        for block in self.blocks:
            hidden = block(hidden).relu()
        return self.head(self.norm(hidden))


def train(model: Any, parameters: Any) -> None:
    optimizer = torch.optim.AdamW(parameters, lr=1e-2)
    for _ in range(4):
        optimizer.zero_grad()
        model(torch.randint(0, 20, (16,))).square().mean().backward()
        optimizer.step()


@pytest.fixture(name="tuned")
def tuned_fixture(tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A base with its lock `base.lock`, and the peft model that was trained on it, with a head of its own."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    base = Net()
    torch.save(base.state_dict(), "base.pt")
    assert call("lock", "base.pt", "-o", "base.lock").status == 0
    config = peft.LoraConfig(target_modules=["blocks.0", "blocks.1"], r=2, init_lora_weights=True)
    model = peft.get_peft_model(base, config)
    train(model, [parameter for parameter in model.parameters() if parameter.requires_grad])
    return model


def test_the_whole_model_with_the_base_inside(tuned: Any, call: Any) -> None:
    torch.save(tuned.state_dict(), "whole.pt")
    assert call("verify", "whole.pt", "base.lock", *ADAPTER).status == 0
    found = json.loads(call("verify", "whole.pt", "base.lock", "--json").out)
    assert all("lora_" in str(name) for name in names(found["new"]))
    assert len(found["new"]) == 4
    assert found["differ"] == found["missing"] == []


def test_a_base_that_was_trained_as_well(tuned: Any, call: Any) -> None:
    for parameter in tuned.base_model.model.norm.parameters():
        parameter.requires_grad_(True)
    train(tuned, [parameter for parameter in tuned.parameters() if parameter.requires_grad])
    torch.save(tuned.state_dict(), "whole.pt")
    found = call("verify", "whole.pt", "base.lock", *ADAPTER, "--json")
    assert (found.status, sorted(map(str, names(json.loads(found.out)["differ"])))) == (1, ["norm.bias", "norm.weight"])


def test_the_adapter_file_alone(tuned: Any, call: Any) -> None:
    tuned.save_pretrained("adapter")
    assert call("verify", "adapter", "base.lock", "--partial", *ADAPTER).status == 0
    assert call("verify", "adapter", "base.lock", *ADAPTER).status == 1  # not the whole base


def test_an_adapter_merged_into_the_base(tuned: Any, call: Any) -> None:
    """The base is there, and only the layers that the adapter was on differ from it."""
    torch.save(tuned.merge_and_unload().state_dict(), "merged.pt")
    found = json.loads(call("verify", "merged.pt", "base.lock", "--json").out)
    assert sorted(map(str, names(found["differ"]))) == ["blocks.0.weight", "blocks.1.weight"]
    assert call("verify", "merged.pt", "base.lock", "--may-differ", "blocks.*.weight").status == 0
