"""The line of the user's script that is being executed: what frostline and installed packages do was called by it."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import os
import sys
import sysconfig
from collections.abc import Collection, Iterator, Sequence
from types import CodeType, FrameType, FunctionType
from typing import Any, Literal

from frostline.core.events.fact import Origin

Kind = Literal["script", "library", "framework"]

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_SITES = ("/site-packages/", "/dist-packages/")
_STANDARD = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "scripts")})  # and commands
_FRAMEWORKS = ("torch", "keras", "tf_keras", "tensorflow", "jax", "flax", "optax")  # their functions name themselves
_GENERATED = ("torchinductor", "__autograph_generated_file")  # written by a compiler, wherever that is
_CELLS = ("<ipython-input", "<stdin>")
_KEPT = 4096
_SOURCE = 200  # characters of a line that are kept
_LINES = 10_000  # of a file in which a line is looked for

_started_in = [""]  # the folder that the run was started in, with its separator
_kinds: dict[str, Kind] = {}  # by file
_origins: dict[tuple[int, int, int], tuple[Origin, CodeType, CodeType | None]] = {}  # by ids of codes that are kept


def start_here() -> None:
    """A run begins in this folder, from which files of the script are named: the script may go to another one."""
    _started_in[0] = os.path.join(os.getcwd(), "")
    _origins.clear()


def script_line(above: int = 0, but: Collection[CodeType] = ()) -> Origin | None:
    """Where the script is now: the first frame that is neither ours nor a package's, and which package it called.

    It costs as much as there are frames up to that one, and no more.

    Args:
        above: how many frames above the caller's to begin with, which are known to be ours.
        but: functions that are passed over, unless nothing else is found: ``__init__`` of what the script makes.

    Example:
        >>> script_line() is None or script_line().line > 0
        True
    """
    frame: FrameType | None = sys._getframe(1 + above)
    inside: CodeType | None = None
    passed: FrameType | None = None
    while frame is not None:
        code = frame.f_code
        kind = _kinds.get(code.co_filename) or _kind_of(code.co_filename)
        if kind == "script":
            if code not in but:
                return _origin(frame, inside)
            passed = frame
        elif kind == "library" and inside is None and code not in but:
            inside = code
        frame = frame.f_back
    return _origin(passed, inside) if passed is not None else None


def called_by_framework(module: str) -> bool:
    """Whether a framework's own code calls into one of its files, and not the script or another package.

    Args:
        module: that file, which may call itself.

    Example:
        >>> called_by_framework(__file__)  # by the machinery that runs examples, which is no script
        True
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (frame.f_code.co_filename.startswith(_OURS) or frame.f_code.co_filename == module):
        frame = frame.f_back
    return frame is not None and _kind_of(frame.f_code.co_filename) == "framework"


def line_of(function: Any) -> Origin | None:
    """Where a function of the script begins; None for one of a package, or one that is not written in Python.

    >>> line_of(len), line_of(line_of)
    (None, None)
    """
    code = getattr(inspect.unwrap(function) if callable(function) else None, "__code__", None)
    if code is None or _kind_of(code.co_filename) != "script":
        return None
    return _made(code, code.co_firstlineno, None, None)


def files_of_script() -> list[str]:
    """The files of modules that are loaded and neither ours nor a package's, and those of cells that were executed.

    Example:
        >>> any("site-packages" in file for file in files_of_script())
        False
    """
    loaded = [file for module in list(sys.modules.values()) if isinstance(file := vars(module).get("__file__"), str)]
    return [file for file in dict.fromkeys([*loaded, *_kinds]) if _kind_of(file) == "script"]


def setter_of(attribute: str) -> Origin | None:
    """The only line in the script's files that sets an attribute of this name.

    None where no line does, where several do, or where one sets an attribute whose name is not written there.

    Args:
        attribute: its name, which an object of the run is known to have been given.

    Example:
        >>> setter_of("no_line_sets_this") is None
        True
    """
    found: list[Origin] = []
    for file in files_of_script():
        lines = linecache.getlines(file)
        if len(lines) > _LINES:
            return None
        text = "".join(lines)
        if attribute not in text and "setattr" not in text:
            continue
        for line, name in _set_in(text):
            if name is None:
                return None
            if name == attribute:
                found.append(_line_in(file, line))
    return found[0] if len(found) == 1 else None


def makers(thing: object, methods: Sequence[str] = ("__init__",)) -> list[CodeType]:
    """The code of every ``__init__`` that made ``thing``: who called the outermost of them is the line that made it.

    Args:
        thing: that was made.
        methods: others than ``__init__`` that pass on to the same method of a base class.

    Example:
        >>> makers(object())
        []
    """
    own = (vars(kind).get(method) for kind in type(thing).__mro__ for method in methods)
    return [function.__code__ for function in own if isinstance(function, FunctionType)]


def _kind_of(file: str) -> Kind:
    """Whose code it is; the same file is asked for once."""
    kind: Kind = "script"
    plain = file.replace(os.sep, "/")
    no_file = file.startswith("<") and not file.startswith(_CELLS)
    if site := next((site for site in _SITES if site in plain), None):
        kind = "framework" if plain.partition(site)[2].split("/")[0] in _FRAMEWORKS else "library"
    elif no_file or file.startswith((_OURS, *_STANDARD)) or any(part in file for part in _GENERATED):
        kind = "framework"
    _kinds[file] = kind
    return kind


def _origin(frame: FrameType, inside: CodeType | None) -> Origin:
    key = (id(frame.f_code), frame.f_lasti, id(inside))
    known = _origins.get(key)
    if known is None:
        if len(_origins) >= _KEPT:
            _origins.clear()
        made = _made(frame.f_code, frame.f_lineno, inside, frame.f_globals)
        known = _origins[key] = made, frame.f_code, inside
    return known[0]


def _made(code: CodeType, line: int, inside: CodeType | None, module: dict[str, Any] | None) -> Origin:
    return Origin(
        file=_named(code.co_filename),
        line=line,
        function=code.co_name.strip("<>"),
        inside=inside.co_qualname if inside is not None else "",
        source=linecache.getline(code.co_filename, line, module).strip()[:_SOURCE],
    )


def _named(file: str) -> str:
    """A file from where the run was started."""
    if file.startswith("<"):  # as the cell of a notebook is named
        return file
    return os.path.join(_started_in[0], file).removeprefix(_started_in[0]).replace(os.sep, "/")


def _line_in(file: str, line: int) -> Origin:
    """A line of one of the script's files, as it stands there; which function it is in is not said."""
    return Origin(file=_named(file), line=line, source=linecache.getline(file, line).strip()[:_SOURCE])


@functools.lru_cache(maxsize=64)  # a loop sets an attribute of many tensors, and each is asked after
def _set_in(text: str) -> tuple[tuple[int, str | None], ...]:
    """The lines of a source that set attributes, each with the attribute's name; None where that is not written."""
    return tuple(_setting(text))


def _setting(text: str) -> Iterator[tuple[int, str | None]]:
    try:
        tree = ast.parse(text)
    except SyntaxError:  # the cell of a notebook with commands of its own
        yield 0, None
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr":
            name = node.args[1] if len(node.args) > 1 else None
            yield node.lineno, str(name.value) if isinstance(name, ast.Constant) else None
