"""Bars a second of a whole backtest: data, news, decisions, venue; the peer on the same bars.

Little happens in most bars of a market, and those should cost little. What a bar costs while its
symbol is held stands in `core`.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.generated_run import play
from benchmarks.line import ROUNDS, Line, median_of
from catalyst_bot.bootstrap.configuration import load_settings
from catalyst_bot.bootstrap.rules import NO_COMPANIES
from catalyst_bot.bootstrap.run import ReplayRequest
from catalyst_bot.bootstrap.tapes import HISTORY, Recording
from catalyst_bot.domain.calendar import Session
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.messages.facts import HeadlineReceived, OrderFilled
from catalyst_bot.domain.news import Headline
from catalyst_bot.market_data.bar_store import BarColumns, BarStore
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.session_times import to_datetime, to_seconds
from catalyst_bot.runtime.replay import Tape
from catalyst_bot.storage.memory import MemoryJournal

SYMBOLS, BENCHMARK = 20, "SPY"
FIRST, PLAYED, LAST = (datetime(2025, month, 3, tzinfo=UTC) for month in (2, 3, 4))
MINUTE_S = 60
TITLE = "{} Wins $900 Million Contract Number {}"
PEER_MINUTES = 2 * 390  # two of the sessions


def lines() -> list[Line]:
    """Measure the backtest of a month of minutes, and the peer where it is installed."""
    with TemporaryDirectory() as name:
        request = _request(Path(name))
        bars = _played(request.recording)
        fills = 0

        def measure() -> float:
            nonlocal fills
            journal, start = MemoryJournal(), time.perf_counter()
            play(request, journal)
            seconds = time.perf_counter() - start
            fills = sum(isinstance(record.body, OrderFilled) for record in journal.read())
            return bars / seconds

        value = median_of(measure)
    return [
        Line(
            job="backtest of a market, memory journal",
            unit="bars/s",
            value=value,
            target=100_000,
            peer=_peer(request),
            note=f"{SYMBOLS} symbols, {bars:,} bars of a minute, "
            f"{len(request.recording.tape.news)} headlines, {fills} fills",
        )
    ]


def _request(folder: Path) -> ReplayRequest:
    """What `catalyst-bot backtest` would make of files with these bars and headlines."""
    loaded = load_settings(config=None, data_dir=folder, more={"run.benchmark": BENCHMARK})
    calendar = load_calendar()
    store = _store(calendar.between(FIRST - HISTORY, LAST))
    sessions = calendar.between(PLAYED, LAST)
    recording = Recording(
        label="event-engine",
        tape=Tape(
            bars=store,
            news=_news(sessions),
            halts=(),
            sessions=sessions,
            start=PLAYED,
            end=LAST,
        ),
        store=store,
        calendar=calendar,
        companies=NO_COMPANIES,
        inputs_hash="random walks",
    )
    return ReplayRequest(
        loaded=loaded,
        mode=Mode.BACKTEST,
        is_dry_run=False,
        recording=recording,
        journal=folder / "journal.db",
    )


def _names() -> list[str]:
    return [f"S{number:02}X" for number in range(SYMBOLS)]


def _store(sessions: tuple[Session, ...]) -> BarStore:
    """Random walks of all symbols in every minute of the sessions."""
    opened = np.concatenate(
        [
            np.arange(to_seconds(each.opens_at), to_seconds(each.closes_at), MINUTE_S)
            for each in sessions
        ]
    )
    return BarStore(
        {symbol: _walk(seed, opened) for seed, symbol in enumerate([*_names(), BENCHMARK])},
        interval_s=MINUTE_S,
    )


def _walk(seed: int, opened_s: np.ndarray[Any, np.dtype[np.int64]]) -> BarColumns:
    rng = np.random.default_rng(seed)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0, 0.0005, len(opened_s))))
    open_ = np.append(close[:1], close[:-1])
    return BarColumns(
        opened_s=opened_s,
        closed_s=opened_s + MINUTE_S,
        open=open_,
        high=np.maximum(open_, close) * 1.0002,
        low=np.minimum(open_, close) * 0.9998,
        close=close,
        volume=rng.lognormal(11, 0.5, len(opened_s)).round(),
    )


def _news(sessions: tuple[Session, ...]) -> tuple[HeadlineReceived, ...]:
    """A headline in every session, about one symbol after the other."""
    told = []
    for number, session in enumerate(sessions):
        symbol, at = _names()[number % SYMBOLS], session.opens_at + timedelta(minutes=97)
        headline = Headline(
            item_id=f"event-engine-{number}",
            source="Wire",
            title=TITLE.format(symbol, number),
            symbols=(symbol,),
            published_at=at,
            received_at=at,
        )
        told.append(HeadlineReceived(at=at, headline=headline))
    return tuple(told)


def _played(recording: Recording) -> int:
    """How many bars lie in the days that are played."""
    start_s = to_seconds(recording.tape.start)
    return sum(
        int((recording.store.columns(symbol).opened_s >= start_s).sum())
        for symbol in recording.store.symbols
    )


def _peer(request: ReplayRequest) -> str:
    """Brackets at the same headlines over the same bars, in the peer that people know best."""
    try:
        import backtrader as bt  # noqa: PLC0415  # no extra of ours
    except ImportError:
        return "backtrader: about 12,600 (pip install backtrader measures it)"
    orders = 0
    store, told = request.recording.store, request.recording.tape.news
    wanted = {
        (item.headline.symbols[0], item.at) for item in told if isinstance(item, HeadlineReceived)
    }

    class Feed(bt.feed.DataBase):  # type: ignore[misc]  # untyped
        def __init__(self, symbol: str) -> None:
            super().__init__()
            bars = store.columns(symbol)
            first = int(bars.opened_s.searchsorted(to_seconds(PLAYED)))
            part = slice(first, first + PEER_MINUTES)
            columns = (bars.closed_s, bars.open, bars.high, bars.low, bars.close, bars.volume)
            self.rows = iter(zip(*(each[part].tolist() for each in columns), strict=True))

        def _load(self) -> bool:
            row = next(self.rows, None)
            if row is None:
                return False
            at = datetime.fromtimestamp(row[0], UTC).replace(tzinfo=None)
            self.lines.datetime[0] = bt.date2num(at)
            for line, value in zip(
                ("open", "high", "low", "close", "volume"), row[1:], strict=True
            ):
                getattr(self.lines, line)[0] = value
            return True

    class Brackets(bt.Strategy):  # type: ignore[misc]  # untyped
        def next(self) -> None:
            nonlocal orders
            for symbol, data in zip(store.symbols, self.datas, strict=True):
                seconds = round(data.datetime.datetime(0).replace(tzinfo=UTC).timestamp())
                if (symbol, to_datetime(seconds)) in wanted and not self.getposition(data):
                    price, orders = data.close[0], orders + 1
                    self.buy_bracket(
                        data=data,
                        size=100,
                        exectype=bt.Order.Market,
                        stopprice=price * 0.98,
                        limitprice=price * 1.06,
                    )

    def measure() -> float:
        cerebro = bt.Cerebro(stdstats=False)
        for symbol in store.symbols:
            cerebro.adddata(Feed(symbol), name=symbol)
        cerebro.addstrategy(Brackets)
        start = time.perf_counter()
        cerebro.run()
        return len(store.symbols) * PEER_MINUTES / (time.perf_counter() - start)

    return f"backtrader: {median_of(measure):,.0f} ({orders // ROUNDS} brackets)"
