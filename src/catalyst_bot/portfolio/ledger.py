"""Double-entry arithmetic of cash and positions: exact, long only, average cost.

Every function takes books and returns books. `decide` uses them to say what a fill will do,
`evolve` to do it; being the same functions they cannot disagree. Nothing is divided except for
show and for the cost of a partial sale, which is rounded once (1e-8) and carried exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.account import AccountView, Position
from catalyst_bot.domain.enums import ExitReason, Side
from catalyst_bot.domain.ids import fill_id
from catalyst_bot.domain.messages.decisions import CashAdjusted
from catalyst_bot.domain.money import ZERO, whole_shares
from catalyst_bot.domain.trading import ClosedTrade, Fill
from catalyst_bot.portfolio.state import Books, Origin, State, TradeRecord

FINE = Decimal("0.00000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """What a fill did: the new books, the position before and after, and what was not booked.

    `unbooked_quantity` is the part of a sale beyond what was held: the books never go short.
    """

    books: Books
    before: Position | None
    after: Position | None
    record: TradeRecord | None
    unbooked_quantity: Decimal


def start(books: Books, cash_usd: Decimal) -> Books:
    """Return the books of a new account; books that were started before stay as they are."""
    if books.start_equity_usd > 0:
        return books
    return Books(
        cash_usd=cash_usd,
        start_equity_usd=cash_usd,
        day_open_equity_usd=cash_usd,
        peak_equity_usd=cash_usd,
    )


def apply_fill(books: Books, fill: Fill, origin: Origin) -> Booked:
    """Book one fill, fee included. The caller has seen to it that it is booked once."""
    before = books.positions.get(fill.symbol)
    if fill.side is Side.BUY:
        return _buy(books, fill, origin, before)
    if before is None:
        return Booked(
            books=books, before=None, after=None, record=None, unbooked_quantity=fill.quantity
        )
    return _sell(books, fill, before)


def _buy(books: Books, fill: Fill, origin: Origin, before: Position | None) -> Booked:
    value_usd = fill.quantity * fill.price
    held = books.trades.get(fill.symbol, _NO_TRADE)
    record = replace(
        held,
        cost_usd=held.cost_usd + value_usd,
        bought_quantity=held.bought_quantity + fill.quantity,
        bought_usd=held.bought_usd + value_usd,
        fees_usd=held.fees_usd + fill.fee_usd,
    )
    position = before if before is not None else _empty_position(fill, origin)
    quantity = position.quantity + fill.quantity
    after = replace(
        position,
        quantity=quantity,
        average_cost=_ratio(record.cost_usd, quantity),
        entry_quantity=position.entry_quantity + fill.quantity,
        entry_fees_usd=position.entry_fees_usd + fill.fee_usd,
        last_price=fill.price,
        marked_at=fill.filled_at,
    )
    changed = replace(
        books,
        cash_usd=books.cash_usd - value_usd - fill.fee_usd,
        realised_usd=books.realised_usd - fill.fee_usd,
        fees_usd=books.fees_usd + fill.fee_usd,
        positions={**books.positions, fill.symbol: after},
        trades={**books.trades, fill.symbol: record},
    )
    return Booked(books=changed, before=before, after=after, record=record, unbooked_quantity=ZERO)


def _sell(books: Books, fill: Fill, before: Position) -> Booked:
    quantity = min(fill.quantity, before.quantity)
    left = before.quantity - quantity
    value_usd = quantity * fill.price
    held = books.trades[fill.symbol]
    sold_cost_usd = _cost_of(quantity, before.quantity, held.cost_usd)
    record = replace(
        held,
        cost_usd=held.cost_usd - sold_cost_usd,
        sold_quantity=held.sold_quantity + quantity,
        sold_usd=held.sold_usd + value_usd,
        fees_usd=held.fees_usd + fill.fee_usd,
    )
    gain_usd = value_usd - sold_cost_usd - fill.fee_usd
    after = replace(
        before,
        quantity=left,
        realised_usd=before.realised_usd + gain_usd,
        last_price=fill.price,
        marked_at=fill.filled_at,
    )
    others = {symbol: p for symbol, p in books.positions.items() if symbol != fill.symbol}
    records = {symbol: r for symbol, r in books.trades.items() if symbol != fill.symbol}
    is_flat = left == 0
    changed = replace(
        books,
        cash_usd=books.cash_usd + value_usd - fill.fee_usd,
        realised_usd=books.realised_usd + gain_usd,
        fees_usd=books.fees_usd + fill.fee_usd,
        positions=others if is_flat else {**others, fill.symbol: after},
        trades=records if is_flat else {**records, fill.symbol: record},
    )
    return Booked(
        books=changed,
        before=before,
        after=None if is_flat else after,
        record=record,
        unbooked_quantity=fill.quantity - quantity,
    )


_NO_TRADE = TradeRecord(
    cost_usd=ZERO,
    bought_quantity=ZERO,
    bought_usd=ZERO,
    sold_quantity=ZERO,
    sold_usd=ZERO,
    fees_usd=ZERO,
)


def _empty_position(fill: Fill, origin: Origin) -> Position:
    return Position(
        trade_id=origin.trade_id,
        catalyst_id=origin.catalyst_id,
        strategy_id=origin.strategy_id,
        symbol=fill.symbol,
        quantity=ZERO,
        average_cost=ZERO,
        entry_quantity=ZERO,
        entry_fees_usd=ZERO,
        realised_usd=ZERO,
        last_price=fill.price,
        opened_at=fill.filled_at,
        marked_at=fill.filled_at,
    )


def _cost_of(quantity: Decimal, held_quantity: Decimal, cost_usd: Decimal) -> Decimal:
    """Cost of a part of what is held, at average cost; the last part takes what is left."""
    if quantity == held_quantity:
        return cost_usd
    return (cost_usd * quantity / held_quantity).quantize(FINE)


def _ratio(amount_usd: Decimal, quantity: Decimal) -> Decimal:
    """A price per share, with at most eight decimals and no zeros at the end."""
    price = (amount_usd / quantity).quantize(FINE).normalize()
    return price.quantize(Decimal(1)) if price == price.to_integral_value() else price


def closed_trade(
    position: Position, record: TradeRecord, *, fill: Fill, reason: ExitReason
) -> ClosedTrade:
    """Return the finished round trip that `fill` closed.

    Prices are weighted by volume, `pnl_usd` = all proceeds - all cost - all fees, `pnl_fraction`
    is per dollar that the entries cost.
    """
    pnl_usd = record.sold_usd - record.bought_usd - record.fees_usd
    return ClosedTrade(
        trade_id=position.trade_id,
        catalyst_id=position.catalyst_id,
        strategy_id=position.strategy_id,
        symbol=position.symbol,
        side=Side.BUY,
        quantity=record.bought_quantity,
        entry_at=position.opened_at,
        entry_price=_ratio(record.bought_usd, record.bought_quantity),
        exit_at=fill.filled_at,
        exit_price=_ratio(record.sold_usd, record.sold_quantity),
        exit_reason=reason,
        fees_usd=record.fees_usd,
        pnl_usd=pnl_usd,
        pnl_fraction=float(pnl_usd / record.bought_usd),
    )


def adopt_fill(books: Books, fill: Fill, origin: Origin, *, is_in_cash: bool) -> Booked:
    """Book a trade that was not ours. What was held before our books began moved no cash of ours:
    then its cost was always part of the account, and is no profit.
    """
    booked = apply_fill(books, fill, origin)
    if is_in_cash:
        return booked
    value_usd = fill.quantity * fill.price + fill.fee_usd
    return replace(booked, books=external_flow(booked.books, value_usd))


def external_flow(books: Books, amount_usd: Decimal) -> Books:
    """Take in a deposit (or, below zero, a withdrawal): money, but no profit or loss."""
    return replace(
        books,
        cash_usd=books.cash_usd + amount_usd,
        start_equity_usd=books.start_equity_usd + amount_usd,
        day_open_equity_usd=books.day_open_equity_usd + amount_usd,
        peak_equity_usd=books.peak_equity_usd + amount_usd,
    )


def adjust_cash(books: Books, message: CashAdjusted) -> Books:
    """Take in what moved the broker's cash: a flow, or fees and interest of no trade."""
    if message.is_flow:
        return external_flow(books, message.amount_usd)
    return replace(
        books,
        cash_usd=books.cash_usd + message.amount_usd,
        realised_usd=books.realised_usd + message.amount_usd,
        fees_usd=books.fees_usd - message.amount_usd,
    )


