"""D: the declaration itself is contradictory, lost, or never read."""

from __future__ import annotations

from frostline.core.events import FlagMisspelt, LoadLeftOut, TensorReplaced, TieBroken
from frostline.core.ledger import Ledger, TensorRow
from frostline.core.record import Finding
from frostline.rules.rule import Rule, several, tensors

FLIPPED = Rule(
    "D301",
    "flag-flipped-during-run",
    "note",
    "L12",
    means="A flag changed while the run was going on.",
    matters="Gradual unfreezing and GANs do this on purpose; a helper that switches flags does it behind your back.",
    remedy="intended? nothing to do; otherwise pass --frozen PATTERN to make a later unfreeze an error",
    tells_apart="The flag itself was seen to differ between two steps.",
)
TIED_NAMES = Rule(
    "D302",
    "tied-names-disagree",
    "warning",
    "L12",
    means="One storage has several names, and freezing one of them silently decided the other.",
    matters="There is one tensor and one flag: the last call wins, for both names.",
    remedy="decide once for the shared tensor, or untie it with a copy before freezing one side",
    tells_apart="Two names of one tensor got different flags by explicit calls, or by the rest of their modules.",
)
TIE_BROKEN = Rule(
    "D303",
    "tie-broken",
    "warning",
    "L6",
    means="Names that shared a storage at the first check no longer do.",
    matters="One of them trains and is saved; the other stays what it was.",
    remedy="tie the weights again after conversion, wrapping or loading (for example with tie_weights())",
    tells_apart="The same names, two storages now, one at the first check.",
)
STRAY = Rule(
    "D304",
    "stray-flag-attribute",
    "error",
    "L12",
    means="A flag was written to an attribute that nothing reads.",
    matters="Python accepts any attribute: the script visibly freezes the weights and they train.",
    remedy="write requires_grad (on tensors), call requires_grad_() (on modules), or set layer.trainable",
    tells_apart="The attribute exists on the object, holds False, and the real flag is True.",
)
RESET = Rule(
    "D305",
    "flags-reset-by-replacement",
    "warning",
    "L12",
    means="A tensor was replaced under its name (conversion, resize, adapter) and came back trainable.",
    matters="What you froze before the replacement trains after it.",
    remedy="freeze again after every step that builds new modules",
    tells_apart="Another tensor object carries the name, and its flag differs from that of the old one.",
)
RANDOM = Rule(
    "D306",
    "frozen-random-weights",
    "note",
    "L8",
    means="A tensor was frozen from the start and still looks like what its initialiser made.",
    matters="A frozen backbone that was never loaded is a random projection.",
    remedy="check that the pretrained weights were really loaded (names, strict=False, skip_mismatch)",
    tells_apart="Frozen at the first check, unchanged, and distributed as the initialiser does; or the load that gave "
    "the model its other weights had nothing for it.",
)

RULES = (FLIPPED, TIED_NAMES, TIE_BROKEN, STRAY, RESET, RANDOM)


def find(ledger: Ledger) -> list[Finding]:
    """Look at flags, ties and replacements."""
    return [
        *_flips(ledger),
        *_tied(ledger),
        *(_tie_broken(event, ledger) for event in ledger.events_of(TieBroken)),
        *(_stray(event, ledger) for event in ledger.events_of(FlagMisspelt)),
        *_resets(ledger),
        *_random(ledger),
    ]


def _flips(ledger: Ledger) -> list[Finding]:
    replaced = {event.name for event in ledger.events_of(TensorReplaced)}
    groups: dict[tuple[str, tuple[tuple[int, bool], ...], bool], list[TensorRow]] = {}
    for row in ledger.tensors:
        if row.kind == "parameter" and row.declared.flips and row.name not in replaced:
            flips = tuple((flip.step, flip.now) for flip in row.declared.flips)
            against = (
                row.expected == "frozen"
                and any(flip.now for flip in row.declared.flips)
                and row.changed.verdict
                != "yes"  # else the bits tell: expected-frozen-but-changed, which names the flips
            )
            groups.setdefault((row.model, flips, against), []).append(row)
    found = []
    for (_, flips, against), rows in groups.items():
        times = [f"{'on' if now else 'off'} before step {step}" for step, now in flips]
        count = rows[0].declared.flip_count
        found.append(
            FLIPPED.found(
                rows,
                f"the flag of {tensors(rows)} changed {several(count, 'time')} during the run",
                {"flips": times, "expected": rows[0].expected_pattern if against else None},
                severity="error" if against else "note",
            )
        )
    return found


