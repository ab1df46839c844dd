from __future__ import annotations

from pathlib import Path

import pytest

from catalyst_bot.risk.checks import ENTRY_CHECKS
from tools import examples

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    return examples.pages()


@pytest.mark.parametrize("name", examples.PAGES)
def test_pages_show_what_the_program_says_today(shown: dict[str, str], name: str):
    written = (ROOT / name).read_text(encoding="utf-8")
    assert written == shown[name], "stale: run `make docs`"


def test_the_risk_page_lists_every_check_of_an_entry_in_its_order():
    page = (ROOT / "docs/concepts/risk.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert rows == [check.__name__ for check in ENTRY_CHECKS]
