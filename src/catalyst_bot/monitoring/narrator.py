"""The story on screen while a run goes on: every trade with its reason, as it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.portfolio.tracker import Performance
from catalyst_bot.storage.projections.events import TELLERS

_TOLD = (
    d.OrderApproved,
    d.OrderRefused,
    d.StopMoved,
    d.PositionClosed,
    d.TradingHalted,
    d.OverrideGranted,
    d.OverrideRefused,
    d.TradingReduced,
    d.ResumeRefused,
    d.TradingResumed,
    d.StrategyPaused,
    d.MismatchFound,
    d.LimitApproached,
    d.OrderQueued,
    d.OrderWithdrawn,
    d.ProtectionNeeded,
    d.ForeignTradeJudged,
    d.ForeignOrdersSeen,
    d.CashAdjusted,
    f.OperatorTradeRequested,
    f.SplitApplied,
    f.SymbolRenamed,
    f.OrderFilled,
    f.OrderRejected,
    f.SymbolHalted,
    f.SymbolResumed,
    f.SubmitSuppressed,
    f.AdapterFailed,
    f.AdapterRecovered,
    f.LostOrdersFound,
)
STEPS = ("seen", "deduped", "with_ticker", "catalyst", "signal", "intent", "approved", "filled")
TOP_REASONS = 3


class Narrator:
    """A pipeline listener that says what matters through `say`, one line each."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def __call__(self, batch: Sequence[Recorded]) -> None:
        """Tell a committed batch."""
        for record in batch:
            body = record.body
            if isinstance(body, f.RunStarted) and body.candidate_note:
                self._say(f"-- {body.candidate_note}")
            elif isinstance(body, f.SessionOpened):
                self._say(f"-- {body.day} session opens")
            elif isinstance(body, d.IntentFormed):
                self._say(f"{record.at:%H:%M:%S} {_because(body)}")
            elif isinstance(body, _TOLD):
                self._say(f"{record.at:%H:%M:%S} {TELLERS[type(body)](body).text}")


class Progress:
    """A pipeline listener that says how far a recording is, a line per tenth."""

    def __init__(self, say: Callable[[str], None], *, start: datetime, end: datetime) -> None:
        self._say = say
        self._start = start
        self._length_s = max((end - start).total_seconds(), 1.0)
        self._told = 0

    def __call__(self, batch: Sequence[Recorded]) -> None:
        """Tell when a committed batch begins another tenth."""
        at = batch[-1].at
        tenth = int((at - self._start).total_seconds() / self._length_s * 10)
        if tenth > self._told:
            self._told = tenth
            self._say(f"-- {tenth * 10:3d} % of the recording, {at:%Y-%m-%d %H:%M} UTC")


def _because(message: d.IntentFormed) -> str:
    """Why a trade is wanted: the headline, what it was read as, and the vote."""
    intent = message.intent
    catalyst = intent.signal.catalyst
    votes = "; ".join(f"{vote.agent}: {vote.reason}" for vote in intent.votes)
    return (
        f'{catalyst.symbol}: wants to {intent.side} because of "{catalyst.title}" '
        f"[{catalyst.source}] -> {catalyst.category}, {votes}"
    )


def funnel_text(funnel: Mapping[str, Any]) -> str:
    """The funnel as lines: count per step and the top reasons for what was lost before it."""
    lines = []
    for step in STEPS:
        reasons = sorted(funnel["lost"].get(step, {}).items(), key=lambda item: -item[1])
        lost = ", ".join(f"{reason} {count}" for reason, count in reasons[:TOP_REASONS])
        lines.append(f"  {step:<12} {funnel[step]:>7}" + (f"   lost: {lost}" if lost else ""))
    return "\n".join(lines)


def summary_text(result: Mapping[str, Any]) -> str:
    """The end of a run: funnel, trades, equity; a run without trades says so, and why."""
    trades = result["trades"]
    closed = [trade for trade in trades if trade["exit_at"]]
    lines = ["Funnel (headlines that reached each step):", funnel_text(result["funnel"])]
    if trades:
        lines.append(
            f"{len(trades)} trades, {len(closed)} closed, {len(result['refusals'])} refused; "
            f"equity {result['equity_start']} -> {result['equity_end']} USD"
        )
    else:
        lines.append(f"0 trades: {why_no_trades(result['funnel'])}")
    lines.append(f"journal {result['journal']} sha256 {result['journal_hash']}")
    return "\n".join(lines)


def performance_text(measured: Performance) -> str:
    """The measures of the run; what too few trades cannot support is left open."""
    return (
        f"win rate {_share(measured.win_rate)}, profit factor {_plain(measured.profit_factor)}, "
        f"Sharpe {_plain(measured.sharpe_ratio)}, max drawdown {_share(measured.max_drawdown)}"
    )


def unreadable_text(records: Iterable[Recorded]) -> list[str]:
    """What of the news could not be read, a line per reason with the first place of it."""
    found: dict[str, list[str]] = {}
    for record in records:
        if isinstance(record.body, f.HeadlineUnreadable):
            found.setdefault(record.body.reason, []).append(record.body.place)
    return [
        f"{len(places)} news entries unreadable: {reason}, first at {places[0]}"
        for reason, places in found.items()
    ]


def _share(value: float | None) -> str:
    return f"{value:.1%}" if value is not None else "n/a"


def _plain(value: float | None) -> str:
    return f"{value:.2f}" if value is not None else "n/a"


def why_no_trades(funnel: Mapping[str, Any]) -> str:
    """Where the last headlines were lost."""
    if not funnel["seen"]:
        return "no headline was received in this time; check --news and the dates"
    for before, step in pairwise(STEPS):
        if funnel[before] and not funnel[step]:
            reasons = funnel["lost"].get(step, {})
            told = ", ".join(f"{name} {n}" for name, n in sorted(reasons.items()))
            return f"none of the {funnel[before]} headlines at '{before}' reached '{step}' ({told})"
    return "entries were approved but none filled"
