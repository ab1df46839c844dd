"""The kill switch's own HTTP, against a broker on this machine that answers what a test says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.alpaca import kill_switch
from catalyst_bot.alpaca.access import Access
from catalyst_bot.alpaca.kill_switch import KillSwitch, NotStopped, left_over

Row = dict[str, Any]
Answer = tuple[int, Any]


def order(id_: str, side: str = "buy", symbol: str = "A", **more: Any) -> Row:
    return {"id": id_, "side": side, "symbol": symbol, "type": "limit", "status": "new"} | more


def position(symbol: str = "A", qty: str = "10") -> Row:
    return {"symbol": symbol, "qty": qty}


class Books:
    """A broker with orders and positions; `before` may answer a request instead of it."""

    def __init__(self, orders: list[Row], positions: list[Row] | None = None) -> None:
        self.orders, self.positions = orders, positions or []
        self.asked: list[str] = []
        self.before: Callable[[str, str], Answer | bytes | None] = lambda _method, _path: None
        self.is_open = True
        self.resets_at = ""

    def answer(self, method: str, path: str) -> Answer | bytes:
        place = path.partition("?")[0]
        self.asked.append(f"{method} {place}")
        instead = self.before(method, place)
        if instead is not None:
            return instead
        if method == "DELETE" and place == "/v2/orders":
            gone = [{"id": each["id"], "status": 200} for each in self.orders]
            if self.is_open:
                self.orders = []
            else:
                self.orders = [each | {"status": "pending_cancel"} for each in self.orders]
            return 207, gone
        if method == "DELETE":
            closed = [{"symbol": each["symbol"], "status": 200} for each in self.positions]
            if self.is_open:
                self.positions = []
            else:
                self.orders += [
                    order(f"c{at}", "sell", each["symbol"], type="market", status="accepted")
                    for at, each in enumerate(self.positions)
                ]
            return 207, closed
        if place == "/v2/clock":
            return 200, {"is_open": self.is_open, "next_open": "2025-10-23T09:30:00-04:00"}
        if place == "/v2/account":
            return 200, {"account_number": "PA1"}
        return 200, self.orders if place == "/v2/orders" else self.positions


@contextmanager
def broker(books: Books) -> Iterator[Access]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            told = books.answer(self.command, self.path)
            if isinstance(told, bytes):  # raw: what no server of ours would say
                self.wfile.write(told)
                self.close_connection = True
                return
            content = told[1] if isinstance(told[1], bytes) else json.dumps(told[1]).encode()
            self.send_response(told[0])
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-RateLimit-Reset", books.resets_at)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        yield Access(base_url=url, data_url=url, key_id="K", secret="S")
    finally:
        server.shutdown()
        server.server_close()


def pressed(books: Books, *, closes: bool = False, deadline_s: float = 5.0) -> KillSwitch:
    with (
        broker(books) as access,
        KillSwitch(access, deadline_s=deadline_s, sleep=lambda _: None) as switch,
    ):
        switch.press(closes=closes)
        return switch


def test_one_request_cancels_all_and_two_looks_confirm_it():
    books = Books([order(str(n)) for n in range(500)])
    stopped = pressed(books).stopped
    assert stopped.is_verified
    assert stopped.cancelled == 500
    assert books.asked == ["DELETE /v2/orders", "GET /v2/orders", "GET /v2/orders"]


def test_positions_are_closed_after_the_orders():
    books = Books([order("1")], [position("A"), position("B")])
    stopped = pressed(books, closes=True).stopped
    assert stopped.is_verified
    assert stopped.closing == 2
    assert books.asked[:2] == ["DELETE /v2/orders", "DELETE /v2/positions"]


def test_an_order_that_arrives_after_the_cancel_is_cancelled_too():
    books = Books([])

    def arrive(method: str, place: str) -> None:
        if (method, place) == ("GET", "/v2/orders") and len(books.asked) == 2:
            books.orders.append(order("late"))

    books.before = arrive
    assert pressed(books).stopped.is_verified
    assert books.asked.count("DELETE /v2/orders") == 2
    assert books.orders == []


def test_an_order_that_arrives_while_it_watches_is_cancelled_too():
    books = Books([])
    with broker(books) as access, KillSwitch(access, sleep=lambda _: None) as switch:
        switch.press(closes=False)
        books.orders.append(order("late"))
        assert switch.watch(0.2, closes=False).is_verified
    assert books.orders == []


@pytest.mark.parametrize(
    "trouble",
    [
        (429, {"message": "rate limit exceeded"}),
        (503, b"<h1>busy</h1>"),
        (200, b"<h1>welcome</h1>"),
        (200, {}),
        (200, b""),
        (200, [1]),
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[]",
    ],
    ids=["429", "503", "page", "object", "nothing", "numbers", "cut", "half"],
)
@pytest.mark.parametrize("place", ["/v2/orders", "/v2/positions"])
def test_an_answer_that_says_nothing_is_asked_for_again(trouble: Answer | bytes, place: str):
    """Above all: what is no list is not taken for an empty book."""
    books, left = Books([order("1")], [position()]), [3]

    def disturb(_: str, at: str) -> Answer | bytes | None:
        if at == place and left[0]:
            left[0] -= 1
            return trouble
        return None

    books.before = disturb
    assert pressed(books, closes=True).stopped.is_verified
    assert left == [0]
    assert books.orders == books.positions == []


def test_who_is_refused_says_so_at_once():
    books = Books([order("1")])
    books.before = lambda *_: (401, {"message": "request is not authorized"})
    with pytest.raises(NotStopped, match="401 request is not authorized") as caught:
        pressed(books)
    assert caught.value.is_refusal
    assert len(books.asked) == 1


def test_a_broker_that_never_answers_ends_at_the_deadline():
    books = Books([order("1")])
    books.before = lambda *_: (500, {})
    with pytest.raises(NotStopped, match="no answer until the deadline") as caught:
        pressed(books, deadline_s=0.3)
    assert not caught.value.is_refusal


def test_an_order_that_will_not_go_is_named_at_the_deadline():
    books = Books([order("1", symbol="ZZZ")])
    books.before = lambda method, _: (207, []) if method == "DELETE" else None
    with pytest.raises(NotStopped, match="still open at the deadline: 1, first buy ZZZ"):
        pressed(books, deadline_s=0.3)


def test_a_closed_market_is_told_with_the_time_of_the_open(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kill_switch, "CLOSED_AFTER_S", 0.0)
    books = Books([order("1", "sell")], [position()])
    books.is_open = False
    stopped = pressed(books, closes=True).stopped
    assert not stopped.is_verified
    assert stopped.opens_at == "2025-10-23T09:30:00-04:00"
    assert stopped.left.positions == ("10 A (being closed)",)
    assert books.asked.count("DELETE /v2/positions") == 1


def test_nobody_is_there():
    with pytest.raises(NotStopped, match="refused"):
        KillSwitch(
            Access(base_url="http://127.0.0.1:9", data_url="", key_id="K", secret="S"),
            deadline_s=0.2,
        ).press(closes=False)


def test_a_stop_that_a_living_bot_put_back_stays_while_shares_are_held():
    stop = order("new", "sell", type="stop")
    kept = left_over([stop], [position()], known={"old"}, closes=False)
    assert kept.is_nothing
    assert kept.kept == ("sell A stop new",)
    assert not left_over([stop], [], known=(), closes=False).is_nothing  # it would sell short
    assert not left_over([stop], [position()], known={"new"}, closes=False).is_nothing
    assert not left_over([stop], [position()], known=(), closes=True).is_nothing


def test_a_short_position_is_closed_by_a_purchase():
    purchase = order("c", "buy", type="market")
    left = left_over([purchase], [position(qty="-10")], known=(), closes=True)
    assert left.kept
    assert not left.orders
    assert left.is_waiting


@given(
    orders=st.lists(
        st.builds(
            order,
            st.sampled_from("1234"),
            st.sampled_from(["buy", "sell"]),
            st.sampled_from("AB"),
            type=st.sampled_from(["market", "limit", "stop"]),
            status=st.sampled_from(["new", "pending_cancel"]),
        )
    ),
    held=st.sets(st.sampled_from("AB")),
    known=st.sets(st.sampled_from("1234")),
    closes=st.booleans(),
)
def test_no_order_that_could_buy_and_none_asked_to_go_is_ever_left(
    orders: list[Row], held: set[str], known: set[str], closes: bool
):
    left = left_over(orders, [position(each) for each in sorted(held)], known=known, closes=closes)
    must_go = [o for o in orders if o["side"] == "buy" or o["id"] in known]
    must_go += [o for o in orders if o["symbol"] not in held and o not in must_go]
    assert len(left.orders) >= len(must_go)
    assert len(left.orders) + len(left.kept) == len(orders)
    assert left.is_nothing <= (not must_go and not (closes and held))


@pytest.mark.parametrize(
    ("status", "resets_in_s", "least_s", "most_s"),
    [(429, 20, 18, 21), (429, 9_999, 60, 65), (429, -5, 0, 0.2), (503, 20, 0, 0.2)],
)
def test_a_used_up_minute_is_waited_for_and_nothing_else(
    status: int, resets_in_s: int, least_s: float, most_s: float
):
    books, waits = Books([order("1")]), []
    books.resets_at = str(int(time.time()) + resets_in_s)
    books.before = lambda *_: (status, {}) if len(books.asked) == 1 else None
    with broker(books) as access, KillSwitch(access, sleep=waits.append, deadline_s=90) as switch:
        assert switch.press(closes=False).is_verified
    assert least_s <= waits[0] <= most_s
