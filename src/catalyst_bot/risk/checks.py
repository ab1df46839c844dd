"""Every rule an entry must pass, as one table of small functions.

All of them are run for every intent and all results are kept, so that a refusal shows what else
would have been wrong and an approval shows how much room was left. Add a rule: write a function,
add it to `ENTRY_CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from math import inf, isnan, nan

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import (
    HaltedSymbols,
    OrderRole,
    SessionPhase,
    Side,
    Tier,
    TradingState,
)
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.market import Quote
from catalyst_bot.domain.trading import Check
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk import gauges
from catalyst_bot.risk.proposal import Proposal
from catalyst_bot.risk.verdicts import at_least, at_most, below, in_state


def stop_present(entry: Proposal) -> Check:
    """No entry without a stop below its price."""
    stop = entry.protection.stop_price if entry.protection is not None else None
    note = f"stop at {stop}" if stop is not None else "no stop can be set"
    return in_state("stop_present", Tier.POSITION, is_good=stop is not None, note=note)


def position_size(entry: Proposal) -> Check:
    """At most a fraction of equity in one symbol."""
    return at_most(
        "position_size",
        Tier.POSITION,
        observed=gauges.fraction_of_equity(entry.size_usd, entry.desk.account),
        limit=entry.limits.max_position_fraction,
        unit="fraction",
    )


def min_trade(entry: Proposal) -> Check:
    """Smaller trades are eaten by their costs; the note names the step that left too little."""
    small = (s.name for s in entry.sizing.steps if s.size_usd < entry.limits.min_trade_usd)
    first = next(small, "")
    return at_least(
        "min_trade",
        Tier.POSITION,
        observed=float(entry.size_usd),
        limit=float(entry.limits.min_trade_usd),
        unit="usd",
        note=f"cut by {first}" if first else "",
    )


def confidence(entry: Proposal) -> Check:
    """The news must be read with enough certainty; a person who asks for a trade is certain."""
    is_asked = entry.intent.signal.catalyst.wish is not None
    return at_least(
        "confidence",
        Tier.STRATEGY,
        observed=1.0 if is_asked else entry.intent.confidence,
        limit=entry.limits.min_confidence,
        unit="fraction",
        note="met: a person asked for this trade" if is_asked else "",
    )


def strategy_paused(entry: Proposal) -> Check:
    """A paused strategy rests, even when a late trade of it wins."""
    is_good = not entry.record.is_paused
    until = entry.record.paused_until
    rest = f"until {until:%Y-%m-%d %H:%M} UTC" if until is not None else "until a person resumes"
    note = "active" if is_good else f"paused {rest}"
    return in_state("strategy_paused", Tier.STRATEGY, is_good=is_good, note=note)


def consecutive_losses(entry: Proposal) -> Check:
    """So many losses in a row are the pause."""
    return below(
        "consecutive_losses",
        Tier.STRATEGY,
        observed=float(entry.record.consecutive_losses),
        limit=float(entry.limits.pause_after_consecutive_losses),
        unit="count",
    )


def strategy_sharpe(entry: Proposal) -> Check:
    """A strategy with enough trades must earn its risk; before that nothing is known."""
    returns = entry.record.returns
    ratio = gauges.sharpe(returns)
    is_known = ratio is not None and len(returns) >= entry.limits.min_trades_for_sharpe
    return at_least(
        "strategy_sharpe",
        Tier.STRATEGY,
        observed=ratio if is_known and ratio is not None else entry.limits.min_sharpe,
        limit=entry.limits.min_sharpe,
        unit="ratio",
        note="" if is_known else f"{len(returns)} trades: not judged yet",
    )


def daily_trades(entry: Proposal) -> Check:
    """Entries of this session, with those in line and this one."""
    return at_most(
        "daily_trades",
        Tier.STRATEGY,
        observed=float(entry.state.entries_today + len(entry.state.pending) + 1),
        limit=float(entry.limits.max_daily_trades),
        unit="count",
    )


def correlation(entry: Proposal) -> Check:
    """Not the same bet twice under two names."""
    return at_most(
        "correlation",
        Tier.STRATEGY,
        observed=entry.kinship.correlation,
        limit=entry.limits.max_correlation,
        unit="ratio",
        note=entry.kinship.note,
    )


def daily_loss(entry: Proposal) -> Check:
    """Reaching the day's limit is already the halt, so it must stay below."""
    return below(
        "daily_loss",
        Tier.ACCOUNT,
        observed=gauges.daily_loss(entry.desk.account),
        limit=entry.limits.max_daily_loss_fraction,
        unit="fraction",
    )


def drawdown(entry: Proposal) -> Check:
    """Reaching the drawdown limit is already the halt, so it must stay below."""
    return below(
        "drawdown",
        Tier.ACCOUNT,
        observed=gauges.drawdown(entry.desk.account, entry.state.reviewed_peak_usd),
        limit=entry.limits.max_drawdown_fraction,
        unit="fraction",
    )


def exposure(entry: Proposal) -> Check:
    """Positions, working entries, entries in line and this one."""
    gross = entry.book.exposure_usd + entry.size_usd
    return at_most(
        "exposure",
        Tier.ACCOUNT,
        observed=gauges.fraction_of_equity(gross, entry.desk.account),
        limit=entry.limits.max_exposure_fraction,
        unit="fraction",
        note="with orders on their way",
    )


def leverage(entry: Proposal) -> Check:
    """The same sum as `exposure` against what the account may borrow."""
    gross = entry.book.exposure_usd + entry.size_usd
    return at_most(
        "leverage",
        Tier.ACCOUNT,
        observed=gauges.fraction_of_equity(gross, entry.desk.account),
        limit=entry.limits.max_leverage,
        unit="ratio",
    )


