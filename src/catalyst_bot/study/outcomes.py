"""How every accepted and rejected headline turned out, and rates over *all* of a group.

An earlier system counted successes among the winners only. Here a rate can be made in one way,
`rate_of`, from a whole group: its denominator is everything that was priced, moved or not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from catalyst_bot.market_data.session_times import to_seconds
from catalyst_bot.study.event_study import BPS
from catalyst_bot.study.prices import Horizon, Prices
from catalyst_bot.study.record import Fate
from catalyst_bot.study.statistics import Floats, share_band

BIG_MOVE_BPS = 1_000.0  # 10 %: what is called a missed opportunity
Test = Callable[["Outcome", int], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A fate with the return above the benchmark by horizon, in bps; NaN where not known.

    Returns are those of the share, bought at the next price after receipt, whatever the news said.
    """

    fate: Fate
    returns_bps: tuple[float, ...]

    def signed_bps(self, position: int) -> float:
        """The return in the direction of the catalyst; of the share itself without one."""
        return self.returns_bps[position] * (self.fate.direction or 1)


def outcomes(found: Sequence[Fate], prices: Prices) -> list[Outcome]:
    """Price every fate against the benchmark; one without symbol or bars has NaN throughout."""
    returns = np.full((len(found), len(prices.horizons)), np.nan)
    rows_of: dict[str, list[int]] = {}
    for row, fate in enumerate(found):
        rows_of.setdefault(fate.symbol, []).append(row)
    for symbol, rows in rows_of.items():
        if symbol in prices.store:
            returns[rows] = _returns(prices, symbol, [found[row] for row in rows])
    return [
        Outcome(fate=fate, returns_bps=tuple(row.tolist()))
        for fate, row in zip(found, returns, strict=True)
    ]


def _returns(prices: Prices, symbol: str, found: Sequence[Fate]) -> Floats:
    bars = prices.store.columns(symbol)
    at_s = np.array([to_seconds(fate.received_at) for fate in found], dtype=np.int64)
    entry = prices.enter(bars, at_s, np.ones(len(found), dtype=np.int64))
    return np.column_stack(
        [BPS * prices.abnormal(bars, entry.index, horizon) for horizon in prices.horizons]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`hits` of `priced`; `n - priced` have no outcome and are told, not left out of sight.

    `symbols` had a hit: a hundred headlines on one share that rose are one event, not a hundred.
    """

    n: int
    priced: int
    hits: int
    symbols: int

    @property
    def share(self) -> float:
        """Share of the priced that hit; NaN of none."""
        return self.hits / self.priced if self.priced else math.nan

    @property
    def band(self) -> tuple[float, float]:
        """Its 95 % band."""
        return share_band(self.hits, self.priced)


def rate_of(group: Iterable[Outcome], position: int, test: Test) -> Rate:
    """Count a whole group at a horizon: the only way a rate is made."""
    members = list(group)
    priced = [each for each in members if not math.isnan(each.returns_bps[position])]
    hits = [each for each in priced if test(each, position)]
    return Rate(
        n=len(members),
        priced=len(priced),
        hits=len(hits),
        symbols=len({each.fate.symbol for each in hits}),
    )


def rose(outcome: Outcome, position: int) -> bool:
    """The share gained more than 10 % on the benchmark: what a long-only bot could have had."""
    return outcome.returns_bps[position] > BIG_MOVE_BPS


def fell(outcome: Outcome, position: int) -> bool:
    """The share lost more than 10 % against the benchmark."""
    return outcome.returns_bps[position] < -BIG_MOVE_BPS


def failed(cost_bps: float) -> Test:
    """Return the test whether the direction of the catalyst did not even earn the costs."""

    def test(outcome: Outcome, position: int) -> bool:
        return not outcome.signed_bps(position) > cost_bps

    return test


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRates:
    """One group (a reason, a category) at one horizon, beside the base rate of all it is part of.

    `lift` is share over base rate: 1 says that the group is like everything else.
    """

    group: tuple[str, ...]
    horizon: Horizon
    rate: Rate
    base: Rate

    @property
    def lift(self) -> float:
        """Share over base rate; NaN where either is not known."""
        return self.rate.share / self.base.share if self.base.hits else math.nan


def grouped_rates(
    all_of_them: Sequence[Outcome],
    horizons: Sequence[Horizon],
    *,
    key: Callable[[Outcome], tuple[str, ...]],
    test: Test,
) -> list[GroupRates]:
    """Return the rate of every group at every horizon beside that of all together."""
    bases = [rate_of(all_of_them, position, test) for position in range(len(horizons))]
    groups: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome in all_of_them:
        groups.setdefault(key(outcome), []).append(outcome)
    return [
        GroupRates(
            group=group,
            horizon=horizon,
            rate=rate_of(members, position, test),
            base=bases[position],
        )
        for group, members in sorted(groups.items())
        for position, horizon in enumerate(horizons)
    ]


def missed(everything: Sequence[Outcome]) -> list[Outcome]:
    """Return what was rejected and rose more than 10 % at some horizon: examples, not a rate."""
    return [
        outcome
        for outcome in everything
        if not outcome.fate.is_accepted
        and any(rose(outcome, position) for position in range(len(outcome.returns_bps)))
    ]
