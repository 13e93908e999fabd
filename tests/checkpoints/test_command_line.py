"""The commands as processes: exact output, streams and exit status."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy


def frostline(folder: Path, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "frostline", *words], cwd=folder, capture_output=True, text=True, encoding="utf-8"
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path) -> Path:
    safetensors.numpy.save_file({"w": np.array([1, 2], "f4")}, tmp_path / "one")
    safetensors.numpy.save_file({"w": np.array([1, 4], "f4")}, tmp_path / "two")
    return tmp_path


def test_diff(folder: Path) -> None:
    assert frostline(folder, "diff", "one", "one", "--quiet") == (0, "", "")
    assert frostline(folder, "diff", "one", "two", "--quiet") == (1, "", "")
    status, out, err = frostline(folder, "diff", "one", "two", "--format", "markdown")
    assert (status, err) == (1, "")
    assert "different: 1 changed, 0 the same" in out


def test_a_page_is_made_beside_what_is_printed(folder: Path) -> None:
    status, out, err = frostline(folder, "diff", "one", "two", "--html", "page.html")
    assert (status, err) == (1, "frostline: wrote page.html\n")
    assert "different: 1 changed, 0 the same" in out
    assert "different: 1 changed, 0 the same" in (folder / "page.html").read_text("utf-8")
    assert frostline(folder, "verify", "one", "--against", "two", "--quiet", "--html") == (1, "", "")
    assert "one against two" in (folder / "frostline.html").read_text("utf-8")
    status, _, err = frostline(folder, "show", "one", "--html", "one")  # a word that is no page is the next argument
    assert status == 2
    assert not (folder / "one.html").exists()
    (folder / "one").rename(folder / "one.html")
    status, _, err = frostline(folder, "show", "one.html", "--html", "one.html")
    assert (status, err.splitlines()[0]) == (2, "frostline: --html one.html would replace what is read")


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_a_result_is_written_to_a_file(form: str, folder: Path) -> None:
    for words in (("diff", "one", "two"), ("show", "one")):
        _, printed, _ = frostline(folder, *words, "--format", form)
        status, out, err = frostline(folder, *words, "--format", form, "--output", "page")
        assert (status, out, err) == (int(words[0] == "diff"), "", "")
        assert (folder / "page").read_text("utf-8").rstrip("\n") == printed.rstrip("\n")


def test_no_file_that_is_read_is_written_over(folder: Path) -> None:
    before = (folder / "one").read_bytes()
    assert frostline(folder, "lock", "two", "-o", "two.lock")[0] == 0
    for words in (
        ("diff", "one", "two"),
        ("diff", "two", "one"),
        ("show", "one"),
        ("lock", "one"),
        ("verify", "one", "two.lock"),
    ):
        status, out, err = frostline(folder, *words, "-o", "./one")
        assert (status, out, err.splitlines()[0]) == (2, "", "frostline: --output one would replace what is read")
    assert (folder / "one").read_bytes() == before
    status, _, err = frostline(folder, "diff", "one", "two", "-o", "absent/page")
    assert (status, err.splitlines()[1]) == (2, "hint: choose another place with --output FILE")


def test_a_missing_file_is_two_lines_on_stderr(folder: Path) -> None:
    said = "frostline: three: there is no such file\nhint: check the path\n"
    for words in (("diff", "one", "three"), ("show", "three"), ("lock", "three"), ("verify", "three", "one.lock")):
        status, out, err = frostline(folder, *words)
        assert (status, out) == (2, ""), words
        assert err == said.replace("three", "one.lock") if words[0] == "verify" else err == said


def test_a_lock_is_a_document_for_programs(folder: Path) -> None:
    _, lines, _ = frostline(folder, "lock", "one")
    status, out, err = frostline(folder, "lock", "one", "--json")
    entries = json.loads(out)["blake3"]
    assert (status, err) == (0, "")
    assert [f"{each['name']} {each['dtype']}" for each in entries] == [
        " ".join(line.split()[:2]) for line in lines.splitlines()[1:]
    ]
    assert all(each["digest"] in lines for each in entries)


def test_a_lock_verifies_what_it_was_made_of(folder: Path) -> None:
    assert frostline(folder, "lock", "one", "-o", "one.lock") == (0, "", "")
    assert frostline(folder, "verify", "one", "one.lock", "--quiet") == (0, "", "")
    assert frostline(folder, "verify", "two", "one.lock", "--quiet") == (1, "", "")
    status, out, _ = frostline(folder, "verify", "two", "one.lock")
    assert (status, out.splitlines()[-1]) == (1, "not verified: 0 tensors bit for bit the same, 1 differ")


def test_no_framework_and_no_reader_of_pickles_is_loaded(folder: Path) -> None:
    code = (
        "import sys\nfrom frostline import cli\n"
        "try: cli.main(['diff', 'one', 'two', '--quiet'])\nexcept SystemExit: pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded & {"numpy", "frostline"} == {"numpy", "frostline"}
    assert not loaded & {"torch", "keras", "tensorflow", "jax", "safetensors", "h5py", "rich"}


def test_a_record_beside_something_else_blames_the_right_file(tmp_path: Path, call: Any, monkeypatch: Any) -> None:
    from frostline.core.storage import store

    np.savez(tmp_path / "w.npz", w=np.ones(2))
    (tmp_path / "run.json").write_text("{}")
    monkeypatch.setattr(store, "is_record", lambda path: Path(path).name == "run.json")
    for words in (("run.json", "nosuch.json"), ("nosuch.json", "run.json")):
        found = call("diff", *(tmp_path / word for word in words))
        assert found.status == 2
        assert found.err.splitlines()[0].startswith(f"frostline: {tmp_path / 'nosuch.json'}")
    assert "is the record of a run" in call("diff", tmp_path / "run.json", tmp_path / "w.npz").err


def test_a_sound_hdf5_file_is_not_called_damaged(tmp_path: Path, call: Any) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["w"] = np.ones(2)
        file["elsewhere"] = h5py.ExternalLink("other.h5", "/w")
    found = call("show", tmp_path / "w.h5")
    assert "leads to another file" in found.err
    assert "damaged" not in found.err
    assert "h5copy" in found.err


def test_the_name_that_the_files_of_a_tensorflow_checkpoint_begin_with(folder: Path) -> None:
    for name in ("ck-1", "ck-2"):
        (folder / f"{name}.index").write_bytes(b"no index")
    status, _, err = frostline(folder, "diff", "ck-1", "ck-2")
    assert (status, err.startswith("frostline: ck-1.index: ")) == (2, True)
