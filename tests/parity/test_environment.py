"""A scripted policy through the environment and through the whole bot: the same trades to the cent.

The bot replays daily bars in backtest mode with its embedded venue; the environment plays the
history that is made of the same files. The policy is a model, so both run what training exports.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from catalyst_bot.bootstrap.histories import make_history
from catalyst_bot.bootstrap.requests import Asked, recorded_replay
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.messages.decisions import EquityMarked, PositionClosed
from catalyst_bot.domain.messages.facts import SessionClosed
from catalyst_bot.features.spec import NAMES
from catalyst_bot.history.panel import open_panel
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.catalog import import_paths
from catalyst_bot.policies.model_files import Agent, Model, write_model
from catalyst_bot.policies.network import network_of
from catalyst_bot.settings import DetectionSection, Settings
from tests import models
from tests.daily_market import (
    REPLAYED,
    DailyMarket,
    news_about,
    sessions,
    write_daily_market,
)
from tests.replays import play

pytest.importorskip("numba", reason="compiling needs numba: make setup-research")
pytest.importorskip("gymnasium", reason="learning needs more: make setup-ml")

from catalyst_bot.ml.env.catalyst_env import CatalystTradingEnv
from catalyst_bot.ml.tape import Tape, tape_of
from catalyst_bot.ml.terms import terms_of

MIN_HORIZON_S = 864_000.0
STOPS = "[stops]\natr_multiple = {}\ntrailing_activation_fraction = {}\n"
# Volume binds: orders fill in parts.
THIN = "[costs]\nparticipation_fraction = 0.0001\n[run]\nstarting_cash_usd = 1000000\n"


def scripted(return_5: float, rsi: float, size: float) -> Model:
    """Buy `size` when the return of 5 bars is above a number, leave when the RSI is below one.

    Two hidden units are steps of one feature each; their sum is a wish to buy, to leave, or none.
    """
    constants = models.normalisation()
    hidden = np.zeros((2, len(NAMES)))
    bias = np.zeros(2)
    for unit, (name, threshold, sign) in enumerate(
        (("return_5", return_5, 1.0), ("rsi", rsi, -1.0))
    ):
        place = NAMES.index(name)
        hidden[unit, place] = sign * 1e9
        bias[unit] = -sign * 1e9 * threshold / constants.scale[place]
    output = np.array([[size / 2, -size / 2]])
    network = network_of([(hidden, bias), (output, np.zeros(1))], activation="tanh", squash="clip")
    agent = Agent(
        name="script-0",
        algorithm="script",
        seed=0,
        network=network,
        weight=1.0,
        validation_sharpe=1.0,
    )
    return models.model(agent, name="script")


@dataclass(frozen=True)
class Trade:
    entry_day: date
    exit_day: date
    shares: float
    entry_price: float
    exit_price: float
    reason: str
    pnl_usd: float


def of_the_bot(
    market: DailyMarket, folder: Path, model: Model, config: Path, days: tuple[str, str]
) -> Any:
    """Trades and the equity at each close, from the journal of a backtest."""
    write_model(folder / "model", model)
    first, last = map(date.fromisoformat, days)
    asked = Asked(
        is_dry_run=False,
        mode=Mode.BACKTEST,
        first_day=first,
        last_day=last,
        bars=[market.bars],
        news=[market.news],
        model=str(folder / "model"),
        config=config,
        data_dir=folder / "data",
    )
    request = recorded_replay(asked)
    records = play(request).records
    trades = [
        _trade(record.body.trade) for record in records if isinstance(record.body, PositionClosed)
    ]
    equity, marked = {}, 0.0
    for record in records:
        if isinstance(record.body, EquityMarked):
            marked = float(record.body.account.equity_usd)
        if isinstance(record.body, SessionClosed):
            equity[record.at.date()] = marked
    return trades, equity, request.loaded.settings


def _trade(trade: Any) -> Trade:
    return Trade(
        entry_day=trade.entry_at.date(),
        exit_day=trade.exit_at.date(),
        shares=float(trade.quantity),
        entry_price=float(trade.entry_price),
        exit_price=float(trade.exit_price),
        reason=trade.exit_reason.value,
        pnl_usd=float(trade.pnl_usd),
    )


def _day(seconds: float) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def history_of(market: DailyMarket, folder: Path) -> Tape:
    """The same files as a history."""
    paths = [market.bars, market.news]
    now = datetime(2026, 1, 1, tzinfo=UTC)
    imported = import_paths(paths, folder / "catalog", calendar=load_calendar(), now=now)
    assert imported.is_complete, imported.render()
    settings = Settings(detection=DetectionSection(min_horizon_s=MIN_HORIZON_S))
    make_history(
        settings,
        catalog=folder / "catalog",
        out=folder / "history",
        interval_s=86_400,
        with_features=True,
        with_scanner=False,
    )
    return tape_of(open_panel(folder / "history"), atr_length=settings.stops.atr_length)


def of_the_environment(tape: Tape, model: Model, settings: Settings, days: tuple[str, str]) -> Any:
    """Trades and the equity at each question of one account that lives through all cases."""
    first, last = map(date.fromisoformat, days)
    sessions = range(tape.days.index(first), tape.days.index(last) + 1)
    env = CatalystTradingEnv(
        tape,
        terms_of(settings),
        sessions=sessions,
        normalisation=model.normalisation,
        quiet_fraction=0.0,
        most_questions=10_000,
    )
    network = model.agents[0].network
    begins = tape.asks.is_first & ~tape.asks.is_bad
    begins &= tape.bars.session[tape.asks.row] >= sessions.start
    seen, info = env.reset(options={"ask": int(np.flatnonzero(begins)[0])})
    trades, equity, is_over = [], {}, False
    while not is_over:
        equity[_day(info["at_s"])] = info["equity_usd"]
        action = network.forward(seen.astype(np.float64))
        seen, _, terminated, truncated, info = env.step(np.array([action]))
        if "trade" in info:
            trades.append(info["trade"])
        is_over = terminated or truncated
    return [_of(trade) for trade in trades], equity


def _of(trade: dict[str, Any]) -> Trade:
    return Trade(
        entry_day=_day(trade["entry_bar_s"]),
        exit_day=_day(trade["exit_bar_s"]),
        shares=trade["shares"],
        entry_price=trade["entry_price"],
        exit_price=trade["exit_price"],
        reason=trade["exit_reason"].value,
        pnl_usd=trade["pnl_usd"],
    )


def only_about(market: DailyMarket, symbol: str) -> DailyMarket:
    """Leave out all other news: an environment's account trades one symbol."""
    lines = market.news.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if json.loads(line)["symbols"] == [symbol]]
    market.news.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    return market


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> DailyMarket:
    return only_about(write_daily_market(tmp_path_factory.mktemp("market"), seed=1), "ACME")


