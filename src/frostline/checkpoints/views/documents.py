"""What the commands print with --json: plain documents of stable fields.

Format history
  1  first version
"""

from __future__ import annotations

from typing import Any

from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.diff.compare import Diff, Pair
from frostline.checkpoints.lock.verification import Verification

FORMAT = 1
VERDICTS = ("same", "different", "unknown")


def of_checkpoint(checkpoint: Checkpoint, digests: dict[str, str]) -> dict[str, Any]:
    """A checkpoint: its tensors, the names that share storage, the totals, and what else it holds."""
    ties = checkpoint.ties()
    tied = {name: [other for other in group if other != name] for group in ties for name in group}
    tensors = [
        _tensor(tensor) | {"digest": digests.get(name) or None, "tied": tied.get(name, [])}
        for name, tensor in checkpoint.tensors.items()
    ]
    return {
        "format": FORMAT,
        "file": str(checkpoint.path),
        "kind": checkpoint.kind,
        "tensors": tensors,
        "ties": ties,
        "others": [{"name": name, "value": value} for name, value in checkpoint.extras.items()],
        "metadata": checkpoint.metadata,
        "totals": totals(checkpoint),
    }


def totals(checkpoint: Checkpoint) -> dict[str, int]:
    """Counts over all tensors; ``stored`` counts the bytes of tied tensors once."""
    tensors = checkpoint.tensors.values()
    spans: dict[object, list[tuple[int, int]]] = {}
    apart = 0
    for tensor in tensors:
        if tensor.extent:
            spans.setdefault(tensor.extent.storage, []).append((tensor.extent.start, tensor.extent.stop))
        else:
            apart += tensor.nbytes
    return {
        "tensors": len(tensors),
        "values": sum(tensor.size for tensor in tensors),
        "bytes": sum(tensor.nbytes for tensor in tensors),
        "stored": apart + sum(_covered(ranges) for ranges in spans.values()),
        "unknown": sum(1 for tensor in tensors if tensor.unknown),
    }


def of_diff(diff: Diff) -> dict[str, Any]:
    """A difference: one list for each thing that can have happened to a tensor."""
    same = diff.of("same")
    document: dict[str, Any] = {
        "format": FORMAT,
        "old": {"file": str(diff.old.path), "kind": diff.old.kind},
        "new": {"file": str(diff.new.path), "kind": diff.new.kind},
        "verdict": VERDICTS[diff.exit_status],
        "same": len(same),
        "left_out": diff.left_out,
        "not_compared": diff.uncompared,
        "unread": [_tensor(tensor) for tensor in diff.allowed],
        "added": [_tensor(tensor) for tensor in diff.added],
        "removed": [_tensor(tensor) for tensor in diff.removed],
        "others": [{"name": each.name, "old": each.old, "new": each.new} for each in diff.others],
        "renamed": [_tensor(pair.new) | {"old_name": pair.old.name, "by": "bytes"} for pair in diff.of("renamed")]
        + [_tensor(pair.new) | {"old_name": pair.through, "by": "wrapper"} for pair in same if pair.through],
    }
    for state in ("changed", "retyped", "reshaped", "unknown"):
        document[state] = [_pair(pair) for pair in diff.of(state)]
    return document


def of_verification(result: Verification) -> dict[str, Any]:
    """What a file proved about a lock."""
    return {
        "format": FORMAT,
        "verdict": VERDICTS[result.exit_status],
        "same": [{"name": name} for name in result.same],
        "differ": _reasons(result.differ),
        "missing": [{"name": name} for name in result.missing],
        "new": [{"name": name} for name in result.new],
        "unknown": _reasons(result.unknown),
        "may_differ": _reasons(result.allowed),
        "absent": [{"name": name} for name in result.absent],
        "not_compared": result.apart,
        "unread": _reasons(result.unread),
    }


def _reasons(entries: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "reason": reason} for name, reason in entries]


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": list(tensor.shape),
        "size": tensor.size,
        "bytes": tensor.nbytes,
        "note": tensor.unknown or tensor.note or None,
    }


def _pair(pair: Pair) -> dict[str, Any]:
    found = _tensor(pair.new) | {"old_name": pair.old.name}
    if pair.state in ("retyped", "reshaped"):
        found |= {"old_dtype": pair.old.dtype, "old_shape": list(pair.old.shape), "same_bytes": pair.same_bytes}
        found |= {"converted": pair.converted, "common_rows": pair.common_rows}
    if pair.state == "unknown":
        found["reason"] = pair.old.unknown or pair.new.unknown or pair.old.note or pair.new.note
    move = pair.move
    if move is not None:
        found |= {
            "unit": move.unit,
            "elements": move.elements,
            "elements_changed": move.changed,
            "rows": move.rows,
            "rows_changed": move.rows_changed if move.rows is not None else None,
            "row_ranges": [list(bounds) for bounds in move.ranges],
            "largest": move.largest,
            "relative": move.relative,
            "nan_appeared": move.nan_appeared,
            "nan_gone": move.nan_gone,
            "sign_of_zero": move.sign_of_zero,
        }
    return found


def _covered(ranges: list[tuple[int, int]]) -> int:
    total = furthest = 0
    for start, stop in sorted(ranges):
        total += max(0, stop - max(start, furthest))
        furthest = max(furthest, stop)
    return total
