"""A venue as the exchange server runs it, and the requests its tests send."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.enums import OrderKind, SessionPhase, Side, TimeInForce
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.simulation import events as e
from catalyst_bot.simulation.fill_profile import FillProfile
from catalyst_bot.simulation.market_now import MarketNow
from catalyst_bot.simulation.matching_engine import MatchingEngine
from catalyst_bot.simulation.order_request import OrderClass, OrderRequest
from catalyst_bot.simulation.refusals import Refusal, Refused
from catalyst_bot.simulation.venue_order import VenueOrder, VenueRole, VenueStatus
from catalyst_bot.simulation.venue_rules import ALPACA_RULES, VenueRules

D = Decimal
TEN = datetime(2025, 10, 22, 14, 0, tzinfo=UTC)
WHOLE = {"partial_probability": 0.0}


class PlainNames:
    """Ids that can be read: `o-entry`, `o-entry.sl`, `o-entry.r1`."""

    def order_id(self, client_order_id: str) -> str:
        return f"o-{client_order_id}"

    def leg(self, entry: OrderRequest, role: VenueRole) -> tuple[str, str]:
        name = f"{entry.client_order_id}.{'sl' if role is VenueRole.STOP_LOSS else 'tp'}"
        return name, f"o-{name}"

    def successor(self, order: VenueOrder, count: int) -> tuple[str, str]:
        first = order.client_order_id.split(".r")[0]
        return f"{first}.r{count}", f"o-{first}.r{count}"


def alpaca_rules(**given: Any) -> VenueRules:
    """Alpaca's rules, without chance unless it is asked for."""

    return replace(ALPACA_RULES, **(WHOLE | given))


def exchange_venue(profile: FillProfile = FillProfile.ALPACA, **given: Any) -> MatchingEngine:
    """A margin account with $100,000 that may sell short."""
    defaults: dict[str, Any] = {
        "names": PlainNames(),
        "starting_cash_usd": D(100_000),
        "buying_power_multiplier": D(4),
        "allow_short": True,
        "rules": alpaca_rules(),
    }
    return MatchingEngine(CostRules(), profile, **(defaults | given))


def request(name: str = "entry", side: Side = Side.BUY, **given: Any) -> OrderRequest:
    """A market day order for 100 ACME, when ACME is at $100."""
    defaults: dict[str, Any] = {
        "client_order_id": name,
        "symbol": "ACME",
        "side": side,
        "kind": OrderKind.MARKET,
        "time_in_force": TimeInForce.DAY,
        "quantity": D(100),
        "reference_price": D(100),
    }
    return OrderRequest(**(defaults | given))


def limit(name: str, price: str, side: Side = Side.BUY, **given: Any) -> OrderRequest:
    """A limit day order for 100 ACME."""
    return request(name, side, **({"kind": OrderKind.LIMIT, "limit_price": D(price)} | given))


def bracket(name: str = "entry", side: Side = Side.BUY, **given: Any) -> OrderRequest:
    """A market bracket, exits at $95 and $105."""
    stop, target = (D(95), D(105)) if side is Side.BUY else (D(105), D(95))
    defaults: dict[str, Any] = {
        "order_class": OrderClass.BRACKET,
        "stop_loss_price": stop,
        "take_profit_price": target,
    }
    return request(name, side, **(defaults | given))


def oco(name: str = "exit", side: Side = Side.SELL, **given: Any) -> OrderRequest:
    """A take profit at $105 with a stop at $95 for 100 ACME that are held."""
    target, stop = ("105", D(95)) if side is Side.SELL else ("95", D(105))
    defaults = {"order_class": OrderClass.OCO, "stop_loss_price": stop}
    return limit(name, target, side, **(defaults | given))


def market(
    last: str = "100", phase: SessionPhase = SessionPhase.REGULAR, **given: Any
) -> MarketNow:
    """ACME as it trades: a quote of ten cents around `last`."""
    price = D(last)
    defaults = {"last": price, "bid": price - D("0.05"), "ask": price + D("0.05")}
    return MarketNow(phase=phase, **(defaults | given))


def second(number: float) -> datetime:
    """So many seconds after ten o'clock."""
    return TEN + timedelta(seconds=number)


def submit(
    engine: MatchingEngine, wanted: OrderRequest, at: float = 0, now: MarketNow | None = None
) -> list[e.VenueEvent]:
    return engine.submit(wanted, second(at), market=now or market())


def trade(
    engine: MatchingEngine,
    price: float,
    at: float,
    session: SessionPhase = SessionPhase.REGULAR,
    symbol: str = "ACME",
    **given: Any,
) -> list[e.VenueEvent]:
    """One trade, with a quote of five cents on both sides of it."""
    quote = {"bid": price - 0.05, "ask": price + 0.05}
    return engine.on_trade(symbol, price, second(at), session=session, **(quote | given))


def bought(engine: MatchingEngine, quantity: str = "100", at: float = -10) -> MatchingEngine:
    """The venue with a position (below zero: sold short) that it got at about $100."""
    side = Side.BUY if D(quantity) > 0 else Side.SELL
    submit(engine, request("held", side, quantity=abs(D(quantity))), at)
    trade(engine, 100.0, at)
    assert engine.state.account.held("ACME") == D(quantity)
    return engine


def refusal_of(
    engine: MatchingEngine, wanted: OrderRequest, now: MarketNow | None = None
) -> Refusal:
    """Why the venue does not take a request; it must not change."""
    orders, cash_usd = dict(engine.state.orders), engine.state.account.cash_usd
    with pytest.raises(Refused) as refused:
        submit(engine, wanted, 1, now)
    assert (engine.state.orders, engine.state.account.cash_usd) == (orders, cash_usd)
    return refused.value.refusal


def status(engine: MatchingEngine, name: str) -> VenueStatus:
    return order(engine, name).status


def order(engine: MatchingEngine, name: str) -> VenueOrder:
    return engine.state.orders[f"o-{name}"]


def story(events: Iterable[e.VenueEvent]) -> list[str]:
    """The events in short: `OrderFilled entry 100 @ 100.05`."""
    lines = []
    for event in events:
        name = getattr(event, "order_id", getattr(event, "symbol", "")).removeprefix("o-")
        size = f" {event.quantity} @ {event.price}" if isinstance(event, e.OrderFilled) else ""
        lines.append(f"{type(event).__name__} {name}{size}".strip())
    return lines
