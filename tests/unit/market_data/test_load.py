from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.load import BarSelection, LoadedBars, load_bars, make_store
from catalyst_bot.market_data.session_times import SessionTimes
from tests.unit.market_data.samples import OPEN, csv_file, row


@pytest.fixture(scope="module")
def sessions() -> SessionTimes:
    return SessionTimes.of(load_calendar())


def reasons(loaded: LoadedBars) -> dict[str, int]:
    return {str(refusal.reason): refusal.count for refusal in loaded.refused}


def test_rows_in_any_order_become_sorted_bars(tmp_path: Path, sessions: SessionTimes):
    path = csv_file(tmp_path / "bars.csv", [row("ACME", n, close=100 + n / 10) for n in (2, 0, 1)])
    store = make_store([load_bars(path, sessions)])
    window = store.window("ACME", OPEN + timedelta(hours=1), 10)
    assert [bar.close for bar in window] == [100.0, 100.1, 100.2]
    assert window[0].opened_at == OPEN
    assert window[0].closed_at == OPEN + timedelta(minutes=5)
    assert store.interval_s == 300


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"close": "NaN"}, "not_a_number"),
        ({"open": "inf"}, "not_a_number"),
        ({"high": ""}, "not_a_number"),
        ({"volume": "many"}, "not_a_number"),
        ({"low": 0}, "price_not_positive"),
        ({"open": -1}, "price_not_positive"),
        ({"high": 98, "low": 99}, "high_below_low"),
        ({"close": 102}, "outside_high_low"),
        ({"open": 98}, "outside_high_low"),
        ({"volume": -1}, "negative_volume"),
        ({"symbol": ""}, "no_symbol"),
        ({"timestamp": "yesterday"}, "no_time"),
        ({"timestamp": "2031-01-02T14:30:00Z"}, "future"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason(
    tmp_path: Path, sessions: SessionTimes, given: dict[str, object], reason: str
):
    rows = [row("ACME", 0), row("ACME", 1, **given), row("ACME", 2), row("ACME", 3)]
    now = datetime(2026, 1, 1, tzinfo=UTC)
    loaded = load_bars(csv_file(tmp_path / "bars.csv", rows), sessions, BarSelection(not_after=now))
    assert reasons(loaded) == {reason: 1}
    assert len(loaded.frame) == 3
    assert loaded.rows_read == 4


def test_of_two_rows_for_one_bar_the_first_good_one_counts(tmp_path: Path, sessions: SessionTimes):
    rows = [
        row("ACME", 0),
        row("ACME", 1, close="NaN"),
        row("ACME", 1, close=100.1),
        row("ACME", 1, close=100.2),
    ]
    loaded = load_bars(csv_file(tmp_path / "bars.csv", rows), sessions)
    assert reasons(loaded) == {"not_a_number": 1, "duplicate": 1}
    assert loaded.frame["close"].to_list() == [100.5, 100.1]
    assert loaded.refused[-1].examples == ("ACME 2025-10-06T13:35:00+00:00",)


@pytest.mark.parametrize(
    "time",
    [
        "2025-10-06T13:35:00Z",
        "2025-10-06 13:35:00",
        "2025-10-06T15:35:00+02:00",
        "2025-10-06T13:35",
    ],
)
def test_times_as_text(tmp_path: Path, sessions: SessionTimes, time: str):
    rows = [row("ACME", 0), row("ACME", 1, timestamp=time), row("ACME", 2)]
    loaded = load_bars(csv_file(tmp_path / "bars.csv", rows), sessions)
    assert not loaded.refused
    assert loaded.frame["opened_s"][1] == int(OPEN.timestamp()) + 300


def test_symbols_and_times_can_be_selected(tmp_path: Path, sessions: SessionTimes):
    rows = [row(symbol, n) for symbol in ("ACME", "BETA") for n in range(6)]
    path = csv_file(tmp_path / "bars.csv", rows)
    minutes = timedelta(minutes=5)
    chosen = BarSelection(start=OPEN + minutes, end=OPEN + 3 * minutes, symbols={"BETA"})
    store = make_store([load_bars(path, sessions, chosen)])
    assert store.symbols == ("BETA",)
    assert store.range() == (OPEN + minutes, OPEN + 3 * minutes)


def test_bars_out_of_session_are_left_out_unless_asked_for(tmp_path: Path, sessions: SessionTimes):
    path = csv_file(tmp_path / "bars.csv", [row("ACME", n) for n in (-1, 0, 1)])
    assert len(load_bars(path, sessions).frame) == 2
    assert len(load_bars(path, sessions, BarSelection(regular_hours=False)).frame) == 3


def daily(path: Path, days: list[date]) -> Path:
    pl.DataFrame(
        {
            "date": days,
            "symbol": ["ACME"] * len(days),
            **{name: [10.0] * len(days) for name in ("open", "high", "low", "close")},
            "volume": [5] * len(days),
            "adj_close": [9.0] * len(days),
        }
    ).write_parquet(path)
    return path


def test_a_daily_bar_is_known_at_the_close_of_its_session(tmp_path: Path, sessions: SessionTimes):
    path = daily(
        tmp_path / "daily.parquet", [date(2025, 3, 7), date(2025, 3, 8), date(2025, 3, 10)]
    )
    loaded = load_bars(path, sessions)
    assert reasons(loaded) == {"not_a_session": 1}  # a Saturday
    bars = make_store([loaded]).window("ACME", datetime(2025, 3, 11, tzinfo=UTC), 5)
    assert [(bar.opened_at.hour, bar.closed_at.hour) for bar in bars] == [(14, 21), (13, 20)]


def test_one_daily_row_is_still_a_daily_bar(tmp_path: Path, sessions: SessionTimes):
    path = daily(tmp_path / "daily.parquet", [date(2025, 3, 7)])
    start = datetime(2025, 3, 7, 14, 30, tzinfo=UTC)
    loaded = load_bars(path, sessions, BarSelection(start=start))
    assert (loaded.interval_s, len(loaded.frame)) == (86_400, 1)


def test_a_file_without_the_columns_names_them(tmp_path: Path, sessions: SessionTimes):
    path = csv_file(tmp_path / "ticks.csv", ["1,2"], header="when,price")
    with pytest.raises(
        BadData, match=r"ticks\.csv: no bars: missing timestamp \(or date\), symbol"
    ):
        load_bars(path, sessions)


def test_a_file_of_another_kind_is_refused(tmp_path: Path, sessions: SessionTimes):
    fake = tmp_path / "bars.parquet"
    fake.write_text("not parquet", encoding="utf-8")
    with pytest.raises(BadData, match=r"bars\.parquet: is not a \.parquet file"):
        load_bars(fake, sessions)
    with pytest.raises(BadData, match="no such file"):
        load_bars(tmp_path / "none.csv", sessions)
    with pytest.raises(BadData, match=r"from \.parquet and \.csv files"):
        load_bars(csv_file(tmp_path / "bars.txt", []), sessions)


def test_the_interval_must_be_clear_and_as_wanted(tmp_path: Path, sessions: SessionTimes):
    mixed = [row("ACME", n) for n in range(0, 60, 6)] + [row("BETA", n) for n in range(5)]
    with pytest.raises(BadData, match="mixes bar intervals"):
        load_bars(csv_file(tmp_path / "mixed.csv", mixed), sessions)
    with pytest.raises(BadData, match="interval cannot be told"):
        load_bars(csv_file(tmp_path / "one.csv", [row("ACME", 0)]), sessions)
    path = csv_file(tmp_path / "bars.csv", [row("ACME", 0), row("ACME", 1)])
    with pytest.raises(BadData, match="has bars of 300 s, not of 60 s"):
        load_bars(path, sessions, BarSelection(interval_s=60))


def test_files_of_different_intervals_do_not_mix(tmp_path: Path, sessions: SessionTimes):
    fives = csv_file(tmp_path / "5m.csv", [row("ACME", n) for n in range(3)])
    tens = csv_file(tmp_path / "10m.csv", [row("ACME", n) for n in range(0, 6, 2)])
    with pytest.raises(BadData, match="bars of one interval are needed"):
        make_store([load_bars(fives, sessions), load_bars(tens, sessions)])


def test_overlapping_files_keep_the_first(tmp_path: Path, sessions: SessionTimes):
    first = csv_file(tmp_path / "1.csv", [row("ACME", n, close=100.1) for n in (0, 1)])
    second = csv_file(tmp_path / "2.csv", [row("ACME", n, close=100.2) for n in (1, 2)])
    store = make_store([load_bars(first, sessions), load_bars(second, sessions)])
    assert store.columns("ACME").close.tolist() == [100.1, 100.1, 100.2]


def test_a_month_of_real_bars(shared_data: Path, sessions: SessionTimes):
    october = BarSelection(
        start=datetime(2025, 10, 1, tzinfo=UTC), end=datetime(2025, 11, 1, tzinfo=UTC)
    )
    loaded = load_bars(shared_data / "prices" / "bars_5m_2025.parquet", sessions, october)
    store = make_store([loaded])
    assert store.interval_s == 300
    assert len(store.symbols) == 101
    assert len(store.instants(*store.range())) == 23 * 79
