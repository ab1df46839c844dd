"""A journal that is older than the account: restored from a copy made before the bot traded on.

The broker is the truth: what is missing comes in before anything is sent, no id is used twice, and
the books agree in the end. The exchange's clock moves only while the test waits for what takes time
there: on a busy machine it would else run on to other trades, or to the end of the day, while a
command starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.alpaca.reading import rfc3339
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage.read_model import ReadModel
from tests.e2e.test_alpaca_exchange import KNOBS, START, Desk, other_command
from tests.exchange.process import exchange

STEP = timedelta(seconds=3)  # at every look
SENT = {"SubmitOrder", "ReplaceOrder"}  # what is approved before the look is withdrawn


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    knobs = tmp_path / "knobs.toml"
    knobs.write_text(KNOBS)
    flags = ("--speed", "step", "--start", START, "--knobs", str(knobs), "--seed", "7")
    with exchange(*flags) as venue:
        made = Desk(venue, tmp_path / "data")
        yield made
        if made.process is not None and made.process.poll() is None:
            made.process.kill()
            made.process.communicate()


def wait_a_while(desk: Desk, is_so: Callable[[], Any]) -> Any:
    """Wait for what takes time at the exchange."""

    def is_so_now() -> Any:
        if found := is_so():
            return found
        now = datetime.fromisoformat(desk.venue.admin("GET", "/admin/clock")["now"])
        desk.venue.admin("POST", "/admin/clock/advance", {"to": rfc3339(now + STEP)})
        return None

    return desk.wait_until(is_so_now)


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
    opened = wait_a_while(desk, lambda: desk.said("PositionOpened"))[0].position
    copy = desk.data_dir.parent / "copy.db"
    other_command("db", "backup", str(copy), "--journal", str(desk.journal))
    assert holds(desk, opened.symbol), "the copy has to be older than the sale"
    other_command("trade", "sell", opened.symbol, "--all", "--data-dir", str(desk.data_dir))
    wait_a_while(desk, lambda: not holds(desk, opened.symbol))
    desk.end()
    placed = {order["client_order_id"] for order in orders(desk)}
    other_command("db", "restore", str(copy), "--journal", str(desk.journal), "--force")

    desk.start()
    desk.wait_until(lambda: desk.said("LostOrdersFound"))
    desk.wait_until(lambda: "BrokerSnapshotReceived" in map(name_of, last_run(desk)))
    looks = len(desk.said("BrokerSnapshotReceived"))
    wait_a_while(desk, lambda: len(desk.said("BrokerSnapshotReceived")) > looks)  # five minutes
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
