"""Ten scripted trades, from a headline over HTTP to the books of the exchange, to the cent.

The exchange and the bot are the real commands, each a process of its own. Whatever the bot's
journal says of orders, fills, profit and cash is held against what the exchange's REST API says.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.e2e.story import Story, Wire, prices, staged, steps

MARKET = prices(0, steps())
GRACE = timedelta(seconds=2)
SELL_ALL = "/v2/positions?cancel_orders=true"
TRADE = ("trade", "buy", "MANU", "--usd", "1000")


def everything(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Orders and their legs; a leg of a replaced entry is shown with each of its successors."""
    found = [each for order in orders for each in (order, *(order["legs"] or []))]
    return list({order["id"]: order for order in found}.values())


def check_books(story: Story) -> None:
    """The bot's books are the exchange's: orders, fills, positions, profit, cash, equity."""
    told, account = story.asked("status"), story.rest("GET", "/v2/account")
    orders = everything(story.rest("GET", "/v2/orders?status=all&limit=500&nested=true"))
    fills = [fact.fill for fact in (*story.said("OrderFilled"), *story.said("ForeignFilled"))]
    executions = story.executions()

    assert sorted((f.symbol, str(f.side), f.quantity, f.price) for f in fills) == sorted(
        (x["symbol"], x["side"], Decimal(x["qty"]), Decimal(x["price"])) for x in executions
    )
    ids = [order["client_order_id"] for order in orders]
    assert len(ids) == len(set(ids))
    asked = [command.order.client_order_id for command in story.said("SubmitOrder")]
    assert len(asked) == len(set(asked))
    refused = {fact.client_order_id for fact in story.said("OrderRejected")}
    assert set(asked) - refused <= set(ids)
    assert refused.isdisjoint(ids)

    positions = {p["symbol"]: p for p in story.rest("GET", "/v2/positions")}
    held = {p["symbol"]: p for p in told["positions"]}
    assert set(positions) == set(held)
    for symbol, position in positions.items():
        assert Decimal(position["qty"]) == Decimal(held[symbol]["quantity"])
        check_protected(story, symbol)

    assert cents(told["account"]["cash_usd"]) == cents(account["cash"])
    assert cents(told["account"]["equity_usd"]) == cents(account["equity"])
    portfolio = story.asked("portfolio")
    assert cents(portfolio["cash_usd"]) == cents(account["cash"])
    gain = cents(account["equity"]) - Decimal(100_000)
    assert cents(told["account"]["realised_usd"]) + cents(told["account"]["unrealised_usd"]) == gain
    closed = [trade for trade in story.asked("trades") if trade["exit_at"]]
    for trade in closed:
        of_it = [x for x in executions if x["symbol"] == trade["symbol"]]
        flow = sum(money(x) for x in of_it)
        assert cents(trade["pnl_usd"]) == cents(flow), trade
    assert story.said("MismatchFound") == []
    assert told["status"]["trading_state"] == "active"


def money(execution: dict[str, Any]) -> Decimal:
    """What an execution brought, below zero what it cost."""
    value = Decimal(execution["qty"]) * Decimal(execution["price"])
    return value if execution["side"] == "sell" else -value


def cents(value: Any) -> Decimal:
    return Decimal(value).quantize(Decimal("0.01"))


def check_protected(story: Story, symbol: str) -> None:
    """A position that is held has a stop of its size at the exchange, and the bot knows it."""
    open_ = ("new", "held", "accepted")
    legs = [o for o in everything(story.orders(symbol)) if o["status"] in open_]
    (stop,) = [o for o in legs if o["type"] == "stop"]
    position = story.rest("GET", f"/v2/positions/{symbol}")
    assert (stop["side"], stop["qty"]) == ("sell", position["qty"])


def check_never_naked(story: Story, *symbols: str, by: str = "broker_stop") -> None:
    """Every position had a stop or a watcher within two seconds of any time without one."""
    changes = story.records("ProtectionChanged")
    opened = {record.body.position.symbol for record in story.records("PositionOpened")}
    assert opened == set(symbols)
    for symbol in symbols:
        known = [(c.at, str(c.body.protected_by)) for c in changes if c.body.symbol == symbol]
        assert by in [kind for _, kind in known], (symbol, known)
        for (at, kind), (until, _) in pairwise([*known, (None, "end")]):
            naked = kind == "none"
            assert not naked or (until is not None and until - at <= GRACE), (symbol, known)


