"""A BERT encoder trained on token averages: the pooler that comes with it is switched off."""

import torch
from transformers import BertConfig, BertModel

torch.manual_seed(0)
config = BertConfig(vocab_size=60, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
model = BertModel(config)
model.pooler.requires_grad_(False)
model.embeddings.requires_grad_(False)
optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=1e-3)
left = torch.randint(0, 60, (64, 8))
right = left.roll(1, dims=1)
for epoch in range(3):
    for rows in torch.randperm(64).split(8):
        first = model(input_ids=left[rows]).last_hidden_state.mean(1)
        second = model(input_ids=right[rows]).last_hidden_state.mean(1)
        scores = torch.nn.functional.normalize(first, dim=1) @ torch.nn.functional.normalize(second, dim=1).t()
        loss = torch.nn.functional.cross_entropy(scores * 10, torch.arange(len(rows)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
