"""Two views are brought together: the target is an average of the encoder, frozen by its flags, with normalisation.

Lightning hands the forward pass to the optimizer as a closure, so that the target's statistics move inside a step.
"""

import copy
import logging
import warnings

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
L.seed_everything(0, verbose=False)


class Views(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.online = nn.Sequential(nn.Linear(8, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 12))
        self.predictor = nn.Linear(12, 12)
        self.target = copy.deepcopy(self.online).requires_grad_(False)

    def training_step(self, batch, index):
        (rows,) = batch
        predicted = self.predictor(self.online(rows + 0.1 * torch.randn_like(rows)))
        with torch.no_grad():
            wanted = self.target(rows + 0.1 * torch.randn_like(rows))
        return 1 - nn.functional.cosine_similarity(predicted, wanted).mean()

    def on_train_batch_end(self, outputs, batch, index):
        with torch.no_grad():
            for averaged, trained in zip(self.target.parameters(), self.online.parameters(), strict=True):
                averaged.lerp_(trained, 0.1)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-3)


trainer = L.Trainer(
    max_epochs=4, logger=False, enable_checkpointing=False, enable_progress_bar=False, accelerator="cpu"
)
model = Views()
trainer.fit(model, DataLoader(TensorDataset(torch.randn(160, 8)), batch_size=16, shuffle=True))
print(f"mean {sum(each.mean().item() for each in model.target.parameters()):.4f}")
