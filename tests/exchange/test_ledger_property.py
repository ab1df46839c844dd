"""Random requests over the whole trading API, with restarts: the books always agree."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from catalyst_bot.exchange.knobs import ClosedMarketCancel, Knobs
from tests.exchange.desk import CLOSE, NEXT_OPEN, Desk
from tests.exchange.ledger import check_books

MOVES = {
    "AAPL": {n: 100.0 + (n * 7919 % 23) - 11 for n in range(1, 780)},
    "MSFT": {n: 50.0 + (n * 104729 % 11) - 5 for n in range(1, 780, 3)},
}
ENDS = {"fill", "canceled", "expired", "replaced", "rejected"}
SYMBOLS = st.sampled_from(["AAPL", "MSFT"])
SIDES = st.sampled_from(["buy", "buy", "sell"])
LIVES = st.sampled_from(["day", "day", "gtc", "ioc", "fok"])
SIZES = st.one_of(
    st.integers(1, 400).map(str), st.sampled_from(["0.5", "1.000000001", "0", "-1", "x"])
)
OFFSETS = st.integers(-12, 12)
WAITS_S = st.sampled_from([0.5, 5, 30, 61, 600])
KINDS = st.sampled_from(["market", "limit", "limit", "stop", "stop_limit", "trailing_stop"])
CLASSES = st.sampled_from(["", "", "bracket", "oco", "oto"])


class TradingApi(RuleBasedStateMachine):
    """Asks for anything; what is not refused with a 4xx must be right."""

    @initialize(
        seed=st.integers(0, 5),
        partial=st.sampled_from(["0", "0.1", "1"]),
        latency_s=st.sampled_from([0.0, 2.0]),
        cancel=st.sampled_from(ClosedMarketCancel),
    )
    def open(self, seed: int, partial: str, latency_s: float, cancel: ClosedMarketCancel) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.updates: list[dict[str, Any]] = []
        self.knobs = Knobs(
            seed=seed,
            partial_probability=Decimal(partial),
            cancel_latency_s=latency_s,
            ack_delay_s=latency_s / 2,
            cancel_closed_market=cancel,
            rate_limit_per_min=0,
        )
        self.desk = self._start()

    def _start(self) -> Desk:
        path = Path(self.folder.name) / "exchange.db"
        return Desk(moves=MOVES, path=path, knobs=self.knobs)

    def _send(self, method: str, path: str, **rest: Any) -> Any:
        reply = self.desk.ask(method, path, **rest)
        assert reply.status_code < 500, reply.text
        if reply.status_code >= 400:
            assert {"code", "message"} <= set(reply.json())
        return reply

    @rule(
        symbol=SYMBOLS, side=SIDES, size=SIZES, lives=LIVES, kind=KINDS, name=CLASSES,
        offset=OFFSETS, width=st.integers(1, 9), extended=st.booleans(),
    )  # fmt: skip
    def place(
        self,
        symbol: str,
        side: str,
        size: str,
        lives: str,
        kind: str,
        name: str,
        offset: int,
        width: int,
        *,
        extended: bool,
    ) -> None:
        base = 100 if symbol == "AAPL" else 50
        body: dict[str, Any] = {
            "symbol": symbol, "side": side, "qty": size, "type": kind, "time_in_force": lives,
            "order_class": name,
        }  # fmt: skip
        if kind in {"limit", "stop_limit"}:
            body["limit_price"] = base + offset
            body["extended_hours"] = extended and not name
        if kind in {"stop", "stop_limit"}:
            body["stop_price"] = base + offset
        if kind == "trailing_stop":
            body["trail_percent"] = width
        up = 1 if (side == "buy") is not (name == "oco") else -1
        if name in {"bracket", "oco"}:
            body["take_profit"] = {"limit_price": base + up * (12 + width)}
        if name in {"bracket", "oco", "oto"}:
            body["stop_loss"] = {"stop_price": base - up * (12 + width)}
        self._send("POST", "/v2/orders", json=body)

    @rule(symbol=SYMBOLS, side=SIDES, dollars=st.integers(0, 90_000))
    def place_dollars(self, symbol: str, side: str, dollars: int) -> None:
        body = {"symbol": symbol, "side": side, "notional": dollars / 7, "type": "market"}
        self._send("POST", "/v2/orders", json={**body, "time_in_force": "day"})

    @rule(which=st.integers(0, 50))
    def cancel(self, which: int) -> None:
        if rows := self.desk.get("/v2/orders", status="all", limit=50):
            self._send("DELETE", f"/v2/orders/{rows[which % len(rows)]['id']}")

    @rule(which=st.integers(0, 50), offset=OFFSETS, size=st.integers(0, 300))
    def replace(self, which: int, offset: int, size: int) -> None:
        if rows := self.desk.get("/v2/orders", nested=True):
            row = rows[which % len(rows)]
            row = (row["legs"] or [row])[which % len(row["legs"] or [row])]
            changes: dict[str, Any] = {"qty": str(size)} if size % 3 == 0 else {}
            for name in ("limit_price", "stop_price"):
                if row[name] is not None:
                    changes[name] = float(row[name]) + offset
            self._send("PATCH", f"/v2/orders/{row['id']}", json=changes)

    @rule()
    def cancel_all(self) -> None:
        assert self._send("DELETE", "/v2/orders").status_code == 207

    @rule(symbol=SYMBOLS, percent=st.sampled_from([None, 30, 100]))
    def close(self, symbol: str, percent: int | None) -> None:
        asked = {} if percent is None else {"percentage": percent}
        self._send("DELETE", f"/v2/positions/{symbol}", params=asked)

    @rule(with_orders=st.booleans())
    def close_all(self, *, with_orders: bool) -> None:
        asked = {"cancel_orders": str(with_orders)}
        assert self._send("DELETE", "/v2/positions", params=asked).status_code == 207

    @rule(seconds=WAITS_S)
    def wait(self, seconds: float) -> None:
        self.desk.advance(timedelta(seconds=seconds))

    @rule(to=st.sampled_from([CLOSE, CLOSE + timedelta(hours=5), NEXT_OPEN]))
    def go_to(self, to: Any) -> None:
        if to > self.desk.clock.now():
            self.desk.advance(to - timedelta(seconds=20))
            self.desk.advance(to + timedelta(seconds=20))

    @rule()
    def restart(self) -> None:
        state = self.desk.account.engine.state
        self.updates += self.desk.updates
        self.desk.close()
        self.desk = self._start()
        assert self.desk.account.engine.state == state
        assert self.desk.account.engine.settle(self.desk.clock.now()) == []

    @invariant()
    def books_agree(self) -> None:
        if hasattr(self, "desk"):
            check_books(self.desk)

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        self.updates += self.desk.updates
        ends = Counter(each["order"]["id"] for each in self.updates if each["event"] in ENDS)
        assert set(ends.values()) <= {1}
        ids = [each["event_id"] for each in self.updates]
        assert ids == sorted(set(ids))
        self.desk.close()
        self.folder.cleanup()


TestTradingApi = TradingApi.TestCase
TestTradingApi.settings = settings(max_examples=12, stateful_step_count=25)
