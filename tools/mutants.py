"""Do the tests notice when the code is wrong? `python -m tools.mutants [MODULE…] [--json FILE]`.

Each mutant is one small mistake in one function: a comparison turned or made strict, `and` for
`or`, a number one off, plus for minus, a condition inverted, a `return` that gives nothing. Its
tests must fail. The mistake is planted into the running function (its `__code__`) in a forked
child, so that nothing is written and everybody who imported the function has it.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import json
import os
import random
import signal
import sys
import time
import types
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PATIENCE_S = 120  # a mutant that never ends is noticed by whoever waits
_RISK = "tests/unit/risk"
_EXECUTION = "tests/unit/execution"
TESTS: dict[str, tuple[str, ...]] = {
    "risk.checks": (f"{_RISK}/test_checks.py", f"{_RISK}/test_manager.py"),
    "risk.sizing": (f"{_RISK}/test_sizing.py", "tests/property/test_risk_sizing.py"),
    "risk.stops": (f"{_RISK}/test_stops.py", f"{_RISK}/test_open_positions.py"),
    "risk.breakers": (f"{_RISK}/test_breakers.py", f"{_RISK}/test_edges.py"),
    "risk.checklist": (f"{_RISK}/test_checklist.py",),
    "risk.overriding": (f"{_RISK}/test_overriding.py",),
    "risk.overrides": (f"{_RISK}/test_overriding.py",),
    "risk.manager": (f"{_RISK}/test_manager.py", f"{_RISK}/test_open_positions.py"),
    "risk.orders": (f"{_RISK}/test_orders.py", f"{_RISK}/test_manager.py"),
    "risk.proposal": (f"{_RISK}/test_checks.py", f"{_RISK}/test_manager.py"),
    "risk.book": (f"{_RISK}/test_checks.py", f"{_RISK}/test_edges.py"),
    "risk.correlation": (f"{_RISK}/test_correlation.py",),
    "risk.gauges": (f"{_RISK}/test_breakers.py",),
    "risk.guarding": (f"{_RISK}/test_open_positions.py", f"{_RISK}/test_edges.py"),
    "risk.records": (f"{_RISK}/test_breakers.py", f"{_RISK}/test_edges.py"),
    "risk.decide": (_RISK,),
    "risk.evolve": (_RISK,),
    "execution.order_states": (f"{_EXECUTION}/test_order_states.py",),
    "execution.protection": (f"{_EXECUTION}/test_protection.py", f"{_EXECUTION}/test_edges.py"),
    "execution.reconcile": (f"{_EXECUTION}/test_books.py", f"{_EXECUTION}/test_edges.py"),
    "execution.working": (_EXECUTION,),
    "execution.look_up": (_EXECUTION,),
    "execution.brackets": (_EXECUTION,),
    "execution.corporate": (_EXECUTION,),
    "execution.halts": (f"{_EXECUTION}/test_halts.py", f"{_EXECUTION}/test_edges.py"),
    "execution.repricing": (f"{_EXECUTION}/test_repricing.py",),
    "execution.decide": (_EXECUTION,),
    "execution.evolve": (_EXECUTION,),
    "execution.books.decide": (f"{_EXECUTION}/test_books.py", f"{_EXECUTION}/test_edges.py"),
    "execution.books.evolve": (f"{_EXECUTION}/test_books.py", f"{_EXECUTION}/test_edges.py"),
    "execution.guards.decide": (f"{_EXECUTION}/test_protection.py", f"{_EXECUTION}/test_halts.py"),
    "execution.guards.evolve": (f"{_EXECUTION}/test_protection.py", f"{_EXECUTION}/test_halts.py"),
    "portfolio.ledger": ("tests/unit/portfolio", "tests/property/test_ledger.py"),
}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One mistake: where it is, what it does, and whether a test noticed."""

    module: str
    function: str
    line: int
    mistake: str
    is_killed: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    function: str
    line: int
    mistake: str
    tree: ast.Module


def plans(source: str) -> Iterator[_Plan]:
    """Yield every mistake that can be made in a module's functions."""
    tree = ast.parse(source)
    for name, function in _functions(tree):
        for number, node in enumerate(ast.walk(function)):
            for mistake, change in _mistakes(node):
                changed = copy.deepcopy(tree)
                target = next(f for n, f in _functions(changed) if n == name)
                change(next(n for at, n in enumerate(ast.walk(target)) if at == number))
                line = getattr(node, "lineno", function.lineno)
                yield _Plan(name, line, mistake, ast.fix_missing_locations(changed))


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                is_plain = isinstance(inner, ast.FunctionDef) and not inner.decorator_list
                if is_plain and isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}.{inner.name}", inner


Change = Callable[[ast.AST], None]


