from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.enums import HaltCause, OrderRole, OrderStatus, PositionsPolicy, Side, Tier
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import MESSAGES, Message
from catalyst_bot.domain.trading import Check, stop_leg_id, target_leg_id
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.projections.events import TELLERS, amount
from catalyst_bot.storage.read_model import ReadModel
from tests import builders as b
from tests.unit.storage.stories import (
    LATER,
    closed_trade,
    entry_order,
    fill,
    record,
    refused,
    run_started,
    to_intent,
    to_order,
)

ENTRY = entry_order()
ID = ENTRY.client_order_id
STOP, TARGET = stop_leg_id(ID), target_leg_id(ID)
HALT = d.TradingHalted(
    cause=HaltCause.DAILY_LOSS, positions_policy=PositionsPolicy.HOLD, detail="-3.1 %"
)
RESUME = d.TradingResumed(by="ann", reason="looked at it")


def told(place: Place, *messages: Message) -> ReadModel:
    """Record messages one by one and return what is read."""
    with SqlJournal(place, durable=False) as journal:
        for message in messages:
            journal.append(record([message], after_seq=journal.last_seq(), trail_id="cat-x"))
    return ReadModel(place)


def orders(place: Place, *messages: Message) -> dict[str, Any]:
    with told(place, *messages) as model:
        return {order["client_order_id"]: order for order in model.orders()}


def looked_up(status: OrderStatus | None) -> f.OrderLookedUp:
    ticket = b.ticket(client_order_id=ID, status=status) if status is not None else None
    return f.OrderLookedUp(at=LATER, client_order_id=ID, ticket=ticket)


APPROVED, SUBMITTED, ACCEPTED = to_order(ENTRY)
UNKNOWN = f.SubmitOutcomeUnknown(at=b.NOON, client_order_id=ID, detail="timeout")
PART, REST = fill(ID, quantity=Decimal(40), fill_id="f1"), fill(ID, quantity=Decimal(60))
REJECTED = f.OrderRejected(at=b.NOON, client_order_id=ID, reason="no cash")
CANCELLED = f.OrderCancelled(at=b.NOON, client_order_id=ID, reason="asked")
EXPIRED = f.OrderExpired(at=b.NOON, client_order_id=ID)
SUPPRESSED = f.SubmitSuppressed(at=b.NOON, client_order_id=ID, reason="dry run")


@pytest.mark.parametrize(
    ("messages", "entry", "leg"),
    [
        ([APPROVED], "planned", "planned"),
        ([APPROVED, SUBMITTED], "submitted", "held"),
        ([APPROVED, SUBMITTED, ACCEPTED], "working", "held"),
        ([APPROVED, SUBMITTED, ACCEPTED, UNKNOWN], "working", "held"),
        ([APPROVED, SUBMITTED, UNKNOWN], "unknown", "held"),
        ([APPROVED, SUBMITTED, UNKNOWN, looked_up(OrderStatus.FILLED)], "working", "held"),
        ([APPROVED, SUBMITTED, UNKNOWN, looked_up(OrderStatus.EXPIRED)], "expired", "cancelled"),
        ([APPROVED, SUBMITTED, UNKNOWN, looked_up(None)], "abandoned", "cancelled"),
        ([APPROVED, SUBMITTED, UNKNOWN, looked_up(None), ACCEPTED], "working", "cancelled"),
        ([APPROVED, SUPPRESSED], "abandoned", "cancelled"),
        ([APPROVED, SUBMITTED, REJECTED], "rejected", "cancelled"),
        ([APPROVED, SUBMITTED, ACCEPTED, EXPIRED], "expired", "cancelled"),
        ([APPROVED, SUBMITTED, PART, ACCEPTED], "partially_filled", "held"),
        ([APPROVED, SUBMITTED, ACCEPTED, PART, PART], "partially_filled", "held"),
        ([APPROVED, SUBMITTED, ACCEPTED, PART, REST, CANCELLED], "filled", "held"),
        ([APPROVED, SUBMITTED, ACCEPTED, PART, CANCELLED], "cancelled", "held"),
        ([APPROVED, SUBMITTED, ACCEPTED, CANCELLED, PART], "cancelled", "cancelled"),
        ([APPROVED, SUBMITTED, ACCEPTED, CANCELLED, PART, REST], "filled", "cancelled"),
        ([APPROVED, SUBMITTED, ACCEPTED, PART, REST, closed_trade(ENTRY)], "filled", "cancelled"),
    ],
)
def test_an_order_stands_where_its_last_message_left_it(
    place: Place, messages: list[Message], entry: str, leg: str
):
    held = orders(place, *messages)
    assert {order_id: order["status"] for order_id, order in held.items()} == {
        ID: entry,
        STOP: leg,
        TARGET: leg,
    }


