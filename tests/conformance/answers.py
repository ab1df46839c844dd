"""What an exchange answered, held against Alpaca's OpenAPI documents and its error envelope."""

from __future__ import annotations

import json
import re
from functools import cache
from urllib.parse import unquote, urlsplit

from tests.exchange.openapi import DATA, TRADING, document, validate

_PLACE = re.compile(r"\\\{[^}]*\\\}")
_GATEWAY = {401, 403, 413}


@cache
def _templates() -> list[tuple[re.Pattern[str], str, str]]:
    """All documented paths, those without placeholders first."""
    paths = [(path, name) for name in (TRADING, DATA) for path in document(name)["paths"]]
    paths.sort(key=lambda entry: (entry[0].count("{"), entry[0]))
    return [(re.compile(_PLACE.sub("[^/]+", re.escape(path))), path, name) for path, name in paths]


@cache
def template_of(method: str, path: str) -> tuple[str, str] | None:
    """Return the documented path (and its document) that a request's path is one of."""
    for pattern, template, name in _templates():
        if pattern.fullmatch(path) and method.lower() in document(name)["paths"][template]:
            return template, name
    return None


class Answers:
    """Collects what is wrong with the answers of one exchange, and which calls were seen.

    The documents say that every closed position comes with an order, but one that could not be
    closed comes with an error (alpaca-py has a class for it): those are left out.
    """

    def __init__(self) -> None:
        self.seen: set[tuple[str, str, int]] = set()
        self.wrong: list[str] = []

    def look(
        self, method: str, url: str, status: int, body: bytes, media_type: str = "application/json"
    ) -> None:
        """Look at one answer. What is wrong with it is kept for `check`."""
        try:
            self._look(method, url, status, body, media_type)
        except AssertionError as error:
            self.wrong.append(f"{method} {url} -> {status}: {error}")

    def check(self) -> None:
        """Fail with everything that was wrong since the last check."""
        wrong, self.wrong = self.wrong, []
        assert not wrong, "\n".join(wrong)

    def _look(self, method: str, url: str, status: int, body: bytes, media_type: str) -> None:
        path = re.sub("/{2,}", "/", unquote(urlsplit(url).path))
        assert status != 500, body[:500]
        if path.startswith("/admin"):
            return
        if status >= 400:
            check_envelope(status, body, media_type)
            return
        found = template_of(method, path)
        assert found, "no documented path"
        template, name = found
        self.seen.add((method, template, status))
        told = json.loads(body) if body else None
        if (method, template) == ("DELETE", "/v2/positions"):
            told = [closed for closed in told if closed["status"] == 200]
        validate(method, template, status, told, name)


def check_envelope(status: int, body: bytes, media_type: str = "application/json") -> None:
    """Raise `AssertionError` unless an error body is one of Alpaca's.

    It is an object with a `message`, mostly a `code`, its keys in alphabetical order. Missing keys
    and bodies too large get the page of the web server in front of it.
    """
    if status in _GATEWAY and media_type.startswith("text/html"):
        assert b"nginx" in body, body[:500]
        return
    told = json.loads(body)
    assert isinstance(told, dict), told
    assert isinstance(told.get("message"), str), told
    assert told["message"], told
    assert isinstance(told.get("code", 0), int), told
    assert list(told) == sorted(told), told
