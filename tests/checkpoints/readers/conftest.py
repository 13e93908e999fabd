"""The seeds of the fuzz targets are the small sound files of these tests, too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "fuzz"))
