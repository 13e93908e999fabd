"""Fine-tunes the head of a tiny BERT with the Trainer."""

import tempfile

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

torch.manual_seed(0)
config = BertConfig(
    vocab_size=40, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24, num_labels=2
)
model = BertForSequenceClassification(config)
model.bert.embeddings.requires_grad_(False)
tokens = torch.randint(0, 40, (128, 8))
rows = [{"input_ids": row, "labels": int(row[0] > 20)} for row in tokens]
with tempfile.TemporaryDirectory() as folder:
    arguments = TrainingArguments(
        folder,
        per_device_train_batch_size=8,
        max_steps=24,
        learning_rate=5e-3,
        warmup_steps=4,
        logging_steps=8,
        gradient_accumulation_steps=2,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        seed=0,
    )
    result = Trainer(model=model, args=arguments, train_dataset=rows).train()
print(f"loss {result.training_loss:.4f}")
