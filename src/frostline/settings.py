"""Every setting of a run, in one table: the command line, the Python interface and files fill the same fields.

Files are ``frostline.toml`` and the table ``[tool.frostline]`` of ``pyproject.toml``, in the nearest folder at or above
the working folder that has either; of the two the first wins, key by key. What is given directly wins over both.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from frostline.core.ledger import Expected
from frostline.core.record import Severity
from frostline.core.run import DEFAULT_DATA as DEFAULT_DATA
from frostline.core.storage import baseline
from frostline.core.suppressions import Baseline, Ignore, Override, Policy
from frostline.errors import FrostlineError, did_you_mean

OWN_FILE = "frostline.toml"
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


class SettingsError(FrostlineError):
    """A settings file that cannot be read, or that says something frostline does not understand."""


def _bytes(value: Any) -> Any:
    """A number of bytes, which a text such as "64 MiB" also is.

    >>> _bytes("64 MiB"), _bytes(1000)
    (67108864, 1000)
    """
    parts = re.fullmatch(r"\s*(\d+)\s*([A-Za-z]*)\s*", value) if isinstance(value, str) else None
    return int(parts[1]) * _UNITS[parts[2].upper()] if parts and parts[2].upper() in _UNITS else value


def _description(kind: Any) -> str | None:
    return next((each.description for each in getattr(kind, "__metadata__", ()) if isinstance(each, Meta)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a run is observed and judged; a field with a description can stand in a file.

    Example:
        >>> settings = Settings(frozen=("backbone.**",), check_every=10)
        >>> settings.expected.frozen, settings.but(check_every=5).check_every
        (['backbone.**'], 5)
    """

    frozen: Annotated[
        tuple[str, ...], Meta(description="patterns of the tensors that are expected to stay unchanged")
    ] = ()
    trained: Annotated[
        tuple[str, ...], Meta(description="patterns of the tensors that are expected to be trained")
    ] = ()
    check_every: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="check at every n-th step in place of steps 1, 2, 4, 8, …"),
    ] = None
    patience: Annotated[
        int, Meta(ge=1, description="executed steps below which “unchanged so far” is a note, never an error")
    ] = 3
    keep_bytes: Annotated[
        int, Meta(ge=0, description='memory for copies kept as evidence: a number of bytes, or a text as "64 MiB"')
    ] = 64 * 2**20
    fail_on: Annotated[
        Literal["error", "warning", "never"] | None,
        Meta(description="which findings fail a run, a report or a test: error, warning or never"),
    ] = None
    severity: Annotated[
        Mapping[str, Severity],
        Meta(description="another severity (error, warning or note) for a rule, by its code or name"),
    ] = field(default_factory=dict)
    ignore: Annotated[
        tuple[Ignore, ...],
        Meta(description="findings to count apart: tables of a rule, the reason and, if not all of them, the tensors"),
    ] = ()
    baseline: Annotated[Path | None, Meta(description="file of the findings that are known already")] = None
    data: Annotated[Path | None, Meta(description="where the record of a run goes")] = None
    tensorboard: Annotated[Path | None, Meta(description="folder for scalars that TensorBoard shows")] = None
    track: Annotated[
        tuple[Literal["wandb", "mlflow"], ...],
        Meta(description="trackers that are told scalars, findings and the page: wandb, mlflow"),
    ] = ()
    laws: Annotated[tuple[Path, ...], Meta(description="Python files that define laws and causes of your own")] = ()
    pages: Annotated[
        Annotated[str, Meta(pattern="^https?://")] | None,
        Meta(description="address (https://…) at which the site of `make docs` is served, for links in SARIF"),
    ] = None
    steps: int | None = None  # end the script after so many optimizer steps; never in a file
    digests: bool = False  # digest every tensor at the end, to be compared between processes; never in a file
    is_part: bool = False  # of one process among several: stored though it may tell nothing; never in a file
    progress: bool = False  # say on a terminal that reading takes long; never in a file
    debug: bool = False  # show errors inside frostline with their tracebacks; never in a file

    @property
    def expected(self) -> Expected:
        """The patterns of both kinds."""
        return Expected(list(self.frozen), list(self.trained))

    def policy(self) -> Policy:
        """What becomes of findings: severities, ignored rules and the baseline.

        Raises:
            FrostlineError: the baseline is there and cannot be read.
        """
        known = None
        if self.baseline is not None:
            is_there = self.baseline.exists()
            known = baseline.load(self.baseline) if is_there else Baseline(str(self.baseline), missing=True)
        return Policy(self.ignore, _overrides(self.severity, self.laws), known, self.laws)

    def but(self, **given: Any) -> Settings:
        """These settings with those of ``given`` that are not None in place of their own."""
        return replace(self, **{name: value for name, value in given.items() if value is not None})