def _tied(ledger: Ledger) -> list[Finding]:
    weights = [row for row in ledger.tensors if row.kind == "parameter"]
    flags = {name: row.declared.trainable for row in weights for name in (row.name, *row.aliases)}
    found = []
    for row in ledger.tensors:
        if not row.aliases or row.kind == "buffer":
            continue
        names = _apart([row.name, *row.aliases])
        said = {name: flag for name, flag in row.declared.intents if name in names}
        if len(set(said.values())) > 1:
            found.append(_disagree(row, said, "explicit calls"))
        elif not said and row.declared.trainable is not None:
            about = {name: _neighbours(name, flags, set(names)) for name in names}
            if {flag for flag in about.values() if flag is not None} - {row.declared.trainable}:
                said = {name: row.declared.trainable if flag is None else flag for name, flag in about.items()}
                if len(set(said.values())) > 1:
                    found.append(_disagree(row, said, "the other tensors of each module"))
    return found


def _apart(names: list[str]) -> list[str]:
    """The names without those of a part that is also known by itself: the same tensor of the same module."""
    return [name for name in names if not any(other.endswith(f".{name}") for other in names)]


def _neighbours(name: str, flags: dict[str, bool | None], tied: set[str]) -> bool | None:
    """The one flag that all other parameters around ``name`` have, or None.

    Around means in the nearest enclosing module below the root that has others.
    """
    path = name.rpartition(".")[0]
    while "." in path:
        around = {flag for other, flag in flags.items() if other.startswith(path + ".") and other not in tied}
        if around:
            return around.pop() if len(around) == 1 else None
        path = path.rpartition(".")[0]
    return None


def _disagree(row: TensorRow, said: dict[str, bool], source: str) -> Finding:
    words = {True: "trainable", False: "frozen"}
    return TIED_NAMES.found(
        [row],
        f"{row.name} is one tensor under {several(1 + len(row.aliases), 'name')}, declared "
        + " and ".join(f"{words[flag]} as {name}" for name, flag in said.items()),
        {"names": [row.name, *row.aliases], "flag": row.declared.trainable, "seen_from": source},
    )


def _tie_broken(event: TieBroken, ledger: Ledger) -> Finding:
    rows = {row.name: row for row in ledger.tensors}
    names = (event.name, *event.lost)
    concerned = [rows[name] for name in names if name in rows]
    apart = {row.changed.verdict for row in concerned}
    return TIE_BROKEN.found(
        names,
        f"{' and '.join(names)} shared one storage and no longer do (seen before step {event.step + 1})",
        {"changed": [f"{row.name}: {row.changed.verdict}" for row in concerned]},
        severity="error" if len(apart) > 1 else None,
    )


def _stray(event: FlagMisspelt, ledger: Ledger) -> Finding:
    rows = {row.name: row for row in ledger.tensors}
    moved = [name for name in event.tensors if name in rows and rows[name].changed.verdict == "yes"]
    below = several(len(event.tensors), "tensor")
    return STRAY.found(
        event.tensors,
        f"{event.subject} = False has no effect: {len(moved)} of {below} below it moved",
        {"attribute": event.attribute, "on": event.on, "moved": len(moved)},
        severity="error" if moved else "warning",
    )


def _resets(ledger: Ledger) -> list[Finding]:
    rows = {row.name: row for row in ledger.tensors}
    reset = [
        rows[event.name]
        for event in ledger.events_of(TensorReplaced)
        if event.flag_before is False
        and event.flag_now is True
        and event.name in rows
        and _was_frozen(rows[event.name], event.step)
    ]
    groups: dict[str, list[TensorRow]] = {}
    for row in reset:
        groups.setdefault(row.model, []).append(row)
    return [
        RESET.found(
            tensor_rows,
            f"{tensors(tensor_rows)} were replaced during the run and came back trainable",
            {"module": tensor_rows[0].replaced, "moved": sum(row.changed.verdict == "yes" for row in tensor_rows)},
            severity="error" if any(row.changed.verdict == "yes" for row in tensor_rows) else None,
        )
        for tensor_rows in groups.values()
    ]


def _was_frozen(row: TensorRow, step: int) -> bool:
    """Whether the flag was off in a step before the replacement, and not only while the model was rebuilt."""
    return step == 0 or row.declared.first is False or row.declared.frozen_steps > 0


def _random(ledger: Ledger) -> list[Finding]:
    left_out = {name for event in ledger.events_of(LoadLeftOut) for name in event.tensors}
    groups: dict[tuple[str, bool], list[TensorRow]] = {}
    for row in ledger.tensors:
        missing = row.name in left_out
        written = row.changed.followed or row.changed.before_training or (row.loaded and not missing)
        if row.declared.trainable is False and (row.owner.default_initialised or missing) and not written:
            groups.setdefault((row.model, missing), []).append(row)
    return [
        RANDOM.found(
            rows,
            f"{tensors(rows)} were frozen from the start and still look randomly initialised"
            + ("; what was loaded into the model had nothing for them" if missing else ""),
            {"expected": rows[0].expected_pattern, "layer": rows[0].owner.type, "left_out_of_load": missing or None},
            hint="train them, since nothing else gives them values: a new head must not be frozen" if missing else None,
        )
        for (_, missing), rows in groups.items()
    ]
