"""All orders of ours, and the news that Alpaca's reports hold about them.

Nothing is kept on disk: after a restart the journal says what was told (`learn`) and Alpaca how
things stand, so the same book comes out of both. Reports come from REST answers and from the
stream; which brought what first makes no difference, and every fact is told once. An order is ours
only when it is in the journal; whatever else the account holds is told in snapshots and otherwise
left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from catalyst_bot.alpaca.reading import alpaca_symbol
from catalyst_bot.broker.alpaca_lines import Line, Placed, placed
from catalyst_bot.broker.alpaca_mapping import HELD, Report, chain, flat
from catalyst_bot.broker.alpaca_reports import Reports
from catalyst_bot.domain.account import BrokerOrder
from catalyst_bot.domain.enums import OrderRole, Side
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import UNDER_WAY, SubmitOrder
from catalyst_bot.domain.messages.registry import Fact, Message
from catalyst_bot.domain.money import ZERO

_STOPS = frozenset({"stop", "stop_limit", "trailing_stop"})
TAKEN = "another order has its id"
_ENDS = (f.OrderCancelled, f.OrderExpired, f.OrderRejected, f.SubmitSuppressed)


class Book:
    """Our orders by client order id, legs included."""

    def __init__(self) -> None:
        self._placed: dict[str, Placed] = {}
        self._lines: dict[str, tuple[Placed, Line]] = {}
        self._reports = Reports()
        self._noted_ids: set[str] = set()

    def add(self, command: SubmitOrder) -> Placed:
        """Take in an order that is about to be sent; the same id again is the same order."""
        order_id = command.order.client_order_id
        if order_id not in self._placed:
            new = placed(command)
            self._placed[order_id] = new
            self._lines.update({line.order_id: (new, line) for line in new.lines})
        return self._placed[order_id]

    def forget(self, ours: Placed) -> None:
        """Leave out an order whose id another order has: what is told of that one is not ours."""
        self._placed.pop(ours.line.order_id, None)
        for line in ours.lines:
            self._lines.pop(line.order_id, None)

    def find(self, order_id: str) -> tuple[Placed, Line] | None:
        """Return an order or leg of ours; None when the bot never had it."""
        return self._lines.get(order_id)

    def is_ours(self, report: Report) -> bool:
        """True for an order of ours, its legs and replacements, as far as Alpaca has told us."""
        known = self._reports.family(report)
        return known is not None or report.client_order_id in self._placed

    def is_our_id(self, broker_order_id: str) -> bool:
        """True when Alpaca's id is known as one of our orders."""
        return broker_order_id in self._reports.known or broker_order_id in self._noted_ids

    def note_id(self, broker_order_id: str) -> None:
        """Remember Alpaca's id of an order of ours."""
        self._noted_ids.add(broker_order_id)

    def open_since(self, otherwise: datetime) -> datetime:
        """Return when the oldest order was approved to which something may still happen."""
        still_open = (ours.order for ours in self._placed.values() if ours.is_open)
        return min((order.approved_at for order in still_open), default=otherwise)

    def has_open(self) -> bool:
        """True while something may still happen to an order of ours."""
        return any(ours.is_open for ours in self._placed.values())

    def unanswered(self) -> list[str]:
        """Return the ids of orders that were promised and of which nothing was told."""
        return [
            order_id
            for order_id, ours in self._placed.items()
            if not (ours.line.is_accepted or ours.line.is_over)
        ]

    def missing(self, found: Mapping[str, Report]) -> set[str]:
        """Return Alpaca's ids of orders that replaced one of ours and were not in the answer."""
        ours = [report for report in found.values() if report.client_order_id in self._placed]
        ends = [chain(each, found)[-1] for report in ours for each in (report, *report.legs)]
        return {end.replaced_by for end in ends} - found.keys() - {""}

    def held(self) -> dict[str, Decimal]:
        """Return the shares our fills left us, by symbol."""
        shares: defaultdict[str, Decimal] = defaultdict(Decimal)
        for _, line in self._lines.values():
            is_bought = line.side is Side.BUY
            shares[line.symbol] += line.filled_quantity if is_bought else -line.filled_quantity
        return {symbol: quantity for symbol, quantity in shares.items() if quantity != ZERO}

    def our_symbols(self) -> dict[str, str]:
        """Return how we spell the symbols of our orders, by Alpaca's spelling."""
        return {alpaca_symbol(line.symbol): line.symbol for _, line in self._lines.values()}

    def news(self, found: Iterable[Report], at: datetime, *, is_whole: bool = True) -> list[Fact]:
        """Return what is new in reports of orders (and their legs), and remember it.

        One order alone (of the stream) is not the whole picture: that a leg is cancelled is told
        only when one answer shows it together with what its sibling did, because a lost stop and a
        spent one look alike.
        """
        reports = list(found)
        touched = self._reports.take(reports, self._placed)
        ended = {each.broker_order_id for each in flat(reports).values() if each.is_final}
        facts: list[Fact] = []
        for family in sorted(touched, key=self._approved_at):
            facts += self._news_of(self._placed[family], at, ended if is_whole else set())
        return facts

    def open_orders(self, found: Mapping[str, Report]) -> list[BrokerOrder]:
        """Return our orders and legs at work by an answer that was taken in with `news`.

        A leg whose sibling sold everything is only waiting for its end.
        """
        at_work = []
        for ours in self._placed.values():
            sellers = ours.lines if ours.is_pair else ours.legs
            is_sold = any(each.report and each.report.status == "filled" for each in sellers)
            for line in ours.lines:
                report = line.report
                if report is None or report.broker_order_id not in found or report.is_final:
                    continue
                if line in sellers and (is_sold or not line.is_accepted):
                    continue
                at_work.append(_broker_order(report, line.order_id, line.symbol))
        return at_work

    def others(self, found: Mapping[str, Report]) -> list[BrokerOrder]:
        """Return the open orders in an answer that are not ours."""
        return [
            _broker_order(report, report.client_order_id or report.broker_order_id, report.symbol)
            for report in found.values()
            if not (report.is_final or report.status == HELD or self.is_ours(report))
        ]

    def learn(self, messages: Iterable[Message]) -> None:
        """Fold a journal: what was promised, and what the core was told of it."""
        for message in messages:
            if isinstance(message, SubmitOrder):
                self.add(message)
            elif isinstance(message, f.OrderFilled):
                self._learn_fill(message)
            else:
                self._learn_step(message)

    def _approved_at(self, family: str) -> tuple[datetime, str]:
        return self._placed[family].order.approved_at, family

    def _news_of(self, ours: Placed, at: datetime, ended: set[str]) -> Iterator[Fact]:
        """Fills before ends: what a leg sold explains why its sibling was cancelled.

        Alpaca lets the legs of an entry wait until it is completely filled, and holds a stop back
        even then.
        """
        root = self._reports.root(ours.order.client_order_id)
        if root is None:
            return
        entry = self._reports.standing(root)
        ours.line.report = entry
        pairs = [(ours.line, entry), *self._legs_of(ours, root, entry)]
        is_bought = entry.is_final or ours.is_pair  # all of it, or all that will be
        for line, stands in pairs:
            if line is ours.line or is_bought or stands.status != HELD:
                yield from line.answer(stands, at)
            yield from line.fills(stands, at)
        for line, stands in pairs:
            yield from line.changes(stands, at)
            is_alone = not ours.legs or (line is ours.line and not ours.is_pair)
            if is_alone or stands.broker_order_id in ended:
                yield from line.end(stands, at, is_alone=is_alone)

    def _legs_of(self, ours: Placed, root: Report, entry: Report) -> Iterator[tuple[Line, Report]]:
        """Yield the legs that can be told: not of what is not bought, as far as is known yet."""
        legs = self._reports.legs(root)
        for line, leg in ((line, _leg_of(line, legs)) for line in ours.legs):
            if leg is None:
                continue
            line.report = self._reports.standing(leg)
            is_explained = line.report.filled_quantity <= entry.filled_quantity > 0
            if is_explained or ours.is_pair:
                yield line, line.report

    def _learn_fill(self, message: f.OrderFilled) -> None:
        known = self._lines.get(message.fill.client_order_id)
        if known is None:
            return
        ours, line = known
        line.is_accepted = True
        line.filled_quantity += message.fill.quantity
        line.filled_usd += message.fill.quantity * message.fill.price
        line.fees_usd += message.fill.fee_usd
        line.is_over = line.is_over or line.filled_quantity >= ours.whole(line)

    def _learn_step(self, message: Message) -> None:
        known = self._lines.get(getattr(message, "client_order_id", ""))
        if known is None:
            return
        ours, line = known
        match message:
            case f.OrderAccepted():
                line.is_accepted = True
                self.note_id(message.broker_order_id)
            case f.OrderReplaced():
                line.stop_price = message.stop_price or line.stop_price
                line.limit_price = message.limit_price or line.limit_price
            case f.OrderLookedUp():
                give_up(ours, message, message.at)
            case _ if isinstance(message, _ENDS):
                line.is_over = True
        if isinstance(message, f.OrderRejected):
            ours.rejection = message.reason
            if message.reason == TAKEN:
                self.forget(ours)


def give_up(ours: Placed, answer: f.OrderLookedUp, at: datetime) -> None:
    """Alpaca does not know the order and it can no longer be on its way: it is not waited for."""
    if answer.ticket is None and not at < ours.valid_until + UNDER_WAY:
        ours.line.is_over = True


def _leg_of(line: Line, legs: Iterable[Report]) -> Report | None:
    """Return the oldest leg of the line's kind; what replaced it follows from there."""
    is_stop = line.role is OrderRole.STOP_LOSS
    of_kind = [leg for leg in legs if (leg.kind in _STOPS) is is_stop]
    return min(of_kind, key=lambda leg: leg.submitted_at, default=None)


def _broker_order(report: Report, order_id: str, symbol: str) -> BrokerOrder:
    return BrokerOrder(
        client_order_id=order_id,
        broker_order_id=report.broker_order_id,
        symbol=symbol,
        quantity=report.quantity,
        filled_quantity=report.filled_quantity,
        side=report.side,
        limit_price=report.limit_price,
    )
