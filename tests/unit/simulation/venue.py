"""A venue and the orders its tests send."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from catalyst_bot.broker.embedded_venue import EmbeddedVenue
from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import OrderKind, OrderRole, Side
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.domain.messages.facts import OrderFilled
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.domain.trading import ApprovedOrder, Fill
from tests.builders import NOON, approved_order, bar

MINUTES_5 = timedelta(minutes=5)
FREE = CostRules(  # no costs but half a tick of spread, and room for 100 shares per 1,000 traded
    commission_fraction=0.0,
    slippage_fraction=0.0,
    half_spread_bps_liquid=0.0,
    half_spread_bps_thin=0.0,
)


def venue(costs: CostRules = FREE, **given: Any) -> EmbeddedVenue:
    """A venue with $100,000."""
    return EmbeddedVenue(costs, **({"starting_cash_usd": Decimal(100_000)} | given))


def buy(name: str = "entry", **given: Any) -> ApprovedOrder:
    """A market order to buy 100 ACME, without legs unless asked for."""
    defaults: dict[str, Any] = {
        "client_order_id": ids.client_order_id("sig-test", name),
        "stop_loss_price": None,
        "take_profit_price": None,
    }
    return approved_order(**(defaults | given))


def bracket(name: str = "entry", **given: Any) -> ApprovedOrder:
    """A market order to buy 100 ACME with a stop at $97 and a target at $106."""
    legs = {"stop_loss_price": Decimal(97), "take_profit_price": Decimal(106)}
    return buy(name, **(legs | given))


def limit_buy(price: str, name: str = "entry", **given: Any) -> ApprovedOrder:
    """A bracket that buys 100 ACME at a limit."""
    return bracket(name, **({"kind": OrderKind.LIMIT, "limit_price": Decimal(price)} | given))


def sell(name: str = "exit", **given: Any) -> ApprovedOrder:
    """A market order to sell 100 ACME."""
    return buy(name, **({"side": Side.SELL, "role": OrderRole.EXIT} | given))


def at(bars: float = 0, seconds: float = 0) -> datetime:
    """Noon plus so many five-minute bars."""
    return NOON + bars * MINUTES_5 + timedelta(seconds=seconds)


def candle(number: int, prices: tuple[float, float, float, float], **given: Any) -> Bar:
    """The n-th five-minute bar after noon with open, high, low, close."""
    opened, high, low, close = prices
    return bar(
        opened_at=at(number), **({"open": opened, "high": high, "low": low, "close": close} | given)
    )


def flat(number: int, price: float = 100.0, **given: Any) -> Bar:
    """The n-th five-minute bar after noon, at one price."""
    return candle(number, (price, price, price, price), **given)


def show(engine: EmbeddedVenue, *bars: Bar) -> list[Fact]:
    """Let the venue see complete bars when they close."""
    return [fact for one in bars for fact in engine.on_bar(one, one.closed_at)]


def open_at(engine: EmbeddedVenue, number: int, price: float = 100.0, **given: Any) -> list[Fact]:
    """Let the venue see the opening print of the n-th bar."""
    return engine.on_open_print(OpenPrint(symbol="ACME", price=price, **given), at(number))


def fills(facts: Iterable[Fact]) -> list[Fill]:
    """The executions among the facts."""
    return [fact.fill for fact in facts if isinstance(fact, OrderFilled)]


def story(facts: Iterable[Fact]) -> list[str]:
    """The facts in short: what happened to which leg (`entry`, `-sl`, `-tp`)."""
    lines = []
    for fact in facts:
        body = fact.fill if isinstance(fact, OrderFilled) else fact
        tail = body.client_order_id[-3:]  # type: ignore[union-attr]  # venue facts name an order
        leg = tail if tail in {"-sl", "-tp"} else "order"
        size = f" {body.quantity} @ {body.price}" if isinstance(fact, OrderFilled) else ""
        lines.append(f"{type(fact).__name__} {leg}{size}")
    return lines
