"""What the exchange says no with: status, code, message and context, as Alpaca words them.

Clients branch on all three of status, code and text, so every pair of status and code stands in
one place here.
"""

from __future__ import annotations

from typing import Any


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
