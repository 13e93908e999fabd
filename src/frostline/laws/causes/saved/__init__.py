"""S: the files that the run wrote, against what it trained."""

from __future__ import annotations

from frostline.laws.causes.saved.left_out import MISSING
from frostline.laws.causes.saved.older import OLDER, OTHERS
from frostline.laws.causes.saved.values import DIFFER

__all__ = ["CAUSES"]

CAUSES = (MISSING, OLDER, OTHERS, DIFFER)
