"""The recorded world and what an administrator adds to it: listings, halts, corporate actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from catalyst_bot.domain.errors import BadData
from catalyst_bot.exchange.market.assets import AssetBook
from catalyst_bot.exchange.market.bar_table import SplitStep
from catalyst_bot.exchange.market.calendar import MarketHours
from catalyst_bot.exchange.market.news import NewsItem, alpaca_symbol, news_timeline
from catalyst_bot.exchange.market.price_path import MICROSECONDS, path_key
from catalyst_bot.exchange.market.recorded_table import Pause
from catalyst_bot.exchange.market.series import FOREVER_US, Series
from catalyst_bot.exchange.market.ticks import ActionKind, CorporateAction, Halt
from catalyst_bot.exchange.market.timeline import Timeline
from catalyst_bot.market_data.bar_store import BarStore
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.session_times import DAY_S, SessionTimes, to_datetime, to_seconds

EPOCH = to_datetime(0)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class MarketSource:
    """What a market is made of.

    `stores` hold bars of different intervals: of each symbol the finest are its prices, and daily
    bars fill in the days before. `default_start` is where a replay of it begins; `notes` are for
    people: what of the input was refused, and why.
    """

    stores: tuple[BarStore, ...]
    default_start: datetime
    names: Mapping[str, str] = field(default_factory=dict)
    news: tuple[NewsItem, ...] = ()
    halts: tuple[Halt, ...] = ()
    actions: tuple[CorporateAction, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def begins_at(self) -> datetime:
        """When the first bar opens."""
        return min(store.range()[0] for store in self.stores if len(store))

    @property
    def ends_at(self) -> datetime:
        """When the last bar closes."""
        return max(store.range()[1] for store in self.stores if len(store))

    def data_hash(self) -> str:
        """Return the SHA-256 of all that will happen: equal data, equal hash."""
        digest = sha256()
        for store in self.stores:
            digest.update(store.data_hash().encode())
        for item in self.news:
            digest.update(f"\n{item.news_id} {item.created_at.isoformat()}".encode())
        for fact in (*self.halts, *self.actions):
            digest.update(f"\n{fact}".encode())
        return digest.hexdigest()


class World:
    """Everything that will happen, by symbol and by time. Whoever asks it must cut at a time."""

    def __init__(self, source: MarketSource, *, seed: int = 0) -> None:
        calendar = load_calendar()
        self.hours = MarketHours(calendar)
        self.sessions = SessionTimes.of(calendar)
        self.news: Timeline[NewsItem] = news_timeline(source.news)
        self.halt_starts: Timeline[Halt] = Timeline()
        self.halt_ends: Timeline[Halt] = Timeline()
        self.actions: Timeline[CorporateAction] = Timeline()
        self.version = 0  # counts the changes of prices
        self._series = _make_series(source.stores, self.sessions, seed)
        self.assets = AssetBook({s: source.names.get(s, "") for s in sorted(self._series)})
        self._halts: tuple[Halt, ...] = ()
        self._actions: list[CorporateAction] = []
        self._splits: dict[str, list[tuple[datetime, float]]] = {}
        self._renames: dict[str, tuple[datetime, str]] = {}
        for action in sorted(source.actions, key=lambda action: action.on):
            self.add_corporate_action(action)
        for halt in source.halts:
            self._check_halt(halt)
        self._set_halts(source.halts)

    def series(self, symbol: str, at: datetime) -> Series | None:
        """Return the prices of a symbol, None before it exists."""
        asset = self.assets.of_symbol(symbol)
        if asset is None or (asset.listed_from is not None and at < asset.listed_from):
            return None
        return self._series[symbol]

    def name_as_of(self, symbol: str, *, asof: datetime, at: datetime) -> str:
        """Return the symbol that the company which was `symbol` then carries at a time."""
        while (rename := self._renames.get(symbol)) and asof < rename[0] <= at:
            symbol = rename[1]
        return symbol

    # Halts

    def halt_of(self, symbol: str, at: datetime) -> Halt | None:
        """Return the halt a symbol is in."""
        for halt in self._halts:
            has_begun = halt.symbol == symbol and halt.starts_at <= at
            if has_begun and (halt.ends_at is None or at < halt.ends_at):
                return halt
        return None

    def add_halt(self, halt: Halt) -> None:
        """Let a symbol not trade for a time. Raises `BadData` for a halt that cannot be."""
        self._check_halt(halt)
        self._set_halts((*self._halts, halt))

    def end_halt(self, symbol: str, at: datetime) -> Halt | None:
        """Let a halted symbol trade from a time on; return its halt, None when there is none."""
        halt = self.halt_of(symbol, at)
        if halt is not None:
            others = tuple(each for each in self._halts if each is not halt)
            ended = (replace(halt, ends_at=at),) if at > halt.starts_at else ()
            self._set_halts((*others, *ended))
        return halt

    # Corporate actions

    def effective_at(self, action: CorporateAction) -> datetime:
        """Return when an action takes effect: before the first trade of its day."""
        day = self.hours.day(action.on) or self.hours.day_after(action.on)
        return day.pre_opens_at

    def add_corporate_action(self, action: CorporateAction) -> None:
        """Let a company act before the trading of a day. Raises `BadData` if it cannot."""
        if action.symbol not in self._series:
            raise BadData(f"corporate action: there are no prices of {action.symbol}")
        at = self.effective_at(action)
        if action.kind is ActionKind.SYMBOL_CHANGE:
            self._rename(action, at)
        else:
            self._split(action, at)
        self._actions.append(action)
        self.actions = Timeline((self.effective_at(each), each) for each in self._actions)
        self.version += 1

    def split_factor(self, symbol: str, after: datetime, until: datetime) -> float:
        """Return what a price of a time is worth in the shares of a later one."""
        factor = 1.0
        for at, step in self._splits.get(symbol, ()):
            if after < at <= until:
                factor *= step
        return factor

    def split_steps(self, symbol: str, at: datetime) -> tuple[SplitStep, ...]:
        """Return how bars are told in the shares of a time."""
        return tuple(
            SplitStep(before_s=to_seconds(split_at), factor=factor)
            for split_at, factor in self._splits.get(symbol, ())
            if split_at <= at
        )

    # How it changes

    def _check_halt(self, halt: Halt) -> None:
        if halt.symbol not in self._series:
            raise BadData(f"halt: there are no prices of {halt.symbol}")
        if halt.ends_at is not None and halt.ends_at <= halt.starts_at:
            raise BadData(f"halt of {halt.symbol}: it ends at {halt.ends_at}, before it begins")

    def _set_halts(self, halts: Iterable[Halt]) -> None:
        before, self._halts = self._halts, tuple(halts)
        self.halt_starts = Timeline((halt.starts_at, halt) for halt in self._halts)
        self.halt_ends = Timeline(
            (halt.ends_at, halt) for halt in self._halts if halt.ends_at is not None
        )
        for symbol in sorted({halt.symbol for halt in (*before, *self._halts)}):
            self._series[symbol].pause(
                Pause(
                    starts_us=microseconds(halt.starts_at),
                    ends_us=microseconds(halt.ends_at) if halt.ends_at else FOREVER_US,
                )
                for halt in self._halts
                if halt.symbol == symbol
            )
        self.version += 1

    def _split(self, action: CorporateAction, at: datetime) -> None:
        if action.new_rate <= 0 or action.old_rate <= 0:
            raise BadData(f"split of {action.symbol}: both rates must be above zero")
        factor = float(action.old_rate / action.new_rate)
        if not action.is_in_prices:
            self._series[action.symbol].split(to_seconds(at), factor)
        self._splits.setdefault(action.symbol, []).append((at, factor))

    def _rename(self, action: CorporateAction, at: datetime) -> None:
        old, new = action.symbol, action.new_symbol
        if not new or new == old or old in self._renames:
            raise BadData(f"symbol change of {old}: it cannot become {new!r}")
        if action.is_in_prices is not (new in self._series):
            there = "no" if action.is_in_prices else "already"
            raise BadData(f"symbol change of {old}: there are {there} prices of {new}")
        if action.is_in_prices:
            self._series[new].follow(self._series[old])
        else:
            self._series[new] = self._series[old].renamed(new)
        self._series[old].end(to_seconds(at))
        self._splits[new] = [*self._splits.get(old, ()), *self._splits.get(new, ())]
        self._renames[old] = (at, new)
        self.assets.rename(old, new, at)


def microseconds(at: datetime) -> int:
    """Return epoch microseconds."""
    return (at - EPOCH) // _MICROSECOND


def from_microseconds(us: int) -> datetime:
    """Return the UTC time of epoch microseconds."""
    return EPOCH + timedelta(seconds=us // MICROSECONDS, microseconds=us % MICROSECONDS)


def _make_series(
    stores: Iterable[BarStore], sessions: SessionTimes, seed: int
) -> dict[str, Series]:
    by_interval = sorted(stores, key=lambda store: store.interval_s)
    daily = next((store for store in by_interval if store.interval_s == DAY_S), None)
    series: dict[str, Series] = {}
    for store in by_interval:
        for recorded in store.symbols:
            symbol = alpaca_symbol(recorded)
            if symbol in series:
                continue
            has_days = daily is not None and daily is not store and recorded in daily
            series[symbol] = Series(
                symbol,
                store.columns(recorded),
                interval_s=store.interval_s,
                key=path_key(seed, symbol),
                sessions=sessions,
                daily=daily.columns(recorded) if daily is not None and has_days else None,
            )
    return series
