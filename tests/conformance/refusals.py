"""Requests that must be refused, with the status, code and message Alpaca refuses them with.

Each is asked of a fresh account that holds ten shares of WAVE, in the regular session, unless
`given` says more. Prices: WAVE 100 (its quote around it), FLAT 50, DIME 0.50.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

UNKNOWN = "00000000-0000-4000-8000-000000000000"
FIELD, RULE, FORBIDDEN, MISSING = (422, 40010001), (422, 42210000), (403, 40310000), (404, 40410000)
MALFORMED = (400, 40010000)
INCREMENT = "sub-penny increment does not fulfill minimum pricing criteria"
BAD_TIME = (
    "after is invalid format. please format timestamp with YYYY-MM-DD or ISO8601 like: "
    "'2006-01-02T15:04:05Z'"
)
HISTORY = "GET /v2/account/portfolio/history"
ANNOUNCED = "GET /v2/corporate_actions/announcements"
LONG = "start=2025-09-25&end=2025-10-22&timeframe=1Min&intraday_reporting=continuous"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A request and the answer it must get.

    `{n}` stands for the id of the n-th order of `given`. `context` names the further fields of
    the answer, with the values that are known.
    """

    ask: str
    answer: tuple[int, int | None]
    message: str
    body: Any = None
    given: tuple[Mapping[str, Any], ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def name(self) -> str:
        """The name of its test."""
        return f"{self.ask.split('?')[0]}: {self.message}{self.note}"


def market(side: str = "buy", quantity: Any = 1, **more: Any) -> dict[str, Any]:
    fields = {"symbol": "WAVE", "side": side, "type": "market", "time_in_force": "day"}
    return {**fields, "qty": quantity, **more}


def limit(side: str = "buy", price: Any = 90, quantity: Any = 1, **more: Any) -> dict[str, Any]:
    return market(side, quantity, **{"type": "limit", "limit_price": price, **more})


def stop(side: str = "sell", price: Any = 90, quantity: Any = 1, **more: Any) -> dict[str, Any]:
    return market(side, quantity, **{"type": "stop", "stop_price": price, **more})


def trailing(side: str = "sell", **more: Any) -> dict[str, Any]:
    return market(side, type="trailing_stop", **more)


def group(kind: str, *, target: Any = None, loss: Any = None, **more: Any) -> dict[str, Any]:
    exits: dict[str, Any] = {}
    if target is not None:
        exits["take_profit"] = {"limit_price": target}
    if loss is not None:
        exits["stop_loss"] = {"stop_price": loss}
    fields = market("sell", type="limit") if kind == "oco" else market()
    return {**fields, "order_class": kind, **exits, **more}


def placed(
    body: Any, answer: tuple[int, int | None], message: str, *given: Any, **context: Any
) -> Refusal:
    """An order that is refused."""
    return Refusal(
        ask="POST /v2/orders",
        body=body,
        answer=answer,
        message=message,
        given=given,
        context=context,
    )


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def fields_of_orders() -> Iterator[Refusal]:
    """What is wrong with an order in itself."""
    for body, message in (
        (without(market(), "symbol"), "symbol is required"),
        (without(market(), "side"), "invalid side"),
        (without(market(), "type"), "invalid order type"),
        (without(market(), "time_in_force"), "invalid time_in_force"),
        (market(time_in_force="whenever"), "invalid time_in_force"),
        (market(order_class="pair"), "invalid order_class"),
        (market(position_intent="buy"), "invalid position_intent"),
        (without(market(), "qty"), "qty or notional is required"),
        (market(notional=5), "only one of qty or notional is accepted"),
        (market(quantity=0), "qty must be > 0"),
        (market(quantity=None, notional=-1), "notional must be > 0"),
        (market(quantity="0.1234567891"), "qty must be limited to 9 decimal places"),
        (limit(price=0), "limit price must be > 0"),
        (stop(price="-1"), "stop price must be > 0"),
        (market(limit_price=90), "market orders require no stop or limit price"),
        (without(limit(), "limit_price"), "limit orders require a limit price"),
        (without(stop(), "stop_price"), "stop orders require a stop price"),
        (stop(type="stop_limit"), "stop limit orders require both stop and limit price"),
        (limit(stop_price=80), "limit orders must not have stop_price"),
        (stop(limit_price=80), "stop orders must not have limit_price"),
        (trailing(), "trailing stop orders must specify one of trail_price or trail_percent"),
        (trailing(trail_price=0), "trail_price must be > 0"),
        (trailing(trail_percent="0.05"), "trail_percent must be greater than or equal to 0.1"),
        (trailing(trail_percent=100), "trail_percent must be less than 100"),
        (limit(trail_price=1), "limit orders must not have trail_price or trail_percent"),
        (market(client_order_id="x" * 129), "client_order_id must be no more than 128 characters"),
        (
            market(take_profit={"limit_price": 120}),
            "simple orders must not have take_profit or stop_loss",
        ),
        (group("oto"), "oto orders require either take_profit or stop_loss"),
        (group("bracket", target=0, loss=90), "take_profit.limit_price must be > 0"),
    ):
        yield placed(body, FIELD, message)
    for body in (market(quantity="many"), market(quantity=True), market(take_profit=[]), []):
        yield placed(body, MALFORMED, "request body format is invalid")


def combinations() -> Iterator[Refusal]:
    """What does not go together."""
    for body, message in (
        (limit(price="90.123"), f"invalid limit_price 90.123. {INCREMENT}"),
        (stop(price="90.001"), f"invalid stop_price 90.001. {INCREMENT}"),
        (limit(price="0.45001", symbol="DIME"), f"invalid limit_price 0.45001. {INCREMENT}"),
        (group("bracket", loss=90), "bracket orders require take_profit.limit_price"),
        (group("bracket", target=120), "bracket orders require stop_loss.stop_price"),
        (group("oco", target=120), "oco orders require stop_loss.stop_price"),
        (group("oco", target=120, loss=90, type="market"), "oco orders must be limit orders"),
        (
            group("bracket", target=120, loss=90, time_in_force="ioc"),
            "bracket orders must be DAY or GTC orders",
        ),
        (
            group("bracket", target=120, loss=90, extended_hours=True),
            "bracket orders are not eligible for extended hours trading",
        ),
        (stop(time_in_force="fok"), "stop orders must be DAY or GTC orders"),
        (
            stop(extended_hours=True),
            "stop orders are not eligible for extended hours trading",
        ),
        (
            market(extended_hours=True),
            "extended hours order must be DAY or GTC limit orders",
        ),
        (market(quantity="1.5", time_in_force="gtc"), "fractional orders must be DAY orders"),
        (
            group("bracket", target=120, loss=90, qty="1.5"),
            "fractional orders must be simple orders",
        ),
        (
            trailing(qty="0.5", trail_price=1),
            "fractional orders must be market, limit, stop or stop limit orders",
        ),
        (limit(quantity=None, notional=500), "notional orders must be market orders"),
        (
            group("bracket", target=80, loss=90),
            "take_profit.limit_price must be > stop_loss.stop_price",
        ),
        (
            trailing("buy", trail_price=1, order_class="oto", stop_loss={"stop_price": 90}),
            "trailing stop orders must be simple orders",
        ),
        (market(symbol="NOPE"), 'asset "NOPE" not found'),
        (market("sell", quantity="0.5", symbol="FLAT"), "fractional orders cannot be sold short"),
        (
            market(position_intent="sell_to_close"),
            "position intent mismatch, inferred: buy_to_open, specified: sell_to_close",
        ),
    ):
        yield placed(body, RULE, message)
    yield placed(group("mleg"), FORBIDDEN, "account not eligible to trade options")


def against_the_market() -> Iterator[Refusal]:
    """Prices on the wrong side of the market."""
    for side, price, word in (("sell", 101, "less"), ("buy", 99, "greater")):
        yield placed(
            stop(side, price),
            RULE,
            f"stop price must be {word} than current price",
            market_price="100",
            stop_price=str(price),
        )
    for body, message in (
        (
            group("bracket", target=100, loss=90),
            "take_profit.limit_price must be >= base_price + 0.01",
        ),
        (
            group("bracket", target=120, loss=100),
            "stop_loss.stop_price must be <= base_price - 0.01",
        ),
        (
            group("bracket", side="sell", symbol="FLAT", target=40, loss=50),
            "stop_loss.stop_price must be >= base_price + 0.01",
        ),
        (
            group("bracket", side="sell", symbol="FLAT", target=50, loss=60),
            "take_profit.limit_price must be <= base_price - 0.01",
        ),
    ):
        base = "50" if body["symbol"] == "FLAT" else "100"
        yield placed(body, RULE, message, base_price=base)


def means() -> Iterator[Refusal]:
    """What the account cannot pay for, does not hold, or may not do."""
    yield placed(
        limit(price=100, quantity=100_000),
        FORBIDDEN,
        "insufficient buying power",
        buying_power=None,
        cost_basis="10000000",
    )
    yield placed(
        market("sell", 11),
        FORBIDDEN,
        "insufficient qty available for order (requested: 11, available: 10)",
        available="10",
        existing_qty="10",
        held_for_orders="0",
        symbol="WAVE",
    )
    yield placed(
        limit("sell", 130, 5),
        FORBIDDEN,
        "insufficient qty available for order (requested: 5, available: 3)",
        limit("sell", 120, 7),
        available="3",
        existing_qty="10",
        held_for_orders="7",
        related_orders=["{0}"],
        symbol="WAVE",
    )
    yield placed(
        market(quantity=None, notional="0.5"),
        FORBIDDEN,
        "cost basis must be >= minimal amount of order 1",
        cost_basis="0.5",
    )
    for body, resting, reason in (
        (market(), limit("sell", 120), "opposite side limit order exists"),
        (limit("buy", 121), limit("sell", 120), "opposite side limit order exists"),
        (market(), stop("sell", 80), "opposite side market/stop order exists"),
    ):
        is_hard = body["type"] == "market"
        yield placed(
            body,
            FORBIDDEN,
            "potential wash trade detected. use complex orders",
            resting,
            existing_order_id="{0}",
            reject_reason="opposite side market/stop order exists" if is_hard else reason,
        )
    yield placed(
        limit("sell", 60, symbol="FLAT"),
        FORBIDDEN,
        "cannot have a short sell order open at the same time as a long buy",
        limit("buy", 40, symbol="FLAT"),
    )
    yield placed(
        market(client_order_id="taken"),
        FIELD,
        "client_order_id must be unique",
        limit(client_order_id="taken"),
    )
    yield placed(
        market(quantity=None, notional=100),
        RULE,
        "unable to open new notional orders while having open closing position orders",
        trailing(trail_price=5),
    )
    yield placed(
        group("oco", target=60, loss=40, symbol="FLAT"), FIELD, "oco orders must be exit orders"
    )
    yield placed(
        group("bracket", side="sell", target=80, loss=120),
        FIELD,
        "bracket orders must be entry orders",
    )


def changes() -> Iterator[Refusal]:
    """Orders that cannot be cancelled or replaced, or not like this."""
    resting, ended = limit(), market()
    order = "/v2/orders/{0}"
    rows: tuple[tuple[str, Any, tuple[int, int | None], str, Any], ...] = (
        ("DELETE", None, RULE, 'order is already in "filled" state', ended),
        (
            "PATCH",
            {"limit_price": 80},
            RULE,
            "unable to replace order, order is not open",
            limit(price=120),
        ),
        ("PATCH", {"stop_price": 80}, FIELD, "limit orders must not have stop_price", resting),
        ("PATCH", {"limit_price": 80}, FIELD, "stop orders must not have limit_price", stop()),
        ("PATCH", {"trail": 1}, FIELD, "limit orders must not have trail", resting),
        ("PATCH", {"qty": 0}, FIELD, "qty must be > 0", resting),
        (
            "PATCH",
            {"qty": "1.5"},
            RULE,
            "qty must be a whole number when replacing an order",
            resting,
        ),
        ("PATCH", {"limit_price": -1}, FIELD, "limit price must be > 0", resting),
        (
            "PATCH",
            {"limit_price": "89.999"},
            RULE,
            f"invalid limit_price 89.999. {INCREMENT}",
            resting,
        ),
        ("PATCH", {"notional": 5}, RULE, "notional can only be changed for ipo orders", resting),
        ("PATCH", {"time_in_force": "never"}, FIELD, "invalid time_in_force", resting),
        (
            "PATCH",
            {"qty": 2},
            RULE,
            "qty of notional and fractional orders cannot be replaced",
            limit(quantity="0.5"),
        ),
        (
            "PATCH",
            {"qty": 2},
            RULE,
            "qty of oco orders cannot be replaced",
            group("oco", target=120, loss=90),
        ),
        (
            "PATCH",
            {"limit_price": 89},
            RULE,
            "replace is not supported yet for oto orders",
            group("oto", loss=80, type="limit", limit_price=90),
        ),
        (
            "PATCH",
            {"limit_price": 80},
            RULE,
            "take_profit.limit_price must be > stop_loss.stop_price",
            group("oco", target=120, loss=90),
        ),
        (
            "PATCH",
            {"client_order_id": "same"},
            FIELD,
            "client_order_id must be unique",
            limit(client_order_id="same"),
        ),
        ("PATCH", [], MALFORMED, "request body format is invalid", resting),
    )
    for method, body, answer, message, given in rows:
        yield Refusal(
            ask=f"{method} {order}", body=body, answer=answer, message=message, given=(given,)
        )
    for method in ("GET", "PATCH", "DELETE"):
        body = {"qty": 1} if method == "PATCH" else None
        yield Refusal(
            ask=f"{method} /v2/orders/{UNKNOWN}",
            body=body,
            answer=MISSING,
            message=f"order not found for {UNKNOWN}",
        )
    yield Refusal(ask="GET /v2/orders/7", answer=FIELD, message="order_id is missing")


def other_requests() -> Iterator[Refusal]:
    """Everything that is no order."""
    rows: tuple[tuple[str, Any, tuple[int, int | None], str], ...] = (
        (
            "GET /v2/orders?status=lost",
            None,
            FIELD,
            'status can only be "open" or "closed" or "all"',
        ),
        ("GET /v2/orders?side=left", None, FIELD, "invalid side"),
        ("GET /v2/orders?limit=ten", None, FIELD, "limit is invalid format"),
        ("GET /v2/orders?limit=501", None, FIELD, "limit must be between 1 and 500"),
        ("GET /v2/orders?after=soon", None, FIELD, BAD_TIME),
        (
            f"GET /v2/orders?before_order_id={UNKNOWN}&after_order_id={UNKNOWN}",
            None,
            FIELD,
            "only one of before_order_id or after_order_id is accepted",
        ),
        ("GET /v2/orders:by_client_order_id", None, FIELD, "client_order_id is missing"),
        (
            "GET /v2/orders:by_client_order_id?client_order_id=x",
            None,
            MISSING,
            "order not found for x",
        ),
        ("GET /v2/positions/FLAT", None, MISSING, "position does not exist"),
        ("GET /v2/positions/NOPE", None, MISSING, "symbol not found: NOPE"),
        ("DELETE /v2/positions/FLAT", None, MISSING, "position does not exist"),
        ("DELETE /v2/positions/NOPE", None, MISSING, "symbol not found: NOPE"),
        (
            "DELETE /v2/positions/WAVE?qty=1&percentage=5",
            None,
            FIELD,
            "only one of qty or percentage is accepted",
        ),
        (
            "DELETE /v2/positions/WAVE?percentage=101",
            None,
            FIELD,
            "percentage must be between 0 and 100",
        ),
        ("GET /v2/assets/NOPE", None, MISSING, "asset not found for NOPE"),
        (
            "GET /v2/account/activities?category=a&activity_types=FILL",
            None,
            FIELD,
            "only one of activity_types or category is accepted",
        ),
        (
            "GET /v2/account/activities?page_size=101",
            None,
            FIELD,
            "page_size must be between 1 and 100",
        ),
        ("GET /v2/account/activities/FOO", None, FIELD, "invalid activity_type: FOO"),
        ("GET /v2/account/activities?category=a", None, FIELD, "invalid category"),
        ("GET /v2/account/activities?page_token=a", None, FIELD, "page_token is invalid"),
        (
            f"{HISTORY}?period=1D&start=2025-10-01&end=2025-10-02",
            None,
            FIELD,
            "only two of start, end and period can be specified",
        ),
        (f"{HISTORY}?start=2025-10-02&end=2025-10-01", None, FIELD, "start must be before end"),
        (f"{HISTORY}?period=1D&timeframe=2Min", None, FIELD, "invalid timeframe"),
        (f"{HISTORY}?period=1Y", None, FIELD, "invalid period"),
        (
            f"{HISTORY}?period=1A&timeframe=1H",
            None,
            FIELD,
            "only 1D timeframe is accepted for periods longer than 30 days",
        ),
        (f"{HISTORY}?{LONG}", None, FIELD, "too many data points; use a longer timeframe"),
        (
            "PATCH /v2/account/configurations",
            {"no_shorting": 1},
            FIELD,
            "no_shorting must be a boolean",
        ),
        (
            "PATCH /v2/account/configurations",
            {"max_margin_multiplier": "3"},
            FIELD,
            "invalid max_margin_multiplier",
        ),
        (
            f"{ANNOUNCED}?ca_types=gift&since=2025-10-01&until=2025-10-02",
            None,
            FIELD,
            "ca_types is invalid",
        ),
        (f"{ANNOUNCED}?ca_types=split", None, FIELD, "since and until are required"),
        (
            f"{ANNOUNCED}?ca_types=split&since=2024-10-01&until=2025-10-02",
            None,
            FIELD,
            "the date range is limited to 90 days",
        ),
        (f"{ANNOUNCED}/{UNKNOWN}", None, MISSING, f"announcement not found for {UNKNOWN}"),
        ("POST /v2/watchlists", {}, FIELD, "watchlist name is required"),
        (
            "POST /v2/watchlists",
            {"name": "n" * 65},
            FIELD,
            "watchlist name must be no more than 64 characters",
        ),
        (
            "POST /v2/watchlists",
            {"name": "w", "symbols": ["NOPE"]},
            MISSING,
            "asset not found for NOPE",
        ),
        ("GET /v2/watchlists/7", None, FIELD, "watchlist_id is invalid"),
        (f"GET /v2/watchlists/{UNKNOWN}", None, MISSING, "watchlist not found"),
        ("GET /v2/watchlists:by_name?name=none", None, MISSING, "watchlist not found"),
    )
    for ask, body, answer, message in rows:
        yield Refusal(ask=ask, body=body, answer=answer, message=message)


def data_requests() -> Iterator[Refusal]:
    """Questions about the market."""
    bars, latest = "GET /v2/stocks/bars", "GET /v2/stocks/quotes/latest"
    wave, day = "symbols=WAVE&timeframe=1Min", "start=2025-10-21"
    for ask, message in (
        (f"{bars}?timeframe=1Min", "symbols is required"),
        (f"{bars}?symbols=W%20E&timeframe=1Min", "invalid symbol: W E"),
        (f"{bars}?symbols=WAVE", "timeframe is required"),
        (f"{bars}?symbols=WAVE&timeframe=soon", "invalid timeframe: soon"),
        (
            f"{bars}?symbols=WAVE&timeframe=60Min",
            "timeframe period number is larger than the allowed maximum of 59",
        ),
        (f"{bars}?{wave}&limit=10001", "invalid limit: limit must be between 1 and 10000"),
        (f"{bars}?{wave}&limit=many", "invalid limit: many"),
        (f"{bars}?{wave}&start=soon", "invalid start: soon"),
        (f"{bars}?{wave}&{day}&end=2025-10-20", "end should not be before start"),
        (f"{bars}?{wave}&adjustment=round", "invalid adjustment: round"),
        (f"{bars}?{wave}&currency=EUR", "invalid currency: EUR"),
        (f"{bars}?{wave}&page_token=x", "invalid page_token: x"),
        (f"{bars}?{wave}&sort=up", "invalid sort: up"),
        (f"{bars}?{wave}&feed=any", "invalid feed: any"),
        (f"{bars}?{wave}&colour=red", "unexpected query parameter(s): colour"),
        (f"{latest}?feed=iex", "symbols is required"),
        ("GET /v2/stocks/meta/conditions/bar?tape=A", "invalid ticktype: bar"),
        ("GET /v2/stocks/meta/conditions/trade", "tape is required"),
        ("GET /v1beta1/screener/bonds/movers", "invalid market type: bonds"),
        (
            "GET /v1beta1/screener/stocks/movers?top=51",
            "invalid top: top must be between 1 and 50",
        ),
        ("GET /v1beta1/news?limit=51", "invalid limit: limit must be between 1 and 50"),
        ("GET /v1beta1/news?include_content=perhaps", "invalid include_content: perhaps"),
        ("GET /v1/corporate-actions?types=gifts", "invalid types: gifts"),
    ):
        yield Refusal(ask=ask, answer=(400, None), message=message)
    for ask, message in (
        (f"{latest}?symbols=WAVE&feed=sip", "recent SIP data"),
        (f"{bars}?{wave}&feed=sip&{day}&end=2025-10-22T13:55:00Z", "recent SIP data"),
        (f"{bars}?{wave}&feed=otc", "OTC data"),
    ):
        told = f"subscription does not permit querying {message}"
        yield Refusal(ask=ask, answer=(403, 42210000), message=told)
    for path, message in (
        ("trades/latest", "no trade found for NOPE"),
        ("snapshot", "no snapshot found for NOPE"),
    ):
        ask = f"GET /v2/stocks/NOPE/{path}"
        yield Refusal(ask=ask, answer=(404, None), message=message)


def all_refusals() -> list[Refusal]:
    """Return every case."""
    return [
        *fields_of_orders(),
        *combinations(),
        *against_the_market(),
        *means(),
        *changes(),
        *other_requests(),
        *data_requests(),
    ]
