"""Every rule an order must pass, as small functions; `check_table` puts them in their order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
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
from catalyst_bot.domain.finite import first_not_finite
from catalyst_bot.domain.market import DAY_S, Quote
from catalyst_bot.domain.money import ZERO
from catalyst_bot.domain.trading import Check, TradeIntent
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk import gauges
from catalyst_bot.risk.approved import limits_hash
from catalyst_bot.risk.proposal import Proposal
from catalyst_bot.risk.sizing import describe, kelly_fraction, shrunk_odds
from catalyst_bot.risk.state import ORDER_WINDOW
from catalyst_bot.risk.verdicts import at_least, at_most, below, in_state


def judge_inputs(intent: TradeIntent, desk: Desk) -> Check:
    """Every number of intent, quote, account and position is one: no limit says anything of NaN."""
    position = desk.positions.get(intent.signal.catalyst.symbol)
    told = ((intent, "intent"), (desk.account, "account"), (position, "position"))
    found = (first_not_finite(value, name) for value, name in told)
    bad = next((place for place in found if place is not None), None)
    note = bad if bad is not None else "all numbers are finite"
    return in_state("finite_inputs", Tier.ORDER, is_good=bad is None, note=note)


def finite_inputs(entry: Proposal) -> Check:
    """Every number that came in is one: judged before anything was computed from them."""
    return entry.inputs


def approved_limits(entry: Proposal) -> Check:
    """The limits in force are those that the run began with, which a person, or this version,
    approved.
    """
    approved, in_force = entry.state.limits_hash, limits_hash(entry.rules)
    is_good = approved in {"", in_force}
    note = in_force if approved else "no run named what is approved"
    note = note if is_good else f"{in_force} instead of the approved {approved}"
    return in_state("approved_limits", Tier.ORDER, is_good=is_good, note=note)


def approved_model(entry: Proposal) -> Check:
    """The intent comes from the model that the run began with, or from a person."""
    model_id, approved = entry.intent.model_id, entry.state.model_id
    is_asked = entry.intent.signal.catalyst.wish is not None
    is_good = is_asked or approved in {"", model_id}
    note = model_id if is_good else f"{model_id} is not the run's {approved}"
    return in_state("approved_model", Tier.ORDER, is_good=is_good, note=note)


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


def losses_per_hour(entry: Proposal) -> Check:
    """Losses in a row, of any strategy, within the window: reaching the number is the halt."""
    limits = entry.limits
    since = entry.desk.now - timedelta(seconds=limits.halt_loss_window_s)
    return below(
        "losses_per_hour",
        Tier.ACCOUNT,
        observed=float(sum(at >= since for at in entry.state.loss_streak)),
        limit=float(limits.halt_after_losses),
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


def strategy_edge(entry: Proposal) -> Check:
    """A strategy whose own trades, with the prior, show no edge bets nothing (Kelly).

    It cannot trade its way back: a person retires it or changes it, and gives what is changed a
    name, or trains a model again. Either begins a record of its own.
    """
    odds = shrunk_odds(entry.record, entry.rules.sizing)
    kelly = kelly_fraction(odds)
    return in_state(
        "strategy_edge",
        Tier.STRATEGY,
        is_good=kelly > 0,
        note=f"{describe(odds)} over {entry.record.trades} trades: Kelly fraction {kelly:.1%}",
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


def live_quote_age(entry: Proposal) -> Check:
    """Who quotes now quotes all the time: a live quote is old long before one made from a bar."""
    quote = entry.intent.signal.quote
    age_s = (entry.desk.now - quote.at).total_seconds()
    return at_most(
        "live_quote_age",
        Tier.ORDER,
        observed=0.0 if quote.is_synthetic else age_s,
        limit=entry.limits.max_live_quote_age_s,
        unit="s",
        note="made from a bar" if quote.is_synthetic else "",
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


def tradable_symbol(entry: Proposal) -> Check:
    """The symbol is on the list of what may be bought; an empty list names all."""
    listed = entry.limits.tradable_symbols
    is_good = not listed or entry.symbol in listed
    note = f"one of {len(listed)}" if listed else "no list is set"
    note = note if is_good else f"not one of the {len(listed)} in risk.tradable_symbols"
    return in_state("tradable_symbol", Tier.ORDER, is_good=is_good, note=note)


def open_entry(entry: Proposal) -> Check:
    """With this one there is one entry on its way in the symbol."""
    on_the_way = entry.book.on_the_way.count(entry.symbol)
    return at_most(
        "open_entry",
        Tier.ORDER,
        observed=float(on_the_way + 1),
        limit=1.0,
        unit="count",
        note="entry on its way" if on_the_way else "",
    )


def duplicate(entry: Proposal) -> Check:
    """Not the same again: no position in the symbol, no entry approved in it just now."""
    limits, now = entry.limits, entry.desk.now
    found: list[str] = []
    if entry.symbol in entry.desk.positions:
        found.append("position open")
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


def orders_per_minute(entry: Proposal) -> Check:
    """Orders approved in the last minute, of any kind, with entries in line and this one."""
    since = entry.desk.now - ORDER_WINDOW
    recent = sum(at > since for at in entry.state.approved_at)
    return at_most(
        "orders_per_minute",
        Tier.ORDER,
        observed=float(recent + len(entry.state.pending) + 1),
        limit=float(entry.limits.max_orders_per_minute),
        unit="count",
    )


def symbol_halted(entry: Proposal) -> Check:
    """No entry while the exchange halts the symbol, or one that waits until it trades again."""
    is_trading = entry.symbol not in entry.state.halted_symbols
    is_good = is_trading or entry.working.halted_symbols is HaltedSymbols.QUEUE
    note = "trading" if is_trading else "halted by the exchange"
    note = f"{note}: waits for the resume" if is_good and not is_trading else note
    return in_state("symbol_halted", Tier.ORDER, is_good=is_good, note=note)


def session_open(entry: Proposal) -> Check:
    """Entries only in the regular session, or around it where that is switched on; decided on bars
    of a session, at its close for the next open. A time outside the session table is neither.
    """
    try:
        session = entry.desk.calendar.session_at(entry.desk.now)
        phase = entry.desk.calendar.phase_at(entry.desk.now)
    except BadData as error:
        return in_state("session_open", Tier.ORDER, is_good=False, note=str(error))
    is_extended = entry.working.extended_hours and phase in _EXTENDED
    note = f"session of {session.day}" if session is not None else "no session"
    note = f"extended hours ({phase})" if is_extended else note
    is_for_next_open = session is None and entry.intent.signal.bar_interval_s >= DAY_S
    if is_for_next_open and not is_extended:
        note = f"for the open of {entry.desk.calendar.next_session(entry.desk.now).day}"
    is_good = session is not None or is_extended or is_for_next_open
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """An exit as its checks see it: so many shares of what is held."""

    symbol: str
    position: Position | None
    quantity: Decimal
    desk: Desk


def shorting(sale: Sale) -> Check:
    """There is something to sell."""
    position = sale.position
    held = position is not None and position.quantity > 0
    note = f"{position.quantity} held" if position is not None else f"no {sale.symbol} held"
    return in_state("shorting", Tier.ORDER, is_good=held, note=note)


def exit_working(sale: Sale) -> Check:
    """No exit is at work already: two would sell the shares twice."""
    position = sale.position
    working = [
        ticket.client_order_id
        for ticket in (sale.desk.orders_of_trade(position.trade_id) if position else ())
        if ticket.role is OrderRole.EXIT
    ]
    return at_most(
        "exit_working",
        Tier.ORDER,
        observed=float(len(working)),
        limit=0.0,
        unit="count",
        note=", ".join(working),
    )


def held_quantity(sale: Sale) -> Check:
    """No more is sold than is held."""
    held = sale.position.quantity if sale.position is not None else ZERO
    return at_most(
        "held_quantity",
        Tier.ORDER,
        observed=float(sale.quantity),
        limit=float(held),
        unit="count",
    )
