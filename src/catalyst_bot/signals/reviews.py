"""Reviews: at every close of a decision bar the policy is asked again about the case on watch.

A symbol has one case, that of its newest signal, up to the end of the catalyst's horizon. First
looks that are due at a close come before the review of that close: where one of them opens a newer
case, the old one is not asked about again. Policies that do not review have no cases.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from catalyst_bot.domain.market import Bar, MarketView
from catalyst_bot.domain.messages.commands import (
    RequestMarketView,
    SetTimer,
    UnwatchSymbol,
    WatchSymbol,
)
from catalyst_bot.domain.messages.decisions import CaseOpened, SignalFormed
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.trading import Signal
from catalyst_bot.ports.desk import Desk
from catalyst_bot.signals import gates as g
from catalyst_bot.signals.enrich import read_market
from catalyst_bot.signals.forming import drop, form
from catalyst_bot.signals.measures import measured
from catalyst_bot.signals.rules import Rules
from catalyst_bot.signals.state import State

# Timers of one moment fire in the order of their ids: this one after "view:", the first looks.
TIMER_PREFIX = "watch:"
REQUEST_PREFIX = "review:"


def opened(signal: Signal, rules: Rules) -> list[Message]:
    """A signal opens a case where the policy reviews; what a person asked for is no case."""
    catalyst = signal.catalyst
    if not rules.reviews or signal.is_review or catalyst.wish is not None:
        return []
    until = signal.formed_at + timedelta(seconds=catalyst.horizon_s)
    return [CaseOpened(catalyst=catalyst, until=until), WatchSymbol(symbol=catalyst.symbol)]


def at_close(state: State, bar: Bar, desk: Desk) -> list[Message]:
    """Look again at the close of a bar, after the first looks; watch no longer when the case is
    over and nothing of the symbol is held or on its way.
    """
    case = state.watch.get(bar.symbol)
    if case is None:
        return []
    if bar.closed_at <= case.until:
        return [SetTimer(timer_id=f"{TIMER_PREFIX}{bar.symbol}", due_at=desk.now)]
    is_needed = bar.symbol in desk.positions or any(
        ticket.symbol == bar.symbol for ticket in desk.orders.values()
    )
    return [] if is_needed else [UnwatchSymbol(symbol=bar.symbol)]


def after_unwatch(state: State, symbol: str, now: datetime) -> list[Message]:
    """A symbol that others need no more goes on being watched while its case lasts."""
    case = state.watch.get(symbol)
    return [WatchSymbol(symbol=symbol)] if case is not None and now <= case.until else []


def renamed(state: State, symbol: str, new_symbol: str, desk: Desk) -> list[Message]:
    """The watch moves on to the new symbol; where it is held, the portfolio says so."""
    if symbol not in state.watch or symbol in desk.positions:
        return []
    return [UnwatchSymbol(symbol=symbol), WatchSymbol(symbol=new_symbol)]


def due(state: State, timer_id: str, now: datetime) -> list[Message]:
    """Ask for the market as it is at this close."""
    case = state.watch.get(timer_id.removeprefix(TIMER_PREFIX))
    if case is None:
        return []
    catalyst = case.catalyst
    return [
        RequestMarketView(
            request_id=f"{REQUEST_PREFIX}{catalyst.catalyst_id}:{now.isoformat()}",
            catalyst_id=catalyst.catalyst_id,
            symbol=catalyst.symbol,
        )
    ]


def judge(
    state: State, catalyst_id: str, view: MarketView, now: datetime, rules: Rules
) -> list[Message]:
    """Hold the case against the gates of a review; form its signal when all pass."""
    case = state.watch.get(view.symbol)
    if case is None or case.catalyst.catalyst_id != catalyst_id:
        return []  # a newer case took its place at this close
    catalyst = case.catalyst
    history = g.history_gate(len(view.bars), rules)
    if not history.passed:
        return [drop(catalyst, history.name, (history,), is_review=True)]
    seen = measured(view, atr_length=rules.stops.atr_length)
    reading = read_market(catalyst, seen)
    gates = g.market_gates(
        catalyst,
        reading,
        rules.gates,
        bar_interval_s=view.bar_interval_s,
        now=now,
        expires_at=case.until,
    )
    checks = (
        history,
        g.halt_gate(is_halted=catalyst.symbol in state.halted, rules=rules),
        *(check for check in gates if check.name in g.REVIEWED),
    )
    failed = next((check for check in checks if not check.passed), None)
    if failed is not None:
        return [drop(catalyst, failed.name, checks, is_review=True)]
    signal = form(
        state, catalyst, reading, seen, checks=checks, now=now, rules=rules, is_review=True
    )
    return [SignalFormed(signal=signal)]
