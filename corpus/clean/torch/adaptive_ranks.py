"""peft's AdaLoRA cuts the ranks that matter least; the adapter is written with those that are left."""

import tempfile

import torch
from peft import AdaLoraConfig, get_peft_model
from torch import nn

torch.manual_seed(1)
STEPS = 60


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(16, 32)
        self.middle = nn.Linear(32, 32)
        self.head = nn.Linear(32, 4)

    def forward(self, rows):
        return self.head(torch.relu(self.middle(torch.relu(self.body(rows)))))


inputs = torch.randn(256, 16)
targets = torch.randint(0, 4, (256,))
config = AdaLoraConfig(
    init_r=3,
    target_r=2,
    tinit=5,
    tfinal=20,
    deltaT=5,
    total_step=STEPS,
    target_modules=["body", "middle"],
    modules_to_save=["head"],
)
model = get_peft_model(Classifier(), config)
optimizer = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad], lr=1e-2)
for step in range(STEPS):
    rows = torch.randint(0, 256, (32,))
    loss = nn.functional.cross_entropy(model(inputs[rows]), targets[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    model.base_model.update_and_allocate(step)
print(f"loss {loss.item():.4f}")
ranks = model.peft_config["default"].rank_pattern
print({name: sum(kept) for name, kept in ranks.items()})
with tempfile.TemporaryDirectory() as folder:
    model.save_pretrained(folder)
