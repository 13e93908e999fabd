"""Extra peak memory of a run: the same training of a model of 200 MiB as processes of their own, with and without."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.turns import Line, process

PACKAGES = ("torch",)
TURNS = 3
ALLOWED_MIB, ALLOWED_SHARE = 64, 0.0005
SCRIPT = """
import torch
from torch import nn
torch.manual_seed(0)
torch.set_num_threads(1)
model = nn.Sequential(*(nn.Linear(2048, 2048) for _ in range(12)), nn.Linear(2048, 10))
model[:12].requires_grad_(False)
optimizer = torch.optim.SGD(model[12].parameters(), lr=0.1)
for _ in range(20):
    optimizer.zero_grad()
    model(torch.randn(4, 2048)).square().mean().backward()
    optimizer.step()
"""


def measure() -> Iterator[Line]:
    peaks: dict[str, list[float]] = {"without": [], "with": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "train.py").write_text(SCRIPT)
        for _ in range(TURNS):
            for name, words in (("without", []), ("with", ["-m", "frostline", "run", "--quiet"])):
                peaks[name].append(process([sys.executable, *words, "train.py"], folder, {}).peak_mib)
    watched = 12 * 2048 * 2049 * 4 / 2**20
    more = statistics.median(peaks["with"]) - statistics.median(peaks["without"])
    allowed = ALLOWED_MIB + ALLOWED_SHARE * watched
    yield Line(
        f"extra peak memory, {watched:.0f} MiB watched",
        f"{more:.0f} MiB",
        f"{statistics.median(peaks['without']):.0f} MiB without",
        "",
        f"≤ {ALLOWED_MIB} MiB + 0.05 % = {allowed:.0f} MiB",
        more <= allowed,
    )