def split(books: Books, symbol: str, shares_per_share: Decimal, at: datetime) -> Booked:
    """Rescale a position: more (or fewer) shares that are worth less (or more), the same money.

    Whole shares stay whole: the fraction of a share that is left over is paid in cash, at the
    last price.
    """
    before, record = books.positions.get(symbol), books.trades.get(symbol)
    if before is None or record is None:
        return Booked(books=books, before=None, after=None, record=None, unbooked_quantity=ZERO)
    scaled = replace(
        before,
        quantity=_plain(before.quantity * shares_per_share),
        average_cost=_ratio(record.cost_usd, before.quantity * shares_per_share),
        entry_quantity=_plain(before.entry_quantity * shares_per_share),
        last_price=_ratio(before.last_price, shares_per_share),
        marked_at=at,
    )
    record = replace(
        record,
        bought_quantity=_plain(record.bought_quantity * shares_per_share),
        sold_quantity=_plain(record.sold_quantity * shares_per_share),
    )
    changed = replace(
        books,
        positions={**books.positions, symbol: scaled},
        trades={**books.trades, symbol: record},
    )
    fraction = scaled.quantity - whole_shares(scaled.quantity)
    if fraction == 0 or before.quantity != whole_shares(before.quantity):
        return Booked(
            books=changed, before=before, after=scaled, record=record, unbooked_quantity=ZERO
        )
    return _sell(changed, cash_in_lieu(scaled, fraction, at), scaled)


