"""What a run leaves behind: one record, in its place, or a plain message and nothing overwritten."""

import subprocess
import sys

import pytest

from frostline.judging import load
from frostline.run.files.run_folder import parts

pytestmark = pytest.mark.needs("torch")

DATA = ".frostline.json"


@pytest.fixture(autouse=True)
def _warm(shell) -> None:
    shell.warm = True


def test_a_run_stores_its_record_and_reports_on_stderr(shell, linear) -> None:
    linear()
    done = shell.frostline("run", "train.py", "--lr", "0.1")
    record = load(shell.folder / DATA)
    assert (done.status, done.stdout) == (0, "")
    assert done.stderr.splitlines()[0].startswith("frostline: no contradiction found")
    assert record.run.command == ["train.py", "--lr", "0.1"]
    assert (record.run.complete, record.run.exit, record.run.ended_by, record.run.steps) == (True, 0, None, 3)
    assert record.run.faults == []
    assert shell.files() == {"train.py", DATA}


def test_quiet_prints_nothing(shell, linear) -> None:
    linear()
    done = shell.observed("train.py")
    assert (done.status, done.stdout, done.stderr) == (0, "", "")


def test_without_frostline_the_script_prints_the_same(shell, linear) -> None:
    linear("print([parameter.sum().item().hex() for parameter in model.parameters()])\n")
    assert shell.observed("train.py").stdout == shell.plain("train.py").stdout


@pytest.mark.parametrize(("leave", "status", "by"), [
    ("raise SystemExit(3)", 3, None),
    ("raise SystemExit('out of data')", 1, None),
    ("1 / 0", 1, "ZeroDivisionError"),
])  # fmt: skip
def test_the_scripts_failure_passes_through_and_is_recorded(leave: str, status: int, by: str, shell, linear) -> None:
    linear(leave)
    done = shell.frostline("run", "--fail-on", "warning", "--frozen", "**", "train.py")
    run = load(shell.folder / DATA).run
    assert (done.status, run.exit, run.ended_by, run.complete) == (status, status, by, True)
    assert done.stderr.startswith(shell.plain("train.py").stderr)


@pytest.mark.parametrize(("options", "status"), [
    ((), 0),
    (("--fail-on", "never"), 0),
    (("--fail-on", "error"), 1),
    (("--fail-on", "warning"), 1),
])  # fmt: skip
def test_fail_on_adds_its_status_to_a_script_that_succeeds(
    options: tuple[str, ...], status: int, shell, linear
) -> None:
    linear()
    done = shell.observed(*options, "--frozen", "**", "train.py")
    assert (done.status, done.stderr) == (status, "")


def test_a_script_that_changes_folder_does_not_move_the_record(shell, linear) -> None:
    linear()
    shell.write("moves.py", "import os, runpy\nos.mkdir('there'); os.chdir('there'); runpy.run_path('../train.py')")
    assert shell.observed("moves.py").status == 0
    assert {path.name for path in shell.folder.rglob("*.json")} == {DATA}
    assert load(shell.folder / DATA).run.steps == 3


def test_the_report_reaches_stderr_though_the_script_replaced_it(shell, linear) -> None:
    linear("import io, sys\nsys.stderr = sys.stdout = io.StringIO()\n")
    assert "contradiction" in shell.frostline("run", "train.py").stderr


def test_each_process_of_several_writes_its_own_record(shell, linear) -> None:
    linear()
    for rank in "01":
        done = shell.observed("train.py", env={"RANK": rank, "WORLD_SIZE": "2"})
        assert done.status == 0, done.stderr
    shell.observed("--data", "run-{rank}.json", "train.py", env={"SLURM_PROCID": "3", "SLURM_NTASKS": "4"})
    shell.observed("--data", "alone.json", "train.py", env={"RANK": "0", "WORLD_SIZE": "1"})
    assert shell.files() == {"train.py", ".frostline", DATA, "run-3.json", "alone.json"}
    ranks = [load(part).run for part in parts(shell.folder / ".frostline" / "latest")]
    assert [(run.rank, run.world_size) for run in ranks] == [(0, 2), (1, 2)]


