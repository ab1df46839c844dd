"""Requests read and answers written the way Alpaca does: numbers, times, lists, bodies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from hmac import compare_digest
from typing import Any
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from catalyst_bot.exchange.wire.errors import ApiError, invalid_field, malformed_body, unauthorized
from catalyst_bot.market_data.calendar_table import NEW_YORK

JSON = "application/json; charset=UTF-8"
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_PLAIN_DIGITS = 28  # Decimals up to here print without an exponent


def decimal_text(value: Decimal) -> str:
    """Return a number as Alpaca prints it: no exponent, no trailing zeros."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def decimal_in(text: str) -> Decimal | None:
    """Return the number a text says in plain digits, None for any other text.

    `Decimal` itself also takes digits of other scripts, underscores and blanks.
    """
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def decimal_or_none(value: Decimal | None) -> str | None:
    """Return a number as Alpaca prints it, or null."""
    return None if value is None else decimal_text(value)


@lru_cache(maxsize=4096)
def rfc3339(at: datetime) -> str:
    """Return a UTC time with Z; trailing zeros of the fraction are cut, as Go prints times."""
    text = at.isoformat() if at.tzinfo is UTC else at.astimezone(UTC).isoformat()
    text = text.removesuffix("+00:00")
    return f"{text.rstrip('0')}Z" if "." in text else f"{text}Z"


def rfc3339_or_none(at: datetime | None) -> str | None:
    """Return a UTC time with Z, or null."""
    return None if at is None else rfc3339(at)


def new_york_time(at: datetime) -> str:
    """Return a time with New York's offset, as the market clock has it."""
    return at.astimezone(NEW_YORK).isoformat()


def encode(body: Any) -> bytes:
    """Return a body as JSON."""
    return _ENCODE(body)


def json_reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer with a JSON body."""
    return Response(encode(body), status_code=status, headers=headers, media_type=JSON)


def no_content() -> Response:
    """Return the empty answer to what was done."""
    return Response(status_code=204)


def error_reply(error: ApiError) -> Response:
    """Return a refusal as an answer."""
    return json_reply(error.body(), error.status)


async def api_error_handler(_: Request, error: Exception) -> Response:
    """Turn a raised `ApiError` into its answer; for Starlette's `exception_handlers`."""
    assert isinstance(error, ApiError)
    return error_reply(error)


async def json_body(request: Request) -> dict[str, Any]:
    """Return the object a request carries; numbers stay exact. Raises `ApiError` for others."""
    return parse_object(await request.body())


def parse_object(content: bytes) -> dict[str, Any]:
    """Return the JSON object in `content`; raises `ApiError` when there is none."""
    try:
        return _DECODE(content)
    except (msgspec.DecodeError, InvalidOperation, RecursionError) as error:
        raise malformed_body() from error


def require_admin(request: Request) -> None:
    """Raise `ApiError` unless the request carries the admin token."""
    given = request.headers.get("x-admin-token", "")
    if not compare_digest(given.encode(), str(request.app.state.admin_token).encode()):
        raise unauthorized()


class Query:
    """A request's query parameters, read the way Alpaca reads them."""

    def __init__(self, request: Request) -> None:
        self._given = request.query_params

    def text(self, name: str) -> str | None:
        """Return a parameter, None when it is absent or empty."""
        return self._given.get(name) or None

    def flag(self, name: str) -> bool:
        """Return whether a parameter says yes; clients send True as well as true."""
        return (self._given.get(name) or "").lower() in {"true", "1", "t"}

    def names(self, name: str) -> tuple[str, ...]:
        """Return a comma-separated list, also one given as a repeated parameter."""
        joined = ",".join(self._given.getlist(name))
        return tuple(part for part in (part.strip() for part in joined.split(",")) if part)

    def word(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """Return one of a few words in lower case; raises `ApiError` for another."""
        value = (self.text(name) or default).lower()
        if value not in allowed:
            choice = " or ".join(f'"{word}"' for word in allowed)
            raise invalid_field(f"{name} can only be {choice}")
        return value

    def whole(self, name: str, default: int, *, most: int) -> int:
        """Return a count from 1 to `most`; raises `ApiError` for another."""
        given = self.text(name)
        if given is None:
            return default
        if not _WHOLE.fullmatch(given):
            raise invalid_field(f"{name} is invalid format")
        value = int(given) if len(given) <= _PLAIN_DIGITS else 0
        if not 1 <= value <= most:
            raise invalid_field(f"{name} must be between 1 and {most}")
        return value

    def moment(self, name: str) -> datetime | None:
        """Return a time given as RFC 3339, as a day (midnight UTC) or as epoch seconds."""
        given = self.text(name)
        return None if given is None else read_moment(given, name)

    def day(self, name: str) -> date | None:
        """Return a day, of a time its date part."""
        at = self.moment(name)
        return None if at is None else at.date()

    def number(self, name: str) -> Decimal | None:
        """Return a finite number; raises `ApiError` for anything else."""
        given = self.text(name)
        if given is None:
            return None
        value = decimal_in(given)
        if value is None or abs(value.adjusted()) > _PLAIN_DIGITS:
            raise invalid_field(f"{name} is invalid format")
        return value


def read_moment(text: str, name: str) -> datetime:
    """Return the time `text` says; a space for the plus of an offset is forgiven."""
    try:
        if text.isascii() and text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        at = datetime.fromisoformat(text.replace(" ", "+"))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise invalid_field(
            f"{name} is invalid format. please format timestamp with YYYY-MM-DD or ISO8601 "
            "like: '2006-01-02T15:04:05Z'"
        ) from error


def read_uuid(text: str, message: str) -> str:
    """Return a UUID in its usual form; raises `ApiError` with `message` when it is none."""
    try:
        return str(UUID(text))
    except ValueError as error:
        raise invalid_field(message) from error
