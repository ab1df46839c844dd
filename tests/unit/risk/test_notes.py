"""Every verdict says how things are, whichever way it went: people read the notes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from math import nan

import pytest

from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.domain.news import TradeWish
from catalyst_bot.risk import check_table, checks, gauges
from catalyst_bot.risk.checklist import checklist
from catalyst_bot.risk.overrides import waived
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.sizing import Sizing
from catalyst_bot.risk.state import Override, State, StrategyRecord
from tests import builders
from tests.unit.risk.bench import proposed

NOON = builders.NOON
LIMITS = RiskLimits()
ASKED = builders.signal(catalyst=builders.catalyst(wish=TradeWish(usd=Decimal(500), quantity=None)))


def note(check, *, state: State | None = None, rules: Rules | None = None, **given) -> str:
    intent = builders.intent(**given)
    entry = proposed(state or State(), intent, builders.FakeDesk(), rules or Rules())
    verdict = check(entry)
    return verdict.note


def test_numbers_that_are_none_are_named_by_their_place():
    desk = builders.FakeDesk()
    assert checks.judge_inputs(builders.intent(), desk).note == "all numbers are finite"
    wild = checks.judge_inputs(builders.intent(confidence=nan), desk)
    assert "confidence" in wild.note


def test_whatever_cannot_be_judged_fails():
    bad = checks.judge_inputs(builders.intent(confidence=nan), builders.FakeDesk())
    verdicts = check_table.not_judged(bad)
    assert [v.name for v in verdicts] == [row.name for row in check_table.ENTRY_CHECKS]
    assert not any(v.passed for v in verdicts)


def test_the_model_is_named():
    assert note(checks.approved_model) == "rule"
    other = note(checks.approved_model, state=State(model_id="other"))
    assert other == "rule is not the run's other"


def test_the_stop_is_named():
    assert note(checks.stop_present) == "stop at 97.61"
    assert note(checks.stop_present, signal=builders.signal(price=0.0)) == "no stop can be set"


@pytest.mark.parametrize(("usd", "text"), [("100", ""), ("99.99", "cut by kelly")])
def test_a_step_that_left_just_enough_cut_nothing(usd: str, text: str):
    entry = proposed(State(), builders.intent(), builders.FakeDesk(), Rules())
    step = replace(entry.sizing.steps[0], size_usd=Decimal(usd))
    sized = replace(entry, sizing=Sizing(quantity=Decimal(0), steps=(step,)))
    assert checks.min_trade(sized).note == text


def test_a_person_is_certain():
    entry = proposed(
        State(), builders.intent(signal=ASKED, confidence=0.1), builders.FakeDesk(), Rules()
    )
    verdict = checks.confidence(entry)
    assert (verdict.observed, verdict.note) == (1.0, "met: a person asked for this trade")
    assert note(checks.confidence) == ""


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (StrategyRecord(), "active"),
        (StrategyRecord(is_paused=True), "paused until a person resumes"),
        (
            StrategyRecord(is_paused=True, paused_until=NOON),
            f"paused until {NOON:%Y-%m-%d %H:%M} UTC",
        ),
    ],
)
def test_a_pause_says_until_when(record: StrategyRecord, text: str):
    assert note(checks.strategy_paused, state=State(strategies={"news-rule": record})) == text


@pytest.mark.parametrize(("trades", "text"), [(19, "19 trades: not judged yet"), (20, "")])
def test_a_young_strategy_is_not_judged(trades: int, text: str):
    record = StrategyRecord(returns=tuple(0.01 + n / 1_000 for n in range(trades)))
    assert note(checks.strategy_sharpe, state=State(strategies={"news-rule": record})) == text


def test_a_quote_made_from_a_bar_has_no_age_of_its_own():
    old = builders.quote(at=NOON - timedelta(minutes=5), is_synthetic=True)
    intent = builders.intent(signal=builders.signal(quote=old))
    verdict = checks.live_quote_age(proposed(State(), intent, builders.FakeDesk(), Rules()))
    assert (verdict.observed, verdict.note) == (0.0, "made from a bar")
    live = builders.signal(quote=builders.quote(is_synthetic=False))
    assert note(checks.live_quote_age, signal=live) == ""


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        ((), "no list is set"),
        (("ACME", "ZZZ"), "one of 2"),
        (("ZZZ",), "not one of the 1 in risk.tradable_symbols"),
    ],
)
def test_the_list_of_symbols_is_told(listed: tuple[str, ...], text: str):
    rules = Rules(limits=RiskLimits(tradable_symbols=listed))
    assert note(checks.tradable_symbol, rules=rules) == text


def test_the_first_order_of_a_signal_is_the_first():
    entry = proposed(State(), builders.intent(), builders.FakeDesk(), Rules())
    assert checks.orders_per_signal(entry).observed == 1.0


@pytest.mark.parametrize("quantity", ["0.5", "1"])
def test_less_than_a_share_can_be_sold_too(quantity: str):
    held = builders.position(quantity=Decimal(quantity))
    sale = checks.Sale(
        symbol="ACME", position=held, quantity=held.quantity, desk=builders.FakeDesk()
    )
    assert checks.shorting(sale).passed
    assert checks.shorting(sale).note == f"{quantity} held"


def items(**account) -> dict[str, str]:
    desk = builders.FakeDesk(account=builders.account(**account))
    return {item.name: item.note for item in checklist(State(), desk, LIMITS)}


def test_the_checklist_says_what_resuming_brings():
    calm = items()
    assert calm["daily_loss"] == "lost 0.00% today, limit 3.00%"
    assert calm["drawdown"] == "0.00% below the peak, limit 10.00%"
    lost = items(equity_usd=Decimal(90_000))
    assert lost["daily_loss"] == "lost 10.00% today, limit 3.00%: it will halt again"
    after = "10.00% below the peak, limit 10.00%: today's equity becomes the new peak"
    assert lost["drawdown"] == after


def test_a_cent_of_equity_is_equity():
    cents = builders.account(equity_usd=Decimal("0.50"))
    assert gauges.fraction_of_equity(Decimal("0.25"), cents) == 0.5


def test_a_reviewed_peak_counts_down_to_the_cent():
    small = builders.account(equity_usd=Decimal("0.45"), peak_equity_usd=Decimal(100))
    assert gauges.drawdown(small, Decimal("0.50")) == pytest.approx(0.10)
    assert gauges.drawdown(small, Decimal(0)) == pytest.approx(small.drawdown)


@pytest.mark.parametrize(
    ("returns", "ratio"),
    [
        ((), None),
        ((0.01,), None),
        ((0.01, 0.03), 0.02 / 0.014142135623730951 * 252**0.5),
        ((0.0, 0.0), None),
    ],
)
def test_the_sharpe_ratio_of_two_trades_is_one(returns, ratio):
    assert gauges.sharpe(returns) == (None if ratio is None else pytest.approx(ratio))


def override(*rules: str) -> Override:
    return Override(
        override_id="ovr",
        by="ada",
        reason="known",
        intent_id="",
        symbol="ACME",
        rules=rules,
        expires_at=NOON,
    )


def test_only_what_failed_and_was_named_is_waived():
    entry = proposed(State(), builders.intent(), builders.FakeDesk(), Rules())
    good = checks.confidence(entry)
    bad, other = (replace(good, name=name, passed=False) for name in ("bad", "other"))
    passed, let_pass, left = waived((good, bad, other), override("bad", "confidence"))
    assert (passed, left) == (good, other)
    assert let_pass.passed
    assert let_pass.note.startswith("overridden by ada until")
