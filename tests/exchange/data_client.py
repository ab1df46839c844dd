"""A client of the data and news API over a market whose clock a test sets."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from catalyst_bot.exchange.api.data_query import Entitlement
from catalyst_bot.exchange.api.data_routes import DataDesk
from catalyst_bot.exchange.api.news_routes import NewsDesk
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.wire.errors import ApiError
from catalyst_bot.exchange.wire.replies import api_error_handler
from tests.exchange import openapi


class DataClient:
    """Asks the routes; every body it returns must be as Alpaca documents it."""

    def __init__(self, market: Market, at: datetime, *, has_sip: bool = True) -> None:
        self.at = at
        self.market = market
        desk = DataDesk(market, now=lambda: self.at, entitlement=Entitlement(has_sip=has_sip))
        app = Starlette(
            routes=[*desk.routes(), *NewsDesk(market, now=lambda: self.at).routes()],
            exception_handlers={ApiError: api_error_handler},
        )
        self.http = TestClient(app)

    def raw(self, path: str, **params: Any) -> bytes:
        """Return the body of a successful request as it is sent, without a look at it."""
        reply = self.http.get(path, params=params)
        assert reply.status_code == 200, reply.text
        return reply.content

    def get(self, path: str, **params: Any) -> Any:
        """Return the body of a successful request."""
        body = json.loads(self.raw(path, **params))
        openapi.validate("get", documented(path), 200, body, openapi.DATA)
        return body

    def refusal(self, path: str, **params: Any) -> tuple[int, str]:
        """Return status and message of a refused request."""
        reply = self.http.get(path, params=params)
        assert reply.status_code >= 400, reply.text
        return reply.status_code, reply.json()["message"]

    def pages(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Return all pages, following the tokens."""
        bodies = [self.get(path, **params)]
        while (token := bodies[-1]["next_page_token"]) is not None:
            assert len(bodies) < 500
            bodies.append(self.get(path, **params, page_token=token))
        return bodies


def documented(path: str) -> str:
    """The document's own path."""
    paths = openapi.document(openapi.DATA)["paths"]
    if path in paths:
        return path
    parts = path.split("/")
    for template in paths:
        wanted = template.split("/")
        if len(wanted) == len(parts) and all(
            want.startswith("{") or want == part for want, part in zip(wanted, parts, strict=True)
        ):
            return str(template)
    raise KeyError(path)
