"""For processes that train without ``torch.compile``: this folder in their path spares them the half of their start."""

from pathlib import Path

WITHOUT_COMPILER = {"PYTHONPATH": str(Path(__file__).parent)}