@pytest.fixture(scope="module")
def tape(market: DailyMarket) -> Tape:
    return history_of(market, market.bars.parent)


@pytest.mark.parametrize(
    ("return_5", "rsi", "size", "config", "reasons"),
    [
        (-0.02, -0.1, 1.0, STOPS.format(2.0, 0.05), {"policy", "time_exit", "stop_loss"}),
        (-0.5, -2.0, 0.6, STOPS.format(0.5, 0.01), {"take_profit", "trailing_stop"}),
        (-0.5, -2.0, 1.0, STOPS.format(0.5, 0.05) + THIN, {"stop_loss", "take_profit"}),
    ],
)
def test_the_same_trades_and_equity(
    tmp_path: Path,
    market: DailyMarket,
    tape: Tape,
    return_5: float,
    rsi: float,
    size: float,
    config: str,
    reasons: set[str],
) -> None:
    file = tmp_path / "catalyst.toml"
    file.write_text(f"[detection]\nmin_horizon_s = {MIN_HORIZON_S}\n{config}", encoding="utf-8")
    model = scripted(return_5, rsi, size)
    trades, equity, settings = of_the_bot(market, tmp_path, model, file, REPLAYED)
    ours, at_questions = of_the_environment(tape, model, settings, REPLAYED)
    assert ours == trades
    assert {day: equity[day] for day in at_questions} == pytest.approx(at_questions, abs=0.005)
    assert reasons <= {trade.reason for trade in trades}


def test_the_same_trades_on_real_days(shared_data: Path, tmp_path: Path) -> None:
    """Half a year of a share that paid no dividend, with news that never was."""
    days = ("2018-07-02", "2018-12-31")
    prices = shared_data / "prices"
    bars = [
        pl.read_parquet(prices / f"{name}.parquet").filter(pl.col("symbol") == symbol)
        for name, symbol in (("daily_core_2010_2021", "AMZN"), ("bench_daily_2010_2021", "SPY"))
    ]
    market = DailyMarket(bars=tmp_path / "daily.parquet", news=tmp_path / "news.jsonl")
    pl.concat(bars, how="diagonal_relaxed").write_parquet(market.bars)
    told = [
        news_about("AMZN", session.opens_at + timedelta(hours=1), number)
        for number, session in enumerate(sessions(*days)[::9])
    ]
    market.news.write_text("".join(f"{json.dumps(line)}\n" for line in told), encoding="utf-8")
    config = tmp_path / "catalyst.toml"
    detection = f"[detection]\nmin_horizon_s = {MIN_HORIZON_S}\n"
    config.write_text(detection + STOPS.format(2.0, 0.03), encoding="utf-8")
    model = scripted(-0.02, -0.2, 0.8)
    trades, equity, settings = of_the_bot(market, tmp_path, model, config, days)
    tape = history_of(market, tmp_path)
    ours, at_questions = of_the_environment(tape, model, settings, days)
    assert len(trades) >= 8
    assert ours == trades
    assert {day: equity[day] for day in at_questions} == pytest.approx(at_questions, abs=0.005)
