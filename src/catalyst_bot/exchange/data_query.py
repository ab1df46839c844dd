"""Reads the queries of the data API, and refuses what Alpaca refuses there: 400, without a code."""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Collection, Container
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from starlette.datastructures import QueryParams

from catalyst_bot.exchange.errors import ApiError
from catalyst_bot.exchange.timeframes import BadTimeframe, Timeframe, midnight, read_timeframe
from catalyst_bot.market_data.calendar_table import NEW_YORK

DEFAULT_LIMIT: Final = 1_000
MAX_LIMIT: Final = 10_000
SIP_DELAY: Final = timedelta(minutes=15)
_SYMBOL = re.compile(r"[A-Z]{1,8}(\.[A-Z]{1,4})?")
_FRACTION = re.compile(r"(\.\d{6})\d+")
_DAY_CHARACTERS = len("2025-10-06")
_ADJUSTMENTS = frozenset({"raw", "split", "dividend", "spin-off", "all"})
_HISTORY_FEEDS = frozenset({"sip", "iex", "otc", "boats"})
_LATEST_FEEDS = _HISTORY_FEEDS | {"delayed_sip", "overnight"}
_FEEDS_WITHOUT_DATA = frozenset({"otc", "boats", "overnight"})
_YES, _NO = frozenset({"true", "1", "t"}), frozenset({"false", "0", "f", ""})
NO_MAPPING: Final = "-"


