"""Adapters are merged in the middle of the run, and the model is adapted anew, with a new optimizer."""

import torch
from peft import LoraConfig, get_peft_model
from transformers import BertConfig, BertForSequenceClassification

torch.manual_seed(0)
size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
config = LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["query", "value"])
model = get_peft_model(BertForSequenceClassification(BertConfig(vocab_size=50, num_labels=4, **size)), config)
optimizer = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad], lr=1e-2)
model.train()
for step in range(24):
    if step == 10:
        model = get_peft_model(model.merge_and_unload(), config)
        optimizer = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad], lr=1e-2)
    words = torch.randint(50, (16, 8))
    loss = model(input_ids=words, labels=words[:, 1] % 4).loss
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.4f}")
