"""Small edits of a script that keep what is wrong with it, or that nothing is: detection must hold under each."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

from corpus.cases import Case, Trial

ACTIVATIONS = ("ReLU", "Tanh", "GELU", "SiLU", "ELU", "LeakyReLU", "Sigmoid")


def variants(trial: Trial, folder: Path) -> Iterator[Trial]:
    """The trial's variants, their scripts written into ``folder``; edits that change nothing are left out."""
    source = trial.script.read_text()
    plain = ast.unparse(ast.parse(source))
    for name, edit in EDITS.items():
        if name in trial.case.variants_skip:
            continue
        edited = ast.unparse(ast.fix_missing_locations(edit(ast.parse(source), trial.case)))
        if edited != plain:
            script = folder / f"{trial.name.replace('/', '.')}.{name}.py"
            script.write_text(edited + "\n")
            yield Trial(trial.case, trial.role, script, trial.backend, name)


def optimizer(tree: ast.Module, _case: Case) -> ast.Module:
    """Another optimizer of the same family: the state has other names or more parts, the mechanism is the same."""
    for call, made in _optimizers(tree):
        given = {keyword.arg for keyword in call.keywords}
        match made.attr:
            case "Adam":
                made.attr = "NAdam"
            case "AdamW" if "amsgrad" not in given:
                _set(call, amsgrad=True)
            case "RMSprop":
                _set(call, centered=True)
            case "SGD" if "momentum" in given and "nesterov" not in given:
                _set(call, nesterov=True)
            case "SGD":
                _set(call, foreach=True)
    return tree


def fused(tree: ast.Module, _case: Case) -> ast.Module:
    """The fused kernels, which write weights without a trace in their version counters."""
    for call, made in _optimizers(tree):
        if made.attr in ("SGD", "Adam", "AdamW", "Adagrad"):
            _set(call, fused=True)
    return tree


def float64(tree: ast.Module, _case: Case) -> ast.Module:
    """Double precision throughout."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("float32", "float"):
            node.attr = {"float32": "float64", "float": "double"}[node.attr]
    line = ast.parse("torch.set_default_dtype(torch.float64)").body[0]
    place = _after_imports(tree)
    tree.body.insert(place, line)
    return tree


def renamed(tree: ast.Module, case: Case) -> ast.Module:
    """Other names for the variables, but for those that the case's patterns speak of."""
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    spoken = {part for text in (*case.leaves, *case.options) for part in text.split(".")}
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    chosen = bound - arguments - spoken
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in chosen:
            node.id = f"{node.id}_2"
    return tree


def layers(tree: ast.Module, _case: Case) -> ast.Module:
    """One layer more after every activation, which hands on what it gets."""

    class Wrap(ast.NodeTransformer):
        def visit_Call(self, call: ast.Call) -> ast.expr:
            self.generic_visit(call)
            match call.func:
                case ast.Attribute(value=ast.Name(id="nn"), attr=name) if name in ACTIVATIONS:
                    wrapped = ast.parse("nn.Sequential(0, nn.Identity())", mode="eval").body
                    assert isinstance(wrapped, ast.Call)
                    wrapped.args[0] = call
                    return wrapped
            return call

    Wrap().visit(tree)
    return tree


def cleared_by_hand(tree: ast.Module, _case: Case) -> ast.Module:
    """Gradients are set to None in a loop where ``zero_grad()`` did it."""

    class Clear(ast.NodeTransformer):
        def visit_Expr(self, statement: ast.Expr) -> ast.stmt:
            receiver = _cleared(statement)
            if receiver is None:
                return statement
            text = ast.unparse(receiver)
            return ast.parse(
                f"for one in {text}.parameters() if hasattr({text}, 'parameters') else "
                f"[p for group in {text}.param_groups for p in group['params']]:\n    one.grad = None"
            ).body[0]

    # accelerate's zero_grad() does nothing between two accumulated batches
    if "accelerate" not in ast.unparse(tree):
        Clear().visit(tree)
    return tree


def cleared_late(tree: ast.Module, _case: Case) -> ast.Module:
    """``zero_grad()`` moves down to just before the backward pass."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        for index in reversed(range(len(body))):
            place = index
            while _cleared(body[place]) and place + 1 < len(body) and _independent(body[place + 1]):
                body[place], body[place + 1] = body[place + 1], body[place]
                place += 1
    return tree


def in_function(tree: ast.Module, _case: Case) -> ast.Module:
    """Everything after the imports runs in a function: models and optimizers are no globals and die with its frame."""
    place = _after_imports(tree)
    main = ast.parse("def main():\n    pass\n\nmain()").body
    assert isinstance(main[0], ast.FunctionDef)
    main[0].body = tree.body[place:]
    tree.body[place:] = main
    return tree


EDITS: dict[str, Callable[[ast.Module, Case], ast.Module]] = {
    "optimizer": optimizer,
    "fused": fused,
    "float64": float64,
    "renamed": renamed,
    "layers": layers,
    "cleared_by_hand": cleared_by_hand,
    "cleared_late": cleared_late,
    "in_function": in_function,
}

# Under these a script prints what it printed before, to the last digit.
EXACT = ("renamed", "layers", "cleared_by_hand", "cleared_late", "in_function")


def _optimizers(tree: ast.Module) -> Iterator[tuple[ast.Call, ast.Attribute]]:
    """Calls of ``torch.optim.<Name>(…)``, and what they call."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(value=ast.Name(id="torch"), attr="optim")) as made):
                yield node, made


def _set(call: ast.Call, **options: bool) -> None:
    call.keywords += [ast.keyword(name, ast.Constant(value)) for name, value in options.items()]


def _after_imports(tree: ast.Module) -> int:
    imports = [index for index, node in enumerate(tree.body) if isinstance(node, (ast.Import, ast.ImportFrom))]
    return imports[-1] + 1


def _cleared(statement: ast.stmt) -> ast.expr | None:
    """What a statement ``X.zero_grad()`` clears, when it sets gradients to None."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=receiver, attr="zero_grad"), keywords=keywords)):
            return None if any("False" in ast.unparse(keyword) for keyword in keywords) else receiver
    return None


def _independent(statement: ast.stmt) -> bool:
    """A plain assignment that neither computes nor reads gradients; a call of a function may do either."""
    if not isinstance(statement, ast.Assign):
        return False
    text = ast.unparse(statement)
    return not any(word in text for word in ("grad", "backward", "step", "epoch(", "loss_of"))
