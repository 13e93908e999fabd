"""What backward passes show: which gradients they make, what becomes of these, and whom they reach."""

from __future__ import annotations

from frostline.frameworks.torch.instruments.backwards.gradient_digests import GradientDigests
from frostline.frameworks.torch.instruments.backwards.gradient_leaks import GradientLeaks
from frostline.frameworks.torch.instruments.backwards.gradient_masks import GradientMasks
from frostline.frameworks.torch.instruments.backwards.unowned_parameters import UnownedParameters

INSTRUMENTS = (GradientMasks, UnownedParameters, GradientLeaks, GradientDigests)
