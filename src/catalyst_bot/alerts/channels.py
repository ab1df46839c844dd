"""Channels of people, through apprise: one address, what its service takes, one try to send.

An address is a secret: it comes from the environment or a secret file, and no reason, name or log
line of this module repeats any of it. apprise says only yes or no, so what the service answered is
heard where its plugins ask: at `requests`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from catalyst_bot.alerts.notice import Notice
from catalyst_bot.alerts.payload import (
    BY_SERVICE,
    OTHERS,
    Limits,
    Payload,
    plain_payload,
    problem,
    rich_payload,
)
from catalyst_bot.domain.enums import Severity
from catalyst_bot.domain.errors import ConfigError

if TYPE_CHECKING:
    import apprise

READ_TIMEOUT_S = 8.0
_CONNECT_TIMEOUT_S = 4.0
_BAD_REQUEST, _TOO_LARGE, _TOO_MANY = 400, 413, 429
_MAX_RETRY_AFTER_S = 3600.0
_CHART_APART = frozenset({"discord", "tgram"})  # a picture is a message of its own there
_CHART_WITHIN = frozenset({"mailto"})
_TAKES_KEY = frozenset({"json"})  # a receiver of ours may know a message by its key


class Heard(NamedTuple):
    """What one request came to: the status, or the kind of error where none came."""

    status: int
    retry_after_s: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a try. `is_refused`: the service will never take this very message."""

    is_delivered: bool
    reason: str = ""
    note: str = ""
    is_refused: bool = False
    retry_after_s: float = 0.0


_HEARD: ContextVar[list[Heard] | None] = ContextVar("heard", default=None)


class Channel:
    """A named address. Raises `ConfigError`, without the address, for one that is none."""

    def __init__(self, name: str, url: str, *, variable: str) -> None:
        _listen()
        self.name = name
        self._url = url
        self._variable = variable
        self._plain = self._plugin("text")
        self.service = _service_of(self._plain)
        self.limits: Limits = BY_SERVICE.get(self.service, OTHERS)
        self._rich = self._plugin("markdown") if self.limits.is_rich else self._plain

    @property
    def shows_charts(self) -> bool:
        """True where a picture can be attached as a file."""
        return self.service in _CHART_APART | _CHART_WITHIN

    def send(self, notice: Notice, chart: bytes | None = None) -> Answer:
        """Try once: with form, and as plain text where that is refused. Blocks; never raises."""
        plain = plain_payload(notice, self.limits)
        first = rich_payload(notice, self.limits) if self.limits.is_rich else plain
        within = chart if self.service in _CHART_WITHIN else None
        answer = self._try(self._rich, notice, first, chart=within)
        if answer.is_refused and first is not plain:
            reason = answer.reason
            answer = self._try(self._plain, notice, plain)
            if answer.is_delivered:
                return Answer(is_delivered=True, note=f"as plain text: {reason}")
        if answer.is_delivered and chart is not None and self.service in _CHART_APART:
            shown = self._try(self._plain, notice, None, chart=chart)
            note = "" if shown.is_delivered else f"without the chart: {shown.reason}"
            return Answer(is_delivered=True, note=note)
        return answer

    def _try(
        self,
        plugin: apprise.NotifyBase,
        notice: Notice,
        payload: Payload | None,
        *,
        chart: bytes | None = None,
    ) -> Answer:
        wrong = problem(payload, self.limits) if payload else ""
        if wrong:
            return Answer(is_delivered=False, reason=f"not sent: {wrong}", is_refused=True)
        import apprise  # noqa: PLC0415  # 0.3 s, and only for who has a channel
        from apprise.attachment.memory import AttachMemory  # noqa: PLC0415

        make: Any = AttachMemory  # published without types
        picture = make(content=chart, name="chart.png", mimetype="image/png")
        attached = apprise.AppriseAttachment(picture) if chart is not None else None
        if self.service in _TAKES_KEY:
            headers: dict[str, str] = getattr(plugin, "headers", {})
            headers["Idempotency-Key"] = notice.notice_id
        heard: list[Heard] = []
        token = _HEARD.set(heard)
        try:
            is_taken = plugin.notify(
                title=payload.title if payload else "",
                body=payload.markdown() if payload else "",
                notify_type=_NOTIFY_TYPE[notice.severity],
                attach=attached,
            )
        except (OSError, ValueError, TypeError, AttributeError) as error:
            return Answer(is_delivered=False, reason=_in_words(error))
        finally:
            _HEARD.reset(token)
        return Answer(is_delivered=True) if is_taken else _refusal(heard)

    def _plugin(self, format_: str) -> apprise.NotifyBase:
        import apprise  # noqa: PLC0415  # see above

        joint = "&" if "?" in self._url else "?"
        asset = apprise.AppriseAsset(app_id="catalyst-bot", app_desc="catalyst-bot")
        plugin = apprise.Apprise.instantiate(
            f"{self._url}{joint}format={format_}", asset=asset, suppress_exceptions=True
        )
        if plugin is None:
            raise ConfigError(
                f"{self._variable}: is no address that apprise knows, such as "
                "discord://ID/TOKEN, slack://A/B/C, tgram://TOKEN/CHAT, mailto://USER:PASSWORD@HOST"
            )
        plugin.socket_connect_timeout = _CONNECT_TIMEOUT_S
        plugin.socket_read_timeout = READ_TIMEOUT_S
        return plugin


