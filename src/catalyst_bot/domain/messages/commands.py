"""Commands: please do this outside. Executed only after their batch is in the journal; what
comes of them returns as facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from catalyst_bot.domain.enums import Severity
from catalyst_bot.domain.trading import ApprovedOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTextOpinion:
    """Ask the readers outside what they make of a headline; nobody waits after `answer_by`."""

    request_id: str
    catalyst_id: str
    symbol: str
    category: str
    title: str
    body: str
    published_at: datetime
    answer_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMarketView:
    """Send back the market of `symbol` as known now."""

    request_id: str
    catalyst_id: str
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSymbol:
    """From now on send prices of the symbol; said again, ask for its newest quote."""

    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnwatchSymbol:
    """No more prices of the symbol are needed; the benchmark stays watched."""

    symbol: str


UNDER_WAY = timedelta(seconds=10)  # a request that was sent in time may arrive so much later


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOrder:
    """Send the order, at most once per client order id, not after `valid_until`."""

    order: ApprovedOrder
    valid_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Cancel what is left of the order."""

    client_order_id: str
    catalyst_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceOrder:
    """Move the stop price of a working stop, or the limit price of a working limit order.

    Exactly one of the two prices is given.
    """

    client_order_id: str
    catalyst_id: str
    stop_price: Decimal | None = None
    limit_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpOrder:
    """Ask the broker what became of an order."""

    client_order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBrokerSnapshot:
    """Ask the broker for its books."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTimer:
    """Send `TimerFired(timer_id)` at `due_at`; setting an id again moves it."""

    timer_id: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearTimer:
    """Forget the timer."""

    timer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendNotification:
    """Tell a person; `symbol` is empty where it is about none."""

    severity: Severity
    title: str
    text: str
    trail_id: str
    symbol: str = ""
