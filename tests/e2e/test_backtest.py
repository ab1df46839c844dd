"""`backtest`: the running bot over recorded days, measured beside what is held."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from catalyst_bot.bootstrap import backtesting
from catalyst_bot.bootstrap.requests import Asked
from catalyst_bot.domain.messages.facts import SessionClosed
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.ml.backtest import BacktestReport
from catalyst_bot.policies.model_files import read_model, write_model
from catalyst_bot.storage.journal import SqlJournal
from tests.daily_market import (
    FEW_LOOKS,
    REPLAYED,
    SYMBOLS,
    DailyMarket,
    sessions,
    write_daily_market,
)
from tests.e2e.commands import catalyst_bot
from tests.models import agent, model


@pytest.fixture(autouse=True)
def _few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in FEW_LOOKS.items():
        monkeypatch.setenv(name, value)


def test_the_report_is_that_of_the_run(tmp_path: Path) -> None:
    market = write_daily_market(tmp_path)
    where = ("--data-dir", str(tmp_path / "data"))
    run = catalyst_bot(
        "run", "--mode", "backtest", *market.flags(), *where, "--exit", "--json", "-"
    )
    assert run.code == 0, run.err
    single = json.loads(run.out)
    done = catalyst_bot("backtest", *market.flags(), *where, "--json", "-")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    results = report["results"]
    assert list(results) == ["rule", "rule, costs x 2", "SPY held", "all held in equal parts"]
    rule, dear = results["rule"], results["rule, costs x 2"]
    assert rule["total_return"] == pytest.approx(float(single["equity_end"]) / 100_000 - 1)
    assert rule["trades"] == sum(trade["exit_at"] is not None for trade in single["trades"]) > 0
    assert dear["total_return"] < rule["total_return"]
    assert len(set(report["journals"].values())) == 2
    assert rule["periods"] == len(sessions(*REPLAYED))

    assert sum(each["periods"] for each in report["regimes"].values()) == rule["periods"]
    grown = np.prod([1 + each["total_return"] for each in report["regimes"].values()])
    assert grown == pytest.approx(1 + rule["total_return"]), "every session is of one kind"
    assert report["capacity_usd"] > 100_000

    bars = pl.read_parquet(market.bars)
    first = sessions(*REPLAYED)[0].day
    closes = {
        symbol: bars.filter(
            (pl.col("symbol") == symbol) & (pl.col("timestamp").dt.date() >= first)
        )["close"].to_numpy()
        for symbol in SYMBOLS
    }
    spy = closes["SPY"]
    assert results["SPY held"]["total_return"] == pytest.approx(spy[-1] / spy[0] - 1)
    moves = np.array([closes[symbol][1:] / closes[symbol][:-1] for symbol in SYMBOLS[1:]])
    assert results["all held in equal parts"]["total_return"] == pytest.approx(
        np.prod(moves.mean(axis=0)) - 1
    )


def test_days_without_a_session_are_refused(tmp_path: Path) -> None:
    market = write_daily_market(tmp_path)
    files = ("--bars", str(market.bars), "--news", str(market.news))
    days = ("--from", "2025-09-06", "--to", "2025-09-07")
    done = catalyst_bot("backtest", *days, *files, "--data-dir", str(tmp_path / "data"))
    assert (done.code, "no session closed" in done.err) == (3, True)


def test_results_are_named_after_who_decided(tmp_path: Path) -> None:
    market = write_daily_market(tmp_path)
    places = {verdict: tmp_path / verdict for verdict in ("refused", "passed")}
    for verdict, place in places.items():
        write_model(place, model(agent(bias=0.5), name=verdict, card={"verdict": verdict}))
    where = ("--data-dir", str(tmp_path / "data"), "--json", "-")
    told = {
        verdict: catalyst_bot("backtest", *market.flags(), "--model", str(place), *where)
        for verdict, place in places.items()
    }
    candidate, champion = (json.loads(told[each].out) for each in ("refused", "passed"))
    rule = ["rule", "rule, costs x 2"]
    assert list(candidate["journals"]) == rule
    model_id = read_model(places["passed"]).model_id
    assert list(champion["journals"]) == [model_id, f"{model_id}, costs x 2", "rule"]
    *by_bars, note = candidate["notes"]
    assert "may not decide (validation said: refused)" in note
    assert note in told["refused"].err
    assert champion["notes"] == by_bars
    assert champion["results"]["rule"] == candidate["results"]["rule"]
    assert champion["results"][model_id] != champion["results"]["rule"]


def test_a_missing_benchmark_is_refused_before_anything_is_replayed(tmp_path: Path) -> None:
    market = write_daily_market(tmp_path)
    others = pl.read_parquet(market.bars).filter(pl.col("symbol") != "SPY")
    others.write_parquet(market.bars)
    data_dir = tmp_path / "data"
    done = catalyst_bot("backtest", *market.flags(), "--data-dir", str(data_dir))
    assert (done.code, "no bars of the benchmark SPY" in done.err) == (3, True)
    assert not list(data_dir.rglob("*.db"))


def test_bars_that_were_refused_are_told(tmp_path: Path) -> None:
    market = write_daily_market(tmp_path)
    bars = pl.read_parquet(market.bars)
    day = sessions(*REPLAYED)[3].day
    is_bad = (pl.col("symbol") == "BOLT") & (pl.col("timestamp").dt.date() == day)
    bars.with_columns(
        pl.when(is_bad).then(-1.0).otherwise(pl.col("close")).alias("close")
    ).write_parquet(market.bars)
    where = ("--data-dir", str(tmp_path / "data"), "--json", "-")
    done = catalyst_bot("backtest", *market.flags(), *where)
    note, missing, *by_bars = json.loads(done.out)["notes"]
    assert "1 bar row" in note
    assert missing.endswith(f"no bar of BOLT on 1 session ({day})")
    assert note in done.err
    assert [line.split(" = ")[0] for line in by_bars] == [
        "detection.min_horizon_s",
        "stops.atr_multiple",
    ]


def test_daily_bars_decide_the_stops_that_nobody_set(tmp_path: Path) -> None:
    market = write_daily_market(tmp_path)
    config = tmp_path / "own.toml"
    config.write_text("[stops]\natr_multiple = 6.0\n", encoding="utf-8")
    where = ("--data-dir", str(tmp_path / "data"), "--json", "-")
    by_bars = catalyst_bot("backtest", *market.flags(), *where)
    own = catalyst_bot("backtest", *market.flags(), *where, "--config", str(config))
    assert "stops.atr_multiple = 2.0" in by_bars.err
    assert "stops.atr_multiple" not in own.err
    results = [json.loads(each.out)["results"]["rule"] for each in (by_bars, own)]
    assert results[0] != results[1]


def test_an_interrupted_one_goes_on_and_measures_all_days(tmp_path: Path) -> None:
    market = write_daily_market(tmp_path)
    whole = measured(market, tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, closes=20)
        with pytest.raises(KeyboardInterrupt):
            measured(market, tmp_path / "twice")
    again = measured(market, tmp_path / "twice")
    assert again.first_close == whole.first_close
    assert {name: each.as_dict() for name, each in again.results.items()} == {
        name: each.as_dict() for name, each in whole.results.items()
    }
    assert again.capacity_usd == whole.capacity_usd


def measured(market: DailyMarket, data_dir: Path) -> BacktestReport:
    first, last = (date.fromisoformat(day) for day in REPLAYED)
    return backtesting.backtest(
        Asked(
            is_dry_run=False,
            first_day=first,
            last_day=last,
            bars=(market.bars,),
            news=(market.news,),
            data_dir=data_dir,
        )
    )


def interrupt_after(patch: pytest.MonkeyPatch, *, closes: int) -> None:
    """Ctrl-C comes after so many sessions."""
    append, told = SqlJournal.append, 0

    def appended(journal: SqlJournal, batch: Sequence[Recorded]) -> None:
        nonlocal told
        append(journal, batch)
        told += sum(isinstance(record.body, SessionClosed) for record in batch)
        if told >= closes:
            raise KeyboardInterrupt

    patch.setattr(SqlJournal, "append", appended)
