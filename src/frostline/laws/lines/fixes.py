"""The fix of a finding as code, where it can be said exactly: which call, on what, after which line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile

from frostline.core.ledger import TensorRow
from frostline.core.record import Finding, FindingOrigin
from frostline.laws.observed_run import ObservedRun

Fix = Callable[[Sequence[TensorRow], Sequence[FindingOrigin], ObservedRun], str | None]


def with_fix(finding: Finding, rows: Sequence[TensorRow], run: ObservedRun) -> str:
    """The hint of a finding: the code that mends it, or what it was without lines.

    Args:
        finding: that has its lines.
        rows: of its tensors.
        run: what was seen of the run.
    """
    fix = _FIXES.get(finding.code)
    exact = fix(rows, finding.origins, run) if fix is not None and rows and finding.severity != "note" else None
    return exact or finding.hint


def _eval_mode(rows: Sequence[TensorRow], origins: Sequence[FindingOrigin], run: ObservedRun) -> str | None:
    subtrees = {f"{row.model}.{row.owner.frozen_subtree}" for row in rows if row.owner.frozen_subtree is not None}
    line = _last(origins, "train mode")
    if run.framework != "torch" or len(subtrees) != 1 or line is None or not _is_variable(rows[0].model):
        return None
    return f"put `{_as_code(subtrees.pop())}.eval()` after {line.text}"


def _compile_again(rows: Sequence[TensorRow], origins: Sequence[FindingOrigin], run: ObservedRun) -> str | None:
    compiled, flag = _last(origins, "compiled"), _last(origins, "frozen", "unfrozen")
    if "keras" not in run.framework or compiled is None or flag is None:
        return None
    call = compiled.source.partition("(")[0]
    return f"put `{call}(…)` after {flag.text}, as at {compiled.text}" if call.endswith(".compile") else None


def _add_group(rows: Sequence[TensorRow], origins: Sequence[FindingOrigin], run: ObservedRun) -> str | None:
    made, flag = _last(origins, "optimizer"), _last(origins, "unfrozen")
    if run.framework != "torch" or made is None or flag is None or len(run.optimizers) != 1:
        return _compile_again(rows, origins, run)
    shared = zip(*([row.model, *row.owner.path.split(".")] for row in rows), strict=False)
    path = ".".join(pieces[0] for pieces in takewhile(lambda pieces: len({*pieces}) == 1, shared))
    below = {row.name for row in run.tensors if row.kind == "parameter" and row.name.startswith(f"{path}.")}
    if below != {row.name for row in rows} or not _is_variable(rows[0].model):
        return None
    group = f'{{"params": {_as_code(path)}.parameters()}}'
    return f"put `{run.optimizers[0].id}.add_param_group({group})` after {flag.text}"


def _made_later(rows: Sequence[TensorRow], origins: Sequence[FindingOrigin], run: ObservedRun) -> str | None:
    made, flag = _last(origins, "optimizer"), _last(origins, "frozen")
    if run.framework != "torch" or made is None or flag is None:
        return None
    return f"after {flag.text} make the optimizer of {made.text} again, with trainable parameters only"


def _last(origins: Sequence[FindingOrigin], *roles: str) -> FindingOrigin | None:
    """The one line of these roles; None where there are several, or none."""
    found = [origin for origin in origins if origin.role in roles and origin.until is None]
    return found[0] if len(found) == 1 else None


def _is_variable(model: str) -> bool:
    """Whether the model goes by the name of a variable, and not by that of its class."""
    return model.isidentifier() and not model[0].isupper()


def _as_code(path: str) -> str:
    """A dotted path as Python takes it.

    >>> _as_code("model.layers.0.norm")
    'model.layers[0].norm'
    """
    pieces = (f"[{piece}]" if piece.isdigit() else f".{piece}" for piece in path.split(".") if piece)
    return "".join(pieces).lstrip(".")


_FIXES: Mapping[str, Fix] = {
    "F101": _made_later,
    "F102": _made_later,
    "F105": _compile_again,
    "F107": _eval_mode,
    "T209": _add_group,
}
