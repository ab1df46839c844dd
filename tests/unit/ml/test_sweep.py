"""A sweep makes of every set what a run of it makes, refuses what is none, and is counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.bootstrap.sweeping import values_of
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.history.panel import write_panel
from catalyst_bot.ml.portfolio.run import run_portfolio
from catalyst_bot.ml.sweep import FIXED, changed, grid, sweep
from catalyst_bot.ml.tape import tape_of
from catalyst_bot.ml.terms import Terms
from catalyst_bot.ml.validation.metrics import measure
from catalyst_bot.policies.rule_action import RULE_TERMS
from tests.e2e.commands import catalyst_bot
from tests.panels import Case, panel_of
from tests.unit.ml.test_portfolio import ALL, COUNT, SYMBOLS, TERMS, history
from tests.windows import random_window

pytest.importorskip("numba", reason="compiling needs numba: make setup-research")
MADE = ("sharpe", "total_return", "max_drawdown", "exposure", "win_rate", "profit_factor")
VARIED = {"atr_multiple": [1.0, 3.0], "max_daily_trades": [1.0, 40.0], "quiet_factor": [0.2, 1.0]}


def test_every_set_is_a_run() -> None:
    tape = tape_of(history(4), atr_length=TERMS.atr_length)
    swept = sweep(tape, TERMS, VARIED, sessions=ALL, review_after=3)
    assert len(swept.sets) == 8
    for number, values in enumerate(swept.sets):
        terms, rule = changed(TERMS, RULE_TERMS, swept.names, values)
        run = run_portfolio(tape, terms, sessions=ALL, policy=rule, review_after=3)
        metrics = measure(run.equity, run.trades["pnl_usd"], run.exposure)
        row = swept.row(number)
        assert row["trades"] == metrics.trades > 0
        for name in MADE:
            assert row[name] == pytest.approx(getattr(metrics, name)), name
    assert len({row["total_return"] for row in swept.best(8)}) > 3
    sharpes = [row["sharpe"] for row in swept.best(8)]
    assert sharpes == sorted(sharpes, reverse=True)


def test_who_gets_back_what_was_paid_has_not_won() -> None:
    """A share costs half a tick more than the open, a cent in all, and is sold for it two later."""
    bars = random_window(1, COUNT)
    price = np.where(np.arange(COUNT) <= 51, 100.0, 100.02)
    flat = replace(bars, open=price, high=price, low=price, close=price)
    cases = [Case(symbol="ACME", bar=50, bars=3)]
    panel = panel_of(cases, symbols=SYMBOLS, count=COUNT, windows={"ACME": flat})
    free = TERMS._replace(
        commission_fraction=0.0,
        slippage_fraction=0.0,
        half_spread_bps_liquid=0.0,
        half_spread_bps_thin=0.0,
    )
    tape = tape_of(panel, atr_length=free.atr_length)
    swept = sweep(tape, free, {"fade_bps": [30.0]}, sessions=ALL)
    run = run_portfolio(tape, free, sessions=ALL, policy=RULE_TERMS)
    assert run.trades["pnl_usd"].tolist() == [0.0]
    assert swept.row(0)["trades"] == 1
    assert swept.row(0)["win_rate"] == 0.0


def test_every_number_that_can_be_varied_has_the_range_of_its_setting() -> None:
    for name in set(Terms._fields) - FIXED:
        with pytest.raises(ConfigError, match=f"{name} = 1e\\+13: must be from") as refused:
            grid({name: [1e13]})
        assert "to 1e+09" not in str(refused.value), "no range of its own"


def test_whole_numbers_stay_whole() -> None:
    terms, rule = changed(TERMS, RULE_TERMS, ("max_daily_trades", "fade_bps"), (7.0, 9.0))
    assert (terms.max_daily_trades, rule.fade_bps) == (7, 9.0)
    assert isinstance(terms.max_daily_trades, int)


@pytest.mark.parametrize(
    ("varied", "told"),
    [
        ({"nonsense": [1.0]}, "no such parameter"),
        ({"atr_length": [10.0]}, "no such parameter"),
        ({"atr_multiple": [0.0]}, r"must be from 0\.1"),
        ({"atr_multiple": [float("nan")]}, r"must be from 0\.1"),
        ({"min_price_usd": [5.0]}, "no such parameter"),
        ({"fade_bps": [-1.0]}, "must be from 0"),
        ({"pause_after_losses": [0.0]}, "must be from 1 to 100"),
        ({"max_gross_fraction": [4.0]}, r"must be from 0\.01 to 3"),
        ({"max_daily_trades": [2.5]}, "whole number"),
        ({"atr_multiple": []}, "no value"),
        ({"atr_multiple": [1.0] * 400, "fade_bps": [1.0] * 400}, "too many"),
    ],
)
def test_what_is_no_parameter_is_refused(varied: dict[str, list[float]], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        grid(varied)


@given(st.text(max_size=20))
def test_only_numbers_are_values(text: str) -> None:
    try:
        (values,) = values_of([f"x={text}"]).values()
    except ConfigError:
        return
    assert all(isinstance(value, float) for value in values)


def test_values_are_listed_or_spaced() -> None:
    assert values_of(["a=1,2.5", "b=1:3:3"]) == {"a": [1.0, 2.5], "b": [1.0, 2.0, 3.0]}
    with pytest.raises(ConfigError, match="twice"):
        values_of(["a=1", "a=2"])


def test_the_command_counts_every_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    write_panel(tmp_path / "history", history(4))
    asked = ("sweep", "--history", str(tmp_path / "history"), "--data-dir", str(tmp_path / "data"))
    done = catalyst_bot(*asked, "--vary", "atr_multiple=1:3:3", "--json", "-")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert [row["parameters"] for row in said["sets"]] == [
        {"atr_multiple": value} for value in (1.0, 2.0, 3.0)
    ]
    assert said["trials"]["trials"] == 3
    again = catalyst_bot(*asked, "--vary", "fade_bps=10,20", "--from", "2020-10-01")
    assert again.code == 0
    assert "5 trials are counted" in again.out
    assert catalyst_bot(*asked, "--vary", "nonsense=1").code == 3
    assert catalyst_bot(*asked, "--vary", "fade_bps=1", "--to", "1990-01-01").code == 3
