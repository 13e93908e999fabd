"""Fine-tuning with a Lightning callback that keeps the backbone closed for the first epochs."""

import logging
import warnings

import lightning as L
import torch
from lightning.pytorch.callbacks import BackboneFinetuning
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
L.seed_everything(0, verbose=False)


class Model(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(10, 24), nn.BatchNorm1d(24), nn.ReLU())
        self.head = nn.Linear(24, 2)

    def training_step(self, batch, index):
        rows, labels = batch
        loss = nn.functional.cross_entropy(self.head(self.backbone(rows)), labels)
        if index == 4:
            print(f"epoch {self.current_epoch} loss {loss.item():.4f}")
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam((p for p in self.parameters() if p.requires_grad), lr=5e-3)


class ClosedBackbone(BackboneFinetuning):
    def freeze_before_training(self, pl_module):
        self.freeze(pl_module.backbone, train_bn=self.train_bn)


closing = ClosedBackbone(unfreeze_backbone_at_epoch=50, train_bn=False)
inputs = torch.randn(160, 10)
labels = (inputs[:, 0] > 0).long()
trainer = L.Trainer(
    max_epochs=5,
    callbacks=[closing],
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    accelerator="cpu",
)
trainer.fit(Model(), DataLoader(TensorDataset(inputs, labels), batch_size=32, shuffle=True))
