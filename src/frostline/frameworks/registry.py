"""Which frameworks frostline can observe, and the module that holds the probe of each."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from frostline.errors import UnknownName

FRAMEWORKS = {
    "torch": "frostline.frameworks.torch_probe",
    "keras": "frostline.frameworks.keras_probe",
    "tf_keras": "frostline.frameworks.tf_keras_probe",
}
BACKENDS = ("jax", "tensorflow")  # observed through Keras; a report names the versions that were there


def load_probe(framework: str) -> ModuleType:
    """The probe module of ``framework``; to be called only where the script has imported that framework.

    Args:
        framework: the framework's import name.

    Raises:
        UnknownName: no probe is registered under that name.

    Example:
        >>> load_probe("torhc")
        Traceback (most recent call last):
        frostline.errors.UnknownName: there is no framework 'torhc'
        hint: did you mean torch?
    """
    if framework not in FRAMEWORKS:
        raise UnknownName.among("framework", framework, FRAMEWORKS)
    return import_module(FRAMEWORKS[framework])
