from __future__ import annotations

from pathlib import Path

import pytest

from tools import examples

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    return examples.pages()


@pytest.mark.parametrize("name", examples.PAGES)
def test_pages_show_what_the_program_says_today(shown: dict[str, str], name: str):
    written = (ROOT / name).read_text(encoding="utf-8")
    assert written == shown[name], "stale: run `make docs`"
