"""Runs every class in every situation, and writes what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from studies.cells import Cell
from studies.layers import page
from studies.progress import Follow
from studies.serving import Server

KERAS, TORCH = "studies.layers.keras_trials", "studies.layers.torch_trials"
BACKENDS = ("torch", "jax", "tensorflow")
CENSUS = "census"
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


def run(follow: Follow) -> Iterator[dict[str, Any]]:
    """All cells of the study, the census of every class among them."""
    for cell in of_torch(follow):
        yield cell.as_data()
    for backend in BACKENDS:
        for cell in of_keras(backend, follow):
            yield cell.as_data()


def write(data: Sequence[dict[str, Any]], opening: str) -> dict[str, str]:
    """The pages of the study, by file name."""
    return {"layers.md": page.text([Cell(**each) for each in data], opening)}


def of_keras(backend: str, follow: Follow, only: Sequence[str] = ()) -> Iterator[Cell]:
    """The census of every class of keras.layers, then all situations of those that own something."""
    server = Server(KERAS, backend)
    names = list(only) or server.ask({"names": True})["names"]
    owners = []
    for name in follow(names, f"layers: what each owns, {backend}"):
        cell = asked(server, name, CENSUS, backend)
        yield cell
        if cell.numbers or cell.state:
            owners.append(cell)
    questions = [(cell.subject, situation) for cell in owners for situation in situations(cell)]
    for subject, situation in follow(questions, f"layers: frozen, {backend}"):
        yield asked(server, subject, situation, backend)
    server.close()


def situations(census: Cell) -> list[str]:
    """Which situations a class of keras.layers is tried in, by what it owns and offers."""
    if not census.numbers:
        return list(GENERATOR_ONLY)
    wanted = [*EVERYWHERE]
    wanted += RECURRENT if census.facts.get("recurrent") else ()
    wanted += LORA if census.facts.get("lora") else ()
    wanted += QUANTISED if census.facts.get("quantises") else ()
    return wanted


def of_torch(follow: Follow, only: Sequence[str] = ()) -> Iterator[Cell]:
    """The same for torch.nn."""
    server = Server(TORCH)
    names = list(only) or server.ask({"names": True})["names"]
    owners = []
    for name in follow(names, "modules: what each owns"):
        cell = asked(server, name, CENSUS, "torch.nn")
        yield cell
        if cell.numbers:
            owners.append(name)
    questions = [(name, situation) for name in owners for situation in MODULES]
    for subject, situation in follow(questions, "modules: frozen"):
        yield asked(server, subject, situation, "torch.nn")
    server.close()


def asked(server: Server, subject: str, situation: str, backend: str) -> Cell:
    """One cell; where the process died over it, that is its reason."""
    answer = server.ask({"subject": subject, "situation": situation})
    if "ended" in answer:
        return Cell(subject, situation, backend, refused=answer["ended"])
    return Cell(**answer)
