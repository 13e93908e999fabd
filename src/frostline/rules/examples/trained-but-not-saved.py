# frostline run trained-but-not-saved.py
import torch

model = torch.nn.Module()
model.base = torch.nn.Linear(4, 4).requires_grad_(False)
model.lora_down = torch.nn.Linear(4, 2, bias=False)
model.score = torch.nn.Linear(2, 1)
optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    model.score(model.lora_down(model.base(torch.randn(8, 4)))).square().mean().backward()
    optimizer.step()
torch.save({name: value for name, value in model.state_dict().items() if "lora" in name}, "/dev/null")
