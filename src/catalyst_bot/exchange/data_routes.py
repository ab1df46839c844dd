"""Market Data v2 over HTTP: history, the latest, snapshots, auctions, codes, screener, actions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalyst_bot.exchange import action_bodies, meta, screener
from catalyst_bot.exchange.data_bodies import HistoryView, LatestView
from catalyst_bot.exchange.data_query import (
    DataQuery,
    Entitlement,
    bad_request,
    check_symbol,
    page_token,
)
from catalyst_bot.exchange.errors import ApiError
from catalyst_bot.exchange.market import Market
from catalyst_bot.exchange.pages import Finder, PageRequest, Row, read_page, read_token
from catalyst_bot.exchange.replies import json_reply
from catalyst_bot.market_data.calendar_table import NEW_YORK

_PAGED: Final = ("start", "end", "limit", "asof", "feed", "currency", "page_token", "sort")
_LATEST: Final = ("feed", "currency")
_MAX_SNAPSHOT_SYMBOLS: Final = 10_000
_LATEST_KINDS: Final = {"trades": "trade", "quotes": "quote", "bars": "bar"}


class DataDesk:
    """Answers the data API over one market; `now` is the exchange's clock."""

    def __init__(
        self, market: Market, *, now: Callable[[], datetime], entitlement: Entitlement
    ) -> None:
        self._market = market
        self._now = now
        self._entitlement = entitlement

    def routes(self) -> list[Route]:
        """Return the routes of the data API."""
        stocks = "/v2/stocks"
        single = f"{stocks}/{{symbol}}"
        return [
            Route(f"{stocks}/meta/exchanges", self.exchanges),
            Route(f"{stocks}/meta/conditions/{{tick_type}}", self.conditions),
            *(Route(f"{stocks}/{kind}/latest", self.latest) for kind in _LATEST_KINDS),
            *(
                Route(f"{stocks}/{kind}", self.history)
                for kind in ("bars", "trades", "quotes", "auctions")
            ),
            Route(f"{stocks}/snapshots", self.snapshots),
            *(Route(f"{single}/{kind}/latest", self.latest) for kind in _LATEST_KINDS),
            *(
                Route(f"{single}/{kind}", self.history)
                for kind in ("bars", "trades", "quotes", "auctions")
            ),
            Route(f"{single}/snapshot", self.snapshot),
            Route("/v1beta1/screener/stocks/most-actives", self.most_actives),
            Route("/v1beta1/screener/{market_type}/movers", self.movers),
            Route("/v1/corporate-actions", self.corporate_actions),
        ]

    async def history(self, request: Request) -> Response:
        """Bars, trades, quotes or auctions of the past, of one symbol or many."""
        kind = request.url.path.rstrip("/").rsplit("/", 1)[-1]
        query = self._query(request)
        names = (*_PAGED, "timeframe", "adjustment") if kind == "bars" else _PAGED
        symbols = self._symbols(request, query, names)
        query.check_currency()
        default_feed = "sip" if kind == "auctions" else None
        feed = query.history_feed(query.time("end"), default_feed)
        view = HistoryView(market=self._market, at=query.at, feed=feed, asof=query.asof())
        finder: Finder
        if kind == "bars":
            finder = view.bars(query.timeframe(), is_split_adjusted=query.is_split_adjusted())
        else:
            finder = {"trades": view.trades, "quotes": view.quotes, "auctions": view.auctions}[kind]
        start, end = query.span(feed.until)
        page = PageRequest(
            symbols=symbols,
            start=start,
            end=end,
            limit=query.limit(),
            is_descending=query.is_descending(),
            after=read_token(query.token(), 2 if kind == "bars" else 1, query.text("page_token")),
        )
        found, token = read_page(page, finder)
        symbol = request.path_params.get("symbol")
        body: Row = {"next_page_token": token}
        if symbol is None:
            return json_reply({kind: found} | body)
        return json_reply({kind: found.get(symbol, []), "symbol": symbol} | body)

    async def latest(self, request: Request) -> Response:
        """The last trade, quote or minute bar, of one symbol or many."""
        kind = request.url.path.rstrip("/").rsplit("/", 2)[-2]
        query = self._query(request)
        symbols = self._symbols(request, query, _LATEST)
        query.check_currency()
        view = LatestView(market=self._market, feed=query.latest_feed())
        show = {"trades": view.trade, "quotes": view.quote, "bars": view.bar}[kind]
        found = {symbol: row for symbol in symbols if (row := show(symbol)) is not None}
        symbol = request.path_params.get("symbol")
        if symbol is None:
            return json_reply({kind: found})
        if symbol not in found:
            raise ApiError(404, f"no {_LATEST_KINDS[kind]} found for {symbol}")
        return json_reply({_LATEST_KINDS[kind]: found[symbol], "symbol": symbol})

    async def snapshots(self, request: Request) -> Response:
        """The latest of everything of many symbols."""
        query = self._query(request)
        symbols = self._symbols(request, query, _LATEST)
        query.check_currency()
        view = LatestView(market=self._market, feed=query.latest_feed())
        return json_reply({s: row for s in symbols if (row := view.snapshot(s)) is not None})

    async def snapshot(self, request: Request) -> Response:
        """The latest of everything of one symbol."""
        query = self._query(request)
        (symbol,) = self._symbols(request, query, _LATEST)
        query.check_currency()
        row = LatestView(market=self._market, feed=query.latest_feed()).snapshot(symbol)
        if row is None:
            raise ApiError(404, f"no snapshot found for {symbol}")
        return json_reply({"symbol": symbol} | row)

    async def exchanges(self, request: Request) -> Response:
        """What the letters of exchanges mean."""
        self._query(request).only()
        return json_reply(meta.EXCHANGES)

    async def conditions(self, request: Request) -> Response:
        """What the letters of conditions mean."""
        query = self._query(request).only("tape")
        tick_type = request.path_params["tick_type"]
        if tick_type not in meta.TICK_TYPES:
            raise bad_request(f"invalid ticktype: {tick_type}")
        if not query.text("tape"):
            raise bad_request("tape is required")
        return json_reply(meta.conditions(tick_type, query.word("tape", "", meta.TAPES)))

    async def most_actives(self, request: Request) -> Response:
        """The symbols that trade most."""
        query = self._query(request).only("by", "top")
        by = query.word("by", "volume", ("volume", "trades"))
        top = query.limit(10, most=100, name="top")
        body = screener.most_actives_body(self._market, query.at, by_trades=by == "trades", top=top)
        return json_reply(body)

    async def movers(self, request: Request) -> Response:
        """The symbols that moved most."""
        query = self._query(request).only("top")
        market_type = request.path_params["market_type"]
        top = query.limit(10, most=50, name="top")
        if market_type == "crypto":
            return json_reply(screener.no_movers_body(query.at))
        if market_type != "stocks":
            raise bad_request(f"invalid market type: {market_type}")
        return json_reply(screener.movers_body(self._market, query.at, top=top))

    async def corporate_actions(self, request: Request) -> Response:
        """Splits and new symbols that have taken effect."""
        query = self._query(request).only(
            *("symbols", "cusips", "types", "region", "start", "end", "ids", "limit"),
            *("data_quality", "page_token", "sort"),
        )
        today = query.at.astimezone(NEW_YORK).date()
        kinds = query.words("types")
        unknown = sorted(set(kinds) - set(action_bodies.KINDS) - action_bodies.OTHER_KINDS)
        if unknown:
            raise bad_request(f"invalid types: {', '.join(unknown)}")
        region = query.word("region", "us", ("us", "non_us", "all"))
        query.word("data_quality", "complete", ("complete", "all"))
        start, end = query.day("start") or today, query.day("end") or today
        if end < start:
            raise bad_request("end should not be before start")
        parts = query.token()
        if parts is not None and len(parts) != 2:
            raise bad_request(f"invalid page_token: {query.text('page_token')}")
        wanted = action_bodies.ActionQuery(
            start=start,
            end=end,
            symbols=query.words("symbols"),
            cusips=query.words("cusips"),
            kinds=kinds,
            ids=query.words("ids"),
            limit=query.limit(100, most=1_000),
            is_descending=query.is_descending(),
            after=None if parts is None else (parts[0], parts[1]),
        )
        shown: dict[str, list[dict[str, Any]]] = {}
        last = None
        if region != "non_us":
            shown, last = action_bodies.actions_page(self._market, query.at, wanted)
        token = None if last is None else page_token(*last)
        return json_reply({"corporate_actions": shown, "next_page_token": token})

    def _query(self, request: Request) -> DataQuery:
        return DataQuery(request.query_params, self._now(), self._entitlement)

    def _symbols(
        self, request: Request, query: DataQuery, names: tuple[str, ...]
    ) -> tuple[str, ...]:
        """The symbol of the path, or those of the query; other parameters are refused."""
        known = self._market.world.assets
        symbol = request.path_params.get("symbol")
        if symbol is not None:
            query.only(*names)
            check_symbol(symbol, known)
            return (symbol,)
        return query.only("symbols", *names).symbols(known)
