"""Trains LoRA adapters of a small BERT with the Trainer of transformers."""

import tempfile

import torch
from peft import LoraConfig, get_peft_model
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

torch.manual_seed(0)
config = BertConfig(
    vocab_size=100, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, num_labels=2
)
words = [{"input_ids": [index, 7, 9], "labels": index % 2} for index in range(32)]
adapters = LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["query", "value"])
model = get_peft_model(BertForSequenceClassification(config), adapters)
model.print_trainable_parameters()

with tempfile.TemporaryDirectory() as folder:
    arguments = TrainingArguments(
        folder, num_train_epochs=2, report_to=[], save_strategy="no", disable_tqdm=True, use_cpu=True,
        logging_strategy="no",
    )  # fmt: skip
    Trainer(model, arguments, train_dataset=words).train()
