"""`catalyst-bot risk` on a whole generated session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.commands import catalyst_bot


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("risk")
    assert catalyst_bot("demo", "--seed", "4", "--exit", "--data-dir", str(folder)).code == 0
    return folder


def test_it_agrees_with_what_the_read_tables_say(data_dir: Path):
    flags = ("--json", "-", "--data-dir", str(data_dir))
    risk = json.loads(catalyst_bot("risk", *flags).out)
    status = json.loads(catalyst_bot("status", *flags).out)
    for name in ("equity_usd", "cash_usd", "exposure_usd", "peak_equity_usd"):
        assert float(risk["account"][name]) == float(status["account"][name])
    assert risk["open_positions"] == len(status["positions"])
    assert risk["trading_state"] == status["status"]["trading_state"]
    assert risk["next_order"].startswith(("next order over $", "every entry is refused by "))
    assert {row["name"] for row in risk["metrics"]} >= {"sharpe_30d", "uptime", "order_fill_rate"}
    assert risk["drill"]["is_overdue"]


def test_people_read_it_in_lines(data_dir: Path):
    said = catalyst_bot("risk", "--data-dir", str(data_dir))
    assert said.code == 0
    assert "would halt trading by daily_loss" in said.out
    assert "kill switch drill: never drilled" in said.out
    halted = catalyst_bot("risk", "--data-dir", str(data_dir / "nowhere"))
    assert halted.code == 3


def test_a_week_is_written_as_a_page(data_dir: Path, tmp_path: Path):
    page = tmp_path / "week.html"
    flags = ("--html", str(page), "--data-dir", str(data_dir))
    assert catalyst_bot("report", "risk", "--week", "2025-W11", *flags).code == 0
    assert "Risk in week 2025-W11" in page.read_text()
    assert "2025-03-14" in page.read_text()
    assert catalyst_bot("report", "risk", "--week", "last", *flags).code == 3
