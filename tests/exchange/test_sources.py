"""Where markets come from: files, the generated session, the generated days of now."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.errors import BadData
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.market.market_events import action_from, halt_from, read_events
from catalyst_bot.exchange.market.sources import generated_market, generated_now, recorded_market
from catalyst_bot.exchange.market.ticks import ActionKind
from catalyst_bot.exchange.market.timeframes import DAY, read_timeframe
from catalyst_bot.exchange.market.world import World
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.catalog import import_paths
from catalyst_bot.market_data.generated import generate_session
from tests.exchange.markets import CLOSE, NEXT_OPEN, OPEN, Row, walk

DELAY = timedelta(seconds=60)
FIVE = read_timeframe("5Min")


def write_bars(path: Path, rows: list[Row], symbol: str = "AAPL") -> Path:
    names = ("timestamp", "open", "high", "low", "close", "volume")
    frame = pl.DataFrame(rows, schema=names, orient="row").with_columns(symbol=pl.lit(symbol))
    frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)
    return path


def write_news(path: Path, *items: dict) -> Path:
    path.write_text("".join(f"{json.dumps(item)}\n" for item in items), encoding="utf-8")
    return path


# Recordings


def test_files_are_served_with_their_hours_outside_the_session(tmp_path: Path) -> None:
    early = (OPEN - timedelta(minutes=30), 10.0, 10.5, 9.5, 10.1, 50.0)
    bars = write_bars(tmp_path / "bars.csv", [early, *walk(1, starts=(OPEN,))])
    source = recorded_market([bars], news_delay=DELAY)
    assert source.default_start == OPEN
    market = Market(World(source))
    trade = market.last_trade("AAPL", OPEN - timedelta(minutes=1))
    assert trade is not None
    assert (trade.price, market.phase(trade.at)) == (10.1, SessionPhase.PRE)


def test_a_folder_is_a_catalog(tmp_path: Path) -> None:
    bars = write_bars(tmp_path / "bars.parquet", walk(1))
    items = write_news(
        tmp_path / "news.jsonl",
        {"published_at": "2025-10-22T14:00:00Z", "title": "News", "symbols": ["AAPL"]},
    )
    folder = tmp_path / "catalog"
    import_paths(
        [bars, items], folder, calendar=load_calendar(), now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    source = recorded_market([folder], [folder], news_delay=DELAY)
    assert len(source.stores[0]) == 156
    assert [item.headline for item in source.news] == ["News"]


def test_intervals_may_be_mixed(tmp_path: Path) -> None:
    fine = write_bars(tmp_path / "fine.parquet", walk(1, step_s=60, bars=390))
    coarse = write_bars(tmp_path / "coarse.parquet", walk(2), "MSFT")
    both = write_bars(tmp_path / "both.parquet", walk(3), "AAPL")
    source = recorded_market([coarse, both, fine], news_delay=DELAY)
    market = Market(World(source))
    assert market.symbols(CLOSE) == ("AAPL", "MSFT")
    bars = market.bars("AAPL", read_timeframe("1Min"), start=OPEN, end=CLOSE, at=CLOSE).bars()
    assert [bar.open for bar in bars] == [row[1] for row in walk(1, step_s=60, bars=390)][:390]


def test_symbols_are_spelled_as_alpaca_does(tmp_path: Path) -> None:
    bars = write_bars(tmp_path / "bars.parquet", walk(1), "BRK-B")
    items = write_news(
        tmp_path / "news.jsonl",
        {"published_at": "2025-10-22T14:00:00Z", "title": "News", "symbols": ["BRK-B", "aapl"]},
    )
    source = recorded_market([bars], [items], news_delay=DELAY)
    assert Market(World(source)).symbols(CLOSE) == ("BRK.B",)
    assert source.news[0].symbols == ("AAPL", "BRK.B")


def test_news_is_delayed_by_the_knob_and_dates_come_at_the_open(tmp_path: Path) -> None:
    bars = write_bars(tmp_path / "bars.parquet", walk(1))
    items = write_news(
        tmp_path / "news.jsonl",
        {
            "published_at": "2025-10-22T14:00:00Z",
            "title": "Timed",
            "body": "Text.",
            "url": "http://a.example/1",
        },
        {"published_at": "2025-10-22", "title": "Dated"},
        {"title": "broken"},
    )
    source = recorded_market([bars], [items], news_delay=timedelta(seconds=5))
    shown = {item.headline: item.shown_at for item in source.news}
    assert shown == {"Timed": OPEN + timedelta(minutes=30, seconds=5), "Dated": NEXT_OPEN}
    timed = next(item for item in source.news if item.headline == "Timed")
    assert (timed.content, timed.url, timed.author) == ("Text.", "http://a.example/1", "unknown")


@pytest.mark.parametrize("paths", [[], ["nothing.parquet"], ["."]])
def test_no_bars_is_said(tmp_path: Path, paths: list[str]) -> None:
    with pytest.raises(BadData):
        recorded_market([tmp_path / path for path in paths], news_delay=DELAY)


def test_refused_rows_are_noted(tmp_path: Path) -> None:
    bad = (OPEN + timedelta(days=1, hours=2), -1.0, 10.0, 9.0, 9.5, 1.0)
    source = recorded_market(
        [write_bars(tmp_path / "bars.parquet", [*walk(1, starts=(OPEN,)), bad])], news_delay=DELAY
    )
    assert any("price_not_positive" in note for note in source.notes)


def test_a_month_of_a_hundred_symbols(shared_data: Path) -> None:
    source = recorded_market([shared_data / "prices/bars_5m_2025.parquet"], news_delay=DELAY)
    market = Market(World(source))
    store = source.stores[0]
    start, end = datetime(2025, 10, 1, tzinfo=UTC), datetime(2025, 11, 1, tzinfo=UTC)
    at = datetime(2025, 11, 2, tzinfo=UTC)
    assert len(market.symbols(at)) == 101
    for symbol in ("AAPL", "SPY"):
        columns = store.columns(symbol)
        table = market.bars(symbol, FIVE, start=start, end=end, at=at)
        rows = (columns.opened_s >= start.timestamp()) & (columns.opened_s <= end.timestamp())
        for served, recorded in (
            (table.opened_s, columns.opened_s),
            (table.open, columns.open),
            (table.high, columns.high),
            (table.low, columns.low),
            (table.close, columns.close),
            (table.volume, columns.volume),
        ):
            assert (served == recorded[rows]).all()
        assert len(table) > 1_500


# The generated session


def test_the_generated_session_is_that_of_the_demo() -> None:
    demo, source = generate_session(5, 1.0), generated_market(5, news_delay=DELAY)
    assert source.stores[0].data_hash() == demo.bars.data_hash()
    assert source.default_start == demo.sessions[-2].opens_at
    market = Market(World(source, seed=5))
    (halted, resumed) = demo.halts
    halt = market.halt_of(halted.symbol, halted.at)
    assert halt is not None
    assert (halt.ends_at, halt.code) == (resumed.at, halted.code)
    asset = market.asset("AXQL", source.default_start)
    assert asset is not None
    assert asset.name == "Axquila Genetics"
    titles = {item.headline for item in source.news}
    assert titles == {headline.title for headline in demo.headlines}


@pytest.mark.parametrize(
    "now",
    [
        datetime(2025, 10, 22, 17, 0, tzinfo=UTC),  # in a session
        datetime(2025, 10, 22, 11, 0, tzinfo=UTC),  # before it
        datetime(2025, 11, 4, 0, 30, tzinfo=UTC),  # after it, tomorrow in UTC
        datetime(2025, 11, 28, 16, 0, tzinfo=UTC),  # a half day
        datetime(2025, 11, 29, 16, 0, tzinfo=UTC),  # Saturday
    ],
)
def test_generated_days_lie_around_now(now: datetime) -> None:
    source = generated_now(3, now=now, news_delay=DELAY)
    market = Market(World(source, seed=3))
    last = market.hours.last_session(now)
    price = market.last_trade("AXQL", now)
    assert price is not None
    if market.phase(now) is SessionPhase.REGULAR:
        assert now - price.at < timedelta(minutes=2)
    else:
        assert last.closes_at - price.at < timedelta(seconds=2)
    days = market.bars(
        "AXQL",
        DAY,
        start=now - timedelta(days=30),
        end=now + timedelta(days=60),
        at=now + timedelta(days=60),
    )
    assert 26 <= len(days) <= 28
    late = market.hours.last_session(now + timedelta(days=20)).closes_at
    assert market.last_trade("AXQL", late) != market.last_trade("AXQL", late - timedelta(days=1))
    for item in source.news[:20]:
        day = market.hours.day_at(item.created_at)
        assert day is not None  # news comes on trading days


def test_nothing_is_generated_after_an_early_close() -> None:
    now = datetime(2025, 11, 28, 16, 0, tzinfo=UTC)
    market = Market(World(generated_now(3, now=now, news_delay=DELAY)))
    trade = market.last_trade("AXQL", now + timedelta(hours=8))
    assert trade is not None
    assert trade.at < datetime(2025, 11, 28, 18, 0, tzinfo=UTC)


# Halts and actions of a file

EVENTS = """
[[halt]]
symbol = "AAPL"
starts_at = 2025-10-22T14:00:00Z
ends_at = 2025-10-22T14:30:00Z
code = "LUDP"

