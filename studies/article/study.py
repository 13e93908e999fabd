"""Runs the article's experiment and its variants, and writes who was right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studies.asking import Ask
from studies.cells import Cell
from studies.progress import Follow
from studies.tables import contradictions, losses, table

KERAS, TF_KERAS = "studies.article.keras_trials", "studies.article.tf_keras_trials"
BACKENDS = ("torch", "jax", "tensorflow", "tf_keras")
ARTICLE = "the article: B frozen"
INTRODUCTION = """
A blog post of early 2017 froze model B (2,110 numbers) inside model C (27,560, with A of 25,450), saw `Non-trainable
params: 0`, and asked which one lies, the flag or the summary. Its answer then: B kept its weights, the summary was
wrong. Here it is asked again, with variants that the author did not try. *Said* is what C's summary prints as trainable
and as not trainable before the fit that counts; *moved* are numbers with other bits after it (single numbers in frozen
tensors, whole tensors otherwise), seen by frostline and compared with the bytes.
"""


def run(ask: Ask, follow: Follow) -> Iterator[Cell]:
    """All variants on all backends."""
    for backend in BACKENDS:
        module = TF_KERAS if backend == "tf_keras" else KERAS
        for variant in follow(ask.names(module, backend), f"the article, {backend}"):
            yield ask.cell(module, backend, "article", variant)


def write(cells: Sequence[Cell], opening: str) -> dict[str, str]:
    """The pages of the study, by file name."""
    lines = ["# The article's experiment, and what it did not try", "", opening, INTRODUCTION]
    lines += ["## Contradictions", "", *contradictions(cells), "", *losses(cells)]
    lines += ["", "## Every variant", "", *_variants(cells), "", "## The author's own check", "", *_own_check(cells)]
    return {"article.md": "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"}


def _variants(cells: Sequence[Cell]) -> list[str]:
    rows = []
    for variant in dict.fromkeys(cell.situation for cell in cells):
        for cell in cells:
            if cell.situation == variant:
                rows.append([variant, cell.backend, _said(cell), f"{cell.moved:,}", f"{cell.broken:,}", _verdict(cell)])
    return table(["variant", "backend", "said", "moved", "moved though frozen", "who was right"], rows)


def _said(cell: Cell) -> str:
    trainable, rest = cell.facts.get("Trainable"), cell.facts.get("Non-trainable")
    return "" if trainable is None or rest is None else f"{trainable:,} / {rest:,}"


def _verdict(cell: Cell) -> str:
    if cell.refused:
        return f"no result: {cell.refused}"
    if cell.doubts:
        return "**unexplained**"
    if not cell.contradicts:
        return "flag and summary"
    return f"the bits: {cell.word}"


def _own_check(cells: Sequence[Cell]) -> list[str]:
    """Are all elements of the first kernel the same as before? As the author asked, with and without a copy."""
    asked = [(part, way) for part in "AB" for way in ("kept", "a view", "copied")]
    rows = []
    for cell in cells:
        if cell.situation == ARTICLE and not cell.refused:
            rows.append([cell.backend, *(str(cell.facts.get(f"{part} as {way}")) for part, way in asked)])
    return [
        "`numpy.all(before == after)` on the first kernels. *Kept* is what `get_weights()` returned before the fit, *a",
        "view* the array that the framework hands out without being asked for a copy (a tensor's `.numpy()`), *copied*",
        "a deep copy. Where A is the same as a view of it, the view is live: what was compared is the weight with",
        "itself, and every weight looks frozen. That is what the author's copy, taken just in case, guards against. In",
        "the post both copies were taken from B; so the copy of A was never A's, and the answer for A rests on what",
        "`get_weights()` had returned, which is a copy, then and now.",
        "",
        *table(["backend", *(f"{part}, {way}" for part, way in asked)], rows),
    ]
