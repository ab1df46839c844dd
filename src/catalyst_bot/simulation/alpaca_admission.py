"""Why Alpaca would not take an order, in its words (ALPACA.md 1 and 3).

Which rule is named when several are broken is not documented. Here the order's own fields come
first, then its prices against the market, then the account, as the recorded bodies suggest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from catalyst_bot.domain.enums import OrderKind, Side, TimeInForce
from catalyst_bot.domain.money import CENT, whole_shares
from catalyst_bot.simulation.admission import Applicant, plain, quantity_refusal
from catalyst_bot.simulation.entering import inferred_intent
from catalyst_bot.simulation.fill_rules import is_on_tick
from catalyst_bot.simulation.order_request import OrderClass, OrderRequest, PositionIntent
from catalyst_bot.simulation.refusals import Refusal, RefusalKind
from catalyst_bot.simulation.venue_order import VenueOrder

_LEAST_ORDER_USD = Decimal(1)
_HARD_KINDS = frozenset({OrderKind.MARKET, OrderKind.STOP})


def alpaca_refusal(applicant: Applicant) -> Refusal | None:
    """Return the first rule that a request breaks, or None to take it."""
    for rule in _RULES:
        refusal = rule(applicant)
        if refusal is not None:
            return refusal
    return None


def _fields(applicant: Applicant) -> Refusal | None:
    """Guard the books against what a face should not have let through."""
    request = applicant.request
    amount = request.notional_usd if request.quantity is None else request.quantity
    if amount is None:
        return Refusal(kind=RefusalKind.SHAPE, message="qty or notional is required")
    if not amount > 0:
        return Refusal(kind=RefusalKind.SHAPE, message="qty must be > 0")
    for name, price in (
        ("limit_price", request.limit_price),
        ("stop_price", request.stop_price),
        ("stop_loss.stop_price", request.stop_loss_price),
        ("stop_loss.limit_price", request.stop_loss_limit_price),
        ("take_profit.limit_price", request.take_profit_price),
    ):
        if price is not None and not is_on_tick(price):
            return tick_refusal(name, price)
    return None


def tick_refusal(name: str, price: Decimal) -> Refusal:
    """Return the refusal of a price between two ticks."""
    return Refusal(
        kind=RefusalKind.PRICE_TICK,
        message=(
            f"invalid {name} {plain(price)}. "
            "sub-penny increment does not fulfill minimum pricing criteria"
        ),
    )


def _fractions(applicant: Applicant) -> Refusal | None:
    request = applicant.request
    is_notional = request.notional_usd is not None
    quantity = request.quantity
    if not is_notional and (quantity is None or quantity == whole_shares(quantity)):
        return None
    if request.order_class is not OrderClass.SIMPLE:
        return _fractional("fractional orders must be simple orders")
    if request.time_in_force is not TimeInForce.DAY:
        return _fractional("fractional orders must be DAY orders")
    if applicant.intent is PositionIntent.SELL_TO_OPEN:
        return _fractional("fractional orders cannot be sold short")
    return None


def _fractional(message: str) -> Refusal:
    return Refusal(kind=RefusalKind.FRACTIONAL, message=message)


def _notional_beside_exits(applicant: Applicant) -> Refusal | None:
    request = applicant.request
    if request.notional_usd is None or applicant.intent.is_closing:
        return None
    if any(o.position_intent.is_closing for o in applicant.state.open_orders(request.symbol)):
        return Refusal(
            kind=RefusalKind.NOTIONAL,
            message="unable to open new notional orders while having open closing position orders",
        )
    return None


def _intent(applicant: Applicant) -> Refusal | None:
    request = applicant.request
    inferred = inferred_intent(request.side, applicant.state.account.held(request.symbol))
    specified = request.position_intent
    if specified is not None and specified is not inferred:
        return Refusal(
            kind=RefusalKind.POSITION_INTENT,
            message=f"position intent mismatch, inferred: {inferred}, specified: {specified}",
        )
    return None


def _class_and_position(applicant: Applicant) -> Refusal | None:
    order_class, is_closing = applicant.request.order_class, applicant.intent.is_closing
    if order_class is OrderClass.OCO and not is_closing:
        return Refusal(kind=RefusalKind.SHAPE, message="oco orders must be exit orders")
    if order_class in {OrderClass.BRACKET, OrderClass.OTO} and is_closing:
        message = f"{order_class} orders must be entry orders"
        return Refusal(kind=RefusalKind.SHAPE, message=message)
    return None


def _base_prices(applicant: Applicant) -> Refusal | None:
    """Each exit lies a cent or more beyond the market and beyond the entry's own limit."""
    request = applicant.request
    if request.order_class is OrderClass.SIMPLE:
        return None
    refusal = leg_prices_refusal(request)
    if refusal is not None:
        return refusal
    bases = [applicant.market.last or request.reference_price]
    if request.limit_price is not None:
        bases.append(request.limit_price)
    for base in bases:
        refusal = _beyond_base(request, base)
        if refusal is not None:
            return refusal
    return None


