"""The examples of a page, and what runs them.

A block of a page is run by its language, in the order of the page and in one folder:

- ``console``: lines that begin with ``$ `` are commands for bash, what follows is what they print, ``…`` stands for any
  lines left out. Where none is shown, none is compared. The exit status is 0, or that of ``<!-- exit: 1 -->`` above it.
- ``python``: the blocks of a page are one program, run at its end.
- ``console`` under ``<!-- needs: PROGRAM -->``: run where that program is found, or must be.
- any language under ``<!-- file: NAME -->``: it is written to that file, for the commands to use.
- ``text``: shown and not run; it may hold no command.

What stands between ``<!-- NAME -->`` and ``<!-- end -->`` is written by a script of docs/, whose test compares it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from corpus.running import in_framework

ROOT = Path(__file__).parents[2]
LANGUAGES = {"console", "json", "python", "text", "toml", "yaml"}
_GENERATED = re.compile(r"<!-- \w+ -->\n.*?<!-- end -->", re.DOTALL)
_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>file|exit|needs): (?P<value>\S+) -->\n\s*)?"
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^ *```$",
    re.DOTALL | re.MULTILINE,
)
_COMMAND = re.compile(r"(?m)^(\$ |frostline |pip install |python -m |make \w)")
_VERSION = re.compile(r"\b\d+\.\d+\.\d+(\+cpu)?")


class Wrong(AssertionError):
    """An example that does not do what its page says."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    language: str
    body: str
    file: str | None = None
    status: int = 0
    needs: str | None = None

    def can_run(self) -> bool:
        """Whether what it needs is here, or must be."""
        must_have = os.environ.get("FROSTLINE_MUST_HAVE", "").split()
        return self.needs is None or self.needs in must_have or shutil.which(self.needs) is not None


def blocks_of(text: str) -> list[Block]:
    """The blocks of a page that are run or written."""
    found = []
    for match in _BLOCK.finditer(_GENERATED.sub("", text)):
        body = re.sub(rf"(?m)^{match['indent']}", "", match["body"])
        mark, value = match["mark"], match["value"]
        file, needs = (value if mark == kind else None for kind in ("file", "needs"))
        found.append(Block(match["language"], body, file, int(value) if mark == "exit" else 0, needs))
    return found


def run_page(text: str, folder: Path) -> int:
    """Run every example of a page; the number of commands and programs that ran.

    Raises:
        Wrong: an example fails, prints something else than the page shows, or is of a kind that nothing runs.
    """
    program, ran = [], 0
    for block in blocks_of(text):
        if block.language not in LANGUAGES:
            raise Wrong(f"nothing runs a block of {block.language or 'no language'}:\n{block.body}")
        if block.file is not None:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.body, "utf-8")
        elif block.language == "console":
            ran += _run_commands(block, folder) if block.can_run() else 0
        elif block.language == "python":
            program.append(block.body)
        elif block.language == "text" and (command := _COMMAND.search(block.body)):
            raise Wrong(f"a command in a block of text is not run: {command[0]}…\n{block.body}")
    if program:
        done = _execute([sys.executable, "-c", "\n".join(program)], folder)
        if done.returncode:
            raise Wrong(f"the Python of the page fails:\n{done.stdout}")
    return ran + bool(program)


def _run_commands(block: Block, folder: Path) -> int:
    examples = re.split(r"(?m)^\$ ", block.body)[1:]
    if not examples:
        raise Wrong(f"a block of console without a command:\n{block.body}")
    for number, example in enumerate(examples, 1):
        command, shown = _parted(example)
        done = _trained(command, folder) or _execute(["bash", "-c", command], folder)
        wanted = block.status if number == len(examples) else 0
        if done.returncode != wanted:
            raise Wrong(f"$ {command}\nleft with {done.returncode}, not {wanted}:\n{done.stdout}")
        if shown and not is_shown(shown, done.stdout):
            raise Wrong(f"$ {command}\nprinted\n{done.stdout}\nand the page shows\n{shown}")
    return len(examples)


def _trained(command: str, folder: Path) -> subprocess.CompletedProcess[str] | None:
    """What came of a command that trains, in a process that need not load the framework; None for others."""
    words = command.split()
    script = folder / words[-1]
    if words[:2] != ["frostline", "run"] or set(command) & set("'\"|&;<>\\") or not script.is_file():
        return None
    loaded = set(re.findall(r"(?m)^(?:import|from) (\w+)", script.read_text("utf-8")))
    kind = "keras" if "keras" in loaded else "jax" if loaded & {"jax", "flax", "equinox"} else "torch"
    if kind == "torch" and loaded & {"lightning", "transformers"}:
        return None
    return in_framework(kind, ["-m", *words], folder, environment(folder), is_merged=True)


def _parted(example: str) -> tuple[str, str]:
    """The command, over several lines where they end in a backslash, and the output under it."""
    lines = example.splitlines()
    length = next(index for index, line in enumerate(lines, 1) if not line.endswith("\\"))
    return "\n".join(lines[:length]), "\n".join(lines[length:]).strip("\n")


def is_shown(shown: str, printed: str) -> bool:
    """Whether the page shows what was printed: versions may differ, and ``…`` stands for lines left out."""
    wanted = [re.escape(_undated(line)) for line in shown.splitlines()]
    pattern = "\n".join(".*" if line.strip() == "…" else line for line in wanted)
    return re.fullmatch(pattern, _undated(printed.strip("\n")), re.DOTALL) is not None


def _undated(text: str) -> str:
    return "\n".join(line.rstrip() for line in _VERSION.sub("0.0.0", text).splitlines())


def _execute(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )


def environment(folder: Path) -> dict[str, str]:
    """The variables that examples run under, with the tools of these tests first in their path."""
    tools = folder / ".tools"
    _write_pip(tools)
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "RANK", "WORLD_SIZE")}
    return kept | {
        "PATH": os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "KERAS_BACKEND": "jax",
        "COLUMNS": "80",
        "LC_ALL": "C.UTF-8",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONWARNINGS": "ignore",
    }


def _write_pip(tools: Path) -> None:
    """What stands in for pip: there is no network in tests, so it only looks whether the extras asked for exist."""
    tools.mkdir(exist_ok=True)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    script = tools / "pip"
    script.write_text(
        f"#!{sys.executable}\n"
        "import re, sys\n"
        "asked = re.findall(r'(?:frostline|[.])\\[([\\w,]+)\\]', ' '.join(sys.argv[1:]))\n"
        f"sys.exit(bool(set(','.join(asked).split(',')) - {{'', *{sorted(extras)!r}}}))\n",
        "utf-8",
    )
    script.chmod(0o755)
