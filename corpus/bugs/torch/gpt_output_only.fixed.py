"""Trains only the output layer of a tiny GPT-2."""

import torch
from transformers import GPT2Config, GPT2LMHeadModel

torch.manual_seed(0)
config = GPT2Config(
    vocab_size=40,
    n_positions=16,
    n_embd=16,
    n_layer=1,
    n_head=2,
    bos_token_id=0,
    eos_token_id=0,
    tie_word_embeddings=False,
)
model = GPT2LMHeadModel(config)
for parameter in model.transformer.parameters():
    parameter.requires_grad = False
for parameter in model.lm_head.parameters():
    parameter.requires_grad = True
optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=2e-3)
tokens = torch.randint(0, 40, (80, 10))
model.train()
for epoch in range(4):
    for batch in tokens.split(16):
        optimizer.zero_grad()
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
