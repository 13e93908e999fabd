"""Edits of Keras scripts, of either generation."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from corpus.cases import Case
from corpus.edits.shared import Edit, after_imports, classes_renamed, guarded, in_function, renamed, seeded, set_options

ACTIVATIONS = {"relu": "gelu", "tanh": "elu", "gelu": "swish", "elu": "tanh"}
COMPILERS = ("compile",)
FITTERS = ("fit",)


def optimizer(tree: ast.Module, _case: Case) -> ast.Module:
    """Another optimizer of the same family."""
    for call in _calls(tree, COMPILERS):
        for given in (*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "optimizer")):
            if isinstance(given, ast.Constant) and given.value == "adam":
                given.value = "nadam"
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="optimizers"), attr=kind)) if kind != "SGD":
                _another(node, kind)
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="optimizers"))):
                given = {keyword.arg for keyword in node.keywords}
                set_options(node, **({"nesterov": True} if "momentum" in given else {"clipvalue": 1e6}))
    return tree


def _another(call: ast.Call, kind: str) -> None:
    made = call.func
    assert isinstance(made, ast.Attribute)
    if kind == "Adam" and not call.keywords:
        made.attr = "Nadam"
    elif kind in ("Adam", "AdamW"):
        set_options(call, amsgrad=True)
    elif kind == "RMSprop":
        set_options(call, centered=True)


def jit(tree: ast.Module, _case: Case) -> ast.Module:
    """Steps are not compiled by XLA: the jax backend runs them operation by operation."""
    for call in _calls(tree, COMPILERS):
        set_options(call, jit_compile=False)
    return tree


def callback(tree: ast.Module, _case: Case) -> ast.Module:
    """One more callback, which does nothing."""
    package = _package(tree)
    for call in _calls(tree, FITTERS if package else ()):
        idle = ast.parse(f"{package}.callbacks.Callback()", mode="eval").body
        given = [keyword for keyword in call.keywords if keyword.arg == "callbacks"]
        if not given:
            call.keywords.append(ast.keyword("callbacks", ast.List([idle], ast.Load())))
        elif isinstance(given[0].value, ast.List):
            given[0].value.elts.append(idle)
    return tree


def progress(tree: ast.Module, _case: Case) -> ast.Module:
    """Training prints a line for each epoch."""
    for call in _calls(tree, FITTERS):
        for keyword in call.keywords:
            if keyword.arg == "verbose" and isinstance(keyword.value, ast.Constant):
                keyword.value.value = 2
    return tree


def activation(tree: ast.Module, _case: Case) -> ast.Module:
    """Other activations."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "activation" and isinstance(node.value, ast.Constant):
            node.value.value = ACTIVATIONS.get(str(node.value.value), node.value.value)
    return tree


def layers(tree: ast.Module, _case: Case) -> ast.Module:
    """One layer more after every dense one of a functional model, which hands on what it gets."""

    class Wrap(ast.NodeTransformer):
        def visit_Call(self, call: ast.Call) -> ast.expr:
            self.generic_visit(call)
            match call.func:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="layers") as module, attr="Dense" | "Conv2D")):
                    return ast.Call(
                        ast.Call(ast.Attribute(module, "Activation", ast.Load()), [ast.Constant("linear")], []),
                        [call],
                        [],
                    )
            return call

    # a script that counts its layers means others by the same numbers afterwards
    if ".layers" not in ast.unparse(tree):
        Wrap().visit(tree)
    return tree


def float64(tree: ast.Module, case: Case) -> ast.Module:
    """Double precision throughout, which jax does without."""
    text = ast.unparse(tree)
    package = _package(tree)
    if package is None or case.backends == ("jax",) or "dtype" in text or "mixed" in text or "float16" in text:
        return tree
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value == "float32":
            node.value = "float64"
        elif isinstance(node, ast.Attribute) and node.attr == "float32":
            node.attr = "float64"
    line = f"if {package}.backend.backend() != 'jax':\n    {package}.backend.set_floatx('float64')"
    tree.body.insert(after_imports(tree), ast.parse(line).body[0])
    return tree


EDITS: dict[str, Edit] = {
    "optimizer": optimizer,
    "jit": jit,
    "callback": callback,
    "progress": progress,
    "activation": activation,
    "layers": layers,
    "float64": float64,
    "renamed": renamed,
    "classes_renamed": classes_renamed,
    "in_function": in_function,
    "guarded": guarded,
    "seeded": seeded,
}


def _package(tree: ast.Module) -> str | None:
    """What the script calls Keras, of either generation; None where it imports only parts of it."""
    imported = [each for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names]
    return next((each.asname or each.name for each in imported if each.name in ("keras", "tf_keras")), None)


def _calls(tree: ast.Module, names: tuple[str, ...]) -> Iterator[ast.Call]:
    """Calls of a method with one of these names on anything but a super class."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if attr in names:
                if not (isinstance(owner, ast.Call) and ast.unparse(owner.func) == "super"):
                    yield node
