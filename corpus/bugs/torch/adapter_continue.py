"""Continues the training of a saved LoRA adapter."""

import tempfile
import warnings

import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from transformers import GPT2Config, GPT2LMHeadModel

warnings.simplefilter("ignore")
torch.manual_seed(0)
config = GPT2Config(vocab_size=40, n_positions=16, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
lora = LoraConfig(task_type=TaskType.CAUSAL_LM, r=2, target_modules=["c_attn"], fan_in_fan_out=True)

with tempfile.TemporaryDirectory() as folder:
    get_peft_model(GPT2LMHeadModel(config), lora).save_pretrained(folder)
    model = PeftModel.from_pretrained(GPT2LMHeadModel(config), folder)

model.enable_input_require_grads()
model.train()
decayed = [p for name, p in model.named_parameters() if p.requires_grad and "bias" not in name]
plain = [p for name, p in model.named_parameters() if p.requires_grad and "bias" in name]
optimizer = torch.optim.AdamW([{"params": decayed}, {"params": plain, "weight_decay": 0.0}], lr=5e-3)
tokens = torch.randint(0, 40, (80, 10))
for epoch in range(4):
    for batch in tokens.split(16):
        optimizer.zero_grad()
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
