"""The result of a run: exactly what was promised, and nothing else on standard output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import Said, catalyst_bot

ROOT = Path(__file__).parents[2]
KEYS = {
    "funnel",
    "trades",
    "refusals",
    "equity_start",
    "equity_end",
    "journal",
    "journal_hash",
    "seconds",
}
STEPS = ["seen", "deduped", "with_ticker", "catalyst", "signal", "intent", "approved", "filled"]
TRADE_KEYS = {
    "trade_id",
    "strategy_id",
    "symbol",
    "side",
    "quantity",
    "entry_at",
    "entry_price",
    "exit_at",
    "exit_price",
    "exit_reason",
    "pnl_usd",
    "headline_id",
    "headline_received_at",
    "decided_at",
    "submitted_at",
    "votes",
}
REFUSAL_KEYS = {"id", "symbol", "rule", "limit", "observed", "at"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
DECIMAL = re.compile(r"-?\d+(\.\d+)?")


@pytest.fixture(scope="module", params=["backtest", "paper-trading"])
def said(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Said:
    folder = str(tmp_path_factory.mktemp("result"))
    command = ("demo", "--seed", "7", "--mode", request.param, "--exit", "--json", "-")
    return catalyst_bot(*command, "--data-dir", folder)


@pytest.fixture(scope="module")
def result(said: Said) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(said.out)
    return told


def test_the_keys_are_exactly_the_promised_ones(result: dict[str, Any]):
    assert set(result) == KEYS
    assert set(result["funnel"]) == {*STEPS, "lost"}
    assert result["trades"]
    assert all(set(trade) == TRADE_KEYS for trade in result["trades"])
    assert result["refusals"]
    assert all(set(refusal) == REFUSAL_KEYS for refusal in result["refusals"])


def test_the_funnel_narrows_and_every_loss_has_a_reason(result: dict[str, Any]):
    funnel = result["funnel"]
    for before, step in pairwise(STEPS):
        assert funnel[step] <= funnel[before]
        lost = sum(funnel["lost"].get(step, {}).values())
        assert funnel[before] - funnel[step] == lost, step
    assert funnel["filled"] > 0


def test_money_is_decimal_text_and_times_are_utc(result: dict[str, Any]):
    money = [result["equity_start"], result["equity_end"]]
    money += [t[key] for t in result["trades"] for key in ("entry_price", "exit_price", "pnl_usd")]
    assert all(isinstance(value, str) and DECIMAL.fullmatch(value) for value in money)
    times = [
        trade[key]
        for trade in result["trades"]
        for key in ("headline_received_at", "decided_at", "submitted_at", "entry_at", "exit_at")
    ]
    assert all(TIME.fullmatch(value) for value in times)
    for trade in result["trades"]:
        received, decided, submitted, entry, left = (
            datetime.fromisoformat(trade[key])
            for key in ("headline_received_at", "decided_at", "submitted_at", "entry_at", "exit_at")
        )
        assert received <= decided <= submitted <= entry < left
        assert decided < entry, "a fill comes strictly after the decision"


def test_the_trades_add_up_to_the_equity(result: dict[str, Any]):
    pnl_usd = sum(Decimal(trade["pnl_usd"]) for trade in result["trades"])
    difference = Decimal(result["equity_end"]) - Decimal(result["equity_start"])
    assert abs(difference - pnl_usd) <= Decimal("0.01") * len(result["trades"])


def test_the_story_is_told_on_standard_error(said: Said):
    assert "Funnel" in said.err
    assert "GENERATED" in said.err


def test_a_process_writes_only_json_to_standard_output(tmp_path: Path):
    command = ["demo", "--exit", "--json", "-", "--data-dir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "catalyst_bot", *command],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "CATALYST_DASHBOARD__PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    status = catalyst_bot("status", "--data-dir", str(tmp_path), "--json", "-")
    is_halted = json.loads(status.out)["status"]["trading_state"] == "halted"
    assert done.returncode == (5 if is_halted else 0)
    assert set(json.loads(done.stdout)) == KEYS
    assert "dashboard: http" in done.stderr


def test_a_file_takes_the_result_and_standard_output_stays_empty(tmp_path: Path):
    out = tmp_path / "result.json"
    command = ("demo", "--mode", "backtest", "--exit", "--json", str(out))
    said = catalyst_bot(*command, "--data-dir", str(tmp_path))
    assert not said.out
    assert set(json.loads(out.read_text())) == KEYS


@pytest.mark.parametrize(
    "command", [("config", "show"), ("data", "list"), ("doctor",), ("config", "show", "--origin")]
)
def test_other_commands_answer_in_json_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
):
    monkeypatch.chdir(tmp_path)
    json.loads(catalyst_bot(*command, "--json", "-").out)
