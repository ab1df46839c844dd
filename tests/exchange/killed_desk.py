"""A process that trades on an exchange of its own until somebody kills it.

It says each answer it got, one a line, after it got it: what was said must be there afterwards.
"""

from __future__ import annotations

import json
import random
import sys
from datetime import timedelta
from pathlib import Path

from tests.exchange.desk import Desk

MOVES = {"AAPL": {n: 100.0 + (n * 7919 % 13) - 6 for n in range(1, 780)}}


def main(path: str, seed: str) -> None:
    """Trade for ever."""
    chance = random.Random(int(seed))
    desk = Desk(moves=MOVES, path=Path(path))
    while True:
        body = {
            "symbol": chance.choice(["AAPL", "MSFT"]),
            "side": chance.choice(["buy", "buy", "sell"]),
            "qty": str(chance.randint(1, 20)),
            "type": "market",
            "time_in_force": "day",
        }
        if chance.random() < 0.5:
            body |= {"type": "limit", "limit_price": str(chance.randint(45, 105))}
        reply = desk.ask("POST", "/v2/orders", json=body)
        if reply.status_code == 200:
            say(desk, "order", reply.json()["id"])
        if chance.random() < 0.3 and (rows := desk.get("/v2/orders")):
            order = chance.choice(rows)
            if desk.ask("DELETE", f"/v2/orders/{order['id']}").status_code == 204:
                say(desk, "cancel", order["id"])
        if chance.random() < 0.3:
            name = f"list {chance.random()}"
            if desk.ask("POST", "/v2/watchlists", json={"name": name}).status_code == 200:
                say(desk, "list", name)
        if chance.random() < 0.3:
            desk.advance(timedelta(seconds=chance.randint(1, 90)))


def say(desk: Desk, what: str, name: str) -> None:
    """Tell the one who will kill us."""
    sys.stdout.write(json.dumps([what, name, len(desk.updates), desk.account.seq]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