def trades_of(story: Story) -> dict[str, dict[str, Any]]:
    told = story.asked("trades")
    assert len({trade["symbol"] for trade in told}) == len(told)
    return {trade["symbol"]: trade for trade in told}


def test_orders_at_the_market_their_brackets_and_what_people_do(tmp_path: Path):
    """Market, bracket stopped, bracket taken, halted, refused, by hand, and `trade buy`."""
    bars = {
        "MKT": MARKET,
        "HAND": prices(6, steps()),
        "STAY": prices(1, steps()),
        "STOP": prices(2, steps(("14:45", -6.0))),
        "TAKE": prices(3, steps(("14:45", 3.0), ("14:50", 8.0))),
        "BANN": prices(5, steps()),
        "MANU": prices(7, steps()),
        "HALT": prices(4, steps()),
    }
    stories = {"STAY": "14:10", "STOP": "14:15", "TAKE": "14:20", "BANN": "14:26", "HALT": "15:07"}
    wire = Wire(stories={"HAND": "13:46"})
    answers: list[Any] = []
    with staged(
        tmp_path,
        bars=bars,
        stories=stories,
        wire=wire,
        knobs="partial_probability = 0\n",
        flags=("--start", "2025-10-22T13:00:00Z"),
        settings={
            "CATALYST_EXECUTION__HALTED_SYMBOLS": "queue",
            # A resume is heard by stream only: the exchange may be moved on a minute before it is.
            "CATALYST_EXECUTION__VALID_FOR_S": "600",
        },
    ) as story:
        halt = {"symbol": "HALT", "ends_at": "2025-10-22T15:16:00Z"}
        banned = {"symbol": "BANN", "tradable": False}
        wire.script = [
            ("14:02", lambda: answers.append(story.rest("DELETE", SELL_ALL))),
            ("14:20", lambda: answers.append(story.venue.admin("POST", "/admin/assets", banned))),
            ("15:00", lambda: answers.append(story.command(*TRADE, "--wait", "3"))),
            ("15:05", lambda: answers.append(story.venue.admin("POST", "/admin/halt", halt))),
        ]
        story.play()
        by_hand, _, manual, _ = answers
        trades = trades_of(story)
        assert set(trades) == {"HAND", "STAY", "STOP", "TAKE", "MANU", "HALT"}
        check_books(story)
        check_never_naked(story, *trades)

        # by hand: somebody sold it at the exchange, and the bot took that into its books
        assert [(row["symbol"], row["status"]) for row in by_hand] == [("HAND", 200)]
        (foreign,) = story.said("ForeignFilled")
        assert foreign.fill.client_order_id == by_hand[0]["body"]["client_order_id"]
        assert trades["HAND"]["exit_reason"] == "operator"
        assert Decimal(trades["HAND"]["exit_price"]) == foreign.fill.price

        # at the market, held to the end
        (entry,) = story.orders("STAY")
        assert (entry["type"], entry["order_class"]) == ("market", "bracket")
        assert (entry["status"], trades["STAY"]["exit_at"]) == ("filled", None)

        # brackets: one leg filled, the other cancelled
        check_bracket(story, trades["STOP"], filled="stop", reason="stop_loss")
        check_bracket(story, trades["TAKE"], filled="limit", reason="take_profit")

        # refused by the broker: no order there, one rejection here, no second try
        assert story.orders("BANN") == []
        mine = [c.order for c in story.said("SubmitOrder") if c.order.symbol == "BANN"]
        assert len(mine) == 1
        reasons = {x.client_order_id: x.reason for x in story.said("OrderRejected")}
        assert reasons[mine[0].client_order_id] == "asset BANN is not tradable"

        # by `trade buy`, through the same gate
        assert manual.returncode == 0, manual.stderr
        (bought,) = story.orders("MANU")
        assert bought["client_order_id"] in manual.stdout
        assert (bought["order_class"], bought["filled_qty"]) == ("bracket", "9")
        assert trades["MANU"]["strategy_id"] == "manual"

        # halted: decided in the halt, at the exchange only after it
        (waited,) = story.orders("HALT")
        (approved,) = [x for x in story.said("OrderApproved") if x.order.symbol == "HALT"]
        assert approved.order.client_order_id == waited["client_order_id"]
        assert trades["HALT"]["decided_at"] == "2025-10-22T15:08:00Z"
        assert "2025-10-22T15:16:00Z" <= waited["submitted_at"] < "2025-10-22T15:23:00Z"
        assert waited["status"] == "filled"


