"""The programs whose ledgers are stored: the corpus, the contradictions of Keras, and the rules' own examples."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

from corpus.cases import Case, Trial

from corpus import cases
from frostline.laws.causes.cause import EXAMPLES

CONTRADICTIONS = Path(__file__).parents[1] / "contradictions"


def programs() -> list[Trial]:
    """Every program, once for each backend of Keras that it runs on."""
    return [*cases.trials(cases.load()), *_contradictions(), *_examples()]


def shelf(trial: Trial) -> str:
    """The name of the files that hold what was seen of a program."""
    return f"keras-{trial.backend}" if trial.case.framework == "keras" else trial.case.framework


def _contradictions() -> list[Trial]:
    found = []
    for said in tomllib.loads((CONTRADICTIONS / "expected.toml").read_text("utf-8"))["case"]:
        options = tuple(said.get("options", ()))
        name = f"contradictions/{said['script']}{'.options' if options else ''}"
        path = CONTRADICTIONS / "scripts" / f"{said['script']}.py"
        case = Case(name, "bug", path, framework="keras", options=options, exit=said.get("exit", 0))
        found += [Trial(case, "bug", path, backend) for backend in said["backends"]]
    return found


def _examples() -> list[Trial]:
    found = []
    for path in sorted(EXAMPLES.glob("*.py")):
        words = shlex.split(path.read_text("utf-8").splitlines()[0].removeprefix("# "))
        options = tuple(words[words.index("run") + 1 : -1])
        processes = int(words[words.index("--nproc-per-node") + 1]) if "torchrun" in words else 1
        framework = next((name for name in ("keras", "jax") if name in cases.imported(path)), "torch")
        backend = "jax" if framework == "keras" else ""
        if words[0].startswith("KERAS_BACKEND="):
            backend = words[0].partition("=")[2]
        case = Case(f"examples/{path.stem}", "bug", path, framework=framework, options=options, processes=processes)
        found.append(Trial(case, "bug", path, backend))
    return found