[[action]]
kind = "split"
symbol = "AAPL"
on = 2025-10-23
new_rate = 2.5

[[action]]
kind = "symbol_change"
symbol = "AAPL"
on = 2025-10-24
new_symbol = "APLE"
"""


def test_halts_and_actions_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "events.toml"
    path.write_text(EVENTS, encoding="utf-8")
    (halt,), (split, change) = read_events(path)
    assert (halt.code, halt.ends_at) == ("LUDP", datetime(2025, 10, 22, 14, 30, tzinfo=UTC))
    assert (split.kind, split.new_rate) == (ActionKind.SPLIT, Decimal("2.5"))
    assert change.new_symbol == "APLE"
    bars = write_bars(tmp_path / "bars.parquet", walk(1))
    market = Market(World(recorded_market([bars], news_delay=DELAY, events=path)))
    assert market.halt_of("AAPL", halt.starts_at) == halt
    assert market.symbols(NEXT_OPEN + timedelta(days=1)) == ("APLE",)


@pytest.mark.parametrize(
    "text",
    [
        "[[halt]]\nsymbol = 'A'",
        "[[halt]]\nsymbol = 'A'\nstarts_at = 2025-10-22T14:00:00Z\nends_at = 2025-10-22T14:00:00Z",
        "[[halt]]\nsymbol = 'A'\nstarts_at = 2025-10-22T14:00:00Z\nreason = 'x'",
        "[[pause]]\nsymbol = 'A'",
        "[[action]]\nkind = 'merger'\nsymbol = 'A'\non = 2025-10-23",
        "[[action]]\nkind = 'split'\nsymbol = 'A'\non = 2025-10-23",
        "[[action]]\nkind = 'reverse_split'\nsymbol = 'A'\non = 2025-10-23\nnew_rate = 2",
        "[[action]]\nkind = 'split'\nsymbol = 'A'\non = 2025-10-23\nnew_rate = 0",
        "[[action]]\nkind = 'symbol_change'\nsymbol = 'A'\non = 2025-10-23",
        "halt = 1",
        "halt = [1]",
        "not toml",
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "events.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadData, match=r"events\.toml"):
        read_events(path)


def test_json_says_the_same() -> None:
    halt = halt_from({"symbol": "A", "starts_at": "2025-10-22T14:00:00Z"})
    assert halt.ends_at is None
    action = action_from(
        {"kind": "reverse_split", "symbol": "A", "on": "2025-10-23", "old_rate": 8}
    )
    assert action.shares_per_share == Decimal("0.125")
    with pytest.raises(BadData, match="is no table"):
        halt_from([])  # type: ignore[arg-type]
