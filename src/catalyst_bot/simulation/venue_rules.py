"""The choices in which one venue differs from another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from catalyst_bot.domain.enums import TimeInForce


class RuleBook(StrEnum):
    """What is refused: only what would harm the books (OURS), or all that Alpaca refuses."""

    OURS = "ours"
    ALPACA = "alpaca"


class LegRule(StrEnum):
    """When the legs of an entry begin to work.

    FIRST_FILL: both with the entry's first fill, sized to what was bought so far. COMPLETE_FILL:
    when the entry is completely filled; of a pair the stop loss stays `held` until it triggers.
    """

    FIRST_FILL = "first_fill"
    COMPLETE_FILL = "complete_fill"


class MoneyRule(StrEnum):
    """What an account may spend.

    COST: holdings count at what they cost, and a fill that costs more than there is, is cut.
    MARGIN: Alpaca's margin formulas at market prices, checked when an order is taken.
    """

    COST = "cost"
    MARGIN = "margin"


class CancelWhenClosed(StrEnum):
    """A cancel outside the session: done at once, or pending (and reserving) until the open."""

    AT_ONCE = "at_once"
    PENDING = "pending"


class ClientIdScope(StrEnum):
    """Whether a client order id may be used again when its order has ended."""

    ALWAYS = "always"
    ACTIVE_ONLY = "active_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueRules:
    """Rules of one venue; the defaults are those of the embedded one.

    `leg_time_in_force` None: that of the entry. `gtc_days` None: for ever. `partial_probability`
    None: that of the fill profile.
    """

    book: RuleBook = RuleBook.OURS
    legs: LegRule = LegRule.FIRST_FILL
    money: MoneyRule = MoneyRule.COST
    cancel_when_closed: CancelWhenClosed = CancelWhenClosed.AT_ONCE
    client_ids: ClientIdScope = ClientIdScope.ALWAYS
    leg_time_in_force: TimeInForce | None = TimeInForce.GTC
    gtc_days: int | None = None
    partial_probability: float | None = None


ALPACA_RULES = VenueRules(
    book=RuleBook.ALPACA,
    legs=LegRule.COMPLETE_FILL,
    money=MoneyRule.MARGIN,
    cancel_when_closed=CancelWhenClosed.PENDING,
    leg_time_in_force=None,
    gtc_days=90,
)
