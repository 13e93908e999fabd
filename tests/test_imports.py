"""Who may import whom: read from the source, so that a rule holds also where nothing runs."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
FRAMEWORKS = {
    "torch",
    "keras",
    "tf_keras",
    "jax",
    "jaxlib",
    "tensorflow",
    "flax",
    "optax",
    "equinox",
    "lightning",
    "transformers",
}
UNPICKLERS = {"pickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
THEIR_FRAMEWORKS = {f"safetensors.{name}" for name in ("torch", "tensorflow", "flax", "mlx", "paddle")}
ANY = frozenset({"*"})


@dataclass(frozen=True)
class Layer:
    """What the modules of one layer may import besides the standard library."""

    own: frozenset[str]
    others: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    tables: bool = False  # may import modules named in a table, which no reader of the source can follow


def layer(
    own: str = "", others: str = "", never: set[str] | frozenset[str] = frozenset(), tables: bool = False
) -> Layer:
    """A layer from words: parts of frostline, and other distributions."""
    parts = frozenset(f"frostline.{part}" for part in own.split())
    return Layer(ANY if own == "*" else parts, frozenset(others.split()), frozenset(never), tables)


PROBE = "core errors settings digest observe frameworks"
BASE = "frameworks.alive frameworks.claims frameworks.imports frameworks.patching frameworks.protocol"
BASE += " frameworks.keras_common frameworks.array_writers"
KERAS = f"core errors settings digest observe {BASE}"
READER = "core errors digest checkpoints"
READ_WITH = "numpy msgspec safetensors h5py ml_dtypes blake3 xxhash lz4 zstandard"
LAYERS = {
    "frostline": layer("*", "click wrapt xxhash msgspec numpy rich"),
    "frostline.__init__": layer("version watch", tables=True),
    "frostline.cli": layer("*", "click msgspec xxhash"),
    "frostline.cli.group": layer("errors", "click", tables=True),
    "frostline.cli.commands.watch": layer("cli core errors report run.files settings", "click msgspec rich"),
    "frostline.errors": layer(),
    "frostline.version": layer(),
    "frostline.settings": layer("core errors laws", "msgspec"),
    "frostline.run": layer(
        "core errors frameworks.imports frameworks.registry frameworks.protocol judging observe run settings version"
    ),
    "frostline.run.script": layer("errors run.files.notebook run.tracebacks"),
    "frostline.run.files.notebook": layer("errors"),
    "frostline.run.tracebacks": layer(),
    "frostline.run.child_processes": layer("core errors run settings", "msgspec"),
    "frostline.run.child_start": layer("run.child_processes run.environment"),
    "frostline.run.combine": layer("core errors laws.causes.ranks run.files.run_folder run.wholes"),
    "frostline.run.wholes": layer("core judging"),
    "frostline.run.environment": layer(),
    "frostline.run.launchers": layer(),
    "frostline.run.files.run_folder": layer(),
    "frostline.run.files.places": layer("core errors run.launchers run.files.run_folder settings"),
    "frostline.run.exit_status": layer("core errors run.process_observer settings"),
    "frostline.run.process_observer": layer(
        "core errors frameworks.imports frameworks.registry integrations.trackers run.script run.session settings"
    ),
    "frostline.run.runner": layer("core errors integrations.trackers run settings"),
    "frostline.judging": layer("core errors laws version"),
    "frostline.core": layer("core errors", "msgspec"),
    "frostline.laws": layer("core laws"),
    "frostline.laws.__init__": layer("core laws", tables=True),
    "frostline.laws.causes": layer("core errors laws.causes laws.observed_run"),
    "frostline.laws.causes.examples": layer("", "torch keras numpy jax flax optax"),
    "frostline.report": layer("core errors report", "rich"),
    "frostline.report.html": layer("core errors report", "jinja2"),
    "frostline.report.pages": layer("core errors report rules.rule", "rich"),
    "frostline.digest": layer("core errors digest", "numpy xxhash ml_dtypes"),
    "frostline.observe": layer("core errors settings digest observe", "numpy"),
    "frostline.frameworks": layer("errors frameworks"),
    "frostline.frameworks.imports": layer(),
    "frostline.frameworks.protocol": layer("core settings observe"),
    "frostline.frameworks.registry": layer("errors frameworks.protocol", tables=True),
    "frostline.frameworks.keras_common": layer(KERAS, "msgspec numpy wrapt"),
    "frostline.frameworks.torch": layer(PROBE, "msgspec torch triton numpy wrapt"),
    "frostline.frameworks.jax": layer(PROBE, "jax flax equinox numpy wrapt"),
    "frostline.frameworks.keras": layer(f"{KERAS} frameworks.keras", "keras numpy wrapt"),
    "frostline.frameworks.tf_keras": layer(f"{KERAS} frameworks.tf_keras", "tf_keras numpy wrapt"),
    "frostline.checkpoints": layer(READER, READ_WITH, UNPICKLERS | THEIR_FRAMEWORKS),
    "frostline.checkpoints.views.render": layer(f"{READER} report", READ_WITH, UNPICKLERS | THEIR_FRAMEWORKS),
    "frostline.integrations": layer("core errors integrations run settings report watch"),
    "frostline.integrations.trackers": layer("core errors integrations.trackers run.session settings"),
    "frostline.integrations.trackers.told": layer("core errors laws report"),
    "frostline.integrations.trackers.tensorboard": layer("core errors integrations.trackers.told", "tensorboard"),
    "frostline.integrations.trackers.wandb": layer("core integrations.trackers.told", "wandb"),
    "frostline.integrations.trackers.mlflow": layer("core integrations.trackers.told", "mlflow"),
    "frostline.integrations.ray": layer("core errors run settings watch", "pyarrow ray"),
    "frostline.integrations.keras": layer("integrations watch", "keras"),
    "frostline.integrations.lightning": layer("integrations watch", "lightning pytorch_lightning"),
    "frostline.integrations.transformers": layer("integrations watch", "transformers"),
    "frostline.integrations.pytest_plugin": layer("core errors laws settings report watch", "msgspec pytest"),
    "frostline.demo": layer("", "keras numpy jax flax optax"),
}


def violations(source: Path) -> list[str]:
    """Every forbidden import below ``source``, as ``module: what it imports``."""
    files = sorted(source.rglob("*.py"))
    modules = {_module(source, file) for file in files}
    return [
        f"{_module(source, file)}: {imported}"
        for file in files
        for imported in _imports(file, _module(source, file), modules)
        if not _is_allowed(imported, _module(source, file))
    ]


def _module(source: Path, file: Path) -> str:
    return ".".join(file.relative_to(source).with_suffix("").parts)


def _imports(file: Path, module: str, modules: set[str]) -> Iterator[str]:
    """The modules that ``file`` imports anywhere, relative ones resolved; ``?`` where only a run could tell."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _resolved(module, node.level, node.module or "")
            for alias in node.names:
                name = f"{base}.{alias.name}"
                yield name if name in modules or f"{name}.__init__" in modules else base
        elif isinstance(node, ast.Call) and _is_import_call(node.func):
            yield _literal(node, module)


