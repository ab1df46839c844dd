"""Paper trading against its backtest: the same trades, at what difference, and for what reason.

Trades are matched by symbol and catalyst, whose ids are hashes of content; those left over by
symbol and headline. Three figures have a threshold: slippage, fill rate, and the difference of the
returns. What could not be measured is not met: nobody has shown it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.monitoring.journal_source import performance_of
from catalyst_bot.portfolio.tracker import Performance
from catalyst_bot.storage.read_model import ReadModel
from catalyst_bot.storage.trade_log import TradeFilter
from catalyst_bot.storage.views import LoggedTrade

MAX_SLIPPAGE_FRACTION = 0.002
MIN_FILL_RATE = 0.95
MAX_RETURN_DIFFERENCE = 0.20
_BPS = 10_000
_SAME_MOMENT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One figure against its threshold; `measured` is None where it could not be measured."""

    name: str
    measured: float | None
    threshold: float
    is_met: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One trade in both journals, or in one of them. Differences are paper minus backtest.

    `reasons` say why they differ, as far as the journals tell.
    """

    symbol: str
    catalyst_id: str
    headline: str
    paper_trade_id: str | None
    backtest_trade_id: str | None
    entry_price_bps: float | None
    exit_price_bps: float | None
    entry_s: float | None
    exit_s: float | None
    quantity: str | None
    pnl_usd: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two journals side by side. `average_entry_price_bps` is over the trades in both."""

    paper: str
    backtest: str
    paper_return: float | None
    backtest_return: float | None
    matched: int
    identical: int
    only_paper: int
    only_backtest: int
    average_entry_price_bps: float | None
    verdicts: tuple[Verdict, ...]
    pairs: tuple[Pair, ...]

    @property
    def is_met(self) -> bool:
        """True when every threshold is."""
        return all(verdict.is_met for verdict in self.verdicts)

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {**asdict(self), "is_met": self.is_met}


def compare(paper: ReadModel, backtest: ReadModel) -> Comparison:
    """Compare the trades and the figures of two journals."""
    ours, theirs = performance_of(paper), performance_of(backtest)
    matches = _matched(paper.trade_log(TradeFilter()), backtest.trade_log(TradeFilter()))
    pairs = tuple(_pair(one, other, paper, backtest) for one, other in matches)
    both = [pair for pair in pairs if pair.paper_trade_id and pair.backtest_trade_id]
    entries = [pair.entry_price_bps for pair in both if pair.entry_price_bps is not None]
    return Comparison(
        paper=str(paper.place),
        backtest=str(backtest.place),
        paper_return=ours.total_return,
        backtest_return=theirs.total_return,
        matched=len(both),
        identical=sum(not pair.reasons for pair in both),
        only_paper=sum(pair.backtest_trade_id is None for pair in pairs),
        only_backtest=sum(pair.paper_trade_id is None for pair in pairs),
        average_entry_price_bps=sum(entries) / len(entries) if entries else None,
        verdicts=verdicts_of(ours, theirs),
        pairs=pairs,
    )


def verdicts_of(paper: Performance, backtest: Performance) -> tuple[Verdict, ...]:
    """The three figures against their thresholds."""
    slippage = None if paper.slippage_bps is None else paper.slippage_bps / _BPS
    difference, note = _return_difference(paper.total_return, backtest.total_return)
    return (
        Verdict(
            name="average slippage",
            measured=slippage,
            threshold=MAX_SLIPPAGE_FRACTION,
            is_met=slippage is not None and slippage < MAX_SLIPPAGE_FRACTION,
            note="" if slippage is not None else "nothing was filled",
        ),
        Verdict(
            name="fill rate",
            measured=paper.fill_rate,
            threshold=MIN_FILL_RATE,
            is_met=paper.fill_rate is not None and paper.fill_rate > MIN_FILL_RATE,
            note="" if paper.fill_rate is not None else "no order was sent and ended",
        ),
        Verdict(
            name="difference of returns",
            measured=difference,
            threshold=MAX_RETURN_DIFFERENCE,
            is_met=difference is not None and difference <= MAX_RETURN_DIFFERENCE,
            note=note,
        ),
    )


