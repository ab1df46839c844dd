"""Small mistakes that can be made in a module: what `tools.mutants` plants.

A comparison turned or made strict, `and` for `or`, a number one off, plus for minus, `min` for
`max`, a condition inverted, a sign or a `not` dropped, a `return` that gives nothing, and a
statement left out: a call for its effect, something remembered, a `raise`, a `continue`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Change = Callable[[], None]

_TURNED: dict[type, tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPPOSITE: dict[type, type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
_OTHER_END = {"min": "max", "max": "min"}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake, not made yet: `make` makes it in the tree that it was found in."""

    function: str
    line: int
    what: str
    make: Change


def mistakes_in(tree: ast.Module) -> Iterator[Mistake]:
    """Yield every mistake that can be made in the functions and methods of a module."""
    for name, function in functions_in(tree):
        nodes = [node for statement in function.body for node in _nodes(statement)]
        for block in _blocks(function, *nodes):
            for place, statement in enumerate(block):
                if _does_something(statement):
                    what = f"left out: {ast.unparse(statement)}"
                    yield Mistake(name, statement.lineno, what, _leave_out(block, place))
        for node in nodes:
            for what, make in _changed(node):
                yield Mistake(name, node.lineno, what, make)


def functions_in(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield the functions of a module and the methods of its classes, with qualified names."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}.{inner.name}", inner


def _nodes(node: ast.AST) -> Iterator[Any]:
    """All nodes but the `strict` of a `zip`: it is there for a case that cannot come."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.keyword) and child.arg == "strict"):
            yield from _nodes(child)


def _blocks(*nodes: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in nodes:
        for field in ("body", "orelse"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                yield block


def _does_something(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.Continue() | ast.Delete():
            return True
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            return True
        case ast.AugAssign(target=ast.Attribute() | ast.Subscript()):
            return True
    return False


def _leave_out(block: list[ast.stmt], place: int) -> Change:
    def change() -> None:
        block[place] = ast.copy_location(ast.Pass(), block[place])

    return change


def _changed(node: Any) -> Iterator[tuple[str, Change]]:
    yield from _operator_changed(node)
    match node:
        case ast.Constant(value=bool() as value):
            yield f"{value} -> {not value}", _set(node, "value", not value)
        case ast.Constant(value=int() | float() as value):
            yield f"{value} -> {value + 1}", _set(node, "value", value + 1)
        case ast.Call(func=ast.Name(id=("min" | "max") as name) as called):
            yield f"{name} -> {_OTHER_END[name]}", _set(called, "id", _OTHER_END[name])
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            inverted = ast.UnaryOp(op=ast.Not(), operand=test)
            yield "condition inverted", _set(node, "test", inverted)
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield "returns None", _set(node, "value", ast.Constant(value=None))


def _operator_changed(node: Any) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Compare(ops=ops):
            for place, op in enumerate(ops):
                for other in _TURNED[type(op)]:
                    what = f"{type(op).__name__} -> {other.__name__}"
                    yield what, _put(ops, place, other())
        case ast.BoolOp(op=op):
            swapped = ast.Or() if isinstance(op, ast.And) else ast.And()
            what = f"{type(op).__name__} -> {type(swapped).__name__}"
            yield what, _set(node, "op", swapped)
        case ast.BinOp(left=ast.JoinedStr()):
            return
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _OPPOSITE:
            opposite = _OPPOSITE[type(op)]
            yield f"{type(op).__name__} -> {opposite.__name__}", _set(node, "op", opposite())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not dropped", _set(node, "operand", ast.UnaryOp(op=ast.Not(), operand=operand))
        case ast.UnaryOp(op=ast.USub()):
            yield "sign dropped", _set(node, "op", ast.UAdd())


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _put(ops: list[ast.cmpop], place: int, other: ast.cmpop) -> Change:
    def change() -> None:
        ops[place] = other

    return change


def _set(node: ast.AST, field: str, value: object) -> Change:
    return lambda: setattr(node, field, value)
