"""The ledger against plain sums: whatever is bought and sold, no cent appears or is lost."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.enums import ExitReason, Side
from catalyst_bot.domain.trading import Fill
from catalyst_bot.portfolio import ledger
from catalyst_bot.portfolio.state import Books, Origin
from tests.builders import NOON, fill

START = Decimal(1_000_000)
ORIGIN = Origin(trade_id="t", catalyst_id="c", strategy_id="s")

prices = st.decimals("0.0001", "900", places=4)
fills = st.builds(
    fill,
    symbol=st.sampled_from(["ACME", "EMCA"]),
    side=st.sampled_from(Side),
    quantity=st.integers(1, 5_000).map(Decimal),
    price=prices,
    fee_usd=st.decimals("0", "50", places=2),
)


def booked(done: list[Fill]) -> tuple[Books, list[ledger.Booked]]:
    books, steps = ledger.start(Books(), START), []
    for one in done:
        step = ledger.apply_fill(books, one, ORIGIN)
        steps.append(step)
        books = step.books
    return books, steps


@given(st.lists(fills, max_size=30))
def test_cash_and_cost_are_start_and_realised_to_the_last_digit(done: list[Fill]):
    books, _ = booked(done)
    cost = sum((record.cost_usd for record in books.trades.values()), start=Decimal(0))
    assert books.cash_usd + cost == START + books.realised_usd


@given(st.lists(fills, max_size=30), prices)
def test_equity_is_start_realised_and_unrealised(done: list[Fill], price: Decimal):
    books, _ = booked(done)
    account = ledger.view(ledger.mark_price(books, "ACME", price, NOON), NOON)
    assert account.equity_usd == START + account.realised_usd + account.unrealised_usd
    assert account.equity_usd == account.cash_usd + account.exposure_usd


@given(st.lists(fills, max_size=30))
def test_quantities_are_the_plain_sums_and_never_negative(done: list[Fill]):
    books, steps = booked(done)
    for symbol in ("ACME", "EMCA"):
        of_symbol = [(f, s) for f, s in zip(done, steps, strict=True) if f.symbol == symbol]
        net = sum(
            f.quantity if f.side is Side.BUY else s.unbooked_quantity - f.quantity
            for f, s in of_symbol
        )
        held = books.positions.get(symbol)
        assert (held.quantity if held is not None else 0) == net
    assert all(position.quantity > 0 for position in books.positions.values())
    assert books.positions.keys() == books.trades.keys()


@given(st.lists(fills, max_size=30))
def test_closed_trades_add_up_to_what_was_realised(done: list[Fill]):
    books, steps = booked(done)
    pnl = sum(
        (
            ledger.closed_trade(s.before, s.record, fill=f, reason=ExitReason.OPERATOR).pnl_usd
            for f, s in zip(done, steps, strict=True)
            if s.before is not None and s.after is None and s.record is not None
        ),
        start=Decimal(0),
    )
    still_open = sum(
        (p.realised_usd - p.entry_fees_usd for p in books.positions.values()), start=Decimal(0)
    )
    assert pnl + still_open == books.realised_usd


@given(st.lists(fills, max_size=30))
def test_the_average_cost_lies_between_the_cheapest_and_dearest_buy(done: list[Fill]):
    books, _ = booked(done)
    for symbol, position in books.positions.items():
        paid = [f.price for f in done if f.symbol == symbol and f.side is Side.BUY]
        assert min(paid) - ledger.FINE <= position.average_cost <= max(paid) + ledger.FINE
