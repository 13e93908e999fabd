"""Fine-tunes a tiny GPT-2 after adding tokens to its vocabulary."""

import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

torch.manual_seed(0)
config = GPT2Config(vocab_size=60, n_positions=16, n_embd=24, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
model = GPT2LMHeadModel(config)
wider = nn.Embedding(64, 24)
wider.weight.data[:60] = model.get_input_embeddings().weight.data
model.set_input_embeddings(wider)
model.config.vocab_size = 64
model.tie_weights()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)

tokens = torch.randint(0, 64, (96, 12))
model.train()
for epoch in range(4):
    for batch in tokens.split(16):
        optimizer.zero_grad()
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
