"""Routes that add, list and lift faults while the exchange runs."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.exchange.errors import invalid_field, malformed_body
from catalyst_bot.exchange.fault_rules import rules_from
from catalyst_bot.exchange.faults import FaultBook
from catalyst_bot.exchange.replies import json_reply, require_admin

_SOURCE: Final = "faults"


def routes() -> list[BaseRoute]:
    """Return the routes."""
    return [Route("/admin/faults", faults, methods=["GET", "POST", "PUT", "DELETE"])]


async def faults(request: Request) -> Response:
    """List the rules with their counts; POST adds rules, PUT replaces all, DELETE lifts them.

    Every answer is the list as it is then.
    """
    require_admin(request)
    book: FaultBook = request.app.state.faults
    if request.method in {"POST", "PUT"}:
        try:
            added = rules_from(_plain(await request.body()), _SOURCE)
        except ConfigError as error:
            raise invalid_field(str(error)) from error
        if request.method == "PUT":
            book.clear()
        book.add(added)
    elif request.method == "DELETE":
        book.clear()
    return json_reply({"rules": book.listing()})


def _plain(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise malformed_body() from error