# Threads, children, and the order of the end


def test_training_in_a_thread_that_outlives_the_script_is_seen(shell, linear) -> None:
    linear("import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.3), step())).start()\n")
    assert shell.observed("train.py").status == 0
    assert load(shell.folder / DATA).run.steps == 4


def test_the_record_is_closed_before_the_scripts_atexit_callbacks(shell, linear) -> None:
    linear(
        "import atexit, json\n"
        "atexit.register(lambda: print(*json.loads(open('.frostline.json').read().splitlines()[-1])))\n"
    )
    assert shell.observed("train.py").stdout == "findings baseline excused\n"  # the line that seals the file


def test_a_script_that_leaves_at_once_keeps_its_last_check(shell, linear) -> None:
    linear("import os\nos._exit(7)\n")
    done = shell.observed("train.py")
    run = load(shell.folder / DATA).run
    assert (done.status, run.complete, run.exit) == (7, False, None)


@pytest.mark.parametrize("end", ["", "os._exit(0)", "raise SystemExit(4)"])
def test_a_forked_child_that_trains_has_a_part_of_its_own(end: str, shell, linear) -> None:
    linear(f"""
import os
pid = os.fork()
if not pid:
    for _ in range(9):
        step()
    {end or "pass"}
if pid:
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    step()
""")
    plain, done = shell.plain("train.py"), shell.frostline("run", "train.py")
    assert (done.status, done.stdout) == (0, plain.stdout)
    assert done.stderr.count("no contradiction found") == 1
    assert sorted(load(part).run.steps for part in parts(shell.folder / ".frostline" / "latest")) == [4, 12]


def test_a_framework_imported_in_a_forked_child_alone_is_observed_there(shell, linear) -> None:
    linear()
    shell.write("forks.py", "import os\nif not os.fork():\n    import runpy; runpy.run_path('train.py')\nos.wait()\n")
    shell.frostline("run", "forks.py")
    assert load(shell.folder / DATA).run.steps == 3


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_data_loader_workers_work_as_under_python(method: str, shell) -> None:
    shell.warm, shell.lean = False, True  # workers are sent the main script
    # At its end python may cut off a thread that unregisters a semaphore, and then warns of what it takes for a leak.
    shell.environment["PYTHONWARNINGS"] = "ignore:resource_tracker"
    shell.write(
        "train.py",
        f"""\
import torch
from torch.utils.data import DataLoader, Dataset
class Numbers(Dataset):
    def __len__(self): return 8
    def __getitem__(self, index): return torch.full((3,), float(index))
def main():
    torch.manual_seed(1)
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
    for batch in DataLoader(Numbers(), 2, num_workers=1, multiprocessing_context="{method}"):
        loss = model(batch).square().mean()
        loss.backward()
        optimizer.step()
        print(loss.item().hex())
if __name__ == "__main__":
    main()
""",
    )
    plain, done = shell.plain("train.py"), shell.observed("train.py")
    assert (done.status, done.stdout, done.stderr) == (0, plain.stdout, plain.stderr)
    assert load(shell.folder / DATA).run.steps == 4


# Where there is nothing to tell, or no place to put it


def refused(shell, *arguments: str) -> str:
    """The message of a run that must not start its script."""
    shell.write("marks.py", "open('started', 'w')")
    before = {path: path.read_bytes() for path in shell.folder.iterdir() if path.is_file()}
    done = shell.frostline("run", *arguments)
    assert done.status == 2
    assert len(done.stderr.splitlines()) == 2
    assert {path: path.read_bytes() for path in shell.folder.iterdir() if path.is_file()} == before
    return done.stderr


def test_a_record_without_a_place_is_refused_before_the_script_runs(shell) -> None:
    message = refused(shell, "--data", "no/such/folder/r.json", "marks.py")
    assert message.startswith("frostline: cannot write ")
    assert "no/such/folder/r.json: No such file or directory\nhint: choose another place with --data FILE" in message


