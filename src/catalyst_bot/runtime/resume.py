"""Resuming a replay after a crash: skip what the journal already holds.

The driver is set back a little before the last record and runs again; every fact that it makes
anew and that the journal holds is dropped by its key. Ids are content hashes, so a fill made
again is recognised as the same fill. Bars of that time that the journal does not hold are dropped
too: their symbol was not watched yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import KIND_OF, Fact, Kind, Recorded

OVERLAP = timedelta(minutes=2)  # longer than any latency between a price and its fill

_SUBJECT: dict[type, Any] = {
    f.SessionOpened: lambda m: str(m.day),
    f.SessionClosed: lambda m: str(m.day),
    f.HeadlineReceived: lambda m: f"{m.headline.item_id}|{m.at}",
    f.HeadlineUnreadable: lambda m: f"{m.source}|{m.place}",
    f.BarClosed: lambda m: f"{m.bar.symbol}|{m.bar.closed_at}",
    f.OrderFilled: lambda m: m.fill.fill_id,
    f.ForeignFilled: lambda m: m.fill.fill_id,
    f.SplitApplied: lambda m: f"{m.symbol}|{m.effective_on}",
    f.SymbolRenamed: lambda m: f"{m.symbol}|{m.effective_on}",
    f.SymbolHalted: lambda m: f"{m.symbol}|{m.at}",
    f.SymbolResumed: lambda m: f"{m.symbol}|{m.at}",
}
_ORDER_ENDS = (f.OrderAccepted, f.OrderExpired, f.OrderCancelled, f.OrderRejected)


def fact_key(fact: Fact) -> str | None:
    """What makes a fact of the tape or the venue the same fact again; None for all others."""
    subject = _SUBJECT.get(type(fact))
    if subject is not None:
        return f"{type(fact).__name__}|{subject(fact)}"
    if isinstance(fact, _ORDER_ENDS):
        return f"{type(fact).__name__}|{fact.client_order_id}"
    return None


def known_keys(records: Iterable[Recorded], since: datetime) -> set[str]:
    """Keys of the facts recorded since a time."""
    return {
        key
        for record in records
        if record.at >= since and KIND_OF[type(record.body)] is Kind.FACT
        for key in [fact_key(record.body)]  # type: ignore[arg-type]  # facts only, see above
        if key is not None
    }


def bars_told_until(records: Sequence[Recorded]) -> datetime | None:
    """Until when every bar that the core was to see is recorded; None for an empty journal.

    The bars of one moment are one commit, and the moments before the last record are over.
    """
    told = [r.at for r in records if isinstance(r.body, f.BarClosed)]
    over = [records[-1].at - datetime.resolution] if records else []
    return max(told + over, default=None)


def without_known(
    batches: Iterable[Sequence[Fact]], known: set[str], bars_until: datetime | None = None
) -> Iterator[Sequence[Fact]]:
    """Drop the facts the journal already holds, each key once, and bars up to `bars_until`."""
    left = set(known)
    for facts in batches:
        fresh = []
        for fact in facts:
            key = fact_key(fact) if left else None
            if key in left:
                left.discard(key)
            elif not _is_old_bar(fact, bars_until):
                fresh.append(fact)
        if fresh:
            yield fresh


def _is_old_bar(fact: Fact, until: datetime | None) -> bool:
    return isinstance(fact, f.BarClosed) and until is not None and fact.at <= until