def _return_difference(paper: float | None, backtest: float | None) -> tuple[float | None, str]:
    """How far the return is from the backtest's, as a fraction of that."""
    if paper is None or backtest is None:
        return None, "an account was never valued"
    if backtest == 0:
        return (0.0, "") if paper == 0 else (None, "the backtest returned nothing to compare with")
    return abs(paper - backtest) / abs(backtest), ""


Match = tuple[LoggedTrade | None, LoggedTrade | None]


def _matched(paper: Sequence[LoggedTrade], backtest: Sequence[LoggedTrade]) -> list[Match]:
    """Trades side by side, in the order of their entries; leftovers alone."""
    left, right = list(paper), list(backtest)
    matches: list[Match] = []
    for key in (_by_catalyst, _by_headline):
        for one in list(left):
            other = next((t for t in right if key(t) == key(one) is not None), None)
            if other is not None:
                matches.append((one, other))
                left.remove(one)
                right.remove(other)
    matches += [(one, None) for one in left] + [(None, other) for other in right]
    return sorted(matches, key=_entered)


def _entered(match: Match) -> str:
    first = match[0] or match[1]
    return first["entry_at"] if first is not None else ""


def _by_catalyst(trade: LoggedTrade) -> tuple[str, str] | None:
    return (trade["symbol"], trade["catalyst_id"]) if trade["catalyst_id"] else None


def _by_headline(trade: LoggedTrade) -> tuple[str, str] | None:
    return (trade["symbol"], trade["headline_title"]) if trade["headline_title"] else None


def _pair(
    one: LoggedTrade | None, other: LoggedTrade | None, paper: ReadModel, backtest: ReadModel
) -> Pair:
    if one is None or other is None:
        lone = one or other
        assert lone is not None
        where, missing = ("backtest", backtest) if other is None else ("paper", paper)
        why = f"not in {where}: {fate_of(missing, lone)}"
        return Pair(
            symbol=lone["symbol"],
            catalyst_id=lone["catalyst_id"],
            headline=lone["headline_title"] or "",
            paper_trade_id=one["trade_id"] if one else None,
            backtest_trade_id=other["trade_id"] if other else None,
            entry_price_bps=None,
            exit_price_bps=None,
            entry_s=None,
            exit_s=None,
            quantity=None,
            pnl_usd=None,
            reasons=(why,),
        )
    return Pair(
        symbol=one["symbol"],
        catalyst_id=one["catalyst_id"],
        headline=one["headline_title"] or "",
        paper_trade_id=one["trade_id"],
        backtest_trade_id=other["trade_id"],
        entry_price_bps=_price_bps(one["entry_price"], other["entry_price"]),
        exit_price_bps=_price_bps(one["exit_price"], other["exit_price"]),
        entry_s=_seconds(one["entry_at"], other["entry_at"]),
        exit_s=_seconds(one["exit_at"], other["exit_at"]),
        quantity=_minus(one["quantity"], other["quantity"]),
        pnl_usd=_minus(one["pnl_usd"], other["pnl_usd"]),
        reasons=tuple(_reasons(one, other)),
    )


def _reasons(one: LoggedTrade, other: LoggedTrade) -> Iterable[str]:
    """Why two trades on the same catalyst differ; nothing when they are the same."""
    yield from _entry_reasons(one, other)
    yield from _size_reasons(one, other)
    yield from _exit_reasons(one, other)


def _entry_reasons(one: LoggedTrade, other: LoggedTrade) -> Iterable[str]:
    decided = _seconds(one["decided_at"], other["decided_at"])
    if decided is not None and abs(decided) > _SAME_MOMENT_S:
        yield f"decided {_lag(decided)}"
    if one["decision_price"] != other["decision_price"]:
        yield f"decided at {one['decision_price']} instead of {other['decision_price']}"
    filled = _seconds(one["entry_at"], other["entry_at"]) or 0.0
    if abs(filled) > _SAME_MOMENT_S:
        yield f"bought {_lag(filled)}"
    if one["entry_price"] != other["entry_price"]:
        yield f"bought at {one['entry_price']} instead of {other['entry_price']}"


def _size_reasons(one: LoggedTrade, other: LoggedTrade) -> Iterable[str]:
    if one["ordered_quantity"] != other["ordered_quantity"]:
        yield (
            f"sized {one['ordered_quantity']} instead of {other['ordered_quantity']} shares "
            "(another price or another account)"
        )
    for word, trade in (("paper", one), ("backtest", other)):
        if trade["ordered_quantity"] not in {None, trade["quantity"]}:
            yield f"{word} got {trade['quantity']} of {trade['ordered_quantity']} shares"


