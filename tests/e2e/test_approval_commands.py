"""A loosened limit does not start to trade before a person approves it."""

from __future__ import annotations

from pathlib import Path

from catalyst_bot.domain.messages.decisions import OrderApproved
from catalyst_bot.domain.messages.facts import RunStarted
from catalyst_bot.storage.read_model import ReadModel
from tests.e2e.commands import catalyst_bot

LOOSE = {"CATALYST_RISK__MAX_POSITION_FRACTION": "0.25", "CATALYST_DASHBOARD__ENABLED": "false"}


def test_paper_trading_asks_and_a_backtest_only_says_so(tmp_path: Path):
    data = ("--data-dir", str(tmp_path))
    refused = catalyst_bot("demo", "--exit", *data, env=LOOSE)
    assert refused.code == 3
    assert "risk.max_position_fraction = 0.25 is looser than the approved 0.2" in refused.err
    assert "catalyst-bot config approve --reason" in refused.err
    assert not (tmp_path / "journals").exists()

    backtest = catalyst_bot("demo", "--exit", "--mode", "backtest", *data, env=LOOSE)
    assert backtest.code == 0
    assert "nobody was asked, nothing is traded" in backtest.err

    said = catalyst_bot("config", "approve", "--reason", "a trial", "--by", "ada", *data, env=LOOSE)
    assert said.code == 0
    assert "approved by ada" in said.out
    assert "risk.max_position_fraction = 0.25" in said.out

    journal = tmp_path / "paper.db"
    started = catalyst_bot("demo", "--exit", "--journal", str(journal), *data, env=LOOSE)
    assert started.code == 0
    with ReadModel(f"sqlite:///{journal}") as model:
        records = list(model.records())
    begun = next(r.body for r in records if isinstance(r.body, RunStarted))
    assert "approved by ada" in begun.approval
    assert begun.model_hash.startswith("mdl-")
    approved = [r.body.order for r in records if isinstance(r.body, OrderApproved)]
    checks = {c.name: c for order in approved for c in order.checks}
    assert checks["approved_limits"].note == begun.limits_hash
