"""The package as it is published: built, and what has to be in it."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src"


def epoch() -> str:
    """The time that files of an archive bear: that of the last commit, so that everybody builds the same bytes."""
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "1577836800"  # outside a repository: 2020


def build(folder: Path, time: str, *kinds: str) -> None:
    """Build into ``folder``: the wheel out of the source archive, as indexes and distributions do, or ``kinds`` alone.

    Raises:
        subprocess.CalledProcessError: the build fails.
    """
    command = [sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, env=os.environ | {"SOURCE_DATE_EPOCH": time}, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
    done.check_returncode()


def archives(folder: Path) -> tuple[Path, Path]:
    """The wheel and the source archive of a folder."""
    [wheel], [source] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


def wanted() -> set[str]:
    """The files that the wheel holds beside its metadata: all that stands below src/."""
    paths = (path for path in SOURCES.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(SOURCES).as_posix() for path in paths if ".egg-info" not in path.as_posix()}


def held(archive: Path) -> set[str]:
    """The files of an archive, without the folder that a source archive has around all of them."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return set(wheel.namelist())
    with tarfile.open(archive) as source:
        return {name.partition("/")[2] for name in source.getnames()}
