"""Every text the exchange refuses with, read from the source: literals and f-strings as patterns.

A refusal is made by a constructor of `exchange/wire/errors.py`, by `Refusal` of the matching
engine, or by a function that takes its `message`. What can be said there is a literal, an
f-string, a choice between such, or a local name for one; anything else is an error of this tool, so
that no refusal is missed in silence.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path("src/catalyst_bot")
FOLDERS = ("exchange", "simulation")
OPERATORS = (  # what only an operator asks, in our own words
    "exchange/api/admin_routes",
    "exchange/api/clock_routes",
    "exchange/faults/",
)
NEVER = "internal_error"  # a fault of our own: no test shows it, the fuzz shows that it never comes
OURS_ONLY = frozenset(  # the rules of the embedded venue, which no request of a client can break
    {"our_refusal", "_shape_refusal", "_tick_refusal", "_bracket_refusal", "_means_refusal"}
)
CONSTRUCTORS: Mapping[str, int] = {  # place of the text among the arguments
    "ApiError": 1,
    "invalid_field": 0,
    "unprocessable": 0,
    "forbidden": 0,
    "not_found": 0,
    "Refusal": 99,
    "BadTimeframe": 0,
}
HANDED_ON = frozenset({("exchange/api/data_query.py", "str(error)")})  # of a `BadTimeframe`
HOLE = "{}"
FROM_ELSEWHERE = {  # what the router says about a method that a route does not have
    "error.detail.lower()": "method not allowed",
}


@dataclass(frozen=True, slots=True, order=True)
class Text:
    """One text; `{}` stands for what is filled in."""

    template: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a message made of it looks like."""
        return re.compile(".*".join(map(re.escape, self.template.split(HOLE))), re.DOTALL)

    @property
    def weight(self) -> int:
        """How much of it is fixed: of several that match a message, the heaviest made it."""
        return len(self.template.replace(HOLE, ""))


@dataclass(frozen=True, slots=True)
class _Module:
    """A file with what its names stand for."""

    name: str
    tree: ast.Module
    makers: Mapping[str, int]
    constants: Mapping[str, ast.expr]


class UnreadableRefusal(Exception):
    """A refusal whose text this tool cannot find."""


def texts(root: Path) -> dict[Text, tuple[str, ...]]:
    """Return every text with the files it is in; raises `UnreadableRefusal`."""
    trees = dict(_trees(root))
    makers = dict(CONSTRUCTORS)
    for tree in trees.values():
        makers |= _takers(tree)
    constants = {key: value for tree in trees.values() for key, value in _constants(tree)}
    found: dict[Text, set[str]] = {}
    for name, tree in trees.items():
        known = constants | dict(_constants(tree))  # a name means first what its own file says
        for text in _texts_of(_Module(name, tree, _aliased(tree, makers), known)):
            found.setdefault(text, set()).add(name)
    return {text: tuple(sorted(names)) for text, names in sorted(found.items())}


def _trees(root: Path) -> Iterator[tuple[str, ast.Module]]:
    package = root / PACKAGE
    paths = [path for folder in FOLDERS for path in sorted((package / folder).rglob("*.py"))]
    for path in paths:
        name = path.relative_to(package).as_posix()
        if not name.startswith(OPERATORS):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _takers(tree: ast.Module) -> dict[str, int]:
    """Functions that are given the text to refuse with."""
    takers = {}
    for function in _functions(tree):
        names = [argument.arg for argument in function.args.args]
        is_method = names[:1] == ["self"]
        if "message" in names and any(_makes_refusal(node) for node in ast.walk(function)):
            takers[function.name] = names.index("message") - is_method
    return takers


def _makes_refusal(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _called(node) in {*CONSTRUCTORS, "word", "optional_word"}


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _aliased(tree: ast.Module, makers: Mapping[str, int]) -> dict[str, int]:
    known = dict(makers)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            known |= {
                alias.asname: makers[alias.name]
                for alias in node.names
                if alias.asname and alias.name in makers
            }
    return known


def _texts_of(module: _Module) -> Iterator[Text]:
    for function in _functions(module.tree):
        if function.name == NEVER:
            continue
        if module.name.startswith("simulation/") and function.name in OURS_ONLY:
            continue
        for call in _calls(function):
            place = module.makers.get(_called(call))
            if place is None:
                continue
            given = _argument(call, place)
            if given is None or _is_handed_on(given, function, module.name):
                continue
            for template in _templates(given, function, module.constants):
                if template is None:
                    place_of = f"{module.name}:{call.lineno}"
                    raise UnreadableRefusal(f"{place_of}: {ast.unparse(given)}")
                yield Text(template)


def _calls(function: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls of a function, not those of functions inside it."""
    for child in ast.iter_child_nodes(function):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(child, ast.Call):
            yield child
        yield from _calls(child)


def _argument(call: ast.Call, place: int) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == "message":
            return keyword.value
    return call.args[place] if place < len(call.args) else None


def _is_handed_on(
    given: ast.expr, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> bool:
    """Tell whether the text comes from the caller, who is looked at too, or from a refusal."""
    if (name, ast.unparse(given)) in HANDED_ON:
        return True
    names = {argument.arg for argument in function.args.args}
    match given:
        case ast.Name(id=text):
            return text in names
        case ast.Attribute(attr="message"):
            return True
        case _:
            return False


def _templates(
    given: ast.expr, function: ast.AST, constants: Mapping[str, ast.expr]
) -> Iterator[str | None]:
    match given:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else HOLE for p in parts)
        case ast.IfExp(body=one, orelse=other):
            yield from _templates(one, function, constants)
            yield from _templates(other, function, constants)
        case ast.Name(id=name):
            local = [value for key, value in _assigned(ast.walk(function)) if key == name]
            values = local or [constants[name] for _ in range(name in constants)]
            for value in values:
                yield from _templates(value, function, {})
            if not values:
                yield None
        case _:
            yield FROM_ELSEWHERE.get(ast.unparse(given))


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    return _assigned(iter(tree.body))


def _assigned(nodes: Iterator[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
