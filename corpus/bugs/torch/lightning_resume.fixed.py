"""A Lightning run that opens its backbone in the second epoch, is stopped after the third and resumed."""

import logging
import tempfile
import warnings
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import BaseFinetuning
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
L.seed_everything(0, verbose=False)


class OpenLater(BaseFinetuning):
    def freeze_before_training(self, pl_module):
        self.freeze(pl_module.backbone)

    def finetune_function(self, pl_module, epoch, optimizer):
        if epoch == 1:
            self.unfreeze_and_add_param_group(pl_module.backbone, optimizer, lr=5e-3)
        elif epoch > 1:
            self.make_trainable(pl_module.backbone)


class Model(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(8, 24), nn.ReLU())
        self.head = nn.Linear(24, 2)

    def training_step(self, batch, index):
        rows, labels = batch
        loss = nn.functional.cross_entropy(self.head(self.backbone(rows)), labels)
        if index == 4:
            print(f"epoch {self.current_epoch} loss {loss.item():.4f}")
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam((p for p in self.parameters() if p.requires_grad), lr=5e-3)


inputs = torch.randn(160, 8)
labels = (inputs[:, 0] > 0).long()
rows = DataLoader(TensorDataset(inputs, labels), batch_size=32)
common = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "accelerator": "cpu"}


def session(epochs, resume, save):
    trainer = L.Trainer(max_epochs=epochs, callbacks=[OpenLater()], enable_model_summary=False, **common)
    model = Model()
    trainer.fit(model, rows, ckpt_path=resume, weights_only=False)
    trainer.save_checkpoint(save)
    return model


with tempfile.TemporaryDirectory() as folder:
    first, second = Path(folder) / "first.ckpt", Path(folder) / "second.ckpt"
    session(3, None, first)
    model = session(6, first, second)
