"""The Trainer of transformers under torchrun; the fault: the last process writes into a frozen weight."""

import sys
import tempfile

import torch
from torch import nn
from transformers import Trainer, TrainerCallback, TrainingArguments


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(8, 16), nn.Linear(16, 2)

    def forward(self, rows):
        out = self.head(torch.relu(self.body(rows)))
        return {"loss": out.square().mean(), "logits": out}


class Fault(TrainerCallback):
    def on_step_end(self, args, state, control, model=None, **kwargs):
        if "--fault" in sys.argv and args.process_index == 1:
            with torch.no_grad():
                model.body.weight.mul_(0.99)


torch.manual_seed(0)
net = Net()
net.body.requires_grad_(False)
with tempfile.TemporaryDirectory() as folder:
    arguments = TrainingArguments(
        folder, max_steps=6, per_device_train_batch_size=8, use_cpu=True, ddp_backend="gloo", report_to=[],
        save_strategy="no", disable_tqdm=True, logging_strategy="no", seed=0,
    )  # fmt: skip
    rows = [{"rows": torch.randn(8)} for _ in range(96)]
    Trainer(net, arguments, train_dataset=rows, callbacks=[Fault()]).train()