def test_a_folder_holds_the_runs_and_the_latest_is_reported(shell, linear) -> None:
    for frozen in ("none", "1.**"):
        linear()
        assert shell.observed("--data", "runs", "--frozen", frozen, "train.py").status == 0
    assert len(list((shell.folder / "runs").glob("run-*/record.json"))) == 2
    assert "M501" in shell.frostline("report", "runs").stdout


def test_a_file_that_is_no_record_is_not_overwritten(shell) -> None:
    assert "exists and is no frostline record" in refused(shell, "--data", "marks.py", "marks.py")


def test_a_record_of_another_format_is_not_overwritten(shell) -> None:
    shell.write("r.json", '{"format":99,"frostline":"9.0"}')
    assert "has record format 99" in refused(shell, "--data", "r.json", "marks.py")


def test_a_run_of_an_older_version_is_replaced_as_any_other(shell, linear) -> None:
    linear()
    shell.write(DATA, '{"format":1,"frostline":"0.0"}')
    assert shell.observed("train.py").status == 0
    assert load(shell.folder / DATA).run.complete


@pytest.mark.parametrize("content", ["settings of another tool", '{"format":99,"frostline":"9.0"}'])
def test_what_stands_at_the_usual_place_is_left_alone_and_costs_no_run(content: str, shell, linear) -> None:
    linear()
    shell.write(DATA, content)
    done = shell.frostline("run", "train.py")
    assert done.status == 0
    assert "no contradiction found" in done.stderr  # the report is printed from memory
    assert "it was left alone" in done.stderr
    assert (shell.folder / DATA).read_text() == content
    assert shell.frostline("run", "--fail-on", "error", "train.py").status == 2


def test_a_missing_script_names_its_neighbours(shell) -> None:
    assert refused(shell, "mark.py") == "frostline: there is no script 'mark.py'\nhint: did you mean marks.py?\n"


def test_a_missing_folder_is_named(shell) -> None:
    assert "hint: there is no folder" in refused(shell, "src/mark.py")


def test_a_folder_without_main_is_refused(shell) -> None:
    (shell.folder / "app").mkdir()
    assert "it holds no __main__.py" in refused(shell, "app")


def test_a_missing_module_is_refused(shell) -> None:
    assert "there is no module 'no_such_module.train'" in refused(shell, "-m", "no_such_module.train")


FULL = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (64, resource.RLIM_INFINITY))
"""


@pytest.mark.parametrize(("leave", "status"), [("", 0), ("raise SystemExit(5)", 5)])
def test_a_disk_that_is_full_at_the_end_is_told_and_the_last_record_kept(
    leave: str, status: int, shell, linear
) -> None:
    linear(FULL + leave)
    shell.warm = False  # its output goes into files, which then are too large as well
    done = shell.frostline("run", "train.py")
    assert done.status == status
    assert f"frostline: cannot write {shell.folder / DATA}: File too large\n" in done.stderr
    assert not load(shell.folder / DATA).run.complete
    assert shell.files() == {"train.py", DATA}


PLANTED = """
import sys
if frostline := sys.modules.get("{module}"):
    def broken(*arguments):
        1 / 0
    frostline.{target} = broken
for _ in range(6):
    step()
    print(model[1].weight.sum().item().hex())
