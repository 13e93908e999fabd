"""A Lightning module with a frozen backbone, validation between epochs and a checkpoint at the end."""

import logging
import tempfile
import warnings

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
L.seed_everything(0, verbose=False)


class Model(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(8, 24), nn.ReLU())
        self.backbone.requires_grad_(False)
        self.head = nn.Linear(24, 2)

    def training_step(self, batch, index):
        rows, labels = batch
        return nn.functional.cross_entropy(self.head(self.backbone(rows)), labels)

    def validation_step(self, batch, index):
        rows, labels = batch
        loss = nn.functional.cross_entropy(self.head(self.backbone(rows)), labels)
        print(f"epoch {self.current_epoch} held out {loss.item():.4f}")

    def configure_optimizers(self):
        return torch.optim.Adam(self.head.parameters(), lr=1e-2)


inputs = torch.randn(160, 8)
labels = (inputs[:, 0] > 0).long()
train = DataLoader(TensorDataset(inputs[:128], labels[:128]), batch_size=16, shuffle=True)
held_out = DataLoader(TensorDataset(inputs[128:], labels[128:]), batch_size=32)
with tempfile.TemporaryDirectory() as folder:
    trainer = L.Trainer(
        max_epochs=4,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
        default_root_dir=folder,
        num_sanity_val_steps=0,
    )
    trainer.fit(Model(), train, held_out)
