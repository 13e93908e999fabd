"""The commit that a folder is at, read from git's own files: no program is started."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path


def commit_of(folder: Path) -> str:
    """The commit that is checked out where ``folder`` lies; empty where no git knows it.

    >>> from tempfile import mkdtemp
    >>> commit_of(Path(mkdtemp()))
    ''
    """
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for place in (folder, *folder.parents):
            if (place / ".git").exists():
                return _head(_git_folder(place / ".git"))
    return ""


def _git_folder(path: Path) -> Path:
    """Where HEAD is: a second work tree has a file that says so."""
    if path.is_dir():
        return path
    return path.parent / path.read_text("utf-8").removeprefix("gitdir:").strip()


def _head(git: Path) -> str:
    head = (git / "HEAD").read_text("utf-8").strip()
    if not head.startswith("ref:"):
        return head
    name = head.removeprefix("ref:").strip()
    shared = git / (git / "commondir").read_text("utf-8").strip() if (git / "commondir").is_file() else git
    for place in (git, shared):
        if (place / name).is_file():
            return (place / name).read_text("utf-8").strip()
    packed = (shared / "packed-refs").read_text("utf-8")
    found = re.search(rf"(?m)^([0-9a-f]{{40,64}}) {re.escape(name)}$", packed)
    return found[1] if found else ""