"""
OBSERVER = "frostline.observe.observer"


@pytest.mark.parametrize(("module", "target", "where", "unknown"), [
    (OBSERVER, "Observer.before_step", "before a step", {}),
    (OBSERVER, "Observer.after_step", "after a step", {}),
    (OBSERVER, "Observer.close", "closing", {"changed": 2}),
    ("frostline.judging", "judge_by_laws", "judging", {"findings": 4}),
])  # fmt: skip
def test_an_error_inside_frostline_leaves_the_script_alone_and_is_unknown(
    module: str, target: str, where: str, unknown: dict, shell, linear
) -> None:
    linear(PLANTED.format(module=module, target=target))
    plain, done = shell.plain("train.py"), shell.frostline("run", "train.py")
    record = load(shell.folder / DATA)
    assert (done.status, done.stdout) == (0, plain.stdout)
    assert where in record.run.faults[0]
    assert "inside frostline; the script was not touched" in done.stderr
    told = [column for row in record.tensors for column in row.unknown]
    assert {column: told.count(column) for column in told} == unknown
    assert all("ZeroDivisionError" in reason for row in record.tensors for reason in row.unknown.values())
    assert (f"; {sum(unknown.values())} tensors unknown\n" in done.stderr) == bool(unknown)
    assert record.findings == []

    shown = shell.observed("--debug", "train.py")
    assert (shown.status, shown.stdout) == (0, plain.stdout)
    assert "Traceback (most recent call last):" in shown.stderr
    assert shown.stderr.endswith("ZeroDivisionError: division by zero\n")


def plant_first(shell, target: str) -> None:
    """Break a part of the observer before the script's first step."""
    train = shell.folder / "train.py"
    planted = PLANTED.format(module=OBSERVER, target=target).partition("for _")[0]
    train.write_text(train.read_text().replace("def step", f"{planted}def step"))


def test_what_no_step_could_show_is_not_told_as_unwired(shell, linear) -> None:
    linear()
    plant_first(shell, "Observer.before_step")
    assert shell.observed("train.py").status == 0
    record = load(shell.folder / DATA)
    assert [set(row.unknown) for row in record.tensors] == [{"optimizer"}] * 4
    assert record.findings == []


@pytest.mark.parametrize(("more", "status"), [("", 0), ("raise SystemExit(7)", 7)])
def test_an_error_inside_frostline_that_hides_the_whole_run_is_no_finding(
    more: str, status: int, shell, linear
) -> None:
    linear(more)
    plant_first(shell, "Observer.after_step")
    done = shell.frostline("run", "train.py")
    assert done.status == status
    assert done.stderr.startswith("frostline: the run could not be observed: torch: after a step: ZeroDivisionError")
    assert shell.files() == {"train.py"}


NOTHING = {
    "no model": ("import torch", "no model was found in the run"),
    "no step": ("import torch\nm = torch.nn.Linear(1, 1)\nm(torch.ones(1, 1))", "no step was executed"),
    "no framework": ("", "no model was found: the script imported none of"),
}


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
@pytest.mark.parametrize("name", NOTHING)
def test_a_run_with_nothing_to_tell_says_so_and_overwrites_nothing(name: str, quiet: tuple, shell, linear) -> None:
    linear()
    shell.observed("train.py")
    before = (shell.folder / DATA).read_bytes()
    source, message = NOTHING[name]
    shell.warm = name != "no framework"  # there torch is loaded
    shell.write("idle.py", source)
    done = shell.frostline("run", *quiet, "idle.py")
    assert done.status == 0  # the script's own: nobody asked for a judgement
    assert shell.frostline("run", *quiet, "--fail-on", "error", "idle.py").status == 2
    assert done.stderr.startswith(f"frostline: {message}")
    assert "\nhint: " in done.stderr
    assert (shell.folder / DATA).read_bytes() == before


def test_the_record_that_json_prints_can_be_loaded(shell, linear) -> None:
    linear()
    shell.observed("train.py")
    printed = shell.frostline("report", "--format", "json")
    (shell.folder / "whole.json").write_text(printed.stdout)
    assert load(shell.folder / "whole.json") == load(shell.folder / DATA)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", ">/dev/full", "2>/dev/full"])
def test_a_stream_that_is_closed_or_full_changes_no_status(closed: str, shell, linear) -> None:
    linear()
    command = f"{sys.executable} -m frostline run train.py {closed}"
    done = subprocess.run(command, shell=True, cwd=shell.folder, env=shell.fresh, capture_output=True, text=True)
    assert done.returncode == 0
    assert load(shell.folder / DATA).run.exit == 0
    is_told = done.stderr.strip().startswith("frostline: no contradiction")
    assert is_told == ("2>" not in closed)  # the report, where it can be printed
