"""Lightning's finetuning callback unfreezes a backbone and keeps its batch normalisations out of the optimizer."""

import logging
import warnings

import lightning as L
import torch
from lightning.pytorch.callbacks import BaseFinetuning
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
L.seed_everything(0, verbose=False)


class Staged(BaseFinetuning):
    def freeze_before_training(self, module):
        self.freeze(module.backbone, train_bn=False)

    def finetune_function(self, module, epoch, optimizer):
        if epoch == 2:
            self.unfreeze_and_add_param_group(module.backbone, optimizer, lr=1e-3, train_bn=False)


class Model(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(8, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU())
        self.head = nn.Linear(24, 2)

    def training_step(self, batch, index):
        rows, labels = batch
        return nn.functional.cross_entropy(self.head(self.backbone(rows)), labels)

    def configure_optimizers(self):
        return torch.optim.Adam([each for each in self.parameters() if each.requires_grad], lr=1e-2)


inputs = torch.randn(160, 8)
labels = (inputs[:, 0] > 0).long()
trainer = L.Trainer(
    max_epochs=5,
    logger=False,
    callbacks=[Staged()],
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    accelerator="cpu",
)
model = Model()
trainer.fit(model, DataLoader(TensorDataset(inputs, labels), batch_size=16, shuffle=True))
print(f"loss {nn.functional.cross_entropy(model.head(model.backbone(inputs)), labels).item():.4f}")
