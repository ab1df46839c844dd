"""What must hold of every batch when it is committed, and of a process when it starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.enums import OrderRole, OrderStatus, Severity, Side, TradingState
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.money import ZERO, whole_shares
from catalyst_bot.domain.trading import ApprovedOrder
from catalyst_bot.execution.brackets import LEGS
from catalyst_bot.trials.invariants.seen import Observed, Scene
from catalyst_bot.trials.life import Life

_NO = (f.OrderRejected, f.SubmitSuppressed, f.ChangeRefused)


def approved_within_limits(
    seen: Observed, scene: Scene, batch: Sequence[Recorded]
) -> Iterator[str]:
    """Every entry keeps the hard limits at the moment it is approved."""
    for record in batch:
        if isinstance(record.body, d.OrderApproved):
            order = record.body.order
            if order.role is OrderRole.ENTRY:
                yield from _entry_limits(seen, scene, order)


def _entry_limits(seen: Observed, scene: Scene, order: ApprovedOrder) -> Iterator[str]:
    if scene.life is None:
        return
    name = f"{order.symbol} {order.quantity} at {order.reference_price}"
    told = (
        *_of_size(seen, scene.life, order),
        *_of_market(seen, scene.life, order),
        *_of_others(seen, scene.life, order),
    )
    for detail in told:
        yield f"{name}: {detail}"


def _of_size(seen: Observed, life: Life, order: ApprovedOrder) -> Iterator[str]:
    """Say what is wrong with how much is bought, and with its stop."""
    limits, desk = seen.rules.risk.limits, life.engine.desk_at(order.approved_at)
    equity_usd = desk.account.equity_usd
    size_usd = order.quantity * order.reference_price
    if not order.quantity > 0 or order.quantity != whole_shares(order.quantity):
        yield "not whole shares"
    if not size_usd >= limits.min_trade_usd:
        yield f"${size_usd} is less than ${limits.min_trade_usd}"
    if not float(size_usd / equity_usd) <= limits.max_position_fraction + 1e-9:
        yield f"${size_usd} of ${equity_usd} in one position"
    gross_usd = _gross_usd(life.engine.state.portfolio.positions.values(), desk.orders.values())
    if not float(gross_usd / equity_usd) <= limits.max_exposure_fraction + 1e-9:
        yield f"exposure with open orders ${gross_usd} of ${equity_usd}"
    if order.stop_loss_price is None or not 0 < order.stop_loss_price < order.reference_price:
        yield f"stop at {order.stop_loss_price}"


def _of_market(seen: Observed, life: Life, order: ApprovedOrder) -> Iterator[str]:
    """Say what is wrong with when it is bought."""
    age_s = seen.quote_ages_s.get(order.signal_id)
    if age_s is not None and not 0 <= age_s <= seen.rules.risk.limits.max_live_quote_age_s:
        yield f"its quote was {age_s:.0f} s old"
    if seen.rules.calendar.session_at(order.approved_at) is None:
        yield f"approved outside the session at {order.approved_at}"
    if order.symbol in life.engine.state.execution.halted_symbols:
        yield "approved while the symbol is halted"
    if seen.trading_state is not TradingState.ACTIVE:
        yield f"approved while trading is {seen.trading_state}"


def _of_others(seen: Observed, life: Life, order: ApprovedOrder) -> Iterator[str]:
    """Say what else is bought already."""
    state, sent = life.engine.state, seen.sent_of_signal[order.signal_id]
    if sent > seen.rules.risk.limits.max_orders_per_signal:
        yield f"order {sent} of one signal"
    for ticket in state.execution.open_tickets.values():
        is_other = ticket.client_order_id != order.client_order_id
        if is_other and ticket.symbol == order.symbol and ticket.role is OrderRole.ENTRY:
            yield "another entry is under way"
    if order.symbol in state.portfolio.positions:
        yield "bought although it is held"


def _gross_usd(positions: Any, tickets: Any) -> Decimal:
    held_usd = sum((each.quantity * each.last_price for each in positions), start=ZERO)
    working_usd = sum(
        (
            (each.quantity - each.filled_quantity) * each.reference_price
            for each in tickets
            if each.role is OrderRole.ENTRY
        ),
        start=ZERO,
    )
    return held_usd + working_usd


def no_entry_while_halted(seen: Observed, _: Scene, batch: Sequence[Recorded]) -> Iterator[str]:
    """Nothing is promised to the broker that buys while trading is halted."""
    for record in batch:
        if (
            isinstance(record.body, c.SubmitOrder)
            and record.body.order.role is OrderRole.ENTRY
            and seen.trading_state is not TradingState.ACTIVE
            and seen.halted_at_s is not None
        ):
            yield f"entry {record.body.order.client_order_id} was sent while halted"


def sells_what_is_held(_: Observed, scene: Scene, batch: Sequence[Recorded]) -> Iterator[str]:
    """What is sold is not more than what is held."""
    life = scene.life
    for record in batch:
        if life is None or not isinstance(record.body, c.SubmitOrder):
            continue
        order = record.body.order
        if order.side is not Side.SELL:
            continue
        position = life.engine.state.portfolio.positions.get(order.symbol)
        held = position.quantity if position is not None else ZERO
        if order.quantity > held:
            yield f"{order.client_order_id} sells {order.quantity} {order.symbol} of {held} held"


def no_share_is_promised_twice(
    _: Observed, scene: Scene, batch: Sequence[Recorded]
) -> Iterator[str]:
    """An exit sells what no stop and no target sells; the two of a pair sell once."""
    life = scene.life
    for record in batch:
        if life is None or not isinstance(record.body, c.SubmitOrder):
            continue
        order = record.body.order
        if order.role is not OrderRole.EXIT:
            continue
        for_sale: dict[str, Decimal] = {}
        for ticket in life.engine.state.execution.open_tickets.values():
            is_sent = ticket.status is not OrderStatus.PLANNED
            if ticket.symbol == order.symbol and ticket.side is Side.SELL and is_sent:
                is_exit = ticket.role is OrderRole.EXIT
                whose = ticket.client_order_id if is_exit else ticket.trade_id
                left = ticket.quantity - ticket.filled_quantity
                for_sale[whose] = max(for_sale.get(whose, ZERO), left)
        position = life.engine.state.portfolio.positions.get(order.symbol)
        held, promised = position.quantity if position else ZERO, sum(for_sale.values())
        if promised > held:
            yield f"{order.client_order_id}: {promised} {order.symbol} for sale, {held} held"


def not_sent_to_be_cancelled(_: Observed, __: Scene, batch: Sequence[Recorded]) -> Iterator[str]:
    """What protects is not cancelled in the same breath in which it is sent."""
    sent = {
        record.body.order.client_order_id
        for record in batch
        if isinstance(record.body, c.SubmitOrder) and record.body.order.role in LEGS
    }
    for record in batch:
        if isinstance(record.body, c.CancelOrder) and record.body.client_order_id in sent:
            yield f"{record.body.client_order_id} is sent, and cancelled at once"


def a_halt_is_told(_: Observed, __: Scene, batch: Sequence[Recorded]) -> Iterator[str]:
    """A person is paged for every halt."""
    halts = [each.body for each in batch if isinstance(each.body, d.TradingHalted)]
    pages = [
        each.body
        for each in batch
        if isinstance(each.body, c.SendNotification) and each.body.severity is Severity.CRITICAL
    ]
    if halts and not pages:
        yield f"nobody is told of the halt: {halts[0].detail}"


def a_halt_cancels_entries(
    seen: Observed, scene: Scene, batch: Sequence[Recorded]
) -> Iterator[str]:
    """What may still buy is cancelled in the same breath in which trading is halted."""
    life = scene.life
    if life is None or not any(isinstance(each.body, d.TradingHalted) for each in batch):
        return
    for ticket in life.engine.state.execution.open_tickets.values():
        if ticket.role is OrderRole.ENTRY and ticket.client_order_id not in seen.cancelled:
            yield f"{ticket.client_order_id} still buys {ticket.symbol} after the halt"


def books_agree(seen: Observed, _: Scene, batch: Sequence[Recorded]) -> Iterator[str]:
    """Nothing is found in the broker's books that no trade of ours or of a person explains.

    A person's trade that was told late may be older than our books (when the clocks are minutes
    apart) or in other shares than today's, and a split may be told after the books were looked at
    twice (when the process dies in between): then a person is called.
    """
    is_split_unknown = seen.has_split and not seen.has_told_split
    if seen.is_unclear_to_whom or is_split_unknown:
        return
    for record in batch:
        if isinstance(record.body, d.MismatchFound):
            found = record.body
            yield f"{found.subject}: ours {found.ours}, the broker's {found.theirs}"


def every_no_has_a_reason(_: Observed, __: Scene, batch: Sequence[Recorded]) -> Iterator[str]:
    """A refusal says why; an intent gets its verdict in the same batch."""
    for record in batch:
        match record.body:
            case d.OrderRefused() if not any(not each.passed for each in record.body.checks):
                yield f"refused {record.body.symbol} by {record.body.rule}: no check failed"
            case d.SignalDropped() if not record.body.reason:
                yield f"signal of {record.body.symbol} dropped for no reason"
            case _ if isinstance(record.body, _NO) and not record.body.reason:
                yield f"{type(record.body).__name__} of {record.body.client_order_id}: no reason"
            case _:
                pass
    intents = sum(isinstance(each.body, d.IntentFormed) for each in batch)
    verdicts = sum(isinstance(each.body, d.OrderApproved | d.OrderRefused) for each in batch)
    if intents > verdicts:
        yield f"{intents} intents, {verdicts} verdicts"


def same_trading_state(seen: Observed, scene: Scene, _: object) -> Iterator[str]:
    """The bot trades on only when the last word about it was a resume."""
    life = scene.life
    if life is not None and life.engine.state.risk.trading_state is not seen.trading_state:
        state = life.engine.state.risk.trading_state
        yield f"the bot believes {state}, the journal says {seen.trading_state}"


def remembers_what_it_knew(
    seen: Observed, _: Scene, lives: tuple[Life | None, Life]
) -> Iterator[str]:
    """The journal folds to the memory of the process that wrote it."""
    before, life = lives
    if life.engine.state.risk.trading_state is not seen.trading_state:
        yield (
            f"it starts {life.engine.state.risk.trading_state}, the journal says "
            f"{seen.trading_state}"
        )
    if before is None or before.engine.state.last_seq != life.engine.state.last_seq:
        return
    for stage in ("detection", "signals", "risk", "execution", "portfolio"):
        if getattr(before.engine.state, stage) != getattr(life.engine.state, stage):
            yield f"the fold of {stage} is not what the dead process remembered"
