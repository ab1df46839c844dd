"""Every 2xx body against Alpaca's own OpenAPI documents (they ship in alpaca-mcp-server)."""

from __future__ import annotations

import json
import re
from functools import cache, partial
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

_BASE = "urn:alpaca:{document}"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
TRADING, DATA = "trading-api", "market-data-api"


@cache
def document(name: str = TRADING) -> dict[str, Any]:
    """Return one of the official documents."""
    text = (files("alpaca_mcp_server") / "specs" / f"{name}.json").read_text(encoding="utf-8")
    spec: dict[str, Any] = json.loads(text)
    return spec


@cache
def _registry(name: str) -> Registry[Any]:
    resource = Resource(contents=document(name), specification=DRAFT202012)
    return Registry().with_resource(_BASE.format(document=name), resource)


def schema_of(method: str, path: str, status: int, name: str = TRADING) -> dict[str, Any]:
    """Return the schema of an answer's body; KeyError when the document has none."""
    operation = document(name)["paths"][path][method.lower()]
    content = operation["responses"][str(status)]["content"]
    return dict(content["application/json"]["schema"])


@cache
def _validator(method: str, path: str, status: int, name: str) -> Draft202012Validator:
    pointer = "/".join(
        part.replace("~", "~0").replace("/", "~1")
        for part in ("paths", path, method.lower(), "responses", str(status))
    )
    schema_of(method, path, status, name)
    reference = f"{_BASE.format(document=name)}#/{quote(pointer)}/content/application~1json/schema"
    return Draft202012Validator(
        {"$ref": reference}, registry=_registry(name), format_checker=_formats()
    )


@cache
def _formats() -> FormatChecker:
    """UUIDs and dates as usual, times as RFC 3339, and Alpaca's decimals as text."""
    checker = FormatChecker(formats=("uuid", "date"))
    for name, pattern in (("date-time", _TIME), ("decimal", _DECIMAL)):
        checker.checks(name)(partial(_matches, pattern))
    return checker


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return not isinstance(value, str) or pattern.fullmatch(value) is not None


def validate(method: str, path: str, status: int, body: Any, name: str = TRADING) -> None:
    """Raise `AssertionError` with every way in which `body` is not what Alpaca documents.

    `path` is the document's own, with its placeholders. A 204 has no body to look at. The list of
    activities of one type says `oneOf` two schemas that share every field of a fill, so that not
    even the document's example is valid: there any of the two will do.
    """
    if status == 204:
        assert body in (None, "", b""), body
        return
    errors = list(_validator(method, path, status, name).iter_errors(body))
    if path == "/v2/account/activities/{activity_type}":
        errors = [e for e in errors if not (e.validator == "oneOf" and not e.context)]
    found = [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]
    assert not found, f"{method} {path} {status}:\n" + "\n".join(found)
