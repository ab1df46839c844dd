"""Gate P&L: what each rule blocked, and what it would have been worth.

A candidate is every catalyst of a run that is not bad news. Each is valued alone and alike (see
`gate_trades`), those that were bought too, at the moment at which it would have met the market with
all gates off. So blocked and taken can be added, and their sum is what the run with all gates off
is worth, to the cent, whatever this run's gates were. It is what a dollar in each candidate did,
and no forecast: nobody has the money or the nerves for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.money import ZERO
from catalyst_bot.domain.news import Catalyst
from catalyst_bot.study.gate_trades import NOTIONAL_USD, Market, Order, Wish, order_of, worth
from catalyst_bot.study.record import Fate, fates

_WHO = {"signal": "signal", "intent": "policy", "approved": "risk"}  # by the step not reached
BAD_NEWS = "bad_news"  # nothing a long-only bot could buy
NO_PRICES = "no_prices"
_BPS = Decimal(10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A catalyst that could have been bought: the gate that blocked it, empty when none did."""

    wish: Wish
    category: str
    gate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Candidates of one gate (or of none, or of one category), and what they are worth."""

    gate: str
    count: int = 0
    wins: int = 0
    spent_usd: Decimal = ZERO
    pnl_usd: Decimal = ZERO

    @property
    def mean_bps(self) -> Decimal:
        """Mean result of a dollar, in bps."""
        return ZERO if not self.spent_usd else self.pnl_usd / self.spent_usd * _BPS

    def plus(self, order: Order, pnl_usd: Decimal) -> Row:
        """The row with one candidate more."""
        return replace(
            self,
            count=self.count + 1,
            wins=self.wins + (pnl_usd > 0),
            spent_usd=self.spent_usd + order.quantity * order.price,
            pnl_usd=self.pnl_usd + pnl_usd,
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON form; money as decimal strings."""
        return {
            "gate": self.gate,
            "count": self.count,
            "wins": self.wins,
            "pnl_usd": f"{self.pnl_usd:.2f}",
            "mean_bps": f"{self.mean_bps:.1f}",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """What was taken and what each gate blocked, both valued alike.

    `all_gates_off_usd` is one run of all candidates together; it equals taken + blocked.
    """

    taken: Row
    gates: tuple[Row, ...]
    categories: tuple[Row, ...]
    not_valued: tuple[tuple[str, int], ...]
    all_gates_off_usd: Decimal

    @property
    def blocked_usd(self) -> Decimal:
        """What all gates together kept away."""
        return sum((row.pnl_usd for row in self.gates), start=ZERO)

    def as_dict(self) -> dict[str, Any]:
        """JSON form; money as decimal strings."""
        return {
            "notional_usd": f"{NOTIONAL_USD:.2f}",
            "taken": self.taken.as_dict(),
            "gates": [row.as_dict() for row in self.gates],
            "blocked_categories": [row.as_dict() for row in self.categories],
            "not_valued": dict(self.not_valued),
            "taken_usd": f"{self.taken.pnl_usd:.2f}",
            "blocked_usd": f"{self.blocked_usd:.2f}",
            "all_gates_off_usd": f"{self.all_gates_off_usd:.2f}",
        }


LooksAt = Callable[[Catalyst, datetime], datetime]  # a catalyst detected then meets the market when


def candidates(
    records: Iterable[Recorded], looks_at: LooksAt
) -> tuple[list[Candidate], dict[str, int]]:
    """Return what could have been bought, and how many catalysts could not, by reason.

    The moment of a candidate is when its catalyst would have met the market with all gates off. It
    depends on no gate, so runs with other gates on the same news have the same candidates. A story
    is one: a later telling, which counts where the first led to nothing, only says who blocked it.
    """
    kept = list(records)
    found = {fate.catalyst_id: fate for fate in fates(kept) if fate.catalyst_id}
    told: dict[tuple[str, str], Candidate] = {}
    left_out: dict[str, int] = {}
    for record in kept:
        body = record.body
        if not isinstance(body, d.CatalystDetected) or body.catalyst.wish is not None:
            continue
        catalyst = body.catalyst
        fate = found.pop(catalyst.catalyst_id, None)
        if fate is None:
            continue
        if catalyst.direction < 0:
            left_out[BAD_NEWS] = left_out.get(BAD_NEWS, 0) + 1
            continue
        story = (catalyst.story_id or catalyst.catalyst_id, catalyst.symbol)
        if (first := told.get(story)) is not None:
            told[story] = first if first.gate == "" else replace(first, gate=_gate(fate))
            continue
        wish = Wish(
            name=catalyst.catalyst_id,
            symbol=catalyst.symbol,
            at=looks_at(catalyst, record.at),
            horizon_s=catalyst.horizon_s,
        )
        told[story] = Candidate(wish=wish, category=catalyst.category, gate=_gate(fate))
    return list(told.values()), left_out


def _gate(fate: Fate) -> str:
    """Who blocked it, empty when nobody did."""
    if fate.is_accepted:
        return ""
    return f"{_WHO.get(fate.step, fate.step)}: {fate.reason}"


def gate_report(records: Iterable[Recorded], market: Market, looks_at: LooksAt) -> GateReport:
    """Value every candidate of a journal alone, and all of them together.

    Raises `InvariantViolated` should the two differ by a cent.
    """
    found, left_out = candidates(records, looks_at)
    taken = Row(gate="")
    gates: dict[str, Row] = {}
    categories: dict[str, Row] = {}
    orders: list[Order] = []
    for candidate in found:
        order = _priced(candidate.wish, market)
        if order is None:
            left_out[NO_PRICES] = left_out.get(NO_PRICES, 0) + 1
            continue
        orders.append(order)
        pnl_usd = worth([order], market)
        if not candidate.gate:
            taken = taken.plus(order, pnl_usd)
            continue
        for rows, key in ((gates, candidate.gate), (categories, candidate.category)):
            rows[key] = rows.get(key, Row(gate=key)).plus(order, pnl_usd)
    report = GateReport(
        taken=taken,
        gates=_dearest_first(gates.values()),
        categories=_dearest_first(categories.values()),
        not_valued=tuple(sorted(left_out.items())),
        all_gates_off_usd=worth(orders, market),
    )
    if report.taken.pnl_usd + report.blocked_usd != report.all_gates_off_usd:
        raise InvariantViolated(
            f"taken {report.taken.pnl_usd} and blocked {report.blocked_usd} are not the "
            f"{report.all_gates_off_usd} of all together"
        )
    return report


def _priced(wish: Wish, market: Market) -> Order | None:
    return order_of(wish, market) if wish.symbol in market.bars else None


def _dearest_first(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: (-abs(row.pnl_usd), row.gate)))


HEADER = ("gate", "count", "wins", "P&L USD", "mean bps")


def report_rows(report: GateReport) -> Sequence[tuple[str, ...]]:
    """The report as lines of a table: what was taken, each gate, the sum."""
    blocked = replace(
        Row(gate="blocked"),
        count=sum(row.count for row in report.gates),
        wins=sum(row.wins for row in report.gates),
        spent_usd=sum((row.spent_usd for row in report.gates), start=ZERO),
        pnl_usd=report.blocked_usd,
    )
    everything = replace(
        Row(gate="all gates off"),
        count=blocked.count + report.taken.count,
        wins=blocked.wins + report.taken.wins,
        spent_usd=blocked.spent_usd + report.taken.spent_usd,
        pnl_usd=report.all_gates_off_usd,
    )
    rows = (replace(report.taken, gate="taken"), *report.gates, blocked, everything)
    return [
        (row.gate, str(row.count), str(row.wins), f"{row.pnl_usd:,.2f}", f"{row.mean_bps:+.1f}")
        for row in rows
    ]
