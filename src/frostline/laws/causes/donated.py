"""W: values that the script keeps, and that are gone because their memory was given away."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core.amounts import several
from frostline.core.events import DonatedUsed
from frostline.laws.causes.cause import Case, Cause
from frostline.laws.observed_run import ObservedRun

__all__ = ["CAUSES"]


def _uses(run: ObservedRun) -> Iterator[Case]:
    for event in run.events_of(DonatedUsed):
        lost = several(len(event.arrays), "array")
        yield Case(
            [row for row in run.tensors if row.name in event.tensors],
            f"{event.name} was used after its memory was donated to {event.optimizer}: nothing is left of {lost} in it",
            {"optimizer": event.optimizer, "arrays": list(event.arrays[:3])},
        )


DONATED = Cause(
    code="W412",
    slug="donated-weights-used",
    severity="error",
    law="L7",
    means="The script uses weights again whose memory it donated to a step.",
    matters="The best weights, or those that an average is made of, are gone, and jax raises an error at their use.",
    remedy="keep a copy: best = jax.tree.map(jnp.copy, params); a second name for the weights is none",
    tells_apart="The script asked for the values of an array that a step had been given. Names that are left over and "
    "not used are not told; nor is an error that a function of jax raises by itself and the script catches.",
    cases=_uses,
)

CAUSES = (DONATED,)
