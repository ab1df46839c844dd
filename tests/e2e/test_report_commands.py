"""`report`: what a journal says about risk."""

from __future__ import annotations

import json
from pathlib import Path

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