def bad_request(message: str) -> ApiError:
    """Return the data API's refusal of a parameter."""
    return ApiError(400, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """What the market-data plan of the accounts is: the basic one has recent prices of IEX only."""

    has_sip: bool = False

    @property
    def best_feed(self) -> str:
        """The feed that is taken when none is asked for."""
        return "sip" if self.has_sip else "iex"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedChoice:
    """A feed, and up to when it may be read."""

    name: str
    until: datetime

    @property
    def has_data(self) -> bool:
        """Whether the exchange knows anything of it: nothing of overnight venues and OTC."""
        return self.name not in _FEEDS_WITHOUT_DATA

    @property
    def exchange_letter(self) -> str | None:
        """The exchange all of its prices come from, None for many."""
        return "V" if self.name == "iex" else None


class DataQuery:
    """The parameters of one request at a time `at`; methods raise `ApiError` 400 or 403."""

    def __init__(self, given: QueryParams, at: datetime, entitlement: Entitlement) -> None:
        self._given = given
        self.at = at
        self._entitlement = entitlement

    def only(self, *names: str) -> DataQuery:
        """Refuse parameters that the route does not know."""
        unexpected = sorted(set(self._given) - set(names))
        if unexpected:
            raise bad_request(f"unexpected query parameter(s): {', '.join(unexpected)}")
        return self

    def text(self, name: str) -> str:
        """Return a parameter, empty when it is absent."""
        return self._given.get(name, "")

    def flag(self, name: str) -> bool:
        """Return a yes or no; clients write True as well as true."""
        value = self.text(name).lower()
        if value not in _YES | _NO:
            raise bad_request(f"invalid {name}: {self.text(name)}")
        return value in _YES

    def word(self, name: str, default: str, allowed: Collection[str]) -> str:
        """Return one of a few words."""
        value = self.text(name) or default
        if value not in allowed:
            raise bad_request(f"invalid {name}: {value}")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """Return a comma-separated list without repetitions, in order."""
        parts = ",".join(self._given.getlist(name)).split(",")
        return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))

    def symbols(self, known: Container[str]) -> tuple[str, ...]:
        """Return the symbols asked for, in alphabetical order; there must be some."""
        symbols = self.words("symbols")
        if not symbols:
            raise bad_request("symbols is required")
        for symbol in symbols:
            check_symbol(symbol, known)
        return tuple(sorted(symbols))

    def limit(
        self, default: int = DEFAULT_LIMIT, *, most: int = MAX_LIMIT, name: str = "limit"
    ) -> int:
        """Return how many items a page may have."""
        text = self.text(name)
        if not text:
            return default
        if not (text.isascii() and text.isdigit()):
            raise bad_request(f"invalid {name}: {text}")
        count = int(text) if len(text) < 10 else most + 1
        if not 1 <= count <= most:
            raise bad_request(f"invalid {name}: {name} must be between 1 and {most}")
        return count

    def time(self, name: str) -> datetime | None:
        """Return a time (RFC 3339, or a date: its midnight in New York), None when absent."""
        text = self.text(name)
        if not text:
            return None
        try:
            if len(text) == _DAY_CHARACTERS:
                return midnight(date.fromisoformat(text))
            at = datetime.fromisoformat(_FRACTION.sub(r"\1", text.replace(" ", "+")))
        except (ValueError, OverflowError) as error:
            raise bad_request(f"invalid {name}: {text}") from error
        if at.tzinfo is None or not 1 < at.year < 9999:
            raise bad_request(f"invalid {name}: {text}")
        return at.astimezone(UTC)

    def day(self, name: str) -> date | None:
        """Return a date, None when absent."""
        text = self.text(name)
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise bad_request(f"invalid {name}: {text}") from error

    def is_descending(self, default: str = "asc") -> bool:
        """Return whether the newest come first."""
        return self.word("sort", default, ("asc", "desc")) == "desc"

    def timeframe(self) -> Timeframe:
        """Return the timeframe, which must be given."""
        text = self.text("timeframe")
        if not text:
            raise bad_request("timeframe is required")
        try:
            return read_timeframe(text)
        except BadTimeframe as error:
            raise bad_request(str(error)) from error

    def is_split_adjusted(self) -> bool:
        """Return whether prices are told in today's shares."""
        kinds = self.words("adjustment") or ("raw",)
        for kind in kinds:
            if kind not in _ADJUSTMENTS:
                raise bad_request(f"invalid adjustment: {self.text('adjustment')}")
        return "split" in kinds or "all" in kinds

    def check_currency(self) -> None:
        """Refuse currencies: the exchange knows dollars only."""
        text = self.text("currency")
        if text and text != "USD":
            raise bad_request(f"invalid currency: {text}")

    def asof(self) -> datetime | str | None:
        """Return the date a symbol is meant of; `-` for the symbol itself, None for today."""
        if self.text("asof") == NO_MAPPING:
            return NO_MAPPING
        day = self.day("asof")
        return None if day is None else midnight(day)

    def latest_feed(self) -> FeedChoice:
        """Return the feed of a question about now."""
        name = self.word("feed", self._entitlement.best_feed, _LATEST_FEEDS)
        self._check_plan(name)
        if name == "sip" and not self._entitlement.has_sip:
            raise _no_recent_sip()
        return FeedChoice(
            name=name, until=self.at - SIP_DELAY if name == "delayed_sip" else self.at
        )

    def history_feed(self, end: datetime | None, default: str | None = None) -> FeedChoice:
        """Return the feed of a question about the past that ends at `end`, or at the latest."""
        name = self.word("feed", default or self._entitlement.best_feed, _HISTORY_FEEDS)
        self._check_plan(name)
        until = self.at
        if name == "sip" and not self._entitlement.has_sip:
            until = self.at - SIP_DELAY
            if end is not None and end > until:
                raise _no_recent_sip()
        return FeedChoice(name=name, until=until)

    def span(self, feed_until: datetime) -> tuple[datetime, datetime]:
        """Return start and end, both included; by default today up to what may be read."""
        start, end = self.time("start"), self.time("end")
        if start is not None and end is not None and end < start:
            raise bad_request("end should not be before start")
        until = feed_until if end is None else min(end, feed_until)
        return (_today(until) if start is None else start), until

    def token(self) -> tuple[str, ...] | None:
        """Return the parts of the page token, None on the first page."""
        text = self.text("page_token")
        if not text:
            return None
        try:
            plain = text.replace("+", "-").replace("/", "_").encode()
            return tuple(b64decode(plain, altchars=b"-_", validate=True).decode().split("|"))
        except ValueError as error:
            raise bad_request(f"invalid page_token: {text}") from error

    def _check_plan(self, feed: str) -> None:
        if feed == "otc":
            raise ApiError(403, "subscription does not permit querying OTC data", code=42210000)


def check_symbol(symbol: str, known: Container[str]) -> None:
    """Raise `ApiError` for what cannot be a symbol and is none."""
    if not _SYMBOL.fullmatch(symbol) and symbol not in known:
        raise bad_request(f"invalid symbol: {symbol}")


def page_token(*parts: object) -> str:
    """Return the token of the page after an item."""
    return urlsafe_b64encode("|".join(map(str, parts)).encode()).decode()


def _today(at: datetime) -> datetime:
    return midnight(at.astimezone(NEW_YORK).date())


def _no_recent_sip() -> ApiError:
    return ApiError(403, "subscription does not permit querying recent SIP data", code=42210000)
