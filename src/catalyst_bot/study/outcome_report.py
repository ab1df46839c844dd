"""The record of a run as JSON and as a page: outcomes, what was missed, what was wrongly taken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

from catalyst_bot.study.event_report import markdown_table
from catalyst_bot.study.outcomes import (
    GroupRates,
    Outcome,
    Rate,
    failed,
    fell,
    grouped_rates,
    missed,
    rose,
)
from catalyst_bot.study.prices import Horizon

MAX_EXAMPLES = 50


def by_reason(outcome: Outcome) -> tuple[str, ...]:
    """Group by the step that was not reached and why."""
    return (outcome.fate.step, outcome.fate.reason)


def by_category(outcome: Outcome) -> tuple[str, ...]:
    """Group by what the bot did and the category."""
    return ("accepted" if outcome.fate.is_accepted else "rejected", outcome.fate.category)


class Record:
    """All tables of a record, each over everything that belongs to it.

    `risen` and `fallen`: every headline by the reason it was rejected for, against all headlines.
    `failures`: every catalyst with a direction, by category, against all of them.
    """

    def __init__(
        self, everything: Sequence[Outcome], horizons: Sequence[Horizon], *, cost_bps: float
    ) -> None:
        directed = [each for each in everything if each.fate.direction]
        self.everything = everything
        self.horizons = horizons
        self.cost_bps = cost_bps
        self.risen = grouped_rates(everything, horizons, key=by_reason, test=rose)
        self.fallen = grouped_rates(everything, horizons, key=by_reason, test=fell)
        self.failures = grouped_rates(directed, horizons, key=by_category, test=failed(cost_bps))
        self.missed = missed(everything)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; a number that is not known is null."""
        names = [horizon.name for horizon in self.horizons]
        return {
            "horizons": names,
            "cost_bps": self.cost_bps,
            "records": [_outcome_dict(each, names) for each in self.everything],
            "rose_over_10_percent": [_rates_dict(each) for each in self.risen],
            "fell_over_10_percent": [_rates_dict(each) for each in self.fallen],
            "failures": [_rates_dict(each) for each in self.failures],
            "missed": [_outcome_dict(each, names) for each in self.missed],
        }

    def as_markdown(self) -> str:
        """Return the page for a person."""
        accepted = sum(each.fate.is_accepted for each in self.everything)
        priced = sum(not math.isnan(max(each.returns_bps)) for each in self.everything)
        what = (
            f"{len(self.everything):,} outcomes of headlines, {accepted:,} accepted; {priced:,} "
            "have a price at every horizon. A share is of all priced in its row, whatever became "
            "of them, with its 95 % band and the number of symbols that make it up."
        )
        parts = [
            what,
            "### Rose more than 10 % against the benchmark, by why it was rejected",
            self._table(self.risen, ("step", "reason")),
            "### Did not earn the costs in its direction, by category",
            self._table(self.failures, ("", "category")),
            f"### Rejected and rose: {len(self.missed):,} headlines",
            f"The first of each symbol and day, at most {MAX_EXAMPLES}.",
            self._examples(),
        ]
        return "\n\n".join(parts) + "\n"

    def _table(self, rates: Sequence[GroupRates], header: Sequence[str]) -> str:
        groups: dict[tuple[str, ...], list[GroupRates]] = {}
        for each in rates:
            groups.setdefault(each.group, []).append(each)
        rows = [
            [*group, f"{members[0].rate.n:,}", *(_share(each.rate) for each in members)]
            for group, members in groups.items()
        ]
        if rates:
            base = [each.base for each in rates[: len(self.horizons)]]
            rows.append(["all", "base rate", f"{base[0].n:,}", *(_share(each) for each in base)])
        names = [horizon.name for horizon in self.horizons]
        return markdown_table([*header, "n", *names], rows)

    def _examples(self) -> str:
        first: dict[tuple[str, date], list[Outcome]] = {}
        for each in self.missed:
            first.setdefault((each.fate.symbol, each.fate.received_at.date()), []).append(each)
        rows = [
            [
                together[0].fate.item_id,
                symbol,
                f"{len(together):,}",
                together[0].fate.reason,
                *(_percent(value) for value in together[0].returns_bps),
            ]
            for (symbol, _), together in list(first.items())[:MAX_EXAMPLES]
        ]
        names = [horizon.name for horizon in self.horizons]
        return markdown_table(["headline", "symbol", "headlines", "reason", *names], rows)


def _share(rate: Rate) -> str:
    if not rate.priced:
        return ""
    low, high = rate.band
    of = f" ({rate.symbols})" if rate.hits else ""
    return f"{rate.share:.0%} of {rate.priced:,} [{low:.0%}, {high:.0%}]{of}"


def _percent(value_bps: float) -> str:
    return "" if math.isnan(value_bps) else f"{value_bps / 100:+.1f} %"


def _rates_dict(rates: GroupRates) -> dict[str, Any]:
    low, high = rates.rate.band
    return {
        "group": list(rates.group),
        "horizon": rates.horizon.name,
        "n": rates.rate.n,
        "priced": rates.rate.priced,
        "hits": rates.rate.hits,
        "symbols_hit": rates.rate.symbols,
        "share": _number(rates.rate.share),
        "low": round(low, 4),
        "high": round(high, 4),
        "base_rate": _number(rates.base.share),
        "base_priced": rates.base.priced,
        "lift": _number(rates.lift),
    }


def _outcome_dict(outcome: Outcome, names: Sequence[str]) -> dict[str, Any]:
    fate = outcome.fate
    return {
        "item_id": fate.item_id,
        "catalyst_id": fate.catalyst_id,
        "symbol": fate.symbol,
        "category": fate.category,
        "direction": fate.direction,
        "confidence": fate.confidence,
        "source": fate.source,
        "received_at": fate.received_at.isoformat().replace("+00:00", "Z"),
        "step": fate.step,
        "reason": fate.reason,
        "returns_bps": {
            name: _number(value, 2) for name, value in zip(names, outcome.returns_bps, strict=True)
        },
    }


def _number(value: float, digits: int = 4) -> float | None:
    return None if math.isnan(value) else round(value, digits)