def _resolved(module: str, level: int, name: str) -> str:
    if not level:
        return name
    base = module.split(".")[:-level]
    return ".".join([*base, name] if name else base)


def _is_import_call(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("import_module", "__import__")


def _literal(call: ast.Call, module: str) -> str:
    first = call.args[0] if call.args else None
    if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
        return "?"
    name = first.value.lstrip(".")
    return _resolved(module, len(first.value) - len(name), name)


def _is_allowed(imported: str, module: str) -> bool:
    rule = LAYERS[max((name for name in LAYERS if _is_within(module, name)), key=len)]
    top = imported.partition(".")[0]
    if imported == "?":
        return rule.tables
    if imported == "frostline" or any(_is_within(imported, name) for name in rule.never):
        return False
    if top == "frostline":
        return rule.own == ANY or any(_is_within(imported, part) for part in rule.own)
    return top in rule.others or (top in sys.stdlib_module_names and top not in FRAMEWORKS)


def _is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_every_module_imports_only_what_its_layer_may() -> None:
    assert violations(SOURCE) == []


def test_every_layer_that_exists_is_read() -> None:
    modules = {_module(SOURCE, file) for file in SOURCE.rglob("*.py")}
    read = {name for name in LAYERS if any(_is_within(module, name) for module in modules)}
    assert {"frostline", "frostline.core", "frostline.laws.causes", "frostline.report"} <= read


PLANTED = [
    ("core/ledger.py", "import numpy", "numpy"),
    ("core/ledger.py", "import numpy.typing as npt", "numpy.typing"),
    ("core/ledger.py", "from numpy.lib import stride_tricks", "numpy.lib"),
    ("core/storage/store.py", "import rich", "rich"),
    ("core/verdict.py", "from frostline.laws.causes.cause import Cause", "frostline.laws.causes.cause"),
    ("core/verdict.py", "from ..laws.causes import cause", "frostline.laws.causes.cause"),
    ("core/verdict.py", "from ..report import render", "frostline.report"),
    ("core/storage_overlap.py", "def late():\n    from frostline import settings", "frostline.settings"),
    ("core/storage_overlap.py", "def late():\n    import torch.nn.functional", "torch.nn.functional"),
    ("core/storage_overlap.py", "import frostline", "frostline"),
    ("core/storage_overlap.py", "from .. import __version__", "frostline"),
    ("errors.py", "import click", "click"),
    ("laws/causes/cause.py", "from frostline.report import render", "frostline.report"),
    ("laws/causes/cause.py", "import frostline.digest.blocks", "frostline.digest.blocks"),
    ("laws/causes/cause.py", "import numpy", "numpy"),
    ("report/views/full.py", "from frostline.laws.causes.cause import Cause", "frostline.laws.causes.cause"),
    ("report/views/full.py", "from frostline.frameworks import registry", "frostline.frameworks.registry"),
    ("report/pages.py", "from frostline.laws.causes import CAUSES", "frostline.laws.causes"),
    ("observe/observer.py", "import torch", "torch"),
    ("observe/observer.py", "from frostline.watch import Session", "frostline.watch"),
    ("digest/blocks.py", "import importlib\nimportlib.import_module('torch.utils')", "torch.utils"),
    ("digest/blocks.py", "from importlib import import_module\nimport_module('torch')", "torch"),
    ("digest/blocks.py", "__import__('jax.numpy')", "jax.numpy"),
    ("digest/blocks.py", "import importlib\nimportlib.import_module(name)", "?"),
    ("digest/blocks.py", "import importlib\nimportlib.import_module('..watch', __package__)", "frostline.watch"),
    ("frameworks/keras_common/planted.py", "import tensorflow as tf", "tensorflow"),
    ("frameworks/torch/planted.py", "import keras", "keras"),
    ("frameworks/torch/planted.py", "from jax.experimental import sparse", "jax.experimental"),
    ("frameworks/keras/planted.py", "import torch.nn", "torch.nn"),
    ("frameworks/keras/planted.py", "import tf_keras", "tf_keras"),
    (
        "frameworks/keras/planted.py",
        "from frostline.frameworks.tf_keras import keras_api",
        "frostline.frameworks.tf_keras.keras_api",
    ),
    (
        "frameworks/keras_common/planted.py",
        "from frostline.frameworks.keras import readers",
        "frostline.frameworks.keras.readers",
    ),
    (
        "frameworks/keras/planted.py",
        "def late():\n    from frostline.frameworks import registry",
        "frostline.frameworks.registry",
    ),
    ("frameworks/tf_keras/planted.py", "import keras.src", "keras.src"),
    ("integrations/trackers/tensorboard.py", "from torch.utils import tensorboard", "torch.utils"),
    ("checkpoints/planted.py", "import pickle", "pickle"),
    ("checkpoints/planted.py", "from pickle import Unpickler", "pickle"),
    ("checkpoints/planted.py", "import marshal", "marshal"),
    ("checkpoints/planted.py", "from ..report import terminal", "frostline.report.terminal"),
    ("checkpoints/planted.py", "import torch.serialization", "torch.serialization"),
    ("checkpoints/planted.py", "from safetensors.torch import load_file", "safetensors.torch"),
    ("run/runner.py", "def late():\n    import torch", "torch"),
    ("run/runner.py", "from frostline import watch, __version__", "frostline"),
    ("run/session.py", "from frostline.integrations import trackers", "frostline.integrations.trackers"),
    ("run/files/places.py", "from frostline.run import runner", "frostline.run.runner"),
    ("run/script.py", "from frostline.settings import load", "frostline.settings"),
    ("newcomer.py", "from tensorflow.python import keras", "tensorflow.python"),
]


@pytest.mark.parametrize(("file", "code", "imported"), PLANTED)
def test_a_planted_import_is_found(file: str, code: str, imported: str, tmp_path: Path) -> None:
    shutil.copytree(SOURCE, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    planted = tmp_path / "src" / "frostline" / file
    planted.parent.mkdir(exist_ok=True)
    with planted.open("a", encoding="utf-8") as source:
        source.write(f"\n{code}\n")
    module = _module(tmp_path / "src", planted)
    assert f"{module}: {imported}" in violations(tmp_path / "src")


BLOCK = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named '{{name}}'", name=name)
sys.meta_path.insert(0, Absent())
"""
INSTALLED_WITH_FROSTLINE = {"click", "msgspec", "rich", "wrapt", "xxhash"}


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_frostline_loads_neither_numpy_nor_a_framework() -> None:
    heavy = FRAMEWORKS | INSTALLED_WITH_FROSTLINE | {"numpy"}
    loaded = python("import sys, frostline; print(*{name.partition('.')[0] for name in sys.modules})").split()
    assert heavy.isdisjoint(loaded)


def test_frostline_can_be_imported_where_only_numpy_is() -> None:
    absent = FRAMEWORKS | INSTALLED_WITH_FROSTLINE
    out = python(BLOCK.format(absent=absent) + "import numpy, frostline; print(frostline.__version__)")
    assert out.strip().count(".") == 2


def test_the_command_line_starts_without_a_framework() -> None:
    absent = FRAMEWORKS | {"numpy"}
    run = "import click.testing, frostline.cli as c; run = click.testing.CliRunner().invoke(c.cli, ['run', '--help'])\n"
    assert "SCRIPT" in python(BLOCK.format(absent=absent) + run + "print(run.output)")


def test_the_blocker_of_these_tests_blocks() -> None:
    with pytest.raises(AssertionError, match="No module named 'numpy'"):
        python(BLOCK.format(absent={"numpy"}) + "import numpy")
