from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.load import BarSelection, load_bars
from catalyst_bot.market_data.quality import QualityReport, assess
from catalyst_bot.market_data.session_times import SessionTimes
from tests.unit.market_data.samples import csv_file, row

EVERY_HOUR = BarSelection(regular_hours=False)


@pytest.fixture(scope="module")
def sessions() -> SessionTimes:
    return SessionTimes.of(load_calendar())


def report(path: Path, rows: list[str], sessions: SessionTimes) -> QualityReport:
    return assess(load_bars(csv_file(path / "bars.csv", rows), sessions, EVERY_HOUR), sessions)


def priced(symbol: str, bar: int, price: float) -> str:
    return row(symbol, bar, open=price, high=price, low=price, close=price)


def test_missing_bars_are_counted_between_a_symbols_first_and_last(
    tmp_path: Path, sessions: SessionTimes
):
    rows = [row("ACME", n) for n in (0, 1, 2, 5, 6)] + [row("BETA", n) for n in (2, 3, 4)]
    found = report(tmp_path, rows, sessions)
    assert (found.missing_bars, found.expected_bars) == (2, 10)
    assert [(gap.symbol, gap.missing) for gap in found.worst_gaps] == [("ACME", 2)]


def test_nights_are_no_gaps(tmp_path: Path, sessions: SessionTimes):
    rows = [row("ACME", n) for n in (75, 76, 77, 288, 289)]  # the next day begins 288 bars on
    found = report(tmp_path, rows, sessions)
    assert found.missing_bars == 0
    assert found.outside_sessions == 0


def test_bars_before_the_open_are_counted_apart(tmp_path: Path, sessions: SessionTimes):
    found = report(tmp_path, [row("ACME", n) for n in (-2, -1, 0, 1)], sessions)
    assert found.outside_sessions == 2
    assert found.missing_bars == 0


def test_jumps_are_found_with_their_size(tmp_path: Path, sessions: SessionTimes):
    prices = {0: 100.0, 1: 119.0, 2: 150.0, 3: 149.0}  # +19 %, +26 %, -1 %
    found = report(tmp_path, [priced("ACME", n, p) for n, p in prices.items()], sessions)
    assert found.jumps == 1
    assert found.possible_splits == 0
    jump = found.worst_jumps[0]
    assert (jump.symbol, jump.before, jump.after) == ("ACME", 119.0, 150.0)
    assert jump.change == pytest.approx(0.2605, abs=1e-4)


def test_only_a_large_jump_over_night_may_be_a_split(tmp_path: Path, sessions: SessionTimes):
    prices = {0: 100.0, 1: 50.0, 77: 50.0, 288: 100.0, 289: 101.0}
    found = report(tmp_path, [priced("ACME", n, p) for n, p in prices.items()], sessions)
    assert [jump.possible_split for jump in found.worst_jumps] == [False, True]
    assert (found.jumps, found.possible_splits) == (2, 1)


def test_the_last_price_of_one_symbol_is_not_the_first_of_the_next(
    tmp_path: Path, sessions: SessionTimes
):
    rows = [priced("ACME", n, 100.0) for n in (0, 1)] + [priced("BETA", n, 5.0) for n in (0, 1)]
    assert report(tmp_path, rows, sessions).jumps == 0


def test_the_report_can_be_read_by_people_and_programs(tmp_path: Path, sessions: SessionTimes):
    rows = [row("ACME", 0), row("ACME", 0), row("ACME", 1, close="NaN"), row("ACME", 3)]
    rows += [row("BETA", n) for n in range(4)]
    found = report(tmp_path, rows, sessions)
    assert found.duplicates == 1
    plain = json.loads(json.dumps(found.to_json()))
    assert plain["first_at"] == "2025-10-06T13:30:00Z"
    assert plain["last_at"] == "2025-10-06T13:50:00Z"
    assert {r["reason"]: r["count"] for r in plain["refused"]} == {
        "not_a_number": 1,
        "duplicate": 1,
    }
    text = found.render()
    assert "6 bars of 2 symbols, 300 s" in text
    assert "gaps: 2 of 8 bars (25.00%) (ACME 2)" in text
    assert "refused: 1 not_a_number (ACME 2025-10-06T13:35:00+00:00)" in text


def test_a_report_on_nothing(tmp_path: Path, sessions: SessionTimes):
    rows = [row("ACME", n, close="NaN") for n in (0, 1)]
    found = report(tmp_path, rows, sessions)
    assert (found.rows_taken, found.first_at, found.missing_bars) == (0, None, 0)
    assert "0 bars of 0 symbols" in found.render()


def test_the_real_five_minute_bars_are_whole(shared_data: Path, sessions: SessionTimes):
    path = shared_data / "prices" / "bars_5m_2025.parquet"
    found = assess(load_bars(path, sessions, EVERY_HOUR), sessions)
    assert (found.rows_taken, found.symbols, found.interval_s) == (1_269_153, 101, 300)
    assert found.missing_bars == 0
    assert found.refused == ()
    assert "101 symbols, 300 s, 2025-04-24T13:30:00Z to 2025-12-31T21:00:00Z" in found.render()


def test_raw_daily_prices_show_their_splits(shared_data: Path, sessions: SessionTimes):
    path = shared_data / "prices" / "lean_daily_raw.parquet"
    found = assess(load_bars(path, sessions, EVERY_HOUR), sessions)
    splits = {(j.symbol, j.at.date().isoformat()) for j in found.worst_jumps if j.possible_split}
    assert ("AAPL", "2014-06-09") in splits  # seven for one
    assert ("AAPL", "2020-08-31") in splits  # four for one


def test_empty_quote_minutes_are_refused_rows(shared_data: Path, sessions: SessionTimes):
    path = shared_data / "prices" / "lean_minute_tradequote.parquet"
    found = assess(load_bars(path, sessions, EVERY_HOUR), sessions)
    assert {str(r.reason): r.count for r in found.refused} == {"not_a_number": 3819}


def test_days_that_a_real_export_skipped_are_named(shared_data: Path, sessions: SessionTimes):
    path = shared_data / "prices" / "bars_1h_2021_meme_delisted.parquet"
    missing = assess(load_bars(path, sessions, EVERY_HOUR), sessions).missing_sessions
    ends_of_months = ("2021-03-31", "2021-04-30", "2021-06-30", "2021-08-31", "2021-09-30")
    assert missing.of_all == (*ends_of_months, "2021-11-30")
