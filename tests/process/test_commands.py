"""The commands themselves: what they print, where, and the status they leave with."""

import json
import subprocess
import sys

import pytest

from frostline.cli import cli
from frostline.cli.group import COMMANDS
from frostline.laws.causes import CAUSES


@pytest.fixture
def trained(shell, linear):
    """A folder with the record of a run in which everything was meant to stay frozen."""
    shell.warm = True
    linear()
    shell.observed("--frozen", "**", "train.py")
    return shell


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_page_with_examples(command: str, shell) -> None:
    done = shell.frostline(command, "--help")
    assert (done.status, done.stderr) == (0, "")
    assert f"Usage: frostline {command}" in done.stdout
    assert f"Examples:\n    frostline {command}" in done.stdout
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []


def test_alone_it_prints_its_commands(shell) -> None:
    done = shell.frostline()
    assert (done.status, done.stderr) == (0, "")
    assert set(COMMANDS) <= set(done.stdout.split())


@pytest.mark.parametrize(("arguments", "stderr"), [
    (("rnu",), "frostline: there is no command 'rnu'\nhint: did you mean run"),
    (("zzzz",), f"frostline: there is no command 'zzzz'\nhint: the commands are {', '.join(COMMANDS)}\n"),
    (("train.py",), "frostline: there is no command 'train.py'\nhint: to observe a script: frostline run train.py\n"),
    (("run", "--frozne", "a", "train.py"), "frostline: there is no option '--frozne'\nhint: did you mean --frozen"),
    (("run",), "frostline: Missing argument 'SCRIPT'\nhint: see `frostline run --help`\n"),
    (("run", "--outside", "train.py"), "frostline: there is no option '--outside'\nhint: see `frostline run --help`"),
    (("explain", "F1O1"), "frostline: there is no rule 'F1O1'\nhint: did you mean F1"),
    (("explain", "nothing-train"), "frostline: there is no rule 'nothing-train'\nhint: did you mean nothing-trained"),
    (("report", "none.json"), "frostline: there is no record at none.json\nhint: make one with "),
    (("report", "train.py"), "frostline: train.py is not a frostline record: "),
    (("run", "--fail-on", "notes", "train.py"), "frostline: Invalid value for '--fail-on'"),
    (("run", "--check-every", "0", "train.py"), "frostline: Invalid value for '--check-every'"),
])  # fmt: skip
def test_a_mistake_is_answered_in_two_lines(arguments: tuple[str, ...], stderr: str, shell, linear) -> None:
    linear()
    done = shell.frostline(*arguments)
    assert (done.status, done.stdout) == (2, "")
    assert done.stderr.startswith(stderr)
    assert len(done.stderr.splitlines()) == 2
    assert shell.files() == {"train.py"}


@pytest.mark.needs("torch")
def test_report_prints_to_stdout_and_fails_on_errors(trained) -> None:
    done = trained.frostline("report")
    assert (done.status, done.stderr) == (1, "")
    assert done.stdout.splitlines()[0].startswith("frostline: expected frozen but changed (1 error, ")
    assert trained.frostline("report", "--fail-on", "never").status == 0


@pytest.mark.needs("torch")
def test_report_can_write_a_file(trained) -> None:
    done = trained.frostline("report", "--format", "markdown", "--output", "report.md", "--fail-on", "never")
    printed = trained.frostline("report", "--format", "markdown", "--fail-on", "never").stdout
    assert (done.status, done.stdout, done.stderr) == (0, "", "frostline: wrote report.md\n")
    assert (trained.folder / "report.md").read_text("utf-8").strip() == printed.strip()


@pytest.mark.needs("torch")
def test_report_that_cannot_be_written_is_told(trained) -> None:
    done = trained.frostline("report", "--output", "no/report.txt")
    assert done.status == 2
    assert done.stderr == (
        "frostline: cannot write no/report.txt: No such file or directory\n"
        "hint: choose another place with --output FILE\n"
    )


