"""How far each headline came, and what became of each catalyst: the tables behind the funnel.

A headline stands at the furthest step that any of its catalysts reached. A reason is kept only
while it explains why the headline is not at the *next* step, so no headline is counted twice.
"""

from __future__ import annotations

from collections.abc import Iterable

from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import OrderRole, Side
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage.projections.writes import Reducers, Write, add, write
from catalyst_bot.storage.schema import catalysts, decisions, headline_progress

STEPS = ("seen", "deduped", "with_ticker", "catalyst", "signal", "intent", "approved", "filled")
BEFORE = dict(zip(STEPS[1:], STEPS, strict=False))

# How the headline of a message is found; each takes the message's :key.
_BY_ITEM = ":key"
_BY_CATALYST = "(SELECT item_id FROM catalysts WHERE catalyst_id = :key)"
_BY_ENTRY_ORDER = """(SELECT item_id FROM catalysts JOIN orders USING (catalyst_id)
    WHERE client_order_id = :key AND role = 'entry')"""


def _reached(item: str, step: str, *, key: str) -> Write:
    """The headline reached `step`."""
    earlier = ", ".join(f"'{name}'" for name in STEPS[: STEPS.index(step)])
    statement = f"""
        UPDATE headline_progress SET step = :step, reason = NULL
        WHERE item_id = {item} AND step IN ({earlier})
    """  # noqa: S608  # words of this module; values are bound
    return write(statement, key=key, step=step)


def _lost(item: str, step: str, *, key: str, reason: str) -> Write:
    """The headline did not reach `step`, as far as is known."""
    statement = f"""
        UPDATE headline_progress SET reason = :reason
        WHERE item_id = {item} AND step = :before
    """  # noqa: S608  # words of this module; values are bound
    return write(statement, key=key, before=BEFORE[step], reason=reason)


def headline_received(record: Recorded, message: f.HeadlineReceived) -> Iterable[Write]:
    """A headline enters the funnel; the same item again changes nothing."""
    headline = message.headline
    yield add(
        headline_progress,
        item_id=headline.item_id,
        seq=record.seq,
        received_at=headline.received_at,
        source=headline.source,
        title=headline.title,
        step="seen",
        reason=None,
    )


def headline_ignored(_: Recorded, message: d.HeadlineIgnored) -> Iterable[Write]:
    """Detection found nothing in it."""
    if message.step != "deduped":
        yield _reached(_BY_ITEM, BEFORE[message.step], key=message.item_id)
    yield _lost(_BY_ITEM, message.step, key=message.item_id, reason=message.reason)


def catalyst_detected(record: Recorded, message: d.CatalystDetected) -> Iterable[Write]:
    """A catalyst begins its row."""
    catalyst = message.catalyst
    yield add(
        catalysts,
        catalyst_id=catalyst.catalyst_id,
        seq=record.seq,
        item_id=catalyst.item_id,
        symbol=catalyst.symbol,
        category=catalyst.category,
        direction=catalyst.direction,
        score=catalyst.score,
        confidence=catalyst.confidence,
    )
    yield _reached(_BY_ITEM, "catalyst", key=catalyst.item_id)


def signal_formed(_: Recorded, message: d.SignalFormed) -> Iterable[Write]:
    """A catalyst met the market; a later look at it changes nothing here."""
    if message.signal.is_review:
        return
    catalyst = message.signal.catalyst
    yield write(
        "UPDATE catalysts SET signal_id = :signal_id WHERE catalyst_id = :catalyst_id",
        signal_id=message.signal.signal_id,
        catalyst_id=catalyst.catalyst_id,
    )
    yield _reached(_BY_ITEM, "signal", key=catalyst.item_id)


def signal_dropped(_: Recorded, message: d.SignalDropped) -> Iterable[Write]:
    """A gate stopped it, unless it was a later look."""
    if message.is_review:
        return
    yield _lost(_BY_ITEM, "signal", key=message.item_id, reason=message.reason)


def intent_formed(record: Recorded, message: d.IntentFormed) -> Iterable[Write]:
    """The policy wants to trade; a wish to leave is no entry and goes no further."""
    intent = message.intent
    signal = intent.signal
    catalyst = signal.catalyst
    is_entry = intent.side is Side.BUY
    yield add(
        decisions,
        signal_id=signal.signal_id,
        seq=record.seq,
        catalyst_id=catalyst.catalyst_id,
        intent_id=intent.intent_id,
        trade_id=ids.trade_of_entry(signal.signal_id) if is_entry else None,
        decided_at=intent.decided_at,
        model_id=intent.model_id,
        votes=intent.votes,
    )
    yield _reached(_BY_ITEM, "intent", key=catalyst.item_id)
    if not is_entry:
        yield _lost(_BY_ITEM, "approved", key=catalyst.item_id, reason="exit")


def intent_declined(record: Recorded, message: d.IntentDeclined) -> Iterable[Write]:
    """The policy wants nothing."""
    yield add(
        decisions,
        signal_id=message.signal_id,
        seq=record.seq,
        catalyst_id=message.catalyst_id,
        intent_id=None,
        trade_id=None,
        decided_at=record.at,
        model_id=message.model_id,
        votes=message.votes,
    )
    yield _lost(_BY_CATALYST, "intent", key=message.catalyst_id, reason=message.reason)


def order_approved(_: Recorded, message: d.OrderApproved) -> Iterable[Write]:
    """Risk let an entry pass."""
    if message.order.role is OrderRole.ENTRY:
        yield _reached(_BY_CATALYST, "approved", key=message.order.catalyst_id)


def order_refused(_: Recorded, message: d.OrderRefused) -> Iterable[Write]:
    """Risk said no."""
    yield _lost(_BY_CATALYST, "approved", key=message.catalyst_id, reason=message.rule)


def order_filled(_: Recorded, message: f.OrderFilled) -> Iterable[Write]:
    """An entry filled, if only in part."""
    yield _reached(_BY_ENTRY_ORDER, "filled", key=message.fill.client_order_id)


def order_ended(
    _: Recorded, message: f.OrderRejected | f.OrderCancelled | f.SubmitSuppressed
) -> Iterable[Write]:
    """An entry ended unfilled, with the venue's reason."""
    key, reason = message.client_order_id, message.reason
    yield _lost(_BY_ENTRY_ORDER, "filled", key=key, reason=reason)


def order_expired(_: Recorded, message: f.OrderExpired) -> Iterable[Write]:
    """An entry lapsed at the close."""
    yield _lost(_BY_ENTRY_ORDER, "filled", key=message.client_order_id, reason="expired")


def order_looked_up(_: Recorded, message: f.OrderLookedUp) -> Iterable[Write]:
    """An entry that the broker does not know."""
    if message.ticket is None:
        key, reason = message.client_order_id, "unknown_to_broker"
        yield _lost(_BY_ENTRY_ORDER, "filled", key=key, reason=reason)


REDUCERS: Reducers = {
    f.HeadlineReceived: headline_received,
    d.HeadlineIgnored: headline_ignored,
    d.CatalystDetected: catalyst_detected,
    d.SignalFormed: signal_formed,
    d.SignalDropped: signal_dropped,
    d.IntentFormed: intent_formed,
    d.IntentDeclined: intent_declined,
    d.OrderApproved: order_approved,
    d.OrderRefused: order_refused,
    f.OrderFilled: order_filled,
    f.OrderRejected: order_ended,
    f.OrderCancelled: order_ended,
    f.SubmitSuppressed: order_ended,
    f.OrderExpired: order_expired,
    f.OrderLookedUp: order_looked_up,
}
