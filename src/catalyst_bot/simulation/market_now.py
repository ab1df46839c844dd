"""The market at the moment of a request, as far as the venue needs it to judge the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from catalyst_bot.domain.enums import SessionPhase


class AuctionKind(StrEnum):
    """The two auctions of a regular session."""

    OPEN = "open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketNow:
    """Session and prices of the order's symbol, and `marks`: a price per share of each holding.

    A price that is None is not known and no rule is checked against it; holdings without a mark
    are valued at cost. `MarketNow()` is a regular session about which nothing else is known.
    """

    phase: SessionPhase = SessionPhase.REGULAR
    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    marks: Mapping[str, Decimal] = field(default_factory=dict)
