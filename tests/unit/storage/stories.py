"""Whole stories told in messages, and the recording of them, for tests of storage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import (
    ExitReason,
    HaltCause,
    Mode,
    OrderKind,
    OrderRole,
    PositionsPolicy,
    Side,
    Tier,
)
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Message, Recorded, trail_of
from catalyst_bot.domain.trading import Check, ClosedTrade, stop_leg_id, target_leg_id
from tests import builders as b

LATER = b.NOON + timedelta(minutes=5)
SMALL = Check(
    name="min_trade_usd", tier=Tier.POSITION, limit=100.0, observed=42.5, unit="usd", passed=False
)


def record(
    messages: Sequence[Message], *, after_seq: int = 0, trail_id: str = "", at: datetime = b.NOON
) -> list[Recorded]:
    """Number messages as the engine does; facts about orders get `trail_id`."""
    return [
        Recorded(
            seq=seq,
            at=at,
            cause_seq=None,
            trail_id=trail_of(m) or (trail_id if is_about_an_order(m) else ""),
            body=m,
        )
        for seq, m in enumerate(messages, start=after_seq + 1)
    ]


def is_about_an_order(message: Message) -> bool:
    return isinstance(message, f.OrderFilled) or hasattr(message, "client_order_id")


def run_started(run_id: str = "run-1") -> f.RunStarted:
    return f.RunStarted(
        at=b.OPEN,
        run_id=run_id,
        mode=Mode.BACKTEST,
        broker="embedded",
        code_version="test",
        settings="{}",
        inputs_hash="",
        model_id="rule",
        starting_cash_usd=Decimal(100_000),
        wall_started_at=b.OPEN,
    )


def to_intent(title: str = "Acme wins FDA approval for its pump") -> list[Message]:
    """A headline that becomes an intent to buy."""
    headline = b.headline(title=title)
    catalyst = b.catalyst(headline=headline)
    signal = b.signal(catalyst=catalyst)
    return [
        f.HeadlineReceived(at=b.NOON, headline=headline),
        d.CatalystDetected(catalyst=catalyst),
        d.SignalFormed(signal=signal),
        d.IntentFormed(intent=b.intent(signal=signal)),
    ]


def entry_order(title: str = "Acme wins FDA approval for its pump", **given: Any) -> Any:
    catalyst_id = b.catalyst(headline=b.headline(title=title)).catalyst_id
    return b.approved_order(catalyst_id=catalyst_id, signal_id=ids.signal_id(catalyst_id), **given)


def to_order(order: Any) -> list[Message]:
    """The order is approved, sent and accepted."""
    return [
        d.OrderApproved(order=order),
        c.SubmitOrder(order=order, valid_until=LATER),
        f.OrderAccepted(at=b.NOON, client_order_id=order.client_order_id, broker_order_id="b-1"),
    ]


def fill(order_id: str, **given: Any) -> f.OrderFilled:
    return f.OrderFilled(at=b.NOON, fill=b.fill(client_order_id=order_id, **given))


def closed_trade(order: Any) -> d.PositionClosed:
    return d.PositionClosed(
        trade=ClosedTrade(
            trade_id=order.trade_id,
            catalyst_id=order.catalyst_id,
            strategy_id=order.strategy_id,
            symbol=order.symbol,
            side=Side.BUY,
            quantity=Decimal(100),
            entry_at=b.NOON,
            entry_price=Decimal("100.10"),
            exit_at=LATER,
            exit_price=Decimal("98.00"),
            exit_reason=ExitReason.TRAILING_STOP,
            fees_usd=Decimal("19.81"),
            pnl_usd=Decimal("-229.81"),
            pnl_fraction=-0.02296,
        )
    )


def refused(order: Any) -> d.OrderRefused:
    return d.OrderRefused(
        intent_id=ids.intent_id(order.signal_id),
        signal_id=order.signal_id,
        catalyst_id=order.catalyst_id,
        strategy_id=order.strategy_id,
        symbol=order.symbol,
        side=Side.BUY,
        rule=SMALL.name,
        checks=(SMALL,),
        sizing=(),
    )


def a_day() -> list[Message]:
    """One trade from headline to stop-out, one refusal, one headline ignored, one halt."""
    order = entry_order()
    stop_id, target_id = stop_leg_id(order.client_order_id), target_leg_id(order.client_order_id)
    position = b.position(trade_id=order.trade_id, catalyst_id=order.catalyst_id)
    other = entry_order("Acme sells a shed")
    exit_order = b.approved_order(
        client_order_id="cb-exit",
        trade_id=order.trade_id,
        catalyst_id=order.catalyst_id,
        role=OrderRole.EXIT,
        side=Side.SELL,
        kind=OrderKind.MARKET,
        stop_loss_price=None,
        take_profit_price=None,
        exit_reason=ExitReason.TIME_EXIT,
    )
    return [
        run_started(),
        *to_intent(),
        *to_order(order),
        fill(order.client_order_id),
        d.PositionOpened(position=position),
        f.BarClosed(at=LATER, bar=b.bar(close=101.25)),
        d.EquityMarked(account=b.account(equity_usd=Decimal("100115.00"))),
        f.OrderReplaced(
            at=LATER, client_order_id=stop_id, stop_price=Decimal("98.00"), limit_price=None
        ),
        d.StopMoved(
            trade_id=order.trade_id,
            catalyst_id=order.catalyst_id,
            symbol="ACME",
            old_stop_price=Decimal("97.60"),
            stop_price=Decimal("98.00"),
            high_water_price=Decimal("101.25"),
            is_trailing=True,
        ),
        *to_order(exit_order),
        f.OrderRejected(at=LATER, client_order_id="cb-exit", reason="held by the stop"),
        fill(stop_id, side=Side.SELL, price=Decimal("98.00")),
        f.OrderCancelled(at=LATER, client_order_id=target_id, reason="other leg filled"),
        closed_trade(order),
        d.EquityMarked(account=b.account(equity_usd=Decimal("99770.19"))),
        *to_intent("Acme sells a shed"),
        refused(other),
        f.HeadlineReceived(at=LATER, headline=b.headline(title="Weather")),
        d.HeadlineIgnored(
            item_id=b.headline(title="Weather").item_id, step="with_ticker", reason="no_ticker"
        ),
        d.TradingHalted(
            cause=HaltCause.OPERATOR, positions_policy=PositionsPolicy.HOLD, detail="lunch"
        ),
        f.RunStopped(at=LATER, run_id="run-1", reason="end of data"),
    ]
