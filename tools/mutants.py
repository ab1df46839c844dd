"""Do the tests notice when the code is wrong? `python -m tools.mutants [MODULE…] [--json FILE]`.

Each mutant is one small mistake (`tools.mistakes`) in one function of risk, execution or the
ledger. The tests that enter this function must fail. Which those are is seen in a run without a
mistake; then each mistake is planted into the running function (its `__code__`) in a forked child,
so that nothing is written, nothing is imported again, and everybody who imported the function
has it. `--page` writes docs/evidence/mutants.md; it needs all modules.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
import os
import signal
import sys
import time
import types
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from tools.mistakes import Mistake, functions_in, mistakes_in

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "catalyst_bot"
PAGE = ROOT / "docs" / "evidence" / "mutants.md"
GUARDED = ("risk", "execution", "portfolio")
TESTS = (
    *(f"tests/unit/{name}" for name in GUARDED),
    "tests/property/test_ledger.py",
    "tests/property/test_risk_sizing.py",
)
OPTIONS = ("-q", "-s", "--tb=line", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist")
NEEDED = 0.9  # the share that must be noticed
_UNNOTICED, _NOTICED, _BROKEN = range(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One mistake: where it is, what it does, and whether a test noticed."""

    module: str
    function: str
    line: int
    code: str
    mistake: str
    is_killed: bool


@dataclass(frozen=True, slots=True)
class _Module:
    """A module under judgement: its source, its tree, its functions as they run."""

    name: str
    source: str
    tree: ast.Module
    functions: dict[str, types.FunctionType]

    @classmethod
    def read(cls, name: str) -> _Module:
        module = importlib.import_module(f"catalyst_bot.{name}")
        source = Path(str(module.__file__)).read_text("utf-8")
        tree = ast.parse(source)
        return cls(name, source, tree, {n: _running(module, n) for n, _ in functions_in(tree)})

    def plant(self, mistake: Mistake) -> None:
        """Make a mistake in the running function; only ever in a child of this process."""
        mistake.make()
        for found in vars(sys.modules[f"catalyst_bot.{self.name}"]).values():
            if hasattr(found, "cache_clear"):
                found.cache_clear()
        function = self.functions[mistake.function]
        tree = ast.fix_missing_locations(self.tree)
        compiled = compile(tree, function.__code__.co_filename, "exec", dont_inherit=True)
        function.__code__ = next(c for c in _codes(compiled) if c.co_qualname == mistake.function)


def _running(module: types.ModuleType, name: str) -> types.FunctionType:
    """Return the function of a qualified name, out of its property or cache."""
    found: object = module
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    found = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    assert callable(found)
    function = inspect.unwrap(found)
    assert isinstance(function, types.FunctionType)
    return function


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _codes(inner)


def modules() -> list[str]:
    """Return the guarded modules that have a function, as `risk.checks`."""
    found = (path for name in GUARDED for path in sorted((PACKAGE / name).rglob("*.py")))
    return [
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in found
        if any(functions_in(ast.parse(path.read_text("utf-8"))))
    ]


@dataclass(slots=True)
class _Trial:
    """A plugin of pytest that runs its tests once as they are, then for every mistake."""

    modules: Sequence[_Module]
    told: list[Mutant] = field(default_factory=list)
    failing: list[str] = field(default_factory=list)
    is_child: bool = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Leave a child at the first failure."""
        if report.failed and self.is_child:
            os._exit(_NOTICED)
        if report.failed:
            self.failing.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judge all mistakes, unless a test fails without any."""
        visitors, took_s = self._watch(session.items)
        for module in () if session.testsfailed or self.failing else self.modules:
            started_at, before = time.monotonic(), len(self.told)
            lines = module.source.splitlines()
            for mistake in mistakes_in(module.tree):
                visiting = visitors[module.name, mistake.function]
                items = sorted(visiting, key=lambda item: took_s[item.nodeid])
                patience_s = 10 + 10 * sum(took_s[item.nodeid] for item in items)
                mutant = Mutant(
                    module=module.name,
                    function=mistake.function,
                    line=mistake.line,
                    code=lines[mistake.line - 1].strip(),
                    mistake=mistake.what,
                    is_killed=self._judge(module, mistake, items, patience_s),
                )
                self.told.append(mutant)
                if not mutant.is_killed:
                    where = f"{module.name}:{mutant.line} {mutant.function}"
                    _say(f"  survives: {where}: {mutant.mistake}: {mutant.code}")
            killed, all_of_it = _score(self.told[before:])
            took = time.monotonic() - started_at
            _say(f"{module.name}: {killed} of {all_of_it} noticed, {took:.0f} s")
        return True

    def _watch(
        self, items: Sequence[pytest.Item]
    ) -> tuple[dict[tuple[str, str], list[pytest.Item]], dict[str, float]]:
        """Run the tests as they are: who enters which function, and seconds by test."""
        of_code = {
            id(function.__code__): (module.name, name)
            for module in self.modules
            for name, function in module.functions.items()
        }
        visitors: dict[tuple[str, str], list[pytest.Item]] = defaultdict(list)
        took_s: dict[str, float] = {}
        for item, following in _in_turn(items):
            entered: set[int] = set()
            started_at = time.monotonic()
            sys.setprofile(lambda frame, *_, seen=entered: seen.add(id(frame.f_code)))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            sys.setprofile(None)
            took_s[item.nodeid] = time.monotonic() - started_at
            for code in entered & of_code.keys():
                visitors[of_code[code]].append(item)
        return visitors, took_s

    def _judge(
        self, module: _Module, mistake: Mistake, items: Sequence[pytest.Item], patience_s: float
    ) -> bool:
        """Return True when a test fails with the mistake, or never ends, in a child."""
        if not items:
            return False
        child = os.fork()
        if child == 0:
            outcome = _BROKEN
            try:
                self.is_child = True
                with Path(os.devnull).open("w") as nowhere:
                    os.dup2(nowhere.fileno(), 1)
                    os.dup2(nowhere.fileno(), 2)
                signal.setitimer(signal.ITIMER_REAL, patience_s)
                module.plant(mistake)
                for item, following in _in_turn(items):
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                outcome = _UNNOTICED
            finally:
                os._exit(outcome)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == _BROKEN:
            raise RuntimeError(f"cannot be planted: {module.name}: {mistake}")
        return status != 0


