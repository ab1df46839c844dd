"""Splits and new names of what we hold, told before the session in which they count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from catalyst_bot.alpaca.client import AlpacaClient
from catalyst_bot.alpaca.reading import alpaca_symbol, amount, our_symbol
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.facts import SplitApplied, SymbolRenamed

PRE_MARKET = timedelta(hours=5, minutes=30)  # trading begins so long before the open
LOOKS = (PRE_MARKET + timedelta(minutes=1), timedelta(minutes=10))  # before the open
LOOK_BACK = timedelta(days=30)  # at the longest, after a bot was off
MAX_PAGES = 20
_TYPES = "forward_split,reverse_split,name_change"
_SPLITS = ("forward_splits", "reverse_splits")
_BEFORE_TRADING = time(8)  # UTC, for a day that is no session

Action = SplitApplied | SymbolRenamed


class CorporateActions:
    """What was told of whom, so that each is told once."""

    def __init__(self, client: AlpacaClient, calendar: TradingCalendar) -> None:
        self._client = client
        self._calendar = calendar
        self._told: set[tuple[str, date]] = set()

    def learn(self, messages: Iterable[object]) -> None:
        """Fold a journal."""
        for message in messages:
            if isinstance(message, SplitApplied | SymbolRenamed):
                self._told.add((message.symbol, message.effective_on))

    def next_look(self, now: datetime) -> datetime:
        """Return when to look again: before trading begins, and once more before the open."""
        session = self._calendar.next_session(now)
        times = [session.opens_at - before for before in LOOKS]
        later = self._calendar.next_session(session.opens_at)
        return min((at for at in times if at > now), default=later.opens_at - LOOKS[0])

    async def look(self, since: Mapping[str, datetime], now: datetime) -> list[Action]:
        """Return what happened to symbols that were watched before it counted.

        `since` says from when each is watched: who bought after a split bought new shares. Raises
        `AlpacaRefused`, `AlpacaSilent` and `BadData`.
        """
        if not since:
            return []
        last_day = self._day(now)
        first_day = max(min(since.values()), now - LOOK_BACK).date()
        found = await self._ask(since, first_day, last_day)
        actions = [
            action
            for action in found
            if action.symbol in since
            and action.effective_on <= last_day
            and since[action.symbol] < self._counts_from(action.effective_on)
            and (action.symbol, action.effective_on) not in self._told
        ]
        actions.sort(key=lambda action: (action.effective_on, action.symbol))
        self._told |= {(action.symbol, action.effective_on) for action in actions}
        return actions

    async def _ask(self, symbols: Iterable[str], first: date, last: date) -> list[Action]:
        query = {
            "symbols": ",".join(alpaca_symbol(symbol) for symbol in sorted(symbols)),
            "types": _TYPES,
            "start": first.isoformat(),
            "end": last.isoformat(),
            "limit": "1000",
        }
        found: list[Action] = []
        for _ in range(MAX_PAGES):
            told = await self._client.data("/v1/corporate-actions", query)
            found += read_actions(told, at=datetime.combine(last, _BEFORE_TRADING, tzinfo=UTC))
            token = told.get("next_page_token")
            if not token:
                return found
            query["page_token"] = str(token)
        raise BadData(f"corporate actions on more than {MAX_PAGES} pages")

    def _day(self, now: datetime) -> date:
        """Return the day of the session that is open, or next."""
        session = self._calendar.session_at(now) or self._calendar.next_session(now)
        begins_at = session.opens_at - PRE_MARKET - timedelta(minutes=1)
        return session.day if now >= begins_at else min(now.date(), session.day)

    def _counts_from(self, day: date) -> datetime:
        start = datetime.combine(day, time(0), tzinfo=UTC)
        sessions = self._calendar.between(start, start + timedelta(days=1))
        of_day = next((session for session in sessions if session.day == day), None)
        if of_day is None:
            return datetime.combine(day, _BEFORE_TRADING, tzinfo=UTC)
        return of_day.opens_at - PRE_MARKET


def read_actions(told: Any, at: datetime) -> Iterator[Action]:
    """Read splits and new names out of an answer. Raises `BadData`."""
    groups = told.get("corporate_actions") if isinstance(told, Mapping) else None
    if not isinstance(groups, Mapping):
        raise BadData("the answer holds no corporate_actions")
    for name in _SPLITS:
        for row in groups.get(name) or ():
            old, new = amount(row, "old_rate"), amount(row, "new_rate")
            if not (old > 0 and new > 0):
                raise BadData(f"a split of {new} for {old}")
            yield SplitApplied(
                at=at,
                symbol=our_symbol(str(row.get("symbol") or row.get("new_symbol") or "")),
                shares_per_share=Decimal(new / old),
                effective_on=_day_of(row, "ex_date"),
            )
    for row in groups.get("name_changes") or ():
        yield SymbolRenamed(
            at=at,
            symbol=our_symbol(str(row.get("old_symbol") or "")),
            new_symbol=our_symbol(str(row.get("new_symbol") or "")),
            effective_on=_day_of(row, "process_date"),
        )


def _day_of(row: Mapping[str, Any], key: str) -> date:
    try:
        return date.fromisoformat(str(row.get(key)))
    except ValueError as error:
        raise BadData(f"{key} is {row.get(key)!r}: a day is needed") from error
