"""What the core was told of one order, and what is news in Alpaca's next report of it.

Alpaca is asked how an order stands, the core wants to hear what happened. The difference between
the two is made here, so that reports may repeat, skip steps or come late and every fact is told
once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from catalyst_bot.broker.alpaca_mapping import HELD, REPLACED, Report, is_pair, plain
from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import ExitReason, OrderKind, OrderRole, OrderStatus, Side
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.domain.money import CENT, SUB_PENNY, ZERO, round_price
from catalyst_bot.domain.trading import (
    ApprovedOrder,
    Fill,
    OrderTicket,
    stop_leg_id,
    target_leg_id,
)

PRICE_STEP = Decimal("0.00000001")
AVERAGE_STEP = Decimal("0.000001")


@dataclass(slots=True)
class Line:
    """One order or leg: what the core was told of it, and the last report.

    `stop_price` and `limit_price` are the last ones told; `seen_ids` are Alpaca's ids of the order
    and of what replaced it, so that an old report of a moved price is no news.
    """

    order_id: str
    role: OrderRole
    side: Side
    symbol: str
    stop_price: Decimal | None = None
    limit_price: Decimal | None = None
    is_accepted: bool = False
    is_over: bool = False
    filled_quantity: Decimal = ZERO
    filled_usd: Decimal = ZERO
    fees_usd: Decimal = ZERO
    seen_ids: set[str] = field(default_factory=set)
    report: Report | None = None

    @property
    def is_live_but_held(self) -> bool:
        """A stop that waits for its price: Alpaca holds it back, to us it is at work."""
        return self.is_accepted and self.report is not None and self.report.status == HELD

    def answer(self, report: Report, at: datetime) -> Iterator[Fact]:
        """Tell that Alpaca has the order."""
        if not self.is_accepted and (not report.is_final or report.filled_quantity > 0):
            self.is_accepted = True
            yield f.OrderAccepted(
                at=at, client_order_id=self.order_id, broker_order_id=report.broker_order_id
            )

    def fills(self, report: Report, at: datetime) -> Iterator[Fact]:
        """Tell what was filled since: Alpaca gives sums, the core wants executions."""
        quantity = report.filled_quantity - self.filled_quantity
        if not quantity > 0:
            return
        price = ((report.filled_usd - self.filled_usd) / quantity).quantize(PRICE_STEP)
        if not price > 0:  # rounded averages of a long chain: the average itself is near enough
            price = report.average_price or price
        price = self._on_tick(price, quantity, report)
        self.filled_quantity = report.filled_quantity
        self.filled_usd += price * quantity
        fee_usd = max(report.commission_usd - self.fees_usd, ZERO)
        self.fees_usd += fee_usd
        yield f.OrderFilled(
            at=at,
            fill=Fill(
                fill_id=ids.fill_id(self.order_id, plain(self.filled_quantity)),
                client_order_id=self.order_id,
                symbol=self.symbol,
                side=self.side,
                quantity=quantity,
                price=price.normalize(),
                fee_usd=fee_usd,
                filled_at=report.happened_at,
            ),
        )

    def _on_tick(self, price: Decimal, quantity: Decimal, report: Report) -> Decimal:
        """Return the tick near the price that explains the average, which Alpaca rounds."""
        for step in (CENT, SUB_PENNY):
            executed = price.quantize(step)
            filled_usd = self.filled_usd + executed * quantity
            apart = abs(filled_usd / report.filled_quantity - (report.average_price or ZERO))
            if executed > 0 and apart <= AVERAGE_STEP:
                return executed
        return price

    def changes(self, report: Report, at: datetime) -> Iterator[Fact]:
        """Tell a stop or limit that moved: the order was replaced by one with another price."""
        is_old = report.broker_order_id in self.seen_ids
        self.seen_ids.add(report.broker_order_id)
        if is_old or report.is_final:
            return
        stop_price = _moved(self.stop_price, report.stop_price)
        limit_price = _moved(self.limit_price, report.limit_price)
        if stop_price is None and limit_price is None:
            return
        self.stop_price = stop_price or self.stop_price
        self.limit_price = limit_price or self.limit_price
        yield f.OrderReplaced(
            at=at, client_order_id=self.order_id, stop_price=stop_price, limit_price=limit_price
        )

    def end(self, report: Report, at: datetime, *, is_alone: bool) -> Iterator[Fact]:
        """Tell how it ended; being filled is no end to tell, being replaced by another neither.

        By which other may be told later: the stream speaks of the old order first. Only one that
        `is_alone` not is "replaced" by nothing, when its sibling sold.
        """
        is_replaced = report.status == REPLACED and (report.replaced_by or is_alone)
        if self.is_over or not report.is_final or is_replaced:
            return
        self.is_over = True
        if report.order_status is OrderStatus.CANCELLED:
            yield f.OrderCancelled(
                at=at, client_order_id=self.order_id, reason=f"{report.status} at Alpaca"
            )
        elif report.order_status is OrderStatus.EXPIRED:
            yield f.OrderExpired(at=at, client_order_id=self.order_id)
        elif report.order_status is OrderStatus.REJECTED:
            yield f.OrderRejected(
                at=at, client_order_id=self.order_id, reason="rejected by Alpaca after acceptance"
            )


@dataclass(slots=True)
class Placed:
    """An order of ours with the legs it brings along; an exit has none.

    `rejection` is why Alpaca would not take it, empty when it did or has not answered yet.
    """

    order: ApprovedOrder
    valid_until: datetime
    line: Line
    legs: tuple[Line, ...]
    rejection: str = ""

    @property
    def is_pair(self) -> bool:
        """The order is itself one of two that sell what is held; one cancels the other."""
        return is_pair(self.order)

    @property
    def is_open(self) -> bool:
        """Something may still happen to it at Alpaca."""
        has_legs = self.line.filled_quantity > 0 or (self.is_pair and self.line.is_accepted)
        return not self.line.is_over or (has_legs and any(not leg.is_over for leg in self.legs))

    def whole(self, line: Line) -> Decimal:
        """Return how much an order or leg can fill at most, by what was told so far.

        Legs sell what was bought; of a pair, one sells what the other has not sold.
        """
        if line is self.line and not self.is_pair:
            return self.order.quantity
        whole = self.order.quantity if self.is_pair else self.line.filled_quantity
        sellers = self.lines if self.is_pair else self.legs
        return whole - sum((other.filled_quantity for other in sellers if other is not line), ZERO)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The order and its legs."""
        return (self.line, *self.legs)

    def ticket(self, line: Line) -> OrderTicket | None:
        """Return where the order or leg stands by its last report; None before the first."""
        report, order = line.report, self.order
        if report is None:
            return None
        is_leg = line is not self.line
        waits_at = line.limit_price or line.stop_price
        return OrderTicket(
            client_order_id=line.order_id,
            broker_order_id=report.broker_order_id,
            trade_id=order.trade_id,
            catalyst_id=order.catalyst_id,
            strategy_id=order.strategy_id,
            symbol=order.symbol,
            role=line.role,
            side=line.side,
            kind=_LEG_KINDS.get(line.role, order.kind),
            status=OrderStatus.WORKING if line.is_live_but_held else report.order_status,
            quantity=report.quantity,
            filled_quantity=report.filled_quantity,
            reference_price=waits_at if is_leg and waits_at else order.reference_price,
            limit_price=line.limit_price,
            stop_price=line.stop_price,
            exit_reason=_LEG_REASONS.get(line.role, order.exit_reason),
            submitted_at=report.submitted_at,
        )


