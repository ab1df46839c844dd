"""Both commands killed at random while they trade the generated day; and that the tool can fail."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tools.compare_books import Filled, Ours, Row, Theirs, compare, names_of

ENTRY = "cb-00000000000000000001"


def test_no_fill_is_lost_and_no_order_sent_twice_whatever_is_killed(tmp_path: Path):
    told_in = tmp_path / "result.json"
    flags = ["--kills", "8", "--seed", "3", "--from", "2025-03-13T13:52:00Z", "--speed", "90"]
    flags += ["--keep", str(tmp_path), "--json", str(told_in)]
    done = subprocess.run(
        [sys.executable, "-m", "tools.kill_runs", *flags],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(told_in.read_text(encoding="utf-8"))
    assert result["strikes"] == 8
    assert result["kills_of_bot"] > 0
    assert result["kills_of_exchange"] > 0
    assert result["orders"] > 0
    assert result["fills"] > 0
    assert (result["lost_fills"], result["duplicate_orders"], result["differences"]) == (0, 0, [])


def order(order_id: str, client_order_id: str, kind: str, **more: Any) -> Row:
    plain: Row = {"filled_qty": "0", "replaces": None, "legs": None}
    return plain | {"id": order_id, "client_order_id": client_order_id, "type": kind} | more


def execution(order_id: str, qty: str, price: str) -> Row:
    return {"order_id": order_id, "qty": qty, "price": price}


def books() -> tuple[Ours, Theirs]:
    """A bracket whose stop was moved and then hit, as both tell it."""
    stop = order("s2", "x2", "stop", filled_qty="10", replaces="s1")
    target = order("t1", "x3", "limit")
    entry = order("e1", ENTRY, "market", filled_qty="10")
    theirs = Theirs(
        orders=[entry, order("s1", "x1", "stop"), stop, target],
        nested=[entry | {"legs": [stop, target]}],
        executions=[
            execution("e1", "4", "20.00"),
            execution("e1", "6", "20.01"),
            execution("s2", "10", "19"),
        ],
        positions={},
        cash_usd=Decimal("99989.94"),
    )
    ours = Ours(cash_usd=Decimal("99989.94"), fills=3, shares=Decimal(20))
    ours.submitted.add(ENTRY)
    ours.filled[ENTRY] = Filled(Decimal(10), Decimal("200.06"))
    ours.filled[ENTRY + "-sl"] = Filled(Decimal(10), Decimal(190))
    ours.fill_ids.update(["a", "b", "c"])
    return ours, theirs


def test_legs_and_what_replaced_them_are_named_after_their_entry():
    ours, theirs = books()
    assert names_of(theirs) == {
        "e1": ENTRY,
        "s1": ENTRY + "-sl",
        "s2": ENTRY + "-sl",
        "t1": ENTRY + "-tp",
    }
    verdict = compare(ours, theirs)
    assert verdict.differences == ()
    assert (verdict.orders, verdict.fills, verdict.executions) == (4, 3, 3)


def lose_a_fill(ours: Ours, theirs: Theirs) -> None:
    del ours.filled[ENTRY + "-sl"]


def tell_a_fill_twice(ours: Ours, theirs: Theirs) -> None:
    ours.fill_ids.update(["a"])


def pay_another_price(ours: Ours, theirs: Theirs) -> None:
    ours.filled[ENTRY].usd += Decimal("0.02")


def send_without_a_promise(ours: Ours, theirs: Theirs) -> None:
    theirs.orders.append(order("e2", "cb-00000000000000000002", "market"))


def send_twice(ours: Ours, theirs: Theirs) -> None:
    theirs.orders.append(order("e2", ENTRY, "market"))


def enter_twice(ours: Ours, theirs: Theirs) -> None:
    ours.entries_of_signal["sig-1"] = 2


def hold_something(ours: Ours, theirs: Theirs) -> None:
    theirs.positions["ACME"] = Decimal(-3)


def have_other_cash(ours: Ours, theirs: Theirs) -> None:
    ours.cash_usd += Decimal("0.05")


def fill_without_execution(ours: Ours, theirs: Theirs) -> None:
    theirs.orders[-1]["filled_qty"] = "1"


@pytest.mark.parametrize(
    ("break_it", "lost", "duplicates"),
    [
        (lose_a_fill, 1, 0),
        (tell_a_fill_twice, 0, 0),
        (pay_another_price, 0, 0),
        (send_without_a_promise, 0, 0),
        (send_twice, 0, 1),
        (enter_twice, 0, 1),
        (hold_something, 0, 0),
        (have_other_cash, 0, 0),
        (fill_without_execution, 0, 0),
    ],
)
def test_whatever_differs_is_named(
    break_it: Callable[[Ours, Theirs], None], lost: int, duplicates: int
):
    ours, theirs = books()
    break_it(ours, theirs)
    verdict = compare(ours, theirs)
    assert verdict.differences
    assert (verdict.lost_fills, verdict.duplicate_orders) == (lost, duplicates)
