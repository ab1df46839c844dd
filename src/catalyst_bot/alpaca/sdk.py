"""alpaca-py, and nothing else knows that it is: one blocking request, bounded in time and size.

alpaca-py builds addresses, headers and bodies. What it does with answers is not used: it knows no
time-out, repeats a POST up to four times, takes a redirect for success and fails with KeyError or
JSONDecodeError on errors without a code. So the session it works with keeps the raw answer, and
that answer alone counts, whatever the call returns or raises.

Importing this module loads alpaca-py (and with it pandas); `client.py` does so when a run needs it.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from socket import SHUT_RDWR
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from catalyst_bot.alpaca.access import Access
from catalyst_bot.alpaca.wire import Answer, Unanswered

with warnings.catch_warnings():  # its streams import what websockets calls deprecated; unused here
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.exceptions import APIError
    from alpaca.common.rest import RESTClient
    from alpaca.data.historical.corporate_actions import CorporateActionsClient
    from alpaca.data.historical.news import NewsClient
    from alpaca.data.historical.stock import StockHistoricalDataClient
    from alpaca.trading.client import TradingClient

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 5.0
TOTAL_TIMEOUT_S = 5.0
MAX_BYTES = 32 * 2**20  # of one answer, unpacked
MAX_CONNECTIONS = 8
_PIECE_BYTES = 65_536


class Call:
    """One request on its way. `abandon` ends it from another thread."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self._connection: HTTPConnection | None = None
        self._is_abandoned = False

    def goes_over(self, connection: HTTPConnection) -> None:
        """Note the connection in use."""
        self._connection = connection
        if self._is_abandoned:
            raise requests.ConnectionError("given up before it was sent")

    def abandon(self) -> None:
        """Break the connection, so that the thread that waits on it is free again."""
        self._is_abandoned = True
        sock = getattr(self._connection, "sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(SHUT_RDWR)


class Sdk:
    """alpaca-py's clients for both hosts over one session."""

    def __init__(self, access: Access, adapter: HTTPAdapter | None = None) -> None:
        assert access.base_url, "an empty address would mean the real paper service to alpaca-py"
        self._calls = threading.local()
        self._session = _session(adapter or BoundedAdapter(lambda: self._calls.current))
        self._session.hooks["response"].append(self._keep)
        keys = access.key_id, access.secret
        place = access.data_url
        self._trading = TradingClient(*keys, raw_data=True, url_override=access.base_url)
        self._clients: dict[str, RESTClient] = {
            "/v2/stocks": StockHistoricalDataClient(*keys, raw_data=True, url_override=place),
            "/v1beta1/news": NewsClient(*keys, raw_data=True, url_override=place),
            "/v1/corporate-actions": CorporateActionsClient(
                *keys, raw_data=True, url_override=place
            ),
        }
        for client in (self._trading, *self._clients.values()):
            client._session = self._session  # noqa: SLF001 - the constructors take none
            client._retry = 0  # noqa: SLF001 - 0 is ignored by the constructors

    def trading(
        self, call: Call, method: str, path: str, parts: Mapping[str, Any] | None
    ) -> Answer:
        """Ask the trading host; `parts` are the query or the body. Raises `Unanswered`."""
        return self._ask(self._trading, call, method, path, parts)

    def data(self, call: Call, path: str, query: Mapping[str, Any]) -> Answer:
        """Get from the data host. Raises `Unanswered`."""
        for place, client in self._clients.items():
            if path.startswith(place):
                return self._ask(client, call, "GET", path, query)
        raise AssertionError(f"no client of alpaca-py for {path}")

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def _ask(
        self,
        client: RESTClient,
        call: Call,
        method: str,
        path: str,
        parts: Mapping[str, Any] | None,
    ) -> Answer:
        version, _, place = path.removeprefix("/").partition("/")
        ask: dict[str, Callable[..., Any]] = {
            "GET": client.get,
            "POST": client.post,
            "PATCH": client.patch,
            "DELETE": client.delete,
        }
        more = {"api_version": version} if method == "GET" else {}
        self._calls.current = call
        try:
            ask[method](f"/{place}", dict(parts) if parts is not None else None, **more)
        except requests.RequestException as error:
            if call.answer is None:
                raise Unanswered(_reason(error)) from error
        except (APIError, ValueError):
            pass  # the answer says it better
        if call.answer is None:
            raise Unanswered("nothing came back")
        return call.answer

    def _keep(self, response: requests.Response, **_: Any) -> None:
        self._calls.current.answer = Answer(
            response.status_code, dict(response.headers), response.content
        )


def _reason(error: requests.RequestException) -> str:
    """Say what went wrong at the bottom of it: the layers above only wrap it."""
    deepest: BaseException | None = error
    while deepest is not None:
        if isinstance(deepest, OSError) and deepest.strerror:
            return deepest.strerror
        deepest = deepest.__cause__ or deepest.__context__
    return f"{type(error).__name__}: {error}"


def _session(adapter: HTTPAdapter) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy and no .netrc from the environment
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class BoundedAdapter(HTTPAdapter):
    """Sends with time-outs and reads no longer and no more than allowed; repeats nothing."""

    def __init__(self, call: Callable[[], Call]) -> None:
        self._call = call
        super().__init__(pool_maxsize=MAX_CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Make pools whose connections say which call they work for."""
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = _noting_pools(self._call)

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        """Send and read the whole answer within the time. Raises `requests` exceptions."""
        deadline = time.monotonic() + TOTAL_TIMEOUT_S
        bounds = {"stream": True, "timeout": (CONNECT_TIMEOUT_S, READ_TIMEOUT_S), "proxies": {}}
        response = super().send(request, *args, **(more | bounds))
        response._content = _read(response, deadline)  # noqa: SLF001 - as `Response.content` does
        response._content_consumed = True  # noqa: SLF001
        return response


def _read(response: requests.Response, deadline: float) -> bytes:
    """Read piece by piece: a drip of bytes would keep a plain read busy for ever."""
    pieces = bytearray()
    try:
        while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
            pieces += piece
            if len(pieces) > MAX_BYTES:
                raise requests.ConnectionError(f"an answer of more than {MAX_BYTES} bytes")
            if time.monotonic() > deadline:
                raise requests.ReadTimeout(f"not all within {TOTAL_TIMEOUT_S:g} s")
    except requests.RequestException:
        response.close()
        raise
    except (HTTPError, OSError) as error:
        response.close()
        raise requests.ConnectionError(f"{type(error).__name__} in the answer") from error
    response.raw.release_conn()
    return bytes(pieces)


def _noting_pools(call: Callable[[], Call]) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def request(self, *args: Any, **more: Any) -> None:
            call().goes_over(self)
            super().request(*args, **more)

    class Secure(HTTPSConnection):
        def request(self, *args: Any, **more: Any) -> None:
            call().goes_over(self)
            super().request(*args, **more)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
