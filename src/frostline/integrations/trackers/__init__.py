"""Where scalars of a run go beside its record: TensorBoard, Weights & Biases, MLflow; each only if it is asked for."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING

from frostline.errors import FrostlineError

if TYPE_CHECKING:
    from frostline.run.session import CheckListener
    from frostline.settings import Settings

_PACKAGES = {"tensorboard": "scalars for TensorBoard", "wandb": "the tracker wandb", "mlflow": "the tracker mlflow"}


def require(settings: Settings) -> None:
    """Make sure that what the settings ask for is installed, without importing it.

    Raises:
        FrostlineError: it is not.
    """
    for package in _wanted(settings):
        if importlib.util.find_spec(package) is None:
            raise FrostlineError(
                f"{_PACKAGES[package]}: {package} is not installed", f"pip install 'frostline[{package}]'"
            )


def listeners(settings: Settings) -> tuple[CheckListener, ...]:
    """What is shown the record at each check of a run with these settings."""
    return tuple(_made(package, settings) for package in _wanted(settings))


def _wanted(settings: Settings) -> Iterator[str]:
    if settings.tensorboard is not None:
        yield "tensorboard"
    yield from settings.track


def _made(package: str, settings: Settings) -> CheckListener:
    if package == "wandb":
        from frostline.integrations.trackers.wandb import WandbRun

        return WandbRun()
    if package == "mlflow":
        from frostline.integrations.trackers.mlflow import MlflowRun

        return MlflowRun()
    from frostline.integrations.trackers.tensorboard import Scalars

    assert settings.tensorboard is not None
    return Scalars(settings.tensorboard)
