# ruff: noqa: E402  # skipped before the libraries are imported, where one is missing
"""Fine-tunes of a real pretrained model with Lightning: no false alarm, and the right rule on a live bug."""

import pytest

lightning = pytest.importorskip("lightning")
scheduler = pytest.importorskip("finetuning_scheduler")

import minilm
import torch
import yaml
from lightning.pytorch.callbacks import BackboneFinetuning, BaseFinetuning
from torch import nn
from torch.utils.data import DataLoader
from transformers import AutoModel

from frostline.core.record import Record
from frostline.integrations.lightning import WatchWeights

pytestmark = [
    pytest.mark.needs("torch", "lightning", "transformers", "finetuning_scheduler"),
    pytest.mark.filterwarnings("ignore"),
]


class Model(lightning.LightningModule):
    """MiniLM's first layers, a neck and a head with a norm each, both as their initialisers make them."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.backbone = AutoModel.from_pretrained(minilm.FOLDER, num_hidden_layers=2, add_pooling_layer=False)
        self.neck = nn.Sequential(nn.Linear(384, 16), nn.LayerNorm(16))
        self.head = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 2))

    def training_step(self, batch, index):
        labels = batch.pop("labels")
        first = self.backbone(**batch).last_hidden_state[:, 0]
        return nn.functional.cross_entropy(self.head(self.neck(first)), labels)

    def configure_optimizers(self):
        return torch.optim.AdamW((p for p in self.parameters() if p.requires_grad), lr=1e-3)


@pytest.fixture
def fit(tmp_path):
    def run(model: Model, watch: WatchWeights, *others, epochs: int = 1) -> Record:
        data = minilm.batch()
        loader = DataLoader([{key: value[i] for key, value in data.items()} for i in range(8)], batch_size=2)
        trainer = lightning.Trainer(
            max_epochs=epochs, callbacks=[watch, *others], logger=False, enable_progress_bar=False,
            enable_model_summary=False, accelerator="cpu", default_root_dir=tmp_path,
            enable_checkpointing=any(isinstance(other, scheduler.FinetuningScheduler) for other in others),
        )  # fmt: skip
        trainer.fit(model, loader)
        assert watch.report is not None
        return watch.report.record

    return run


def graver(record: Record) -> dict[str, set[str]]:
    assert record.run.faults == []
    return {each.rule: set(each.tensors) for each in record.findings if each.severity != "note"}


def test_a_frozen_backbone(fit) -> None:
    model = Model()
    model.backbone.requires_grad_(False)
    before = minilm.bits(model.backbone)
    record = fit(model, WatchWeights(["backbone.**"], ["neck.**", "head.**"], quiet=True))
    assert minilm.bits(model.backbone) == before
    assert graver(record) == {}
    assert record.totals.changed == 384 * 16 + 16 + 4 * 16 + 16 * 2 + 2


def test_a_backbone_that_is_opened_later(fit) -> None:
    opening = BackboneFinetuning(unfreeze_backbone_at_epoch=1, lambda_func=lambda epoch: 1.0, should_align=False)
    record = fit(Model(), WatchWeights(trained=["backbone.**", "head.**"], quiet=True), opening, epochs=2)
    assert graver(record) == {}
    assert record.totals.unchanged == 0


def test_gradual_unfreezing(fit, tmp_path) -> None:
    parts = ["head|neck", "backbone.encoder.layer.1", "backbone.encoder.layer.0"]
    phases = {
        phase: {"params": [rf"({part})\..*"], "max_transition_epoch": phase + 1} for phase, part in enumerate(parts)
    }
    plan = tmp_path / "plan.yaml"
    plan.write_text(yaml.safe_dump(phases))
    gradual = scheduler.FinetuningScheduler(ft_schedule=str(plan), epoch_transitions_only=True, restore_best=False)
    watch = WatchWeights(["backbone.embeddings.**"], ["backbone.encoder.**", "neck.**"], quiet=True)
    assert graver(fit(Model(), watch, gradual, epochs=3)) == {}


class OpenTheNeck(BaseFinetuning):
    """Lightning's own way to open a part: parameters that equal one which the optimizer holds are dropped."""

    def freeze_before_training(self, pl_module):
        self.freeze([pl_module.backbone, pl_module.neck])

    def finetune_function(self, pl_module, epoch, optimizer):
        if epoch == 0:
            self.unfreeze_and_add_param_group(pl_module.neck, optimizer, lr=1e-3)


def test_a_norm_that_is_dropped_because_it_equals_another(fit, capsys) -> None:
    watch = WatchWeights()
    assert graver(fit(Model(), watch, OpenTheNeck())) == {
        "not-in-any-optimizer": {"model.neck.1.weight", "model.neck.1.bias"}
    }
    assert "T201 not-in-any-optimizer" in capsys.readouterr().err
