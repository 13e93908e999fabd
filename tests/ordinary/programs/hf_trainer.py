"""Fine-tunes the classifier of a small BERT with the Trainer of transformers, and saves the model."""

import tempfile

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

torch.manual_seed(0)
config = BertConfig(
    vocab_size=100, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, num_labels=2
)
words = [{"input_ids": [index, 7, 9], "labels": index % 2} for index in range(32)]
model = BertForSequenceClassification(config)
for parameter in model.bert.parameters():
    parameter.requires_grad = False

with tempfile.TemporaryDirectory() as folder:
    arguments = TrainingArguments(
        folder, num_train_epochs=2, report_to=[], save_strategy="no", disable_tqdm=True, use_cpu=True,
        logging_strategy="no",
    )  # fmt: skip
    trainer = Trainer(model, arguments, train_dataset=words)
    trainer.train()
    trainer.save_model(folder)
