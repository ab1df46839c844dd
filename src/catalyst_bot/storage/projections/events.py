"""The feed for people: one short sentence for each thing worth knowing, with its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from catalyst_bot.domain.enums import OrderRole, Severity, Side
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.trading import Check
from catalyst_bot.storage.codec import wire_decimal
from catalyst_bot.storage.projections.writes import Reducers, Write, put, write
from catalyst_bot.storage.schema import events

_SYMBOL_OF_ORDER = (
    "UPDATE events SET symbol = (SELECT symbol FROM orders WHERE client_order_id = :order_id)"
    " WHERE seq = :seq"
)


class Event(NamedTuple):
    """What is said, how loud, and about which symbol (or order, when only that is known)."""

    text: str
    severity: Severity = Severity.INFO
    symbol: str | None = None
    order_id: str | None = None


def amount(value: float, unit: str) -> str:
    """Write a number of a check the way a person reads its unit."""
    match unit:
        case "fraction":
            return f"{value:.2%}"
        case "usd":
            return f"${value:,.2f}"
        case "count":
            return f"{value:g}"
        case _:
            return f"{value:.4g} {unit}"


def _why(rule: str, checks: tuple[Check, ...]) -> str:
    """The rule that failed, with what it saw and allows."""
    failed = next((c for c in checks if c.name == rule), None) or next(
        (c for c in checks if not c.passed), None
    )
    if failed is None:
        return rule
    if failed.unit == "state":
        return f"{rule} ({failed.note})" if failed.note else rule
    return (
        f"{rule} ({amount(failed.observed, failed.unit)}, "
        f"limit {amount(failed.limit, failed.unit)})"
    )


def run_started(m: f.RunStarted) -> Event:
    """The bot is up."""
    note = f"; {m.candidate_note}" if m.candidate_note else ""
    return Event(f"Started in mode {m.mode} with broker {m.broker} and model {m.model_id}{note}")


def run_stopped(m: f.RunStopped) -> Event:
    """The bot is down."""
    return Event(f"Stopped: {m.reason}")


def catalyst_detected(m: d.CatalystDetected) -> Event:
    """A headline is news."""
    found = m.catalyst
    return Event(
        f"{found.symbol}: {found.category} found, confidence {found.confidence:.0%}: {found.title}",
        symbol=found.symbol,
    )


def signal_formed(m: d.SignalFormed) -> Event:
    """It met the market."""
    signal = m.signal
    word = "up" if signal.direction > 0 else "down"
    what = "looked at again, signal" if signal.is_review else "signal"
    return Event(
        f"{signal.catalyst.symbol}: {what} {word} at ${signal.price:g}, "
        f"reaction {signal.reaction_bps:+.0f} bps, relative volume {signal.rvol:.1f}",
        symbol=signal.catalyst.symbol,
    )


def signal_dropped(m: d.SignalDropped) -> Event:
    """A gate stopped it."""
    what = "not looked at again" if m.is_review else "no signal"
    return Event(f"{m.symbol}: {what}: {_why(m.reason, m.checks)}", symbol=m.symbol)


def case_opened(m: d.CaseOpened) -> Event:
    """It stays on watch."""
    symbol = m.catalyst.symbol
    return Event(f"{symbol}: on watch until {m.until:%Y-%m-%d %H:%M} UTC", symbol=symbol)


def candidate_voted(m: d.CandidateVoted) -> Event:
    """A model that may not decide had an opinion."""
    return Event(
        f"{m.symbol}: candidate {m.model_id} would say {m.action:+.2f} (agreement "
        f"{m.agreement:.2f})",
        symbol=m.symbol,
    )


def intent_declined(m: d.IntentDeclined) -> Event:
    """The policy passed."""
    return Event(f"{m.symbol}: {m.model_id} declined: {m.reason}", symbol=m.symbol)


def order_approved(m: d.OrderApproved) -> Event:
    """Risk let it pass."""
    order = m.order
    what = f"{order.side} {wire_decimal(order.quantity)}"
    if order.role in {OrderRole.STOP_LOSS, OrderRole.TAKE_PROFIT}:
        target = f", target ${order.limit_price:f}" if order.limit_price is not None else ""
        what = f"a stop at ${order.stop_loss_price:f}{target} for {wire_decimal(order.quantity)}"
        return Event(f"{order.symbol}: approved {what}", symbol=order.symbol)
    if order.role is not OrderRole.ENTRY:
        return Event(f"{order.symbol}: approved {what} to leave", symbol=order.symbol)
    stop = f", stop ${order.stop_loss_price:f}" if order.stop_loss_price is not None else ""
    return Event(f"{order.symbol}: approved {what}{stop}", symbol=order.symbol)


def order_refused(m: d.OrderRefused) -> Event:
    """Risk said no."""
    return Event(
        f"{m.symbol}: {m.side} refused by {_why(m.rule, m.checks)}",
        Severity.WARNING,
        symbol=m.symbol,
    )


def order_filled(m: f.OrderFilled) -> Event:
    """The venue executed."""
    verb = "bought" if m.fill.side is Side.BUY else "sold"
    return Event(
        f"{m.fill.symbol}: {verb} {m.fill.quantity:f} at ${m.fill.price:f}", symbol=m.fill.symbol
    )


def order_rejected(m: f.OrderRejected) -> Event:
    """The venue refused."""
    return Event(
        f"The broker rejected an order: {m.reason}", Severity.WARNING, order_id=m.client_order_id
    )


def order_cancelled(m: f.OrderCancelled) -> Event:
    """An order is gone."""
    return Event(f"An order was cancelled: {m.reason}", order_id=m.client_order_id)


def order_expired(m: f.OrderExpired) -> Event:
    """An order lapsed."""
    return Event("An order expired at the close", order_id=m.client_order_id)


def submit_suppressed(m: f.SubmitSuppressed) -> Event:
    """An order was not sent."""
    return Event(f"An order was not sent: {m.reason}", order_id=m.client_order_id)


def outcome_unknown(m: f.SubmitOutcomeUnknown) -> Event:
    """The broker did not answer."""
    return Event(
        f"The broker did not answer, looking the order up: {m.detail}",
        Severity.WARNING,
        order_id=m.client_order_id,
    )


def stop_moved(m: d.StopMoved) -> Event:
    """The stop was raised, or is the first one."""
    before = f"raised from ${m.old_stop_price:f} to" if m.old_stop_price > 0 else "set at"
    return Event(f"{m.symbol}: stop {before} ${m.stop_price:f}", symbol=m.symbol)


def position_closed(m: d.PositionClosed) -> Event:
    """A round trip is finished."""
    trade = m.trade
    sign = "-" if trade.pnl_usd < 0 else "+"
    return Event(
        f"{trade.symbol}: closed by {trade.exit_reason} at ${trade.exit_price:f}: "
        f"{sign}${abs(trade.pnl_usd):,.2f} ({trade.pnl_fraction:+.2%})",
        symbol=trade.symbol,
    )


_BOUND = {"open_positions": "a person is told above"}


def limit_approached(m: d.LimitApproached) -> Event:
    """A limit is nearly used up."""
    return Event(
        f"{m.name} is at {amount(m.observed, m.unit)}, {_BOUND.get(m.name, 'its limit is')} "
        f"{amount(m.limit, m.unit)}",
        Severity.WARNING,
    )


def trading_halted(m: d.TradingHalted) -> Event:
    """No new entries."""
    return Event(
        f"Trading halted by {m.cause}, positions: {m.positions_policy}: {m.detail}",
        Severity.CRITICAL,
    )


def override_granted(m: d.OverrideGranted) -> Event:
    """A person decides otherwise."""
    return Event(
        f"{m.symbol}: {m.by} overrides {', '.join(m.rules)} until {m.expires_at:%H:%M} UTC: "
        f"{m.reason}",
        Severity.WARNING,
        symbol=m.symbol,
    )


def override_refused(m: d.OverrideRefused) -> Event:
    """A person cannot."""
    return Event(
        f"{m.symbol}: {m.by} wanted to override, refused: {m.reason}",
        Severity.WARNING,
        symbol=m.symbol,
    )


def trading_reduced(m: d.TradingReduced) -> Event:
    """Exits only."""
    return Event(f"Trading reduced by {m.by}, only exits: {m.reason}", Severity.WARNING)


def resume_refused(m: d.ResumeRefused) -> Event:
    """Something is still to be looked at."""
    return Event(f"{m.by} wanted to resume, but has to confirm: {m.detail}", Severity.WARNING)


def trading_resumed(m: d.TradingResumed) -> Event:
    """Entries again."""
    return Event(f"Trading resumed by {m.by}: {m.reason}")


def strategy_paused(m: d.StrategyPaused) -> Event:
    """One strategy waits."""
    return Event(f"Strategy {m.strategy_id} paused: {m.reason}", Severity.WARNING)


def mismatch_found(m: d.MismatchFound) -> Event:
    """The books differ."""
    return Event(
        f"Books differ on {m.subject}: ours {m.ours}, broker {m.theirs}", Severity.CRITICAL
    )


def adapter_failed(m: f.AdapterFailed) -> Event:
    """Going on with less."""
    return Event(f"{m.adapter} failed: {m.error}", Severity.WARNING)


def adapter_recovered(m: f.AdapterRecovered) -> Event:
    """Whole again."""
    return Event(f"{m.adapter} works again")


def notice_raised(m: f.NoticeRaised) -> Event:
    """The process around the core has something to tell."""
    return Event(f"{m.title}: {m.text}", m.severity)


def notification_escalated(m: f.NotificationEscalated) -> Event:
    """Nobody answered."""
    return Event(f"Nobody answered {m.notice_id}: told again ({m.level})", Severity.WARNING)


def notification_acknowledged(m: f.NotificationAcknowledged) -> Event:
    """A person has seen it."""
    return Event(f"{m.by} has seen {m.notice_id}")


def notification_failed(m: f.NotificationFailed) -> Event:
    """A person was not told."""
    what = "given up" if m.is_given_up else "tried again"
    severity = Severity.WARNING if m.is_given_up else Severity.INFO
    return Event(f"Alerts to {m.channel}: {m.reason}; {what}", severity)


def lost_orders_found(m: f.LostOrdersFound) -> Event:
    """The journal was restored."""
    text = f"{len(m.order_ids)} orders of the bot are not in it"
    return Event(f"The journal is older than the account: {text}", Severity.WARNING)


def symbol_halted(m: f.SymbolHalted) -> Event:
    """The exchange stopped a symbol."""
    return Event(f"{m.symbol}: halted by the exchange ({m.code})", Severity.WARNING, m.symbol)


def symbol_resumed(m: f.SymbolResumed) -> Event:
    """It trades again."""
    return Event(f"{m.symbol}: trading resumed by the exchange", symbol=m.symbol)


def operator_trade_requested(m: f.OperatorTradeRequested) -> Event:
    """A person asks."""
    shares = f"{m.quantity:f} shares" if m.quantity is not None else "all shares"
    amount_ = f"for ${m.usd:f}" if m.usd is not None else shares
    return Event(f"{m.symbol}: {m.by} asks to {m.side} {amount_}", symbol=m.symbol)


def order_queued(m: d.OrderQueued) -> Event:
    """Waiting for a halted symbol."""
    order = m.order
    what = f"{order.side} {wire_decimal(order.quantity)}"
    return Event(f"{order.symbol}: {what} waits: {m.reason}", symbol=order.symbol)


def order_withdrawn(m: d.OrderWithdrawn) -> Event:
    """Not sent after all."""
    return Event(f"{m.symbol}: an order was not sent: {m.reason}", symbol=m.symbol)


def protection_needed(m: d.ProtectionNeeded) -> Event:
    """Bare shares; the louder the longer."""
    severity = Severity.CRITICAL if m.escalation else Severity.WARNING
    return Event(
        f"{m.symbol}: {m.quantity:f} shares without a stop: {m.detail} ({m.step})",
        severity,
        symbol=m.symbol,
    )


def foreign_trade_judged(m: d.ForeignTradeJudged) -> Event:
    """A person traded."""
    fill = m.fill
    kept = "taken into our books" if m.adopted_quantity > 0 else "kept apart"
    return Event(
        f"{fill.symbol}: not ours: {fill.side} {fill.quantity:f} at ${fill.price:f}, {m.reason}; "
        f"{kept}",
        Severity.WARNING,
        symbol=fill.symbol,
    )


def foreign_orders_seen(m: d.ForeignOrdersSeen) -> Event:
    """A person's orders are open."""
    names = ", ".join(f"{order.quantity:f} {order.symbol}" for order in m.orders) or "none any more"
    return Event(f"Open orders at the broker that are not ours: {names}", Severity.WARNING)


