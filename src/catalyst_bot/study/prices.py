"""What an order at a time would have paid and got, and what the benchmark did meanwhile.

Entry is the open of the first bar that opens at or after the news was received; exit is the last
close known at the end of the horizon. Outside the session the last price stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.errors import BadData
from catalyst_bot.market_data.bar_store import BarColumns, BarStore
from catalyst_bot.market_data.session_times import DAY_S, Seconds, SessionTimes
from catalyst_bot.study.statistics import Floats, Integers

MAX_WAIT_S = 5 * DAY_S  # a weekend and a holiday; a later price is not the answer to this news
MAX_RETURN = 0.5  # a larger one is cut to it: vendors' bad adjustments outweigh what is real
REACTION_S = 600  # how long a bot watches a reaction when the text has no sign
BETA_DAYS = 250
MIN_BETA_DAYS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """How long a position is held: by the clock, or to the close of the n-th session of it."""

    name: str
    seconds: int = 0
    sessions: int = 0

    @property
    def days(self) -> float:
        """The length in days, for fits over horizons; a session is a day."""
        return float(self.sessions) if self.sessions else self.seconds / DAY_S

    @property
    def span_days(self) -> int:
        """How many days in a row share prices at this horizon: the size of a cluster."""
        return max(self.sessions, -(-self.seconds // DAY_S), 1)


CLOCK_HORIZONS = (
    Horizon(name="15min", seconds=900),
    Horizon(name="1h", seconds=3_600),
    Horizon(name="4h", seconds=14_400),
    Horizon(name="1d", seconds=DAY_S),
    Horizon(name="7d", seconds=7 * DAY_S),
)
SESSION_HORIZONS = tuple(Horizon(name=f"{days}d", sessions=days) for days in (1, 2, 5, 10))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """When each event could be entered: index of the bar, -1 for none; and the sign to trade.

    `sign` is that of the text, or of the reaction for events without one (0: none).
    """

    index: Integers
    sign: Integers


class Prices:
    """Bars of symbols beside those of the benchmark. Raises `BadData` when it has none."""

    def __init__(self, store: BarStore, benchmark: str, sessions: SessionTimes) -> None:
        if benchmark not in store:
            raise BadData(f"no bars of the benchmark {benchmark}; give a file that holds it")
        self.store = store
        self.sessions = sessions
        self.benchmark = store.columns(benchmark)
        self.is_daily = store.interval_s == DAY_S

    @property
    def horizons(self) -> tuple[Horizon, ...]:
        """What bars of this interval can tell."""
        return SESSION_HORIZONS if self.is_daily else CLOCK_HORIZONS

    def enter(self, bars: BarColumns, at_s: Seconds, polarity: Integers) -> Entry:
        """Return the entries for news received at `at_s`, in one symbol.

        An event without a sign is entered after its reaction (a session of daily bars, else ten
        minutes) in the direction of that, as the bot does; nothing of the reaction is earned.
        """
        index = _first_open(bars, at_s, self._benchmark_opens(at_s))
        unsigned = (polarity == 0) & (index >= 0)
        if not unsigned.any():
            return Entry(index=index, sign=polarity.copy())
        sign, first = polarity.copy(), index[unsigned]
        known = np.searchsorted(bars.closed_s, at_s[unsigned], side="right") - 1
        wait_s = 0 if self.is_daily else REACTION_S
        ends_s = np.maximum(bars.opened_s[first] + wait_s, bars.closed_s[first])
        last = np.searchsorted(bars.closed_s, ends_s, side="right") - 1
        moved = bars.close[last] / bars.close[known.clip(min=0)] - 1
        market = self._benchmark_close(ends_s) / self._benchmark_close(at_s[unsigned]) - 1
        reaction = np.sign(moved - market)
        sign[unsigned] = np.where((known >= 0) & np.isfinite(reaction), reaction, 0).astype(int)
        index[unsigned] = _first_open(bars, ends_s, self._benchmark_opens(ends_s))
        return Entry(index=index, sign=sign)

    def _benchmark_opens(self, at_s: Seconds) -> Seconds:
        """When the benchmark first trades at or after each time; beyond its end, never."""
        row = np.searchsorted(self.benchmark.opened_s, at_s)
        opens = np.append(self.benchmark.opened_s, np.iinfo(np.int64).max)
        found: Seconds = opens[row]
        return found

    def _benchmark_close(self, at_s: Seconds) -> Floats:
        row = np.searchsorted(self.benchmark.closed_s, at_s, side="right") - 1
        known: Floats = np.where(row >= 0, self.benchmark.close[row.clip(min=0)], np.nan)
        return known

    def abnormal(
        self, bars: BarColumns, index: Integers, horizon: Horizon, beta: Floats | float = 1.0
    ) -> Floats:
        """Return what the symbol earned above `beta` times the benchmark; NaN where unknown.

        Unknown is an event without entry, and one whose horizon ends after the recording. A
        symbol that stopped trading before the end counts with its last price.
        """
        held = index >= 0
        if not len(bars.opened_s):
            return np.full(len(index), np.nan)
        row = index.clip(min=0)
        entered_s = bars.opened_s[row]
        market_row = np.searchsorted(self.benchmark.opened_s, entered_s)
        held &= market_row < len(self.benchmark.opened_s)
        market_row = market_row.clip(max=len(self.benchmark.opened_s) - 1)
        ends_s, is_recorded = self._ends(entered_s, market_row, horizon)
        exit_row = np.searchsorted(bars.closed_s, ends_s, side="right") - 1
        market_exit = np.searchsorted(self.benchmark.closed_s, ends_s, side="right") - 1
        held &= is_recorded & (exit_row >= row) & (market_exit >= market_row)
        own = bars.close[exit_row.clip(min=0)] / bars.open[row] - 1
        market = self.benchmark.close[market_exit.clip(min=0)] / self.benchmark.open[market_row] - 1
        cut = np.clip(own - beta * market, -MAX_RETURN, MAX_RETURN)
        abnormal: Floats = np.where(held, cut, np.nan)
        return abnormal

    def _ends(
        self, entered_s: Seconds, market_row: Integers, horizon: Horizon
    ) -> tuple[Seconds, NDArray[np.bool_]]:
        """When each position ends, and whether the recording reaches that far."""
        if horizon.sessions:
            last = market_row + horizon.sessions - 1
            is_recorded = last < len(self.benchmark.closed_s)
            return self.benchmark.closed_s[last.clip(max=len(self.benchmark.closed_s) - 1)], (
                is_recorded
            )
        ends_s = entered_s + horizon.seconds
        closes = self.sessions.closes_s
        before = closes[(np.searchsorted(closes, ends_s, side="right") - 1).clip(min=0)]
        is_open = self.sessions.index_at(ends_s) >= 0
        needed_s = np.where(is_open, ends_s - self.store.interval_s, before)
        return ends_s, self.benchmark.closed_s[-1] >= needed_s

    def beta(self, bars: BarColumns, index: Integers) -> Floats:
        """Return the market model's beta from the year of daily closes before each entry.

        1 where fewer than `MIN_BETA_DAYS` are known. Only closes before the entry's open count.
        """
        shared, own, market = np.intersect1d(
            bars.closed_s, self.benchmark.closed_s, return_indices=True
        )
        x = np.diff(np.log(self.benchmark.close[market]))
        y = np.diff(np.log(bars.close[own]))
        sums = [np.concatenate([[0.0], np.cumsum(column)]) for column in (x, y, x * y, x * x)]
        entered_s = bars.opened_s[index.clip(min=0)]
        end = (np.searchsorted(shared, entered_s, side="right") - 1).clip(min=0)
        start = (end - BETA_DAYS).clip(min=0)
        n = end - start
        sx, sy, sxy, sxx = (column[end] - column[start] for column in sums)
        with np.errstate(divide="ignore", invalid="ignore"):
            beta = (n * sxy - sx * sy) / (n * sxx - sx * sx)
        usable = (n >= MIN_BETA_DAYS) & np.isfinite(beta)
        fitted: Floats = np.where(usable, beta, 1.0)
        return fitted


def _first_open(bars: BarColumns, at_s: Seconds, market_opens_s: Seconds) -> Integers:
    """Index of the first bar that opens at or after each time; -1 when it comes too late.

    Too late is five days after the market itself could be traded again.
    """
    row = np.searchsorted(bars.opened_s, at_s)
    opens = np.append(bars.opened_s, np.iinfo(np.int64).max)[row]
    latest = np.minimum(market_opens_s, at_s + MAX_WAIT_S) + MAX_WAIT_S
    index: Integers = np.where(opens <= latest, row, -1).astype(np.int64)
    return index