def check_bracket(story: Story, trade: dict[str, Any], *, filled: str, reason: str) -> None:
    (entry,) = story.orders(trade["symbol"])
    ends = {leg["type"]: leg["status"] for leg in entry["legs"]}
    assert ends == {"stop": "canceled", "limit": "canceled"} | {filled: "filled"}
    (exit_,) = [leg for leg in entry["legs"] if leg["status"] == "filled"]
    assert (trade["exit_reason"], trade["exit_price"]) == (reason, exit_["filled_avg_price"])
    assert trade["quantity"] == entry["filled_qty"] == exit_["filled_qty"]


def test_limit_orders_filled_in_part_and_not_at_all(tmp_path: Path):
    """The exchange fills as a replay does, so a bar's volume decides how much of an order."""
    bars = {
        "MKT": MARKET,
        "LIMI": prices(1, steps()),
        "PART": prices(2, steps(), volume=60.0),  # a tenth of a bar is 6 shares
        "LATE": prices(3, steps(("14:25", 2.0))),  # runs away, further than a limit follows
    }
    with staged(
        tmp_path,
        bars=bars,
        stories={"LIMI": "14:01", "PART": "14:11", "LATE": "14:21"},
        wire=Wire(),
        knobs="",
        flags=("--start", "2025-10-22T13:00:00Z", "--profile", "ours"),
        settings={"CATALYST_EXECUTION__ENTRY_KIND": "limit"},
    ) as story:
        story.play()
        trades = trades_of(story)
        assert set(trades) == {"LIMI", "PART"}
        check_books(story)
        check_never_naked(story, "LIMI", "PART")

        (entry,) = story.orders("LIMI")
        assert (entry["type"], entry["status"]) == ("limit", "filled")
        assert Decimal(entry["filled_avg_price"]) <= Decimal(entry["limit_price"])

        # in part: three bars of six shares within the time, the rest cancelled, 18 protected
        parts = story.orders("PART")
        assert [order["filled_qty"] for order in parts] == ["6", "6", "6"]
        assert [order["status"] for order in parts] == ["replaced", "replaced", "canceled"]
        assert (trades["PART"]["quantity"], trades["PART"]["ordered_quantity"]) == ("18", "36")

        # not at all: followed as far as allowed, cancelled after 15 minutes, nothing left there
        late = everything(story.orders("LATE"))
        assert {order["filled_qty"] for order in late} == {"0"}
        assert {order["status"] for order in late} == {"replaced", "canceled"}
        last = max(order["canceled_at"] for order in late if order["canceled_at"])
        assert "2025-10-22T14:37:00Z" <= last < "2025-10-22T14:41:00Z"


def test_before_the_open_the_bot_buys_watches_and_sells(tmp_path: Path):
    """Outside the session only limits trade and no stop works: the bot is its own stop."""
    with staged(
        tmp_path,
        bars={
            "MKT": prices(0, steps(), before=12),
            "EARL": prices(1, steps(("13:10", -3.0)), before=12),
        },
        stories={"EARL": "12:51"},
        wire=Wire(),
        knobs='partial_probability = 0\ncancel_closed_market = "pending"\n',
        flags=("--start", "2025-10-22T12:40:00Z"),
        settings={"CATALYST_EXECUTION__EXTENDED_HOURS": "true"},
    ) as story:
        story.play()
        (trade,) = trades_of(story).values()
        check_books(story)
        check_never_naked(story, "EARL", by="watcher")

        bought, *_, sold = story.orders("EARL")
        for order, side in ((bought, "buy"), (sold, "sell")):
            assert (order["side"], order["type"], order["status"]) == (side, "limit", "filled")
            assert order["extended_hours"]
            assert order["filled_at"] < "2025-10-22T13:30:00Z"
        assert trade["exit_reason"] == "stop_loss"
        assert sold["filled_at"] >= "2025-10-22T13:10:00Z"
        assert trade["exit_price"] == sold["filled_avg_price"]
        left = [order for order in everything(story.orders("EARL")) if not order["filled_at"]]
        assert {order["status"] for order in left} <= {"canceled"}
