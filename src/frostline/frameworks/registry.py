"""Which frameworks frostline can observe, and the package that observes each."""

from __future__ import annotations

import importlib.util
from importlib import import_module
from typing import TYPE_CHECKING, cast

from frostline.errors import UnknownName

if TYPE_CHECKING:  # the command line lists frameworks without loading what observes them
    from frostline.frameworks.protocol import FrameworkModule

FRAMEWORKS = {
    "torch": "frostline.frameworks.torch",
    "keras": "frostline.frameworks.keras",
    "tf_keras": "frostline.frameworks.tf_keras",
    "jax": "frostline.frameworks.jax",
}
BACKENDS = ("jax", "tensorflow")  # observed through Keras; a report names the versions that were there


def is_installed(name: str) -> bool:
    """Whether this python has the library ``name``, which is not imported to tell."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def load_probe(framework: str) -> FrameworkModule:
    """The package that observes ``framework``; to be called only where the script has imported that framework.

    Args:
        framework: the framework's import name.

    Raises:
        UnknownName: no framework is registered under that name.

    Example:
        >>> load_probe("torhc")
        Traceback (most recent call last):
        frostline.errors.UnknownName: there is no framework 'torhc'
        hint: did you mean torch?
    """
    if framework not in FRAMEWORKS:
        raise UnknownName.among("framework", framework, FRAMEWORKS)
    return cast("FrameworkModule", import_module(FRAMEWORKS[framework]))
