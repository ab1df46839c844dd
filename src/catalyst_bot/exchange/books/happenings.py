"""What each moment of the market does to the engine of an account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.money import to_decimal
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.market.moments import (
    ActionTaken,
    Auctioned,
    Closing,
    Halted,
    Moment,
    Opening,
    Resumed,
    SessionChanged,
    Traded,
)
from catalyst_bot.exchange.market.ticks import ActionKind
from catalyst_bot.simulation.matching_engine import MatchingEngine


class Marks(Mapping[str, Decimal]):
    """The last price of any symbol at a time, looked up when it is asked for."""

    def __init__(self, market: Market, at: datetime) -> None:
        self._market = market
        self._at = at

    def __getitem__(self, symbol: str) -> Decimal:
        price = self._market.last_price(symbol, self._at)
        if price is None:
            raise KeyError(symbol)
        return to_decimal(price)

    def __iter__(self) -> Iterator[str]:
        return iter(self._market.symbols(self._at))

    def __len__(self) -> int:
        return len(self._market.symbols(self._at))


def let_happen(
    engine: MatchingEngine, moment: Moment, market: Market, *, is_tick_driven: bool
) -> None:
    """Let a moment have its effects; orders meet every trade, or only whole regular bars."""
    match moment:
        case Traded() | Opening() | Closing() | Auctioned():
            _show_prices(engine, moment, market, is_tick_driven=is_tick_driven)
        case SessionChanged():
            _change_session(engine, moment, market)
        case Halted():
            engine.halt(moment.symbol, moment.at)
        case Resumed():
            engine.resume(moment.symbol, moment.at)
        case ActionTaken():
            _act(engine, moment, market)
        case _:
            pass


def _show_prices(
    engine: MatchingEngine,
    moment: Traded | Opening | Closing | Auctioned,
    market: Market,
    *,
    is_tick_driven: bool,
) -> None:
    at = moment.at
    match moment:
        case Traded() if is_tick_driven:
            _on_trades(engine, moment, market)
        case Closing() if not is_tick_driven:
            for bar in moment.bars:
                if market.phase(bar.opened_at) is SessionPhase.REGULAR:
                    engine.on_bar(bar, at)
        case Opening() if not is_tick_driven and market.phase(at) is SessionPhase.REGULAR:
            for opening in moment.prints:
                engine.on_open_print(opening, at)
        case Auctioned():
            for symbol in list(engine.state.open_ids):
                if symbol in moment.prices:
                    engine.on_auction(symbol, moment.prices[symbol], at, moment.kind)
        case _:
            pass


def _on_trades(engine: MatchingEngine, moment: Traded, market: Market) -> None:
    open_ids = engine.state.open_ids
    session: SessionPhase | None = None
    for trade in moment.trades:
        if trade.symbol not in open_ids:
            continue
        session = session or market.phase(moment.at)
        quote = market.quote(trade.symbol, moment.at)
        engine.on_trade(
            trade.symbol,
            trade.price,
            moment.at,
            session=session,
            bid=None if quote is None else quote.bid,
            ask=None if quote is None else quote.ask,
        )


def _change_session(engine: MatchingEngine, moment: SessionChanged, market: Market) -> None:
    at = moment.at
    match moment.phase:
        case SessionPhase.PRE | SessionPhase.REGULAR:
            engine.on_session_open(at, phase=moment.phase)
        case SessionPhase.POST:
            engine.on_session_close(at, phase=SessionPhase.REGULAR)
        case SessionPhase.CLOSED:
            engine.on_session_close(at, phase=SessionPhase.POST)
            marks = Marks(market, at)
            engine.roll_day(at, {s: marks[s] for s in engine.state.account.holdings if s in marks})


def _act(engine: MatchingEngine, moment: ActionTaken, market: Market) -> None:
    action, at = moment.action, moment.at
    if action.kind is ActionKind.SYMBOL_CHANGE:
        engine.rename(action.symbol, action.new_symbol, at)
        return
    price = market.last_price(action.symbol, at) or 0.0
    engine.apply_split(action.symbol, action.shares_per_share, to_decimal(price), at)
