"""`report`: what a journal says about risk."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.domain.enums import OrderRole
from catalyst_bot.domain.messages.decisions import OrderApproved, StopMoved
from catalyst_bot.storage.read_model import ReadModel
from tests.e2e.commands import catalyst_bot


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    said = catalyst_bot("demo", "--mode", "backtest", "--exit", "--data-dir", str(folder))
    assert said.code == 0
    return folder


def test_every_stop_event_is_listed(played: Path):
    said = catalyst_bot("report", "stops", "--json", "-", "--data-dir", str(played))
    assert said.code == 0
    listed = json.loads(said.out)
    journal = next((played / "journals").glob("*.db"))
    with ReadModel(f"sqlite:///{journal}") as model:
        records = list(model.records())
    raised = [r.body for r in records if isinstance(r.body, StopMoved)]
    assert len(raised) > 3
    assert [e["stop_price"] for e in listed if e["event"] == "raised"] == [
        f"{move.stop_price:f}" for move in raised
    ]
    entries = [
        r.body.order.trade_id
        for r in records
        if isinstance(r.body, OrderApproved) and r.body.order.role is OrderRole.ENTRY
    ]
    assert [e["trade_id"] for e in listed if e["event"] == "set"] == entries

    symbol = listed[0]["symbol"]
    shown = catalyst_bot("report", "stops", "--symbol", symbol, "--data-dir", str(played))
    assert {line.split()[2] for line in shown.out.splitlines()[1:]} == {symbol}


def gates_of(folder: Path, *flags: str) -> dict[str, Any]:
    said = catalyst_bot("report", "gates", *flags, "--json", "-", "--data-dir", str(folder))
    assert said.code == 0
    told: dict[str, Any] = json.loads(said.out)
    return told


@pytest.mark.parametrize("seed", ["4", "7"])
def test_blocked_and_taken_are_all_gates_off_whatever_the_gates_are(tmp_path: Path, seed: str):
    """The same news under three sets of gates: other trades, the same sum, to the cent."""
    strict = {"CATALYST_SIGNALS__MIN_CONFIDENCE": "0.9", "CATALYST_RISK__MAX_DAILY_TRADES": "3"}
    loose = {
        "CATALYST_SIGNALS__MIN_CONFIDENCE": "0",
        "CATALYST_SIGNALS__MAX_CHASE_BPS": "10000",
        "CATALYST_SIGNALS__MIN_REACTION_BPS": "1",
        "CATALYST_SIGNALS__MIN_REACTION_RVOL": "0",
        "CATALYST_RISK__MIN_CONFIDENCE": "0",
        "CATALYST_RISK__MAX_CORRELATION": "1",
        "CATALYST_RISK__MAX_EXPOSURE_FRACTION": "3",
    }
    told = []
    for name, env in (("as_shipped", {}), ("strict", strict), ("loose", loose)):
        folder = tmp_path / name
        flags = ("--seed", seed, "--mode", "backtest", "--exit", "--data-dir", str(folder))
        assert catalyst_bot("demo", *flags, env=env).code in {0, 5}
        told.append(gates_of(folder))
    assert len({report["all_gates_off_usd"] for report in told}) == 1
    assert len({report["taken"]["count"] for report in told}) == 3
    for report in told:
        taken, blocked = Decimal(report["taken_usd"]), Decimal(report["blocked_usd"])
        assert taken + blocked == Decimal(report["all_gates_off_usd"])
        assert blocked == sum(Decimal(row["pnl_usd"]) for row in report["gates"])


def test_the_report_as_a_table_and_what_it_needs(played: Path, tmp_path: Path):
    shown = catalyst_bot("report", "gates", "--data-dir", str(played))
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert lines[1].startswith("taken")
    assert lines[-1].startswith("all gates off")
    assert "are not valued: bad news" in shown.err
    other = catalyst_bot("report", "gates", "--effects", "0", "--data-dir", str(played))
    assert other.code == 3
    assert "another market of seed" in other.err
    unheeded = catalyst_bot("report", "gates", "--bars", "x.csv", "--data-dir", str(played))
    assert unheeded.code == 3
    assert "--bars" in unheeded.err
    assert "is made again: leave them out" in unheeded.err
