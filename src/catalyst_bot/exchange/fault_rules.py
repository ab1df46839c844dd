"""Faults on demand: what a rule may say, read from TOML or JSON.

A rule says what it looks at (`match`), when among those it fires (`when`) and what happens
(`action`). Rules without `stream` are for HTTP requests, handshakes of sockets included.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from catalyst_bot.domain.errors import ConfigError

Aware = Annotated[datetime, msgspec.Meta(tz=True)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]
Chance = Annotated[float, msgspec.Meta(ge=0, le=1)]
Status = Annotated[int, msgspec.Meta(ge=200, le=599)]

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e]*")


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """Base of what a fault file may say: a word that is not known is refused."""


class Stage(StrEnum):
    """Whether the exchange has done what was asked when the fault strikes."""

    BEFORE = "before"
    AFTER = "after"


class Counted(StrEnum):
    """What a rule of a stream looks at."""

    EVENT = "event"
    CONNECT = "connect"


class When(Words, frozen=True, kw_only=True):
    """When a rule fires among the requests or events it matches; without a word: every time.

    `nth` counts from 1, `every` is each n-th, `times` the most it fires at all. `after` and
    `until` are times of the exchange's clock; what is outside them is not counted.
    """

    nth: Count | list[Count] | None = None
    every: Count | None = None
    probability: Chance | None = None
    times: Count | None = None
    after: Aware | None = None
    until: Aware | None = None

    def is_in_window(self, at: datetime) -> bool:
        """Whether the rule counts what happens at a time."""
        return (self.after is None or at >= self.after) and (self.until is None or at < self.until)

    def fires(self, count: int, fired: int, draw: float) -> bool:
        """Whether the rule fires at its `count`-th match, having fired so often."""
        nth = [self.nth] if isinstance(self.nth, int) else self.nth
        return (
            (self.times is None or fired < self.times)
            and (nth is None or count in nth)
            and (self.every is None or count % self.every == 0)
            and (self.probability is None or draw < self.probability)
        )


class HttpMatch(Words, frozen=True, kw_only=True):
    """Which requests: the method, and a regular expression found in the path."""

    method: str | None = None
    path: str = ""

    def __post_init__(self) -> None:
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"{self.path!r} is no regular expression: {error}") from error

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self.path)

    def covers(self, method: str, path: str) -> bool:
        """Whether a request is one of them."""
        is_method = self.method is None or self.method.upper() == method
        return is_method and self._pattern.search(path) is not None


class HttpAction(Words, frozen=True, kw_only=True):
    """What happens to a request.

    `stage` says whether the exchange does first what was asked. `delay_s` waits before going on;
    `status` with `body` (JSON), `html` and `headers` replaces the answer; `hang` never answers;
    `reset` cuts the connection; `cut_body_at` sends that many bytes of the answer and closes;
    `slow_body_bytes_per_s` sends the answer's body slowly.
    """

    stage: Stage = Stage.BEFORE
    delay_s: Seconds = 0.0
    status: Status | None = None
    body: Any = None
    html: str | None = None
    headers: dict[str, str] = {}
    hang: bool = False
    reset: bool = False
    cut_body_at: Annotated[int, msgspec.Meta(ge=0)] | None = None
    slow_body_bytes_per_s: Count | None = None

    def __post_init__(self) -> None:
        chosen = (
            self.status is not None,
            self.hang,
            self.reset,
            self.cut_body_at is not None,
            self.slow_body_bytes_per_s is not None,
        )
        if sum(chosen) > 1 or not (any(chosen) or self.delay_s):
            raise ValueError(
                "give one of status, hang, reset, cut_body_at, slow_body_bytes_per_s, or delay_s"
            )
        if self.status is None and (self.html is not None or self.body is not None or self.headers):
            raise ValueError("body, html and headers go with a status")
        for name, value in self.headers.items():
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise ValueError(f"{name!r}: {value!r} is no header")

    @property
    def only_waits(self) -> bool:
        """Whether the client gets what the exchange answers, only later."""
        spoils = (self.cut_body_at, self.slow_body_bytes_per_s)
        return not self.replaces_answer and spoils == (None, None)

    @property
    def replaces_answer(self) -> bool:
        """Whether the client gets nothing of what the exchange would answer."""
        return self.status is not None or self.hang or self.reset


class StreamMatch(Words, frozen=True, kw_only=True):
    """Which events: trade update names (fill, …) or data message types (t, q, b, n, …), symbols.

    `on` is "connect" for a rule about handshakes; that is what `refuse_connection` counts anyway.
    """

    on: Counted = Counted.EVENT
    event: str | list[str] = []
    symbol: str | list[str] = []

    def covers(self, kind: str, symbols: Sequence[str]) -> bool:
        """Whether an event is one of them."""
        return self._is(self.event, (kind,)) and self._is(self.symbol, symbols)

    @staticmethod
    def _is(wanted: str | list[str], given: Sequence[str]) -> bool:
        names = [wanted] if isinstance(wanted, str) else wanted
        return not names or any(name in names for name in given)


class StreamAction(Words, frozen=True, kw_only=True):
    """What happens to an event, or to the sockets that would get it. Exactly one.

    `drop` loses the event, `duplicate` sends it twice, `reorder` sends it after its successor,
    `delay_s` late; `mute` leaves sockets open and silent, `close` closes them with this code;
    `refuse_connection` answers a handshake with this status (406 on a data stream: its error 406).
    """

    drop: bool = False
    duplicate: bool = False
    reorder: bool = False
    delay_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    mute: bool = False
    close: Annotated[int, msgspec.Meta(ge=1000, le=4999)] | None = None
    refuse_connection: Literal[429, 406] | None = None

    def __post_init__(self) -> None:
        if sum(bool(getattr(self, name)) for name in self.__struct_fields__) != 1:
            raise ValueError(f"give exactly one of {', '.join(self.__struct_fields__)}")


class HttpRule(Words, frozen=True, kw_only=True):
    """A fault of HTTP requests."""

    action: HttpAction
    name: str = ""
    match: HttpMatch = HttpMatch()
    when: When = When()


class StreamRule(Words, frozen=True, kw_only=True):
    """A fault of one of the streams."""

    stream: Literal["trading", "data", "news"]
    action: StreamAction
    name: str = ""
    match: StreamMatch = StreamMatch()
    when: When = When()

    def __post_init__(self) -> None:
        if self.counts is Counted.CONNECT and not (
            self.action.mute or self.action.close or self.action.refuse_connection
        ):
            raise ValueError('on = "connect" goes with mute, close or refuse_connection')

    @property
    def counts(self) -> Counted:
        """What the rule looks at."""
        return Counted.CONNECT if self.action.refuse_connection else self.match.on


Rule = HttpRule | StreamRule


def read_rules(path: Path) -> list[Rule]:
    """Read a fault file: TOML with `[[rule]]` tables, or JSON with a list `rule`.

    Raises:
        ConfigError: it cannot be read; names the file, the rule and what is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
        table = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; check --faults") from error
    except ValueError as error:  # of both parsers, and of bytes that are no text
        raise ConfigError(f"{path}: is not {_format(path)}: {error}") from error
    return rules_from(table, str(path))


def rules_from(table: Any, source: str) -> list[Rule]:
    """Return the rules of `{"rule": [...]}` (or `rules`). Raises `ConfigError` naming `source`."""
    names = set(table) if isinstance(table, dict) else set()
    listed = table[names.pop()] if len(names) == 1 and names <= {"rule", "rules"} else None
    if not isinstance(listed, list):
        raise ConfigError(f'{source}: expected a list named "rule" of fault rules, nothing else')
    return [_rule(value, f"{source}: rule {n}") for n, value in enumerate(listed, 1)]


def _rule(value: Any, source: str) -> Rule:
    try:
        if isinstance(value, dict) and "stream" in value:
            return msgspec.convert(value, StreamRule)
        return msgspec.convert(value, HttpRule)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{source}: {error}; correct the rule or leave it out") from error


def _format(path: Path) -> str:
    return "JSON" if path.suffix == ".json" else "TOML"