def _mistakes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Compare(ops=[op, *_]):
            for other in _TURNED.get(type(op), ()):
                yield f"{type(op).__name__} -> {other.__name__}", _set_operator(other)
        case ast.BoolOp(op=op):
            other = ast.Or if isinstance(op, ast.And) else ast.And
            yield f"{type(op).__name__} -> {other.__name__}", _set("op", other())
        case ast.BinOp(op=op) if type(op) in _OPPOSITE and not isinstance(node.left, ast.JoinedStr):
            opposite = _OPPOSITE[type(op)]
            yield f"{type(op).__name__} -> {opposite.__name__}", _set("op", opposite())
        case ast.Constant(value=bool() as value):
            yield f"{value} -> {not value}", _set("value", not value)
        case ast.Constant(value=int() | float() as value):
            yield f"{value} -> {value + 1}", _set("value", value + 1)
        case ast.UnaryOp(op=ast.Not()):
            yield "not dropped", _drop_not
        case ast.If() | ast.IfExp():
            yield "condition inverted", _invert
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield "returns None", _set("value", ast.Constant(value=None))


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _set(field: str, value: object) -> Change:
    return lambda node: setattr(node, field, value)


def _set_operator(other: type[ast.cmpop]) -> Change:
    def change(node: ast.AST) -> None:
        assert isinstance(node, ast.Compare)
        node.ops[0] = other()

    return change


def _invert(node: ast.AST) -> None:
    assert isinstance(node, ast.If | ast.IfExp)
    node.test = ast.UnaryOp(op=ast.Not(), operand=node.test)


def _drop_not(node: ast.AST) -> None:
    assert isinstance(node, ast.UnaryOp)
    operand = ast.UnaryOp(op=ast.Not(), operand=node.operand)
    node.operand = operand  # not not x


def judge(module_name: str, plan: _Plan, tests: tuple[str, ...]) -> bool:
    """Return True when the tests fail with the mistake, in a child of this process."""
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE_S)
        os._exit(_try(module_name, plan, tests))
    _, status = os.waitpid(child, 0)
    return status != 0


def _try(module_name: str, plan: _Plan, tests: tuple[str, ...]) -> int:
    module = importlib.import_module(module_name)
    namespace: dict[str, object] = dict(vars(module))
    exec(compile(plan.tree, module.__file__ or "", "exec"), namespace)  # noqa: S102
    target: object = module
    mutated: object = types.SimpleNamespace(**namespace)
    for part in plan.function.split("."):
        target, mutated = getattr(target, part), getattr(mutated, part)
    assert isinstance(target, types.FunctionType)
    assert isinstance(mutated, types.FunctionType)
    target.__code__ = mutated.__code__
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        code = pytest.main(
            ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests], plugins=[]
        )
    return 0 if code == pytest.ExitCode.OK else 1


def mutants(name: str, *, at_most: int | None) -> Iterator[Mutant]:
    """Yield every mutant of a module (or a sample of `at_most`, the same each time), judged."""
    module_name = f"catalyst_bot.{name}"
    module = importlib.import_module(module_name)
    assert module.__file__ is not None
    every = list(plans(Path(module.__file__).read_text("utf-8")))
    if at_most is not None and len(every) > at_most:
        every = random.Random(0).sample(every, at_most)  # noqa: S311
    for plan in every:
        yield Mutant(
            module=name,
            function=plan.function,
            line=plan.line,
            mistake=plan.mistake,
            is_killed=judge(module_name, plan, TESTS[name]),
        )


def main() -> int:
    """Judge the mutants of the modules named, or of all; 0 when nine tenths are noticed."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", default=[*TESTS], help=", ".join(TESTS))
    parser.add_argument("--json", help="write every mutant here")
    parser.add_argument("--at-most", type=int, help="a sample of so many a module")
    parser.add_argument("--score", type=float, default=0.9, help="share that has to be noticed")
    given = parser.parse_args()
    os.chdir(ROOT)
    told: list[Mutant] = []
    for name in given.modules:
        started, before = time.monotonic(), len(told)
        for mutant in mutants(name, at_most=given.at_most):
            told.append(mutant)
            if not mutant.is_killed:
                where = f"{name}:{mutant.line} {mutant.function}"
                print(f"  survives: {where}: {mutant.mistake}", flush=True)
        of_module = told[before:]
        killed = sum(m.is_killed for m in of_module)
        took_s = time.monotonic() - started
        print(f"{name}: {killed} of {len(of_module)} noticed, {took_s:.0f} s", flush=True)
    if given.json:
        Path(given.json).write_text(json.dumps([asdict(m) for m in told], indent=2) + "\n")
    score = sum(m.is_killed for m in told) / len(told) if told else 1.0
    print(f"mutation score {score:.1%} of {len(told)}")
    return 0 if score >= given.score else 1


if __name__ == "__main__":
    sys.exit(main())
