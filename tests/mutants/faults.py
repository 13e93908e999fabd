"""The faults that can be planted in a module: one small change of its syntax tree each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
SWAPPED = {"any": "all", "all": "any", "min": "max", "max": "min"}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_TYPES_ONLY = ("annotation", "returns", "decorator_list", "type_params")


@dataclass(frozen=True, slots=True)
class Fault:
    """One change: which node, where it hangs in the tree, and what stands in its place.

    ``lines`` are those of the statement (of a compound one, its head): tests that run one of them may notice.
    ``inside`` is the dotted name of the function or class around it; ``at_import`` says that importing the module runs
    the code, or a cache keeps what it says, so that no test can be said to run its lines.
    """

    line: int
    lines: range
    inside: str
    at_import: bool
    was: str
    now: str
    parent: ast.AST
    field: str
    index: int | None
    new: ast.AST

    def plant(self, tree: ast.Module, filename: str) -> CodeType:
        """The module's code with this fault; the tree, which is the one it was found in, is changed for good."""
        if self.index is None:
            setattr(self.parent, self.field, self.new)
        else:
            getattr(self.parent, self.field)[self.index] = self.new
        return compile(ast.fix_missing_locations(tree), filename, "exec")


def faults(tree: ast.Module) -> list[Fault]:
    """All faults of a module, in the order of its lines."""
    return sorted(_below(tree, "", True, range(0)), key=lambda fault: (fault.line, fault.was, fault.now))


def _below(parent: ast.AST, inside: str, at_import: bool, lines: range) -> Iterator[Fault]:
    for field, value in ast.iter_fields(parent):
        if field in _TYPES_ONLY:
            continue
        children = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, node in children:
            if not isinstance(node, ast.AST) or _says_nothing(node):
                continue
            name = f"{inside}.{node.name}".lstrip(".") if isinstance(node, _NAMED) else inside
            later = field == "body" and isinstance(parent, _CALLED) and not _is_cached(parent)
            around = _head(node) if isinstance(node, ast.stmt) else lines
            for new in _changed(node, parent, field):
                was, now = ast.unparse(node), ast.unparse(new)
                place = (
                    node.lineno if hasattr(node, "lineno") else around.start,
                    around,
                    name,
                    at_import and not later,
                )
                yield Fault(*place, _short(was), _short(now), parent, field, index, new)
            yield from _below(node, name, at_import and not later, around)


_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_CALLED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _is_cached(function: ast.AST) -> bool:
    """Whether it keeps its answers: whoever asks first runs its lines, and others have what they said."""
    return any("cache" in ast.unparse(each) for each in getattr(function, "decorator_list", ()))


def _says_nothing(node: ast.AST) -> bool:
    """Whether a fault in it would be none: imports, assertions for the type checker, docstrings."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return text or isinstance(node, ast.Import | ast.ImportFrom | ast.Assert)


def _head(node: ast.stmt) -> range:
    """The lines of a statement without those of the statements inside it."""
    body = getattr(node, "body", None)
    last = node.end_lineno or node.lineno
    return range(node.lineno, (max(node.lineno + 1, body[0].lineno) if body else last + 1))


def _changed(node: ast.AST, parent: ast.AST, field: str) -> Iterator[ast.AST]:
    """What may stand in the node's place."""
    match node:
        case ast.Compare():
            yield from _turned(node)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
            for left_out in range(len(node.values)):
                rest = [value for index, value in enumerate(node.values) if index != left_out]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.If() | ast.While():
            yield from (
                _with_test(node, value) for value in (True, False) if not (value and isinstance(node, ast.While))
            )
        case ast.IfExp():
            yield node.body
            yield node.orelse
        case ast.comprehension():
            for left_out in range(len(node.ifs)):
                rest = [each for index, each in enumerate(node.ifs) if index != left_out]
                yield ast.comprehension(node.target, node.iter, rest, node.is_async)
        case ast.Call(func=ast.Name(id=name)) if name in SWAPPED:
            yield ast.Call(ast.Name(SWAPPED[name], ast.Load()), node.args, node.keywords)
        case ast.BinOp(op=op) if type(op) in OPERATORS and not _joins_text(node):
            yield ast.BinOp(node.left, OPERATORS[type(op)](), node.right)
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int()):
            yield ast.Constant(node.value + 1)
        case ast.Return(value=ast.expr() as value) if not _is_nothing(value):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Continue() | ast.Break():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()


def _turned(node: ast.Compare) -> Iterator[ast.AST]:
    for index, op in enumerate(node.ops):
        ops = [*node.ops]
        ops[index] = TURNED[type(op)]()
        yield ast.Compare(node.left, ops, node.comparators)


def _with_test(node: ast.If | ast.While, value: bool) -> ast.AST:
    kind = type(node)
    return kind(ast.Constant(value), node.body, node.orelse)


def _joins_text(node: ast.BinOp) -> bool:
    """Whether an addition is one of strings or lists, where a subtraction would only fail."""
    parts = (node.left, node.right)
    return any(
        isinstance(part, ast.JoinedStr | ast.List | ast.Tuple | ast.ListComp) or _is_text(part) for part in parts
    )


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)


def _is_nothing(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (None, False)


def _short(text: str) -> str:
    """One line; of a compound statement its head."""
    return text.strip().partition("\n")[0]
