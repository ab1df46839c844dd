"""An event study as JSON and as a page of tables: figures only, no prices and no headlines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalyst_bot.study.event_study import (
    DISCOVERY_RATE,
    MIN_EVENTS,
    CategoryResult,
    Cell,
    Study,
)
from catalyst_bot.study.prices import MAX_RETURN
from catalyst_bot.study.statistics import MIN_CLUSTERS

TOO_FEW = "too few"  # for a band
_RETURNS_READ = (
    "Mean in basis points, signed by the direction of the catalyst, with its 95 % band. "
    f"`*`: differs from zero at a false discovery rate of {DISCOVERY_RATE:.0%} over all cells of "
    f"the table. Fewer than {MIN_CLUSTERS} clusters of days, or values that are all alike, are too "
    "few for a band."
)
_WORTH_READ = (
    f"At the horizon nearest to the category's own; fewer than {MIN_EVENTS} priced events "
    "decide nothing. Edge is after costs, shrunk towards 0 by how little is known."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was studied: its name, days, and how many headlines and bars there were."""

    first_day: str
    last_day: str
    headlines: int
    unreadable: int
    benchmark: str
    bars: int
    symbols: int
    interval_s: int


def title_of(study: Study, sample: Sample) -> str:
    """Return in one line what a study was made of."""
    return (
        f"study of events: {study.events:,} catalysts, {sample.first_day} to {sample.last_day}, "
        f"above {sample.benchmark} ({study.rules.model}), costs {study.rules.cost_bps:g} bps"
    )


def study_dict(study: Study, sample: Sample) -> dict[str, Any]:
    """Return plain values for JSON; a number that is not known is null."""
    return {
        "sample": {name: getattr(sample, name) for name in Sample.__slots__},
        "model": study.rules.model,
        "cost_bps": study.rules.cost_bps,
        "seed": study.rules.seed,
        "events": study.events,
        "unknown_symbols": study.unknown_symbols,
        "unpriced": study.unpriced,
        "proposed_for_muting": list(study.proposed_for_muting),
        "categories": [_result_dict(result) for result in study.results],
    }


def _result_dict(result: CategoryResult) -> dict[str, Any]:
    return {
        "category": result.category,
        "action": str(result.action),
        "events": result.events,
        "priced": result.priced,
        "horizon": result.deciding.horizon.name if result.deciding else None,
        "verdict": result.verdict,
        "verdict_at_double_costs": result.verdict_at_double_costs,
        "edge_bps": _number(result.edge_bps),
        "edge_low_bps": _number(result.edge_low_bps),
        "edge_high_bps": _number(result.edge_high_bps),
        "half_life_days": _number(result.half_life_days),
        "returns_bps": {cell.horizon.name: _cell_dict(cell) for cell in result.cells},
    }


def _cell_dict(cell: Cell) -> dict[str, Any]:
    return {
        "n": cell.mean.n,
        "clusters": cell.mean.clusters,
        "mean": _number(cell.mean.value),
        "low": _number(cell.mean.low),
        "high": _number(cell.mean.high),
        "p": _number(cell.mean.p, 6),
        "q": _number(cell.q, 6),
        "hit_rate": _number(cell.hit_rate, 4),
    }


def _number(value: float | None, digits: int = 2) -> float | None:
    return None if value is None or math.isnan(value) else round(value, digits)


def study_markdown(study: Study, sample: Sample) -> str:
    """Return the page: how it was measured, a table of returns, a table of verdicts."""
    parts = [
        _how(study, sample),
        "### Abnormal return by category",
        _RETURNS_READ,
        _returns_table(study),
        "### Worth after costs",
        _WORTH_READ,
        _verdict_table(study),
        _conclusion(study),
    ]
    return "\n\n".join(parts) + "\n"


def summary(study: Study, sample: Sample) -> str:
    """Return what came out in lines for a terminal: the verdicts, and what they amount to."""
    rows = [
        (
            result.category,
            f"{result.events:,}",
            f"{result.priced:,}",
            f"{result.edge_bps:+.0f} [{result.edge_low_bps:+.0f}, {result.edge_high_bps:+.0f}]"
            if _is_decided(result)
            else TOO_FEW,
            result.verdict,
        )
        for result in study.results
    ]
    header = ("category", "events", "priced", "edge bps after costs", "verdict")
    widths = [max(len(line[at]) for line in (header, *rows)) for at in range(len(header))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (header, *rows)
    ]
    return "\n".join([title_of(study, sample), *lines, _conclusion(study)])


def _is_decided(result: CategoryResult) -> bool:
    return result.deciding is not None and result.deciding.mean.n >= MIN_EVENTS


def _how(study: Study, sample: Sample) -> str:
    model = (
        f"above {sample.benchmark} over the same time"
        if study.rules.model == "excess"
        else f"above beta times {sample.benchmark}, beta from the 250 days before"
    )
    return (
        f"{sample.first_day} to {sample.last_day}: {sample.headlines:,} headlines and filings gave "
        f"{study.events:,} catalysts; {study.unknown_symbols:,} of them name a symbol without "
        f"bars, {study.unpriced - study.unknown_symbols:,} more have no price to enter and leave "
        f"at. Bars: {sample.bars:,} of {sample.interval_s:,} s on {sample.symbols:,} symbols. "
        f"Return {model}; single returns are cut at ±{MAX_RETURN:.0%}. "
        f"A round trip costs {study.rules.cost_bps:g} bps. Seed {study.rules.seed}."
    )


def _returns_table(study: Study) -> str:
    header = ["category", "events", "priced", *(horizon.name for horizon in study.horizons)]
    rows = [
        [
            result.category,
            f"{result.events:,}",
            f"{result.priced:,}",
            *(_shown(result, horizon.name) for horizon in study.horizons),
        ]
        for result in study.results
        if result.priced
    ]
    return markdown_table(header, [*rows])


def _shown(result: CategoryResult, horizon: str) -> str:
    cell = next((cell for cell in result.cells if cell.horizon.name == horizon), None)
    if cell is None:
        return ""
    mean, star = cell.mean, "*" if cell.is_discovery else ""
    is_known = not math.isnan(mean.low)
    band = f" [{mean.low:+.0f}, {mean.high:+.0f}]" if is_known else f" ({TOO_FEW})"
    return f"{mean.value:+.0f}{band}{star}"


def _verdict_table(study: Study) -> str:
    header = ["category", "horizon", "n", "edge bps", "half-life days", "costs", "doubled costs"]
    rows = [
        [
            result.category,
            result.deciding.horizon.name,
            f"{result.deciding.mean.n:,}",
            f"{result.edge_bps:+.0f} [{result.edge_low_bps:+.0f}, {result.edge_high_bps:+.0f}]",
            "" if result.half_life_days is None else f"{result.half_life_days:.2g}",
            result.verdict,
            result.verdict_at_double_costs,
        ]
        for result in study.results
        if _is_decided(result) and result.deciding is not None
    ]
    return markdown_table(header, rows)


def _conclusion(study: Study) -> str:
    clear = [each.category for each in study.results if each.verdict == "clears"]
    muted = study.proposed_for_muting
    return (
        f"Clear the costs with their whole band: {', '.join(clear) or 'none'}.\n\n"
        f"Proposed for muting, because even the upper band does not: {', '.join(muted) or 'none'}."
    )


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows of text as a table of a page."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
