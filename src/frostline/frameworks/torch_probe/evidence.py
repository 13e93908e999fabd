"""Facts that only torch knows, gathered at the end and when a move must be explained."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from frostline.core.ledger import Event
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
        module, owner = leaf.module, leaf.row.owner
        leaf.row.shared = leaf.tensor is not None and in_shared_memory(leaf.tensor)
        if module is not None:
            leaf.row.declared.training = module.training
        if module is None or not watched_any:
            continue
        owner.called = id(module) in forwards.called
        owner.recorded = id(module) in forwards.recorded
        owner.in_training = id(module) in forwards.in_training if owner.called else None
        owner.detached = id(module) in forwards.detached
        owner.reached = id(module) in forwards.reached
        leaf.row.read = forwards.reads.of(leaf.tensor) if owner.called and leaf.row.kind == "parameter" else None
        owner.dropped = id(module) in dropped
        owner.sibling_called = siblings.of(leaf)
        if leaf.row.changed.verdict == "no":
            owner.default_initialised = looks_default(module, leaf)
    _merge_ties(models)
    _note_rates(probe)
    for model in models.models:
        for reference, flag in models.intents:
            module = reference()
            if module is not None and model.root is not None:
                _note_intent(models, model.root, model.name, module, flag)


def _merge_ties(models: Models) -> None:
    """One storage is one row: what is known of its other tensors moves to the first."""
    for leaf in models.leaves:
        for alias in leaf.row.aliases:
            other = models.by_name.get(alias)
            if other is None or other is leaf:
                continue
            flag = other.row.declared.trainable
            if flag is not None and flag != leaf.row.declared.trainable:
                leaf.row.declared.alias_flags.append((alias, flag))
            known = {wire.program for wire in leaf.row.wired}
            leaf.row.wired.extend(wire for wire in other.row.wired if wire.program not in known)


def _note_rates(probe: TorchProbe) -> None:
    for leaf in probe.models.leaves:
        for wire in leaf.row.wired:
            wire.max_lr = probe.observer.wires.max_lr(wire.program, wire.group)
            wire.steps = probe.observer.programs[wire.program].steps_executed


def _note_intent(models: Models, root: nn.Module, name: str, module: nn.Module, flag: bool) -> None:
    """An explicit requires_grad_ call on a module, told to the tied leaves below it under the name it used."""
    path = next((path for path, each in root.named_modules() if each is module), None)
    if path is None:
        return
    for inner, parameter in module.named_parameters():
        leaf = models.of(parameter)
        full = ".".join(part for part in (name, path, inner) if part)
        if leaf is not None and leaf.row.aliases:
            leaf.row.declared.intents.append((full, flag))


def stray_flags(models: Models) -> list[Event]:
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
                    facts: dict[str, Any] = {"attribute": attribute, "value": False, "on": "module"}
                    events.append(Event("stray-flag", 0, f"{where}.{attribute}", contradicted, facts))
    for leaf in models.leaves:
        tensor = leaf.tensor
        for attribute in _stray(getattr(tensor, "__dict__", {}), "requires_grad", exact=False):
            if tensor is not None and tensor.requires_grad and vars(tensor)[attribute] is False:
                facts = {"attribute": attribute, "value": False, "on": "tensor"}
                events.append(Event("stray-flag", 0, f"{leaf.row.name}.{attribute}", [leaf.row.name], facts))
    return events


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
        if tensor is own or tensor.is_meta or tuple(tensor.shape) != shape or _same_storage(tensor, own):
            continue
        if tensor.numel() > 1 and bool(tensor.detach().any()) and _holds(tensor, content, own):
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