_TYPES = get_type_hints(Settings, include_extras=True)
TABLE = {name: about for name, kind in _TYPES.items() if (about := _description(kind))}
_READ: dict[str, Callable[[Any], Any]] = {"keep_bytes": _bytes}


def load(folder: Path | None = None) -> Settings:
    """The settings that hold in ``folder``.

    Args:
        folder: where to look, and in the folders above it; the working folder without one.

    Raises:
        SettingsError: a file cannot be read, has an unknown key or rule, or a value of the wrong kind.

    Example:
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "frostline.toml").write_text('frozen = ["backbone.**"]')
        >>> load(folder).frozen
        ('backbone.**',)
    """
    return found(folder)[0]


def found(folder: Path | None = None) -> tuple[Settings, list[Path]]:
    """The settings that hold in ``folder``, and the files they come from, the one that wins last."""
    values: dict[str, Any] = {}
    files = []
    for path, table in _tables((folder or Path.cwd()).absolute()):
        values |= {name: _value(path, name, value) for name, value in table.items()}
        _require_rules(path, values)
        files.append(path)
    return Settings(**values), files


def _tables(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    for place in (folder, *folder.parents):
        pyproject, own = place / "pyproject.toml", place / OWN_FILE
        tables = []
        if pyproject.is_file() and (table := _parsed(pyproject).get("tool", {}).get("frostline")) is not None:
            tables.append((pyproject, table))
        if own.is_file():
            tables.append((own, _parsed(own)))
        if tables:
            return tables
    return []


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}", "check its permissions") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}", "fix the file, or run from another folder") from None


def _value(path: Path, name: str, value: Any) -> Any:
    """One setting of a file as its field holds it; paths are relative to the file's folder."""
    _require_known(path, "setting", name, TABLE)
    if name == "ignore":
        _require_reasons(path, value)
    read = _READ.get(name)
    try:
        kept = msgspec.convert(read(value) if read else value, _TYPES[name], dec_hook=_path)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {name}: {_sentence(str(error))}", f"{name}: {TABLE[name]}") from None
    if name == "laws":
        return tuple(path.parent / each for each in kept)
    return path.parent / kept if isinstance(kept, Path) else kept


def _path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise msgspec.ValidationError("expected a path")


def _sentence(problem: str) -> str:
    """msgspec's message in the words of a TOML file."""
    problem = re.sub(r" - at `\$(.*)`", "", problem).replace(" | null", "").replace("array", "list")
    return problem[:1].lower() + problem[1:]


def _require_known(path: Path, kind: str, name: str, known: Iterable[str]) -> None:
    known = list(known)
    if name not in known:
        hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
        raise SettingsError(f"{path}: there is no {kind} '{name}'", hint)


def _require_reasons(path: Path, entries: Any) -> None:
    example = '[[ignore]] with rule = "F107" and reason = "…"; tensors = ["backbone.**"] narrows it'
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SettingsError(f"{path}: ignore is not a list of tables", example)
    for entry in entries:
        for key in entry:
            _require_known(path, "key of ignore", key, ("rule", "reason", "tensors"))
        if "rule" not in entry:
            raise SettingsError(f"{path}: an entry of ignore names no rule", example)
        if not isinstance(entry.get("reason", ""), str) or not entry.get("reason", "").strip():
            raise SettingsError(f"{path}: {entry['rule']} is ignored without a reason", 'add reason = "…" to it')


def _require_rules(path: Path, values: Mapping[str, Any]) -> None:
    """Every rule that the settings name is there, or among the laws of the project."""
    names = [*(each.rule for each in values.get("ignore", ())), *values.get("severity", ())]
    if not names:
        return
    from frostline.laws import known

    rules = known(values.get("laws", ()))
    for name in names:
        if not any(name.lower() in (rule.code.lower(), rule.slug) for rule in rules):
            texts = [text for rule in rules for text in (rule.code, rule.slug)]
            raise SettingsError(
                f"{path}: there is no rule '{name}'", did_you_mean(name, texts) or "see `frostline rules`"
            )


def _overrides(severity: Mapping[str, Severity], laws: tuple[Path, ...]) -> dict[str, Override]:
    if not severity:
        return {}
    from frostline.laws import known

    return {
        rule.slug: Override(rule.severity, wanted)
        for name, wanted in severity.items()
        for rule in known(laws)
        if name.lower() in (rule.code.lower(), rule.slug)
    }
