"""``frostline debug``: versions, frameworks, kernels of this machine, and the reason for each fallback."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import textwrap
from pathlib import Path

import click

from frostline.cli import options
from frostline.cli.group import examples
from frostline.cli.printing import write_either
from frostline.errors import FrostlineError
from frostline.frameworks.registry import BACKENDS, FRAMEWORKS, is_installed
from frostline.settings import TABLE, Settings, found
from frostline.version import __version__

_LIBRARIES = ("click", "msgspec", "numpy", "rich", "wrapt", "xxhash")
_COLUMNS = 80


@click.command(epilog=examples("frostline debug", "frostline debug --json"))
@options.as_json
@options.output
def debug(as_json: bool, output: Path | None) -> None:
    """Print versions, frameworks found, kernels chosen, and why each fallback was taken."""
    write_either(describe, lambda: dict(_rows()), as_json, output)


def describe() -> str:
    """The text of ``frostline debug``; no framework is imported to write it."""
    rows = _rows()
    width = max(len(name) for name, _ in rows) + 2
    # What people copy, paths and versions, is not broken.
    lines = textwrap.TextWrapper(_COLUMNS - width, break_long_words=False, break_on_hyphens=False)
    below = "\n" + " " * width
    return "\n".join(f"{name:{width}}{below.join(lines.wrap(value))}" for name, value in rows)


def _rows() -> list[tuple[str, str]]:
    return [
        ("frostline", __version__),
        ("python", f"{platform.python_version()} ({sys.executable})"),
        ("system", f"{platform.platform()}, {os.cpu_count()} cores, {sys.byteorder} endian"),
        *((name, _version(name) or "not installed") for name in _LIBRARIES),
        *((f"framework {name}", _framework(name)) for name in dict.fromkeys((*FRAMEWORKS, *BACKENDS))),
        *_kernels(),
        ("settings", _settings()),
    ]


def _settings() -> str:
    try:
        settings, files = found()
    except FrostlineError as error:
        return error.message
    changed = [name for name in TABLE if getattr(settings, name) != getattr(Settings(), name)]
    return f"{', '.join(changed) or 'nothing'} from {' and '.join(map(str, files))}" if files else "no file found"


def _framework(name: str) -> str:
    if not is_installed(name):
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
    if not is_installed("triton"):
        return "none: Triton is not installed, so that bytes are read through the host"
    return (
        f"XXH3-64 by Triton {_version('triton') or ''} for torch on CUDA; jax's and TensorFlow's bytes go to the host"
    )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