def test_fills_are_summed_exactly_and_a_repeated_one_counts_once(place: Place):
    dime = fill(ID, quantity=Decimal("0.1"), price=Decimal("100.10"), fill_id="f1")
    more = fill(ID, quantity=Decimal("0.2"), price=Decimal("100.40"), fill_id="f2")
    order = orders(place, APPROVED, SUBMITTED, dime, more, dime)[ID]
    assert order["filled_quantity"] == "0.3"
    assert order["average_fill_price"] == "100.3000"


def test_an_order_is_sent_with_the_quantity_of_its_command(place: Place):
    smaller = c.SubmitOrder(order=replace(ENTRY, quantity=Decimal(60)), valid_until=LATER)
    assert orders(place, APPROVED, smaller)[ID]["quantity"] == "60"


def test_the_legs_of_a_bracket_stand_on_the_other_side(place: Place):
    held = orders(place, APPROVED)
    assert (held[STOP]["side"], held[STOP]["kind"], held[STOP]["stop_price"]) == (
        "sell",
        "stop",
        "97.60",
    )
    assert (held[TARGET]["role"], held[TARGET]["limit_price"]) == ("take_profit", "107.20")


def test_an_exit_that_was_never_sent_ends_with_its_trade(place: Place):
    leaving = replace(ENTRY, client_order_id="cb-exit", role=OrderRole.EXIT, side=Side.SELL)
    held = orders(place, APPROVED, d.OrderApproved(order=leaving), closed_trade(ENTRY))
    assert held["cb-exit"]["status"] == "abandoned"
    assert "cb-exit-sl" not in held


def opened(**given: Any) -> d.PositionOpened:
    position = b.position(trade_id=ENTRY.trade_id, catalyst_id=ENTRY.catalyst_id, **given)
    return d.PositionOpened(position=position)


def test_a_position_is_marked_moved_changed_and_closed(place: Place):
    moved = d.StopMoved(
        trade_id=ENTRY.trade_id,
        catalyst_id=ENTRY.catalyst_id,
        symbol="ACME",
        old_stop_price=Decimal("97.60"),
        stop_price=Decimal("99.00"),
        high_water_price=Decimal(102),
        is_trailing=True,
    )
    with told(place, APPROVED, opened(), f.BarClosed(at=LATER, bar=b.bar(close=101.5))) as model:
        (held,) = model.positions()
    assert (held["stop_price"], held["take_profit_price"]) == ("97.60", "107.20")
    assert Decimal(held["unrealised_usd"]) == 150
    assert Decimal(held["market_value_usd"]) == 10150
    grown = b.position(trade_id=ENTRY.trade_id, quantity=Decimal(50), entry_quantity=Decimal(120))
    with told(place, moved, d.PositionChanged(position=grown)) as model:
        (held,) = model.positions()
        (trade,) = model.trades()
    assert (held["stop_price"], held["quantity"]) == ("99.00", "50")
    assert (trade["quantity"], trade["exit_at"], trade["pnl_usd"]) == ("120", None, None)
    with told(place, closed_trade(ENTRY)) as model:
        assert model.positions() == []
        (trade,) = model.trades()
    assert (trade["exit_reason"], trade["pnl_usd"]) == ("trailing_stop", "-229.81")


def test_a_bar_of_another_symbol_marks_nothing(place: Place):
    with told(place, opened(), f.BarClosed(at=LATER, bar=b.bar("OTHER", close=1.0))) as model:
        assert model.positions()[0]["last_price"] == "100"


def test_a_restart_keeps_the_halt_and_the_first_cash(place: Place):
    again = replace(run_started("run-2"), starting_cash_usd=Decimal(1), at=LATER)
    stop = f.RunStopped(at=LATER, run_id="run-1", reason="done")
    with told(place, run_started(), HALT, stop) as model:
        status = model.status()
        assert status is not None
        assert (status["trading_state"], status["halt_cause"]) == ("halted", "daily_loss")
        assert status["stopped_at"] == "2025-10-06T16:00:00Z"
    with told(place, again) as model:
        status = model.status()
        assert status is not None
        assert (status["run_id"], status["trading_state"]) == ("run-2", "halted")
        assert (status["starting_cash_usd"], status["stopped_at"]) == ("100000", None)
        assert (status["last_seq"], status["last_at"]) == (4, "2025-10-06T16:00:00Z")
    with told(place, RESUME) as model:
        status = model.status()
        assert status is not None
        assert (status["trading_state"], status["halt_cause"]) == ("active", None)


def texts(place: Place, *messages: Message) -> list[str]:
    with told(place, *messages) as model:
        return [event["text"] for event in model.events()]


