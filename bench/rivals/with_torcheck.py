"""torcheck: checks that are registered once and run after every step of the script's own loop."""

from __future__ import annotations

from collections.abc import Iterable

from bench.rivals.complaint import Complaint
from bench.rivals.rival import Rival
from bench.rivals.scene import Scene

from frostline.core.names.patterns import matches


class Torcheck(Rival):
    """Registered before the loop: what the flags call trainable must change, what is frozen must not."""

    name = "torcheck"
    distribution = "torcheck"
    looks_at = "parameters that an optimizer holds, after every step of the run"
    used = "register, add_tensor_changing_check, add_tensor_unchanging_check"
    alongside = True

    def look(self, scene: Scene) -> Iterable[Complaint]:
        import torcheck

        if scene.optimizer not in torcheck.registry.optimizer_to_spec:
            torcheck.register(scene.optimizer)
        for name, parameter in scene.model.named_parameters():
            expected = any(matches(said, f"{scene.name}.{name}") for said in scene.frozen)
            add = torcheck.add_tensor_changing_check
            if expected or not parameter.requires_grad:
                add = torcheck.add_tensor_unchanging_check
                if parameter not in torcheck.registry.tensor_to_optimizer:
                    continue  # a user who freezes and filters does not ask about what no optimizer holds
            try:
                add(parameter, tensor_name=name, module_name=scene.name)
            except RuntimeError as error:
                yield Complaint(str(error)[:300], (f"{scene.name}.{name}",))

    def read(self, error: BaseException) -> Iterable[Complaint] | None:
        text = str(error)
        if "errors are detected while training" not in text:
            return None
        said = [line for line in text.splitlines() if line.startswith("Module ")]
        return [
            Complaint(line[:300], (line.removeprefix("Module ").replace("'s ", ".", 1).split()[0],)) for line in said
        ]
