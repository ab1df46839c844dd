"""How a catalyst becomes a signal once its gates are passed, and how it is dropped."""

from __future__ import annotations

from datetime import datetime

from catalyst_bot.domain import ids
from catalyst_bot.domain.messages.decisions import SignalDropped
from catalyst_bot.domain.news import Catalyst
from catalyst_bot.domain.trading import Check, ContextFactor, Signal
from catalyst_bot.signals import gates as g
from catalyst_bot.signals.context import context_of, seen_at
from catalyst_bot.signals.enrich import MarketReading
from catalyst_bot.signals.measures import MeasuredView
from catalyst_bot.signals.rules import Rules
from catalyst_bot.signals.state import State, cik_key

MANUAL = "manual"  # category and strategy of what a person asks for


def drop(
    catalyst: Catalyst, reason: str, checks: tuple[Check, ...] = (), *, is_review: bool = False
) -> SignalDropped:
    """Return that a catalyst becomes no signal, and why."""
    return SignalDropped(
        catalyst_id=catalyst.catalyst_id,
        item_id=catalyst.item_id,
        symbol=catalyst.symbol,
        reason=reason,
        checks=checks,
        is_review=is_review,
    )


def form(
    state: State,
    catalyst: Catalyst,
    reading: MarketReading,
    seen: MeasuredView,
    *,
    checks: tuple[Check, ...],
    now: datetime,
    rules: Rules,
    is_review: bool = False,
) -> Signal:
    """Return the signal of a catalyst that passed its `checks` on what was seen of the market."""
    view, catalyst_id = seen.view, catalyst.catalyst_id
    reviewed = ids.review_id(catalyst_id, view.bars[-1].closed_at) if is_review else None
    return Signal(
        signal_id=reviewed or ids.signal_id(catalyst_id),
        catalyst=catalyst,
        strategy_id=MANUAL if catalyst.wish is not None else rules.gates.strategy_id,
        direction=g.direction_after(catalyst, reading.reaction_bps),
        price=reading.price,
        quote=view.quote,
        atr=reading.atr,
        atr_average=reading.atr_average,
        rvol=reading.rvol,
        vwap=reading.vwap,
        spread_bps=reading.spread_bps,
        reaction_bps=reading.reaction_bps,
        regime=reading.regime,
        checks=checks,
        formed_at=now,
        context=_context(state, seen, rules),
        market=seen.market,
        bar_interval_s=view.bar_interval_s,
        is_review=is_review,
    )


def _context(state: State, seen: MeasuredView, rules: Rules) -> tuple[ContextFactor, ...]:
    symbol, cik = seen.view.symbol, rules.ciks.get(seen.view.symbol)
    by_cik = state.insiders.get(cik_key(cik), {}) if cik is not None else {}
    known = seen_at(
        seen,
        reference=rules.reference.get(symbol, ()),
        insiders=(by_cik | state.insiders.get(symbol, {})).values(),
    )
    return context_of(known)
