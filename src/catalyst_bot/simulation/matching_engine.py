"""The venue: takes orders, is shown prices, answers with events.

The same engine stands behind the backtest, the embedded broker and the exchange server; one
engine keeps one account. It does no IO and has no clock: `at` is always the time of the call, and
events come back in the order in which they are to be recorded. An event's `at` is never before
what it tells of, so in a bar-driven venue the fill of an order just sent carries a time
`latency_s` after the call.

Rebuilding: the engine's memory changes only by the events it returns (see `venue_state`), so
`rebuild` folds them into the state the engine had. Events that were due but not recorded when the
process died are what `settle` returns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.simulation.events import VenueEvent
from catalyst_bot.simulation.fill_profile import FillProfile
from catalyst_bot.simulation.market_now import AuctionKind, MarketNow, SessionPhase
from catalyst_bot.simulation.order_names import OrderNames
from catalyst_bot.simulation.order_request import OrderChanges, OrderRequest
from catalyst_bot.simulation.venue_rules import VenueRules


class MatchingEngine:
    """A venue with one account, for every kind, class and time in force of order.

    `allow_short` and `buying_power_multiplier` are the account's configuration: they may be set
    at any time, are no part of the state, and are to be given again to a rebuilt engine.
    """

    allow_short: bool
    buying_power_multiplier: Decimal

    def __init__(
        self,
        costs: CostRules,
        profile: FillProfile = FillProfile.OURS,
        *,
        names: OrderNames,
        seed: int = 0,
        starting_cash_usd: Decimal,
        buying_power_multiplier: Decimal = Decimal(1),
        allow_short: bool = False,
        rules: VenueRules = VenueRules(),
    ) -> None: ...

    # requests: each raises `Refused` and changes nothing, or returns what came of it

    def submit(
        self,
        request: OrderRequest,
        at: datetime,
        *,
        market: MarketNow = MarketNow(),
        is_acknowledged: bool = True,
    ) -> list[VenueEvent]:
        """Take an order. It is `new`, or `accepted` when its session has not begun yet or
        `is_acknowledged` is False (then `acknowledge` makes it new). Nothing fills in here: show
        the current price with `on_trade(..., only=[order_id])` afterwards.
        """

    def acknowledge(self, order_id: str, at: datetime) -> list[VenueEvent]:
        """Make an accepted order `new`; nothing when it is not waiting any more."""

    def cancel(
        self, order_id: str, at: datetime, *, phase: SessionPhase = SessionPhase.REGULAR
    ) -> list[VenueEvent]:
        """Cancel what is left of an order and what belongs to it."""

    def request_cancel(self, order_id: str, at: datetime) -> list[VenueEvent]:
        """Make an order `pending_cancel`; it may still fill until `confirm_cancel`."""

    def confirm_cancel(self, order_id: str, at: datetime) -> list[VenueEvent]:
        """Finish a pending cancel; nothing when the order ended before."""

    def cancel_all(
        self, at: datetime, *, phase: SessionPhase = SessionPhase.REGULAR
    ) -> list[VenueEvent]:
        """Cancel every order that can be cancelled."""

    def replace(
        self, order_id: str, changes: OrderChanges, at: datetime, *, market: MarketNow = MarketNow()
    ) -> list[VenueEvent]:
        """Replace an order by a successor with new ids (`replaced_by`, `replaces`)."""

    # prices

    def on_open_print(self, opening: OpenPrint, at: datetime) -> list[VenueEvent]:
        """Fill what the first trade of a bar fills; `at` is when that bar opens."""

    def on_bar(self, bar: Bar, at: datetime) -> list[VenueEvent]:
        """Fill what a complete bar fills; what filled at its opening print does not again."""

    def on_trade(
        self,
        symbol: str,
        price: float,
        at: datetime,
        *,
        session: SessionPhase = SessionPhase.REGULAR,
        bid: float | None = None,
        ask: float | None = None,
        only: Collection[str] | None = None,
    ) -> list[VenueEvent]:
        """Offer one price now. Without `bid` and `ask` the quote is half a spread around it.

        `only`: just these order ids, for a price the others have seen already. Orders that live
        for a moment (IOC, FOK) end here.
        """

    def on_auction(
        self, symbol: str, price: float, at: datetime, kind: AuctionKind
    ) -> list[VenueEvent]:
        """Fill the orders for an auction at its price and end what is left of them."""

    # time and corporate actions

    def on_session_open(
        self, at: datetime, *, phase: SessionPhase = SessionPhase.REGULAR
    ) -> list[VenueEvent]:
        """Confirm cancels that waited and make queued orders `new`; PRE: extended-hours only."""

    def on_session_close(
        self, at: datetime, *, phase: SessionPhase = SessionPhase.REGULAR
    ) -> list[VenueEvent]:
        """Let day orders lapse that were there before the close; POST: extended-hours ones."""

    def roll_day(self, at: datetime, marks: dict[str, Decimal]) -> list[VenueEvent]:
        """Close the books of a day: its equity and margin bound the next day's buying power."""

    def halt(self, symbol: str, at: datetime) -> list[VenueEvent]:
        """Stop matching a symbol; orders are still taken, and wait."""

    def resume(self, symbol: str, at: datetime) -> list[VenueEvent]:
        """Match a symbol again, at prices from now on."""

    def apply_split(
        self, symbol: str, shares_per_share: Decimal, price: Decimal, at: datetime
    ) -> list[VenueEvent]:
        """Turn each share into `shares_per_share`; `price` (after it) pays out fractions.

        Open orders of the symbol are cancelled.
        """

    def rename(self, symbol: str, new_symbol: str, at: datetime) -> list[VenueEvent]:
        """Give holdings and orders of a symbol its new name."""

    # memory

    def apply(self, event: VenueEvent) -> None:
        """Change by one recorded event and do nothing else."""

    def rebuild(self, events: Iterable[VenueEvent]) -> None:
        """Become the engine that recorded `events`. Only for a new engine."""

    def settle(self, at: datetime) -> list[VenueEvent]:
        """Record and return what follows from the state but was lost when the process died."""
