"""The matching engine alone, as the exchange drives it: each order meets the quote at once."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from benchmarks.line import Line, median_of
from catalyst_bot.broker.embedded_orders import EmbeddedNames
from catalyst_bot.domain.enums import OrderKind, Side, TimeInForce
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.simulation.fill_profile import FillProfile
from catalyst_bot.simulation.market_now import MarketNow
from catalyst_bot.simulation.matching_engine import MatchingEngine
from catalyst_bot.simulation.order_request import OrderRequest
from catalyst_bot.simulation.venue_rules import ALPACA_RULES

RESTING, SYMBOLS, ORDERS, TRADES = 500, 50, 4_000, 2_000
OPENED_AT = datetime(2025, 10, 22, 13, 30, tzinfo=UTC)
MARKET = MarketNow(bid=Decimal("99.95"), ask=Decimal("100.05"), last=Decimal(100))
MOMENT = timedelta(microseconds=1)


def lines() -> list[Line]:
    """Measure at 500 open orders, spread over many symbols and all in one."""
    return [
        Line(
            job="orders through the engine, 500 open in 50 symbols",
            unit="orders/s",
            value=median_of(lambda: _orders_per_second(SYMBOLS)),
            target=5_000,
            note="submitted, judged, filled at the quote, one in ten in parts",
        ),
        Line(
            job="orders through the engine, 500 open in the same symbol",
            unit="orders/s",
            value=median_of(lambda: _orders_per_second(1)),
            target=5_000,
            note="the same, every order judged against 500 others",
        ),
        Line(
            job="trades shown to 500 open orders of one symbol",
            unit="trades/s",
            value=median_of(_trades_per_second),
        ),
    ]


def _orders_per_second(symbols: int) -> float:
    engine = _venue(symbols)
    requests = [_request(f"order-{number}", "ACME") for number in range(ORDERS)]
    at = OPENED_AT
    start = time.perf_counter()
    for request in requests:
        order_id = engine.submit(request, at, market=MARKET)[0].order_id  # type: ignore[union-attr]
        while not engine.state.orders[order_id].is_ended:
            at += MOMENT
            engine.on_trade("ACME", 100.0, at, bid=99.95, ask=100.05, only=[order_id])
    seconds = time.perf_counter() - start
    if len(engine.state.all_open_orders()) != RESTING:
        raise RuntimeError("the resting orders moved: the measurement is of something else")
    return ORDERS / seconds


def _trades_per_second() -> float:
    engine = _venue(1)
    at = OPENED_AT
    start = time.perf_counter()
    for _ in range(TRADES):
        at += MOMENT
        engine.on_trade("ACME", 100.0, at, bid=99.95, ask=100.05)
    return TRADES / (time.perf_counter() - start)


def _venue(symbols: int) -> MatchingEngine:
    """A venue where 500 limit orders rest below the market."""
    engine = MatchingEngine(
        CostRules(),
        FillProfile.ALPACA,
        names=EmbeddedNames(),
        starting_cash_usd=Decimal(10**9),
        buying_power_multiplier=Decimal(4),
        rules=ALPACA_RULES,
    )
    for number in range(RESTING):
        symbol = "ACME" if symbols == 1 else f"SYM{number % symbols}"
        resting = _request(f"resting-{number}", symbol, limit_price=Decimal(90))
        engine.submit(resting, OPENED_AT, market=MARKET)
    return engine


def _request(name: str, symbol: str, limit_price: Decimal | None = None) -> OrderRequest:
    return OrderRequest(
        client_order_id=name,
        symbol=symbol,
        side=Side.BUY,
        kind=OrderKind.MARKET if limit_price is None else OrderKind.LIMIT,
        time_in_force=TimeInForce.DAY,
        quantity=Decimal(10),
        reference_price=Decimal("100.05"),
        limit_price=limit_price,
    )
