"""The experiment on tf_keras, the Keras of TensorFlow 2."""

from __future__ import annotations

from typing import Any

import tf_keras

from studies.article import experiment


def run(question: dict[str, str]) -> dict[str, Any]:
    """See ``experiment.run``."""
    return experiment.run(question, tf_keras, "tf_keras")
