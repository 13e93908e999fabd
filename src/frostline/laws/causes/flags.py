"""D: the declaration itself is contradictory, lost, or never read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from frostline.core.amounts import several, tensors, were
from frostline.core.events import FlagMisspelt, FlagsLost, TensorReplaced, TieBroken
from frostline.core.events.files import LoadLeftOut
from frostline.core.ledger import TensorRow
from frostline.laws.causes.cause import Case, Cause, Proven, flips_of
from frostline.laws.observed_run import ObservedRun

__all__ = ["CAUSES"]


def _flips(run: ObservedRun) -> Iterator[Case]:
    """Flags that changed; against the user's word where the bits did not tell so already."""
    replaced = {event.name for event in run.events_of(TensorReplaced)}
    groups: dict[tuple[str, tuple[tuple[int, bool], ...], bool], list[TensorRow]] = {}
    for row in run.tensors:
        if row.kind == "parameter" and row.declared.flips and row.name not in replaced:
            flips = tuple((flip.step, flip.now) for flip in row.declared.flips)
            on = any(now for _, now in flips)
            against = row.expected == "frozen" and on and row.changed.verdict != "yes"
            groups.setdefault((row.model, flips, against), []).append(row)
    for (*_, against), rows in groups.items():
        count = rows[0].declared.flip_count
        yield Case(
            rows,
            f"the flag of {tensors(rows)} changed {several(count, 'time')} during the run",
            {"flips": flips_of(rows[0]), "expected": rows[0].expected_pattern if against else None},
            severity="error" if against else None,
        )


FLIPPED = Cause(
    code="D301",
    slug="flag-flipped-during-run",
    severity="note",
    law="L12",
    means="A flag changed while the run was going on.",
    matters="Gradual unfreezing and GANs do this on purpose; a helper that switches flags does it behind your back.",
    remedy="intended? nothing to do; otherwise pass --frozen PATTERN to make a later unfreeze an error",
    tells_apart="The flag itself was seen to differ between two steps.",
    cases=_flips,
)


def _tied(run: ObservedRun) -> Iterator[Case]:
    """Tensors of several names that explicit calls, or the other tensors of their modules, decide differently."""
    flags = {
        name: row.declared.trainable
        for row in run.tensors
        if row.kind == "parameter"
        for name in (row.name, *row.aliases)
    }
    for row in run.tensors:
        if not row.aliases or row.kind == "buffer":
            continue
        names = _apart([row.name, *row.aliases])
        said = {name: flag for name, flag in row.declared.intents if name in names}
        if len(set(said.values())) > 1:
            yield _disagree(row, said, "explicit calls")
        elif not said and row.declared.trainable is not None:
            about = {name: _neighbours(name, flags, set(names)) for name in names}
            said = {name: row.declared.trainable if flag is None else flag for name, flag in about.items()}
            if len(set(said.values())) > 1:
                yield _disagree(row, said, "the other tensors of each module")


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


def _disagree(row: TensorRow, said: dict[str, bool], source: str) -> Case:
    words = {True: "trainable", False: "frozen"}
    return Case(
        [row],
        f"{row.name} is one tensor under {several(1 + len(row.aliases), 'name')}, declared "
        + " and ".join(f"{words[flag]} as {name}" for name, flag in said.items()),
        {"names": [row.name, *row.aliases], "flag": row.declared.trainable, "seen_from": source},
    )


TIED_NAMES = Cause(
    code="D302",
    slug="tied-names-disagree",
    severity="warning",
    law="L12",
    means="One storage has several names, and freezing one of them silently decided the other.",
    matters="There is one tensor and one flag: the last call wins, for both names.",
    remedy="decide once for the shared tensor, or untie it with a copy before freezing one side",
    tells_apart="Two names of one tensor got different flags by explicit calls, or by the rest of their modules.",
    cases=_tied,
)


def _ties_broken(run: ObservedRun) -> Iterator[Case]:
    for event in run.events_of(TieBroken):
        names = (event.name, *event.lost)
        concerned = [run.named[name] for name in names if name in run.named]
        apart = {row.changed.verdict for row in concerned}
        yield Case(
            names,
            f"{' and '.join(names)} shared one storage and no longer do (seen before step {event.step + 1})",
            {"changed": [f"{row.name}: {row.changed.verdict}" for row in concerned]},
            severity="error" if len(apart) > 1 else None,
        )


TIE_BROKEN = Cause(
    code="D303",
    slug="tie-broken",
    severity="warning",
    law="L6",
    means="Names that shared a storage at the first check no longer do.",
    matters="One of them trains and is saved; the other stays what it was.",
    remedy="tie the weights again after conversion, wrapping or loading (for example with tie_weights())",
    tells_apart="The same names, two storages now, one at the first check. An error where one moved and one did not.",
    symptoms=("T",),
    cases=_ties_broken,
)


_OF_TENSORS = ("tensor", "variable")
_WRITE = {
    "tensor": "write requires_grad, as in tensor.requires_grad = False",
    "module": "call module.requires_grad_(False): PyTorch reads no flag of a module",
    "layer": "write trainable, as in layer.trainable = False",
    "variable": "write trainable, as in variable.trainable = False",
}
RATE = "write optimizer.learning_rate: Keras 3 reads no other name, and Python accepts any"


