"""Runs every class in every situation, and writes what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studies.asking import Ask
from studies.cells import Cell
from studies.layers import page
from studies.progress import Follow

KERAS, TORCH = "studies.layers.keras_trials", "studies.layers.torch_trials"
BACKENDS = ("torch", "jax", "tensorflow")
CENSUS = "census"
MODULE = "torch.nn"
GENERATOR_ONLY = ("own flag",)
EVERYWHERE = (
    "nothing frozen",
    "own flag",
    "container",
    "constructor",
    "container's constructor",
    "after a fit",
    "frozen, in TimeDistributed",
    "TimeDistributed frozen",
    "frozen, in SpectralNormalization",
    "SpectralNormalization frozen",
)
RECURRENT = ("frozen, in Bidirectional", "Bidirectional frozen", "layer given to Bidirectional frozen")
LORA = ("LoRA", "LoRA, then frozen", "LoRA, off and on")
QUANTISED = ("int8", "int4", "float8")
ORDER = (
    "own flag",
    "after a fit",
    "container's constructor",
    "SpectralNormalization frozen",
    "LoRA, off and on",
    "layer given to Bidirectional frozen",
    "float8",
    "int8",
    "nothing frozen",
    "container",
    "constructor",
    "frozen, in TimeDistributed",
    "LoRA, then frozen",
    "LoRA",
    "int4",
    "frozen, in SpectralNormalization",
    "frozen, in Bidirectional",
    "Bidirectional frozen",
    "TimeDistributed frozen",
)
MODULES = (
    "nothing frozen",
    "train mode",
    "eval mode",
    "in a container",
    "after steps",
    "spectral_norm",
    "spectral_norm, eval",
    "weight_norm",
)


def run(ask: Ask, follow: Follow) -> Iterator[Cell]:
    """All cells: the census of every class, then those that own something, in one situation after the other.

    The situations come first that tell most, since a run may be cut short and taken up again.
    """
    yield from of_torch(ask, follow)
    owners: list[Cell] = []
    for backend in BACKENDS:
        for name in follow(ask.names(KERAS, backend), f"layers: what each owns, {backend}"):
            cell = ask.cell(KERAS, backend, name, CENSUS)
            owners += [cell] if cell.size or cell.state else []
            yield cell
    for situation in ORDER:
        taking_part = [cell for cell in owners if situation in situations(cell)]
        for cell in follow(taking_part, f"layers: {situation}"):
            yield ask.cell(KERAS, cell.backend, cell.subject, situation)


def of_torch(ask: Ask, follow: Follow) -> Iterator[Cell]:
    """The same for torch.nn."""
    owners = []
    for name in follow(ask.names(TORCH, MODULE), "modules: what each owns"):
        cell = ask.cell(TORCH, MODULE, name, CENSUS)
        owners += [name] if cell.size else []
        yield cell
    questions = [(name, situation) for name in owners for situation in MODULES]
    for name, situation in follow(questions, "modules: frozen"):
        yield ask.cell(TORCH, MODULE, name, situation)


def situations(census: Cell) -> list[str]:
    """Which situations a class of keras.layers is tried in, by what it owns and offers."""
    if not census.size:
        return list(GENERATOR_ONLY)
    wanted = [*EVERYWHERE]
    wanted += RECURRENT if census.facts.get("recurrent") else ()
    wanted += LORA if census.facts.get("lora") else ()
    wanted += QUANTISED if census.facts.get("quantises") else ()
    return wanted


def write(cells: Sequence[Cell], opening: str) -> dict[str, str]:
    """The pages of the study, by file name."""
    return {"layers.md": page.text(cells, opening)}
