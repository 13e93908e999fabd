"""``frostline report --anonymise``: a record with nothing of its user in it, which shows the same findings."""

import json
import platform
import re

import pytest

SECRETS = ("secret", "geheim", "träge", "patient", "mnt")
SCRIPT = """
import torch
from torch import nn

class SecretNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.secretbackbone = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
        self.secret_head = nn.ModuleDict({"patient17": nn.Linear(8, 2)})
        self.register_buffer("träge", torch.zeros(3))

    def forward(self, x):
        return self.secret_head["patient17"](self.secretbackbone(x))

def secret_train():
    geheim = SecretNet()
    secret_optimizer = torch.optim.AdamW(geheim.parameters(), lr=0.1)
    for step in range(6):
        if step == 2:
            geheim.secretbackbone.requires_grad_(False)
        secret_optimizer.zero_grad(set_to_none=False)
        geheim(torch.randn(16, 8)).square().mean().backward()
        secret_optimizer.step()
    torch.save(geheim.state_dict(), "secretfile.pt")

secret_train()
"""


@pytest.mark.needs("torch")
def test_nothing_private_is_left_and_the_findings_are_the_same(shell) -> None:
    shell.write("secretscript.py", SCRIPT)
    shell.frostline("run", "--quiet", "--frozen", "secret*.**", "secretscript.py", "--secretkey", "patient-file")
    as_it_is = shell.frostline("report", "--json").stdout
    assert all(word in as_it_is for word in ("secretbackbone", "SecretNet", "patient17", "träge", "secretfile"))
    done = shell.frostline("report", "--anonymise", "--json", "-o", "record.json")
    assert done.stderr.splitlines() == ["frostline: wrote record.json"]
    text = (shell.folder / "record.json").read_text("utf-8")
    assert not re.search("|".join(SECRETS), text, re.IGNORECASE)
    assert platform.node() not in text
    assert shell.folder.name not in text
    private, public = json.loads(as_it_is), json.loads(text)
    assert [each["code"] for each in public["findings"]] == [each["code"] for each in private["findings"]]
    assert "F102" in [each["code"] for each in public["findings"]]
    assert shell.frostline("report", "record.json").status == 1  # it is a record like any other
