"""Typed reading of the stage's TOML texts; every complaint names file, key and remedy."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from catalyst_bot.domain.errors import ConfigError


def load(text: str, file: str) -> dict[str, Any]:
    """Parse a TOML text. Raises `ConfigError` that names the file and the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: is not valid TOML: {error}") from error


class Table:
    """One table of a file, with the place it was read from."""

    def __init__(self, values: object, place: str) -> None:
        if not isinstance(values, Mapping):
            raise ConfigError(f"{place}: must be a table")
        self.values: Mapping[str, Any] = values
        self.place = place

    def fail(self, key: str, reason: str) -> ConfigError:
        """Return the error that says what is wrong with a key."""
        return ConfigError(f"{self.place}: {key}: {reason}")

    def only(self, *keys: str) -> None:
        """Refuse keys that nobody reads: they are spelling mistakes."""
        for key in self.values:
            if key not in keys:
                raise self.fail(key, f"unknown key; known are {', '.join(keys)}")

    def text(self, key: str) -> str:
        """Return a non-empty string."""
        value = self.values.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(key, "must be a text that is not empty")
        return value

    def number(self, key: str, low: float, high: float) -> float:
        """Return a number in [low, high]."""
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail(key, "must be a number")
        if not low <= value <= high:
            raise self.fail(key, f"is {value}; must be from {low:g} to {high:g}")
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings; a missing key is an empty list."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(key, "must be a list of texts")
        return tuple(value)

    def table(self, key: str) -> Table:
        """Return a table below this one; a missing key is an empty table."""
        return Table(self.values.get(key, {}), f"{self.place}: {key}")
