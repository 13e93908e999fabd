"""Keras's own summary: a table of layers with their counts and flags.

Run as ``python -m bench.rivals.with_keras_summary SCRIPT OUT`` it is the process that a Keras program is played in.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from typing import Any, ClassVar

from bench.rivals.complaint import Complaint
from bench.rivals.rival import Rival
from corpus.cases import HERE, Trial


class KerasSummary(Rival):
    """It judges nothing: a reader who knows what was meant compares the column with it."""

    name = "Keras summary()"
    distribution = "keras"
    looks_at = "flags of the layers of one model"
    used = "model.summary(expand_nested=True, show_trainable=True)"
    framework: ClassVar[str] = "keras"


def play_keras(trial: Trial, out: str) -> None:
    """Run a Keras program in an interpreter of its own, on the first of its backends."""
    command = [sys.executable, "-m", "bench.rivals.with_keras_summary", str(trial.script), out]
    environment = {**os.environ, "COLUMNS": "240", **({"KERAS_BACKEND": trial.backend} if trial.backend else {})}
    subprocess.run(command, env=environment, cwd=HERE.parent, capture_output=True, timeout=300, check=False)


def shown(model: Any) -> list[Complaint]:
    """The rows of a model's table that say Y or N, as flags of the layer's weights."""
    lines: list[str] = []
    model.summary(expand_nested=True, show_trainable=True, line_length=220, print_fn=lines.append)
    flags = {}
    for line in "\n".join(map(str, lines)).splitlines():
        cells = [cell.strip() for cell in re.split(r"[│┃]| {2,}", line) if cell.strip()]
        if len(cells) > 2 and cells[-1] in ("Y", "N") and (name := re.search(r"([\w.-]+) \(\w", line)):
            flags[name.group(1)] = cells[-1]
    found = []
    for layer in layers_of(model):
        flag = flags.get(layer.name)
        for weight in layer.weights if flag else ():
            row = f"{model.name}.{layer.name}.{weight.name.partition(':')[0].rpartition('/')[2]}"
            found.append(Complaint("", (row,), shown="trainable" if flag == "Y" else "frozen"))
    return found


def layers_of(model: Any) -> list[Any]:
    """All layers, those of models inside it too."""
    found = []
    for layer in getattr(model, "layers", ()):
        found += [layer, *layers_of(layer)]
    return found


def _main(script: str, out: str) -> None:
    said: list[Complaint] = []
    problem = ""
    try:
        namespace = runpy.run_path(script, run_name="__main__")
        kinds = tuple(sys.modules[name].Model for name in ("keras", "tf_keras") if name in sys.modules)
        for value in namespace.values():
            if isinstance(value, kinds) and value.built:
                said += shown(value)
        problem = "" if said else "no built model at the end"
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"[:160]
    look = {"rival": KerasSummary.name, "said": [one.as_data() for one in said], "problem": problem}
    with open(out, "w") as file:
        json.dump({"looks": [look], "problem": problem}, file)


if __name__ == "__main__":
    _main(*sys.argv[1:])
