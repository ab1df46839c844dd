"""The broker's books are the truth: looks, second looks, what a person did, mismatches."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.account import BrokerOrder, BrokerPosition, BrokerSnapshot
from catalyst_bot.domain.enums import (
    ExitReason,
    HaltCause,
    ManualPositions,
    OrderKind,
    OrderRole,
    OrderStatus,
    PositionsPolicy,
    ProtectedBy,
    Side,
)
from catalyst_bot.domain.limits import ExecutionRules
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import ApprovedOrder, stop_leg_id, target_leg_id
from catalyst_bot.execution.state import Guard
from catalyst_bot.portfolio.ledger import account_view
from tests.builders import CLOSE, NOON, OPEN, approved_order, fill, quote, ticket
from tests.stages import START_USD, Stages, of_type, run_started

ENTRY = approved_order()
ENTRY_ID = ENTRY.client_order_id
STOP_ID, TARGET_ID = stop_leg_id(ENTRY_ID), target_leg_id(ENTRY_ID)
PAID_USD = Decimal(100) * Decimal("100.10") + Decimal("10.01")  # the builder's fill
FLAG = ExecutionRules(manual_positions=ManualPositions.FLAG)


def held(working: ExecutionRules | None = None) -> Stages:
    """100 ACME held under a bracket, the first look taken."""
    stages = Stages(working=working or ExecutionRules())
    look(stages, positions={}, orders=(), cash=START_USD)
    stages.approve(ENTRY)
    stages.accept(ENTRY_ID)
    stages.fill(ENTRY_ID)
    stages.accept(STOP_ID)
    stages.accept(TARGET_ID)
    return stages


def flat(working: ExecutionRules | None = None) -> Stages:
    stages = Stages(working=working or ExecutionRules())
    look(stages, positions={}, orders=(), cash=START_USD)
    return stages


def look(
    stages: Stages,
    *,
    positions: dict[str, int] | None = None,
    orders: tuple[str | BrokerOrder, ...] | None = None,
    cash: Decimal | None = None,
) -> list[Any]:
    """The broker shows its books; what is not named is as in ours."""
    if positions is None:
        positions = {s: int(p.quantity) for s, p in stages.portfolio.positions.items()}
    if orders is None:
        orders = tuple(
            i
            for i, t in stages.execution.open_tickets.items()
            if t.status in {OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED}
        )
    books = BrokerSnapshot(
        cash_usd=account_view(stages.portfolio, NOON).cash_usd if cash is None else cash,
        positions=tuple(
            BrokerPosition(symbol=s, quantity=Decimal(q), average_cost=Decimal(50))
            for s, q in positions.items()
        ),
        open_orders=tuple(
            order if isinstance(order, BrokerOrder) else at_work(order) for order in orders
        ),
    )
    return stages.handle(f.BrokerSnapshotReceived(at=stages.now, snapshot=books))


def at_work(order_id: str, **given: Any) -> BrokerOrder:
    values = {
        "client_order_id": order_id,
        "broker_order_id": f"b-{order_id}",
        "symbol": "ACME",
        "quantity": Decimal(100),
        "filled_quantity": Decimal(0),
    }
    return BrokerOrder(**(values | given))  # type: ignore[arg-type]


def foreign(stages: Stages, side: Side, quantity: int, **given: Any) -> list[Any]:
    """A person trades at the broker."""
    values = {
        "client_order_id": "theirs",
        "side": side,
        "quantity": Decimal(quantity),
        "price": Decimal(100),
        "fee_usd": Decimal(0),
        "fill_id": f"theirs-{side}-{quantity}",
    }
    return stages.handle(f.ForeignFilled(at=stages.now, fill=fill(**(values | given))))


def told(said: list[Any]) -> set[tuple[str, str, str]]:
    return {(m.subject, m.ours, m.theirs) for m in of_type(said, d.MismatchFound)}


# When


def test_every_start_looks_and_looks_come_at_whole_multiples_after_the_open():
    stages = Stages()
    assert of_type(stages.said, c.TakeBrokerSnapshot) == [c.TakeBrokerSnapshot(reason="start")]
    (timer,) = [m for m in of_type(stages.said, c.SetTimer) if m.timer_id == "look:"]
    assert timer.due_at == NOON + timedelta(seconds=300)
    stages.now = timer.due_at
    again, planned = stages.fire("look:")
    assert again == c.TakeBrokerSnapshot(reason="periodic")
    assert planned.due_at == NOON + timedelta(seconds=600)
    stages.wait(7)
    assert [m.timer_id for m in of_type(stages.handle(run_started()), c.SetTimer)] == []


def test_the_last_look_of_a_session_plans_the_first_of_the_next():
    stages = Stages()
    stages.now = CLOSE - timedelta(seconds=10)
    planned = stages.fire("look:")[1]
    assert planned.due_at == OPEN + timedelta(days=1, seconds=300)


@pytest.mark.parametrize(("adapter", "asks"), [("broker", True), ("test", True), ("feed", False)])
def test_a_reconnected_broker_is_looked_at(adapter: str, asks: bool):
    said = Stages().handle(f.AdapterRecovered(at=NOON, adapter=adapter))
    assert bool(of_type(said, c.TakeBrokerSnapshot)) is asks


# What agrees


def test_equal_books_say_nothing():
    stages = flat()
    assert look(stages) == []
    stages = held()
    assert look(stages) == [d.BooksCompared(differences=())]  # something was traded
    assert look(stages) == []


def test_orders_on_their_way_are_not_missed():
    stages = flat()
    stages.approve(ENTRY)
    assert look(stages, orders=()) == []


# What differs


def test_a_difference_is_asked_about_and_declared_only_at_the_second_look():
    stages = held()
    said = look(stages, positions={"ACME": 90}, orders=(STOP_ID,))
    assert not told(said)
    asked = {m.client_order_id for m in of_type(said, c.LookUpOrder)}
    assert asked == {ENTRY_ID, STOP_ID, TARGET_ID}
    (timer,) = of_type(said, c.SetTimer)
    assert (timer.due_at - NOON).total_seconds() == 10
    stages.wait(10)
    assert stages.fire(timer.timer_id) == [c.TakeBrokerSnapshot(reason="second look")]
    said = look(stages, positions={"ACME": 90}, orders=(STOP_ID,))
    assert told(said) == {
        ("position ACME", "100", "90"),
        (f"order {TARGET_ID}", "working", "not open"),
    }


def test_a_difference_that_changed_is_a_new_one():
    stages = held()
    look(stages, positions={"ACME": 90})
    stages.wait(10)
    said = look(stages, positions={"ACME": 80})
    assert not told(said)
    assert of_type(said, c.SetTimer)


def test_a_missing_fill_comes_with_the_look_up_and_explains_all():
    stages = held()
    said = look(stages, positions={}, orders=(), cash=START_USD)
    assert STOP_ID in {m.client_order_id for m in of_type(said, c.LookUpOrder)}
    stages.fill(STOP_ID, side=Side.SELL, price=Decimal(100), fill_id="missed")
    stages.wait(10)
    cash = account_view(stages.portfolio, NOON).cash_usd
    said = look(stages, positions={}, orders=(), cash=cash)
    assert said == [d.BooksCompared(differences=())]
    assert not stages.execution.books.doubts


def test_more_filled_than_we_know_is_asked_about():
    stages = flat()
    stages.approve(ENTRY)
    stages.accept(ENTRY_ID)
    said = look(stages, orders=(at_work(ENTRY_ID, filled_quantity=Decimal(40)),))
    assert of_type(said, c.LookUpOrder) == [c.LookUpOrder(client_order_id=ENTRY_ID)]


def test_an_order_of_ours_that_is_open_although_finished_differs():
    stages = held()
    stages.fill(STOP_ID, side=Side.SELL, fill_id="out")
    for _ in range(2):
        said = look(stages, orders=(STOP_ID, "cb-forgotten"))
        stages.wait(10)
    assert {subject for subject, _, _ in told(said)} == {f"order {STOP_ID}", "order cb-forgotten"}


# A person's orders


def test_a_persons_open_order_is_told_once_counted_and_left_alone():
    stages = flat()
    theirs = at_work("theirs", side=Side.BUY, limit_price=Decimal(90))
    said = look(stages, orders=(theirs,))
    assert of_type(said, d.ForeignOrdersSeen) == [d.ForeignOrdersSeen(orders=(theirs,))]
    assert len(of_type(said, c.SendNotification)) == 1
    assert not of_type(said, c.CancelOrder, c.LookUpOrder, d.MismatchFound)
    assert stages.desk().foreign_orders == {"theirs": theirs}
    assert look(stages, orders=(theirs,)) == []
    said = look(stages, orders=())
    assert of_type(said, d.ForeignOrdersSeen) == [d.ForeignOrdersSeen(orders=())]
    assert not of_type(said, c.SendNotification)


# A person's trades, adopted


def test_a_purchase_is_adopted_and_gets_a_stop():
    stages = flat()
    said = foreign(stages, Side.BUY, 20)
    (opened,) = of_type(said, d.PositionOpened)
    assert (opened.position.strategy_id, opened.position.quantity) == ("manual", 20)
    (stop,) = [m.order for m in of_type(said, c.SubmitOrder)]
    assert (stop.role, stop.kind) == (OrderRole.STOP_LOSS, OrderKind.STOP)
    assert (stop.quantity, stop.stop_loss_price) == (20, Decimal("95.00"))
    assert of_type(said, c.SendNotification)
    assert account_view(stages.portfolio, NOON).cash_usd == START_USD - 2_000
    assert stages.risk.plans[opened.position.trade_id].stop_price == 95


@pytest.mark.parametrize(
    "look_again",
    [
        lambda stages: stages.handle(f.QuoteSampled(at=stages.now, quote=quote(at=stages.now))),
        lambda stages: stages.fire(f"guard:{next(iter(stages.execution.guards))}"),
    ],
    ids=["a price is seen", "the grace is over"],
)
def test_a_purchase_that_fills_in_parts_gets_one_stop_for_all_of_it(
    look_again: Callable[[Stages], list[Any]],
):
    """A new stop takes the place of the old one, so it has to cover what that one covered."""
    stages = flat()
    (first,) = [m.order for m in of_type(foreign(stages, Side.BUY, 30), c.SubmitOrder)]
    foreign(stages, Side.BUY, 4)
    stages.accept(first.client_order_id)
    said = look_again(stages)
    assert [m.quantity for m in of_type(said, d.ProtectionNeeded)] == [34]
    (second,) = [m.order for m in of_type(stages.cancel(first.client_order_id), c.SubmitOrder)]
    assert second.quantity == 34
    stages.accept(second.client_order_id)
    (guard,) = stages.execution.guards.values()
    assert guard.protected_by is ProtectedBy.BROKER_STOP


def test_before_the_open_the_bot_watches_what_it_adopted_and_the_stop_comes_at_the_open():
    """A broker that is closed would hold the shares of a stop until the open."""
    stages = flat(ExecutionRules(extended_hours=True))
    stages.now = OPEN + timedelta(hours=22)
    said = foreign(stages, Side.BUY, 20, filled_at=stages.now)
    (opened,) = of_type(said, d.PositionOpened)
    (moved,) = of_type(said, d.StopMoved)
    assert (moved.old_stop_price, moved.stop_price, moved.is_trailing) == (0, 95, False)
    assert not of_type(said, c.SubmitOrder)
    assert stages.risk.plans[opened.position.trade_id].opened_at == stages.now
    watched, night = stages, stages.recovered()
    night.now = stages.now
    touched = quote(at=watched.now, bid=94.0, ask=94.02)
    (left,) = of_type(watched.handle(f.QuoteSampled(at=watched.now, quote=touched)), c.SubmitOrder)
    assert (left.order.role, left.order.extended_hours) == (OrderRole.EXIT, True)
    night.now = OPEN + timedelta(hours=24)
    day, closes_at = night.now.date(), CLOSE + timedelta(hours=24)
    said = night.handle(f.SessionOpened(at=night.now, day=day, closes_at=closes_at))
    (stop,) = [m.order for m in of_type(said, c.SubmitOrder)]
    assert (stop.role, stop.stop_loss_price) == (OrderRole.STOP_LOSS, 95)


def test_the_same_trade_is_taken_in_once_and_one_from_before_our_books_never():
    stages = flat()
    foreign(stages, Side.BUY, 20)
    assert foreign(stages, Side.BUY, 20) == []
    assert foreign(stages, Side.BUY, 5, filled_at=NOON - timedelta(seconds=1)) == []
    assert stages.portfolio.positions["ACME"].quantity == 20


def test_a_sale_of_ours_closes_it_by_the_operator_and_cancels_our_orders():
    stages = held()
    said = foreign(stages, Side.SELL, 100)
    (closed,) = of_type(said, d.PositionClosed)
    assert closed.trade.exit_reason is ExitReason.OPERATOR
    assert {m.client_order_id for m in of_type(said, c.CancelOrder)} == {STOP_ID, TARGET_ID}
    stages.cancel(STOP_ID)
    stages.cancel(TARGET_ID)
    assert look(stages, positions={}) == [d.BooksCompared(differences=())]


@pytest.mark.parametrize("working", [ExecutionRules(), FLAG])
def test_who_sells_what_is_still_being_bought_stops_the_purchase(working: ExecutionRules):
    stages = flat(working)
    stages.approve(ENTRY)
    stages.accept(ENTRY_ID)
    stages.fill(ENTRY_ID, quantity=Decimal(40))
    said = foreign(stages, Side.SELL, 30)
    assert stages.portfolio.positions["ACME"].quantity == 10
    assert [m.client_order_id for m in of_type(said, c.CancelOrder)] == [ENTRY_ID]
    for leg_id in (ENTRY_ID, STOP_ID):
        stages.cancel(leg_id)
    (order,) = [m.order for m in of_type(stages.cancel(TARGET_ID), c.SubmitOrder)]
    assert (order.quantity, order.stop_loss_price) == (10, ENTRY.stop_loss_price)


def test_who_sells_their_own_shares_leaves_our_purchase_alone():
    stages = flat(FLAG)
    foreign(stages, Side.BUY, 30)
    stages.approve(ENTRY)
    stages.accept(ENTRY_ID)
    assert not of_type(foreign(stages, Side.SELL, 30), c.CancelOrder)


def test_shares_sold_beyond_ours_are_the_persons_short():
    stages = held()
    foreign(stages, Side.SELL, 130)
    assert not stages.portfolio.positions
    assert stages.execution.books.foreign_shares == {"ACME": Decimal(-30)}
    stages.cancel(STOP_ID)
    stages.cancel(TARGET_ID)
    cash = account_view(stages.portfolio, NOON).cash_usd + 3_000
    assert not told(look(stages, positions={"ACME": -30}, orders=(), cash=cash))
    foreign(stages, Side.BUY, 40)  # covers the short first
    assert stages.portfolio.positions["ACME"].quantity == 10
    assert not stages.execution.books.foreign_shares


# A person's trades, flagged


def test_a_flagged_purchase_is_told_and_stays_out_of_our_books():
    stages = flat(FLAG)
    said = foreign(stages, Side.BUY, 20)
    assert of_type(said, c.SendNotification)
    assert not of_type(said, d.PositionOpened, c.SubmitOrder)
    cash = START_USD - 2_000
    assert not told(look(stages, positions={"ACME": 20}, cash=cash))
    assert not of_type(look(stages, positions={"ACME": 20}, cash=cash), d.BooksCompared)
    foreign(stages, Side.SELL, 20)
    assert look(stages, positions={}) == []
    assert not stages.execution.books.foreign_shares


@pytest.mark.parametrize(("ratio", "after"), [("2", 30), ("0.5", 7), ("0.05", None)])
def test_the_shares_of_a_person_are_split_too(ratio: str, after: int | None):
    stages = flat(FLAG)
    foreign(stages, Side.BUY, 15)
    stages.handle(
        f.SplitApplied(
            at=NOON,
            symbol="ACME",
            shares_per_share=Decimal(ratio),
            effective_on=NOON.date(),
        )
    )
    assert stages.execution.books.foreign_shares == ({"ACME": after} if after else {})


def test_a_short_of_a_person_is_covered_by_our_purchase():
    stages = flat(FLAG)
    foreign(stages, Side.SELL, 30)
    stages.approve(ENTRY)
    stages.accept(ENTRY_ID)
    said = stages.fill(ENTRY_ID)
    (judged,) = of_type(said, d.ForeignTradeJudged)
    assert (judged.is_netted, judged.adopted_quantity) == (True, 30)
    assert stages.portfolio.positions["ACME"].quantity == 70
    assert not stages.execution.books.foreign_shares
    cash = START_USD + 3_000 - PAID_USD
    assert not told(look(stages, positions={"ACME": 70}, cash=cash))


def test_flagged_or_not_a_sale_of_our_shares_is_ours():
    stages = held(FLAG)
    foreign(stages, Side.BUY, 10)
    foreign(stages, Side.SELL, 50)
    assert stages.portfolio.positions["ACME"].quantity == 60
    assert not stages.execution.books.foreign_shares


# Found without a fill


@pytest.mark.parametrize("working", [ExecutionRules(), FLAG])
def test_what_was_held_before_our_books_began_is_no_profit(working: ExecutionRules):
    stages = Stages(working=working, is_compared=False)
    said = look(stages, positions={"OLD": 10}, cash=START_USD)
    account = account_view(stages.portfolio, NOON)
    assert not told(said)
    assert account.equity_usd == account.start_equity_usd == account.peak_equity_usd
    assert account.day_return == account.drawdown == 0
    is_adopted = working is not FLAG
    assert ("OLD" in stages.portfolio.positions) is is_adopted
    assert bool(of_type(said, c.SubmitOrder)) is is_adopted
    assert account.cash_usd == START_USD
    assert not told(look(stages, positions={"OLD": 10}, cash=START_USD))
    assert not told(look(stages, positions={"OLD": 10}, cash=START_USD))


@pytest.mark.parametrize("working", [ExecutionRules(), FLAG])
def test_a_purchase_told_after_the_first_look_that_showed_it_is_not_taken_in_again(
    working: ExecutionRules,
):
    """The look came through and the list of executions did not, or it was read before."""
    stages = Stages(working=working, is_compared=False)
    bought_at = stages.now + timedelta(milliseconds=100)
    stages.wait(1)
    look(stages, positions={"ACME": 40}, orders=(), cash=START_USD - 40 * 50)
    stages.wait(60)
    bought = {"price": Decimal(50), "filled_at": bought_at}
    assert not of_type(foreign(stages, Side.BUY, 40, **bought), d.ForeignTradeJudged)
    assert not foreign(stages, Side.BUY, 40, **bought)
    account = account_view(stages.portfolio, stages.now)
    assert account.cash_usd == START_USD - 40 * 50
    if working is not FLAG:
        assert account.start_equity_usd == account.equity_usd, "neither profit nor loss"
    shares = stages.execution.books.foreign_shares.get("ACME", 0)
    ours = stages.portfolio.positions.get("ACME")
    assert shares + (ours.quantity if ours is not None else 0) == 40
    later = foreign(stages, Side.BUY, 3, price=Decimal(50), filled_at=bought_at)
    assert of_type(later, d.ForeignTradeJudged), "the look's shares are all explained"


def test_a_purchase_after_the_first_look_is_taken_in():
    stages = Stages(is_compared=False)
    look(stages, positions={"ACME": 40}, orders=(), cash=START_USD)
    stages.wait(1)
    foreign(stages, Side.BUY, 30, price=Decimal(50), filled_at=stages.now)
    assert stages.portfolio.positions["ACME"].quantity == 70
    assert account_view(stages.portfolio, stages.now).cash_usd == START_USD - 30 * 50


def test_a_position_in_a_symbol_we_never_traded_is_a_persons():
    stages = flat()
    cash = START_USD - 500
    assert not of_type(look(stages, positions={"ELSE": 10}, cash=cash), d.ForeignTradeJudged)
    stages.wait(10)
    said = look(stages, positions={"ELSE": 10}, cash=cash)
    assert not told(said)
    (judged,) = of_type(said, d.ForeignTradeJudged)
    assert (judged.adopted_quantity, judged.fill.price, judged.is_in_cash) == (10, 50, True)
    assert stages.portfolio.positions["ELSE"].strategy_id == "manual"
    assert account_view(stages.portfolio, NOON).cash_usd == cash


def test_more_shares_than_our_fills_left_us_are_a_mismatch():
    stages = held()
    for _ in range(2):
        said = look(stages, positions={"ACME": 150})
        stages.wait(10)
    assert told(said) == {("position ACME", "100", "150")}


# Cash


def test_small_sums_are_fees_and_reach_the_books():
    stages = held()
    cash = account_view(stages.portfolio, NOON).cash_usd - Decimal("0.37")
    look(stages, cash=cash)
    stages.wait(10)
    (adjusted,) = of_type(look(stages, cash=cash), d.CashAdjusted)
    assert (adjusted.amount_usd, adjusted.is_flow) == (Decimal("-0.37"), False)
    account = account_view(stages.portfolio, NOON)
    assert account.cash_usd == cash
    assert account.equity_usd == START_USD + account.realised_usd + account.unrealised_usd
    assert not told(look(stages, cash=cash))


def test_unreported_commissions_of_what_was_traded_are_fees_too():
    stages = held()  # 10,010 USD were traded
    cash = account_view(stages.portfolio, NOON).cash_usd - Decimal(45)
    look(stages, cash=cash)
    said = look(stages, cash=cash)
    assert [m.is_flow for m in of_type(said, d.CashAdjusted)] == [False]
    look(stages, cash=cash)  # agrees: from here on nothing was traded
    less = cash - Decimal(45)
    look(stages, cash=less)
    assert told(look(stages, cash=less))


def test_a_deposit_is_no_profit_and_is_told():
    stages = flat()
    more = START_USD + 5_000
    look(stages, cash=more)
    said = look(stages, cash=more)
    assert [m.is_flow for m in of_type(said, d.CashAdjusted)] == [True]
    assert of_type(said, c.SendNotification)
    account = account_view(stages.portfolio, NOON)
    assert account.equity_usd == account.start_equity_usd == more
    assert account.day_return == 0


def test_money_that_went_is_a_mismatch_until_a_person_confirms_it():
    stages = flat()
    less = START_USD - 5_000
    look(stages, cash=less)
    said = look(stages, cash=less)
    assert told(said) == {("cash", "100000", "95000")}
    halt_and_resume(stages)
    said = look(stages, cash=less)
    assert [m.is_flow for m in of_type(said, d.CashAdjusted)] == [True]
    account = account_view(stages.portfolio, NOON)
    assert (account.equity_usd, account.drawdown) == (less, 0)


# After a mismatch


def halt_and_resume(stages: Stages) -> list[Any]:
    hold = PositionsPolicy.HOLD
    stages.handle(
        d.TradingHalted(cause=HaltCause.MISMATCH, positions_policy=hold, detail="books differ")
    )
    return stages.handle(d.TradingResumed(by="operator", reason="looked"))


def test_when_a_person_resumes_the_brokers_books_are_taken_over():
    stages = held()
    for _ in range(2):
        said = look(stages, positions={"ACME": 60})
        stages.wait(10)
    assert told(said)
    said = halt_and_resume(stages)
    assert of_type(said, c.TakeBrokerSnapshot)
    said = look(stages, positions={"ACME": 60})
    assert not told(said)
    assert stages.portfolio.positions["ACME"].quantity == 60
    for _ in range(2):
        stages.wait(10)
        look(stages, positions={"ACME": 60})
    assert not stages.execution.books.trusts_broker
    assert not stages.execution.books.doubts
    for _ in range(2):
        said = look(stages, positions={"ACME": 10})
        stages.wait(10)
    assert told(said)  # trust is spent


def test_an_order_the_broker_lost_is_given_up_when_a_person_resumes():
    stages = flat()
    stages.approve(ENTRY)
    stages.accept(ENTRY_ID)
    for _ in range(2):
        said = look(stages, orders=())
        stages.wait(10)
    assert told(said)
    halt_and_resume(stages)
    look(stages, orders=())
    found = stages.execution.ticket(ENTRY_ID)
    assert found is not None
    assert found.status is OrderStatus.ABANDONED
    assert not told(look(stages, orders=()))


def test_a_halt_for_another_cause_gives_no_such_trust():
    stages = flat()
    hold = PositionsPolicy.HOLD
    stages.handle(d.TradingHalted(cause=HaltCause.DRAWDOWN, positions_policy=hold, detail=""))
    said = stages.handle(d.TradingResumed(by="operator", reason="looked"))
    assert not of_type(said, c.TakeBrokerSnapshot)


def test_a_look_up_of_a_finished_order_says_nothing_new():
    stages = held()
    stages.fill(STOP_ID, side=Side.SELL, fill_id="out")
    theirs = ticket(
        client_order_id=STOP_ID, status=OrderStatus.FILLED, filled_quantity=Decimal(100)
    )
    answer = f.OrderLookedUp(at=NOON, client_order_id=STOP_ID, ticket=theirs)
    assert stages.handle(answer) == []


def test_a_restart_remembers_doubts_and_what_is_a_persons():
    stages = held(FLAG)
    foreign(stages, Side.BUY, 10)
    look(stages, positions={"ACME": 90}, orders=("theirs",))
    recovered = stages.recovered()
    assert recovered.execution == stages.execution
    assert recovered.portfolio == stages.portfolio


# A start


def restarted(*, working: ExecutionRules | None = None) -> Stages:
    """100 ACME held under a bracket in the journal, and a new process that has not looked yet."""
    stages = held(working)
    stages.wait(60)
    stages.handle(run_started())
    return stages


SENT = (c.SubmitOrder, c.CancelOrder, c.ReplaceOrder)
EXIT = approved_order(role=OrderRole.EXIT, client_order_id="cb-exit", trade_id=ENTRY.trade_id)
GUARD = approved_order(
    role=OrderRole.STOP_LOSS,
    kind=OrderKind.STOP,
    client_order_id="cb-guard",
    trade_id=ENTRY.trade_id,
    stop_loss_price=Decimal(90),
)


def test_before_the_first_look_no_entry_leaves_and_it_is_said_why():
    stages = restarted()
    said = stages.approve(approved_order(client_order_id="cb-new", symbol="BETA", trade_id="t-new"))
    (withdrawn,) = of_type(said, d.OrderWithdrawn)
    assert "not compared" in withdrawn.reason
    assert not of_type(said, *SENT)
    assert not of_type(look(stages), *SENT)


@pytest.mark.parametrize("order", [EXIT, GUARD])
def test_before_the_first_look_no_exit_and_no_stop_leaves(order: ApprovedOrder):
    """Nor is what protects the position taken off to make room for them."""
    stages = restarted()
    assert not of_type(stages.approve(order), *SENT)
    said = look(stages)
    assert {m.client_order_id for m in of_type(said, c.CancelOrder)} == {STOP_ID, TARGET_ID}
    stages.cancel(STOP_ID)
    (sent,) = of_type(stages.cancel(TARGET_ID), c.SubmitOrder)
    assert sent.order.client_order_id == order.client_order_id


def test_what_the_journal_missed_is_taken_in_and_nothing_is_sent_for_it():
    """The position was sold meanwhile, and its legs are gone: no stop, no exit, no purchase."""
    stages = restarted()
    said = stages.approve(EXIT)
    said += stages.cancel(STOP_ID) + stages.cancel(TARGET_ID)
    said += foreign(stages, Side.BUY, 20, symbol="BETA", client_order_id="cb-lost-1")
    said += foreign(stages, Side.SELL, 20, symbol="BETA", client_order_id="cb-lost-2")
    said += foreign(stages, Side.SELL, 100, client_order_id="cb-lost-3")
    said += look(stages)
    assert not of_type(said, c.SubmitOrder, d.ProtectionNeeded, d.MismatchFound)
    assert stages.portfolio.positions == {}
    assert stages.execution.pending_exits == {}


def test_what_was_bought_meanwhile_gets_its_stop_after_the_look():
    stages = restarted()
    said = foreign(stages, Side.BUY, 20, symbol="BETA", client_order_id="cb-lost")
    assert not of_type(said, *SENT, d.ProtectionNeeded)
    (stop,) = [m.order for m in of_type(look(stages), c.SubmitOrder)]
    assert (stop.symbol, stop.role, stop.quantity) == ("BETA", OrderRole.STOP_LOSS, 20)


@pytest.mark.parametrize("working", [ExecutionRules(), FLAG])
def test_a_purchase_of_an_order_that_the_journal_lost_is_ours(working: ExecutionRules):
    stages = restarted(working=working)
    foreign(stages, Side.BUY, 20, symbol="BETA", client_order_id="cb-lost")
    assert stages.portfolio.positions["BETA"].quantity == 20


def test_a_difference_at_the_start_holds_orders_until_a_second_look_judged_it():
    """Shares that the broker does not have are not sold even then: it would be a short sale."""
    stages = restarted()
    stages.approve(EXIT)
    gone: dict[str, Any] = {"positions": {}, "orders": ()}
    said = look(stages, **gone)
    (timer,) = of_type(said, c.SetTimer)
    said += stages.cancel(STOP_ID) + stages.cancel(TARGET_ID)
    said += stages.approve(GUARD)
    assert timer.timer_id == "second_look:"
    stages.wait(10)
    again = look(stages, **gone)
    assert of_type(again, d.BooksCompared)
    assert ("position ACME", "100", "0") in told(said + again + look(stages, **gone))
    for after in ([], stages.fire(f"guard:{ENTRY.trade_id}"), look(stages, **gone)):
        assert not of_type(said + again + after, *SENT)
    assert stages.recovered().execution == stages.execution

    stages.handle(d.TradingResumed(by="me", reason="seen"))
    said = look(stages, **gone)
    (closed,) = of_type(said, d.PositionClosed)
    assert closed.trade.exit_reason is ExitReason.OPERATOR
    assert look(stages) == [d.BooksCompared(differences=())]
    assert not of_type(said, c.SubmitOrder)


def test_other_symbols_go_on_when_one_is_not_explained():
    stages = restarted()
    look(stages, positions={"ACME": 60})
    stages.wait(10)
    look(stages, positions={"ACME": 60})
    said = stages.approve(approved_order(client_order_id="cb-new", symbol="BETA", trade_id="t-new"))
    assert of_type(said, c.SubmitOrder)


def test_while_a_start_is_not_compared_the_grace_goes_on():
    stages = restarted()
    stages.execution.guards[ENTRY.trade_id] = Guard(
        catalyst_id="cat",
        symbol="ACME",
        protected_by=ProtectedBy.NONE,
        since=NOON,
    )
    (again,) = stages.fire(f"guard:{ENTRY.trade_id}")
    assert isinstance(again, c.SetTimer)
    assert again.timer_id == f"guard:{ENTRY.trade_id}"


def test_an_id_that_the_broker_knows_from_a_lost_order_is_never_used_again():
    stages = restarted()
    said = stages.handle(f.LostOrdersFound(at=stages.now, order_ids=("cb-new", "cb-exit")))
    assert of_type(said, c.SendNotification)
    look(stages)
    said = stages.approve(approved_order(client_order_id="cb-new", symbol="BETA", trade_id="t-new"))
    said += stages.approve(EXIT)
    assert len(of_type(said, d.OrderWithdrawn)) == 2
    assert not of_type(said, *SENT)
    assert stages.desk().lost_order_ids == {"cb-new", "cb-exit"}
    assert stages.recovered().execution == stages.execution


# No mismatch for ever


def test_a_mismatch_found_while_halted_for_another_cause_ends_with_a_resume_too():
    stages = held()
    stages.handle(
        d.TradingHalted(
            cause=HaltCause.LOSS_STREAK, positions_policy=PositionsPolicy.HOLD, detail="losses"
        )
    )
    look(stages, positions={})
    assert told(look(stages, positions={}))
    stages.handle(d.TradingResumed(by="me", reason="seen"))
    assert of_type(look(stages, positions={}), d.PositionClosed)


def test_an_open_order_that_the_journal_lost_is_a_mismatch_until_a_person_resumes():
    stages = flat()
    lost = at_work("cb-lost", side=Side.SELL)
    look(stages, orders=(lost,))
    assert told(look(stages, orders=(lost,))) == {("order cb-lost", "forgotten", "open")}
    stages.handle(d.TradingResumed(by="me", reason="seen"))
    assert of_type(look(stages, orders=(lost,)), d.ForeignOrdersSeen)
    assert look(stages, orders=(lost,)) == []
    assert stages.desk().foreign_orders == {"cb-lost": lost}


def test_an_order_that_ended_for_us_and_not_at_the_broker_is_cancelled_when_a_person_resumes():
    stages = flat()
    stages.approve(ENTRY)
    stages.accept(ENTRY_ID)
    stages.cancel(ENTRY_ID)
    still = at_work(ENTRY_ID, side=Side.BUY)
    look(stages, orders=(still,))
    assert told(look(stages, orders=(still,)))
    stages.handle(d.TradingResumed(by="me", reason="seen"))
    (cancelled,) = of_type(look(stages, orders=(still,)), c.CancelOrder)
    assert cancelled.client_order_id == ENTRY_ID