def test_events_are_short_sentences_with_their_numbers(place: Place):
    drop = d.SignalDropped(
        catalyst_id="c",
        item_id="i",
        symbol="ACME",
        reason="spread",
        checks=(
            Check(
                name="spread", tier=Tier.ORDER, limit=100, observed=140, unit="bps", passed=False
            ),
        ),
    )
    near = d.LimitApproached(
        name="daily_loss", tier=Tier.ACCOUNT, limit=0.03, observed=0.028, unit="fraction"
    )
    assert texts(
        place,
        run_started(),
        *to_intent(),
        APPROVED,
        fill(ID),
        closed_trade(ENTRY),
        refused(ENTRY),
        drop,
        near,
        HALT,
        RESUME,
    ) == [
        "Started in mode backtest with broker embedded and model rule",
        "ACME: fda_approval found, confidence 85%: Acme wins FDA approval for its pump",
        "ACME: signal up at $100, reaction +60 bps, relative volume 2.0",
        "ACME: approved buy 100, stop $97.60",
        "ACME: bought 100 at $100.10",
        "ACME: closed by trailing_stop at $98.00: -$229.81 (-2.30%)",
        "ACME: buy refused by min_trade_usd ($42.50, limit $100.00)",
        "ACME: no signal: spread (140 bps, limit 100 bps)",
        "daily_loss is at 2.80%, its limit is 3.00%",
        "Trading halted by daily_loss, positions: hold: -3.1 %",
        "Trading resumed by ann: looked at it",
    ]


def test_an_event_about_an_order_finds_its_symbol(place: Place):
    with told(place, APPROVED, REJECTED) as model:
        event = model.events()[-1]
    assert (event["symbol"], event["severity"], event["kind"]) == (
        "ACME",
        "warning",
        "OrderRejected",
    )
    assert event["text"] == "The broker rejected an order: no cash"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.2, "fraction", "20.00%"),
        (1234.5, "usd", "$1,234.50"),
        (3.0, "count", "3"),
        (2.25, "s", "2.25 s"),
    ],
)
def test_amounts_are_written_in_their_unit(value: float, unit: str, text: str):
    assert amount(value, unit) == text


@pytest.mark.parametrize(
    ("before", "text"),
    [("97.60", "ACME: stop raised from $97.60 to $99.00"), ("0", "ACME: stop set at $99.00")],
)
def test_a_first_stop_was_not_raised(before: str, text: str):
    moved = d.StopMoved(
        trade_id=ENTRY.trade_id,
        catalyst_id=ENTRY.catalyst_id,
        symbol="ACME",
        old_stop_price=Decimal(before),
        stop_price=Decimal("99.00"),
        high_water_price=Decimal(102),
        is_trailing=False,
    )
    assert TELLERS[d.StopMoved](moved).text == text


def test_everything_told_is_a_message():
    assert set(TELLERS) <= set(MESSAGES.values())


def test_later_equity_wins_and_points_stay(place: Place):
    worth = [
        b.account(equity_usd=Decimal(n), as_of=b.NOON + timedelta(minutes=n)) for n in (1, 2, 3)
    ]
    with told(place, *(d.EquityMarked(account=account) for account in worth)) as model:
        account = model.account()
        assert account is not None
        assert account["equity_usd"] == "3"
        assert [point["equity_usd"] for point in model.equity_points(limit=2)] == ["2", "3"]


def test_leaving_a_position_is_no_entry_in_the_funnel(place: Place):
    headline, catalyst, signal, wish = to_intent()
    assert isinstance(wish, d.IntentFormed)
    leaving = replace(ENTRY, client_order_id="cb-exit", role=OrderRole.EXIT, side=Side.SELL)
    messages = [
        headline,
        catalyst,
        signal,
        d.IntentFormed(intent=replace(wish.intent, side=Side.SELL)),
        d.OrderApproved(order=leaving),
        fill("cb-exit", side=Side.SELL),
    ]
    with told(place, *messages) as model:
        funnel = model.funnel()
    assert (funnel["intent"], funnel["approved"], funnel["filled"]) == (1, 0, 0)
    assert funnel["lost"]["approved"] == {"exit": 1}


def test_a_leg_that_ends_says_nothing_about_its_entry(place: Place):
    leg_ended = f.OrderCancelled(at=b.NOON, client_order_id=STOP, reason="leg")
    with told(place, *to_intent(), APPROVED, SUBMITTED, leg_ended) as model:
        assert model.funnel()["lost"]["filled"] == {"still_waiting": 1}


def test_an_entry_the_broker_does_not_know_is_lost_for_that(place: Place):
    with told(place, *to_intent(), APPROVED, SUBMITTED, UNKNOWN, looked_up(None)) as model:
        assert model.funnel()["lost"]["filled"] == {"unknown_to_broker": 1}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"quantity": Decimal(10)}, "ACME: me asks to sell 10 shares"),
        ({"usd": Decimal(500)}, "ACME: me asks to sell for $500"),
        ({}, "ACME: me asks to sell all shares"),
    ],
)
def test_a_wish_of_a_person_is_told_in_words(wanted: dict[str, Decimal], said: str):
    asked = f.OperatorTradeRequested(
        at=b.NOON, request_id="op-1", by="me", side=Side.SELL, symbol="ACME", **wanted
    )
    assert TELLERS[f.OperatorTradeRequested](asked).text == said
