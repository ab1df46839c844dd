"""Certificates of the kill switch's drill, and when another is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.runtime import drills
from catalyst_bot.runtime.drills import Certificate, keep, last_drill, percentile
from tests.builders import NOON

GOOD = Certificate(
    at=NOON,
    version="1.2.3",
    venue="an own exchange",
    orders=500,
    latency_ms=50.0,
    tries=2,
    verified=2,
    p50_ms=300.0,
    p99_ms=999.0,
    max_ms=999.5,
    steps_ms={"latch": 0.4, "verify": 200.0},
    verified_by="a GET of the drill",
    bot="no bot on the account",
)


@pytest.mark.parametrize(
    ("change", "is_passed"),
    [({}, True), ({"verified": 1}, False), ({"p99_ms": 1000.0}, False)],
)
def test_it_passes_when_every_book_was_empty_within_a_second(
    change: dict[str, float], is_passed: bool
):
    certificate = replace(GOOD, **change)  # type: ignore[arg-type]
    assert certificate.is_passed is is_passed
    assert ("passed" if is_passed else "FAILED") in certificate.line()


def test_the_newest_certificate_counts_and_ages(tmp_path: Path):
    keep(tmp_path, replace(GOOD, at=NOON - timedelta(days=60)))
    keep(tmp_path, GOOD)
    last = last_drill(tmp_path, NOON + timedelta(days=31))
    assert last.at == NOON
    assert last.line == GOOD.line()
    assert not last.is_overdue
    assert "31 days ago" in last.text()
    assert last_drill(tmp_path, NOON + timedelta(days=31, seconds=1)).is_overdue


def test_a_certificate_of_the_future_is_no_fresh_drill(tmp_path: Path):
    keep(tmp_path, replace(GOOD, at=NOON + timedelta(seconds=1)))
    last = last_drill(tmp_path, NOON)
    assert last.is_overdue
    assert "in the future, by its certificate: drill it again" in last.text()


def test_none_and_one_that_failed_are_due_at_once(tmp_path: Path):
    assert last_drill(tmp_path, NOON).is_overdue
    assert "never drilled" in last_drill(tmp_path, NOON).text()
    keep(tmp_path, replace(GOOD, verified=0))
    assert last_drill(tmp_path, NOON).is_overdue


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"at": 1}', '{"at": "yesterday"}'])
def test_a_certificate_that_cannot_be_read_is_none(tmp_path: Path, content: str):
    folder = tmp_path / drills.FOLDER
    folder.mkdir()
    (folder / "kill-switch-99991231T000000Z.json").write_text(content)
    assert last_drill(tmp_path, NOON).at is None
    keep(tmp_path, GOOD)
    assert last_drill(tmp_path, NOON).at == NOON


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_enough_do_not_exceed(values: list[float], share: float):
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6
    assert percentile([], share) == 0.0
