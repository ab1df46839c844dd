"""Which commands a dead process still owes: against the plainest possible definition."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.account import BrokerSnapshot
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.engine.recovery import unanswered
from tests.builders import NOON, approved_order, fill

IDS = ("a", "b")
BOOKS = BrokerSnapshot(cash_usd=Decimal(0), positions=(), open_orders=())


def commands(key: str) -> dict[str, Any]:
    return {
        "submit": c.SubmitOrder(order=approved_order(client_order_id=key), valid_until=NOON),
        "cancel": c.CancelOrder(client_order_id=key, catalyst_id="cat"),
        "replace": c.ReplaceOrder(client_order_id=key, catalyst_id="cat", stop_price=Decimal(9)),
        "look_up": c.LookUpOrder(client_order_id=key),
        "opinion": c.RequestTextOpinion(
            request_id=key,
            catalyst_id="cat",
            symbol="ACME",
            category="fda_approval",
            title="FDA approves Acme's pump",
            body="",
            published_at=NOON,
            answer_by=NOON,
        ),
        "view": c.RequestMarketView(request_id=key, catalyst_id="cat", symbol="ACME"),
        "timer": c.SetTimer(timer_id=key, due_at=NOON),
        "watch": c.WatchSymbol(symbol=key),
        "snapshot": c.TakeBrokerSnapshot(reason="start"),
    }


def answers(key: str) -> list[tuple[set[str], Any]]:
    """Messages, each with the sorts of command it answers."""
    order: dict[str, Any] = {"at": NOON, "client_order_id": key}
    change = {"cancel", "replace"}
    return [
        (
            {"opinion"},
            f.TextOpinionsReceived(
                at=NOON, request_id=key, catalyst_id="cat", opinions=(), refusals=()
            ),
        ),
        ({"submit"}, f.OrderAccepted(**order, broker_order_id="v")),
        ({"submit"}, f.OrderRejected(**order, reason="no")),
        ({"submit"}, f.SubmitSuppressed(**order, reason="dry run")),
        ({"submit"}, f.SubmitOutcomeUnknown(**order, detail="?")),
        ({"submit"}, f.OrderFilled(at=NOON, fill=fill(client_order_id=key))),
        ({"submit", *change}, f.OrderCancelled(**order, reason="asked")),
        ({"submit", *change}, f.OrderExpired(**order)),
        (change, f.OrderReplaced(**order, stop_price=Decimal(9), limit_price=None)),
        (change, f.ChangeRefused(**order, reason="too late")),
        ({"look_up"}, f.OrderLookedUp(**order, ticket=None)),
        (
            {"view"},
            f.MarketViewUnavailable(
                at=NOON, request_id=key, catalyst_id="cat", symbol="ACME", reason="no_bars"
            ),
        ),
        ({"timer"}, f.TimerFired(at=NOON, timer_id=key)),
        ({"timer"}, c.ClearTimer(timer_id=key)),
        ({"watch"}, c.UnwatchSymbol(symbol=key)),
        ({"snapshot"}, f.BrokerSnapshotReceived(at=NOON, snapshot=BOOKS)),
        (set(), f.AdapterFailed(at=NOON, adapter="x", error="y")),
    ]


Event = tuple[str, str, Any, frozenset[str]]  # sort of command or "", its key, message, answered


def every_event() -> list[Event]:
    events: list[Event] = []
    for key in IDS:
        for sort, message in commands(key).items():
            events.append((sort, "" if sort == "snapshot" else key, message, frozenset()))
        for sorts, message in answers(key):
            subject = "" if "snapshot" in sorts else key
            events.append(("", subject, message, frozenset(sorts)))
    return events


@given(st.lists(st.sampled_from(every_event()), max_size=40))
def test_a_command_waits_until_its_answer_or_its_next_issue(events: list[Event]):
    records = [
        Recorded(seq=n, at=NOON, cause_seq=None, trail_id="", body=message)
        for n, (_, _, message, _) in enumerate(events, start=1)
    ]
    waiting = [
        message
        for index, (sort, key, message, _) in enumerate(events)
        if sort
        and not any(
            key == later_key and (sort == later_sort or sort in answered)
            for later_sort, later_key, _, answered in events[index + 1 :]
        )
    ]
    assert unanswered(records) == waiting


def test_notifications_and_an_empty_journal_owe_nothing():
    assert unanswered([]) == []