def quote_age(entry: Proposal) -> Check:
    """An old quote is no price; one from the future is an error of a clock."""
    quote = entry.intent.signal.quote
    age_s = (entry.desk.now - quote.at).total_seconds()
    return at_most(
        "quote_age",
        Tier.ORDER,
        observed=age_s if age_s >= 0 else inf,
        limit=entry.limits.max_quote_age_s,
        unit="s",
        note="" if age_s >= 0 else f"quote of {quote.at.isoformat()} is from the future",
    )


def price_collar(entry: Proposal) -> Check:
    """The price we count with must be near the quote's middle."""
    middle = _middle(entry.intent.signal.quote)
    return at_most(
        "price_collar",
        Tier.ORDER,
        observed=abs(float(entry.price) / middle - 1),
        limit=entry.limits.price_collar_fraction,
        unit="fraction",
        note="the quote is crossed or not positive" if isnan(middle) else "",
    )


def _middle(quote: Quote) -> float:
    """Middle of the quote, NaN when it is crossed or not positive."""
    return (quote.bid + quote.ask) / 2 if 0 < quote.bid <= quote.ask else nan


def duplicate(entry: Proposal) -> Check:
    """One entry per symbol: none open, none on its way, none approved just now."""
    limits, now = entry.limits, entry.desk.now
    found: list[str] = []
    if entry.symbol in entry.desk.positions:
        found.append("position open")
    if entry.symbol in entry.book.on_the_way:
        found.append("entry on its way")
    last_at = entry.state.last_entry_at.get((entry.symbol, Side.BUY))
    if last_at is not None and now - last_at < timedelta(seconds=limits.duplicate_window_s):
        found.append(f"entry approved {(now - last_at).total_seconds():.0f} s ago")
    return at_most(
        "duplicate",
        Tier.ORDER,
        observed=float(len(found)),
        limit=0.0,
        unit="count",
        note=", ".join(found),
    )


def symbol_halted(entry: Proposal) -> Check:
    """No entry while the exchange halts the symbol, or one that waits until it trades again."""
    is_trading = entry.symbol not in entry.state.halted_symbols
    is_good = is_trading or entry.working.halted_symbols is HaltedSymbols.QUEUE
    note = "trading" if is_trading else "halted by the exchange"
    note = f"{note}: waits for the resume" if is_good and not is_trading else note
    return in_state("symbol_halted", Tier.ORDER, is_good=is_good, note=note)


def session_open(entry: Proposal) -> Check:
    """Entries only in the regular session, or around it where that is switched on; a time outside
    the session table is neither.
    """
    try:
        session = entry.desk.calendar.session_at(entry.desk.now)
        phase = entry.desk.calendar.phase_at(entry.desk.now)
    except BadData as error:
        return in_state("session_open", Tier.ORDER, is_good=False, note=str(error))
    is_extended = entry.working.extended_hours and phase in _EXTENDED
    note = f"session of {session.day}" if session is not None else "no session"
    note = f"extended hours ({phase})" if is_extended else note
    is_good = session is not None or is_extended
    return in_state("session_open", Tier.ORDER, is_good=is_good, note=note)


_EXTENDED = frozenset({SessionPhase.PRE, SessionPhase.POST})


def trading_state(entry: Proposal) -> Check:
    """Entries only while trading is active."""
    states = {entry.state.trading_state, entry.desk.trading_state}
    cause = f" ({entry.state.halt_cause})" if entry.state.halt_cause is not None else ""
    note = "/".join(sorted(states)) + cause
    is_good = states == {TradingState.ACTIVE}
    return in_state("trading_state", Tier.ORDER, is_good=is_good, note=note)


def orders_per_signal(entry: Proposal) -> Check:
    """One signal must not set off order after order (Knight Capital, 2012)."""
    sent = entry.state.orders_of_signal.get(entry.intent.signal.signal_id, 0)
    return at_most(
        "orders_per_signal",
        Tier.ORDER,
        observed=float(sent + 1),
        limit=float(entry.limits.max_orders_per_signal),
        unit="count",
    )


ENTRY_CHECKS: tuple[Callable[[Proposal], Check], ...] = (
    trading_state,
    session_open,
    symbol_halted,
    duplicate,
    orders_per_signal,
    quote_age,
    price_collar,
    confidence,
    strategy_paused,
    consecutive_losses,
    strategy_sharpe,
    daily_trades,
    correlation,
    daily_loss,
    drawdown,
    stop_present,
    position_size,
    exposure,
    leverage,
    min_trade,
)


def check_entry(entry: Proposal) -> tuple[Check, ...]:
    """Run every check; a refusal is named after the first that fails in the table's order."""
    return tuple(check(entry) for check in ENTRY_CHECKS)


def check_exit(symbol: str, position: Position | None, desk: Desk) -> tuple[Check, ...]:
    """What an exit must pass: something to sell, and no exit at work already.

    Nothing else may keep a position open: an exit passes halts, pauses and loss limits, and out of
    the session the venue holds it until the open.
    """
    held = position is not None and position.quantity > 0
    note = f"{position.quantity} held" if position is not None else f"no {symbol} held"
    working = [
        ticket.client_order_id
        for ticket in (desk.orders_of_trade(position.trade_id) if position is not None else ())
        if ticket.role is OrderRole.EXIT
    ]
    return (
        in_state("shorting", Tier.ORDER, is_good=held, note=note),
        at_most(
            "exit_working",
            Tier.ORDER,
            observed=float(len(working)),
            limit=0.0,
            unit="count",
            note=", ".join(working),
        ),
    )
