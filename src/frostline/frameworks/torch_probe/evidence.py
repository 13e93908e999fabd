"""Facts that only torch knows, gathered at the end and when a move must be explained."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from frostline.core.facts import AliasFlagged, FlagMisspelt, FlagRequested, Held, HeldByAlias, ModuleSeen, TensorSeen
from frostline.frameworks.alive import alive
from frostline.frameworks.torch_probe.initial import looks_default
from frostline.frameworks.torch_probe.leaf import PLAIN_TYPES, TorchLeaf, host_bytes, in_shared_memory
from frostline.frameworks.torch_probe.models import Models
from frostline.frameworks.torch_probe.siblings import CalledSiblings
from frostline.observe.live import Unreadable
from frostline.observe.names import variable_names

if TYPE_CHECKING:
    from frostline.frameworks.torch_probe.probe import TorchProbe

ALIKE = 0.85


def finish_rows(probe: TorchProbe) -> None:
    """Fill the rows with modes, calls, ties and initial values, before the rules look at them."""
    forwards, models = probe.forwards, probe.models
    watched_any = bool(forwards.called)
    dropped = forwards.drops.found()
    siblings = CalledSiblings(models, forwards.called)
    for leaf in models.leaves:
        module = leaf.module
        if leaf.tensor is not None and in_shared_memory(leaf.tensor):
            models.tell(TensorSeen(tensor=leaf.row.id, shared=True))
        if module is not None:
            models.tell_mode(leaf, module.training)
        if module is None or not watched_any:
            continue
        called = id(module) in forwards.called
        if called and leaf.row.kind == "parameter":
            models.tell(TensorSeen(tensor=leaf.row.id, read=forwards.reads.of(leaf.tensor)))
        models.tell(
            ModuleSeen(
                tensors=(leaf.row.id,),
                called=called,
                recorded=id(module) in forwards.recorded,
                in_training=id(module) in forwards.in_training if called else None,
                detached=id(module) in forwards.detached,
                reached=id(module) in forwards.reached,
                dropped=id(module) in dropped,
                sibling_called=siblings.of(leaf),
                default_initialised=looks_default(module, leaf) if leaf.row.changed.verdict == "no" else None,
            )
        )
    _merge_ties(models)
    _note_rates(probe)
    _note_intents(models)


def _merge_ties(models: Models) -> None:
    """One storage is one row: what is known of its other tensors moves to the first."""
    for leaf in models.leaves:
        for alias in leaf.row.aliases:
            other = models.by_name.get(alias)
            if other is None or other is leaf:
                continue
            flag = other.row.declared.trainable
            if flag is not None and flag != leaf.row.declared.trainable:
                models.tell(AliasFlagged(tensor=leaf.row.id, alias=alias, flag=flag))
            if {wire.program for wire in other.row.wired} - {wire.program for wire in leaf.row.wired}:
                models.tell(HeldByAlias(tensor=leaf.row.id, other=other.row.id))


def _note_rates(probe: TorchProbe) -> None:
    same: dict[tuple[str, float | None, int], list[int]] = {}
    for leaf in probe.models.leaves:
        for wire in leaf.row.wired:
            rate = probe.observer.wires.max_lr(wire.program, wire.group)
            steps = probe.observer.programs[wire.program].steps_executed
            same.setdefault((wire.program, rate, steps), []).append(leaf.row.id)
    for (program, rate, steps), tensors in same.items():
        probe.observer.tell(Held(optimizer=program, tensors=tuple(tensors), max_lr=rate, steps=steps))


def _note_intents(models: Models) -> None:
    """Explicit requires_grad_ calls on modules, told to the tied leaves below them under the names they used.

    A module may have been told at every step; what it was told last counts.
    """
    last = {id(module): (module, flag) for reference, flag in models.intents if (module := reference()) is not None}
    for model in models.models if last else ():
        paths = {id(each): path for path, each in model.root.named_modules()} if model.root is not None else {}
        for module, flag in last.values():
            if id(module) in paths:
                _note_intent(models, [model.name, paths[id(module)]], module, flag)


def _note_intent(models: Models, path: list[str], module: nn.Module, flag: bool) -> None:
    for inner, parameter in module.named_parameters():
        leaf = models.of(parameter)
        if leaf is not None and leaf.row.aliases:
            models.tell(FlagRequested(tensor=leaf.row.id, name=".".join(filter(None, [*path, inner])), flag=flag))


def stray_flags(models: Models) -> list[FlagMisspelt]:
    """Attributes that look like a flag and that nothing reads: ``param.require_grad``, ``module.requires_grad``."""
    events = []
    for model in models.models:
        root = model.root
        for path, module in root.named_modules() if root is not None else ():
            where = ".".join(part for part in (model.name, path) if part)
            below = [leaf for parameter in module.parameters() if (leaf := models.of(parameter)) is not None]
            for attribute in [*_stray(vars(module), "requires_grad", exact=True), *_of_keras(module)]:
                contradicted = [leaf.row.name for leaf in below if leaf.row.declared.trainable]
                if vars(module)[attribute] is False and contradicted:
                    events.append(_misspelt(f"{where}.{attribute}", attribute, "module", contradicted))
    for leaf in models.leaves:
        tensor = leaf.tensor
        for attribute in _stray(getattr(tensor, "__dict__", {}), "requires_grad", exact=False):
            if tensor is not None and tensor.requires_grad and vars(tensor)[attribute] is False:
                events.append(_misspelt(f"{leaf.row.name}.{attribute}", attribute, "tensor", [leaf.row.name]))
    return events


def _misspelt(subject: str, attribute: str, on: str, names: list[str]) -> FlagMisspelt:
    return FlagMisspelt(subject=subject, attribute=attribute, on=on, tensors=tuple(names))


def _of_keras(module: nn.Module) -> list[str]:
    """Keras's flag on a module of torch itself, none of which reads it; a class of the user's may."""
    ours = type(module).__module__.startswith("torch.nn.")
    return ["trainable"] if ours and vars(module).get("trainable") is False else []


def _stray(attributes: dict[str, Any], meant: str, *, exact: bool) -> list[str]:
    """Attributes named like the flag (or exactly like it, where it means nothing) that hold a truth value."""
    return [
        name
        for name, value in attributes.items()
        if isinstance(value, bool)
        and (
            (exact and name == meant) or (name != meant and difflib.SequenceMatcher(None, name, meant).ratio() >= ALIKE)
        )
    ]


def named_tensor_with(content: bytes, leaf: TorchLeaf, optimizers: list[Any]) -> str | None:
    """The name of another tensor that holds exactly these bytes after a change of type: a master or averaged copy."""
    shape, own = leaf.row.shape, leaf.tensor
    for optimizer in optimizers:
        for group in optimizer.param_groups if optimizer is not None else ():
            for tensor in group["params"]:
                if tensor is own or tuple(tensor.shape) != shape or _same_storage(tensor, own):
                    continue
                if _holds(tensor, content, own):
                    return f"a tensor of {type(optimizer).__name__}"
        for state in optimizer.state.values() if optimizer is not None else ():
            for name, tensor in state.items() if isinstance(state, dict) else ():
                if isinstance(tensor, torch.Tensor) and tuple(tensor.shape) == shape and _holds(tensor, content, own):
                    return f"{type(optimizer).__name__}'s {name}"
    for tensor in [value for value in alive(torch.Tensor) if type(value) in PLAIN_TYPES]:
        if tensor is own or tensor.is_meta or tensor.is_nested or tuple(tensor.shape) != shape:
            continue
        if tensor.numel() < 2 or _same_storage(tensor, own) or not _holds(tensor, content, own):
            continue
        if bool(tensor.detach().any()):
            return variable_names({id(tensor)}).get(id(tensor), "a copy kept by the script")
    return None


def _same_storage(one: torch.Tensor, other: torch.Tensor | None) -> bool:
    return other is not None and one.layout == torch.strided and one.data_ptr() == other.data_ptr()


def _holds(tensor: torch.Tensor, content: bytes, like: torch.Tensor | None) -> bool:
    if like is None:
        return False
    try:
        return bytes(host_bytes(tensor.detach().to(like.dtype))) == content
    except (RuntimeError, Unreadable):
        return False
