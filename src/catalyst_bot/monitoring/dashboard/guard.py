"""What holds for every request and answer: host, origin, size, security headers.

Plain ASGI around the whole app, so that no route, error page or static file is left out and
streams are not buffered.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalyst_bot.monitoring.dashboard.settings import DashboardSettings

MAX_BODY_BYTES: Final = 64 * 1024
READING: Final = frozenset({"GET", "HEAD"})

SECURITY_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """ASGI middleware: refuses what should not come in, marks what goes out."""

    def __init__(self, app: ASGIApp, settings: DashboardSettings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, text in SECURITY_HEADERS.items():
                    headers[name] = text
                if scope["path"].startswith("/api/"):
                    headers["cache-control"] = "no-store"
                else:
                    headers.setdefault("cache-control", "no-cache")
            await send(message)

        refusal = self._refusal(scope["method"], scope["path"], Headers(scope=scope))
        await (refusal or self.app)(scope, receive, send_marked)

    def _refusal(self, method: str, path: str, headers: Headers) -> PlainTextResponse | None:
        if not self.settings.allows(headers.get("host", "")):
            return PlainTextResponse(
                "This name is not one the dashboard answers to; add it to "
                "dashboard.allowed_hosts if it should.\n",
                status_code=421,
            )
        if path.startswith("/api/") and not _is_same_origin(headers):
            return PlainTextResponse("Only the dashboard's own page may ask.\n", status_code=403)
        if method in READING:
            return None
        if "origin" not in headers and "sec-fetch-site" not in headers:
            return PlainTextResponse("A command must say where it is from.\n", status_code=403)
        return _size_refusal(headers)


def _is_same_origin(headers: Headers) -> bool:
    """Whether browser-set headers, where present, say that our own page asks."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == headers["host"].lower()


def _size_refusal(headers: Headers) -> PlainTextResponse | None:
    length = headers.get("content-length", "")
    if not length.isdecimal():  # a body of unknown length could be endless
        return PlainTextResponse("Say the length of the body.\n", status_code=411)
    if not int(length) <= MAX_BODY_BYTES:
        return PlainTextResponse(f"At most {MAX_BODY_BYTES} bytes.\n", status_code=413)
    return None
