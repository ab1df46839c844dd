"""The mistakes that are planted, and what is told of them (`tools.mutants`)."""

from __future__ import annotations

import ast

from tools.mistakes import mistakes_in
from tools.mutants import GUARDED, PACKAGE, Mutant, modules, page_of

SOURCE = """
def f(a, b=1):
    if not a < b <= 3:
        raise ValueError
    keep(a)
    self.total += -a
    return max(a and True, *zip(a, b, strict=True))


class C:
    @property
    def p(self):
        return None
"""


def test_every_small_mistake_of_a_function_is_made():
    told = [(m.function, m.line, m.what) for m in mistakes_in(ast.parse(SOURCE))]
    assert told == [
        ("f", 5, "left out: keep(a)"),
        ("f", 6, "left out: self.total += -a"),
        ("f", 4, "left out: raise ValueError"),
        ("f", 3, "condition inverted"),
        ("f", 3, "not dropped"),
        ("f", 3, "Lt -> LtE"),
        ("f", 3, "Lt -> GtE"),
        ("f", 3, "LtE -> Lt"),
        ("f", 3, "LtE -> Gt"),
        ("f", 3, "3 -> 4"),
        ("f", 6, "Add -> Sub"),
        ("f", 6, "sign dropped"),
        ("f", 7, "returns None"),
        ("f", 7, "max -> min"),
        ("f", 7, "And -> Or"),
        ("f", 7, "True -> False"),
    ]


def test_a_mistake_is_made_in_its_tree():
    for place, known in enumerate(mistakes_in(ast.parse(SOURCE))):
        tree = ast.parse(SOURCE)
        mistake = list(mistakes_in(tree))[place]
        assert mistake.what == known.what
        mistake.make()
        changed = ast.unparse(ast.fix_missing_locations(tree))
        assert changed != ast.unparse(ast.parse(SOURCE))
        compile(changed, "f", "exec")


def test_all_guarded_modules_with_a_function_are_judged():
    judged = set(modules())
    assert {"risk.checks", "execution.books.decide", "portfolio.tracker"} <= judged
    for name in GUARDED:
        for path in (PACKAGE / name).rglob("*.py"):
            module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
            assert (module in judged) is ("def " in path.read_text("utf-8"))


def test_the_page_shows_the_score_and_what_passes():
    told = [
        Mutant(
            module="risk.checks",
            function="f",
            line=line,
            code="a < b",
            mistake="Lt -> LtE",
            is_killed=line != 3,
        )
        for line in (1, 2, 3, 4)
    ]
    page = "\n".join(page_of(told))
    assert "**3 of 4 mistakes were noticed: 75.0%.**" in page
    assert "| `risk.checks` | 4 | 3 | 75.0% |" in page
    assert page.splitlines()[-1] == "- risk.checks:3, Lt -> LtE: `a < b`"
