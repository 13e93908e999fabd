"""L9: a file that the run wrote holds the bits of memory at that moment."""

from __future__ import annotations

from frostline.core import facts
from frostline.laws.law import Law

LAW = Law(
    "L9",
    "saving",
    "error",
    statement="A file that the run wrote holds, for each of its tensors, the bits of memory at that moment, "
    "and what was trained is in one of the files.",
    matters="What is shipped is the file, not the memory.",
    remedy="save the whole state of the model that was trained, after the last step",
    needs=(
        facts.FileWritten,
        facts.SavedSettled,
    ),
    cannot_see="Files that are compared with each other; formats that the script writes by code of its own.",
)
