"""One account over many symbols: its money adds up, its rules hold, it knows no future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.decisions import PositionClosed, StrategyPaused
from catalyst_bot.features.spec import NAMES
from catalyst_bot.history.panel import Panel
from catalyst_bot.ml.kernels import books as b
from catalyst_bot.ml.kernels import fills, likeness, portfolio, records
from catalyst_bot.ml.kernels.asks import kelly_of_record
from catalyst_bot.ml.kernels.play import Play
from catalyst_bot.ml.kernels.trading import STOP_LOSS
from catalyst_bot.ml.portfolio.benchmarks import capacity_of, capacity_usd
from catalyst_bot.ml.portfolio.closes import closes_of
from catalyst_bot.ml.portfolio.run import PortfolioRun, new_books, run_portfolio
from catalyst_bot.ml.tape import Singles, tape_of
from catalyst_bot.ml.terms import Terms, at_costs, terms_of
from catalyst_bot.policies.rule_action import RULE_TERMS
from catalyst_bot.risk import closes as kept
from catalyst_bot.risk import decide, evolve
from catalyst_bot.risk.correlation import kinship
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.sizing import kelly_fraction, shrunk_odds
from catalyst_bot.risk.state import State
from catalyst_bot.settings import Settings
from tests.builders import NOON, FakeDesk
from tests.panels import Case, panel_of
from tests.unit.risk.bench import trade
from tests.windows import random_window

pytest.importorskip("numba", reason="compiling needs numba: make setup-research")
SYMBOLS = ("ACME", "BOLT", "CORE", "DYNE")
COUNT = 160
ALL = range(COUNT)
TERMS = terms_of(Settings())._replace(atr_multiple=2.0, max_correlation=1.0)


def news(seed: int, count: int = 40, bars: int = 6) -> list[Case]:
    rng = np.random.default_rng(seed)
    return [
        Case(
            symbol=SYMBOLS[int(rng.integers(len(SYMBOLS)))],
            bar=int(rng.integers(40, COUNT - 10)),
            bars=bars,
            is_bad=bool(rng.random() < 0.2),
        )
        for _ in range(count)
    ]


def history(seed: int, cases: Sequence[Case] | None = None) -> Panel:
    told = news(seed) if cases is None else cases
    return panel_of(told, symbols=SYMBOLS, count=COUNT, seed=seed)


def by_rule(panel: Panel, terms: Terms = TERMS, **given: Any) -> PortfolioRun:
    return run_portfolio(
        tape_of(panel, atr_length=TERMS.atr_length), terms, sessions=ALL, policy=RULE_TERMS, **given
    )


def eager(seen: Singles) -> tuple[Any, Any]:
    """Buys what rose yesterday, leaves what fell."""
    return np.sign(seen[:, NAMES.index("return_1")]), np.ones(len(seen))


@given(seed=st.integers(1, 10_000))
@settings(max_examples=15, deadline=None)
def test_the_money_adds_up(seed: int) -> None:
    for policy in (RULE_TERMS, eager):
        run = run_portfolio(
            tape_of(history(seed), atr_length=TERMS.atr_length), TERMS, sessions=ALL, policy=policy
        )
        is_flat = run.exposure == 0
        done = np.array(
            [run.trades["pnl_usd"][run.trades["exit_session"] <= day].sum() for day in ALL]
        )
        worth = run.equity[1:] - TERMS.starting_cash_usd
        assert worth[is_flat] == pytest.approx(done[is_flat], abs=1e-6)
        assert (run.exposure <= TERMS.max_gross_fraction + 0.15).all(), "at the sizes of the close"
        trades = run.trades
        amounts = trades["shares"] * (trades["exit_price"] - trades["entry_price"])
        assert trades["pnl_usd"] == pytest.approx(amounts - trades["fees_usd"], abs=0.02)
        assert (trades["entry_session"] <= trades["exit_session"]).all()


def test_compiled_and_plain_play_alike() -> None:
    panel = history(3)
    tape = tape_of(panel, atr_length=TERMS.atr_length)
    fast = by_rule(panel)
    play = Play(tape.bars, tape.asks, closes_of(tape), TERMS, 0, reviews=False)
    books = new_books(len(tape.symbols), TERMS, trades=100)
    worth = np.empty((COUNT, 2))
    portfolio.run_rule(books, play, 0, 2 * COUNT, RULE_TERMS, worth)
    assert len(fast.trades) > 5
    assert np.array_equal(fast.equity[1:], worth[:, 0])
    assert np.array_equal(fast.exposure, worth[:, 1])


@pytest.mark.parametrize("policy", [RULE_TERMS, eager])
def test_nothing_later_changes_what_was(policy: Any) -> None:
    panel, cut = history(5), 120
    later = np.concatenate([np.arange(COUNT) >= cut] * (len(SYMBOLS) + 1))
    names = ("open", "high", "low", "close", "volume")
    columns = {
        name: np.where(later, column * 1.5, column) if name in names else column
        for name, column in panel.columns.items()
    }
    before, after = (
        run_portfolio(
            tape_of(each, atr_length=TERMS.atr_length),
            TERMS,
            sessions=ALL,
            policy=policy,
            review_after=1,
        )
        for each in (panel, replace(panel, columns=columns))
    )
    assert before.equity[: cut + 1].tolist() == after.equity[: cut + 1].tolist()
    assert before.equity[-1] != after.equity[-1]


def test_a_model_is_asked_again_and_the_rule_once() -> None:
    seen = list[Singles]()

    def watcher(rows: Singles) -> tuple[Any, Any]:
        seen.append(rows.copy())
        return np.zeros(len(rows)), np.ones(len(rows))

    tape = tape_of(history(1, [Case(symbol="ACME", bar=50, bars=4)]), atr_length=TERMS.atr_length)
    run = run_portfolio(tape, TERMS, sessions=ALL, policy=watcher)
    assert [len(rows) for rows in seen] == [1, 1, 1, 1]
    ages = [float(rows[0, NAMES.index("age_hours")]) for rows in seen]
    assert ages == [0.0, 24.0, 48.0, 72.0]
    assert run.outcomes == {"declined": 4}
    assert by_rule(history(1, [Case(symbol="ACME", bar=50, bars=4)])).outcomes == {"entries": 1}


def test_an_account_grows_as_far_as_the_volume_before_an_entry_goes() -> None:
    panel = history(1, [Case(symbol="ACME", bar=50, bars=1)])
    tape, run = tape_of(panel, atr_length=TERMS.atr_length), by_rule(panel)
    ((shares, entered),) = run.trades[["shares", "entry_session"]].tolist()
    rows, volume = tape.rows_of("ACME"), np.zeros(len(tape.bars.volume))
    volume[rows[entered - 1]] = 50_000.0
    quiet = replace(tape, bars=tape.bars._replace(volume=volume))
    given = 50_000.0 * TERMS.participation_fraction
    assert capacity_usd(run, quiet, TERMS) == pytest.approx(run.equity[entered] * given / shares)
    assert capacity_usd(by_rule(history(1, [])), tape, TERMS) is None


def test_one_entry_in_twenty_may_be_cut() -> None:
    assert capacity_of([float(room) for room in range(101)]) == 5.0
    assert capacity_of([]) is None


def test_a_newer_case_takes_the_place_of_the_older() -> None:
    events = list[float]()

    def watcher(rows: Singles) -> tuple[Any, Any]:
        events.extend(rows[:, NAMES.index("confidence")].tolist())
        return np.zeros(len(rows)), np.ones(len(rows))

    cases = [
        Case(symbol="ACME", bar=50, bars=6, confidence=0.75),
        Case(symbol="ACME", bar=52, bars=3, confidence=0.875),
    ]
    run_portfolio(
        tape_of(history(1, cases), atr_length=TERMS.atr_length), TERMS, sessions=ALL, policy=watcher
    )
    assert events == [0.75, 0.75, 0.875, 0.875, 0.875]


def test_bad_news_is_heard_only_by_who_holds() -> None:
    good = Case(symbol="ACME", bar=50, bars=20)
    bad = Case(symbol="ACME", bar=53, bars=2, is_bad=True)
    alone = by_rule(history(1, [bad]))
    assert (len(alone.trades), alone.outcomes) == (0, {})
    held = by_rule(history(1, [good, bad]), TERMS._replace(atr_multiple=15.0))
    assert held.outcomes == {"entries": 1, "exits": 1}
    assert held.trades["exit_reason"].tolist() == ["negative_news"]
    assert (held.trades["entry_session"][0], held.trades["exit_session"][0]) == (51, 54)


def test_agents_that_disagree_do_not_buy() -> None:
    tape = tape_of(history(1, [Case(symbol="ACME", bar=50, bars=1)]), atr_length=TERMS.atr_length)

    def torn(rows: Singles) -> tuple[Any, Any]:
        return np.ones(len(rows)), np.full(len(rows), 0.5)

    run = run_portfolio(tape, TERMS, sessions=ALL, policy=torn)
    assert run.outcomes == {"confidence": 1}


def test_a_person_resumes_only_where_one_comes() -> None:
    strict = TERMS._replace(max_drawdown_fraction=0.002)
    alone = by_rule(history(9), strict)
    assert alone.outcomes["trading_state"] > 3
    looked_at = by_rule(history(9), strict, review_after=2)
    assert looked_at.outcomes["entries"] > alone.outcomes["entries"]


@dataclass(frozen=True)
class Changing:
    """Eager models that take turns: another from each of these sessions on."""

    starts: tuple[int, ...]
    models: tuple[Any, ...]

    def at(self, session: int) -> Any:
        return self.models[sum(start <= session for start in self.starts) - 1]


def losing(seed: int) -> Panel:
    """Prices that only fall: every trade is a loss."""
    falling = {
        name: random_window(seed + number, COUNT, drift=-0.01)
        for number, name in enumerate((*SYMBOLS, "SPY"))
    }
    return panel_of(news(seed, count=80), symbols=SYMBOLS, count=COUNT, windows=falling)


def test_a_model_that_takes_over_begins_a_record_of_its_own() -> None:
    tape, kinds = tape_of(losing(3), atr_length=TERMS.atr_length), {"review_after": 1}
    one = run_portfolio(tape, TERMS, sessions=ALL, policy=eager, **kinds)
    turns = Changing(starts=(0, 100), models=(partial(eager), partial(eager)))
    two = run_portfolio(tape, TERMS, sessions=ALL, policy=turns, **kinds)
    assert one.outcomes["strategy_edge"] > 0, "its losses left it nothing to bet"
    assert (one.exposure[100:] == 0).all()
    assert (two.exposure[100:] > 0).any()
    first, second = two.outcomes_by_strategy
    assert (first["strategy_edge"] > 0, second["entries"] > 0) == (True, True)
    asked = {name: first.get(name, 0) + second.get(name, 0) for name in two.outcomes}
    assert asked == two.outcomes
    assert (two.equity[:101] == one.equity[:101]).all()
    assert one.outcomes_by_strategy == (one.outcomes,)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(-2_000, 2_000)), max_size=60),
    st.integers(0, 40),
)
@settings(deadline=None)
def test_the_record_is_that_of_the_bot(trades: list[tuple[bool, int]], turn: int) -> None:
    """Closed trades by who bought: the bot's record of the new strategy, and the kernel's."""
    terms = TERMS._replace(pause_after_losses=3, min_sharpe=0.5, halt_after_losses=10**6)
    terms = terms._replace(max_drawdown_fraction=1.0, max_daily_loss_fraction=1.0)
    books, bot = new_books(1, terms, trades=100), State()
    for number, (is_of_new, cents) in enumerate(trades):
        if number == turn:
            records.begin_record(books, 1)
        strategy = int(is_of_new and number >= turn)
        books.held[0, [b.BOUGHT_BY, b.BOUGHT, b.BOUGHT_USD]] = strategy, 1.0, 100.0
        books.held[0, b.SOLD_USD] = 100.0 + cents / 100
        meeting = fills.Meeting(100.0, 100.0, 1e6, 3600.0 * number, 1)
        fills.close_trade(books, 0, STOP_LOSS, meeting, terms)
        told = PositionClosed(trade=trade(cents / 10_000, strategy_id=str(strategy)))
        for paused in decide.on_position_closed(bot, told, FakeDesk(), Rules()):
            if isinstance(paused, StrategyPaused):
                evolve.pause_strategy(bot, paused, NOON)
        evolve.close_trade(bot, told, NOON)
    record = bot.strategy("1" if len(trades) > turn else "0")
    kernel = kelly_of_record(books, terms) * terms.kelly_divisor
    assert kernel == pytest.approx(kelly_fraction(shrunk_odds(record, Rules().sizing)), abs=1e-9)
    assert books.counts[b.IN_A_ROW] == record.consecutive_losses
    assert bool(books.counts[b.PAUSED]) == record.is_paused
    assert books.money[b.CLOSED] == len(trades)


def test_dearer_trading_earns_less() -> None:
    panel = history(3)
    dear = by_rule(panel, at_costs(TERMS, 2.0))
    assert dear.equity[-1] < by_rule(panel).equity[-1]


def test_correlation_is_that_of_the_bot() -> None:
    tape = tape_of(history(2), atr_length=TERMS.atr_length)
    days = closes_of(tape)
    ends = [tape.first_row[number] + 130 for number in (0, 1)]
    closes = {
        name: kept.closes_of(
            {
                int(tape.bars.closed_s[row]): float(tape.bars.close[row])
                for row in range(end - 119, end + 1)
            }
        )
        for name, end in zip(("ACME", "BOLT"), ends, strict=True)
    }
    expected = kinship("ACME", ["BOLT"], closes).correlation
    assert likeness.likeness(tape.bars, days, ends[0], ends[1]) == pytest.approx(expected, abs=1e-9)
    assert likeness.likeness(tape.bars, days, int(tape.first_row[0]) + 20, ends[1]) == -2.0


def test_sessions_that_are_not_there_are_refused() -> None:
    with pytest.raises(BadData, match="there are 160"):
        run_portfolio(
            tape_of(history(1), atr_length=TERMS.atr_length),
            TERMS,
            sessions=range(300),
            policy=RULE_TERMS,
        )
