"""F: causes for which something else than an optimizer's step moves a tensor that is declared frozen."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core.agreement import merged_into
from frostline.core.amounts import several, tensors
from frostline.core.events.averages import AverageMisplaced
from frostline.core.ledger import CONVERTED, FULL_PRECISION, MERGED, UNMERGED
from frostline.laws.causes.cause import Case, Evidence, Mitigation
from frostline.laws.causes.frozen.moved import FrozenCause, Moved, MovedTogether
from frostline.laws.observed_run import ObservedRun

AFTERWARDS = "after the last check"
WRITTEN = "in a step or outside"
AVERAGED = "average overwritten"  # the event of a move that an optimizer made with the average it keeps
FORWARD_ROLES = ("codebook", "spectral", "observer", "embedding", "normalisation")


def _statistics(moved: Moved) -> str | None:
    """Statistics moved; in a forward pass all that a normalisation has may."""
    match moved.move.place:
        case "forward":
            return "forward" if moved.row.owner.role == "normalisation" else None
        case "step":
            return moved.optimizer if moved.is_statistic and moved.move.event != AVERAGED else None
        case "outside":
            return "forward" if moved.is_statistic and moved.move.event is None else None
    return "forward" if moved.is_statistic else None


def _counted(moved: Moved) -> str | None:
    """Batches were counted and the statistics stayed, as with a momentum of 0: the outputs are the same."""
    if not moved.row.dtype.startswith("int"):
        return None
    values = [row for row in moved.run.module(moved.row) if row.kind == "buffer" and not row.dtype.startswith("int")]
    still = bool(values) and all(row.changed.verdict == "no" for row in values)
    return "batches were counted, and the layer's mean and variance did not change" if still else None


def _which_statistics(moved: MovedTogether) -> str:
    if moved.mitigated is not None:
        return f"{tensors(moved.rows)} of frozen layers counted batches, and their statistics stayed"
    return f"running statistics of frozen layers moved in {tensors(moved.rows)} ({moved.seen})"


STATISTICS = FrozenCause(
    code="F107",
    slug="frozen-but-statistics-moved",
    severity="error",
    law="L5",
    means="Running statistics of a normalisation layer moved although the layer's parameters are frozen.",
    matters="The frozen part gives other outputs after training; checkpoints of 'the same backbone' differ.",
    remedy="put the frozen part in eval mode (and again after every model.train()), or use frozen batch norm",
    tells_apart="A buffer of a normalisation layer, moved by a forward pass in training mode and by no optimizer.",
    explains=_statistics,
    says=_which_statistics,
    mitigations=(
        Mitigation(
            "counted",
            "Nothing but the count of batches moved, as with a momentum of 0.",
            _counted,
            hint="the outputs are the same: the layer in eval mode would not count either",
        ),
    ),
)


def _rewritten_in_forward(moved: Moved) -> str | None:
    owner, move = moved.row.owner, moved.move
    match move.place:
        case "forward":
            return "forward"
        case "step":
            buffer = moved.row.kind == "buffer" and move.event != AVERAGED
            return moved.optimizer if owner.rewrites_in_forward or buffer else None
        case "outside":
            unwatched = owner.rewrites_in_forward or (owner.role in FORWARD_ROLES and owner.called is None)
            alone = move.event is None and not move.equals and not moved.is_by_hand
            return "forward" if unwatched and alone else None
    return "forward" if owner.rewrites_in_forward else None


REWRITTEN_IN_FORWARD = FrozenCause(
    code="F108",
    slug="frozen-but-rewritten-in-forward",
    severity="error",
    law="L1",
    means="The forward pass itself rewrites the tensor: a norm bound, a codebook, a power iteration, an observer.",
    matters="Flags and optimizers have no say in it; the module must be told in its own way.",
    remedy="switch the module to eval mode or use its own switch (max_norm, freeze_codebook, disable_observer)",
    tells_apart="Moved between the beginning and the end of its module's forward pass; no optimizer was involved.",
    explains=_rewritten_in_forward,
    says=lambda moved: f"{moved.what} in the forward pass of {moved.rows[0].owner.type} ({moved.seen})",
)


def _overwritten(moved: Moved) -> str | None:
    """Where a copy was written over the tensor, its own or that of another; None where no copy was."""
    move = moved.move
    match move.place:
        case "step":
            copied = move.event == AVERAGED or (bool(move.equals) and move.gradient != "nonzero")
            return moved.optimizer if copied else None
        case "outside":
            return "outside" if move.equals and move.event is None and not moved.is_by_hand else None
    return "outside" if move.equals and move.place == "between" else None


OVERWRITTEN = FrozenCause(
    code="F104",
    slug="frozen-but-overwritten-from-copy",
    severity="error",
    law="L1",
    means="A copy held elsewhere (a full-precision master, an average, an older state) was written over the tensor.",
    matters="Values you loaded or set are silently replaced by those of the copy.",
    remedy="make the optimizer or wrapper after loading, or refresh its copies from the model",
    tells_apart="The new bits equal another tensor of the process; a step would have made new values.",
    explains=_overwritten,
)


def _misplaced(moved: Moved) -> str | None:
    """The copy that was written is that of another tensor, which the new bits resemble."""
    return _overwritten(moved) if moved.move.resembles and moved.move.event != AVERAGED else None


def _seen_misplaced(run: ObservedRun) -> Iterator[Case]:
    for event in run.events_of(AverageMisplaced):
        yield Case(
            [event.written_to],
            f"the average of {event.average_of} was written into {event.written_to}",
            {"average_of": event.average_of, "written_to": event.written_to, "step": event.step},
        )


MISPLACED_AVERAGE = FrozenCause(
    code="W407",
    slug="average-written-to-other-tensor",
    severity="error",
    law="L6",
    means="An averaged copy was written into another tensor than the one it was taken from.",
    matters="A layer silently takes over the average of another layer's weights.",
    remedy="write averages back to the very list of weights they were taken from, or by name; "
    "in Keras, compile with a new optimizer after changing which layers are trainable",
    tells_apart="The written tensor and the averaged tensor differ by name; averages were matched by position.",
    explains=_misplaced,
    cases=_seen_misplaced,
)


def _rewritten_outside(moved: Moved) -> str | None:
    move = moved.move
    if move.event in (CONVERTED, UNMERGED):
        return move.event
    if move.place != "outside":
        return None
    return move.event or ("outside" if moved.is_by_hand or move.shift is not None else None)


def _afterwards(moved: Moved) -> str | None:
    """After the last step there was no step of those that hold the tensor: exporting, converting, merging."""
    holders = [moved.run.optimizer(each.optimizer) for each in moved.row.optimizers if each.listed]
    if moved.move.late and all(optimizer.last_step <= moved.move.since for optimizer in holders):
        return AFTERWARDS
    if moved.move.place == "outside":
        return "outside"
    seen = moved.move.unwritten_until is not None and not moved.row.optimizers
    return WRITTEN if seen and moved.move.place == "between" else None


def _who_rewrote(moved: MovedTogether) -> str:
    if moved.where == AFTERWARDS:
        then, steps = moved.each[0].move.since, moved.each[0].run.steps
        if moved.mitigated is not None:
            return f"{moved.what} after the last step: until then no write into them was seen"
        return f"{moved.what} after step {then}, when they were last looked at; the run had {several(steps, 'step')}"
    if moved.where == WRITTEN:
        return f"{moved.what} by a write into them, and no optimizer holds them ({moved.seen})"
    by = f" by {moved.where}" if moved.where != "outside" else ""
    by += ", which did not give the old bits back" if moved.where == UNMERGED else ""
    return f"{moved.what} outside every step{by} ({moved.seen})"


def _merged(moved: Moved) -> str | None:
    if moved.where != MERGED:
        return None
    seen = "no step and no forward pass moved it" if merged_into(moved.row) else "it was seen when it was done"
    return f"an adapter was merged into it by step {moved.move.until}, and {seen}"


def _after_training(moved: Moved) -> str | None:
    until = moved.move.unwritten_until
    if moved.where != AFTERWARDS or until is None or until < moved.run.steps:
        return None
    return f"the script was first seen to write into it after step {until}, the last one"


def _near_the_end(moved: Moved) -> str | None:
    until, steps = moved.move.unwritten_until, moved.run.steps
    if moved.where != AFTERWARDS or until is None:
        return None
    return f"no write into it was seen up to step {until} of {steps}; the steps after it were not looked at"


def _last_digits(moved: Moved) -> str | None:
    full = moved.where == UNMERGED and moved.row.dtype in FULL_PRECISION
    return f"rounding in {moved.row.dtype} moves the last digits only" if full else None


NOT_GIVEN_BACK = "keep a copy of the base and put it back, or use the adapters unmerged: rounding does not undo itself"
ASKED_FOR = "right where merging, exporting or converting was meant: the file holds the new values"
HINTS = {UNMERGED: NOT_GIVEN_BACK, CONVERTED: "convert a copy of the model, or evaluate under torch.autocast"}

REWRITTEN_OUTSIDE = FrozenCause(
    code="F109",
    slug="frozen-but-rewritten-outside-step",
    severity="error",
    law="L1",
    means="Something wrote into the frozen tensor outside every step: by hand, a reload, a callback.",
    matters="The training loop is innocent; the write is somewhere else in the script or its callbacks.",
    remedy="look for writes between the steps named here: load_state_dict, .data, set_weights, averaging callbacks",
    tells_apart="Both neighbouring steps left the bits alone, and so did forward passes, where they were watched; it "
    "follows no other tensor.",
    explains=_rewritten_outside,
    otherwise=_afterwards,
    says=_who_rewrote,
    advice=lambda moved: HINTS.get(moved.where),
    mitigations=(
        Mitigation("merged", "A library merged an adapter into it.", _merged, hint=ASKED_FOR),
        Mitigation(
            "after training",
            "The script wrote into the tensor after the last step, as for an export.",
            _after_training,
            hint=ASKED_FOR,
        ),
        Mitigation(
            "near the end",
            "The script wrote into the tensor after one of the last steps; of many, a few are watched at each.",
            _near_the_end,
            severity="warning",
        ),
        Mitigation("last digits", "A merge was undone in full precision, up to rounding.", _last_digits),
    ),
)


def _ruled_out(moved: Moved) -> Evidence:
    """What can be excluded for a move of unknown cause, each with the reason."""
    row, out = moved.row, []
    if not row.aliases and not row.overlaps:
        out.append("shared storage: no other tensor overlaps it")
    if not any(holding.listed for holding in row.optimizers):
        out.append("weight decay, momentum, stale gradient: no optimizer holds it")
    elif moved.move.gradient == "none":
        out.append("stale gradient: there was none")
    if row.owner.role == "other":
        out.append(f"normalisation statistics: its owner is a {row.owner.type or 'plain tensor'}")
    return {"ruled_out": out}


FROZEN_BUT_CHANGED = FrozenCause(
    code="F100",
    slug="frozen-but-changed",
    severity="error",
    law="L1",
    means="A tensor that was declared frozen has other bits than before, and no cause could be established.",
    matters="What you ship differs from what you froze; comparisons with the original model are void.",
    remedy="run again with --check-every 1, so that the move is caught between two adjacent readings",
    tells_apart="Fires only when every other F rule was ruled out; the evidence lists what was excluded.",
    explains=lambda moved: None,
    otherwise=lambda moved: moved.optimizer or moved.move.place,
    more=_ruled_out,
)
