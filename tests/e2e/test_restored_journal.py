"""A journal that is older than the account: restored from a copy made before the bot traded on.

The broker is the truth: what is missing comes in before anything is sent, no id is used twice, and
the books agree in the end.
"""

from __future__ import annotations

from typing import Any

from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage.read_model import ReadModel
from tests.e2e.test_alpaca_exchange import Desk, catalyst_bot, desk

__all__ = ["desk"]  # the fixture

SENT = {"SubmitOrder", "ReplaceOrder"}  # what is approved before the look is withdrawn


def last_run(desk: Desk) -> list[Recorded]:
    """What the journal holds of the last run."""
    with ReadModel(f"sqlite:///{desk.journal}") as model:
        records = list(model.records())
    starts = [n for n, record in enumerate(records) if name_of(record) == "RunStarted"]
    return records[starts[-1] :]


def name_of(record: Recorded) -> str:
    return type(record.body).__name__


def test_the_account_went_on_after_the_copy_was_made(desk: Desk) -> None:
    """Everything was sold meanwhile: the bot that knows nothing of it sells nothing again."""
    desk.start()
    opened = desk.wait_until(lambda: desk.said("PositionOpened"))[0].position
    copy = desk.data_dir.parent / "copy.db"
    catalyst_bot("db", "backup", str(copy), "--journal", str(desk.journal))
    assert holds(desk, opened.symbol), "the copy has to be older than the sale"
    catalyst_bot("trade", "sell", opened.symbol, "--all", "--data-dir", str(desk.data_dir))
    desk.wait_until(lambda: not holds(desk, opened.symbol))
    desk.end()
    placed = {order["client_order_id"] for order in orders(desk)}
    catalyst_bot("db", "restore", str(copy), "--journal", str(desk.journal), "--force")

    desk.start()
    desk.wait_until(lambda: desk.said("LostOrdersFound"))
    desk.wait_until(lambda: "BrokerSnapshotReceived" in map(name_of, last_run(desk)))
    looks = len(desk.said("BrokerSnapshotReceived"))
    desk.wait_until(lambda: len(desk.said("BrokerSnapshotReceived")) > looks)  # five minutes later
    told = desk.end()

    run = last_run(desk)
    first_look = list(map(name_of, run)).index("BrokerSnapshotReceived")
    assert not SENT & set(map(name_of, run[:first_look])), told
    sent = {record.body.order.client_order_id for record in run if name_of(record) == "SubmitOrder"}
    assert not sent & placed
    assert "MismatchFound" not in map(name_of, run), told
    (lost,) = desk.said("LostOrdersFound")
    assert set(lost.order_ids) <= placed
    theirs = {p["symbol"]: p["qty"] for p in desk.ask("/v2/positions")}
    ours = {p["symbol"]: p["quantity"] for p in desk.status()["positions"]}
    assert ours == theirs
    assert opened.symbol not in ours
    assert not [order for order in orders(desk) if order["status"] == "rejected"]


def holds(desk: Desk, symbol: str) -> bool:
    return symbol in {position["symbol"] for position in desk.ask("/v2/positions")}


def orders(desk: Desk) -> list[dict[str, Any]]:
    return desk.ask("/v2/orders?status=all&limit=500")
