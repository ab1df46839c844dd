"""The drill of the kill switch, with real processes; nothing here is held against the clock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.commands import catalyst_bot
from tests.e2e.test_kill_at_broker import Account
from tests.exchange.process import exchange


def test_a_drill_with_a_hanging_bot_leaves_a_certificate(tmp_path: Path):
    report = tmp_path / "drill.json"
    said = catalyst_bot(
        *("drill", "kill-switch", "--orders", "7", "--latency-ms", "1", "--tries", "2"),
        *("--hanging-bot", "--data-dir", str(tmp_path), "--json", str(report)),
    )
    told = json.loads(report.read_text())
    assert said.code in {0, 7}  # a slow machine fails it honestly
    assert (told["verified"], told["tries"], told["orders"]) == (2, 2, 7)
    assert told["steps_ms"].keys() == {"latch", "cancel all orders", "verify"}
    (kept,) = (tmp_path / "drills").iterdir()
    assert json.loads(kept.read_text())["p99_ms"] == told["p99_ms"]
    doctor = catalyst_bot("doctor", "--data-dir", str(tmp_path))
    word = "passed today" if said.code == 0 else "FAILED today"
    assert f"kill switch drill: {word}" in doctor.out


def test_a_paper_account_is_drilled_when_asked_and_only_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with exchange("--speed", "step", "--start", "2025-03-13T15:00:00Z") as venue:
        account = Account(venue)
        for name, text in account.keys.items():
            monkeypatch.setenv(name, text)
        settings = {"CATALYST_ALPACA__BASE_URL": venue.url, "CATALYST_RUN__BENCHMARK": "MKT"}
        command = ("drill", "kill-switch", "--paper", "--orders", "5", "--data-dir", str(tmp_path))
        account.rest(1)
        said = catalyst_bot(*command, env=settings)
        assert said.code == 3
        assert "1 open orders" in said.err
        assert account.books == (1, 0)
        account.ask("DELETE", "/v2/orders")
        said = catalyst_bot(*command, env=settings)
        assert said.code in {0, 7}, said.err
        assert "1 of 1 verified" in said.out
        assert "5 orders at the paper account" in said.out


def test_a_live_account_is_never_drilled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ALPACA_API_KEY", "AKLIVE")
    monkeypatch.setenv("ALPACA_SECRET", "s")
    for url in ("https://api.alpaca.markets", "https://paper-api.alpaca.markets"):
        said = catalyst_bot(
            *("drill", "kill-switch", "--paper", "--data-dir", str(tmp_path)),
            env={"CATALYST_ALPACA__BASE_URL": url},
        )
        assert said.code == 3
        assert "real money" in said.err