def leg_prices_refusal(request: OrderRequest) -> Refusal | None:
    """Return the refusal of a take profit on the wrong side of the stop loss, else None."""
    is_oco = request.order_class is OrderClass.OCO
    target = request.limit_price if is_oco else request.take_profit_price
    stop = request.stop_loss_price
    if target is None or stop is None:
        return None
    if exits_upwards(request):
        is_wrong, sign = not target > stop, ">"
    else:
        is_wrong, sign = not target < stop, "<"
    if not is_wrong:
        return None
    return Refusal(
        kind=RefusalKind.LEG_PRICES,
        message=f"take_profit.limit_price must be {sign} stop_loss.stop_price",
    )


def exits_upwards(request: OrderRequest) -> bool:
    """Tell whether the take profit of a request is above its stop loss: it guards a long."""
    if request.order_class is OrderClass.OCO:
        return request.side is Side.SELL
    return request.side is Side.BUY


def _beyond_base(request: OrderRequest, base: Decimal) -> Refusal | None:
    stop, target = request.stop_loss_price, request.take_profit_price
    upwards = exits_upwards(request)
    rules = [
        ("stop_loss.stop_price", stop, not upwards),
        ("take_profit.limit_price", target, upwards),
    ]
    for name, price, is_above in rules:
        if price is None:
            continue
        if is_above and not price >= base + CENT:
            return _base_refusal(f"{name} must be >= base_price + 0.01", base)
        if not is_above and not price <= base - CENT:
            return _base_refusal(f"{name} must be <= base_price - 0.01", base)
    return None


def _base_refusal(message: str, base: Decimal) -> Refusal:
    return Refusal(
        kind=RefusalKind.BASE_PRICE, message=message, context={"base_price": plain(base)}
    )


def _stop_price(applicant: Applicant) -> Refusal | None:
    request = applicant.request
    return stop_refusal(request.side, request.stop_price, applicant.market.last)


def stop_refusal(side: Side, stop: Decimal | None, last: Decimal | None) -> Refusal | None:
    """Return the refusal of a stop that the market has met already, else None."""
    if stop is None or last is None:
        return None
    is_far = stop > last if side is Side.BUY else stop < last
    if is_far:
        return None
    word = "greater" if side is Side.BUY else "less"
    return Refusal(
        kind=RefusalKind.STOP_PRICE,
        message=f"stop price must be {word} than current price",
        context={"market_price": plain(last), "stop_price": plain(stop)},
    )


def _shorting(applicant: Applicant) -> Refusal | None:
    if applicant.intent is not PositionIntent.SELL_TO_OPEN:
        return None
    if applicant.allow_short and applicant.figures.may_short:
        return None
    return Refusal(kind=RefusalKind.SHORTING, message="account is not allowed to short")


