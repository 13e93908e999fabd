"""What frostline found on this machine: versions, frameworks, kernels, and the reason for each fallback."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
import textwrap

from frostline.errors import FrostlineError
from frostline.frameworks.registry import FRAMEWORKS
from frostline.settings import TABLE, Settings, found
from frostline.version import __version__

_LIBRARIES = ("click", "msgspec", "numpy", "rich", "wrapt", "xxhash")
_COLUMNS = 80
_BACKENDS = ("jax", "torch", "tensorflow")


def describe() -> str:
    """The text of ``frostline debug``; no framework is imported to write it."""
    rows = [
        ("frostline", __version__),
        ("python", f"{platform.python_version()} ({sys.executable})"),
        ("system", f"{platform.platform()}, {os.cpu_count()} cores, {sys.byteorder} endian"),
        *((name, _version(name) or "not installed") for name in _LIBRARIES),
        *((f"framework {name}", _framework(name)) for name in dict.fromkeys((*FRAMEWORKS, *_BACKENDS))),
        *_kernels(),
        ("settings", _settings()),
    ]
    width = max(len(name) for name, _ in rows) + 2
    # What people copy, paths and versions, is not broken.
    lines = textwrap.TextWrapper(_COLUMNS - width, break_long_words=False, break_on_hyphens=False)
    below = "\n" + " " * width
    return "\n".join(f"{name:{width}}{below.join(lines.wrap(value))}" for name, value in rows)


def _settings() -> str:
    try:
        settings, files = found()
    except FrostlineError as error:
        return error.message
    changed = [name for name in TABLE if getattr(settings, name) != getattr(Settings(), name)]
    return f"{', '.join(changed) or 'nothing'} from {' and '.join(map(str, files))}" if files else "no file found"


def demo_backend(wanted: str | None) -> str:
    """The Keras backend for the demo: the one wanted, else the first that is installed.

    Raises:
        FrostlineError: Keras or the backend is not installed.
    """
    present = [name for name in _BACKENDS if _is_installed(name)]
    missing = [name for name in ("keras", wanted) if name is not None and not _is_installed(name)]
    if missing or not present:
        raise FrostlineError(
            f"the demo needs {' and '.join(missing or ['jax'])}, which this python does not have",
            "pip install 'frostline[demo]'",
        )
    return wanted or present[0]


def _framework(name: str) -> str:
    if not _is_installed(name):
        return "not installed"
    probe = "observed" if name in FRAMEWORKS else "as a backend of keras"
    return f"{_version(name) or 'version not known'} ({probe})"


def _kernels() -> list[tuple[str, str]]:
    import xxhash

    return [
        ("kernel cpu", f"XXH3-64 of xxhash {xxhash.VERSION} (libxxhash {xxhash.XXHASH_VERSION}), one thread"),
        ("kernel gpu", _gpu_kernel()),
    ]


def _gpu_kernel() -> str:
    if not _is_installed("triton"):
        return "none: Triton is not installed, so that bytes are read through the host"
    return (
        f"XXH3-64 by Triton {_version('triton') or ''} for torch on CUDA; jax's and TensorFlow's bytes go to the host"
    )


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
