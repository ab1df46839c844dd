from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.domain.errors import ConfigError, JournalDamaged
from catalyst_bot.exchange.api.order_desk import OrderDesk
from catalyst_bot.exchange.books.store import ExchangeStore
from catalyst_bot.exchange.market.moments import Played
from catalyst_bot.exchange.wire.errors import ApiError
from catalyst_bot.simulation.events import SymbolHalted
from tests.exchange.desk import ADMIN, NEXT_OPEN, OPEN, Desk
from tests.exchange.test_trade_updates import MOVES, busy_day

PLAYED = Played(until=OPEN)
LIMIT: dict[str, Any] = {
    "symbol": "AAPL",
    "qty": "1",
    "side": "buy",
    "type": "limit",
    "time_in_force": "gtc",
    "limit_price": "90",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exchange.db"


def everything(desk: Desk) -> dict[str, Any]:
    """Return all an account shows."""
    return {
        name: desk.get(asked)
        for name, asked in {
            "account": "/v2/account",
            "configurations": "/v2/account/configurations",
            "activities": "/v2/account/activities",
            "orders": "/v2/orders?status=all&limit=500&nested=true",
            "positions": "/v2/positions",
            "watchlists": "/v2/watchlists",
            "history": "/v2/account/portfolio/history?period=1D&timeframe=1Min",
        }.items()
    }


def test_a_restart_shows_the_same(path: Path) -> None:
    desk = Desk(moves=MOVES, path=path)
    desk.ask("POST", "/v2/watchlists", json={"name": "Tech", "symbols": ["AAPL"]})
    desk.ask("PATCH", "/v2/account/configurations", json={"trade_confirm_email": "none"})
    busy_day(desk)
    before, state = everything(desk), desk.account.engine.state
    at = desk.clock.now()
    desk.close()
    again = Desk(moves=MOVES, path=path)
    assert again.clock.now() == at
    assert everything(again) == before
    assert again.account.engine.state == state
    assert again.account.engine.settle(at) == []
    assert again.account.seq == desk.account.seq
    again.advance(NEXT_OPEN + timedelta(minutes=1))
    assert again.order()["status"] == "pending_new"
    again.close()


def test_a_restart_goes_on_as_if_it_had_not_been(path: Path, tmp_path: Path) -> None:
    told = []
    for is_stopped in (False, True):
        name = tmp_path / f"{is_stopped}.db"
        desk = Desk(moves=MOVES, path=name)
        desk.order(qty=5)
        order = desk.order(type="limit", limit_price=96)
        updates = list(desk.updates)
        if is_stopped:
            desk.close()
            desk = Desk(moves=MOVES, path=name)
        else:
            desk.updates.clear()
        desk.minute(6)
        assert desk.again(order)["status"] == "filled"
        desk.order(side="sell", qty=2)
        told.append(updates + desk.updates)
        desk.close()
    assert told[0] == told[1]


def test_a_restart_is_not_before_the_last_event(path: Path) -> None:
    desk = Desk(path=path)
    desk.order()
    desk.advance(timedelta(milliseconds=400))
    order = desk.order()
    desk.close()
    again = Desk(path=path)
    assert again.clock.now() == OPEN + timedelta(seconds=30.4)
    assert again.order()["created_at"] >= order["created_at"]
    again.close()


def test_what_an_administrator_did_is_done_again(path: Path) -> None:
    desk = Desk(path=path)
    actions = {
        "/admin/halt": {"symbol": "AAPL"},
        "/admin/assets": {"symbol": "SPY", "tradable": False},
        "/admin/corporate_actions": {
            "kind": "split",
            "symbol": "MSFT",
            "on": "2025-10-23",
            "new_rate": "2",
            "old_rate": "1",
        },
    }
    for where, body in actions.items():
        assert desk.ask("POST", where, headers=ADMIN, json=body).status_code == 200
    desk.close()
    desk = Desk(path=path)
    order = desk.order()
    desk.minute(3)
    assert desk.again(order)["status"] == "new"
    desk.ask("POST", "/admin/resume", headers=ADMIN, json={"symbol": "AAPL"})
    desk.close()
    desk = Desk(path=path)
    desk.minute(5)
    assert desk.again(order)["status"] == "filled"
    assert desk.get("/v2/assets/SPY")["tradable"] is False
    desk.order(symbol="MSFT", qty=3)
    desk.advance(NEXT_OPEN)
    assert desk.get("/v2/positions/MSFT")["qty"] == "6"
    desk.close()


def test_a_reset_survives_too(path: Path) -> None:
    desk = Desk(path=path)
    old = desk.account.account_id
    desk.order(qty=3)
    fresh = desk.ask("POST", "/admin/reset", headers=ADMIN).json()
    desk.close()
    desk = Desk(path=path)
    assert desk.account.account_id == fresh["id"] != old
    assert desk.get("/v2/orders?status=all") == []
    assert desk.ask("POST", "/admin/reset", headers=ADMIN).json()["id"] not in {old, fresh["id"]}
    desk.close()


def test_nothing_is_told_that_is_not_kept(path: Path) -> None:
    desk = Desk(path=path)
    desk.order()
    told = len(desk.updates)
    desk.store._connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(ApiError, match="internal server error"):
        place_many(desk, 100)
    on_disk = sum(1 for _ in desk.store.events(desk.account.account_id))
    assert len(desk.updates) - told == on_disk - 2
    desk.store._connection.execute("PRAGMA max_page_count = 1000000")
    desk.order()
    assert sum(1 for _ in desk.store.events(desk.account.account_id)) == desk.account.seq
    assert len(desk.updates) == desk.account.seq
    desk.close()


def place_many(desk: Desk, count: int) -> None:
    for _ in range(count):
        OrderDesk(desk.exchange).place(desk.account, LIMIT)


@pytest.fixture
def store(path: Path) -> Iterator[ExchangeStore]:
    with ExchangeStore(path) as made:
        yield made


def test_a_transaction_is_all_or_nothing(store: ExchangeStore, path: Path) -> None:
    event = SymbolHalted(at=OPEN, symbol="AAPL")
    store.add_events("a", 0, [event])
    store.commit(OPEN, PLAYED)
    store.add_events("a", 1, [event])
    store.add_events("a", 0, [event])  # a number that is taken
    with pytest.raises(sqlite3.IntegrityError):
        store.commit(OPEN + timedelta(minutes=1), PLAYED)
    assert list(store.events("a")) == [(1, event)]
    assert store.clock() == OPEN


def test_many_events_are_read_page_by_page(store: ExchangeStore) -> None:
    events = [SymbolHalted(at=OPEN + timedelta(seconds=n), symbol=f"S{n}") for n in range(5000)]
    store.add_events("a", 0, events)
    store.put_equity("a", 60, Decimal("1.50"))
    store.commit(OPEN, PLAYED)
    assert [event for _, event in store.events("a")] == events
    assert [seq for seq, _ in store.events("a", 4998)] == [4999, 5000]
    assert store.equity_points("a") == [(60, Decimal("1.50"))]


def test_one_writer(store: ExchangeStore, path: Path) -> None:
    with pytest.raises(ConfigError, match="already writes"):
        ExchangeStore(path)


def test_a_file_of_somebody_else(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(ConfigError, match="not the file of an exchange"):
        ExchangeStore(other)
    noise = tmp_path / "noise.db"
    noise.write_bytes(b"no database at all, but long enough to look at" * 100)
    with pytest.raises(JournalDamaged):
        ExchangeStore(noise)


def test_a_damaged_event_is_named(store: ExchangeStore) -> None:
    store.add_events("a", 0, [SymbolHalted(at=OPEN, symbol="AAPL")])
    store.commit(OPEN, PLAYED)
    store._connection.execute("UPDATE events SET body = '{}'")
    with pytest.raises(JournalDamaged, match="event 1"):
        list(store.events("a"))
    store._connection.execute("UPDATE events SET kind = 'Wonder'")
    with pytest.raises(JournalDamaged, match="Wonder"):
        list(store.events("a"))


PRIVATE = dict.fromkeys(("exchange.db", "exchange.db-shm", "exchange.db-wal"), 0o600)


def test_nobody_else_may_read_the_secrets(path: Path) -> None:
    with ExchangeStore(path) as store:
        assert modes(path) == PRIVATE
        for part in path.parent.glob("exchange.db*"):
            part.chmod(0o644)  # as an older version made them
        store.put_setting("word", "kept")
        store.commit(OPEN, PLAYED)
    path.chmod(0o644)
    with ExchangeStore(path) as store:
        assert store.setting("word") == "kept"
        assert modes(path) == PRIVATE


def modes(path: Path) -> dict[str, int]:
    parts = (part for part in path.parent.iterdir() if part.suffix != ".lock")
    return {part.name: part.stat().st_mode & 0o777 for part in parts}