def _exit_reasons(one: LoggedTrade, other: LoggedTrade) -> Iterable[str]:
    for word, trade, counterpart in (("paper", one, other), ("backtest", other, one)):
        if trade["exit_at"] is None and counterpart["exit_at"] is not None:
            yield f"still open in {word}"
    if one["exit_at"] is None or other["exit_at"] is None:
        return
    if one["exit_reason"] != other["exit_reason"]:
        yield f"left by {one['exit_reason']} instead of {other['exit_reason']}"
    left = _seconds(one["exit_at"], other["exit_at"]) or 0.0
    if abs(left) > _SAME_MOMENT_S:
        yield f"sold {_lag(left)}"
    if one["exit_price"] != other["exit_price"]:
        yield f"sold at {one['exit_price']} instead of {other['exit_price']}"
    if one["fees_usd"] != other["fees_usd"] and one["quantity"] == other["quantity"]:
        yield f"fees {one['fees_usd']} instead of {other['fees_usd']}"


def fate_of(model: ReadModel, trade: LoggedTrade) -> str:
    """What became of a trade's catalyst in a journal that does not have the trade."""
    trail = model.trail(trade["catalyst_id"]) or model.trail(trade["headline_id"] or "")
    told = [word for record in trail if (word := _no_of(record.body))]
    if told:
        return told[-1]
    if not trail:
        return "its headline was not received"
    return f"nothing came after {type(trail[-1].body).__name__}"


def _no_of(body: Message) -> str:
    """The "no" that a message says to an entry, empty when it says none."""
    match body:
        case d.HeadlineIgnored():
            return f"its headline was ignored ({body.reason})"
        case d.SignalDropped():
            return f"no signal ({body.reason})"
        case d.IntentDeclined():
            return f"declined ({body.reason})"
        case d.OrderRefused():
            return f"refused by {body.rule}"
        case f.OrderRejected() | f.OrderCancelled():
            return f"the order ended unfilled ({body.reason})"
        case f.SubmitSuppressed():
            return f"the order was not sent ({body.reason})"
        case f.OrderExpired():
            return "the order expired unfilled"
        case _:
            return ""


def _price_bps(one: str | None, other: str | None) -> float | None:
    if one is None or other is None or not Decimal(other):
        return None
    return float(Decimal(one) / Decimal(other) - 1) * _BPS


def _seconds(one: str | None, other: str | None) -> float | None:
    if one is None or other is None:
        return None
    return (datetime.fromisoformat(one) - datetime.fromisoformat(other)).total_seconds()


def _minus(one: str | None, other: str | None) -> str | None:
    return f"{Decimal(one) - Decimal(other):f}" if one is not None and other is not None else None


def _lag(seconds: float) -> str:
    return f"{abs(seconds):g} s {'later' if seconds > 0 else 'earlier'}"


def comparison_text(found: Comparison) -> str:
    """The verdicts, a line each, then the trades that differ with their reasons."""
    lines = [f"paper    {found.paper}", f"backtest {found.backtest}"]
    lines += [_verdict_text(verdict) for verdict in found.verdicts]
    lines.append(
        f"returns {_percent(found.paper_return)} and {_percent(found.backtest_return)}; "
        f"{found.matched} trades in both, {found.identical} of them the same, "
        f"{found.only_paper} only in paper, {found.only_backtest} only in the backtest"
    )
    lines += [
        f"  {pair.symbol:<6} {'; '.join(pair.reasons)}" for pair in found.pairs if pair.reasons
    ]
    return "\n".join(lines)


def _verdict_text(verdict: Verdict) -> str:
    sign = {"fill rate": ">", "average slippage": "<"}.get(verdict.name, "<=")
    measured = _percent(verdict.measured) if verdict.measured is not None else "not measured"
    note = f", {verdict.note}" if verdict.note else ""
    word = "ok    " if verdict.is_met else "MISSED"
    return f"{word} {verdict.name}: {measured} (wanted {sign} {verdict.threshold:.1%}{note})"


def _percent(value: float | None) -> str:
    return f"{value:.2%}" if value is not None else "n/a"
