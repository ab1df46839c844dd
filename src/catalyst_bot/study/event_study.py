"""Per category and horizon: what a catalyst was worth against the benchmark, with its band.

The return is signed: what a position in the direction of the catalyst earned above the benchmark.
For bad news that is what not holding was worth; the bot itself buys only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from catalyst_bot.domain.enums import CategoryAction
from catalyst_bot.domain.news import Catalyst
from catalyst_bot.market_data.session_times import DAY_S, to_seconds
from catalyst_bot.study.prices import Horizon, Prices
from catalyst_bot.study.statistics import (
    Floats,
    Integers,
    Mean,
    benjamini_hochberg,
    clustered_mean,
    half_life,
    shrunk,
)

BPS = 10_000.0
MIN_EVENTS = 30  # the fewest a verdict is based on
DISCOVERY_RATE = 0.10
PRIOR_SPREAD_BPS = 50.0  # how far categories lie from nothing before any data is seen
CLEARS, MUTE, UNDECIDED = "clears", "mute", "undecided"


def round_trip_bps(commission_fraction: float, slippage_fraction: float) -> float:
    """Return what buying and selling costs: commission and slippage, each on both sides.

    The spread, another for each share, is in neither.
    """
    return 2 * (commission_fraction + slippage_fraction) * BPS


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRules:
    """How returns are measured: `model` is excess (beta 1) or market (beta of the year before).

    `cost_bps` is a round trip; it is also tried doubled. `seed` draws the bands.
    """

    model: str = "excess"
    cost_bps: float = 40.0
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One category at one horizon, in basis points; `q` is its adjusted p-value.

    `hit_rate` is the share of events that earned more than nothing.
    """

    horizon: Horizon
    mean: Mean
    hit_rate: float
    q: float = math.nan

    @property
    def is_discovery(self) -> bool:
        """The mean differs from zero at the false discovery rate allowed over all cells."""
        return self.q <= DISCOVERY_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryResult:
    """What one category was worth. `deciding` is the cell nearest to its own horizon.

    `edge_bps` is after costs, shrunk towards 0, with its 95 % band. `half_life_days` is None when
    nothing is told by the fit or the whole effect may be nothing.
    """

    category: str
    action: CategoryAction
    events: int
    priced: int
    cells: tuple[Cell, ...]
    deciding: Cell | None
    edge_bps: float
    edge_low_bps: float
    edge_high_bps: float
    half_life_days: float | None
    verdict: str
    verdict_at_double_costs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The whole study: results by category, most events first, and what could not be priced."""

    rules: StudyRules
    horizons: tuple[Horizon, ...]
    results: tuple[CategoryResult, ...]
    events: int
    unknown_symbols: int
    unpriced: int

    @property
    def proposed_for_muting(self) -> tuple[str, ...]:
        """Categories to trade whose upper band does not clear the costs.

        Those that say avoid or close protect what is held: what they earn is no reason to be deaf.
        """
        return tuple(
            each.category
            for each in self.results
            if each.verdict == MUTE and each.action is CategoryAction.TRADE
        )


def study_events(catalysts: Sequence[Catalyst], prices: Prices, rules: StudyRules) -> Study:
    """Measure every catalyst at every horizon and judge each category.

    Entry is the next price after receipt. Nothing that happened later decides what is measured.
    """
    measured = measure(catalysts, prices, rules)
    names = sorted({catalyst.category for catalyst in catalysts})
    of_name = np.array([names.index(catalyst.category) for catalyst in catalysts], dtype=int)
    days = entry_days(catalysts)
    cells = {
        (number, position): cell
        for number in range(len(names))
        for position, horizon in enumerate(prices.horizons)
        if (
            cell := _cell(
                measured[of_name == number, position],
                days[of_name == number],
                horizon,
                seed=(rules.seed, number, position),
            )
        )
        is not None
    }
    adjusted = benjamini_hochberg([cell.mean.p for cell in cells.values()])
    cells = {key: replace(cells[key], q=q) for key, q in zip(cells, adjusted, strict=True)}
    example = {catalyst.category: catalyst for catalyst in catalysts}
    results = [
        _result(
            example[name],
            measured[of_name == number],
            [cell for (owner, _), cell in cells.items() if owner == number],
            rules,
        )
        for number, name in enumerate(names)
    ]
    return Study(
        rules=rules,
        horizons=prices.horizons,
        results=tuple(sorted(results, key=lambda each: (-each.events, each.category))),
        events=len(catalysts),
        unknown_symbols=sum(catalyst.symbol not in prices.store for catalyst in catalysts),
        unpriced=int((~np.isfinite(measured)).all(axis=1).sum()) if len(catalysts) else 0,
    )


def entry_days(catalysts: Sequence[Catalyst]) -> Integers:
    """Return the day each catalyst was received on, counted from 1970."""
    seconds = [to_seconds(catalyst.received_at) for catalyst in catalysts]
    return np.array(seconds, dtype=np.int64) // DAY_S


def measure(catalysts: Sequence[Catalyst], prices: Prices, rules: StudyRules) -> Floats:
    """Return signed abnormal returns in basis points: a row a catalyst, a column a horizon.

    NaN where no price is known, and where neither text nor reaction gave a sign.
    """
    result = np.full((len(catalysts), len(prices.horizons)), np.nan)
    rows_of: dict[str, list[int]] = {}
    for row, catalyst in enumerate(catalysts):
        rows_of.setdefault(catalyst.symbol, []).append(row)
    for symbol, rows in rows_of.items():
        if symbol not in prices.store:
            continue
        bars = prices.store.columns(symbol)
        at_s = np.array([to_seconds(catalysts[row].received_at) for row in rows], dtype=np.int64)
        polarity = np.array([catalysts[row].direction for row in rows], dtype=np.int64)
        entry = prices.enter(bars, at_s, polarity)
        beta = prices.beta(bars, entry.index) if rules.model == "market" else 1.0
        sign = np.where(entry.sign == 0, np.nan, entry.sign)
        for column, horizon in enumerate(prices.horizons):
            abnormal = prices.abnormal(bars, entry.index, horizon, beta)
            result[rows, column] = sign * abnormal * BPS
    return result


def _cell(values: Floats, days: Integers, horizon: Horizon, *, seed: Sequence[int]) -> Cell | None:
    known = np.isfinite(values)
    if not known.any():
        return None
    # Positions of ten days overlap with those entered a week later: one cluster is that long.
    clusters = days[known] // horizon.span_days
    return Cell(
        horizon=horizon,
        mean=clustered_mean(values[known], clusters, seed=seed),
        hit_rate=float((values[known] > 0).mean()),
    )


def _result(
    example: Catalyst, values: Floats, cells: Sequence[Cell], rules: StudyRules
) -> CategoryResult:
    wanted = example.horizon_s / DAY_S
    deciding = min(cells, key=lambda cell: abs(math.log(cell.horizon.days / wanted)), default=None)
    net, error = math.nan, math.nan
    if deciding is not None and deciding.mean.n >= MIN_EVENTS:
        net, error = deciding.mean.value - rules.cost_bps, deciding.mean.error
    edge, spread = shrunk(net, error, PRIOR_SPREAD_BPS)
    return CategoryResult(
        category=example.category,
        action=example.action,
        events=len(values),
        priced=int(np.isfinite(values).any(axis=1).sum()),
        cells=tuple(cells),
        deciding=deciding,
        edge_bps=edge,
        edge_low_bps=edge - 1.96 * spread,
        edge_high_bps=edge + 1.96 * spread,
        half_life_days=_decay(cells),
        verdict=_verdict(deciding, rules.cost_bps),
        verdict_at_double_costs=_verdict(deciding, 2 * rules.cost_bps),
    )


def _verdict(cell: Cell | None, cost_bps: float) -> str:
    """Clears when the whole band lies above the costs, mute when below; else nobody knows."""
    if cell is None or cell.mean.n < MIN_EVENTS or math.isnan(cell.mean.low):
        return UNDECIDED
    if cell.mean.low > cost_bps:
        return CLEARS
    return MUTE if cell.mean.high < cost_bps else UNDECIDED


def _decay(cells: Sequence[Cell]) -> float | None:
    """Half-life of the effect; only where the effect of some horizon is one."""
    if not any(cell.is_discovery for cell in cells):
        return None
    return half_life(
        np.array([cell.horizon.days for cell in cells]),
        np.array([cell.mean.value for cell in cells]),
        np.array([cell.mean.error for cell in cells]),
    )
