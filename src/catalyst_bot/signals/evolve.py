"""Remember who waits, which cases are on watch, whom to avoid, and what is halted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from catalyst_bot.domain.enums import CategoryAction, StoryRelation
from catalyst_bot.domain.messages.commands import UnwatchSymbol
from catalyst_bot.domain.messages.decisions import (
    CaseOpened,
    CatalystDetected,
    SignalDropped,
    SignalFormed,
    StoryTold,
)
from catalyst_bot.domain.messages.facts import (
    HeadlineReceived,
    OperatorTradeRequested,
    RunStarted,
    SymbolHalted,
    SymbolRenamed,
    SymbolResumed,
)
from catalyst_bot.signals.state import Case, InsiderNote, State, cik_key

MAX_REQUESTS = 1_000
MAX_FILINGS, MAX_INSIDER_COMPANIES = 50, 5_000
FORM_4 = "4"
INSIDERS = "insider"  # how categories about insiders' trades begin


def start_run(state: State, message: RunStarted, at: datetime) -> None:
    """The bars that this run decides on."""
    state.bar_interval_s = message.bar_interval_s


def remember_catalyst(state: State, message: CatalystDetected, at: datetime) -> None:
    """The catalyst waits; one of an AVOID or CLOSE category closes its symbol for a while, and one
    about insiders is noted.
    """
    catalyst = message.catalyst
    state.waiting[catalyst.catalyst_id] = catalyst
    if catalyst.category.startswith(INSIDERS):
        note = InsiderNote(at=at, sign=catalyst.direction)
        note_insiders(state, catalyst.symbol, catalyst.item_id, note)
    if catalyst.action is not CategoryAction.TRADE:
        until = at + timedelta(seconds=catalyst.horizon_s)
        state.avoid_until[catalyst.symbol] = max(
            until, state.avoid_until.get(catalyst.symbol, until)
        )


def note_insiders(state: State, company: str, item_id: str, note: InsiderNote) -> None:
    """Keep the latest filings of the latest companies; what is told again only gets its sign."""
    filings = state.insiders.pop(company, {})
    known = filings.get(item_id)
    filings[item_id] = note if known is None else replace(known, sign=note.sign or known.sign)
    if len(filings) > MAX_FILINGS:
        del filings[next(iter(filings))]
    state.insiders[company] = filings
    if len(state.insiders) > MAX_INSIDER_COMPANIES:
        del state.insiders[next(iter(state.insiders))]


def hear_of_filing(state: State, message: HeadlineReceived, at: datetime) -> None:
    """A Form 4 counts for the symbols or the CIK that it names, whatever detection makes of it."""
    headline = message.headline
    if headline.form.removesuffix("/A") == FORM_4:
        by_cik = (cik_key(headline.cik),) if headline.cik is not None else ()
        for company in headline.symbols or by_cik:
            note_insiders(state, company, headline.item_id, InsiderNote(at=at, sign=0))


def forget_formed(state: State, message: SignalFormed, at: datetime) -> None:
    """The catalyst became a signal and waits no more."""
    state.waiting.pop(message.signal.catalyst.catalyst_id, None)


def forget_dropped(state: State, message: SignalDropped, at: datetime) -> None:
    """The catalyst was dropped and waits no more."""
    state.waiting.pop(message.catalyst_id, None)


def open_case(state: State, message: CaseOpened, at: datetime) -> None:
    """The newest case of a symbol is the one that is asked about again."""
    catalyst = message.catalyst
    state.watch[catalyst.symbol] = Case(catalyst=catalyst, until=message.until)


def end_case(state: State, message: UnwatchSymbol, at: datetime) -> None:
    """A case whose time is over is done with when its symbol is watched no more."""
    case = state.watch.get(message.symbol)
    if case is not None and at > case.until:
        del state.watch[message.symbol]


def take_back(state: State, message: StoryTold, at: datetime) -> None:
    """A case whose story was taken back is asked about no more."""
    if message.relation is not StoryRelation.RETRACTION:
        return
    for case in list(state.watch.values()):
        if case.catalyst.story_id == message.story_id and at < case.until:
            state.watch[case.catalyst.symbol] = replace(case, until=at)


def halt_symbol(state: State, message: SymbolHalted, at: datetime) -> None:
    """The exchange halted the symbol."""
    state.halted.add(message.symbol)


def resume_symbol(state: State, message: SymbolResumed, at: datetime) -> None:
    """The symbol trades again."""
    state.halted.discard(message.symbol)


def note_request(state: State, message: OperatorTradeRequested, at: datetime) -> None:
    """The same request is answered once."""
    state.requests[message.request_id] = None
    while len(state.requests) > MAX_REQUESTS:
        del state.requests[next(iter(state.requests))]


def rename_symbol(state: State, message: SymbolRenamed, at: datetime) -> None:
    """Whom to avoid, and what is halted, goes on under the new symbol."""
    old, new = message.symbol, message.new_symbol
    if old in state.avoid_until:
        state.avoid_until[new] = state.avoid_until.pop(old)
    if old in state.watch:
        case = state.watch.pop(old)
        state.watch[new] = replace(case, catalyst=replace(case.catalyst, symbol=new))
    if old in state.insiders:
        state.insiders[new] = state.insiders.pop(old)
    if old in state.halted:
        state.halted.remove(old)
        state.halted.add(new)


EVOLVE: dict[type, Callable[[State, Any, datetime], None]] = {
    RunStarted: start_run,
    CatalystDetected: remember_catalyst,
    StoryTold: take_back,
    CaseOpened: open_case,
    UnwatchSymbol: end_case,
    SignalFormed: forget_formed,
    SignalDropped: forget_dropped,
    HeadlineReceived: hear_of_filing,
    OperatorTradeRequested: note_request,
    SymbolRenamed: rename_symbol,
    SymbolHalted: halt_symbol,
    SymbolResumed: resume_symbol,
}