_LEG_KINDS = {OrderRole.STOP_LOSS: OrderKind.STOP, OrderRole.TAKE_PROFIT: OrderKind.LIMIT}
_LEG_REASONS = {
    OrderRole.STOP_LOSS: ExitReason.STOP_LOSS,
    OrderRole.TAKE_PROFIT: ExitReason.TAKE_PROFIT,
}


def placed(command: SubmitOrder) -> Placed:
    """Return what is known of an order that was promised and not told about yet."""
    order = command.order
    order_id, symbol = order.client_order_id, order.symbol
    legs = []
    if order.stop_loss_price is not None and (order.side is Side.BUY or is_pair(order)):
        stop = Line(stop_leg_id(order_id), OrderRole.STOP_LOSS, Side.SELL, symbol)
        stop.stop_price = order.stop_loss_price
        legs.append(stop)
    if order.side is Side.BUY and order.take_profit_price is not None:
        target = Line(target_leg_id(order_id), OrderRole.TAKE_PROFIT, Side.SELL, symbol)
        target.limit_price = order.take_profit_price
        legs.append(target)
    line = Line(order_id, order.role, order.side, symbol)
    line.limit_price = order.limit_price
    if order.kind is OrderKind.STOP:
        line.stop_price = order.stop_loss_price
    return Placed(order, command.valid_until, line, tuple(legs))


def _moved(told: Decimal | None, reported: Decimal | None) -> Decimal | None:
    """Return the new price where there was another one before; what was told may lie off tick."""
    if told is None or reported is None or reported in {told, round_price(told)}:
        return None
    return reported
