"""What the exchange says no with: status, code, message and context, as Alpaca words them.

Clients branch on all three of status, code and text, so every pair of status and code stands in
one place here.
"""

from __future__ import annotations

from typing import Any, Final

from catalyst_bot.simulation.refusals import Refusal, RefusalKind

_FORBIDDEN: Final = (403, 40310000)
_UNPROCESSABLE: Final = (422, 42210000)
_INVALID: Final = (422, 40010001)
_OF_KIND: Final[dict[RefusalKind, tuple[int, int]]] = {
    RefusalKind.BUYING_POWER: _FORBIDDEN,
    RefusalKind.QUANTITY_AVAILABLE: _FORBIDDEN,
    RefusalKind.WASH_TRADE: _FORBIDDEN,
    RefusalKind.COST_BASIS: _FORBIDDEN,
    RefusalKind.SHORTING: _FORBIDDEN,
    RefusalKind.OPPOSITE_ORDER: _FORBIDDEN,
    RefusalKind.CLOSING_ONLY: _FORBIDDEN,
    RefusalKind.BASE_PRICE: _UNPROCESSABLE,
    RefusalKind.LEG_PRICES: _UNPROCESSABLE,
    RefusalKind.STOP_PRICE: _UNPROCESSABLE,
    RefusalKind.PRICE_TICK: _UNPROCESSABLE,
    RefusalKind.POSITION_INTENT: _UNPROCESSABLE,
    RefusalKind.FRACTIONAL: _UNPROCESSABLE,
    RefusalKind.NOTIONAL: _UNPROCESSABLE,
    RefusalKind.NOT_CANCELABLE: _UNPROCESSABLE,
    RefusalKind.NOT_REPLACEABLE: _UNPROCESSABLE,
    RefusalKind.SHAPE: _INVALID,
    RefusalKind.CLIENT_ORDER_ID: _INVALID,
    RefusalKind.ORDER_UNKNOWN: (404, 40410000),
}


class ApiError(Exception):
    """An answer that refuses a request; `code` is None where Alpaca sends none."""

    def __init__(
        self, status: int, message: str, *, code: int | None = None, **context: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.context = context

    def body(self) -> dict[str, Any]:
        """Return the body, its keys in alphabetical order as real ones have them."""
        body = {**self.context, "message": self.message}
        if self.code is not None:
            body["code"] = self.code
        return dict(sorted(body.items()))


def refusal_error(refusal: Refusal) -> ApiError:
    """Return the answer to what the matching engine would not do."""
    status, code = _OF_KIND[refusal.kind]
    context: dict[str, Any] = dict(refusal.context)
    if refusal.related_orders:
        context["related_orders"] = list(refusal.related_orders)
    return ApiError(status, refusal.message, code=code, **context)


def malformed_body() -> ApiError:
    """Return the refusal of a body that is no JSON object of the expected kinds."""
    return ApiError(400, "request body format is invalid", code=40010000)


def invalid_field(message: str) -> ApiError:
    """Return the refusal of a field that is missing or wrong in itself (422 with a 400 code)."""
    return ApiError(422, message, code=40010001)


def unprocessable(message: str, **context: Any) -> ApiError:
    """Return the refusal of an order whose fields do not go together, or not now."""
    return ApiError(422, message, code=42210000, **context)


def forbidden(message: str, **context: Any) -> ApiError:
    """Return the refusal of what the account may not do, or cannot pay."""
    return ApiError(403, message, code=40310000, **context)


def not_found(message: str) -> ApiError:
    """Return the refusal of something that is not there."""
    return ApiError(404, message, code=40410000)


def unauthorized() -> ApiError:
    """Return the refusal of a key that is not known, or of a wrong secret."""
    return ApiError(401, "unauthorized.")


def rate_limited() -> ApiError:
    """Return the refusal of one request too many in a minute."""
    return ApiError(429, "rate limit exceeded", code=42910000)


def internal_error() -> ApiError:
    """Return the answer to a fault of our own."""
    return ApiError(500, "internal server error occurred", code=50010000)
