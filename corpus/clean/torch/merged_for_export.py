"""LoRA with peft on a tiny BERT, merged into its base and exported when training is over."""

import tempfile
import warnings

import torch
from peft import LoraConfig, get_peft_model
from transformers import BertConfig, BertForSequenceClassification

warnings.simplefilter("ignore")
torch.manual_seed(0)
shape = BertConfig(
    vocab_size=60, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, num_labels=3
)
lora = LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["query", "value"])
model = get_peft_model(BertForSequenceClassification(shape), lora)
model.print_trainable_parameters()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-3)
words = torch.randint(0, 60, (84, 10))
labels = words[:, 0] % 3
for epoch in range(3):
    model.train()
    for index in torch.randperm(84).split(12):
        loss = model(input_ids=words[index], labels=labels[index]).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    print(f"epoch {epoch} loss {loss.item():.4f}")
merged = model.merge_and_unload()
with tempfile.TemporaryDirectory() as folder:
    merged.save_pretrained(folder)
