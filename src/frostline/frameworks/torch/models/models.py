"""The torch models under observation: their tensors, kept true to what the modules hold at every check."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import nn

from frostline.core.facts import (
    BufferFrozen,
    FlagSeen,
    ModuleSeen,
    TensorsDropped,
    TensorSeen,
    TieBroken,
)
from frostline.core.ledger import Owner
from frostline.frameworks.torch.models import modules
from frostline.frameworks.torch.models.carriers import Carriers, keys_of
from frostline.frameworks.torch.models.exchanges import Exchanges, for_a_pass, form_of
from frostline.frameworks.torch.models.frozen_subtrees import FrozenSubtrees
from frostline.frameworks.torch.models.model import KEPT_ALIVE, Model
from frostline.frameworks.torch.models.model_copies import note_copied
from frostline.frameworks.torch.models.ties import ties_of
from frostline.frameworks.torch.tensors.graph import listed
from frostline.frameworks.torch.tensors.shards import Shard
from frostline.frameworks.torch.tensors.tensors import (
    NamedTensor,
    in_shared_memory,
    why_unreadable,
)
from frostline.observe.observer import Observer
from frostline.observe.variable_names import unique


class Models:
    """All models seen so far, and the tensors by tensor.

    Args:
        observer: where tensors are handed to.
        held: every tensor that an optimizer holds.
    """

    def __init__(self, observer: Observer, held: Callable[[], list[torch.Tensor]] = list) -> None:
        self.observer = observer
        self.tell = observer.tell
        self.exchanges = Exchanges(observer, held)
        self.models: list[Model] = []
        self.tensors: list[NamedTensor] = []
        self._carriers = Carriers()
        self.flags = self._carriers.flags
        self.of, self.all_of = self._carriers.of, self._carriers.all_of
        self.by_name: dict[str, NamedTensor] = {}
        self.intents: list[tuple[weakref.ref[nn.Module], bool]] = []
        self._modules: set[int] = set()
        self._left: set[int] = set()  # tensors that were freed before the first step
        self._loaded: dict[int, weakref.ref[torch.Tensor]] = {}  # tensors that were loaded before they were tensors

    def add(self, roots: list[nn.Module]) -> None:
        """Take new roots under observation, named as the script names them."""
        fresh = [root for root in roots if not any(model.root is root for model in self.models)]
        if not fresh:
            return
        self._absorb(fresh)
        names = modules.names_of(fresh)
        for root in fresh:
            model = Model(root, self._unique(names.get(id(root), type(root).__name__)), self._dying)
            model.nameless = id(root) not in names
            self.models.append(model)
        self._keep_within_budget()
        self.refresh()
        for model in self.models[-len(fresh) :]:
            note_copied(model.tensors, self.tensors, self.observer)

    def _unique(self, name: str) -> str:
        return unique(name, {model.name for model in self.models})

    def name_late(self) -> None:
        """Name models that no variable held when they were met: a constructor that calls its own forward pass."""
        for model in self.models:
            root = model.root
            name = modules.names_of([root]).get(id(root)) if model.nameless and root is not None else None
            if name is not None:
                model.nameless = False
                self._rename(model, self._unique(name))

    def _rename(self, model: Model, name: str) -> None:
        for entry in model.tensors:
            row = entry.row
            self.by_name.pop(row.name, None)
            renamed = name + row.name.removeprefix(model.name)
            self.tell(TensorSeen(tensor=row.id, name=renamed, model=name))
            self.by_name[row.name] = entry
        model.name = name

    def _absorb(self, roots: list[nn.Module]) -> None:
        """Models that turn out to be parts of a larger one are no models of their own: their tensors get new names."""
        inside = {id(module) for root in roots for module in root.modules()} - {id(root) for root in roots}
        held = _tensors(roots)
        for model in [model for model in self.models if id(model.root) in inside or self._is_view(model, held)]:
            self.models.remove(model)
            for entry in model.tensors:
                self.by_name.pop(entry.row.name, None)
                self.tell(TensorSeen(tensor=entry.row.id, name=""))

    def _is_view(self, model: Model, held: set[int]) -> bool:
        """Whether before any step a model only put together layers of a larger one, to ask for an output size, say."""
        if self.observer.steps or model.root is None:
            return False
        tensors = _tensors([model.root])
        return bool(tensors) and tensors < held

    def knows(self, module: nn.Module) -> bool:
        """Whether the outermost module of a forward pass is a known root or part of one."""
        inner = modules.unwrap(module)
        return any(model.root is inner for model in self.models) or id(module) in self._modules

    def _keep_within_budget(self) -> None:
        """Let the oldest models go first, after a look at each."""
        spent = 0
        for model in reversed(self.models):
            spent += model.bytes if model.kept is not None else 0
            if spent > KEPT_ALIVE and model.kept is not None:
                self._dying(model)
                model.kept = None

    def _dying(self, model: Model) -> None:
        self.observer.look_now([entry.key for entry in model.tensors], "between")

    def add_tensors(self, tensors: list[torch.Tensor], names: dict[int, str]) -> None:
        """Take plain tensors that an optimizer holds and no module does, named as ``names`` says by id."""
        for index, tensor in enumerate(tensors):
            name = unique(names.get(id(tensor), f"tensor_{len(self.tensors) + index}"), self.by_name)
            self._adopt(name, tensor, None, Owner(), None, "parameter", registered=True)

    def add_strays(self, found: list[tuple[torch.Tensor, str]]) -> None:
        """Take parameters that get gradients and that no model and no optimizer knows."""
        for tensor, name in found:
            self._adopt(name, tensor, None, Owner(), None, "parameter", registered=False)

    def refresh(self) -> None:
        """Bring tensors, aliases, owners and flags in line with what the modules hold now."""
        with self.observer.tracked.notice.stretch():
            self._refresh()

    def _refresh(self) -> None:
        inside: set[int] = set()
        present: dict[str, torch.Tensor] = {}
        parts: dict[str, torch.Tensor] = {}  # what those hold here that stand in flat parameters
        for model in self.models:
            root = model.root
            if root is None:
                continue
            tree = modules.tree_of(root)
            frozen = FrozenSubtrees(tree, self.intents)
            for each in modules.tensors_of(root, tree):
                name = f"{model.name}.{each.name}"
                present[name] = each.tensor
                if each.shard and (memory := each.shard.memory()) is not None:
                    parts[name] = memory
                self._meet(name, each, model, frozen)
            inside.update(id(module) for _, module in tree)
        self._modules = inside
        self.exchanges.settled()
        self._note_gone(present)
        for entry in self.tensors:
            loose = entry.module is None or not entry.row.registered
            if loose and entry.row.name not in present and (own := entry.tensor) is not None:
                present[entry.row.name] = own
        self._retie(present, parts)
        if not self.observer.steps:
            self._drop_left()

    def _drop_left(self) -> None:
        """Tensors that were freed before the first step are none of what training is about."""
        left = {entry.row.id for entry in self.tensors if entry.tensor is None} - self._left
        if left:
            self._left |= left
            self.tell(TensorsDropped(tensors=tuple(sorted(left))))

    def _note_gone(self, present: dict[str, torch.Tensor]) -> None:
        """Say which parameters are in their models no longer, under whatever name."""
        there = {id(tensor) for tensor in present.values()}
        for model in self.models:
            for entry in model.tensors if model.root is not None else ():
                tensor = entry.tensor if entry.row.kind == "parameter" and entry.row.registered else None
                gone = tensor is not None and id(tensor) not in there
                if gone != entry.row.gone:
                    self.tell(TensorSeen(tensor=entry.row.id, gone=gone))

    def hidden(self) -> None:
        """Take parameters that the models use through plain containers, where registration does not see them."""
        for model in self.models:
            root = model.root
            for path, tensor, module, module_path in modules.hidden_tensors(root) if root is not None else ():
                name = f"{model.name}.{path}"
                if self.of(tensor) is None and name not in self.by_name:
                    owner = Owner(module_path, type(module).__name__, modules.role_of(module))
                    self._adopt(name, tensor, module, owner, model, "parameter", registered=False)

    def _meet(self, name: str, found: modules.Registered, model: Model, frozen: FrozenSubtrees) -> None:
        tensor, module, path, shard = found.tensor, found.module, found.path, found.shard
        entry = self.by_name.get(name) or self._carriers.find(tensor, shard)
        if entry is None:
            if why_unreadable(tensor) == "a lazy tensor that has no shape yet":
                return
            owner = Owner(path, type(module).__name__, modules.role_of(module))
            as_buffer = found.kind == "parameter" and name.rpartition(".")[2] in module._buffers
            entry = self._adopt(
                name, tensor, module, owner, model, found.kind, registered=True, as_buffer=as_buffer, shard=shard
            )
        elif not entry.row.name:
            self.tell(TensorSeen(tensor=entry.row.id, name=name, model=model.name))
            self.tell(ModuleSeen(tensors=(entry.row.id,), path=path))
            self.by_name[name] = entry
            model.tensors.append(entry)
        if entry.row.name == name:
            if (entry.tensor is not tensor or entry.shard != shard) and not for_a_pass(tensor, entry):
                self._exchange(entry, tensor, module, shard)
            self.tell_mode(entry, module.training)
            if entry.row.kind == "buffer":
                self._freeze_buffer(entry, frozen.over(path))

    def _freeze_buffer(self, entry: NamedTensor, subtree: str | None) -> None:
        watched, flipped = self.observer.tensors[entry.key], False
        if (subtree is None) != (entry.row.owner.frozen_subtree is None):
            flipped = bool(entry.row.changed.checks)
            watched.froze_at = self.observer.clock.now if entry.row.changed.checks else watched.froze_at
            watched.settled = False
        if subtree != entry.row.owner.frozen_subtree:
            self.tell(BufferFrozen(tensor=entry.row.id, subtree=subtree, flipped=flipped))

    def tell_mode(self, entry: NamedTensor, training: bool) -> None:
        """Tell in which mode the tensor's module is, where that is news."""
        if training != entry.row.declared.training:
            self.tell(FlagSeen(tensors=(entry.row.id,), training=training))

    def _exchange(self, entry: NamedTensor, tensor: torch.Tensor, module: nn.Module, shard: Shard | None) -> None:
        """Another tensor carries the tensor's name now, or another part of it is held here."""
        former = self.exchanges.tell(entry, tensor, module, shard)
        entry.carry(tensor, module, shard)
        self._carriers.enter(entry, tensor)
        self.exchanges.tell_stranded(entry, tensor, self.of)
        if former != form_of(tensor, shard) or entry.row.replaced_at is not None:
            self.observer.tensors[entry.key].restart(self.observer.clock.now)

    def loaded(self, tensors: list[torch.Tensor]) -> None:
        """These took their values from a dictionary; those that are no tensors yet may become some."""
        self._loaded.update((id(tensor), weakref.ref(tensor)) for tensor in tensors if self.of(tensor) is None)

    def _adopt(
        self,
        name: str,
        tensor: torch.Tensor,
        module: nn.Module | None,
        owner: Owner,
        model: Model | None,
        kind: Any,
        *,
        registered: bool,
        as_buffer: bool = False,
        shard: Shard | None = None,
    ) -> NamedTensor:
        reference = self._loaded.pop(id(tensor), None)
        loaded = reference is not None and reference() is tensor
        shape, dtype, part = form_of(tensor, shard)
        size = tensor.numel() if shard is None else shard.size
        row = self.observer.tracked.found(
            name=name,
            model=model.name if model is not None else "tensors",
            kind=kind,
            shape=shape,
            dtype=dtype,
            bytes=size * tensor.element_size(),
            size=size,
            owner=owner.path,
            owner_type=owner.type,
            role=owner.role,
            registered=registered,
            sharded=shard is not None,
            part=part,
            shared=in_shared_memory(tensor),
            gone=False,
            as_buffer=as_buffer,
            loaded=loaded or None,
        )
        entry = NamedTensor(row.id, row, tensor, module, shard)
        self.tensors.append(entry)
        if model is not None:
            model.tensors.append(entry)
        self._carriers.enter(entry, tensor)
        self.by_name[name] = entry
        self.observer.tracked.adopt(entry, tensor.requires_grad if kind == "parameter" else None)
        return entry

    def _retie(self, present: dict[str, torch.Tensor], parts: dict[str, torch.Tensor]) -> None:
        """Group the names that share a storage now; say which shared one before and no longer do."""
        ties, overlaps = ties_of(present | parts if parts else present)
        for entry in self.tensors:
            row = entry.row
            alone = not row.aliases and not row.overlaps and row.name not in ties and row.name not in overlaps
            if alone or row.name not in present:
                continue
            now = ties.get(row.name, set())
            lost = (set(row.aliases) - now) & present.keys()
            if lost and row.changed.checks:
                broken = tuple(sorted(lost))
                self.tell(TieBroken(step=self.observer.steps, tensor=row.id, name=row.name, lost=broken))
                self._part(entry, lost, present)
            aliases, overlapped = sorted(now), sorted(overlaps.get(row.name, ()))
            if (aliases, overlapped) != (row.aliases, row.overlaps):
                self.tell(TensorSeen(tensor=row.id, aliases=aliases, overlaps=overlapped))

    def _part(self, entry: NamedTensor, lost: set[str], present: dict[str, torch.Tensor]) -> None:
        for name in lost:
            if name not in self.by_name and self.of(present[name]) is None:
                model = next(model for model in self.models if model.name == entry.row.model)
                self._adopt(name, present[name], entry.module, Owner(), model, entry.row.kind, registered=True)

    def below(self, module: nn.Module) -> list[NamedTensor]:
        """The tensors that the module's parameters and buffers carry now."""
        tensors = (*module.parameters(), *module.buffers())
        return [entry for tensor in tensors for entry in self.all_of(tensor)]

    def size_of(self, tensor: torch.Tensor) -> int:
        """How many parameters a tensor stands for: those of the wholes, where it is or holds parts."""
        return sum(entry.row.size for entry in self.all_of(tensor)) or tensor.numel()

    def any_of(self, tensors: object) -> bool:
        """Whether any of ``tensors``, one or several, is a tensor's."""
        return any(self.of(tensor) is not None for tensor in listed(tensors))

    def keys(self) -> dict[int, list[Hashable]]:
        """Tensor keys by id of the tensors that carry them now; a flat parameter carries many."""
        return keys_of(self.tensors)

    def let_go(self) -> None:
        """Keep no model alive any longer."""
        for model in self.models:
            model.let_go()


def _tensors(roots: list[nn.Module]) -> set[int]:
    return {id(tensor) for root in roots for tensor in (*root.parameters(), *root.buffers())}
