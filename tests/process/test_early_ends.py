"""What is said where nothing was observed: a plain word, and no hint at launchers where the script itself failed."""

import sys

import pytest

from frostline.errors import FrostlineError
from frostline.run.files import notebook

CASES = {
    "arguments": (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', required=True)\np.parse_args()",
        "frostline: the script ended with exit status 2, before it imported a framework",
    ),
    "missing module": (
        "import no_such_module",
        f"hint: it ran with {sys.executable}; uvx and pipx run frostline in an environment of its own: install it "
        "where your training runs (python -m pip install frostline), "
        "or: uv run --with frostline frostline run train.py",
    ),
    "interrupted": (
        "raise KeyboardInterrupt",
        "frostline: the script ended with SIGINT, before it imported a framework",
    ),
    "torch only": (
        "import torch\nimport no_such_module",
        "frostline: the script ended with ModuleNotFoundError, before a model was seen",
    ),
    "no step": (
        "import torch\ntorch.nn.Linear(1, 1)(torch.ones(1, 1))\n1 / 0",
        "frostline: the script ended with ZeroDivisionError, before a step was executed: "
        "nothing can be said about what was trained",
    ),
}


@pytest.mark.needs("torch")
@pytest.mark.parametrize("name", CASES)
def test_a_script_that_fails_before_it_trains_gets_no_hint(name: str, shell) -> None:
    source, said = CASES[name]
    shell.warm = "torch" in source
    shell.write("train.py", source)
    done = shell.frostline("run", "train.py")
    assert done.status != 0
    assert done.stderr.splitlines()[-1] == said


def cells(tmp_path, *sources: str, language: str = "python"):
    import json

    path = tmp_path / "notebook.ipynb"
    code = [{"cell_type": "code", "source": source.splitlines(keepends=True)} for source in sources]
    path.write_text(json.dumps({"cells": code, "metadata": {"kernelspec": {"language": language}}}))
    return notebook.read(str(path))


def test_lines_for_the_notebook_alone_are_left_out_and_told(tmp_path, capsys) -> None:
    read = cells(
        tmp_path, "%matplotlib inline\nx = 1\n!pip install y", "%%bash\nls", "%%time\nif x:\n    %who\nx += 1", "x?"
    )
    names: dict[str, int] = {}
    for code in read.cells:
        exec(code, names)
    assert names["x"] == 2
    notebook.say_left_out("notebook.ipynb", read)
    assert capsys.readouterr().err == (
        "frostline: of notebook.ipynb these lines are not run: "
        "%matplotlib inline; !pip install y; %%bash …; %%time; %who; x?\n"
    )


def test_a_traceback_names_the_cell_and_its_line(shell) -> None:
    cells(shell.folder, "x = 1", "%time\n1 / 0")
    done = shell.frostline("run", "notebook.ipynb")
    assert done.status == 1
    assert 'notebook.ipynb, cell 2", line 2, in <module>' in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not JSON", "it is no notebook of format 4"),
        ('{"worksheets": []}', "it is no notebook of format 4"),
        ('{"cells": [], "metadata": {"kernelspec": {"language": "R"}}}', "it is written in R"),
    ],
)
def test_what_is_no_notebook_of_python_is_refused(text: str, said: str, tmp_path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    with pytest.raises(FrostlineError, match=said):
        notebook.read(str(path))


@pytest.mark.needs("torch")
def test_a_watch_that_nobody_entered_says_so() -> None:
    import torch

    import frostline
    from frostline.run.session import UNDER_WAY

    before = list(UNDER_WAY)
    watch = frostline.watch(torch.nn.Linear(2, 1))
    assert repr(watch).startswith("<frostline.watch, not entered: train inside `with frostline.watch")
    with pytest.raises(FrostlineError, match="never entered"):
        watch.report  # noqa: B018
    with pytest.warns(UserWarning, match="nothing was watched"):
        del watch
    assert before == UNDER_WAY
    with frostline.watch(torch.nn.Linear(2, 1)) as seen:
        assert repr(seen).startswith("<frostline.watch, under way: no contradiction found")
    assert repr(seen).startswith("<frostline.watch, over: no contradiction found")
