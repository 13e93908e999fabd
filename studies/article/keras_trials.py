"""The experiment on Keras 3."""

from __future__ import annotations

from typing import Any

import keras

from studies.article import experiment


def run(question: dict[str, str]) -> dict[str, Any]:
    """See ``experiment.run``."""
    return experiment.run(question, keras, keras.backend.backend())