def cash_adjusted(m: d.CashAdjusted) -> Event:
    """The broker's cash is the truth."""
    return Event(
        f"Cash {m.amount_usd:+,.2f} USD: {m.reason}",
        Severity.WARNING if m.is_flow else Severity.INFO,
    )


def split_applied(m: f.SplitApplied) -> Event:
    """Other shares."""
    return Event(
        f"{m.symbol}: split, one share became {m.shares_per_share:f}",
        Severity.WARNING,
        symbol=m.symbol,
    )


def symbol_renamed(m: f.SymbolRenamed) -> Event:
    """Another name."""
    return Event(f"{m.symbol} trades as {m.new_symbol} from now on", symbol=m.new_symbol)


TELLERS: dict[type, Callable[[Any], Event]] = {
    f.RunStarted: run_started,
    f.RunStopped: run_stopped,
    d.CatalystDetected: catalyst_detected,
    d.SignalFormed: signal_formed,
    d.SignalDropped: signal_dropped,
    d.IntentDeclined: intent_declined,
    d.CaseOpened: case_opened,
    d.CandidateVoted: candidate_voted,
    d.OrderApproved: order_approved,
    d.OrderRefused: order_refused,
    f.OrderFilled: order_filled,
    f.OrderRejected: order_rejected,
    f.OrderCancelled: order_cancelled,
    f.OrderExpired: order_expired,
    f.SubmitSuppressed: submit_suppressed,
    f.SubmitOutcomeUnknown: outcome_unknown,
    d.StopMoved: stop_moved,
    d.PositionClosed: position_closed,
    d.LimitApproached: limit_approached,
    d.TradingHalted: trading_halted,
    d.OverrideGranted: override_granted,
    d.OverrideRefused: override_refused,
    d.TradingReduced: trading_reduced,
    d.ResumeRefused: resume_refused,
    d.TradingResumed: trading_resumed,
    d.StrategyPaused: strategy_paused,
    d.MismatchFound: mismatch_found,
    f.AdapterFailed: adapter_failed,
    f.AdapterRecovered: adapter_recovered,
    f.NotificationFailed: notification_failed,
    f.NoticeRaised: notice_raised,
    f.NotificationEscalated: notification_escalated,
    f.NotificationAcknowledged: notification_acknowledged,
    f.LostOrdersFound: lost_orders_found,
    f.SymbolHalted: symbol_halted,
    f.SymbolResumed: symbol_resumed,
    f.OperatorTradeRequested: operator_trade_requested,
    d.OrderQueued: order_queued,
    d.OrderWithdrawn: order_withdrawn,
    d.ProtectionNeeded: protection_needed,
    d.ForeignTradeJudged: foreign_trade_judged,
    d.ForeignOrdersSeen: foreign_orders_seen,
    d.CashAdjusted: cash_adjusted,
    f.SplitApplied: split_applied,
    f.SymbolRenamed: symbol_renamed,
}


def tell(record: Recorded, message: Any) -> Iterable[Write]:
    """Write the event of a message."""
    event = TELLERS[type(message)](message)
    yield put(
        events,
        seq=record.seq,
        at=record.at,
        severity=event.severity,
        kind=type(message).__name__,
        symbol=event.symbol,
        text=event.text,
        trail_id=record.trail_id,
    )
    if event.order_id is not None:
        yield write(_SYMBOL_OF_ORDER, order_id=event.order_id, seq=record.seq)


REDUCERS: Reducers = dict.fromkeys(TELLERS, tell)
