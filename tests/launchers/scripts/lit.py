"""Lightning, which starts its own processes (--ddp, --ddp_spawn); the fault: the last writes into a frozen weight."""

import logging
import sys
import warnings

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.simplefilter("ignore")


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(8, 16), nn.Linear(16, 2)
        self.body.requires_grad_(False)

    def training_step(self, batch, index):
        return self.head(torch.relu(self.body(batch[0]))).square().mean()

    def on_train_batch_end(self, outputs, batch, batch_idx):
        if "--fault" in sys.argv and self.global_rank == 1:
            with torch.no_grad():
                self.body.weight.mul_(0.99)

    def configure_optimizers(self):
        return torch.optim.AdamW(self.head.parameters(), lr=1e-2)


if __name__ == "__main__":
    L.seed_everything(0, verbose=False)
    strategy = "ddp_spawn" if "--ddp_spawn" in sys.argv else "ddp"
    trainer = L.Trainer(
        accelerator="cpu", devices=2, strategy=strategy, max_steps=6, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Net(), DataLoader(TensorDataset(torch.randn(96, 8)), batch_size=8))
