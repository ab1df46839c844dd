"""Nothing resumes by itself, nor past what nobody looked at; what reduced trading still does."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.account import BookDifference
from catalyst_bot.domain.enums import (
    HaltCause,
    OrderRole,
    OrderStatus,
    PositionsPolicy,
    ProtectedBy,
    Severity,
    Side,
    TradingState,
)
from catalyst_bot.domain.messages.commands import SendNotification
from catalyst_bot.domain.messages.decisions import (
    BooksCompared,
    EquityMarked,
    IntentFormed,
    MismatchFound,
    OrderApproved,
    OrderRefused,
    PositionClosed,
    ProtectionChanged,
    ResumeRefused,
    TradingHalted,
    TradingReduced,
    TradingResumed,
)
from catalyst_bot.domain.messages.facts import (
    AdapterFailed,
    OperatorHalted,
    OperatorReduced,
    OperatorResumed,
    OperatorTradeRequested,
    SessionOpened,
    SymbolRenamed,
)
from catalyst_bot.risk.checklist import checklist
from tests import builders
from tests.unit.risk.bench import Bench, trade

NOON = builders.NOON


@pytest.fixture
def bench() -> Bench:
    return Bench()


def waiting(bench: Bench) -> dict[str, str]:
    items = checklist(bench.state, bench.desk, bench.rules.limits)
    return {item.name: item.note for item in items if not item.is_met}


def resume(*confirmed: str, reason: str = "reviewed") -> OperatorResumed:
    return OperatorResumed(at=NOON, by="ada", reason=reason, confirmed=confirmed)


def halted_by(bench: Bench, by: str = "ada") -> None:
    policy = PositionsPolicy.HOLD
    bench.tell(OperatorHalted(at=NOON, by=by, reason="drill", positions_policy=policy))


def kinds(told: list[Any]) -> list[type]:
    return [type(message) for message in told]


def test_every_item_asks_something_of_its_own(bench: Bench):
    items = checklist(bench.state, bench.desk, bench.rules.limits)
    questions = [item.question for item in items]
    assert all(question.endswith("?") for question in questions)
    assert len(set(questions)) == len(items)


def test_a_persons_own_halt_needs_only_a_reason(bench: Bench):
    halted_by(bench)
    assert waiting(bench) == {}
    assert kinds(bench.tell(resume(reason="  "))) == [ResumeRefused, SendNotification]
    assert bench.state.trading_state is TradingState.HALTED
    assert kinds(bench.tell(resume())) == [TradingResumed]
    assert bench.state.trading_state is TradingState.ACTIVE


def test_every_other_cause_has_to_be_named(bench: Bench):
    halted_by(bench, by="supervisor")
    assert bench.state.halt_cause is HaltCause.POISON_FACT
    assert list(waiting(bench)) == ["cause"]
    assert "poison_fact: supervisor: drill" in waiting(bench)["cause"]
    (refused, notice) = bench.tell(resume("drawdown"))
    assert refused.still_open == ("cause",)
    assert "poison_fact" in refused.detail
    assert notice.severity is Severity.WARNING
    assert TradingResumed in kinds(bench.tell(resume("cause")))
    assert bench.state.halt_detail == ""


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ({"equity_usd": Decimal(97_000)}, "daily_loss"),
        ({"equity_usd": Decimal(90_000), "day_open_equity_usd": Decimal(90_000)}, "drawdown"),
    ],
)
def test_a_loss_that_still_stands_is_looked_at(bench: Bench, account: dict, name: str):
    bench.desk.account = builders.account(**account)
    bench.tell(EquityMarked(account=bench.desk.account))
    assert set(waiting(bench)) == {"cause", name}
    assert ResumeRefused in kinds(bench.tell(resume("cause")))
    assert TradingResumed in kinds(bench.tell(resume("cause", name)))


def test_the_account_recovered_by_itself(bench: Bench):
    bench.tell(EquityMarked(account=builders.account(equity_usd=Decimal(96_000))))
    assert set(waiting(bench)) == {"cause"}


def test_books_that_differ_are_open_until_they_agree(bench: Bench):
    halted_by(bench)
    difference = BookDifference(subject="position ACME", ours="100", theirs="90")
    bench.tell(BooksCompared(differences=(difference,)))
    assert "position ACME: ours 100" in waiting(bench)["books"]
    bench.tell(MismatchFound(subject="position ACME", ours="100", theirs="90"))
    assert waiting(bench)["books"].count("position ACME") == 1
    bench.tell(BooksCompared(differences=()))
    assert waiting(bench) == {}


def test_a_declared_mismatch_ends_when_a_person_resumes(bench: Bench):
    bench.tell(MismatchFound(subject="cash", ours="1", theirs="2"))
    assert set(waiting(bench)) == {"cause", "books"}
    assert "the broker's word" in waiting(bench)["books"]
    bench.tell(resume("cause", "books"))
    assert bench.state.book_differences == ()


def test_orders_without_an_answer_are_open(bench: Bench):
    halted_by(bench)
    bench.desk.orders = {"cb-1": builders.ticket(client_order_id="cb-1")}
    assert waiting(bench) == {}
    unknown = builders.ticket(client_order_id="cb-1", status=OrderStatus.UNKNOWN)
    bench.desk.orders = {"cb-1": unknown}
    assert "cb-1 (ACME)" in waiting(bench)["orders"]


def protected(by: ProtectedBy) -> ProtectionChanged:
    return ProtectionChanged(
        trade_id="trd-1", catalyst_id="cat-1", symbol="ACME", protected_by=by, detail=""
    )


def test_positions_without_a_stop_are_open(bench: Bench):
    halted_by(bench)
    bench.tell(protected(ProtectedBy.NONE))
    assert waiting(bench)["protection"] == "without a stop: ACME"
    renamed = SymbolRenamed(at=NOON, symbol="ACME", new_symbol="NEWC", effective_on=NOON.date())
    bench.remember(renamed)
    assert waiting(bench)["protection"] == "without a stop: NEWC"
    bench.tell(PositionClosed(trade=trade(0.01, symbol="NEWC")))
    assert waiting(bench) == {}
    bench.tell(protected(ProtectedBy.NONE))
    bench.tell(protected(ProtectedBy.BROKER_STOP))
    assert waiting(bench) == {}


def test_a_broker_that_fails_is_open(bench: Bench):
    halted_by(bench)
    bench.tell(AdapterFailed(at=NOON, adapter="broker", error="503"))
    assert waiting(bench)["broker"].startswith("failing since 2025-10-06 16:00")


def test_no_day_and_no_restart_resumes(bench: Bench):
    halted_by(bench)
    bench.tell(SessionOpened(at=builders.OPEN, day=builders.OPEN.date(), closes_at=builders.CLOSE))
    assert bench.state.trading_state is TradingState.HALTED


def reduce() -> OperatorReduced:
    return OperatorReduced(at=NOON, by="ada", reason="holiday")


def test_reduced_trading_buys_nothing_and_sells_all_or_a_part(bench: Bench):
    told = bench.tell(reduce())
    assert kinds(told) == [TradingReduced, SendNotification]
    assert bench.state.trading_state is TradingState.REDUCING
    (refused,) = bench.tell(IntentFormed(intent=builders.intent()))
    assert isinstance(refused, OrderRefused)
    assert refused.rule == "trading_state"
    assert refused.checks[1].note == "reducing"
    bench.desk.positions = {"ACME": builders.position()}
    (sold,) = bench.tell(IntentFormed(intent=builders.intent(side=Side.SELL, action=-1.0)))
    assert isinstance(sold, OrderApproved)
    part = OperatorTradeRequested(
        at=NOON, request_id="op-1", by="ada", side=Side.SELL, symbol="ACME", quantity=Decimal(40)
    )
    (smaller,) = bench.decide(part)
    assert isinstance(smaller, OrderApproved)
    assert (smaller.order.role, smaller.order.quantity) == (OrderRole.EXIT, 40)


def test_a_halt_is_more_than_reduced_and_stays(bench: Bench):
    bench.tell(reduce())
    bench.tell(EquityMarked(account=builders.account(equity_usd=Decimal(96_000))))
    assert bench.state.trading_state is TradingState.HALTED
    assert bench.tell(reduce()) == []
    assert bench.state.trading_state is TradingState.HALTED


def test_reduced_twice_is_told_once_and_a_person_resumes(bench: Bench):
    bench.tell(reduce())
    assert bench.tell(reduce()) == []
    assert kinds(bench.tell(resume())) == [TradingResumed]
    assert not [m for m in bench.tell(resume()) if isinstance(m, TradingHalted)]
