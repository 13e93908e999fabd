"""Edits of PyTorch scripts."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from corpus.cases import Case
from corpus.edits.shared import Edit, after_imports, classes_renamed, guarded, in_function, renamed, seeded, set_options

ACTIVATIONS = ("ReLU", "Tanh", "GELU", "SiLU", "ELU", "LeakyReLU", "Sigmoid")


def optimizer(tree: ast.Module, _case: Case) -> ast.Module:
    """Another optimizer of the same family: the state has other names or more parts, the mechanism is the same."""
    for call, made in _optimizers(tree):
        given = {keyword.arg for keyword in call.keywords}
        match made.attr:
            case "Adam":
                made.attr = "NAdam"
            case "AdamW" if "amsgrad" not in given:
                set_options(call, amsgrad=True)
            case "RMSprop":
                set_options(call, centered=True)
            case "SGD" if "momentum" in given and "nesterov" not in given:
                set_options(call, nesterov=True)
            case "SGD":
                set_options(call, foreach=True)
    return tree


def fused(tree: ast.Module, _case: Case) -> ast.Module:
    """The fused kernels, which write weights without a trace in their version counters."""
    for call, made in _optimizers(tree):
        if made.attr in ("SGD", "Adam", "AdamW", "Adagrad"):
            set_options(call, fused=True)
    return tree


def float64(tree: ast.Module, _case: Case) -> ast.Module:
    """Double precision throughout."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("float32", "float"):
            node.attr = {"float32": "float64", "float": "double"}[node.attr]
    line = ast.parse("torch.set_default_dtype(torch.float64)").body[0]
    place = after_imports(tree)
    tree.body.insert(place, line)
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


EDITS: dict[str, Edit] = {
    "optimizer": optimizer,
    "fused": fused,
    "float64": float64,
    "renamed": renamed,
    "layers": layers,
    "cleared_by_hand": cleared_by_hand,
    "cleared_late": cleared_late,
    "classes_renamed": classes_renamed,
    "in_function": in_function,
    "guarded": guarded,
    "seeded": seeded,
}

# Under these a script prints what it printed before, to the last digit.
EXACT = ("renamed", "layers", "cleared_by_hand", "cleared_late", "classes_renamed", "in_function", "guarded")


def _optimizers(tree: ast.Module) -> Iterator[tuple[ast.Call, ast.Attribute]]:
    """Calls of ``torch.optim.<Name>(…)``, and what they call."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(value=ast.Name(id="torch"), attr="optim")) as made):
                yield node, made


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