@pytest.mark.needs("torch")
def test_an_unknown_format_names_those_that_exist(trained) -> None:
    done = trained.frostline("report", "--format", "jsno")
    assert (done.status, done.stdout) == (2, "")
    assert "json" in done.stderr


@pytest.mark.needs("torch")
def test_a_reader_that_leaves_early_is_no_error(trained) -> None:
    report = f"{sys.executable} -m frostline report; echo status $? >&2"
    done = subprocess.run(["bash", "-c", f"({report}) | true"], cwd=trained.folder, capture_output=True, text=True)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("rule", CAUSES, ids=lambda rule: rule.code)
def test_every_rule_is_explained_by_code_and_by_name(rule) -> None:
    from click.testing import CliRunner

    by_code, by_small_code, by_name = (
        CliRunner().invoke(cli, ["explain", name]).output for name in (rule.code, rule.code.lower(), rule.slug)
    )
    assert by_code == by_small_code
    assert by_name.strip() in by_code
    assert by_name.startswith(f"{rule.code} {rule.slug} ")


def test_rules_lists_every_rule_once(shell) -> None:
    done = shell.frostline("rules")
    assert (done.status, done.stderr) == (0, "")
    for rule in CAUSES:
        assert sum({rule.code, rule.slug} <= set(line.split()) for line in done.stdout.splitlines()) == 1


def test_debug_tells_versions_and_imports_no_framework(shell) -> None:
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom frostline.cli import cli\n"
        "print(CliRunner().invoke(cli, ['debug']).output)\n"
        "print({'torch', 'keras', 'jax', 'tensorflow', 'tf_keras'} & set(sys.modules))"
    )
    done = shell.python("-c", code)
    assert done.stdout.rstrip().endswith("\nset()")
    for name in ("frostline", "python", "numpy", "framework torch", "kernel cpu", "kernel gpu"):
        assert any(line.startswith(name) for line in done.stdout.splitlines())


def test_two_records_are_compared(trained) -> None:
    trained.observed("--data", "later.json", "train.py")
    same = trained.frostline("diff", ".frostline.json", ".frostline.json")
    assert (same.status, same.stdout.splitlines()[-1]) == (0, "the two runs say the same")
    other = trained.frostline("diff", ".frostline.json", "later.json")
    assert other.status == 1
    assert "Findings that are gone" in other.stdout
    assert "expected" in other.stdout
    assert trained.frostline("diff", ".frostline.json", "train.py").status == 2


def test_a_name_with_escape_codes_is_spelled_out(shell) -> None:
    done = shell.frostline("report", "\x1b[31mred.json")
    assert (done.status, done.stderr.splitlines()[0]) == (2, "frostline: there is no record at \\x1b[31mred.json")


@pytest.mark.parametrize("words", [("rules",), ("explain", "F101"), ("debug",)])
def test_what_a_command_prints_is_a_document_too_and_goes_to_a_file(words: tuple[str, ...], shell) -> None:
    text, document = shell.frostline(*words).stdout, shell.frostline(*words, "--json").stdout
    for options, said in (((), text), (("--json",), document)):
        done = shell.frostline(*words, *options, "-o", "said.txt")
        assert (done.status, done.stdout, done.stderr) == (0, "", "")
        assert (shell.folder / "said.txt").read_text("utf-8") == said
    assert json.loads(document)


def test_a_word_that_is_no_page_is_not_written_over(trained) -> None:
    """``--html`` takes the next word only where it ends as a page does."""
    for words, page in ((("--html", ".frostline.json"), "frostline.html"), (("--html", "mine.html"), "mine.html")):
        done = trained.frostline("report", "--fail-on", "never", *words)
        assert (done.status, done.stdout, done.stderr) == (0, "", f"frostline: wrote {page}\n")
        assert (trained.folder / page).read_text("utf-8").startswith("<!doctype html>")
    assert (trained.folder / ".frostline.json").read_text("utf-8").startswith('{"format"')
