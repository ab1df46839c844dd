from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.exchange.desk import Desk
from tests.exchange.killed_desk import MOVES
from tests.exchange.ledger import check_books

ROUNDS = 5


def killed(path: Path, chance: random.Random) -> list[list[Any]]:
    """Let a process trade, kill it in the middle of whatever it does, return what it said."""
    command = [sys.executable, "-m", "tests.exchange.killed_desk", str(path)]
    with subprocess.Popen(
        [*command, str(chance.randint(0, 10**6))], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(chance.randint(1, 60))]
        time.sleep(chance.random() / 50)
        process.kill()
        said += process.stdout.readlines()
    assert process.returncode == -9
    return [json.loads(line) for line in said if line.endswith("\n")]


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_answered_survives_kill_minus_nine(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "exchange.db"
    orders: set[str] = set()
    cancelled: set[str] = set()
    lists: set[str] = set()
    for number in range(1, ROUNDS + 1):
        said = killed(path, chance)
        assert said
        for what, name, *_ in said:
            {"order": orders, "cancel": cancelled, "list": lists}[what].add(name)
        desk = Desk(moves=MOVES, path=path)
        assert desk.account.seq >= said[-1][3]
        states = {
            order_id: desk.again({"id": order_id})["status"] for order_id in orders | cancelled
        }
        assert {states[order_id] for order_id in cancelled} <= {"canceled", "pending_cancel"}
        by_hand = [name for name, state in states.items() if state == "canceled"]
        assert len(by_hand) <= len(cancelled) + number  # one a round may not have been said
        assert {row["name"] for row in desk.get("/v2/watchlists")} >= lists
        assert desk.account.engine.settle(desk.clock.now()) == []
        check_books(desk)
        desk.close()
