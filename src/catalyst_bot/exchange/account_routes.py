"""Routes of the trading API about the account, the market's calendar and the assets."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from catalyst_bot.exchange.activities import list_activities, read_filter
from catalyst_bot.exchange.assets import Asset, asset_body
from catalyst_bot.exchange.clock import ClockKind
from catalyst_bot.exchange.desk_of import account_of, exchange_of
from catalyst_bot.exchange.errors import invalid_field, not_found
from catalyst_bot.exchange.portfolio_history import history_body, read_request
from catalyst_bot.exchange.records import changed, configuration_body
from catalyst_bot.exchange.replies import Query, json_body, json_reply
from catalyst_bot.exchange.serialise import account_body
from catalyst_bot.exchange.ticks import ActionKind, CorporateAction

_ACTION_TYPES: Final = ("dividend", "merger", "spinoff", "split", "reorg")
_MOST_ACTION_DAYS: Final = 90


def routes() -> list[BaseRoute]:
    """Return the routes."""
    return [
        Route("/v2/account", account, methods=["GET"]),
        Route("/v2/clock", clock, methods=["GET"]),
        Route("/v2/account/configurations", configurations, methods=["GET", "PATCH"]),
        Route("/v2/account/activities", activities, methods=["GET"]),
        Route("/v2/account/activities/{kind}", activities, methods=["GET"]),
        Route("/v2/account/portfolio/history", portfolio_history, methods=["GET"]),
        Route("/v2/calendar", calendar, methods=["GET"]),
        Route("/v2/assets", assets, methods=["GET"]),
        Route("/v2/assets/{key:path}", asset, methods=["GET"]),
        Route("/v2/corporate_actions/announcements", announcements, methods=["GET"]),
        Route("/v2/corporate_actions/announcements/{name}", announcement, methods=["GET"]),
    ]


async def account(request: Request) -> Response:
    """Show the account."""
    owner, exchange = account_of(request), exchange_of(request)
    figures = exchange.figures(owner, exchange.now())
    return json_reply(
        account_body(
            owner.record,
            figures,
            balance_asof=owner.balance_asof.isoformat(),
            is_shorting_enabled=owner.engine.allow_short and figures.may_short,
        )
    )


async def configurations(request: Request) -> Response:
    """Show or change what the owner of the account may set."""
    owner, exchange = account_of(request), exchange_of(request)
    if request.method == "PATCH":
        body = await json_body(request)
        exchange.configure(owner, changed(owner.record.configuration, body))
    return json_reply(configuration_body(owner.record.configuration))


async def activities(request: Request) -> Response:
    """List what happened to the account."""
    asked = read_filter(Query(request), request.path_params.get("kind"))
    return json_reply(list_activities(account_of(request), asked))


async def portfolio_history(request: Request) -> Response:
    """Show what the account was worth over time."""
    owner, exchange = account_of(request), exchange_of(request)
    hours = exchange.market.hours
    asked = read_request(Query(request), hours, exchange.now())
    return json_reply(history_body(owner, asked, hours))


async def clock(request: Request) -> Response:
    """Show the time and when the market opens and closes next; a replay tells its speed."""
    exchange = exchange_of(request)
    headers = {}
    source = request.app.state.clock
    if source.kind is not ClockKind.WALL:
        headers["X-Replay-Speed"] = "step" if source.kind is ClockKind.STEP else str(source.speed)
    return json_reply(exchange.market.hours.clock_body(exchange.now()), headers=headers)


async def calendar(request: Request) -> Response:
    """List the trading days."""
    query = Query(request)
    by_settlement = query.word("date_type", "trading", ("trading", "settlement")) == "settlement"
    rows = exchange_of(request).market.hours.calendar_rows(
        query.day("start"), query.day("end"), by_settlement=by_settlement
    )
    return json_reply(rows)


async def assets(request: Request) -> Response:
    """List the assets."""
    exchange, query = exchange_of(request), Query(request)
    if (query.text("asset_class") or "us_equity") != "us_equity":
        return json_reply([])
    status, listing = query.text("status"), query.text("exchange")
    wanted = set(query.names("attributes"))
    return json_reply(
        [
            asset_body(found)
            for found in exchange.market.assets(exchange.now())
            if status in {None, "all", _status(found)}
            and listing in {None, found.listing.value}
            and (not wanted or wanted & set(found.attributes))
        ]
    )


async def asset(request: Request) -> Response:
    """Show one asset."""
    exchange, key = exchange_of(request), request.path_params["key"]
    found = exchange.market.asset(key, exchange.now())
    if found is None:
        raise not_found(f"asset not found for {key}")
    return json_reply(asset_body(found))


def _status(found: Asset) -> str:
    return "active" if found.is_active else "inactive"


async def announcements(request: Request) -> Response:
    """List the corporate actions of some days."""
    exchange, query = exchange_of(request), Query(request)
    kinds = {name.lower() for name in query.names("ca_types")}
    since, until = query.day("since"), query.day("until")
    if not kinds or not kinds <= set(_ACTION_TYPES):
        raise invalid_field("ca_types is invalid")
    if since is None or until is None:
        raise invalid_field("since and until are required")
    if until < since or (until - since).days > _MOST_ACTION_DAYS:
        raise invalid_field(f"the date range is limited to {_MOST_ACTION_DAYS} days")
    symbol = query.text("symbol")
    return json_reply(
        [
            _action_body(action)
            for action in exchange.market.corporate_actions(exchange.now())
            if _is_asked(action, kinds, since, until) and symbol in {None, action.symbol}
        ]
    )


async def announcement(request: Request) -> Response:
    """Show one corporate action."""
    exchange, name = exchange_of(request), request.path_params["name"]
    for action in exchange.market.corporate_actions(exchange.now()):
        if _action_id(action) == name:
            return json_reply(_action_body(action))
    raise not_found(f"announcement not found for {name}")


def _is_asked(action: CorporateAction, kinds: set[str], since: date, until: date) -> bool:
    return _action_type(action) in kinds and since <= action.on <= until


def _action_type(action: CorporateAction) -> str:
    return "reorg" if action.kind is ActionKind.SYMBOL_CHANGE else "split"


def _action_id(action: CorporateAction) -> str:
    return f"{action.symbol}-{action.kind}-{action.on.isoformat()}"


def _action_body(action: CorporateAction) -> dict[str, Any]:
    on = action.on.isoformat()
    is_change = action.kind is ActionKind.SYMBOL_CHANGE
    target = action.new_symbol if is_change else action.symbol
    sub_type = {
        ActionKind.SPLIT: "stock_split",
        ActionKind.REVERSE_SPLIT: "reverse_split",
        ActionKind.SYMBOL_CHANGE: "symbol_change",
    }
    return {
        "ca_sub_type": sub_type[action.kind],
        "ca_type": _action_type(action).capitalize(),
        "cash": "0",
        "corporate_action_id": _action_id(action),
        "declaration_date": on,
        "effective_date": on,
        "ex_date": on,
        "id": _action_id(action),
        "initiating_symbol": action.symbol,
        "new_rate": f"{action.new_rate:f}",
        "old_rate": f"{action.old_rate:f}",
        "payable_date": on,
        "record_date": on,
        "target_symbol": target,
    }
