"""The shape of the readers: a format is one file and one line of a table, and no folder or file grows too large."""

import subprocess
import sys
from pathlib import Path

import pytest

from frostline.checkpoints.readers.table import FORMATS

SOURCE = Path(__file__).parents[2] / "src"
CHECKPOINTS = SOURCE / "frostline" / "checkpoints"
MOST_FILES, MOST_LINES = 15, 350

READER = '''"""Reads the files of a planted format: eight bytes behind a magic word."""

from __future__ import annotations

from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import Span
from frostline.checkpoints.readers.format import Format


def known(file: File) -> bool:
    return file.head[:7] == b"PLANTED"


def read(file: File) -> Checkpoint:
    checkpoint = Checkpoint(file.path, "planted", files=[file])
    checkpoint.add(Tensor("w", "float32", (2,), Span(file, 7, 8)))
    return checkpoint


FORMAT = Format("planted", file=(known, read), folder=("weights.planted",))
'''


def too_large(folder: Path) -> list[str]:
    """Folders with too many modules and modules with too many lines."""
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir() and path.name != "__pycache__")]
    crowded = [path.name for path in folders if len(list(path.glob("*.py"))) > MOST_FILES]
    return crowded + [
        path.name for path in folder.rglob("*.py") if len(path.read_text("utf-8").splitlines()) > MOST_LINES
    ]


def test_no_folder_and_no_file_is_too_large() -> None:
    assert too_large(CHECKPOINTS) == []


def test_what_is_too_large_is_found(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text("\n" * (MOST_LINES + 1))
    (tmp_path / "crowded").mkdir()
    for number in range(MOST_FILES + 1):
        (tmp_path / "crowded" / f"m{number}.py").touch()
    assert too_large(tmp_path) == ["crowded", "long.py"]


def test_every_format_says_how_it_is_known() -> None:
    for format in FORMATS:
        assert format.file or format.archive or format.container, format.name


def planted(tmp_path: Path) -> list[str]:
    """A copy of frostline with one more format: which of its files are new or changed."""
    import shutil

    shutil.copytree(SOURCE, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    readers = tmp_path / "src/frostline/checkpoints/readers"
    (readers / "planted.py").write_text(READER)
    table = (readers / "table.py").read_text()
    table = table.replace("import flax,", "import planted, flax,").replace(
        "    flax.FORMAT,", "    planted.FORMAT,\n    flax.FORMAT,"
    )
    (readers / "table.py").write_text(table)
    return sorted(
        path.name
        for path in (tmp_path / "src").rglob("*.py")
        if not (SOURCE / path.relative_to(tmp_path / "src")).is_file()
        or path.read_bytes() != (SOURCE / path.relative_to(tmp_path / "src")).read_bytes()
    )


@pytest.mark.parametrize("place", ["w", "folder", "w.gz", "w.zip"])
def test_a_new_format_is_two_files(place: str, tmp_path: Path) -> None:
    """It is read alone, in a folder, compressed and in an archive, and no file but these two knows of it."""
    import gzip
    import zipfile

    assert planted(tmp_path) == ["planted.py", "table.py"]
    content = b"PLANTED" + bytes(8)
    (tmp_path / "w").write_bytes(content)
    (tmp_path / "w.gz").write_bytes(gzip.compress(content))
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as archive:
        archive.writestr("w", content)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/weights.planted").write_bytes(content)
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'src')!r}); from frostline import checkpoints\n"
    code += f"print(list(checkpoints.open({str(tmp_path / place)!r}).tensors))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "['w']\n", done.stderr