def _opposite(applicant: Applicant) -> Refusal | None:
    """A flat account has orders that open on one side only."""
    state, symbol = applicant.state, applicant.request.symbol
    if applicant.intent.is_closing or state.account.held(symbol) != 0:
        return None
    for order in _against(applicant):
        if not order.position_intent.is_closing:
            return Refusal(
                kind=RefusalKind.OPPOSITE_ORDER,
                message="cannot have a short sell order open at the same time as a long buy",
            )
    return None


def wash_trade_refusal(applicant: Applicant) -> Refusal | None:
    """Return the refusal of an order that might trade with another of its owner, else None."""
    request = applicant.request
    if _is_exempt(request.order_class, request.kind):
        return None
    for order in _against(applicant):
        if _is_exempt(order.request.order_class, order.kind):
            continue
        reason = _wash_reason(request, order)
        if reason is not None:
            return Refusal(
                kind=RefusalKind.WASH_TRADE,
                message="potential wash trade detected. use complex orders",
                context={"existing_order_id": order.order_id, "reject_reason": reason},
            )
    return None


def _is_exempt(order_class: OrderClass, kind: OrderKind) -> bool:
    return order_class is not OrderClass.SIMPLE or kind is OrderKind.TRAILING_STOP


def _wash_reason(request: OrderRequest, order: VenueOrder) -> str | None:
    if request.kind in _HARD_KINDS or order.kind in _HARD_KINDS:
        return "opposite side market/stop order exists"
    assert request.limit_price is not None
    assert order.limit_price is not None
    buy, sell = request.limit_price, order.limit_price
    if request.side is Side.SELL:
        buy, sell = sell, buy
    return "opposite side limit order exists" if buy >= sell else None


def _against(applicant: Applicant) -> Iterator[VenueOrder]:
    request = applicant.request
    for order in applicant.state.open_orders(request.symbol):
        if order.side is not request.side:
            yield order


def _quantity(applicant: Applicant) -> Refusal | None:
    return quantity_refusal(applicant) if applicant.intent.is_closing else None


def _cost_basis(applicant: Applicant) -> Refusal | None:
    request = applicant.request
    worth_usd = request.notional_usd
    if worth_usd is None:
        assert request.quantity is not None
        worth_usd = request.quantity * (request.limit_price or request.reference_price)
    if worth_usd >= _LEAST_ORDER_USD or applicant.intent.is_closing:
        return None
    return Refusal(
        kind=RefusalKind.COST_BASIS,
        message=f"cost basis must be >= minimal amount of order {_LEAST_ORDER_USD}",
        context={"cost_basis": plain(worth_usd)},
    )


def _concentration(applicant: Applicant) -> Refusal | None:
    if applicant.intent.is_closing or not applicant.figures.is_closing_only:
        return None
    return Refusal(
        kind=RefusalKind.CLOSING_ONLY, message="account is restricted to liquidation only"
    )


def _buying_power(applicant: Applicant) -> Refusal | None:
    if applicant.intent.is_closing:
        return None
    return buying_power_refusal(applicant.cost_usd, applicant.figures.buying_power_usd)


def buying_power_refusal(cost_usd: Decimal, free_usd: Decimal) -> Refusal | None:
    """Return the refusal of an order that costs more than may be spent, else None."""
    if cost_usd <= free_usd:
        return None
    return Refusal(
        kind=RefusalKind.BUYING_POWER,
        message="insufficient buying power",
        context={"buying_power": plain(max(free_usd, Decimal(0))), "cost_basis": plain(cost_usd)},
    )


_RULES: tuple[Callable[[Applicant], Refusal | None], ...] = (
    _fields,
    _fractions,
    _intent,
    _class_and_position,
    _notional_beside_exits,
    _base_prices,
    _stop_price,
    _shorting,
    _opposite,
    wash_trade_refusal,
    _quantity,
    _cost_basis,
    _concentration,
    _buying_power,
)