def _in_turn(
    items: Sequence[pytest.Item],
) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    yield from zip(items, [*items[1:], None], strict=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _score(told: Sequence[Mutant]) -> tuple[int, int]:
    return sum(mutant.is_killed for mutant in told), len(told)


def judged(names: Sequence[str]) -> list[Mutant] | None:
    """Return every mutant of the modules, judged; None when the tests fail without any."""
    os.environ["HYPOTHESIS_PROFILE"] = "unshrunk"
    trial = _Trial([_Module.read(name) for name in names])
    with redirect_stdout(sys.stderr):
        outcome = pytest.main([*OPTIONS, *TESTS], plugins=[trial])
    if outcome != pytest.ExitCode.OK or trial.failing:
        return None
    return trial.told


def page_of(told: Sequence[Mutant]) -> Iterator[str]:
    """Yield the lines of the page: the score of every module, and every mistake that passes."""
    of_module: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in told:
        of_module[mutant.module].append(mutant)
    killed, all_of_it = _score(told)
    yield "<!-- Written by `python -m tools.mutants --page`. -->"
    yield ""
    yield "# Do the tests notice when the code is wrong? Measured"
    yield ""
    yield "One small mistake at a time in a function of risk, execution or the ledger: a comparison"
    yield "turned or made strict, a number one off, a sign, a condition or an end of a range"
    yield "swapped, a statement left out. The tests that enter the function run; one must fail."
    yield "`make mutants` does it again, and fails below nine tenths."
    yield ""
    yield f"**{killed:,} of {all_of_it:,} mistakes were noticed: {killed / all_of_it:.1%}.**"
    yield ""
    yield "| module | mistakes | noticed | |"
    yield "| --- | --: | --: | --: |"
    for name, its in of_module.items():
        noticed, made = _score(its)
        yield f"| `{name}` | {made} | {noticed} | {noticed / made:.1%} |"
    yield ""
    yield "## What passes"
    yield ""
    for mutant in told:
        if not mutant.is_killed:
            where = f"{mutant.module}:{mutant.line}"
            yield f"- {where}, {mutant.mistake}: `{mutant.code}`"


def main() -> int:
    """Judge the mutants of the modules named, or of all; 0 when nine tenths are noticed."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="as risk.checks; all of them without a name")
    parser.add_argument("--json", metavar="FILE", help="write every mutant here; - is stdout")
    parser.add_argument("--page", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    given = parser.parse_args()
    if given.page and given.modules:
        parser.error("the page is about all modules: name none")
    os.chdir(ROOT)
    told = judged(given.modules or modules())
    if told is None:
        _say("the tests fail without a mistake: nothing to judge")
        return 1
    if given.json:
        text = json.dumps([asdict(mutant) for mutant in told], indent=2) + "\n"
        Path("/dev/stdout" if given.json == "-" else given.json).write_text(text, encoding="utf-8")
    if given.page:
        PAGE.write_text("\n".join(page_of(told)) + "\n", encoding="utf-8")
    killed, all_of_it = _score(told)
    _say(f"{killed} of {all_of_it} mistakes noticed: {killed / max(all_of_it, 1):.1%}")
    return 0 if killed >= NEEDED * all_of_it else 1


if __name__ == "__main__":
    sys.exit(main())
