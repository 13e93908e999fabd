"""L10: every model that is trained is in the table."""

from __future__ import annotations

from frostline.core import facts
from frostline.laws.law import Law

LAW = Law(
    "L10",
    "seeing",
    "error",
    statement="Every model that ran forward in training mode, and every tensor that a backward pass reached, is in the "
    "table.",
    matters="A model that nobody looks at can be trained, or not, without a word.",
    remedy="register the layer in its model (ModuleList, ParameterList, an attribute)",
    needs=(
        facts.TensorFound,
        facts.LayersUntracked,
        facts.VariablesUntracked,
        facts.ModulesRecreated,
    ),
    cannot_see="Models behind a global that was rebound before the first step.",
)
