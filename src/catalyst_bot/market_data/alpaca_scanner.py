"""The scanner over an Alpaca account's prices: years of days once, today's so far at every look.

Today's bar is not finished: what it has traded is held against whole sessions. So volume counts as
unusual later than in recorded days, never earlier.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice

import numpy as np

from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent
from catalyst_bot.alpaca.health import Health
from catalyst_bot.alpaca.reading import alpaca_symbol, rfc3339
from catalyst_bot.domain.calendar import Session, TradingCalendar
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.limits import ScannerRules
from catalyst_bot.domain.market import Bar
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.domain.news import Headline
from catalyst_bot.market_data.alpaca_rows import part_of, readable_bars
from catalyst_bot.market_data.bar_store import BarColumns
from catalyst_bot.market_data.scanner import history_before, scan_symbol
from catalyst_bot.market_data.session_times import DAY_S, SessionTimes, to_seconds
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink

ADAPTER = "scanner"
A_DAY = timedelta(days=1)
SYMBOLS_A_REQUEST = 100
MAX_PAGES = 50
FAILURES = (AlpacaRefused, AlpacaSilent, BadData)


class AlpacaScanner:
    """Looks at today's prices of the symbols of the settings; `run` is its task."""

    def __init__(
        self,
        client: AlpacaClient,
        *,
        calendar: TradingCalendar,
        clock: Clock,
        sink: Sink,
        rules: ScannerRules,
        feed: str,
    ) -> None:
        self._client = client
        self._calendar = calendar
        self._sessions = SessionTimes.of(calendar)
        self._clock = clock
        self._sink = sink
        self._rules = rules
        self._feed = feed
        self._health = Health(ADAPTER, sink=sink, clock=clock)
        self._day: date | None = None
        self._past: dict[str, list[Bar]] = {}
        self._told: set[str] = set()
        self._next_look: datetime | None = None

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await self.look()
            await self._client.pace.sleep(self._health.pause_s(self._rules.poll_s))

    async def look(self) -> None:
        """Tell the hits that today's prices make and that were not told yet; failures are told."""
        now = self._clock.now()
        session = self._calendar.session_at(now)
        if session is None or (self._next_look is not None and now < self._next_look):
            return
        self._next_look = now + timedelta(seconds=self._rules.poll_s)
        try:
            if session.day != self._day:
                self._past = await self._days_before(session)
                self._day, self._told = session.day, set()
            today = await self._today(session)
        except FAILURES as error:
            self._health.failed(error)
            return
        self._health.worked()
        for symbol, bar in sorted(today.items()):
            for headline in self._hits(symbol, bar, now):
                self._told.add(headline.item_id)
                self._sink(HeadlineReceived(at=now, headline=headline))

    def _hits(self, symbol: str, today: Bar, now: datetime) -> Iterator[Headline]:
        """The hits of this look: today's bar counts as closed now."""
        bars = _columns([*self._past.get(symbol, ()), replace(today, closed_at=now)])
        for hit in scan_symbol(symbol, bars, self._sessions, self._rules, interval_s=DAY_S):
            is_now = to_seconds(hit.received_at) == to_seconds(now)
            if is_now and hit.item_id not in self._told:
                yield replace(hit, published_at=now, received_at=now)

    async def _days_before(self, session: Session) -> dict[str, list[Bar]]:
        """Finished daily bars of as many sessions as the rules look back to."""
        start = session.opens_at - history_before(self._rules)
        found: dict[str, list[Bar]] = {}
        for names in self._requests():
            query = {
                "symbols": ",".join(names),
                "timeframe": "1Day",
                "start": rfc3339(start),
                "feed": self._feed,
                "adjustment": "split",
                "limit": "10000",
                "sort": "asc",
            }
            for _ in range(MAX_PAGES):
                told = await self._client.data("/v2/stocks/bars", query)
                for name, rows in part_of(told, "bars").items():
                    bars = readable_bars(names.get(name, name), rows, A_DAY)
                    found.setdefault(names.get(name, name), []).extend(self._in_sessions(bars))
                token = told.get("next_page_token")
                if not token:
                    break
                query["page_token"] = str(token)
            else:
                raise BadData(f"daily bars on more than {MAX_PAGES} pages")
        return {
            symbol: [bar for bar in bars if bar.opened_at < session.opens_at]
            for symbol, bars in found.items()
        }

    async def _today(self, session: Session) -> dict[str, Bar]:
        """Today's bar so far of every symbol that has traded."""
        found: dict[str, Bar] = {}
        for names in self._requests():
            query = {"symbols": ",".join(names), "feed": self._feed}
            told = await self._client.data("/v2/stocks/snapshots", query)
            if not isinstance(told, Mapping):
                raise BadData("the answer holds no snapshots")
            for name, symbol in names.items():
                shown = told.get(name)
                row = shown.get("dailyBar") if isinstance(shown, Mapping) else None
                for bar in self._in_sessions(readable_bars(symbol, [row], A_DAY)):
                    if bar.opened_at == session.opens_at:
                        found[symbol] = bar
        return found

    def _in_sessions(self, bars: Iterable[Bar]) -> Iterator[Bar]:
        """Move daily bars from the midnight they are told with to their session's hours."""
        for bar in bars:
            days = np.array([to_seconds(bar.opened_at) // DAY_S], dtype=np.int64)
            index = int(self._sessions.index_of_days(days)[0])
            if index >= 0:
                session = self._calendar.sessions[index]
                yield replace(bar, opened_at=session.opens_at, closed_at=session.closes_at)

    def _requests(self) -> Iterator[dict[str, str]]:
        """The symbols by Alpaca's spelling, as many at a time as one request takes."""
        names = iter([(alpaca_symbol(symbol), symbol) for symbol in self._rules.symbols])
        while part := dict(islice(names, SYMBOLS_A_REQUEST)):
            yield part


def _columns(bars: Sequence[Bar]) -> BarColumns:
    return BarColumns(
        opened_s=np.array([to_seconds(bar.opened_at) for bar in bars], dtype=np.int64),
        closed_s=np.array([to_seconds(bar.closed_at) for bar in bars], dtype=np.int64),
        open=np.array([bar.open for bar in bars]),
        high=np.array([bar.high for bar in bars]),
        low=np.array([bar.low for bar in bars]),
        close=np.array([bar.close for bar in bars]),
        volume=np.array([bar.volume for bar in bars]),
    )
