"""Planted examples of what is added to the inside, in a copy of the source: which files each of them touches."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"

FACT = '''
class OptimizerCounted(Fact, frozen=True):
    """So many optimizers of this run were asked to step."""

    step: int
    count: int


Event: TypeAlias = (
    OptimizerCounted
    | '''

TOLD = """        recorder = self._context.recorder
        self._context.tell(OptimizerCounted(step=recorder.steps, count=len(recorder.optimizers)))
"""

LAW = '''"""L13: a planted law."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core import facts
from frostline.laws.law import Law, Violation
from frostline.laws.observed_run import ObservedRun


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Tensors of one element."""
    for row in run.tensors:
        if row.size == 1:
            yield Violation((row,), f"{row.name} has one element", {"tensor": row.name})


LAW = Law(
    "L13",
    "planted",
    "error",
    statement="A tensor has two elements.",
    matters="It is planted.",
    remedy="take it out",
    needs=(facts.TensorFound,),
    cannot_see="Anything else.",
    violations=violations,
)
'''

CAUSE = """
PLANTED = Cause(
    code="P802",
    slug="planted-cause",
    severity="warning",
    law="L11",
    means="A run has an optimizer.",
    matters="It is planted.",
    remedy="take it out",
    cases=lambda run: [Case(run.tensors, f"{each.id} is there") for each in run.optimizers],
)

CAUSES = (SUMMARY, PLANTED)
"""

FORMAT = '''"""A planted report: how many tensors there are."""

from __future__ import annotations

from frostline.core.record import Record


def render(record: Record) -> str:
    return f"{len(record.tensors)} tensors"
'''

READER = '''"""A planted checkpoint format: eight letters, and numbers to the end of the file."""

from __future__ import annotations

from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import Span
from frostline.checkpoints.readers.format import Format

MAGIC = b"PLANTED!"


def known(file: File) -> bool:
    return file.head.startswith(MAGIC)


def read(file: File) -> Checkpoint:
    checkpoint = Checkpoint(file.path, "planted", files=[file])
    size = file.size - len(MAGIC)
    checkpoint.add(Tensor("w", "float32", (size // 4,), Span(file, len(MAGIC), size)))
    return checkpoint


FORMAT = Format("planted", file=(known, read))
'''

RUN = "import torch, frostline\nmodel = torch.nn.Linear(2, 1)\noptimizer = torch.optim.SGD(model.parameters(), 0.1)\n"
TRAIN = """with frostline.watch(model, optimizer) as seen:
    for _ in range(4):
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()
record = seen.report.record
"""
READ = """import os, struct, tempfile
from frostline.checkpoints.opening import open_checkpoint
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "model.bin")
    with open(path, "wb") as file:
        file.write(b"PLANTED!" + struct.pack("<3f", 1, 2, 3))
    print(open_checkpoint(path).tensors["w"].shape)
"""


@dataclass(frozen=True)
class Change:
    """What is planted, the script that shows that it works, and what that prints."""

    what: str
    most: int
    plant: Callable[[Path], None]
    script: str
    prints: str


def _plant_fact(package: Path) -> None:
    _replace(package / "core/events/__init__.py", "\nEvent: TypeAlias = (\n    ", FACT)
    instrument = package / "frameworks/torch/instruments/optimizers/starved_optimizers.py"
    _replace(
        instrument,
        "import Fact, OptimizerSeen\n",
        "import Fact, OptimizerSeen\nfrom frostline.core.events import OptimizerCounted\n",
    )
    _replace(instrument, "] = (OptimizerSeen,)", "] = (OptimizerSeen, OptimizerCounted)")
    _replace(instrument, "        if starved !=", f"{TOLD}        if starved !=")


def _plant_law(package: Path) -> None:
    (package / "laws/planted.py").write_text(LAW, "utf-8")


def _plant_cause(package: Path) -> None:
    _replace(package / "laws/causes/summaries.py", "\nCAUSES = (SUMMARY,)\n", CAUSE)
    (package / "laws/causes/examples/planted-cause.py").write_text("# frostline run planted-cause.py\n", "utf-8")


def _plant_format(package: Path) -> None:
    (package / "report/planted.py").write_text(FORMAT, "utf-8")
    formats = package / "report/__init__.py"
    _replace(
        formats,
        "\n\nFORMATS:",
        "\n\ndef _planted(record: Record, stream: Stream) -> str:\n    from frostline.report import planted\n\n"
        "    return planted.render(record)\n\n\nFORMATS:",
    )
    _replace(formats, '    "junit": _junit,\n', '    "junit": _junit,\n    "planted": _planted,\n')


def _plant_reader(package: Path) -> None:
    readers = package / "checkpoints/readers"
    (readers / "planted.py").write_text(READER, "utf-8")
    _replace(readers / "table.py", "gguf, numpy, safetensors,", "gguf, numpy, planted, safetensors,")
    _replace(readers / "table.py", "    gguf.FORMAT,\n", "    planted.FORMAT,\n    gguf.FORMAT,\n")


CHANGES = (
    Change("fact", 2, _plant_fact, f"{RUN}{TRAIN}print(record.events[0].count, record.events[-1].step)", "1 3\n"),
    Change("law", 1, _plant_law, f"{RUN}{TRAIN}print([each.code for each in record.findings])", "['L13']\n"),
    Change("cause", 2, _plant_cause, f"{RUN}{TRAIN}print([each.code for each in record.findings])", "['P802']\n"),
    Change(
        "report format",
        2,
        _plant_format,
        f"{RUN}{TRAIN}from frostline.report import render\nprint(render(record, 'planted'))",
        "2 tensors\n",
    ),
    Change("checkpoint format", 2, _plant_reader, READ, "(3,)\n"),
)


def plant(change: Change, root: Path) -> list[str]:
    """Plant one change in a copy of the source below ``root``; the files that are new or other than before."""
    source = root / "src"
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))
    change.plant(source / "frostline")
    files = (path.relative_to(source) for path in source.rglob("*.py"))
    return sorted(path.as_posix() for path in files if _differs(SOURCE / path, source / path))


def shown(change: Change, root: Path) -> str:
    """What the script of a planted change prints."""
    code = f"import sys; sys.path.insert(0, {str(root / 'src')!r})\n{change.script}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return done.stdout + done.stderr


def _differs(one: Path, other: Path) -> bool:
    return not one.is_file() or one.read_bytes() != other.read_bytes()


def _replace(file: Path, former: str, latter: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(former) == 1, (file, former)
    file.write_text(text.replace(former, latter), "utf-8")
