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
SIZES = st.integers(1, 300)
NEAR = st.integers(-5, 5)
FAR = st.integers(1, 9)
WAITS_S = st.sampled_from([0.5, 5, 30, 61, 600])
ANYTHING: dict[str, Any] = {
    "symbol": st.sampled_from(["AAPL", "NONE", "", None]),
    "side": st.sampled_from(["buy", "sell", "hold", None]),
    "qty": st.sampled_from(["1", 0, -1, "x", "0.5", "1e30", None, True]),
    "notional": st.sampled_from([None, None, 10, 0.001]),
    "type": st.sampled_from(["market", "limit", "stop", "trailing_stop", "LIMIT", None]),
    "time_in_force": st.sampled_from(["day", "gtc", "ioc", "opg", "cls", "never"]),
    "limit_price": st.sampled_from([None, 100, 0, "100.001", "-1"]),
    "stop_price": st.sampled_from([None, 100, 0]),
    "order_class": st.sampled_from(["", "simple", "bracket", "oco", "oto", "mleg", "none"]),
    "take_profit": st.sampled_from([None, {}, {"limit_price": 120}, "x"]),
    "stop_loss": st.sampled_from([None, {"stop_price": 90}, {"limit_price": 5}]),
    "extended_hours": st.sampled_from([None, True, False, "yes"]),
}


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

    def _place(self, **fields: Any) -> None:
        body = {"type": "market", "time_in_force": "day", **fields}
        self._send("POST", "/v2/orders", json=body)

    def _last(self, symbol: str) -> float:
        last = self.desk.exchange.market.last_price(symbol, self.desk.clock.now())
        assert last is not None
        return last

    @rule(symbol=SYMBOLS, side=SIDES, qty=SIZES)
    def at_market(self, symbol: str, side: str, qty: int) -> None:
        self._place(symbol=symbol, side=side, qty=qty)

    @rule(symbol=SYMBOLS, side=SIDES, part=st.integers(1, 40_000_000_000))
    def a_fraction(self, symbol: str, side: str, part: int) -> None:
        self._place(symbol=symbol, side=side, qty=f"{Decimal(part) / 10**9:f}")

    @rule(symbol=SYMBOLS, side=SIDES, cents=st.integers(1, 900_000))
    def for_dollars(self, symbol: str, side: str, cents: int) -> None:
        self._place(symbol=symbol, side=side, notional=f"{Decimal(cents) / 100}")

    @rule(
        symbol=SYMBOLS, side=SIDES, qty=SIZES, near=NEAR, extended=st.booleans(),
        lives=st.sampled_from(["day", "gtc", "ioc", "fok", "cls"]),
    )  # fmt: skip
    def at_limit(
        self, symbol: str, side: str, qty: int, near: int, lives: str, *, extended: bool
    ) -> None:
        self._place(
            symbol=symbol,
            side=side,
            qty=qty,
            type="limit",
            limit_price=self._last(symbol) + near,
            time_in_force=lives,
            extended_hours=extended and lives in {"day", "gtc"},
        )

    @rule(symbol=SYMBOLS, side=SIDES, qty=SIZES, far=FAR, kind=st.integers(0, 2))
    def at_stop(self, symbol: str, side: str, qty: int, far: int, kind: int) -> None:
        up = 1 if side == "buy" else -1
        stop = self._last(symbol) + up * far
        fields: list[dict[str, Any]] = [
            {"type": "stop", "stop_price": stop},
            {"type": "stop_limit", "stop_price": stop, "limit_price": stop + up},
            {"type": "trailing_stop", "trail_percent": far},
        ]
        self._place(symbol=symbol, side=side, qty=qty, time_in_force="gtc", **fields[kind])

    @rule(symbol=SYMBOLS, side=SIDES, qty=SIZES, far=FAR, near=NEAR, kind=st.integers(0, 2))
    def with_exits(self, symbol: str, side: str, qty: int, far: int, near: int, kind: int) -> None:
        up, last = (1 if side == "buy" else -1), self._last(symbol)
        fields: dict[str, Any] = {"stop_loss": {"stop_price": last - up * (far + 6)}}
        if kind == 0:
            fields |= {"order_class": "oto"}
        else:
            fields |= {"order_class": "bracket", "take_profit": {"limit_price": last + up * 7}}
        if kind == 2:
            fields |= {"type": "limit", "limit_price": last + near}
        self._place(symbol=symbol, side=side, qty=qty, **fields)

    @rule(far=FAR, part=st.integers(1, 3))
    def exits_for_what_is_held(self, far: int, part: int) -> None:
        for row in self.desk.get("/v2/positions"):
            available = abs(Decimal(row["qty_available"])) // part
            up, last = (1 if row["side"] == "long" else -1), self._last(row["symbol"])
            self._place(
                symbol=row["symbol"],
                side="sell" if up > 0 else "buy",
                qty=str(available // 1),
                type="limit",
                order_class="oco",
                time_in_force="gtc",
                take_profit={"limit_price": last + up * far},
                stop_loss={"stop_price": last - up * far},
            )

    @rule(fields=st.fixed_dictionaries(ANYTHING))
    def anything(self, fields: dict[str, Any]) -> None:
        self._send("POST", "/v2/orders", json=fields)

    @rule(which=st.integers(0, 50))
    def cancel(self, which: int) -> None:
        if rows := self.desk.get("/v2/orders", status="all", limit=50):
            self._send("DELETE", f"/v2/orders/{rows[which % len(rows)]['id']}")

    @rule(which=st.integers(0, 50), near=NEAR, size=st.integers(0, 300))
    def replace(self, which: int, near: int, size: int) -> None:
        if rows := self.desk.get("/v2/orders", nested=True):
            row = rows[which % len(rows)]
            row = (row["legs"] or [row])[which % len(row["legs"] or [row])]
            changes: dict[str, Any] = {"qty": str(size)} if size % 3 == 0 else {}
            for name in ("limit_price", "stop_price"):
                if row[name] is not None:
                    changes[name] = float(row[name]) + near
            self._send("PATCH", f"/v2/orders/{row['id']}", json=changes)

    @rule(is_meant=st.integers(0, 3))
    def cancel_all(self, is_meant: int) -> None:
        if is_meant == 3:
            assert self._send("DELETE", "/v2/orders").status_code == 207

    @rule(symbol=SYMBOLS, percent=st.sampled_from([None, 30, 100]))
    def close(self, symbol: str, percent: int | None) -> None:
        asked = {} if percent is None else {"percentage": percent}
        self._send("DELETE", f"/v2/positions/{symbol}", params=asked)

    @rule(with_orders=st.booleans(), is_meant=st.integers(0, 3))
    def close_all(self, is_meant: int, *, with_orders: bool) -> None:
        if is_meant < 3:
            return
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
TestTradingApi.settings = settings(max_examples=15, stateful_step_count=40)
