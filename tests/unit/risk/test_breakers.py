"""The halts of the roadmap, the pauses, and what a person can do about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import (
    ExitReason,
    HaltCause,
    Mode,
    OrderRole,
    PositionsPolicy,
    Severity,
    Side,
    TradingState,
)
from catalyst_bot.domain.messages.commands import (
    ClearTimer,
    SendNotification,
    SetTimer,
    SubmitOrder,
)
from catalyst_bot.domain.messages.decisions import (
    EquityMarked,
    ForeignTradeJudged,
    IntentFormed,
    LimitApproached,
    MismatchFound,
    OrderApproved,
    OrderRefused,
    PositionChanged,
    PositionClosed,
    PositionOpened,
    StrategyPaused,
    TradingHalted,
    TradingResumed,
)
from catalyst_bot.domain.messages.facts import (
    AdapterFailed,
    AdapterRecovered,
    LostOrdersFound,
    OperatorHalted,
    OperatorResumed,
    RunStarted,
    SessionOpened,
    TimerFired,
)
from catalyst_bot.domain.trading import ApprovedOrder
from catalyst_bot.risk.breakers import BROKER_TIMER
from tests import builders
from tests.unit.risk.bench import Bench, trade

LOOKED_AT = ("cause", "books", "orders", "protection", "daily_loss", "drawdown", "broker")
RESUME = OperatorResumed(at=builders.NOON, by="ada", reason="reviewed", confirmed=LOOKED_AT)
NEW_DAY = SessionOpened(at=builders.OPEN, day=builders.OPEN.date(), closes_at=builders.CLOSE)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def marked(equity_usd: str, **given) -> EquityMarked:
    return EquityMarked(account=builders.account(equity_usd=Decimal(equity_usd), **given))


def only(messages: list, kind: type) -> list:
    return [m for m in messages if isinstance(m, kind)]


def halts(messages: list) -> list[HaltCause]:
    return [m.cause for m in only(messages, TradingHalted)]


def buys(bench: Bench) -> bool:
    (verdict,) = bench.decide(IntentFormed(intent=builders.intent()))
    return isinstance(verdict, OrderApproved)


@pytest.mark.parametrize(("equity", "expected"), [("97000.01", []), ("97000", ["daily_loss"])])
def test_a_daily_loss_of_three_percent_halts(bench: Bench, equity: str, expected: list):
    assert halts(bench.tell(marked(equity))) == expected
    assert buys(bench) is not bool(expected)


@pytest.mark.parametrize(("equity", "expected"), [("90000.01", []), ("90000", ["drawdown"])])
def test_a_drawdown_of_ten_percent_halts(bench: Bench, equity: str, expected: list):
    told = bench.tell(marked(equity, day_open_equity_usd=Decimal(equity)))
    assert halts(told) == expected


def test_a_halt_is_told_once_and_holds_positions(bench: Bench):
    bench.desk.positions = {"ACME": builders.position()}
    told = bench.tell(marked("96000"))
    assert only(told, TradingHalted)[0].positions_policy is PositionsPolicy.HOLD
    assert not only(told, OrderApproved)
    critical = [m for m in only(told, SendNotification) if m.severity is Severity.CRITICAL]
    assert len(critical) == 1
    assert not only(bench.tell(marked("95000")), TradingHalted)


def test_a_halt_outlasts_the_day_until_a_person_resumes(bench: Bench):
    bench.tell(marked("96000"))
    bench.tell(NEW_DAY)
    assert not buys(bench)
    assert only(bench.tell(RESUME), TradingResumed)
    assert buys(bench)


def test_resuming_on_the_day_of_the_loss_halts_again(bench: Bench):
    bench.tell(marked("96000"))
    bench.tell(RESUME)
    assert halts(bench.tell(marked("96000"))) == [HaltCause.DAILY_LOSS]


def test_a_reviewed_drawdown_begins_at_the_equity_of_the_review(bench: Bench):
    flat_day = {"day_open_equity_usd": Decimal(90_000)}
    bench.tell(marked("90000", **flat_day))
    bench.tell(RESUME)
    assert not halts(bench.tell(marked("89000", **flat_day)))
    bench.tell(marked("95000", **flat_day))
    halted = bench.tell(marked("85500", day_open_equity_usd=Decimal(85_500)))
    assert halts(halted) == [HaltCause.DRAWDOWN]


def test_resuming_from_another_halt_keeps_the_peak(bench: Bench):
    bench.tell(marked("96000"))
    bench.tell(RESUME)
    assert bench.state.reviewed_peak_usd is None


def closed(pnl: float, minute: int = 0, **given) -> PositionClosed:
    exit_at = builders.NOON + timedelta(minutes=minute)
    return PositionClosed(trade=trade(pnl, exit_at=exit_at, **given))


def test_three_losses_in_a_row_within_an_hour_halt(bench: Bench):
    bench.tell(closed(-0.02, 0, strategy_id="a"))
    bench.tell(closed(-0.02, 30, strategy_id="b"))
    assert halts(bench.tell(closed(-0.02, 60, strategy_id="c"))) == [HaltCause.LOSS_STREAK]


def test_three_losses_over_more_than_an_hour_do_not_halt(bench: Bench):
    bench.tell(closed(-0.02, 0, strategy_id="a"))
    bench.tell(closed(-0.02, 30, strategy_id="b"))
    assert not halts(bench.tell(closed(-0.02, 61, strategy_id="c")))


def test_after_a_review_the_streak_counts_anew(bench: Bench):
    for strategy in "abc":
        bench.tell(closed(-0.02, strategy_id=strategy))
    bench.tell(RESUME)
    assert not halts(bench.tell(closed(-0.02, strategy_id="d")))


def test_a_win_ends_the_streak(bench: Bench):
    for pnl in (-0.02, -0.02, 0.03, -0.02, -0.02):
        told = bench.tell(closed(pnl))
        assert not only(told, TradingHalted | StrategyPaused)


def test_three_losses_of_a_strategy_pause_it_however_slow(bench: Bench):
    bench.tell(closed(-0.02, 0))
    bench.tell(closed(-0.02, 100))
    told = bench.tell(closed(-0.02, 200))
    assert [m.strategy_id for m in only(told, StrategyPaused)] == ["news-rule"]
    assert not only(told, TradingHalted)
    assert only(told, SendNotification)
    assert not buys(bench)


def test_a_late_win_does_not_lift_the_pause_and_a_person_does(bench: Bench):
    for minute in (0, 100, 200):
        bench.tell(closed(-0.02, minute))
    assert not only(bench.tell(closed(-0.02, 300)), StrategyPaused)
    bench.tell(closed(0.05, 400))
    assert not buys(bench)
    bench.tell(RESUME)
    assert buys(bench)


def test_a_strategy_that_earns_too_little_for_its_risk_pauses(bench: Bench):
    for n in range(19):
        bench.tell(closed(0.001 if n % 2 else -0.02, 100 * n))
    assert bench.state.strategy("news-rule").is_paused is False
    told = bench.tell(closed(0.001, 2000))
    (pause,) = only(told, StrategyPaused)
    assert "Sharpe" in pause.reason
    bench.tell(RESUME)
    assert bench.state.strategy("news-rule").trades == 20
    assert buys(bench)


def failed(adapter: str = "broker") -> AdapterFailed:
    return AdapterFailed(at=builders.NOON, adapter=adapter, error="timeout")


def fired(minutes: float, timer_id: str = BROKER_TIMER) -> TimerFired:
    return TimerFired(at=builders.NOON + timedelta(minutes=minutes), timer_id=timer_id)


def test_a_broker_that_fails_for_five_minutes_halts(bench: Bench):
    (timer,) = bench.tell(failed())
    assert timer == SetTimer(timer_id=BROKER_TIMER, due_at=builders.NOON + timedelta(minutes=5))
    assert bench.tell(failed()) == []
    assert halts(bench.tell(fired(5))) == [HaltCause.API_ERRORS]


def test_a_broker_that_recovers_in_time_does_not(bench: Bench):
    bench.tell(failed())
    recovered = AdapterRecovered(at=builders.NOON, adapter="broker")
    assert bench.tell(recovered) == [ClearTimer(timer_id=BROKER_TIMER)]
    assert bench.tell(recovered) == []
    assert bench.tell(fired(5)) == []


def test_an_old_timer_is_no_proof(bench: Bench):
    bench.tell(failed())
    assert bench.tell(fired(4)) == []
    assert bench.tell(fired(5, "other")) == []


def test_only_the_broker_halts(bench: Bench):
    assert bench.tell(failed("rss")) == []
    assert bench.tell(AdapterRecovered(at=builders.NOON, adapter="rss")) == []
    assert bench.tell(fired(5)) == []
    bench.state.broker_name = "alpaca"
    assert bench.tell(failed("alpaca"))


def test_a_run_names_its_broker_and_begins_without_failures(bench: Bench):
    bench.tell(failed())
    bench.tell(
        RunStarted(
            at=builders.NOON,
            run_id="run-1",
            mode=Mode.PAPER,
            broker="alpaca",
            code_version="1",
            settings="{}",
            inputs_hash="",
            model_id="rule",
            starting_cash_usd=Decimal(100_000),
            wall_started_at=builders.NOON,
        )
    )
    assert bench.tell(fired(5)) == []
    assert bench.tell(failed("alpaca"))


def test_resuming_while_the_broker_fails_gives_it_its_time_again(bench: Bench):
    bench.tell(failed())
    bench.tell(fired(5))
    bench.desk.now = builders.NOON + timedelta(minutes=20)
    told = bench.tell(RESUME)
    due_at = builders.NOON + timedelta(minutes=25)
    assert only(told, SetTimer) == [SetTimer(timer_id=BROKER_TIMER, due_at=due_at)]
    assert halts(bench.tell(fired(25))) == [HaltCause.API_ERRORS]


def test_books_that_differ_halt(bench: Bench):
    found = MismatchFound(subject="position ACME", ours="100", theirs="0")
    assert halts(bench.tell(found)) == [HaltCause.MISMATCH]
    assert halts(bench.tell(found)) == []


def test_an_account_that_the_journal_does_not_know_halts(bench: Bench):
    lost = LostOrdersFound(at=builders.NOON, order_ids=("cb-1", "cb-2"))
    held = ForeignTradeJudged(
        fill=builders.fill(), adopted_quantity=Decimal(0), is_in_cash=False, reason="held before"
    )
    assert halts(bench.tell(replace(held, is_in_cash=True))) == []
    (halt,) = only(bench.tell(held), TradingHalted)
    assert halt.cause is HaltCause.UNKNOWN_ACCOUNT
    assert "restore the right one" in halt.detail
    assert halts(bench.tell(lost)) == []
    bench.tell(RESUME)
    assert halts(bench.tell(lost)) == [HaltCause.UNKNOWN_ACCOUNT]


def test_keys_that_are_refused_again_halt_again_and_are_told_once(bench: Bench):
    refused = operator(PositionsPolicy.HOLD, by="alpaca")
    assert halts(bench.tell(refused)) == [HaltCause.API_ERRORS]
    assert halts(bench.tell(refused)) == []
    bench.tell(RESUME)
    assert halts(bench.tell(refused)) == [HaltCause.API_ERRORS]


def operator(policy: PositionsPolicy, by: str = "ada") -> OperatorHalted:
    return OperatorHalted(at=builders.NOON, by=by, reason="drill", positions_policy=policy)


def test_an_operator_halt_can_close_every_position(bench: Bench):
    leaving = builders.position(symbol="LEAVING", trade_id="trd-leaving")
    bench.desk.positions = {"ACME": builders.position(), "LEAVING": leaving}
    bench.desk.orders = {
        "x": builders.ticket(role=OrderRole.EXIT, side=Side.SELL, trade_id="trd-leaving")
    }
    told = bench.tell(operator(PositionsPolicy.CLOSE))
    (approved,) = only(told, OrderApproved)
    assert approved.order.symbol == "ACME"
    assert approved.order.exit_reason is ExitReason.HALT
    assert bench.state.trading_state is TradingState.HALTED


def test_a_person_may_close_after_a_halt_that_holds(bench: Bench):
    bench.desk.positions = {"ACME": builders.position()}
    bench.tell(marked("96000"))
    told = bench.tell(operator(PositionsPolicy.CLOSE))
    assert only(told, OrderApproved)
    assert halts(told) == [HaltCause.OPERATOR]


def test_the_kill_switch_names_itself(bench: Bench):
    told = bench.tell(operator(PositionsPolicy.HOLD, by="kill switch"))
    assert halts(told) == [HaltCause.KILL_SWITCH]


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ({"equity_usd": Decimal(97_300)}, "daily_loss"),
        ({"equity_usd": Decimal(91_000), "day_open_equity_usd": Decimal(91_000)}, "drawdown"),
        ({"exposure_usd": Decimal(72_000)}, "exposure"),
        ({"exposure_usd": Decimal(270_000)}, "leverage"),
    ],
)
def test_nine_tenths_of_a_limit_warn_once_a_day(bench: Bench, account: dict, name: str):
    near = EquityMarked(account=builders.account(**account))
    assert name in [m.name for m in only(bench.tell(near), LimitApproached)]
    assert not only(bench.tell(near), LimitApproached)
    bench.tell(NEW_DAY)
    assert only(bench.tell(near), LimitApproached)


def test_less_than_nine_tenths_is_quiet(bench: Bench):
    calm = builders.account(equity_usd=Decimal(97_301), exposure_usd=Decimal(70_000))
    assert bench.tell(EquityMarked(account=calm)) == []


@pytest.mark.parametrize(("count", "expected"), [(5, []), (6, ["open_positions"])])
def test_more_than_five_positions_warn_and_refuse_nothing(bench: Bench, count: int, expected):
    bench.desk.positions = {str(n): builders.position(symbol=str(n)) for n in range(count)}
    told = bench.tell(marked("100000"))
    assert [m.name for m in only(told, LimitApproached)] == expected
    assert buys(bench)


def test_without_equity_a_halt_is_told_and_no_infinite_number(bench: Bench):
    told = bench.tell(marked("0", exposure_usd=Decimal(5_000)))
    assert halts(told) == [HaltCause.DAILY_LOSS]
    assert [m.name for m in only(told, LimitApproached)] == ["daily_loss", "drawdown"]


def test_a_looser_limit_is_taken_from_the_rules():
    rules = Bench().rules
    limits = replace(rules.limits, max_daily_loss_fraction=0.5, max_drawdown_fraction=0.5)
    loose = Bench(rules=replace(rules, limits=limits))
    assert not halts(loose.tell(marked("60000")))
    assert halts(loose.tell(marked("50000"))) == [HaltCause.DAILY_LOSS]


def test_two_intents_in_one_batch_cannot_both_take_the_last_room(bench: Bench):
    limits = replace(bench.rules.limits, max_exposure_fraction=0.2)
    bench.rules = replace(bench.rules, limits=limits)
    first = builders.intent()
    other = builders.catalyst(symbol="OTHER")
    second = builders.intent(signal=builders.signal(catalyst=other))
    verdicts = []
    for message in (IntentFormed(intent=first), IntentFormed(intent=second)):
        verdicts += bench.decide(message)
        bench.remember(message)
    assert [type(v) for v in verdicts] == [OrderApproved, OrderRefused]
    for verdict in verdicts:
        bench.remember(verdict)
    assert bench.state.pending == {}


def submitted(**given: Any) -> SubmitOrder:
    order = builders.approved_order(**given)
    return SubmitOrder(order=order, valid_until=builders.NOON + timedelta(seconds=10))


def test_the_fourth_order_of_one_signal_halts(bench: Bench):
    for _ in range(3):
        assert not [m for m in bench.tell(submitted()) if isinstance(m, TradingHalted)]
    halted = next(m for m in bench.tell(submitted()) if isinstance(m, TradingHalted))
    assert halted.cause is HaltCause.ORDER_STORM
    assert halted.positions_policy is PositionsPolicy.HOLD
    assert "order 4 of one signal, limit 3" in halted.detail


@pytest.mark.parametrize(
    "given",
    [
        {"role": OrderRole.EXIT, "exit_reason": ExitReason.OPERATOR},
        {"role": OrderRole.EXIT, "exit_reason": ExitReason.STOP_LOSS, "extended_hours": True},
    ],
)
def test_what_a_person_sells_and_exits_after_hours_are_no_storm(bench: Bench, given: dict):
    for _ in range(9):
        assert not bench.tell(submitted(**given))
    assert bench.state.orders_of_signal == {}


def test_exits_that_fail_again_and_again_are_a_storm(bench: Bench):
    exits = {"role": OrderRole.EXIT, "exit_reason": ExitReason.TIME_EXIT}
    told = [message for _ in range(4) for message in bench.tell(submitted(**exits))]
    assert [m.cause for m in told if isinstance(m, TradingHalted)] == [HaltCause.ORDER_STORM]


def bought(bench: Bench, quantity: Decimal) -> tuple[ApprovedOrder, Position]:
    """An entry that was approved, sent and filled."""
    order = builders.approved_order()
    position = builders.position(
        trade_id=order.trade_id, quantity=quantity, entry_quantity=quantity
    )
    for message in (
        OrderApproved(order=order),
        submitted(),
        PositionOpened(position=position),
    ):
        bench.tell(message)
    return order, position


def test_an_exit_in_parts_is_no_storm(bench: Bench):
    order, opened = bought(bench, Decimal(100))
    exits = {"role": OrderRole.EXIT, "exit_reason": ExitReason.TIME_EXIT}
    for left in range(90, 0, -10):
        told = [*bench.tell(submitted(**exits)), *bench.tell(submitted(**exits))]
        assert not only(told, TradingHalted)
        bench.tell(PositionChanged(position=replace(opened, quantity=Decimal(left))))
    assert bench.state.orders_of_signal == {order.signal_id: 1}


def test_an_entry_in_parts_counts_like_any(bench: Bench):
    order, opened = bought(bench, Decimal(10))
    for held in (20, 30):
        grown = replace(opened, quantity=Decimal(held), entry_quantity=Decimal(held))
        bench.tell(PositionChanged(position=grown))
        bench.tell(submitted())
    assert bench.state.orders_of_signal == {order.signal_id: 3}


def test_a_losing_streak_tells_its_minutes(bench: Bench):
    told = [m for minute in (0, 10, 30) for m in bench.tell(closed(-0.01, minute))]
    (halt,) = only(told, TradingHalted)
    assert halt.detail == "3 losses in a row within 30 minutes"
