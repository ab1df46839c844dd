"""A person overrides one refusal: what may be, for how long, how often."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.enums import TradingState
from catalyst_bot.domain.market import MarketView, series_of
from catalyst_bot.domain.messages.commands import RequestMarketView
from catalyst_bot.domain.messages.decisions import (
    IntentFormed,
    OrderApproved,
    OrderRefused,
    OverrideGranted,
    OverrideRefused,
)
from catalyst_bot.domain.messages.facts import (
    MarketViewReceived,
    MarketViewUnavailable,
    OperatorOverrode,
    SplitApplied,
)
from catalyst_bot.risk.check_table import ENTRY_CHECKS
from catalyst_bot.risk.evolve import MAX_REFUSALS
from catalyst_bot.risk.state import StrategyRecord
from tests import builders
from tests.unit.risk.bench import Bench

NOON = builders.NOON
INTENT = builders.intent()


@pytest.fixture
def bench() -> Bench:
    """Refuses every entry by `daily_trades`, which a person may override."""
    bench = Bench()
    bench.state.entries_today = 40
    return bench


def word(**given: Any) -> OperatorOverrode:
    values: dict[str, Any] = {
        "at": NOON,
        "override_id": "ovr-1",
        "by": "ada",
        "reason": "the last good one of the day",
        "expires_at": NOON + timedelta(minutes=10),
        "intent_id": INTENT.intent_id,
    }
    return OperatorOverrode(**(values | given))


def refuse(bench: Bench) -> OrderRefused:
    (refused,) = bench.tell(IntentFormed(intent=INTENT))
    assert isinstance(refused, OrderRefused)
    return refused


def judged(bench: Bench, message: OperatorOverrode, **seen: Any) -> list[Any]:
    """Tell a word that is granted, and what the market shows when it is looked at for it."""
    granted, look = bench.tell(message)
    assert isinstance(granted, OverrideGranted)
    assert isinstance(look, RequestMarketView)
    assert (look.symbol, look.catalyst_id) == (granted.symbol, granted.catalyst_id)
    return [granted, *bench.tell(view_for(look, bench, **seen))]


def view_for(look: RequestMarketView, bench: Bench, **seen: Any) -> MarketViewReceived:
    at = bench.desk.now
    view = MarketView(
        symbol=look.symbol,
        as_of=at,
        bar_interval_s=300,
        bars=series_of(
            look.symbol, seen.get("bars", [builders.bar(close=seen.get("close", 100.0))])
        ),
        benchmark_bars=series_of("SPY", []),
        quote=seen.get("quote", builders.quote(at=at)),
    )
    return MarketViewReceived(
        at=at, request_id=look.request_id, catalyst_id=look.catalyst_id, view=view
    )


def test_a_refusal_is_judged_again_and_says_who_overrode_what(bench: Bench):
    assert refuse(bench).rule == "daily_trades"
    granted, approved = judged(bench, word())
    assert isinstance(granted, OverrideGranted)
    assert granted.rules == ("daily_trades",)
    assert granted.catalyst_id == INTENT.signal.catalyst.catalyst_id
    assert isinstance(approved, OrderApproved)
    assert approved.order.override_id == "ovr-1"
    check = next(c for c in approved.order.checks if c.name == "daily_trades")
    assert check.passed
    assert (check.observed, check.limit) == (41.0, 40.0)
    assert "overridden by ada until 2025-10-06 16:10:00 UTC: the last good one" in check.note
    assert all(c.passed for c in approved.order.checks)
    plan = bench.state.plans[approved.order.trade_id]
    assert plan.horizon_s == INTENT.signal.catalyst.horizon_s


def test_it_is_used_once(bench: Bench):
    refuse(bench)
    judged(bench, word())
    assert bench.state.overrides == {}
    assert bench.tell(word()) == []  # the same word again
    other = bench.tell(word(override_id="ovr-2"))
    assert [type(m) for m in other] == [OverrideRefused]
    assert "no refusal of" in other[0].reason


def test_it_is_judged_at_the_prices_of_now(bench: Bench):
    """A refusal is minutes old when a person answers it: its own quote would be refused as old."""
    refuse(bench)
    bench.desk.now = NOON + timedelta(minutes=11)
    quote = builders.quote(at=bench.desk.now, bid=102.98, ask=103.02)
    _, approved = judged(
        bench, word(expires_at=NOON + timedelta(minutes=20)), quote=quote, close=103.0
    )
    assert isinstance(approved, OrderApproved)
    assert approved.order.reference_price == Decimal("103.02")


def test_without_a_bar_its_own_price_counts_beside_the_quote_of_now(bench: Bench):
    refuse(bench)
    quote = builders.quote(bid=98.98, ask=99.02)
    _, approved = judged(bench, word(), bars=[], quote=quote)
    assert isinstance(approved, OrderApproved)
    assert approved.order.reference_price == Decimal(100)


def test_it_is_over_when_the_prices_come_too_late(bench: Bench):
    refuse(bench)
    _, look = bench.tell(word())
    bench.desk.now = NOON + timedelta(minutes=10)
    (refused,) = bench.tell(view_for(look, bench))
    assert isinstance(refused, OrderRefused)
    assert refused.rule == "daily_trades"
    assert bench.state.pending == {}


def test_without_prices_nothing_is_judged_and_it_is_gone(bench: Bench):
    refuse(bench)
    _, look = bench.tell(word())
    unavailable = MarketViewUnavailable(
        at=NOON,
        request_id=look.request_id,
        catalyst_id=look.catalyst_id,
        symbol=look.symbol,
        reason="no_bars",
    )
    (refused,) = bench.tell(unavailable)
    assert isinstance(refused, OverrideRefused)
    assert refused.reason == "there are no prices to judge it by: no bars"
    assert bench.state.overrides == {}
    assert bench.tell(unavailable) == []


def test_other_looks_at_the_market_judge_nothing(bench: Bench):
    refuse(bench)
    _, look = bench.tell(word())
    other = replace(look, request_id=f"view:{look.catalyst_id}")
    assert bench.tell(view_for(other, bench)) == []
    assert bench.state.pending == {}


def test_it_is_for_that_intent_only(bench: Bench):
    refuse(bench)
    bench.tell(word())
    (refused,) = bench.tell(IntentFormed(intent=intent_in("ACME", 1)))
    assert isinstance(refused, OrderRefused)
    assert "ovr-1" in bench.state.overrides


def test_whatever_else_refuses_still_does(bench: Bench):
    refuse(bench)
    bench.state.trading_state = TradingState.HALTED
    _, refused = judged(bench, word())
    assert isinstance(refused, OrderRefused)
    assert refused.rule == "trading_state"
    assert not next(c for c in refused.checks if c.name == "daily_trades").passed
    assert bench.state.pending == {}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (
            lambda b: setattr(b.desk, "account", builders.account(equity_usd=Decimal(96_000))),
            "daily_loss is a limit of the account",
        ),
        (
            lambda b: setattr(b.state, "halted_symbols", {"ACME"}),
            "symbol_halted cannot be overridden",
        ),
        (
            lambda b: setattr(b.state, "trading_state", TradingState.HALTED),
            "trading_state cannot be overridden",
        ),
    ],
)
def test_what_cannot_be_overridden_is_refused_by_name(bench: Bench, spoil, reason: str):
    spoil(bench)
    refuse(bench)
    (refused,) = bench.tell(word())
    assert isinstance(refused, OverrideRefused)
    assert reason in refused.reason
    assert bench.state.overrides == {}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"reason": "  "}, "no reason"),
        ({"expires_at": NOON}, "time is over"),
        ({"expires_at": NOON + timedelta(hours=8, seconds=1)}, "more than 8 hours"),
        ({"intent_id": "int-unknown"}, "no refusal of int-unknown"),
        ({"intent_id": "", "rule": "daily_trades"}, "no symbol"),
        ({"intent_id": "", "rule": "weather", "symbol": "ACME"}, "weather is no rule"),
        ({"intent_id": "", "rule": "exposure", "symbol": "ACME"}, "exposure is a limit of the acc"),
        ({"intent_id": "", "rule": "quote_age", "symbol": "ACME"}, "quote_age cannot"),
    ],
)
def test_a_word_that_is_none_is_refused(bench: Bench, given: dict, reason: str):
    refuse(bench)
    (refused,) = bench.tell(word(**given))
    assert isinstance(refused, OverrideRefused)
    assert reason in refused.reason


def test_the_longest_time_is_not_too_long(bench: Bench):
    refuse(bench)
    granted, _ = bench.tell(word(expires_at=NOON + timedelta(hours=8)))
    assert isinstance(granted, OverrideGranted)


def test_no_rule_of_the_account_may_be_overridden():
    fixed = {row.name for row in ENTRY_CHECKS if not row.may_be_overridden}
    assert {"daily_loss", "drawdown", "exposure", "leverage", "losses_per_hour"} <= fixed
    assert {"finite_inputs", "trading_state", "approved_limits", "stop_present"} <= fixed


def of_rule(**given: Any) -> OperatorOverrode:
    return word(**({"intent_id": "", "rule": "daily_trades", "symbol": "ACME"} | given))


def intent_in(symbol: str, number: int = 0) -> Any:
    of_headline = builders.headline(title=f"news {symbol} {number}")
    catalyst = builders.catalyst(symbol=symbol, headline=of_headline)
    return builders.intent(signal=builders.signal(catalyst=catalyst))


def test_a_rule_is_overridden_for_the_next_entry_of_its_symbol_only(bench: Bench):
    (granted,) = bench.tell(of_rule())
    assert isinstance(granted, OverrideGranted)
    (other,) = bench.tell(IntentFormed(intent=intent_in("OTHER")))
    assert isinstance(other, OrderRefused)
    (approved,) = bench.tell(IntentFormed(intent=INTENT))
    assert isinstance(approved, OrderApproved)
    assert approved.order.override_id == "ovr-1"
    bench.state.last_entry_at.clear()
    (again,) = bench.tell(IntentFormed(intent=intent_in("ACME", 1)))
    assert isinstance(again, OrderRefused)


def test_it_waits_while_it_is_not_needed(bench: Bench):
    bench.tell(of_rule())
    bench.state.entries_today = 0
    (approved,) = bench.tell(IntentFormed(intent=INTENT))
    assert isinstance(approved, OrderApproved)
    assert approved.order.override_id == ""
    assert "ovr-1" in bench.state.overrides


@pytest.mark.parametrize(("after_s", "kind"), [(599, OrderApproved), (600, OrderRefused)])
def test_it_is_over_at_its_time(bench: Bench, after_s: int, kind: type):
    bench.tell(of_rule())
    bench.desk.now = NOON + timedelta(seconds=after_s)
    quote = builders.quote(at=bench.desk.now)
    late = replace(INTENT, signal=builders.signal(quote=quote))
    (verdict,) = bench.tell(IntentFormed(intent=late))
    assert isinstance(verdict, kind)


def test_what_is_over_is_forgotten(bench: Bench):
    bench.tell(of_rule())
    bench.desk.now = NOON + timedelta(minutes=10)
    later = bench.desk.now + timedelta(minutes=1)
    bench.tell(of_rule(override_id="ovr-2", expires_at=later))
    assert list(bench.state.overrides) == ["ovr-2"]


def test_another_broken_rule_is_not_covered(bench: Bench):
    bench.tell(of_rule())
    losing = StrategyRecord(consecutive_losses=3)
    bench.state.strategies = {"news-rule": losing}
    (refused,) = bench.tell(IntentFormed(intent=INTENT))
    assert isinstance(refused, OrderRefused)


def test_refusals_are_kept_for_a_while_only(bench: Bench):
    refuse(bench)
    for number in range(MAX_REFUSALS):
        bench.tell(IntentFormed(intent=intent_in("OTHER", number)))
    assert len(bench.state.refusals) == MAX_REFUSALS
    (refused,) = bench.tell(word())
    assert "no refusal of" in refused.reason


def test_what_was_refused_at_prices_before_a_split_is_over(bench: Bench):
    refuse(bench)
    split = SplitApplied(
        at=NOON, symbol="OTHER", shares_per_share=Decimal(4), effective_on=NOON.date()
    )
    bench.tell(split)
    assert list(bench.state.refusals) == [INTENT.intent_id]
    bench.tell(replace(split, symbol="ACME"))
    (refused,) = bench.tell(word())
    assert "no refusal of" in refused.reason
