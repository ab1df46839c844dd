"""What became of everything a run saw: the fate of every headline, accepted and rejected.

The journal holds a decision for each headline, so nothing can be forgotten here: a headline whose
fate is not known is a record, too ("undecided").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from catalyst_bot.detection.tickers import MAX_PRIMARY_SYMBOLS, normal_symbols
from catalyst_bot.domain.enums import OrderRole
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.domain.messages.registry import Message, Recorded
from catalyst_bot.domain.news import Headline

ACCEPTED = "accepted"
UNDECIDED = "undecided"
MESSAGES = (
    HeadlineReceived,
    d.HeadlineIgnored,
    d.CatalystDetected,
    d.SignalFormed,
    d.SignalDropped,
    d.IntentDeclined,
    d.OrderRefused,
    d.OrderApproved,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """One headline for one symbol, and how far it came.

    `step` is the funnel step it did not reach (deduped, with_ticker, catalyst, signal, intent,
    approved), "accepted" when an entry was approved, "undecided" when the journal ends before.
    `symbol` is empty for a headline about nobody in particular: it has no outcome.
    """

    item_id: str
    catalyst_id: str
    symbol: str
    category: str
    direction: int
    confidence: float | None
    source: str
    received_at: datetime
    step: str
    reason: str

    @property
    def is_accepted(self) -> bool:
        """The bot chose to trade on it."""
        return self.step == ACCEPTED


def fates(records: Iterable[Recorded]) -> list[Fate]:
    """Return the fate of every headline in a journal, in the order of receipt.

    A headline that is a catalyst for two symbols has two; every other one has one for each symbol
    it hints at, at most two, or one without a symbol. `records` need only hold `MESSAGES`.
    """
    headlines: dict[str, Headline] = {}
    ignored: dict[str, tuple[str, str]] = {}
    found: dict[str, Fate] = {}
    for record in records:
        body = record.body
        match body:
            case HeadlineReceived():
                headlines.setdefault(body.headline.item_id, body.headline)
            case d.HeadlineIgnored():
                ignored.setdefault(body.item_id, (body.step, body.reason))
            case d.CatalystDetected() if body.catalyst.wish is None:
                found.setdefault(body.catalyst.catalyst_id, _of_catalyst(body))
            case _:
                _follow(found, body)
    caught = {fate.item_id for fate in found.values()}
    silent = [
        fate
        for item_id, headline in headlines.items()
        if item_id not in caught
        for fate in _of_headline(headline, *ignored.get(item_id, (UNDECIDED, UNDECIDED)))
    ]
    return sorted([*found.values(), *silent], key=lambda fate: (fate.received_at, fate.item_id))


def _of_catalyst(message: d.CatalystDetected) -> Fate:
    catalyst = message.catalyst
    return Fate(
        item_id=catalyst.item_id,
        catalyst_id=catalyst.catalyst_id,
        symbol=catalyst.symbol,
        category=catalyst.category,
        direction=catalyst.direction,
        confidence=catalyst.confidence,
        source=catalyst.source,
        received_at=catalyst.received_at,
        step=UNDECIDED,
        reason=UNDECIDED,
    )


def _of_headline(headline: Headline, step: str, reason: str) -> list[Fate]:
    hinted = normal_symbols(headline.symbols)
    # What names a dozen companies is about none of them: its outcome would be the market's.
    about = hinted if len(hinted) <= MAX_PRIMARY_SYMBOLS else ()
    return [
        Fate(
            item_id=headline.item_id,
            catalyst_id="",
            symbol=symbol,
            category="",
            direction=0,
            confidence=None,
            source=headline.source,
            received_at=headline.received_at,
            step=step,
            reason=reason,
        )
        for symbol in about or ("",)
    ]


def _follow(found: dict[str, Fate], message: Message) -> None:
    """Note how far a catalyst came. An approved entry is never taken back: it was chosen."""
    told = _TOLD.get(type(message))
    if told is None:
        return
    catalyst_id, changes = told(message)
    fate = found.get(catalyst_id)
    if fate is not None and changes and not fate.is_accepted:
        found[catalyst_id] = replace(fate, **changes)


def _formed(message: d.SignalFormed) -> tuple[str, dict[str, Any]]:
    signal = message.signal
    told = {} if signal.is_review else {"direction": signal.direction}
    return signal.catalyst.catalyst_id, told


def _dropped(message: d.SignalDropped) -> tuple[str, dict[str, Any]]:
    if message.is_review:
        return message.catalyst_id, {}
    return message.catalyst_id, {"step": "signal", "reason": message.reason}


def _declined(message: d.IntentDeclined) -> tuple[str, dict[str, Any]]:
    return message.catalyst_id, {"step": "intent", "reason": message.reason}


def _refused(message: d.OrderRefused) -> tuple[str, dict[str, Any]]:
    return message.catalyst_id, {"step": "approved", "reason": message.rule}


def _approved(message: d.OrderApproved) -> tuple[str, dict[str, Any]]:
    order = message.order
    is_entry = order.role is OrderRole.ENTRY
    return order.catalyst_id, {"step": ACCEPTED, "reason": ACCEPTED} if is_entry else {}


_TOLD: dict[type, Callable[..., tuple[str, dict[str, Any]]]] = {
    d.SignalFormed: _formed,
    d.SignalDropped: _dropped,
    d.IntentDeclined: _declined,
    d.OrderRefused: _refused,
    d.OrderApproved: _approved,
}
