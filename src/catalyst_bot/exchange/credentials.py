"""The keys a request carries: in Alpaca's headers, as basic authorization, or as a bearer token."""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass
from hmac import compare_digest

from starlette.datastructures import Headers

from catalyst_bot.exchange.account import Account
from catalyst_bot.exchange.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key with its secret; a bearer token is a secret without its key."""

    key_id: str | None
    secret: str


def credentials_of(headers: Headers) -> Credentials | None:
    """Return what a request says it is allowed by; None where it says nothing."""
    key_id, secret = headers.get("apca-api-key-id"), headers.get("apca-api-secret-key")
    if key_id and secret:
        return Credentials(key_id, secret)
    scheme, _, value = headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "basic":
            return _basic(value.strip())
        case "bearer":
            return Credentials(None, value.strip())
        case _:
            return None


def account_with(exchange: Exchange, credentials: Credentials) -> Account | None:
    """Return the account that credentials open. A bearer token is the secret of one of its keys."""
    if credentials.key_id is not None:
        return exchange.account_of_key(credentials.key_id, credentials.secret)
    given = credentials.secret.encode()
    for account in exchange.accounts:
        for key in exchange.accounts.keys_of(account.account_id):
            if compare_digest(key.secret.encode(), given):
                return account
    return None


def _basic(value: str) -> Credentials | None:
    try:
        key_id, colon, secret = b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Credentials(key_id, secret) if colon else None
