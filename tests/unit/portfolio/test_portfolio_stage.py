from datetime import timedelta
from decimal import Decimal

from catalyst_bot.domain.enums import ExitReason, Side
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import stop_leg_id, target_leg_id
from catalyst_bot.portfolio import evolve
from catalyst_bot.portfolio.ledger import account_view
from tests.builders import NOON, approved_order, bar
from tests.stages import START_USD, Stages, of_type, run_started

ENTRY = approved_order()
ENTRY_ID = ENTRY.client_order_id


def bought() -> Stages:
    stages = Stages()
    stages.approve(ENTRY)
    stages.fill(ENTRY_ID, price=Decimal(100), fee_usd=Decimal(10))
    return stages


def sold(quantity: int, price: int, fill_id: str = "s") -> dict[str, object]:
    return {
        "side": Side.SELL,
        "quantity": Decimal(quantity),
        "price": Decimal(price),
        "fee_usd": Decimal(10),
        "fill_id": fill_id,
    }


def test_the_first_start_sets_the_money_and_later_ones_do_not():
    stages = Stages()
    (marked,) = of_type(stages.said, d.EquityMarked)
    assert marked.account.equity_usd == START_USD
    stages.handle(run_started(Decimal(5)))
    assert account_view(stages.portfolio, NOON).cash_usd == START_USD


def test_an_opening_fill_opens_watches_and_marks():
    stages = Stages()
    stages.approve(ENTRY)
    said = stages.fill(ENTRY_ID, quantity=Decimal(40), price=Decimal(100), fill_id="1")
    assert [type(m) for m in said[:3]] == [d.PositionOpened, c.WatchSymbol, d.EquityMarked]
    assert said[0].position == stages.portfolio.positions["ACME"]
    assert said[2].account.equity_usd == account_view(stages.portfolio, NOON).equity_usd
    said = stages.fill(ENTRY_ID, quantity=Decimal(60), price=Decimal(101), fill_id="2")
    assert [type(m) for m in said] == [d.PositionChanged, d.EquityMarked]
    assert said[0].position.quantity == 100
    assert said[0].position.trade_id == ENTRY.trade_id


def test_a_closing_fill_closes_unwatches_and_marks():
    stages = bought()
    said = stages.fill(target_leg_id(ENTRY_ID), **sold(100, 107))
    assert [type(m) for m in said[:3]] == [d.PositionClosed, c.UnwatchSymbol, d.EquityMarked]
    trade = said[0].trade
    assert trade.exit_reason is ExitReason.TAKE_PROFIT
    assert trade.pnl_usd == 680
    assert trade.catalyst_id == ENTRY.catalyst_id
    assert said[2].account.equity_usd == START_USD + 680


def test_the_reason_of_an_exit_comes_from_its_order():
    stages = bought()
    said = stages.fill(stop_leg_id(ENTRY_ID), **sold(100, 97))
    assert of_type(said, d.PositionClosed)[0].trade.exit_reason is ExitReason.STOP_LOSS


def test_a_repeated_fill_changes_nothing():
    stages = bought()
    before = account_view(stages.portfolio, NOON)
    assert stages.fill(ENTRY_ID, price=Decimal(100), fee_usd=Decimal(10)) == []
    assert account_view(stages.portfolio, NOON) == before


def test_a_fill_of_an_order_we_never_sent_is_told_and_not_booked():
    stages = Stages()
    said = stages.fill("foreign")
    assert [type(m) for m in said] == [d.MismatchFound]
    assert account_view(stages.portfolio, NOON).cash_usd == START_USD


def test_a_sale_beyond_what_is_held_closes_and_is_told():
    stages = Stages()
    stages.approve(ENTRY)
    stages.fill(ENTRY_ID, quantity=Decimal(60))
    said = stages.fill(stop_leg_id(ENTRY_ID), **sold(100, 97))
    assert of_type(said, d.PositionClosed)
    assert "60 held" in [m.ours for m in of_type(said, d.MismatchFound)]
    assert not stages.portfolio.positions


def test_bars_value_what_is_held_and_nothing_else():
    stages = bought()
    (marked,) = stages.handle(f.BarClosed(at=NOON, bar=bar(close=102.5)))
    assert marked.account.unrealised_usd == 250
    assert stages.handle(f.BarClosed(at=NOON, bar=bar("ELSE"))) == []


def test_a_session_opens_a_new_day_and_closes_with_a_mark():
    stages = bought()
    stages.handle(f.BarClosed(at=NOON, bar=bar(close=90.0)))
    day = NOON.date() + timedelta(days=1)
    (opened,) = stages.handle(f.SessionOpened(at=NOON, day=day, closes_at=NOON))
    assert opened.account.day_return == 0
    (marked,) = stages.handle(f.BarClosed(at=NOON, bar=bar(close=95.0)))
    assert marked.account.day_return > 0
    (closed,) = stages.handle(f.SessionClosed(at=NOON, day=day))
    assert closed.account == marked.account
    assert account_view(stages.portfolio, NOON).day_open_equity_usd == START_USD - 1_010


def test_orders_of_held_trades_are_never_forgotten(monkeypatch):
    monkeypatch.setattr(evolve, "MAX_ORIGINS", 6)
    stages = bought()
    for n in range(5):
        stages.approve(approved_order(signal_id=f"sig-{n}", symbol="ELSE"))
    assert len(stages.portfolio.origins) == 6
    assert stop_leg_id(ENTRY_ID) in stages.portfolio.origins
    said = stages.fill(stop_leg_id(ENTRY_ID), **sold(100, 97))
    assert of_type(said, d.PositionClosed)
