"""Downloads: fetched once, gone on with, one dataset a source, whatever happens on the way."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData, ConfigError, SourceUnreachable
from catalyst_bot.downloads.names import Interval
from catalyst_bot.downloads.wanted import (
    Fetched,
    Known,
    NothingThere,
    Period,
    Wanted,
    symbols_of,
    with_day,
)
from catalyst_bot.market_data.catalog import import_paths, read_catalog
from catalyst_bot.market_data.origin import Origin
from tests.unit.downloads.desk import CALENDAR, NOW, ask, bars_of, outcomes, period

SESSIONS = [session.day for session in CALENDAR.sessions if session.day >= date(2025, 9, 29)][:30]


@dataclass
class Invented:
    """A source whose prices say symbol and day; `silent` and `broken` symbols fail."""

    silent: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    unchanged: set[str] = field(default_factory=set)
    asked: list[tuple[str, Period]] = field(default_factory=list)
    name: str = "invented"
    vendor: str = "Inventor"
    place: str = "nowhere"
    interval: Interval | None = Interval.DAY
    adjustment: str = "not adjusted"
    terms: str = "free"

    async def fetch(self, symbol: str, period: Period, known: Known | None) -> Fetched | None:
        self.asked.append((symbol, period))
        if symbol in self.silent:
            raise SourceUnreachable("no answer")
        if symbol in self.broken:
            raise BadData(f"{symbol}: broken")
        if symbol in self.unknown:
            raise NothingThere(f"{symbol}: unknown")
        if symbol in self.unchanged and known is not None:
            return None
        days = [day for day in SESSIONS if day >= period.first]  # and more than was asked for
        return Fetched(rows=with_day(_bars(symbol, days)))


def _bars(symbol: str, days: list[date]) -> pl.DataFrame:
    close = [float(ord(symbol[0]) + SESSIONS.index(day)) for day in days]
    prices = dict.fromkeys(("open", "high", "low", "close"), close)
    return pl.DataFrame({"date": days, "symbol": symbol, **prices, "volume": 1000.0})


def _rows(symbol: str, days: Period) -> pl.DataFrame:
    return _bars(symbol, [day for day in SESSIONS if days.first <= day <= days.last])


def test_what_is_here_is_not_asked_for_again(tmp_path: Path) -> None:
    source = Invented()
    assert outcomes(ask(source, tmp_path, "AAPL", "BRK-B")) == ["fetched", "fetched"]
    again = ask(source, tmp_path, "AAPL", "BRK-B", days=period("2025-10-07", "2025-10-08"))
    assert outcomes(again) == ["here", "here"]
    assert again.imported.files[0].outcome == "known"
    assert len(source.asked) == 2
    expected = pl.concat([_rows(symbol, period()) for symbol in ("AAPL", "BRK-B")])
    assert bars_of(tmp_path).equals(expected.select(bars_of(tmp_path).columns))


def test_the_card_of_a_dataset_says_where_it_is_from(tmp_path: Path) -> None:
    ask(Invented(), tmp_path, "AAPL")
    (dataset,) = read_catalog(tmp_path)
    assert dataset.source == "invented-1d.parquet"
    assert dataset.origin is not None
    assert dataset.origin.describe() == (
        "Inventor (nowhere), asked 2025-12-01T15:00:00Z; not adjusted; free"
    )


def test_what_was_told_again_is_as_fresh_as_the_last_answer(tmp_path: Path) -> None:
    source, later = Invented(), NOW + timedelta(days=1)
    ask(source, tmp_path, "AAPL")
    (before,) = read_catalog(tmp_path)
    longer = period("2025-10-01", "2025-10-10")
    source.unchanged = {"AAPL"}
    (again,) = ask(source, tmp_path, "AAPL", days=longer, now=later).imported.files
    (after,) = read_catalog(tmp_path)
    assert again.outcome == "known"
    assert before.origin is not None
    assert after == again.dataset
    assert after == replace(before, origin=replace(before.origin, asked_at="2025-12-02T15:00:00Z"))


def test_what_a_person_imported_is_no_download(tmp_path: Path) -> None:
    file = tmp_path / "bars.parquet"
    with_day(_bars("AAPL", SESSIONS)).write_parquet(file)
    for origin in (None, Origin(vendor="V", place="p", asked_at="a", adjustment="", terms="")):
        import_paths([file], tmp_path / "catalog", calendar=CALENDAR, now=NOW, origin=origin)
    assert [each.origin for each in read_catalog(tmp_path / "catalog")] == [None]


def test_one_symbol_that_cannot_be_had_stops_no_other(tmp_path: Path) -> None:
    source = Invented(broken={"BAD"}, unknown={"GONE"})
    report = ask(source, tmp_path, "BAD", "AAPL", "GONE")
    assert outcomes(report) == ["refused", "fetched", "nothing"]
    assert not report.is_complete
    assert report.to_json()["symbols"][0]["reason"] == "BAD: broken"
    assert bars_of(tmp_path)["symbol"].unique().to_list() == ["AAPL"]


def test_nothing_at_all_makes_no_dataset(tmp_path: Path) -> None:
    report = ask(Invented(unknown={"GONE"}), tmp_path, "GONE")
    assert (report.is_complete, report.imported.files, read_catalog(tmp_path)) == (False, (), ())


def test_a_download_goes_on_where_it_stopped(tmp_path: Path) -> None:
    source = Invented(silent={"MSFT"})
    with pytest.raises(SourceUnreachable, match="1 of 2 symbols are done"):
        ask(source, tmp_path, "AAPL", "MSFT")
    assert read_catalog(tmp_path) == ()
    source.silent.clear()
    assert outcomes(ask(source, tmp_path, "AAPL", "MSFT")) == ["here", "fetched"]


def test_a_longer_period_takes_the_place_of_the_shorter(tmp_path: Path) -> None:
    source = Invented()
    other = tmp_path / "mine.parquet"
    _bars("ZZZ", SESSIONS[:5]).write_parquet(other)
    ask(source, tmp_path, "AAPL")
    import_paths([other], tmp_path, calendar=CALENDAR, now=NOW)
    before = read_catalog(tmp_path)[0]
    ask(source, tmp_path, "AAPL", days=period("2025-10-08", "2025-10-17"))
    after = read_catalog(tmp_path)
    assert [entry.source for entry in after] == ["invented-1d.parquet", "mine.parquet"]
    assert source.asked[-1] == ("AAPL", period("2025-10-06", "2025-10-17"))
    assert after[0].rows == 10
    assert not (tmp_path / before.file).exists()


def test_what_has_not_changed_is_believed_for_the_longer_period(tmp_path: Path) -> None:
    source = Invented(unchanged={"AAPL"})
    ask(source, tmp_path, "AAPL")
    longer = period("2025-10-06", "2025-10-17")
    assert outcomes(ask(source, tmp_path, "AAPL", days=longer)) == ["unchanged"]
    assert bars_of(tmp_path)["date"].max() == date(2025, 10, 17)
    assert outcomes(ask(source, tmp_path, "AAPL", days=longer)) == ["here"]


def test_a_damaged_receipt_is_no_receipt(tmp_path: Path) -> None:
    source = Invented()
    ask(source, tmp_path, "AAPL")
    (tmp_path / "downloads" / "invented-1d" / "AAPL.json").write_text("{", encoding="utf-8")
    assert outcomes(ask(source, tmp_path, "AAPL")) == ["fetched"]


DAYS = st.integers(0, 20).flatmap(
    lambda first: st.integers(first, 25).map(
        lambda last: Period(first=SESSIONS[first], last=SESSIONS[last])
    )
)
ROUND = st.tuples(
    st.lists(st.sampled_from(["AAA", "BBB", "CCC"]), min_size=1, max_size=3, unique=True),
    DAYS,
    st.sets(st.sampled_from(["AAA", "BBB", "CCC"]), max_size=1),
    st.sets(st.sampled_from(["AAA", "BBB", "CCC"])),
)


@given(st.lists(ROUND, min_size=1, max_size=5))
def test_however_it_was_fetched_the_catalog_holds_what_was_asked_for(
    rounds: list[tuple[list[str], Period, set[str], set[str]]],
) -> None:
    asked: dict[str, Period] = {}
    with tempfile.TemporaryDirectory() as name:
        catalog = Path(name)
        for symbols, days, silent, unchanged in rounds:
            source = Invented(silent=silent, unchanged=_same_start(unchanged, asked, days))
            try:
                done = symbols if ask(source, catalog, *symbols, days=days) else []
            except SourceUnreachable:
                done = symbols[: symbols.index(next(iter(silent)))]
            for symbol in done:
                asked[symbol] = asked[symbol].hull(days) if symbol in asked else days
        if not asked or not read_catalog(catalog):
            return
        ask(Invented(), catalog, *asked, days=next(iter(asked.values())))
        first = next(iter(asked.values()))
        expected = {symbol: days.hull(first) for symbol, days in asked.items()}
        found = bars_of(catalog)
        rows = pl.concat([_rows(symbol, expected[symbol]) for symbol in sorted(expected)])
        assert found.equals(rows.select(found.columns))


def _same_start(symbols: set[str], asked: dict[str, Period], days: Period) -> set[str]:
    """Nobody says "not changed" to a question about earlier days."""
    return {name for name in symbols if name in asked and asked[name].first <= days.first}


def test_bars_of_another_interval_are_refused_by_name(tmp_path: Path) -> None:
    class Minutes(Invented):
        async def fetch(self, symbol: str, period: Period, known: Known | None) -> Fetched | None:
            times = [NOW.replace(month=10, day=6, minute=minute) for minute in range(5)]
            prices = dict.fromkeys(("open", "high", "low", "close", "volume"), 5.0)
            return Fetched(
                rows=with_day(pl.DataFrame({"timestamp": times, "symbol": symbol, **prices}))
            )

    report = ask(Minutes(interval=Interval.FIVE_MINUTES), tmp_path, "AAPL")
    assert outcomes(report) == ["refused"]
    assert "4 of 5 bars do not begin at a multiple of 5m" in report.symbols[0].reason


@pytest.mark.parametrize(
    ("symbols", "first", "last", "said"),
    [
        ((), "2025-10-06", "2025-10-10", "no symbols to download"),
        (("../X",), "2025-10-06", "2025-10-10", "is no symbol"),
        (("AAPL",), "2025-10-11", "2025-10-10", "is after"),
        (("AAPL",), "2025-10-06", "2025-12-01", "not over in New York; the last whole day is"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    symbols: tuple[str, ...], first: str, last: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        Wanted(symbols=symbols, period=period(first, last), today=NOW.date())


def test_a_list_of_symbols_may_have_commas_lines_and_remarks() -> None:
    assert symbols_of("aapl, MSFT\n# the benchmark\nSPY # of all\nAAPL") == ("AAPL", "MSFT", "SPY")


def test_a_period_is_the_hull_of_both() -> None:
    one, two = period("2025-10-06", "2025-10-07"), period("2025-10-09", "2025-10-10")
    both = one.hull(two)
    assert both.covers(one)
    assert both.covers(two)
    assert not one.covers(both)
    assert both.last - both.first == timedelta(days=4)
