"""Builders of domain objects with sensible defaults; every test names only what it is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from catalyst_bot.domain import ids
from catalyst_bot.domain.account import AccountView, BrokerOrder, Position
from catalyst_bot.domain.calendar import Session, TradingCalendar
from catalyst_bot.domain.enums import (
    CategoryAction,
    OrderKind,
    OrderRole,
    OrderStatus,
    Regime,
    Side,
    TimeInForce,
    TradingState,
)
from catalyst_bot.domain.market import Bar, Quote
from catalyst_bot.domain.news import Catalyst, Headline
from catalyst_bot.domain.trading import (
    ApprovedOrder,
    Fill,
    Observation,
    OrderTicket,
    Signal,
    TradeIntent,
    Vote,
)
from catalyst_bot.features.market import NEUTRAL

OPEN = datetime(2025, 10, 6, 13, 30, tzinfo=UTC)  # a Monday, 09:30 in New York
NOON = datetime(2025, 10, 6, 16, 0, tzinfo=UTC)
CLOSE = datetime(2025, 10, 6, 20, 0, tzinfo=UTC)


def calendar() -> TradingCalendar:
    """Weekday sessions 13:30-20:00 UTC from 2025-09-01 to 2025-11-28 (no holidays)."""
    days = (date(2025, 9, 1) + timedelta(days=n) for n in range(89))
    return TradingCalendar(
        tuple(
            Session(
                day=day,
                opens_at=datetime(day.year, day.month, day.day, 13, 30, tzinfo=UTC),
                closes_at=datetime(day.year, day.month, day.day, 20, 0, tzinfo=UTC),
            )
            for day in days
            if day.weekday() < 5
        )
    )


def headline(**given: Any) -> Headline:
    """A headline about ACME, received a minute after it was published."""
    published_at = given.pop("published_at", NOON)
    defaults: dict[str, Any] = {
        "source": "test",
        "title": "Acme wins FDA approval for its pump",
        "symbols": ("ACME",),
        "published_at": published_at,
        "received_at": published_at + timedelta(seconds=60),
    }
    values = defaults | given
    values.setdefault("item_id", ids.item_id(values["source"], values["title"]))
    return Headline(**values)


def catalyst(**given: Any) -> Catalyst:
    """A good, confident catalyst for ACME."""
    of_headline = given.pop("headline", headline())
    symbol = given.get("symbol", "ACME")
    defaults: dict[str, Any] = {
        "catalyst_id": ids.catalyst_id(of_headline.item_id, symbol),
        "item_id": of_headline.item_id,
        "symbol": symbol,
        "category": "fda_approval",
        "action": CategoryAction.TRADE,
        "direction": 1,
        "sentiment": 0.6,
        "score": 0.8,
        "confidence": 0.85,
        "factors": (),
        "evidence": ("FDA approval",),
        "horizon_s": 86_400.0,
        "title": of_headline.title,
        "source": of_headline.source,
        "published_at": of_headline.published_at,
        "received_at": of_headline.received_at,
        "classifier_id": "test",
    }
    return Catalyst(**(defaults | given))


def bar(symbol: str = "ACME", opened_at: datetime = NOON, **given: Any) -> Bar:
    """A five-minute bar around $100."""
    defaults: dict[str, Any] = {
        "open": 100.0,
        "high": 100.5,
        "low": 99.5,
        "close": 100.2,
        "volume": 100_000.0,
        "closed_at": opened_at + timedelta(minutes=5),
    }
    return Bar(symbol=symbol, opened_at=opened_at, **(defaults | given))


def quote(symbol: str = "ACME", at: datetime = NOON, **given: Any) -> Quote:
    """A two-cent-wide quote at $100."""
    return Quote(symbol=symbol, at=at, **({"bid": 99.99, "ask": 100.01} | given))


def signal(**given: Any) -> Signal:
    """A long signal on ACME at $100 with an ATR of $0.40."""
    of_catalyst = given.pop("catalyst", catalyst())
    formed_at = given.get("formed_at", NOON)
    defaults: dict[str, Any] = {
        "signal_id": ids.signal_id(of_catalyst.catalyst_id),
        "catalyst": of_catalyst,
        "strategy_id": "news-rule",
        "direction": 1,
        "price": 100.0,
        "quote": quote(of_catalyst.symbol, formed_at),
        "atr": 0.40,
        "atr_average": 0.40,
        "rvol": 2.0,
        "vwap": 99.8,
        "spread_bps": 2.0,
        "reaction_bps": 60.0,
        "regime": Regime.NEUTRAL,
        "checks": (),
        "formed_at": formed_at,
        "market": NEUTRAL,
        "bar_interval_s": 300,
    }
    return Signal(**(defaults | given))


def intent(**given: Any) -> TradeIntent:
    """An intent to buy ACME with full action."""
    of_signal = given.pop("signal", signal())
    defaults: dict[str, Any] = {
        "intent_id": ids.intent_id(of_signal.signal_id),
        "signal": of_signal,
        "side": Side.BUY,
        "action": 1.0,
        "confidence": of_signal.catalyst.confidence,
        "votes": (Vote(agent="rule", action=1.0, weight=1.0, reason="test"),),
        "observation": Observation(
            spec_hash="test", bar_interval_s=300, names=(), values=(), as_of=NOON
        ),
        "model_id": "rule",
        "decided_at": of_signal.formed_at,
    }
    return TradeIntent(**(defaults | given))


def approved_order(**given: Any) -> ApprovedOrder:
    """An approved market bracket to buy 100 ACME."""
    signal_id = given.get("signal_id", ids.signal_id("cat-test"))
    order_id = given.get("client_order_id", ids.client_order_id(signal_id, "entry"))
    defaults: dict[str, Any] = {
        "client_order_id": order_id,
        "trade_id": ids.trade_id(order_id),
        "catalyst_id": "cat-test",
        "signal_id": signal_id,
        "strategy_id": "news-rule",
        "symbol": "ACME",
        "role": OrderRole.ENTRY,
        "side": Side.BUY,
        "kind": OrderKind.MARKET,
        "quantity": Decimal(100),
        "time_in_force": TimeInForce.DAY,
        "reference_price": Decimal(100),
        "stop_loss_price": Decimal("97.60"),
        "take_profit_price": Decimal("107.20"),
        "cancel_after_s": 900.0,
        "valid_for_s": 10.0,
        "checks": (),
        "sizing": (),
        "approved_at": NOON,
    }
    return ApprovedOrder(**(defaults | given))


def ticket(**given: Any) -> OrderTicket:
    """A working entry order for 100 ACME."""
    defaults: dict[str, Any] = {
        "client_order_id": "cb-test",
        "broker_order_id": "b-1",
        "trade_id": ids.trade_id("cb-test"),
        "catalyst_id": "cat-test",
        "strategy_id": "news-rule",
        "symbol": "ACME",
        "role": OrderRole.ENTRY,
        "side": Side.BUY,
        "kind": OrderKind.MARKET,
        "status": OrderStatus.WORKING,
        "quantity": Decimal(100),
        "filled_quantity": Decimal(0),
        "reference_price": Decimal(100),
        "submitted_at": NOON,
    }
    return OrderTicket(**(defaults | given))


def fill(**given: Any) -> Fill:
    """A fill of 100 ACME at $100.10."""
    defaults: dict[str, Any] = {
        "client_order_id": "cb-test",
        "symbol": "ACME",
        "side": Side.BUY,
        "quantity": Decimal(100),
        "price": Decimal("100.10"),
        "fee_usd": Decimal("10.01"),
        "filled_at": NOON,
    }
    values = defaults | given
    values.setdefault(
        "fill_id", ids.fill_id(values["client_order_id"], values["filled_at"].isoformat())
    )
    return Fill(**values)


def position(**given: Any) -> Position:
    """A position of 100 ACME bought at $100."""
    defaults: dict[str, Any] = {
        "trade_id": ids.trade_id("cb-test"),
        "catalyst_id": "cat-test",
        "strategy_id": "news-rule",
        "symbol": "ACME",
        "quantity": Decimal(100),
        "average_cost": Decimal(100),
        "entry_quantity": Decimal(100),
        "entry_fees_usd": Decimal(10),
        "realised_usd": Decimal(0),
        "last_price": Decimal(100),
        "opened_at": NOON,
        "marked_at": NOON,
    }
    return Position(**(defaults | given))


def account(**given: Any) -> AccountView:
    """A flat account of $100,000."""
    money = Decimal(100_000)
    defaults: dict[str, Any] = {
        "as_of": NOON,
        "cash_usd": money,
        "equity_usd": money,
        "exposure_usd": Decimal(0),
        "day_open_equity_usd": money,
        "peak_equity_usd": money,
        "start_equity_usd": money,
        "realised_usd": Decimal(0),
        "unrealised_usd": Decimal(0),
        "fees_usd": Decimal(0),
    }
    return AccountView(**(defaults | given))


@dataclass
class FakeDesk:
    """A desk with given contents, for tests of one stage."""

    now: datetime = NOON
    calendar: TradingCalendar = field(default_factory=calendar)
    trading_state: TradingState = TradingState.ACTIVE
    account: AccountView = field(default_factory=account)
    positions: Mapping[str, Position] = field(default_factory=dict)
    orders: Mapping[str, OrderTicket] = field(default_factory=dict)
    foreign_orders: Mapping[str, BrokerOrder] = field(default_factory=dict)
    lost_order_ids: Collection[str] = ()

    def order(self, client_order_id: str) -> OrderTicket | None:
        """See `Desk.order`."""
        return self.orders.get(client_order_id)

    def orders_of_trade(self, trade_id: str) -> Sequence[OrderTicket]:
        """See `Desk.orders_of_trade`."""
        return tuple(t for t in self.orders.values() if t.trade_id == trade_id)