def cash_in_lieu(position: Position, fraction: Decimal, at: datetime) -> Fill:
    """Return the sale of a fraction of a share that a split leaves over."""
    order_id = f"split-{position.trade_id}"
    return Fill(
        fill_id=fill_id(order_id, at.isoformat()),
        client_order_id=order_id,
        symbol=position.symbol,
        side=Side.SELL,
        quantity=fraction,
        price=position.last_price,
        fee_usd=ZERO,
        filled_at=at,
    )


def rename(books: Books, symbol: str, new_symbol: str) -> Books:
    """Carry a position on under its new symbol; nothing moves when that one is held too."""
    position, record = books.positions.get(symbol), books.trades.get(symbol)
    if position is None or record is None or new_symbol in books.positions:
        return books
    positions = {s: p for s, p in books.positions.items() if s != symbol}
    trades = {s: r for s, r in books.trades.items() if s != symbol}
    return replace(
        books,
        positions={**positions, new_symbol: replace(position, symbol=new_symbol)},
        trades={**trades, new_symbol: record},
    )


def _plain(quantity: Decimal) -> Decimal:
    """The same number without zeros behind the point."""
    whole = whole_shares(quantity)
    return whole if quantity == whole else quantity.normalize()


def mark_price(books: Books, symbol: str, price: Decimal, at: datetime) -> Books:
    """Value a held symbol at a new price; books without it stay as they are."""
    position = books.positions.get(symbol)
    if position is None:
        return books
    marked = position.marked(price, at)
    return Books(  # spelled out: `replace` takes three times as long, twice a bar
        cash_usd=books.cash_usd,
        start_equity_usd=books.start_equity_usd,
        day_open_equity_usd=books.day_open_equity_usd,
        peak_equity_usd=books.peak_equity_usd,
        realised_usd=books.realised_usd,
        fees_usd=books.fees_usd,
        positions={**books.positions, symbol: marked},
        trades=books.trades,
    )


def open_day(books: Books) -> Books:
    """A session begins: its return counts from the equity of now."""
    return replace(books, day_open_equity_usd=equity_usd(books))


def raise_peak(books: Books, marked_usd: Decimal) -> Books:
    """Keep the highest equity that was marked."""
    is_higher = marked_usd > books.peak_equity_usd
    return replace(books, peak_equity_usd=marked_usd) if is_higher else books


def exposure_usd(books: Books) -> Decimal:
    """Market value of all positions at their last prices."""
    return sum((p.quantity * p.last_price for p in books.positions.values()), start=ZERO)


def equity_usd(books: Books) -> Decimal:
    """Cash and market value."""
    return books.cash_usd + exposure_usd(books)


def view(books: Books, at: datetime) -> AccountView:
    """Return the account as others see it."""
    cost_usd = sum((record.cost_usd for record in books.trades.values()), start=ZERO)
    exposure = exposure_usd(books)
    equity = books.cash_usd + exposure
    return AccountView(
        as_of=at,
        cash_usd=books.cash_usd,
        equity_usd=equity,
        exposure_usd=exposure,
        day_open_equity_usd=books.day_open_equity_usd,
        peak_equity_usd=max(books.peak_equity_usd, equity),
        start_equity_usd=books.start_equity_usd,
        realised_usd=books.realised_usd,
        unrealised_usd=exposure - cost_usd,
        fees_usd=books.fees_usd,
    )


def account_view(state: State, at: datetime) -> AccountView:
    """Return the account of the stage's state, as of `at`."""
    return view(state.books, at)
