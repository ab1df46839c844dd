"""Trades that were not ours, as entries of our books."""

from __future__ import annotations

from dataclasses import replace

from catalyst_bot.domain import ids
from catalyst_bot.domain.messages.decisions import ForeignTradeJudged
from catalyst_bot.domain.trading import Fill
from catalyst_bot.portfolio.state import Books, Origin

MANUAL = "manual"  # the strategy of everything a person did


def adoption(books: Books, message: ForeignTradeJudged) -> tuple[Fill, Origin]:
    """Return the part of a foreign trade that is booked, and whose trade it is.

    In a symbol that is held it changes that position; else it begins one of its own. Its share of
    the fee comes along.
    """
    fill = message.fill
    fee_usd = fill.fee_usd * (message.adopted_quantity / fill.quantity)
    ours = replace(fill, quantity=message.adopted_quantity, fee_usd=fee_usd)
    held = books.positions.get(fill.symbol)
    if held is not None:
        return ours, Origin(
            trade_id=held.trade_id, catalyst_id=held.catalyst_id, strategy_id=held.strategy_id
        )
    return ours, Origin(
        trade_id=ids.trade_id(fill.client_order_id),
        catalyst_id=ids.content_id("man", fill.client_order_id, fill.symbol),
        strategy_id=MANUAL,
    )
