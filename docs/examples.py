"""Runs the examples under frostline and writes their page and pictures: ``python docs/examples.py [NAME…]``."""

from __future__ import annotations

import difflib
import os
import shlex
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pictures

from frostline.core.record import Record
from frostline.judging import load
from frostline.laws.causes import CAUSES

DOCS = Path(__file__).parent
FOLDER = DOCS.parent / "examples"
PAGE = DOCS / "examples.md"
BUG, FIXED = "bug.py", "fixed.py"


@dataclass(frozen=True)
class Example:
    """A folder of examples/: what its page says, and the options that it is run with."""

    title: str
    story: str
    finds: str
    options: tuple[str, ...] = ()


EXAMPLES = {
    "vision_transfer": Example(
        "Vision: transfer to other images",
        "A network that tells the digits 0 to 4 apart is to learn 5 to 9 of a brighter camera, its features "
        "frozen. `model.train()` at the start of each epoch undoes the `eval()` before it: the batch norms take "
        "on the statistics of the new images, and the old head, which nobody touched, no longer knows its own.",
        "F107",
    ),
    "lora_minilm": Example(
        "Language: LoRA on MiniLM",
        "The optimizer is made of the base model, then `get_peft_model` freezes the base and adds adapters. The "
        "optimizer holds nothing that trains and the adapters are in no optimizer; the loss is printed all the "
        "same.",
        "T201",
    ),
    "gan": Example(
        "GAN: two optimizers",
        "The generator's loss goes through the discriminator and leaves gradients there. They are cleared after "
        "the discriminator's step and not before its backward pass, so that it also steps towards being fooled.",
        "W405",
    ),
    "dqn": Example(
        "Reinforcement learning: a target network",
        "The target network is frozen, as it should be, and was built on the encoder of the online network: that "
        "one is frozen with it, and only a head learns. Both flags are as declared, so that frostline has to be "
        "told what is meant.",
        "M506",
        ("--trained", "online.**"),
    ),
    "flax_finetune": Example(
        "Flax: a mask of optax",
        "`optax.masked` applies Adam where the mask is true and hands on the raw gradient elsewhere: the encoder "
        "that was to stay takes steps of rate 1, uphill.",
        "F112",
    ),
}


def observe(name: str, script: str) -> Record:
    """The record of a run of one of the two scripts of an example."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "record.json"
        command = [sys.executable, "-m", "frostline", "run", "--quiet", "--data", data, *EXAMPLES[name].options, script]
        environment = os.environ | {"USE_TF": "0", "TOKENIZERS_PARALLELISM": "false", "COLUMNS": str(pictures.WIDTH)}
        done = subprocess.run(
            command, cwd=FOLDER / name, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if done.returncode:
            raise SystemExit(f"{name}/{script} left with {done.returncode}\n{done.stdout}")
        return load(data)


def picture(name: str, record: Record) -> str:
    """The report of an example as it looks in a terminal."""
    return pictures.picture(record, f"$ frostline run {shlex.join([*EXAMPLES[name].options, BUG])}")


def page() -> str:
    """The page of all examples."""
    parts = [
        "---\ntags: [tutorial, vision, LoRA, peft, GAN, DQN, reinforcement learning, flax, transfer learning]\n---\n",
        "# Examples\n",
        "Five small projects, each with a mistake that people make, the report of it, and the lines that fix it.\n"
        "They are in the folder `examples` of the repository; `make examples` runs them all.\n",
        *(_part(name, example) for name, example in EXAMPLES.items()),
    ]
    return "\n".join(parts)


def _part(name: str, example: Example) -> str:
    bug, fixed = ((FOLDER / name / script).read_text("utf-8").splitlines() for script in (BUG, FIXED))
    changed = "\n".join(list(difflib.unified_diff(bug, fixed, BUG, FIXED, n=1, lineterm=""))[2:])
    [slug] = [cause.slug for cause in CAUSES if cause.code == example.finds]
    found = f"[{example.finds}](rules/{slug}.md)"
    shown = f"![The report of {name}: {example.finds}](examples/{name}.svg)"
    story = textwrap.fill(example.story, 120)
    return f"## {example.title}\n\n{story}\n\n{shown}\n\nThe fix of {found}:\n\n```diff\n{changed}\n```\n"


def main() -> None:
    """Write the pictures of the examples that are named, or of all, and the page."""
    for name in sys.argv[1:] or EXAMPLES:
        record = observe(name, BUG)
        found = {each.code for each in record.findings}
        if EXAMPLES[name].finds not in found:
            raise SystemExit(f"{name} has {', '.join(sorted(found)) or 'no finding'}, not {EXAMPLES[name].finds}")
        (DOCS / "examples" / f"{name}.svg").write_text(picture(name, record), "utf-8")
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
