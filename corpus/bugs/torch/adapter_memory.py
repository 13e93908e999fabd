"""Parameter-efficient fine-tuning of a tiny BERT with gradient checkpointing."""

import warnings

import torch
from peft import LoraConfig, TaskType, get_peft_model
from transformers import BertConfig, BertForSequenceClassification

warnings.simplefilter("ignore")
torch.manual_seed(0)
config = BertConfig(
    vocab_size=50, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, num_labels=2
)
lora = LoraConfig(task_type=TaskType.SEQ_CLS, r=4, target_modules=["query", "value"], modules_to_save=["classifier"])
model = get_peft_model(BertForSequenceClassification(config), lora)
model.base_model.model.gradient_checkpointing_enable({"use_reentrant": True})
model.train()

optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=3e-3)
tokens = torch.randint(0, 50, (96, 8))
labels = (tokens[:, 0] > 25).long()
for epoch in range(4):
    for batch, label in zip(tokens.split(16), labels.split(16), strict=True):
        optimizer.zero_grad()
        loss = model(input_ids=batch, labels=label).loss
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
