"""What a route's handler works with: the exchange, the account and its orders' desk."""

from __future__ import annotations

from starlette.requests import Request

from catalyst_bot.exchange.account import Account
from catalyst_bot.exchange.exchange import Exchange


def exchange_of(request: Request) -> Exchange:
    """Return the exchange that serves a request."""
    exchange = request.app.state.exchange
    assert isinstance(exchange, Exchange)
    return exchange


def account_of(request: Request) -> Account:
    """Return the account a request came with; whoever checked the keys has put it there."""
    account = request.scope["state"]["account"]
    assert isinstance(account, Account)
    return account
