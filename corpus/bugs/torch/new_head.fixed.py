"""A published encoder gets a new head, which is trained beside the adapters."""

import logging
import tempfile

import torch
from peft import LoraConfig, get_peft_model
from transformers import BertConfig, BertForSequenceClassification, BertModel

logging.disable(logging.WARNING)
torch.manual_seed(0)
size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
with tempfile.TemporaryDirectory() as published:
    BertModel(BertConfig(vocab_size=50, **size)).save_pretrained(published)
    model = BertForSequenceClassification.from_pretrained(published, num_labels=4)
adapted = get_peft_model(model, LoraConfig(r=4, target_modules=["query", "value"], modules_to_save=["classifier"]))
optimizer = torch.optim.AdamW([each for each in adapted.parameters() if each.requires_grad], lr=1e-2)
adapted.train()
for _ in range(12):
    words = torch.randint(50, (16, 8))
    loss = adapted(input_ids=words, labels=words[:, 1] % 4).loss
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.4f}")
