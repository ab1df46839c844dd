"""Nothing that is later than the clock is in any answer: another future, the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst_bot.exchange.market.book_prices import QuoteRule
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.market.news import NewsItem
from catalyst_bot.exchange.market.ticks import ActionKind, CorporateAction, Halt
from tests.exchange.data_client import DataClient
from tests.exchange.markets import CLOSE, MINUTE, NEXT_OPEN, OPEN, Row, market_of, news, walk

SYMBOLS = ("AAPL", "MSFT")
RANGE = {"start": "2025-10-01T00:00:00Z", "end": "2025-10-31T00:00:00Z", "limit": "10000"}
ALL = {"symbols": ",".join(SYMBOLS)}
REQUESTS: tuple[tuple[str, dict[str, str]], ...] = (
    *(
        ("/v2/stocks/bars", ALL | RANGE | {"timeframe": timeframe, "adjustment": adjustment})
        for timeframe in ("1Min", "3Min", "5Min", "1Hour", "1Day", "1Week", "1Month")
        for adjustment in ("raw", "split")
    ),
    *((f"/v2/stocks/{kind}", ALL | RANGE) for kind in ("trades", "quotes", "auctions")),
    *((f"/v2/stocks/{kind}/latest", ALL) for kind in ("trades", "quotes", "bars")),
    ("/v2/stocks/snapshots", ALL),
    ("/v1beta1/screener/stocks/most-actives", {}),
    ("/v1beta1/screener/stocks/movers", {}),
    ("/v1/corporate-actions", {"start": "2025-10-01", "end": "2025-10-31"}),
    ("/v1beta1/news", {"limit": "50", "include_content": "true"}),
)
MOMENTS = st.one_of(
    st.integers(0, 390 * 60).map(lambda s: OPEN + timedelta(seconds=s)),
    st.integers(0, 78).map(lambda n: NEXT_OPEN + n * timedelta(minutes=5)),
    st.sampled_from([OPEN - MINUTE, CLOSE, CLOSE + timedelta(hours=5), NEXT_OPEN - MINUTE]),
)


def future_of(rows: Sequence[Row], at: datetime, seed: int) -> list[Row]:
    """Bars that begin after `at` have other prices, and some are gone."""
    other = walk(1_000 + seed)
    return [
        row if row[0] <= at else another
        for index, (row, another) in enumerate(zip(rows, other, strict=True))
        if row[0] <= at or (index + seed) % 7
    ]


def world(at: datetime | None, rule: QuoteRule, seed: int = 0) -> Market:
    """The market, or one that is the same up to `at`."""
    bars: dict[str, Sequence[Row]] = {s: walk(n) for n, s in enumerate(SYMBOLS)}
    halts = [
        Halt(symbol="AAPL", starts_at=OPEN + 17 * MINUTE, ends_at=OPEN + 31 * MINUTE),
        Halt(symbol="MSFT", starts_at=NEXT_OPEN + 8 * MINUTE, ends_at=NEXT_OPEN + 20 * MINUTE),
    ]
    split = CorporateAction(
        kind=ActionKind.SPLIT, symbol="MSFT", on=NEXT_OPEN.date(), new_rate=Decimal(3)
    )
    actions = [split]
    items: list[NewsItem] = [news(n, OPEN + n * 7 * MINUTE, "AAPL") for n in range(1, 100)]
    if at is not None:
        bars = {s: future_of(rows, at, seed) for s, rows in bars.items()}
        halts = [halt for halt in halts if halt.starts_at <= at]
        halts.append(Halt(symbol="AAPL", starts_at=at + MINUTE))
        items = [item for item in items if item.shown_at <= at]
        items.append(news(777, at, "AAPL"))
        if at < NEXT_OPEN - timedelta(hours=6):
            actions = []
    return market_of(bars, quote_rule=rule, halts=tuple(halts), actions=actions, news=tuple(items))


@settings(max_examples=20)
@given(at=MOMENTS, seed=st.integers(0, 6), rule=st.sampled_from(QuoteRule))
def test_the_future_is_in_no_answer(at: datetime, seed: int, rule: QuoteRule) -> None:
    here = DataClient(world(None, rule), at)
    elsewhere = DataClient(world(at, rule, seed), at)
    for path, params in REQUESTS:
        assert here.raw(path, **params) == elsewhere.raw(path, **params), (path, params)
    ours, theirs = here.market, elsewhere.market
    for symbol in SYMBOLS:
        assert ours.last_price(symbol, at) == theirs.last_price(symbol, at)
        assert ours.previous_close(symbol, at) == theirs.previous_close(symbol, at)
        assert ours.asset(symbol, at) == theirs.asset(symbol, at)
        assert (ours.halt_of(symbol, at) is None) is (theirs.halt_of(symbol, at) is None)


def test_the_other_future_is_another() -> None:
    at = OPEN + 100 * MINUTE
    here, elsewhere = (DataClient(world(t, QuoteRule.TRADES), at) for t in (None, at))
    here.at = elsewhere.at = at + 30 * MINUTE
    differ = [
        path
        for path, params in REQUESTS
        if here.raw(path, **params) != elsewhere.raw(path, **params)
    ]
    assert {"/v2/stocks/bars", "/v2/stocks/trades", "/v2/stocks/snapshots"} <= set(differ)
    assert "/v1beta1/news" in differ
