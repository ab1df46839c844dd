"""`catalyst-bot trade` against a running bot in this process: the same gate for a person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.bootstrap import run
from catalyst_bot.bootstrap.journal_tools import verify
from catalyst_bot.domain.enums import Mode, Side
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.runtime import async_loop
from catalyst_bot.runtime.trade_desk import TradeDesk, TradeRequest
from catalyst_bot.storage.read_model import ReadModel
from tests.e2e.commands import Said, catalyst_bot
from tests.replays import generated

SPEED = 20_000.0  # five minutes in 15 ms: requests are taken within the same few bars


@pytest.fixture(autouse=True)
def attentive(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailbox that is looked at as often as a replayed market moves."""
    monkeypatch.setattr(async_loop, "MAILBOX_POLL_S", 0.002)


class Person:
    """Asks once for each request, after the first batch that holds a message of its kind."""

    def __init__(self, folder: Path, *requests: tuple[type, dict[str, Any]]) -> None:
        self._desk = TradeDesk(folder)
        self._requests = list(requests)

    def __call__(self, batch: Sequence[Recorded]) -> None:
        if not self._requests:
            return
        kind, wanted = self._requests[0]
        found = next((r.body for r in batch if isinstance(r.body, kind)), None)
        if found is None:
            return
        self._requests.pop(0)
        number = len(self._requests)
        symbol = wanted.get("symbol") or _symbol_of(found)
        request = TradeRequest(request_id=f"op-{number}", by="test", **{**wanted, "symbol": symbol})
        self._desk.ask(request)


def _symbol_of(body: Any) -> str:
    if isinstance(body, d.PositionOpened):
        return body.position.symbol
    return str(body.trade.symbol)


def played(folder: Path, *requests: tuple[type, dict[str, Any]]) -> tuple[Path, list[Recorded]]:
    request = generated(folder, mode=Mode.PAPER, seed=4)
    person = Person(folder, *requests)
    run.replay(replace(request, speed=SPEED, listeners=(person,)))
    with ReadModel(f"sqlite:///{request.journal}") as model:
        return request.journal, list(model.records())


def answer(folder: Path, number: int = 0) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / f"operator/answers/op-{number}.json").read_text())
    return told


def test_a_sale_leaves_the_position_by_the_operator(tmp_path: Path):
    journal, records = played(tmp_path, (d.PositionOpened, {"side": Side.SELL}))
    told = answer(tmp_path)
    asked = next(r.body for r in records if isinstance(r.body, f.OperatorTradeRequested))
    closed = [r.body.trade for r in records if isinstance(r.body, d.PositionClosed)]
    assert told["state"] in {"accepted", "filled"}
    assert (asked.symbol, "operator") in {(t.symbol, t.exit_reason.value) for t in closed}
    for subject in (told["order_id"], "op-0"):
        explained = catalyst_bot("explain", subject, "--journal", str(journal))
        assert explained.code == 0
        assert "closed by operator" in explained.out
        assert f"{told['order_id']} filled" in explained.out
        assert ("Asked for" in explained.out) is (subject == "op-0")
    assert verify(journal, decides_again=True).divergence is None


def test_a_purchase_passes_the_same_gate_and_is_explained(tmp_path: Path):
    wanted = {"side": Side.BUY, "quantity": Decimal(30)}
    journal, records = played(tmp_path, (d.PositionClosed, wanted))
    told = answer(tmp_path)
    order = next(
        r.body.order
        for r in records
        if isinstance(r.body, d.OrderApproved) and r.body.order.strategy_id == "manual"
    )
    assert (order.quantity, order.client_order_id) == (30, told["order_id"])
    assert {check.name for check in order.checks} >= {"exposure", "daily_loss", "duplicate"}
    note = next(check.note for check in order.checks if check.name == "confidence")
    assert "person" in note
    for subject in ("op-0", told["order_id"]):
        explained = catalyst_bot("explain", subject, "--journal", str(journal))
        assert "a person asked for it" in explained.out, explained.err
    assert verify(journal, decides_again=True).divergence is None


def test_a_refused_purchase_names_the_rule(tmp_path: Path):
    wanted = {"side": Side.BUY, "usd": Decimal(50)}
    journal, _ = played(tmp_path, (d.PositionClosed, wanted))
    told = answer(tmp_path)
    assert (told["state"], told["rule"], told["limit"]) == ("refused", "min_trade", 100.0)
    assert told["observed"] < 100
    explained = catalyst_bot("explain", "op-0", "--journal", str(journal))
    assert "refused by min_trade" in explained.out


def said(folder: Path, *arguments: str) -> Said:
    return catalyst_bot("trade", *arguments, "--data-dir", str(folder))


def test_without_a_running_bot_the_command_ends_with_its_own_code(tmp_path: Path):
    told = said(tmp_path, "buy", "AAPL", "--usd", "1000")
    assert told.code == 4
    assert "no bot is running" in told.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("buy", "AAPL"),
        ("buy", "AAPL", "--usd", "1", "--quantity", "1"),
        ("buy", "AAPL", "--all"),
        ("sell", "AAPL"),
        ("hold", "AAPL", "--all"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(tmp_path: Path, arguments: tuple[str, ...]):
    assert said(tmp_path, *arguments).code == 2


def test_an_amount_that_is_none_is_refused_before_anything_is_asked(tmp_path: Path):
    assert said(tmp_path, "buy", "AAPL", "--usd", "nan").code == 3
