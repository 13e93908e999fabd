"""Watching PyTorch: `attach` puts the hooks in place and returns what takes them away again."""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import torch
import wrapt
from torch.nn.modules.module import (
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from torch.optim import optimizer as optim

from frostline.core.facts import StepCompiled
from frostline.core.journal import Journal
from frostline.frameworks.patching import put
from frostline.frameworks.torch_probe import entries
from frostline.frameworks.torch_probe.asides import aside
from frostline.frameworks.torch_probe.conversions import CONVERTERS, target
from frostline.frameworks.torch_probe.left_out import DRAWS
from frostline.frameworks.torch_probe.merges import MERGERS
from frostline.frameworks.torch_probe.printed import PRINTERS, Reader
from frostline.frameworks.torch_probe.probe import TorchProbe
from frostline.settings import Settings

Fault = Callable[[str, BaseException], None]


def attach(settings: Settings, journal: Journal, on_check: Callable[[], None], fault: Fault) -> TorchProbe:
    """Observe every optimizer and model of this process from now on.

    Args:
        settings: of the run.
        journal: takes the facts.
        on_check: called after each check.
        fault: takes errors inside frostline.
    """
    probe = TorchProbe(settings, journal, on_check, fault)
    parameter_registered = functools.partial(_parameter_registered, probe)
    module_registered = functools.partial(_module_registered, probe)
    probe.removers.extend(
        [
            optim.register_optimizer_step_pre_hook(entries.hook(probe.before_step)).remove,
            optim.register_optimizer_step_post_hook(entries.hook(probe.after_step)).remove,
            register_module_parameter_registration_hook(entries.hook(parameter_registered)).remove,
            register_module_module_registration_hook(entries.hook(module_registered)).remove,
        ]
    )
    wraps: list[tuple[Any, str, Any]] = [
        (torch.optim.Optimizer, "__init__", _optimizer_made),
        (torch.optim.Optimizer, "state_dict", _state_saved),
        (torch.optim.Optimizer, "load_state_dict", _state_loaded),
        (torch.amp.GradScaler, "step", _scaler_step),
        (torch.autograd, "backward", _backward),
        (torch.nn.Module, "requires_grad_", _module_flag),
        (torch.nn.Module, "load_state_dict", _load),
        (torch, "compile", _compile),
    ]
    wraps.extend((torch.nn.Module, name, functools.partial(_convert, name)) for name in CONVERTERS)
    for owner, name, wrapper in wraps:
        probe.removers.append(_wrap(owner, name, wrapper, probe))
    stateless = torch.nn.utils.stateless
    called = entries.observed(stateless._functional_call, functools.partial(_functional_call, probe))
    probe.removers.append(put(stateless, "_functional_call", called))
    asked = entries.observed(torch.autograd.grad, functools.partial(_gradients, probe))
    probe.removers.append(put(torch.autograd, "grad", asked))
    for module, owner, method, reader in PRINTERS:
        wrapt.register_post_import_hook(functools.partial(_watch_printer, probe, owner, method, reader), module)
    module, owner, methods = MERGERS
    for method in methods:
        wrapt.register_post_import_hook(functools.partial(_watch_method, probe, owner, method, _merge), module)
    module, owner, method = DRAWS
    wrapt.register_post_import_hook(functools.partial(_watch_method, probe, owner, method, _drawn), module)
    for writer in (probe.saves, probe.loaded_files):
        probe.removers.extend(writer.attach(lambda where, act: _quietly(probe, where, act)))
    wrapt.register_post_import_hook(entries.keep_out_of, "torch._dynamo.trace_rules")
    probe.forwards.switch(True)
    return probe


def _wrap(owner: Any, name: str, wrapper: Any, probe: TorchProbe) -> Callable[[], None]:
    def observed(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        return wrapper(probe, wrapped, instance, args, kwargs)

    return put(owner, name, wrapt.FunctionWrapper(vars(owner)[name], observed))


def _quietly(probe: TorchProbe, where: str, act: Callable[[], Any]) -> None:
    """Do our part of a wrapped call; whatever goes wrong in it is ours and stays with us."""
    try:
        with aside():
            act()
    except Exception as error:
        probe.fault(f"torch: {where}", error)


def _functional_call(probe: TorchProbe, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    probe.called_functionally(*args, **kwargs)
    return function(*args, **kwargs)


def _gradients(probe: TorchProbe, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    if len(args) > 1 and isinstance(args[1], Iterator):  # such as model.parameters(), which can be run through once
        args = (args[0], tuple(args[1]), *args[2:])
    elif isinstance(kwargs.get("inputs"), Iterator):
        kwargs = {**kwargs, "inputs": tuple(kwargs["inputs"])}
    inputs = args[1] if len(args) > 1 else kwargs.get("inputs")
    differentiable = args[4] if len(args) > 4 else kwargs.get("create_graph", False)
    updates = probe.awaits_gradients() and not differentiable
    if updates:
        _quietly(probe, "before gradients are computed", lambda: probe.by_hand.asked(inputs))
    with probe.forwards.ignoring_gradients(differentiable and not probe.models.any_of(inputs)):
        gradients = function(*args, **kwargs)
    if updates:
        _quietly(probe, "gradients were computed", lambda: probe.by_hand.given(inputs, gradients))
    return gradients


def _parameter_registered(probe: TorchProbe, module: torch.nn.Module, name: str, parameter: Any) -> None:
    _quietly(probe, "a parameter is registered", lambda: probe.replacements.parameter(module, name, parameter))


def _module_registered(probe: TorchProbe, parent: torch.nn.Module, name: str, module: Any) -> None:
    _quietly(probe, "a module is registered", lambda: probe.replacements.module(parent, name, module))


def _optimizer_made(probe: TorchProbe, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    _quietly(probe, "an optimizer was made", lambda: probe.optimizer_made(instance))
    return result


def _state_saved(probe: TorchProbe, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    if probe.programs.registered(instance):
        _quietly(probe, "optimizer state is saved", lambda: probe.state_dicts.saved(instance))
    return wrapped(*args, **kwargs)


def _state_loaded(probe: TorchProbe, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    names = [group.get("param_names") for group in instance.param_groups]
    result = wrapped(*args, **kwargs)

    def after() -> None:
        probe.owners.meet(instance)
        probe.state_dicts.loaded(instance, names)

    _quietly(probe, "optimizer state was loaded", after)
    return result


def _scaler_step(probe: TorchProbe, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    before = probe.observer.steps
    result = wrapped(*args, **kwargs)
    optimizer = args[0] if args else kwargs.get("optimizer")
    _quietly(probe, "a scaler stepped", lambda: probe.scaler_stepped(optimizer, before))
    return result


def _backward(probe: TorchProbe, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    roots = args[0] if args else kwargs.get("tensors")
    try:  # not _quietly: this runs at every step, and mostly there is nothing to set aside for
        probe.before_backward(roots)
    except Exception as error:
        probe.fault("torch: before a backward pass", error)
    try:
        return wrapped(*args, **kwargs)
    finally:
        probe.masks.stop()


def _module_flag(probe: TorchProbe, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    flag = bool(args[0] if args else kwargs.get("requires_grad", True))
    probe.models.intents.append((weakref.ref(instance), flag))
    return result


def _load(probe: TorchProbe, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    if not probe.trainer.is_here():
        return wrapped(*args, **kwargs)
    _quietly(probe, "before a load", lambda: probe.loads.before(instance))
    result = wrapped(*args, **kwargs)
    source = args[0] if args else kwargs.get("state_dict")
    _quietly(probe, "after a load", lambda: probe.loads.after(instance, source))
    _quietly(probe, "after a load", lambda: probe.left_out.loaded(instance, set(result.missing_keys)))
    return result


def _drawn(probe: TorchProbe, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    names = args[0] if args else kwargs.get("missing_keys")
    if isinstance(names, list):
        _quietly(probe, "a published model drew weights", lambda: probe.left_out.drawn(instance, names))
    return result


def _convert(method: str, probe: TorchProbe, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    dtype = None
    if probe.observer.steps and probe.trainer.is_here():
        with contextlib.suppress(TypeError, RuntimeError):  # what cannot be read the call itself will complain about
            dtype = target(method, args, kwargs)
    if dtype is None:
        return wrapped(*args, **kwargs)
    _quietly(probe, "before a conversion", lambda: probe.conversions.before(instance, dtype))
    result = wrapped(*args, **kwargs)
    _quietly(probe, "after a conversion", lambda: probe.conversions.after(instance, dtype))
    return result


def _watch_printer(probe: TorchProbe, owner: str, method: str, reader: Reader, module: Any) -> None:
    """A library that prints counts was imported."""

    def printed(probe: TorchProbe, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        _quietly(probe, "a count was printed", lambda: probe.printed.note(*reader(instance, args)))
        return result

    _watch_method(probe, owner, method, printed, module)


def _watch_method(probe: TorchProbe, owner: str, method: str, wrapper: Any, module: Any) -> None:
    """A library was imported one method of which is to be observed; a probe that is closed observes no more."""
    kind = getattr(module, owner, None)
    if kind is not None and method in vars(kind) and not probe.observer.over:
        probe.removers.append(_wrap(kind, method, wrapper, probe))


def _merge(probe: TorchProbe, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    keys: list[Hashable] = []
    _quietly(probe, "before an adapter is merged", lambda: keys.extend(probe.merges.before(instance)))
    result = wrapped(*args, **kwargs)
    _quietly(probe, "an adapter was merged", lambda: probe.merges.after(keys))
    return result


def _compile(probe: TorchProbe, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    model = args[0] if args else kwargs.get("model")

    def before() -> None:
        if isinstance(model, torch.nn.Module):
            probe.meet(model)
        probe.forwards.block("a model is compiled: its forward passes are not watched")
        probe.observer.steps_unseen = True
        probe.observer.tell(StepCompiled(step=probe.observer.steps, model=type(model).__name__))

    _quietly(probe, "before a compilation", before)
    compiled = wrapped(*args, **kwargs)
    return probe.compiled.observed(compiled) if _may_step(model) else compiled


def _may_step(compiled: Any) -> bool:
    """Whether a call of what is compiled can be a whole step: a function, but no model and no model's forward pass."""
    owner = getattr(compiled, "__self__", None)
    return compiled is not None and not isinstance(compiled, torch.nn.Module) and not isinstance(owner, torch.nn.Module)
