"""One account bar by bar: what a person would work out by hand, and nothing known too early."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst_bot.features.window import BarWindow
from catalyst_bot.ml.kernels import account, episode, trading
from tests.kernels import plain_and_compiled
from tests.panels import Case, panel_of
from tests.windows import DAY_S

pytest.importorskip("numba", reason="compiling needs numba: make setup-research")
pytest.importorskip("gymnasium", reason="learning needs more: make setup-ml")

from catalyst_bot.ml.env.fitting import fit_on
from catalyst_bot.ml.env.world import world_of
from catalyst_bot.ml.kernels.episode import Rules, World
from catalyst_bot.ml.tape import Tape, tape_of
from catalyst_bot.ml.terms import terms_of
from catalyst_bot.settings import Settings

both = plain_and_compiled(episode)
SETTINGS = Settings()
TERMS = terms_of(SETTINGS.model_copy(update={"stops": replace(SETTINGS.stops, atr_multiple=2.0)}))
FREE = TERMS._replace(
    commission_fraction=0.0,
    slippage_fraction=0.0,
    half_spread_bps_liquid=0.0,
    half_spread_bps_thin=0.0,
)
COUNT, NEWS = 80, 40
Prices = tuple[float, float, float, float]


def still(count: int = COUNT) -> BarWindow:
    """Bars at 100 dollars that move by a dollar each way, and trade a lot."""
    opened_at = 1_600_090_200.0 + np.arange(count) * float(DAY_S)
    flat = np.full(count, 100.0)
    return BarWindow(
        opened_at=opened_at,
        closed_at=opened_at + 23_400.0,
        open=flat.copy(),
        high=flat + 1.0,
        low=flat - 1.0,
        close=flat.copy(),
        volume=np.full(count, 1e6),
    )


def world(
    after: list[Prices], *, terms: Any = TERMS, cases: list[Case] | None = None, **rules: Any
) -> World:
    """News at bar 40 of a still symbol, after which bars (open, high, low, close) go their way."""
    bars = still()
    for age, prices in enumerate(after, start=NEWS + 1):
        for column, price in zip((bars.open, bars.high, bars.low, bars.close), prices, strict=True):
            column[age] = price
    given_cases = cases or [Case(symbol="ACME", bar=NEWS, bars=30)]
    tape = tape_of(
        panel_of(given_cases, symbols=("ACME",), windows={"ACME": bars, "SPY": still()}),
        atr_length=TERMS.atr_length,
    )
    return played(tape, terms, **rules)


def played(tape: Tape, terms: Any, sessions: range = range(COUNT), **rules: Any) -> World:
    wanted = {"quiet_fraction": 0.0, "most_questions": 1_000, "cost_penalty": 0.0} | rules
    return world_of(
        tape,
        terms,
        sessions=sessions,
        normalisation=fit_on(tape, range(COUNT)),
        rules=Rules(**wanted),
    )


class Account:
    """One account in a world, answering as it is told."""

    def __init__(self, kernel: Any, place: World) -> None:
        self.kernel, self.world = kernel, place
        self.money = np.zeros(account.MONEY_COLUMNS)
        self.place = np.zeros(account.PLACE_COLUMNS, dtype=np.int64)
        self.place[account.RANDOM] = 1
        kernel.begin_case(place, self.money, self.place, int(place.case_starts[0]))

    def answer(self, action: float) -> tuple[float, int]:
        return self.kernel.answer(self.world, self.money, self.place, action)

    def __getattr__(self, name: str) -> Any:
        return self.money[getattr(account, name.upper())]

    def at(self, name: str) -> int:
        return int(self.place[getattr(account, name)])


@both
def test_an_entry_fills_at_the_next_open_with_costs(kernel: Any) -> None:
    bot = Account(kernel, world([(102.0, 103.0, 101.5, 102.5)]))
    bot.answer(1.0)
    # ATR 2 a bar: 0.2 % of 100,000 may move with it: 100 shares at 100.01, the ask
    assert (bot.shares, bot.entry_price) == (99.0, 102.12)  # 102 + 1 bp + 0.1 %, up to a cent
    assert bot.cash == pytest.approx(100_000 - 99 * 102.12 - 10.11)
    assert bot.equity == pytest.approx(bot.cash + 99 * 102.5)
    assert (bot.stop, bot.target) == (96.01, 112.01)  # 2 x ATR below, 3 times that above


@both
def test_a_gap_through_the_stop_is_met_at_the_open(kernel: Any) -> None:
    bot = Account(
        kernel, world([(100.0, 101.0, 99.0, 100.0), (90.0, 95.0, 89.0, 94.0)], terms=FREE)
    )
    bot.answer(1.0)
    bot.answer(0.0)
    assert bot.at("LAST_REASON") == trading.STOP_LOSS
    assert bot.last_sold / bot.last_shares == pytest.approx(89.99)  # half a tick below the open


@both
def test_where_both_are_touched_the_stop_counts(kernel: Any) -> None:
    bot = Account(kernel, world([(100.0, 120.0, 90.0, 100.0)], terms=FREE))
    bot.answer(1.0)
    assert bot.at("LAST_REASON") == trading.STOP_LOSS
    assert bot.at("LAST_ENTRY_ROW") == bot.at("LAST_EXIT_ROW")


@both
def test_a_target_never_sells_for_less(kernel: Any) -> None:
    bot = Account(kernel, world([(100.0, 101.0, 99.0, 100.0), (100.0, 113.0, 99.0, 112.0)]))
    bot.answer(1.0)
    bot.answer(0.0)
    assert bot.at("LAST_REASON") == trading.TAKE_PROFIT
    assert bot.last_sold / bot.last_shares == pytest.approx(112.01)


@both
def test_the_stop_trails_and_counts_from_the_next_bar(kernel: Any) -> None:
    rise = [(100.0, 101.0, 99.0, 100.5), (100.5, 106.0, 100.0, 105.5), (105.0, 105.5, 102.0, 103.0)]
    bot = Account(kernel, world(rise))
    bot.answer(1.0)
    bot.answer(0.0)
    assert bot.stop == 102.82  # 3 % below 106
    bot.answer(0.0)
    assert bot.at("LAST_REASON") == trading.TRAILING_STOP


@both
def test_the_horizon_ends_a_trade_at_the_open_after_it(kernel: Any) -> None:
    short = [Case(symbol="ACME", bar=NEWS, bars=4)]
    bot = Account(kernel, world([], cases=short))
    _, end = bot.answer(1.0)
    while end == episode.GOES_ON:
        _, end = bot.answer(0.0)
    assert bot.at("LAST_REASON") == trading.TIME_EXIT
    # bought at the open of bar 41, over three days later at the close of bar 44
    assert bot.at("LAST_EXIT_ROW") - bot.at("LAST_ENTRY_ROW") == 4


@both
def test_leaving_is_a_word_of_the_policy_at_a_review(kernel: Any) -> None:
    bot = Account(kernel, world([]))
    bot.answer(1.0)
    bot.answer(-0.5)
    assert bot.at("LAST_REASON") == trading.POLICY
    assert bot.at("LAST_EXIT_ROW") == bot.at("LAST_ENTRY_ROW") + 1
    assert bot.shares == 0.0


@both
def test_bad_news_is_looked_at_only_while_held(kernel: Any) -> None:
    cases = [
        Case(symbol="ACME", bar=NEWS, bars=2),
        Case(symbol="ACME", bar=NEWS + 1, bars=1, is_bad=True),
        Case(symbol="ACME", bar=NEWS + 5, bars=1),
    ]
    idle, held = (Account(kernel, world([], cases=cases)) for _ in range(2))
    idle.answer(0.0)
    assert idle.at("ASKED") == 1  # the review of the good one
    held.answer(1.0)
    assert idle.world.asks.is_bad[held.at("ASKED")]
    held.answer(-1.0)
    assert held.at("LAST_REASON") == trading.NEGATIVE_NEWS
    idle.answer(0.0)
    assert idle.at("ROW") == NEWS + 5


@both
def test_news_that_the_market_turned_down_opens_no_case_while_flat(kernel: Any) -> None:
    cases = [
        Case(symbol="ACME", bar=NEWS, bars=1),
        Case(symbol="ACME", bar=NEWS + 2, bars=5, direction=-1.0),
        Case(symbol="ACME", bar=NEWS + 4, bars=1),
    ]
    idle = Account(kernel, world([], cases=cases))
    idle.answer(0.0)
    assert idle.at("ROW") == NEWS + 4
    long = [replace(cases[0], bars=20), *cases[1:]]
    held = Account(kernel, world([], cases=long))
    held.answer(1.0)
    held.answer(0.0)
    assert held.at("WATCHED") == 1


@both
def test_losses_in_a_row_rest_until_the_next_open(kernel: Any) -> None:
    falls = [(100.0, 100.5, 90.0, 100.0)] * 6
    bot = Account(kernel, world(falls, terms=FREE._replace(max_daily_loss_fraction=1.0)))
    for _ in range(3):
        bot.answer(1.0)
    assert (bot.at("TRADES"), bot.at("PAUSE")) == (3, account.UNTIL_OPEN)
    bot.answer(1.0)
    assert (bot.at("TRADES"), bot.at("PAUSE")) == (3, account.NO_PAUSE)
    bot.answer(1.0)
    assert bot.at("TRADES") == 4


@both
def test_a_poor_strategy_waits_for_a_person(kernel: Any) -> None:
    falls = [(100.0, 100.5, 90.0 + age % 2, 100.0) for age in range(20)]
    easy = FREE._replace(
        max_daily_loss_fraction=1.0, pause_after_losses=100, min_trades_for_sharpe=5
    )
    bot = Account(kernel, world(falls, terms=easy))
    for _ in range(15):
        bot.answer(1.0)
    assert (bot.at("TRADES"), bot.at("PAUSE")) == (5, account.FOR_REVIEW)


@both
def test_unsure_news_buys_nothing(kernel: Any) -> None:
    unsure = [Case(symbol="ACME", bar=NEWS, bars=3, confidence=0.69)]
    bot = Account(kernel, world([], cases=unsure))
    for _ in range(3):
        bot.answer(1.0)
    assert bot.at("TRADES") == 0
    assert bot.shares == 0.0


@both
def test_a_day_too_bad_terminates(kernel: Any) -> None:
    limited = TERMS._replace(max_daily_loss_fraction=0.003)
    bot = Account(kernel, world([(100.0, 100.5, 95.0, 96.0)], terms=limited))
    assert bot.answer(1.0)[1] == episode.TERMINATED
    assert Account(kernel, world([(100.0, 100.5, 95.0, 96.0)])).answer(1.0)[1] == episode.GOES_ON


@both
def test_differential_sharpe_is_the_slope_of_the_ratio(kernel: Any) -> None:
    mean, square, value = 0.0004, 0.0001, 0.013

    def ratio(weight: float) -> float:
        a, b = mean + weight * (value - mean), square + weight * (value**2 - square)
        return a / (b - a * a) ** 0.5

    slope = (ratio(1e-7) - ratio(-1e-7)) / 2e-7
    assert kernel.differential_sharpe(mean, square, value) == pytest.approx(slope, rel=1e-5)


@both
def test_the_reward_is_of_the_accounts_returns_and_costs(kernel: Any) -> None:
    bars = [(100.0, 101.0, 99.0, 101.0), (101.0, 103.0, 100.5, 102.0)]
    bot = Account(kernel, world(bars, cost_penalty=2.0))
    mean, square = 0.0, episode.USUAL_RETURN**2
    before = 100_000.0
    for action in (1.0, 0.0):
        reward, _ = bot.answer(action)
        value = bot.equity / before - 1.0
        penalty = 2.0 * bot.costs / before / episode.USUAL_RETURN
        expected = episode.differential_sharpe(mean, square, value) - penalty
        assert reward == pytest.approx(expected)
        mean += episode.MEMORY * (value - mean)
        square += episode.MEMORY * (value * value - square)
        before = bot.equity
    assert bot.costs == 0.0


def lived(place: World, seed: int, cut: int) -> list[Any]:
    """Everything an account was shown, did and earned before a row, at random answers; at last the
    order that it decided on before the row, as it was filled at the row's open.
    """
    kernel = SimpleNamespace(**vars(episode))
    bot = Account(kernel, place)
    rng = np.random.default_rng(seed)
    told: list[Any] = []
    seen, end = np.empty(33, dtype=np.float32), episode.GOES_ON
    while bot.at("ROW") < cut and end == episode.GOES_ON:
        kernel.observe(place, bot.money, bot.place, seen)
        told.append((seen.tobytes(), bot.money.tobytes(), bot.place[:11].tobytes()))
        _, end = bot.answer(float(rng.uniform(-0.5, 1)))
    if bot.at("ENTRY_ROW") == cut:
        told.append((bot.trade_shares, bot.trade_bought, bot.target))
    return told


@settings(max_examples=60)
@given(st.integers(0, 1_000), st.integers(NEWS + 1, COUNT - 2), st.sampled_from([0.2, 0.9, 5.0]))
def test_nothing_before_a_bar_depends_on_it_or_on_later_ones(
    seed: int, cut: int, factor: float
) -> None:
    cases = [Case(symbol="ACME", bar=bar, bars=8) for bar in (NEWS, 52, 63)]
    panel = panel_of(cases, symbols=("ACME",), count=COUNT, seed=seed)
    columns = {name: column.copy() for name, column in panel.columns.items()}
    for name in ("high", "low", "close", "volume"):
        columns[name][cut:COUNT] *= factor
    columns["open"][cut + 1 : COUNT] *= factor  # what was decided before meets this open
    assert panel.features is not None
    features, values = panel.features.copy(), panel.ask_values.copy()
    features[cut:COUNT] += 0.1
    values[panel.ask_row >= cut] *= 0.5
    changed = replace(panel, columns=columns, features=features, ask_values=values)
    one, other = (
        tape_of(panel, atr_length=TERMS.atr_length),
        tape_of(changed, atr_length=TERMS.atr_length),
    )
    constants = fit_on(one, range(cut))
    assert constants == fit_on(other, range(cut))
    rules = Rules(quiet_fraction=0.0, most_questions=1_000, cost_penalty=0.0)
    histories = [
        lived(
            world_of(tape, TERMS, sessions=range(COUNT), normalisation=constants, rules=rules),
            seed,
            cut,
        )
        for tape in (one, other)
    ]
    assert histories[0] == histories[1]
    assert histories[0]


def early(first: int, seed: int) -> Tape:
    """News a minute before the bar `first` closes, so that the bar before it is known."""
    panel = panel_of(
        [Case(symbol="ACME", bar=first, bars=8, early_s=60.0)],
        symbols=("ACME",),
        count=COUNT,
        seed=seed,
    )
    return tape_of(panel, atr_length=TERMS.atr_length)


@both
def test_a_look_in_the_first_bar_of_the_sessions_knows_the_bar_before_them(kernel: Any) -> None:
    tape = early(NEWS, seed=1)
    place = played(tape, TERMS, range(NEWS, COUNT))
    bot, seen = Account(kernel, place), np.empty(33, dtype=np.float32)
    kernel.observe(place, bot.money, bot.place, seen)
    known = tape.asks.seen[0]
    raw = [1.0, 0.0, 0.0, *tape.bars.market[known], *tape.asks.values[0]]
    assert tape.bars.session[known] == NEWS - 1
    assert seen == pytest.approx(fit_on(tape, range(COUNT)).apply(raw))
    bot.answer(1.0)
    assert bot.at("ENTRY_ROW") == tape.asks.row[0] + 1


@settings(max_examples=40)
@given(st.integers(0, 1_000), st.integers(NEWS, COUNT - 10))
def test_an_episode_is_the_same_wherever_its_sessions_begin(seed: int, first: int) -> None:
    tape = early(first, seed)
    one, other = (
        lived(played(tape, TERMS, range(begin, COUNT)), seed, COUNT) for begin in (first, NEWS - 20)
    )
    assert one == other
