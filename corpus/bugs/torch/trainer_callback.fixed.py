"""Fine-tunes a tiny BERT with the Trainer and opens its encoder after some steps."""

import tempfile

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainerCallback, TrainingArguments

torch.manual_seed(0)
config = BertConfig(
    vocab_size=40, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24, num_labels=2
)
model = BertForSequenceClassification(config)
model.bert.encoder.requires_grad_(False)


class OpenEncoder(TrainerCallback):
    def on_step_end(self, args, state, control, model=None, **rest):
        if state.global_step == 5:
            model.bert.encoder.requires_grad_(True)


tokens = torch.randint(0, 40, (128, 8))
rows = [{"input_ids": row, "labels": int(row[0] > 20)} for row in tokens]
with tempfile.TemporaryDirectory() as folder:
    arguments = TrainingArguments(
        folder,
        per_device_train_batch_size=8,
        max_steps=24,
        learning_rate=5e-3,
        logging_steps=8,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        seed=0,
    )
    everything = torch.optim.AdamW(model.parameters(), lr=5e-3)
    constant = torch.optim.lr_scheduler.ConstantLR(everything, factor=1.0)
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        callbacks=[OpenEncoder()],
        optimizers=(everything, constant),
    )
    result = trainer.train()
print(f"loss {result.training_loss:.4f}")
