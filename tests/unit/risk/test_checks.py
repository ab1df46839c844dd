"""Every entry check at its limit, just over, and with a number that is none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest

from catalyst_bot.domain.enums import HaltCause, HaltedSymbols, OrderRole, Side, Tier, TradingState
from catalyst_bot.domain.limits import ExecutionRules, RiskLimits
from catalyst_bot.domain.market import DAY_S
from catalyst_bot.domain.news import TradeWish
from catalyst_bot.domain.trading import Check
from catalyst_bot.risk import check_table, checks
from catalyst_bot.risk.approved import limits_hash
from catalyst_bot.risk.book import Book
from catalyst_bot.risk.correlation import Kinship
from catalyst_bot.risk.proposal import Proposal
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.sizing import Sizing
from catalyst_bot.risk.state import PendingEntry, State, StrategyRecord
from tests import builders
from tests.unit.risk.bench import proposed

STRATEGY = "news-rule"
NOTHING = Book(exposure_usd=Decimal(0), reserved_usd=Decimal(0), on_the_way=(), symbols=frozenset())


@dataclass
class Entry:
    """What a proposal is made of; every test changes what it is about."""

    state: State
    desk: builders.FakeDesk
    intent: Any

    def propose(self, **changes: Any) -> Proposal:
        return replace(proposed(self.state, self.intent, self.desk, Rules()), **changes)


@pytest.fixture
def entry() -> Entry:
    return Entry(state=State(), desk=builders.FakeDesk(), intent=builders.intent())


def shares(quantity: str) -> Sizing:
    return Sizing(quantity=Decimal(quantity), steps=())


def equity(usd: str, **given: Any) -> builders.FakeDesk:
    return builders.FakeDesk(account=builders.account(equity_usd=Decimal(usd), **given))


def record(**given: Any) -> State:
    return State(strategies={STRATEGY: StrategyRecord(**given)})


def test_a_plain_entry_passes_every_check(entry: Entry):
    verdicts = check_table.check_entry(entry.propose())
    assert [c.name for c in verdicts if not c.passed] == []
    assert [c.name for c in verdicts] == [row.name for row in check_table.ENTRY_CHECKS]


@pytest.mark.parametrize(("quantity", "passed"), [("200", True), ("201", False)])
def test_position_size_is_at_most_a_fifth(entry: Entry, quantity: str, passed: bool):
    proposal = entry.propose(sizing=shares(quantity), price=Decimal(100))
    assert checks.position_size(proposal).passed is passed


@pytest.mark.parametrize(("quantity", "passed"), [("1", True), ("0.99", False), ("0", False)])
def test_min_trade_is_a_hundred_dollars(entry: Entry, quantity: str, passed: bool):
    proposal = entry.propose(sizing=shares(quantity), price=Decimal(100))
    assert checks.min_trade(proposal).passed is passed


def test_min_trade_names_the_step_that_left_too_little(entry: Entry):
    entry.desk.account = builders.account(cash_usd=Decimal(50))
    assert checks.min_trade(entry.propose()).note == "cut by buying_power"


@pytest.mark.parametrize(
    ("confidence", "passed"), [(0.7, True), (0.699, False), (nan, False), (inf, False)]
)
def test_confidence(entry: Entry, confidence: float, passed: bool):
    entry.intent = builders.intent(confidence=confidence)
    assert checks.confidence(entry.propose()).passed is passed


@pytest.mark.parametrize(("losses", "passed"), [(2, True), (3, False)])
def test_three_losses_in_a_row_block(entry: Entry, losses: int, passed: bool):
    entry.state = record(consecutive_losses=losses)
    assert checks.consecutive_losses(entry.propose()).passed is passed


def test_a_paused_strategy_blocks_only_itself(entry: Entry):
    entry.state = record(is_paused=True)
    assert not checks.strategy_paused(entry.propose()).passed
    entry.state = State(strategies={"other": StrategyRecord(is_paused=True)})
    assert checks.strategy_paused(entry.propose()).passed


@pytest.mark.parametrize(
    ("returns", "passed"),
    [
        ((0.02, -0.01) * 10, True),
        ((0.01, -0.02) * 10, False),
        ((0.01, -0.02) * 9, True),  # too few trades to judge
        ((0.01,) * 20, True),  # no spread, nothing to judge
        ((nan, 0.01) * 10, False),
    ],
)
def test_the_sharpe_ratio_is_judged_after_twenty_trades(entry: Entry, returns, passed: bool):
    entry.state = record(returns=returns)
    assert checks.strategy_sharpe(entry.propose()).passed is passed


@pytest.mark.parametrize(
    ("today", "in_line", "passed"), [(39, 0, True), (40, 0, False), (38, 1, True), (38, 2, False)]
)
def test_daily_trades_count_entries_in_line(entry: Entry, today: int, in_line: int, passed: bool):
    entry.state.entries_today = today
    entry.state.pending = {
        str(n): PendingEntry(symbol=str(n), horizon_s=1.0) for n in range(in_line)
    }
    assert checks.daily_trades(entry.propose()).passed is passed


@pytest.mark.parametrize(
    ("correlation", "passed"), [(0.7, True), (0.701, False), (-1.0, True), (nan, False)]
)
def test_correlation(entry: Entry, correlation: float, passed: bool):
    kinship = Kinship(correlation=correlation, note="with ZZZ")
    assert checks.correlation(entry.propose(kinship=kinship)).passed is passed


@pytest.mark.parametrize(("usd", "passed"), [("97000.01", True), ("97000", False), ("9", False)])
def test_daily_loss_must_stay_below_three_percent(entry: Entry, usd: str, passed: bool):
    entry.desk = equity(usd)
    assert checks.daily_loss(entry.propose()).passed is passed


@pytest.mark.parametrize(("usd", "passed"), [("90000.01", True), ("90000", False)])
def test_drawdown_must_stay_below_ten_percent(entry: Entry, usd: str, passed: bool):
    entry.desk = equity(usd, day_open_equity_usd=Decimal(usd))
    assert checks.drawdown(entry.propose()).passed is passed


@pytest.mark.parametrize(("usd", "passed"), [("79000", True), ("79001", False)])
def test_exposure_counts_what_is_on_its_way(entry: Entry, usd: str, passed: bool):
    book = replace(NOTHING, exposure_usd=Decimal(usd))
    proposal = entry.propose(book=book, sizing=shares("10"), price=Decimal(100))
    assert checks.exposure(proposal).passed is passed


@pytest.mark.parametrize(("usd", "passed"), [("299000", True), ("299001", False)])
def test_leverage(entry: Entry, usd: str, passed: bool):
    book = replace(NOTHING, exposure_usd=Decimal(usd))
    proposal = entry.propose(book=book, sizing=shares("10"), price=Decimal(100))
    assert checks.leverage(proposal).passed is passed


@pytest.mark.parametrize("check", [checks.position_size, checks.exposure, checks.leverage])
def test_without_equity_nothing_passes(entry: Entry, check):
    entry.desk = equity("0")
    verdict = check(entry.propose(sizing=shares("0")))
    assert not verdict.passed
    assert verdict.observed == 0.0
    assert verdict.note.startswith("observed inf")


@pytest.mark.parametrize(
    ("age_s", "passed"), [(0, True), (600, True), (600.1, False), (-0.1, False)]
)
def test_quote_age(entry: Entry, age_s: float, passed: bool):
    quote = builders.quote(at=builders.NOON - timedelta(seconds=age_s))
    entry.intent = builders.intent(signal=builders.signal(quote=quote))
    assert checks.quote_age(entry.propose()).passed is passed


@pytest.mark.parametrize(
    ("age_s", "is_synthetic", "passed"),
    [(2, False, True), (2.001, False, False), (2.001, True, True)],
)
def test_a_live_quote_is_old_after_two_seconds(
    entry: Entry, age_s: float, is_synthetic: bool, passed: bool
):
    at = builders.NOON - timedelta(seconds=age_s)
    quote = builders.quote(at=at, is_synthetic=is_synthetic)
    entry.intent = builders.intent(signal=builders.signal(quote=quote))
    assert checks.live_quote_age(entry.propose()).passed is passed


@pytest.mark.parametrize(
    ("quote", "passed"),
    [
        ({"bid": 100.0, "ask": 100.0}, True),
        ({"bid": 95.3, "ask": 95.3}, True),
        ({"bid": 95.2, "ask": 95.2}, False),
        ({"bid": 80.0, "ask": 120.0}, False),  # we would pay the ask
        ({"bid": 100.2, "ask": 100.1}, False),  # crossed
        ({"bid": 0.0, "ask": 100.0}, False),
        ({"bid": nan, "ask": 100.0}, False),
        ({"bid": 100.0, "ask": nan}, False),
        ({"bid": 100.0, "ask": inf}, False),
    ],
)
def test_price_collar(entry: Entry, quote: dict, passed: bool):
    entry.intent = builders.intent(signal=builders.signal(quote=builders.quote(**quote)))
    assert checks.price_collar(entry.propose()).passed is passed


@pytest.mark.parametrize("price", [nan, inf, 0.0, -1.0])
def test_a_price_that_is_none_fails(entry: Entry, price: float):
    entry.intent = builders.intent(signal=builders.signal(price=price))
    failed = {c.name for c in check_table.check_entry(entry.propose()) if not c.passed}
    assert {"price_collar", "stop_present", "min_trade"} <= failed


@pytest.mark.parametrize("atr", [nan, inf, -1.0])
def test_no_stop_no_entry(entry: Entry, atr: float):
    entry.intent = builders.intent(signal=builders.signal(atr=atr))
    assert not checks.stop_present(entry.propose()).passed


def test_a_symbol_that_is_held_is_not_bought_again(entry: Entry):
    assert checks.duplicate(entry.propose()).passed
    entry.desk.positions = {"ACME": builders.position()}
    assert checks.duplicate(entry.propose()).note == "position open"
    assert not checks.duplicate(entry.propose()).passed


def test_one_open_entry_per_symbol(entry: Entry):
    assert checks.open_entry(entry.propose()).passed
    entry.desk.orders = {"cb-test": builders.ticket()}
    verdict = checks.open_entry(entry.propose())
    assert (verdict.passed, verdict.observed, verdict.note) == (False, 2.0, "entry on its way")
    entry.desk.orders = {"cb-test": builders.ticket(symbol="OTHER")}
    assert checks.open_entry(entry.propose()).passed
    entry.state.pending = {"sig": PendingEntry(symbol="ACME", horizon_s=1.0)}
    assert not checks.open_entry(entry.propose()).passed


def test_only_entries_are_on_their_way(entry: Entry):
    entry.desk.orders = {"cb-test": builders.ticket(role=OrderRole.STOP_LOSS, side=Side.SELL)}
    assert checks.open_entry(entry.propose()).passed


@pytest.mark.parametrize(
    ("ages_s", "in_line", "passed"),
    [
        ((59.0,) * 9, 0, True),
        ((59.0,) * 10, 0, False),
        ((60.0,) * 40, 0, True),
        ((1.0,) * 9, 1, False),
    ],
)
def test_orders_per_minute(entry: Entry, ages_s, in_line: int, passed: bool):
    entry.state.approved_at = tuple(builders.NOON - timedelta(seconds=age) for age in ages_s)
    entry.state.pending = {
        str(n): PendingEntry(symbol=str(n), horizon_s=1.0) for n in range(in_line)
    }
    assert checks.orders_per_minute(entry.propose()).passed is passed


@pytest.mark.parametrize(
    ("listed", "passed"), [((), True), (("ACME", "ZZZ"), True), (("ZZZ",), False)]
)
def test_only_what_is_listed_is_bought(entry: Entry, listed: tuple[str, ...], passed: bool):
    rules = Rules(limits=RiskLimits(tradable_symbols=listed))
    assert checks.tradable_symbol(entry.propose(rules=rules)).passed is passed


def test_the_limits_are_those_of_the_start(entry: Entry):
    entry.state.limits_hash = limits_hash(Rules())
    assert checks.approved_limits(entry.propose()).passed
    other = Rules(limits=RiskLimits(max_position_fraction=0.21))
    verdict = checks.approved_limits(entry.propose(rules=other))
    assert not verdict.passed
    assert limits_hash(other) in verdict.note
    entry.state.limits_hash = ""  # no run began yet
    assert checks.approved_limits(entry.propose(rules=other)).passed


def test_the_model_is_that_of_the_start(entry: Entry):
    assert checks.approved_model(entry.propose()).passed
    entry.state.model_id = "rule"
    assert checks.approved_model(entry.propose()).passed
    entry.state.model_id = "another"
    assert not checks.approved_model(entry.propose()).passed
    wish = TradeWish(usd=Decimal(1_000), quantity=None)
    asked = builders.signal(catalyst=builders.catalyst(wish=wish))
    entry.intent = builders.intent(signal=asked, model_id="operator")
    assert checks.approved_model(entry.propose()).passed


@pytest.mark.parametrize(
    ("ages_s", "passed"), [((10, 3600), True), ((10, 20, 3600), False), ((10, 20, 3601), True)]
)
def test_losses_per_hour(entry: Entry, ages_s: tuple[int, ...], passed: bool):
    times = sorted(builders.NOON - timedelta(seconds=age) for age in ages_s)
    entry.state.loss_streak = tuple(times)
    assert checks.losses_per_hour(entry.propose()).passed is passed


@pytest.mark.parametrize(("ago_s", "passed"), [(59.9, False), (60, True)])
def test_no_second_entry_within_a_minute(entry: Entry, ago_s: float, passed: bool):
    entry.state.last_entry_at["ACME", Side.BUY] = builders.NOON - timedelta(seconds=ago_s)
    assert checks.duplicate(entry.propose()).passed is passed


def test_a_halted_symbol_blocks(entry: Entry):
    entry.state.halted_symbols = {"ACME"}
    assert not checks.symbol_halted(entry.propose()).passed


@pytest.mark.parametrize(
    ("now", "passed"),
    [
        (builders.OPEN, True),
        (builders.CLOSE - timedelta(seconds=1), True),
        (builders.CLOSE, False),
        (builders.OPEN - timedelta(seconds=1), False),
        (datetime(2031, 1, 1, tzinfo=UTC), False),  # outside the session table
    ],
)
def test_session_open(entry: Entry, now: datetime, passed: bool):
    entry.desk.now = now
    assert checks.session_open(entry.propose()).passed is passed


@pytest.mark.parametrize(("bar_interval_s", "passed"), [(DAY_S, True), (DAY_S - 1, False)])
def test_only_bars_of_a_session_decide_after_it(entry: Entry, bar_interval_s: int, passed: bool):
    entry.intent = builders.intent(signal=builders.signal(bar_interval_s=bar_interval_s))
    assert checks.session_open(entry.propose()).note == "session of 2025-10-06"
    entry.desk.now = builders.CLOSE
    verdict = checks.session_open(entry.propose())
    note = "for the open of 2025-10-07" if passed else "no session"
    assert (verdict.passed, verdict.note) == (passed, note)
    extended = Rules(execution=ExecutionRules(extended_hours=True))
    assert checks.session_open(entry.propose(rules=extended)).note == "extended hours (post)"


@pytest.mark.parametrize("state", [TradingState.REDUCING, TradingState.HALTED])
def test_entries_need_active_trading(entry: Entry, state: TradingState):
    entry.desk.trading_state = state
    assert not checks.trading_state(entry.propose()).passed
    entry.desk.trading_state = TradingState.ACTIVE
    entry.state.trading_state = state
    entry.state.halt_cause = HaltCause.DAILY_LOSS
    verdict = checks.trading_state(entry.propose())
    assert not verdict.passed
    assert "daily_loss" in verdict.note


@pytest.mark.parametrize(("sent", "passed"), [(2, True), (3, False)])
def test_orders_per_signal(entry: Entry, sent: int, passed: bool):
    entry.state.orders_of_signal = {entry.intent.signal.signal_id: sent}
    assert checks.orders_per_signal(entry.propose()).passed is passed


def names(verdicts: tuple[Check, ...]) -> list[str]:
    return [c.name for c in verdicts if not c.passed]


def test_an_exit_needs_something_to_sell_and_no_exit_at_work():
    desk = builders.FakeDesk(trading_state=TradingState.HALTED)
    held = builders.position()
    assert names(check_table.check_exit("ACME", None, desk)) == ["shorting"]
    assert names(check_table.check_exit("ACME", replace(held, quantity=Decimal(0)), desk)) == [
        "shorting"
    ]
    assert names(check_table.check_exit("ACME", held, desk)) == []
    assert names(check_table.check_exit("ACME", held, desk, Decimal(101))) == ["held_quantity"]
    desk.orders = {"cb-exit": builders.ticket(role=OrderRole.EXIT, side=Side.SELL)}
    assert names(check_table.check_exit("ACME", held, desk)) == ["exit_working"]


def test_the_table_says_of_every_check_what_it_is(entry: Entry):
    for row in check_table.ENTRY_CHECKS:
        verdict = row.judge(entry.propose())
        assert (verdict.name, verdict.tier, verdict.unit) == (row.name, row.tier, row.unit)
        assert row.refusal
        assert row.origin
        assert not (row.limit and not hasattr(RiskLimits(), row.limit))
        assert not (row.may_be_overridden and row.tier is Tier.ACCOUNT)
    sale = checks.Sale(
        symbol="ACME", position=builders.position(), quantity=Decimal(1), desk=entry.desk
    )
    for row in check_table.EXIT_CHECKS:
        verdict = row.judge(sale)
        assert (verdict.name, verdict.tier, verdict.unit) == (row.name, row.tier, row.unit)
        assert row.origin


def test_the_book_counts_the_unfilled_rest_and_entries_in_line(entry: Entry):
    entry.desk.account = builders.account(exposure_usd=Decimal(30_000))
    entry.desk.orders = {
        "cb-1": builders.ticket(symbol="AAA", filled_quantity=Decimal(40)),
        "cb-2": builders.ticket(symbol="BBB", role=OrderRole.TAKE_PROFIT),
    }
    entry.state.pending = {"sig": PendingEntry(symbol="CCC", horizon_s=1.0)}
    book = entry.propose().book
    assert book.reserved_usd == 60 * 100 + 20_000
    assert book.exposure_usd == 30_000 + 26_000
    assert book.symbols == {"AAA", "CCC"}


def test_notes_say_how_things_are(entry: Entry):
    plain = entry.propose()
    assert checks.quote_age(plain).note == ""
    assert checks.price_collar(plain).note == ""
    assert checks.session_open(plain).note == "session of 2025-10-06"
    assert checks.symbol_halted(plain).note == "trading"
    future = builders.quote(at=builders.NOON + timedelta(seconds=1))
    entry.intent = builders.intent(signal=builders.signal(quote=future))
    assert "is from the future" in checks.quote_age(entry.propose()).note
    crossed = builders.quote(bid=101.0, ask=100.0)
    entry.intent = builders.intent(signal=builders.signal(quote=crossed))
    assert "crossed" in checks.price_collar(entry.propose()).note
    entry.desk.now = builders.CLOSE
    assert checks.session_open(entry.propose()).note == "no session"
    entry.state.halted_symbols = {"ACME"}
    assert checks.symbol_halted(entry.propose()).note == "halted by the exchange"
    queue = Rules(execution=ExecutionRules(halted_symbols=HaltedSymbols.QUEUE))
    waits = checks.symbol_halted(entry.propose(rules=queue))
    assert (waits.passed, waits.note) == (True, "halted by the exchange: waits for the resume")
    entry.state.halted_symbols = set()
    assert checks.symbol_halted(entry.propose(rules=queue)).note == "trading"
    extended = Rules(execution=ExecutionRules(extended_hours=True))
    after_hours = checks.session_open(entry.propose(rules=extended))
    assert (after_hours.passed, after_hours.note) == (True, "extended hours (post)")


def test_a_quote_below_a_dollar_is_one_and_one_without_a_bid_is_none(entry: Entry):
    cheap = builders.quote(bid=0.50, ask=0.50)
    entry.intent = builders.intent(signal=builders.signal(quote=cheap, price=0.50))
    assert checks.price_collar(entry.propose()).passed
    no_bid = builders.quote(bid=0.0, ask=100.0)
    entry.intent = builders.intent(signal=builders.signal(quote=no_bid))
    assert "not positive" in checks.price_collar(entry.propose()).note
