"""A sweep makes of every set what a run of it makes, refuses what is none, and is counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.bootstrap.sweeping import values_of
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.history.panel import write_panel
from catalyst_bot.ml.portfolio.run import run_portfolio
from catalyst_bot.ml.sweep import changed, grid, sweep
from catalyst_bot.ml.tape import tape_of
from catalyst_bot.ml.validation.metrics import measure
from catalyst_bot.policies.rule_action import RULE_TERMS
from tests.e2e.commands import catalyst_bot
from tests.unit.ml.test_portfolio import ALL, TERMS, history

pytest.importorskip("numba", reason="compiling needs numba: make setup-research")
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
        for name in ("sharpe", "total_return", "max_drawdown", "exposure", "profit_factor"):
            assert row[name] == pytest.approx(getattr(metrics, name)), name
    assert len({row["total_return"] for row in swept.best(8)}) > 3
    sharpes = [row["sharpe"] for row in swept.best(8)]
    assert sharpes == sorted(sharpes, reverse=True)


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
        ({"fade_bps": [-1.0]}, "must be from 0"),
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