def _service_of(plugin: apprise.NotifyBase) -> str:
    """The scheme by which apprise knows the service, the shorter of two."""
    schemes: tuple[Any, ...] = (plugin.protocol, plugin.secure_protocol)
    named = next((scheme for scheme in schemes if scheme), "unknown")
    return str(named if isinstance(named, str) else named[0])


_NOTIFY_TYPE = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}


def _refusal(heard: list[Heard]) -> Answer:
    """What a no means; the last request is the one that ended the try."""
    if not heard:
        return Answer(is_delivered=False, reason="not sent")
    last = heard[-1]
    return Answer(
        is_delivered=False,
        reason=last.error or f"HTTP {last.status}",
        is_refused=last.status in {_BAD_REQUEST, _TOO_LARGE},
        retry_after_s=last.retry_after_s if last.status == _TOO_MANY else 0.0,
    )


def _in_words(error: Exception) -> str:
    """What kept a request from being answered. Never the message: it may hold the address."""
    from requests import ConnectionError as Unconnected  # noqa: PLC0415  # comes with apprise
    from requests import Timeout  # noqa: PLC0415

    if isinstance(error, Timeout):
        return "no answer in time"
    if isinstance(error, Unconnected):
        return "no connection"
    return f"not sent ({type(error).__name__})"


def _listen() -> None:
    """Hear what services answer, once for the process; and keep apprise from logging addresses."""
    from requests import RequestException  # noqa: PLC0415  # comes with apprise
    from requests.adapters import HTTPAdapter  # noqa: PLC0415

    logging.getLogger("apprise").disabled = True
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # it names every path
    send: Callable[..., Any] = HTTPAdapter.send
    if getattr(send, "is_heard", False):
        return

    def heard_send(self: HTTPAdapter, *args: Any, **options: Any) -> Any:
        heard = _HEARD.get()
        if heard is None:
            return send(self, *args, **options)
        try:
            response = send(self, *args, **options)
        except RequestException as error:
            heard.append(Heard(0, error=_in_words(error)))
            raise
        heard.append(Heard(response.status_code, _seconds(response.headers.get("Retry-After"))))
        return response

    heard_send.is_heard = True  # type: ignore[attr-defined]
    HTTPAdapter.send = heard_send  # type: ignore[method-assign]


def _seconds(text: str | None) -> float:
    """What a Retry-After asks for; a date, or nonsense, is 0 and leaves it to the back-off."""
    try:
        seconds = float(text or 0)
    except ValueError:
        return 0.0
    return min(seconds, _MAX_RETRY_AFTER_S) if seconds > 0 else 0.0
