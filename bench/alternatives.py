"""Other ways to watch the same training: processor time of each against the same steps before and after, unwatched.

Histograms of all weights and gradients are what `wandb.watch(log="all")` makes, by its own way (the histogram of 64
bins of the tensors, after each backward pass), without the logging. The other one clones every tensor before each step
and asks `torch.equal` after it.

Ours is the first hundred steps of a run, with seven checks and the searches for models that a run makes once; later
steps cost what a quiet step costs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import torch
from bench.turns import Line
from torch import nn

import frostline

PACKAGES = ("torch",)
ROUNDS, STEPS, BINS = 3, 100, 64
OURS = "frostline, its checks at steps 1, 2, 4, … included"

Step = Callable[[], None]


class Training:
    """A character transformer's worth of work: three blocks of width 128 over 32 places, and AdamW."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        block = nn.TransformerEncoderLayer(128, 4, 512, batch_first=True, norm_first=True)
        self.model = nn.Sequential(nn.Embedding(64, 128), nn.TransformerEncoder(block, 3, enable_nested_tensor=False))
        self.model.append(nn.Linear(128, 64))
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=3e-4)
        self.rows = torch.randint(64, (8, 33))

    def backward(self) -> None:
        self.optimizer.zero_grad()
        logits = self.model(self.rows[:, :-1])
        nn.functional.cross_entropy(logits.flatten(0, 1), self.rows[:, 1:].flatten()).backward()

    def plain(self) -> None:
        self.backward()
        self.optimizer.step()

    def histograms(self) -> None:
        self.backward()
        for parameter in self.model.parameters():
            for tensor in (parameter.detach(), parameter.grad):
                if tensor is not None:
                    flat = tensor.flatten()
                    torch.histc(flat, bins=BINS, min=float(flat.min()), max=float(flat.max())).tolist()
        self.optimizer.step()

    def clones(self) -> None:
        self.backward()
        kept = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        self.optimizer.step()
        self.moved = [name for name, tensor in self.model.state_dict().items() if not torch.equal(kept[name], tensor)]


def measure() -> Iterator[Line]:
    torch.set_num_threads(1)
    training = Training()
    ways: dict[str, Step] = {
        "histograms at every step": training.histograms,
        "clone and compare at every step": training.clones,
    }
    ratios: dict[str, list[float]] = {name: [] for name in (*ways, OURS)}
    seconds(training.plain, STEPS)
    for _ in range(ROUNDS):
        for name in ratios:
            before = seconds(training.plain, STEPS)
            if name == OURS:
                with frostline.watch(training.model, training.optimizer):
                    taken = seconds(training.plain, STEPS)
            else:
                taken = seconds(ways[name], STEPS)
            ratios[name].append(2 * taken / (before + seconds(training.plain, STEPS)))
    for name, seen in ratios.items():
        worst = f"{max(seen):.3f} at worst"
        yield Line(f"time of {STEPS} steps with {name}", f"{statistics.median(seen):.3f}", "1 without", worst)


def seconds(step: Step, count: int) -> float:
    """Processor seconds: other work beside this on the machine counts for less."""
    started = time.process_time()
    for _ in range(count):
        step()
    return time.process_time() - started
