"""How python itself runs a script, a module, a folder or a zip: located, set up, executed, and its end told."""

from __future__ import annotations

import builtins
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from frostline.errors import EnoughSteps, FrostlineError, did_you_mean
from frostline.run.files import notebook
from frostline.run.tracebacks import strip_own_frames

INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be run: ``sys.argv[0]``, the first entry of ``sys.path``, and how to execute it.

    ``is_container`` says that the entry is the target itself, which python then enters whatever its flags say.
    """

    name: str
    path: str
    execute: Callable[[], None]
    is_container: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """How the script ended: the exit status python would give it, and the exception or signal that ended it."""

    status: int
    by: str | None = None


def locate(name: str, *, as_module: bool = False) -> Target:
    """The target that ``python name`` (or ``python -m name``) would run.

    Args:
        name: a script, a notebook, a folder or zip with a ``__main__.py``, "-" for standard input, or a module's name.
        as_module: whether ``name`` is the name of a module.

    Raises:
        FrostlineError: there is no such script or module.
    """
    if as_module:
        return _module(name)
    if name == "-":
        return Target(name, "", _execute_stdin)
    absolute = os.path.join(os.getcwd(), name)  # as python spells it: "./a.py" and "../a.py" are kept
    if not os.path.exists(absolute):
        raise FrostlineError(f"there is no script '{name}'", _nearby(absolute) or "check the path")
    if absolute.endswith(notebook.SUFFIX) and os.path.isfile(absolute):
        cells = notebook.read(absolute)
        return Target(name, os.path.dirname(os.path.realpath(absolute)), lambda: _execute_notebook(cells, absolute))
    if (importer := _container(absolute)) is None:
        return Target(name, os.path.dirname(os.path.realpath(absolute)), lambda: _execute_file(absolute))
    if importer.find_spec("__main__") is None:
        raise FrostlineError(f"cannot run '{name}': it holds no __main__.py", "name the script itself")
    return Target(name, absolute, lambda: _execute_module("__main__", False), is_container=True)


def execute(target: Target, arguments: Sequence[str]) -> Ending:
    """Execute ``target`` as ``__main__`` and wait for its threads, with every trace that python itself would leave.

    An uncaught exception is printed as python prints it, without any frame of frostline. What is left for the
    interpreter's end, as under plain python, are the script's ``atexit`` callbacks.
    """
    sys.argv[:] = [target.name, *arguments]
    _enter_path(target)
    sys.modules["__main__"] = _empty_main()
    ending = _ending_of(target.execute)
    # The interpreter's own order is: body, threads, atexit callbacks, teardown. Frameworks tear themselves down in
    # atexit callbacks, so whoever wants to read weights must have waited for the threads and come before those.
    joined = _ending_of(sys.modules["threading"]._shutdown) if "threading" in sys.modules else Ending(0)
    return joined if joined.status == INTERRUPTED else ending


def _module(name: str) -> Target:
    top = name.partition(".")[0]
    try:
        sys.path.insert(0, os.getcwd())
        found = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        found = None
    finally:
        del sys.path[0]
    if found is None:
        raise FrostlineError(f"there is no module '{name}'", "check the name, and that it is installed for this python")
    return Target("-m", os.getcwd(), lambda: _execute_module(name, True))


def _nearby(absolute: str) -> str:
    folder = Path(absolute).parent
    if not folder.is_dir():
        return f"there is no folder {folder}"
    return did_you_mean(Path(absolute).name, sorted(path.name for path in folder.glob("*.py")))


def _container(path: str) -> Any:
    """The importer of a folder or a zip, None for a file: the test that python makes."""
    for hook in sys.path_hooks:
        try:
            return hook(path)
        except ImportError:
            continue
    return None


def _enter_path(target: Target) -> None:
    if not sys.flags.safe_path:
        sys.path[0] = target.path  # in place of the entry of frostline's own start
    elif target.is_container:
        sys.path.insert(0, target.path)


def _empty_main() -> ModuleType:
    """A ``__main__`` as the interpreter makes it before it runs anything."""
    main = ModuleType("__main__")
    main.__loader__ = importlib.machinery.BuiltinImporter
    if sys.version_info < (3, 14):
        main.__annotations__ = {}
    main.__dict__["__builtins__"] = builtins
    return main


def _execute_file(path: str) -> None:
    if path.endswith(".pyc"):
        loader = importlib.machinery.SourcelessFileLoader("__main__", path)
        code = loader.get_code("__main__")
        assert isinstance(code, CodeType)
        _execute_code(code, path, loader)
    else:
        with open(path, "rb") as file:
            source = file.read()
        _execute_source(source, path, importlib.machinery.SourceFileLoader("__main__", path))


def _execute_notebook(cells: notebook.Notebook, path: str) -> None:
    notebook.say_left_out(os.path.basename(path), cells)
    main = sys.modules["__main__"]
    main.__file__ = path
    for code in cells.cells:
        exec(code, main.__dict__)


def _execute_stdin() -> None:
    _execute_source(sys.stdin.buffer.read(), "<stdin>", importlib.machinery.BuiltinImporter)


def _execute_source(source: bytes, path: str, loader: Any) -> None:
    code = compile(source, path, "exec", dont_inherit=True)
    _execute_code(code, path, loader)


def _execute_code(code: CodeType, path: str, loader: Any) -> None:
    main = sys.modules["__main__"]
    main.__loader__ = loader
    main.__file__ = path
    main.__dict__["__cached__"] = None
    exec(code, main.__dict__)


def _execute_module(name: str, alter_argv: bool) -> None:
    import runpy  # late: only -m, folders and zips need it

    # What the interpreter itself calls, so that its frames stand in tracebacks as under plain python.
    runpy._run_module_as_main(name, alter_argv)  # type: ignore[attr-defined]


def _ending_of(execute: Callable[[], None]) -> Ending:
    error = _raised_by(execute)  # judged out here: under plain python a hook finds no exception being handled
    if error is None:
        return Ending(0)
    if isinstance(error, SystemExit):
        return Ending(_leave(error), error.by if isinstance(error, EnoughSteps) else None)
    strip_own_frames(error)
    interrupted = type(error) is KeyboardInterrupt
    by = "SIGINT" if interrupted else type(error).__qualname__
    return Ending(_report(error, INTERRUPTED if interrupted else 1), by)


def _raised_by(execute: Callable[[], None]) -> BaseException | None:
    try:
        execute()
    except BaseException as error:
        return error
    return None


def _leave(leaving: SystemExit) -> int:
    """The exit status of a ``SystemExit``; a code that is no number is printed, as python does."""
    code = leaving.code
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if -(2**63) <= code < 2**63 else 0xFF
    print(code, file=sys.stderr if sys.stderr is not None else sys.__stderr__)
    return 1


def _report(error: BaseException, status: int) -> int:
    """Hand an uncaught exception to ``sys.excepthook``; ``status``, unless the script's own hook exits with another."""
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    inner = _raised_by(lambda: sys.excepthook(type(error), error, error.__traceback__))
    if isinstance(inner, SystemExit):
        return _leave(inner)
    if inner is not None:
        strip_own_frames(inner)
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(inner), inner, inner.__traceback__)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, error.__traceback__)
    return status
