"""A program of the corpus runs in a folder of its own, which goes with it."""

from pathlib import Path

import pytest
from corpus.cases import Case, Trial
from corpus.running import prepare, run

SCRIPT = """
import torch
model = torch.nn.Linear(3, 2)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
model(torch.ones(4, 3)).sum().backward()
optimizer.step()
torch.save(model.state_dict(), "left_behind.pt")
"""


@pytest.mark.parametrize("warm", [True, False])
def test_what_a_program_writes_does_not_stay(warm, tmp_path):
    script = tmp_path / "saves.py"
    script.write_text(SCRIPT)
    prepare()
    outcome = run(Trial(Case("clean/torch/saves", "clean", script, framework="torch"), "clean", script), warm=warm)
    assert outcome.record is not None, outcome.problem
    assert all(row.saved and row.saved.copies for row in outcome.record.tensors)
    assert not Path("left_behind.pt").exists()
