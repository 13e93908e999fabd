"""The commit of a run is what git itself says, however it keeps it, and nothing where there is no git."""

import subprocess
from pathlib import Path

from frostline.run.files.commit import commit_of


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")
    done = subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_commit_is_that_of_git(tmp_path: Path) -> None:
    main, other = tmp_path / "main", tmp_path / "other"
    (main / "inside").mkdir(parents=True)
    assert commit_of(main) == ""
    git(main, "init", "-q")
    assert commit_of(main) == ""
    git(main, "commit", "-q", "--allow-empty", "-m", "one")
    git(main, "worktree", "add", "-q", str(other))
    git(main, "commit", "-q", "--allow-empty", "-m", "two")
    assert commit_of(main / "inside") == git(main, "rev-parse", "HEAD")
    assert commit_of(other) == git(other, "rev-parse", "HEAD") != commit_of(main)
    git(main, "pack-refs", "--all")
    assert commit_of(main) == git(main, "rev-parse", "HEAD")
    assert commit_of(other) == git(other, "rev-parse", "HEAD")
    git(main, "checkout", "-q", "--detach")
    assert commit_of(main) == git(main, "rev-parse", "HEAD")
