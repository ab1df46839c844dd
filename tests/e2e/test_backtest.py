"""`backtest`: the running bot over recorded days, measured beside what is held."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.daily_market import REPLAYED, SYMBOLS, sessions, write_daily_market
from tests.e2e.commands import catalyst_bot


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