def _misspelt(run: ObservedRun) -> Iterator[Case]:
    for event in _together(run.events_of(FlagMisspelt)):
        rows = [run.named[name] for name in event.tensors if name in run.named]
        moved = sum(row.changed.verdict == "yes" for row in rows)
        count = several(len(event.tensors), "tensor")
        where = "that it holds" if event.value else "that have it" if event.on in _OF_TENSORS else "below it"
        yield Case(
            event.tensors,
            f"{event.subject} = {event.value or False} has no effect: {moved} of {count} {where} moved",
            {"attribute": event.attribute, "on": event.on, "moved": moved},
            hint=RATE if event.value else _WRITE.get(event.on),
            mitigated=None if moved else Proven("nothing moved", f"none of the {count} {where} moved", "warning"),
        )


def _together(events: Iterable[FlagMisspelt]) -> list[FlagMisspelt]:
    """What was written to one tensor after another, as a loop does, is told once."""
    found: dict[tuple[str, ...], FlagMisspelt] = {}
    for event in events:
        key = (event.attribute, event.on) if event.on in _OF_TENSORS else (event.subject,)
        if (first := found.get(key)) is not None:
            names = (*first.tensors, *event.tensors)
            event = FlagMisspelt(event.attribute, event.attribute, event.on, names)
        found[key] = event
    return list(found.values())


STRAY = Cause(
    code="D304",
    slug="stray-flag-attribute",
    severity="error",
    law="L12",
    means="A flag was written to an attribute that nothing reads.",
    matters="Python accepts any attribute: the script visibly freezes the weights and they train.",
    remedy="write requires_grad (on tensors), call requires_grad_() (on modules), or set layer.trainable",
    tells_apart="The attribute exists on the object, holds False, and the real flag is True.",
    symptoms=("flag-flipped-during-run",),
    cases=_misspelt,
)


def _resets(run: ObservedRun) -> Iterator[Case]:
    groups: dict[str, list[TensorRow]] = {}
    for event in run.events_of(TensorReplaced):
        row = run.named.get(event.name)
        if row is not None and event.flag_before is False and event.flag_now and _was_frozen(row, event.step):
            groups.setdefault(row.model, []).append(row)
    for rows in groups.values():
        moved = sum(row.changed.verdict == "yes" for row in rows)
        yield Case(
            rows,
            f"{tensors(rows)} {were(len(rows))} replaced during the run and came back trainable",
            {"module": rows[0].replaced, "moved": moved},
            severity="error" if moved else None,
        )


def _was_frozen(row: TensorRow, step: int) -> bool:
    """Whether the flag was off in a step before the replacement, and not only while the model was rebuilt."""
    return step == 0 or row.declared.first is False or row.declared.frozen_steps > 0


RESET = Cause(
    code="D305",
    slug="flags-reset-by-replacement",
    severity="warning",
    law="L12",
    means="A tensor was replaced under its name (conversion, resize, adapter) and came back trainable.",
    matters="What you froze before the replacement trains after it.",
    remedy="freeze again after every step that builds new modules",
    tells_apart="Another tensor object carries the name, and its flag differs from that of the old one. An error where "
    "it moved.",
    cases=_resets,
)


def _random(run: ObservedRun) -> Iterator[Case]:
    left_out = {name for event in run.events_of(LoadLeftOut) for name in event.tensors}
    groups: dict[tuple[str, bool], list[TensorRow]] = {}
    for row in run.tensors:
        missing = row.name in left_out
        written = row.changed.followed or row.changed.before_training or (row.loaded and not missing)
        if row.declared.trainable is False and (row.owner.default_initialised or missing) and not written:
            groups.setdefault((row.model, missing), []).append(row)
    for (_, missing), rows in groups.items():
        looks = "looks" if len(rows) == 1 else "look"
        why = "; what was loaded into the model had nothing for them" if missing else ""
        yield Case(
            rows,
            f"{tensors(rows)} {were(len(rows))} frozen from the start and still {looks} randomly initialised{why}",
            {"expected": rows[0].expected_pattern, "layer": rows[0].owner.type, "left_out_of_load": missing or None},
            hint="train them, since nothing else gives them values: a new head must not be frozen" if missing else None,
        )


RANDOM = Cause(
    code="D306",
    slug="frozen-random-weights",
    severity="note",
    law="L8",
    means="A tensor was frozen from the start and still looks like what its initialiser made.",
    matters="A frozen backbone that was never loaded is a random projection.",
    remedy="check that the pretrained weights were really loaded (names, strict=False, skip_mismatch)",
    tells_apart="Frozen at the first check, unchanged, and distributed as the initialiser does; or the load that gave "
    "the model its other weights had nothing for it.",
    cases=_random,
)


def _lost(run: ObservedRun) -> Iterator[Case]:
    """Flags that a load or a copy lost, where nothing froze the tensors again before the first check."""
    for event in run.events_of(FlagsLost):
        rows = [run.named[name] for name in event.tensors if name in run.named]
        rows = [row for row in rows if row.declared.first and not row.declared.flips]
        if rows:
            moved = sum(row.changed.verdict == "yes" for row in rows)
            yield Case(
                rows,
                f"{tensors(rows)} {were(len(rows))} frozen in the model that {event.act} was given, and came out "
                f"trainable: {moved} of them moved",
                {"by": event.act, "moved": moved},
            )


LOST = Cause(
    code="D307",
    slug="flags-lost-by-copy",
    severity="warning",
    law="L12",
    means="Variables frozen one by one are trainable again in the model that a file or a copy gave back.",
    matters="A configuration knows the flags of layers only: what you froze trains from the load on.",
    remedy="freeze layers (layer.trainable = False), which is kept, or freeze the variables again after the load",
    tells_apart="The variable of the same place was frozen when the model was written or copied, and its flag is on "
    "since the load.",
    cases=_lost,
)

CAUSES = (FLIPPED, TIED_NAMES, TIE_BROKEN, STRAY, RESET, RANDOM, LOST)
