"""Evidence pages were made with the rules of detection as they are.

Only where the real data lies: who cannot measure again may change a rule all the same.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import records


@pytest.mark.usefixtures("shared_data")
@pytest.mark.parametrize(
    "page", [records.OUTCOMES, records.CALIBRATION], ids=lambda page: page.stem
)
def test_a_page_was_made_with_these_rules(page: Path):
    stale = "measure again: python -m tools.records FOLDER, and read the words above the mark"
    assert records.rules_of(page) == records.rules_id(), stale


def test_what_is_written_below_the_mark_names_the_rules(tmp_path: Path):
    page = tmp_path / "page.md"
    old = records.CALIBRATION.read_text(encoding="utf-8").replace("clf-", "clf-0")
    page.write_text(old, encoding="utf-8")
    assert records.rules_of(page) != records.rules_id()
    records.write(page, "figures\n")
    assert records.rules_of(page) == records.rules_id()
    assert page.read_text(encoding="utf-8").endswith("-->\n\nfigures\n")
    page.write_text("no mark", encoding="utf-8")
    assert records.rules_of(page) == ""
