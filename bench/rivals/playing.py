"""Plays one script to all rivals, in a process that is forked for each of their looks."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from bench.rivals.complaint import Complaint, patterns
from bench.rivals.rival import CannotLook, Rival
from bench.rivals.scene import Scene, Stage
from corpus.cases import Trial

Said = dict[str, Any]


class Play:
    """One run of a script: what each rival said at each of its looks, or why it had none.

    Args:
        trial: the program.
        rivals: that look at PyTorch.
        folder: for what the forked processes hand back.
    """

    def __init__(self, trial: Trial, rivals: Sequence[Rival], folder: Path) -> None:
        self.trial, self.rivals, self.folder = trial, rivals, folder
        self.stage = Stage(self._first_step, self._first_call)
        self.attached: Rival | None = None
        self.looks = 0

    def run(self) -> None:
        """The script from its first line to its last, and a last check."""
        self.stage.install()
        namespace = {"__name__": "__main__", "__file__": str(self.trial.script)}
        self.stage.globals = namespace
        try:
            exec(compile(self.trial.script.read_text(), str(self.trial.script), "exec"), namespace)
        except BaseException as error:
            self._ended(error)
            raise
        self._ended(None)
        self._look("end", self.stage.scenes("end"))

    def _ended(self, error: BaseException | None) -> None:
        """A script with a rival alongside ends in the fork in which the rival was attached."""
        if self.attached is None:
            return
        said = self.attached.read(error) if error else []
        if said is None:
            self._write(self.attached, [], f"{type(error).__name__}: {error}"[:160])
        else:
            self._write(self.attached, said, "")
        os._exit(0)

    def _first_step(self, scenes: list[Scene]) -> None:
        if self.attached is None:
            self._look("first step", scenes)

    def _first_call(self) -> None:
        """Rivals alongside go on with the script, each in a fork of its own."""
        for rival in self.rivals:
            if rival.alongside and self.attached is None:
                self._forked(functools.partial(self._attach, rival), returns=True)

    def _attach(self, rival: Rival) -> None:
        """What it is told about is what the script has by now: its models and its optimizers."""
        self.attached = rival
        modules = [value for value in self.stage.globals.values() if isinstance(value, torch.nn.Module)]
        said = []
        for scene in self.stage.bare_scenes(modules):
            said += rival.look(self._told(scene))
        if said:
            self._write(rival, said, "")
            os._exit(0)

    def _look(self, moment: str, scenes: list[Scene]) -> None:
        for rival in self.rivals:
            if not rival.alongside and moment in rival.moments:
                for scene in scenes:
                    self._forked(functools.partial(self._ask, rival, self._told(scene)))

    def _told(self, scene: Scene) -> Scene:
        scene.frozen, scene.trained = patterns(self.trial, "--frozen"), patterns(self.trial, "--trained")
        return scene

    def _ask(self, rival: Rival, scene: Scene) -> None:
        self.stage.watching = False
        try:
            self._write(rival, list(rival.look(scene)), "")
        except CannotLook as error:
            self._write(rival, [], str(error))

    def _forked(self, job: Callable[[], None], *, returns: bool = False) -> None:
        """Run ``job`` in a fork that ends with it, unless the fork ``returns`` to go on with the script."""
        self.looks += 1
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return
        try:
            job()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        if not returns:
            os._exit(0)

    def _write(self, rival: Rival, said: Iterable[Complaint], problem: str) -> None:
        data = {"rival": rival.name, "said": [one.as_data() for one in said], "problem": problem}
        (self.folder / f"{os.getpid()}.json").write_text(json.dumps(data))


def play(trial: Trial, rivals: Sequence[Rival], out: str) -> None:
    """The body of a forked process: run the script quietly and leave what was said in ``out``."""
    torch.set_num_threads(1)
    quiet = os.open(os.devnull, os.O_WRONLY)
    log = os.open(f"{out}.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(quiet, 1)
    os.dup2(log, 2)
    sys.argv = [str(trial.script)]
    problem = ""
    with tempfile.TemporaryDirectory(prefix="rivals-") as folder, contextlib.chdir(folder):
        play = Play(trial, rivals, Path(folder))
        try:
            play.run()
        except SystemExit:
            pass
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"[:160]
        looks: list[Said] = [json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))]
    Path(out).write_text(json.dumps({"looks": looks, "problem": problem}))
