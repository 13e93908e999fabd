"""Every example in the README and in the pages of docs/ runs, and prints what its page shows."""

from pathlib import Path

import checkpoint_files
import pytest
from page_examples import ROOT, Wrong, run_page

# Written by a script from the rules, whose examples are run by tests/rules, or by the corpus.
GENERATED = {"rules", "studies", "findings.md", "benchmarks.md", "corpus.md", "examples.md"}
PAGES = [ROOT / "README.md"] + [
    page for page in sorted((ROOT / "docs").rglob("*.md")) if page.relative_to(ROOT / "docs").parts[0] not in GENERATED
]


@pytest.mark.needs("torch", "keras", "jax", "transformers", "peft", "lightning")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path) -> None:
    if page.name == "checkpoints.md":
        checkpoint_files.write(tmp_path)
    run_page(page.read_text("utf-8"), tmp_path)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("```console\n$ frostline rulse\n```\n", "left with 2, not 0"),
        ("```console\n$ echo one\ntwo\n```\n", "and the page shows"),
        ("```console\n$ echo one; echo two\none\n```\n", "and the page shows"),
        ("<!-- exit: 1 -->\n```console\n$ true\n```\n", "left with 0, not 1"),
        ("```console\nfrostline rules\n```\n", "without a command"),
        ("```console\n$ pip install 'frostline[htlm]'\n```\n", "left with 1"),
        ("```python\nx = 1\n```\nand\n```python\nassert x == 2\n```\n", "AssertionError"),
        ("<!-- file: train.py -->\n```python\n1 / 0\n```\n```console\n$ python train.py\n```\n", "ZeroDivisionError"),
        ("<!-- needs: bash -->\n```console\n$ false\n```\n", "left with 1"),
        ("```text\n$ frostline run train.py\n```\n", "is not run"),
        ("```text\nfrostline run train.py\n```\n", "is not run"),
        ("```bash\nfrostline run train.py\n```\n", "nothing runs a block of bash"),
        ("1. so:\n\n    ```console\n    $ false\n    ```\n", "left with 1"),
    ],
)
def test_a_planted_failure_is_found(page: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(Wrong, match=said):
        run_page(page, tmp_path)


def test_what_is_left_out_and_versions_may_differ(tmp_path: Path) -> None:
    page = "```console\n$ seq 9; echo tool 1.2.3\n1\n…\n8\n9\ntool 0.9.1\n$ echo '$'\n$\n```\n"
    assert run_page(page, tmp_path) == 2


def test_what_needs_a_missing_program_is_left_out_but_where_it_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = "<!-- needs: no-such-signer -->\n```console\n$ no-such-signer\n```\n"
    assert run_page(page, tmp_path) == 0
    monkeypatch.setenv("FROSTLINE_MUST_HAVE", "no-such-signer")
    with pytest.raises(Wrong, match="left with 127"):
        run_page(page, tmp_path)
