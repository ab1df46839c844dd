"""Where settings and secrets come from: a file, the environment, secret files.

Apart from `settings.py`, which checks values, because the kill switch has no time to load what
checks them, and must work with a configuration of which another part is wrong.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalyst_bot.domain.errors import ConfigError

ENV_PREFIX = "CATALYST_"
ENV_SEPARATOR = "__"
DEFAULT_FILE = Path("catalyst.toml")

Layer = dict[str, tuple[str, Any]]
"""Values by `section.key`, each with where it came from."""


def secret(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """Return a secret from the environment, or from the file that `<name>_FILE` names.

    Raises `ConfigError` when that file cannot be read. Secrets are never logged or recorded.
    """
    given = os.environ if environ is None else environ
    if given.get(name):
        return given[name]
    file = given.get(f"{name}_FILE")
    if not file:
        return None
    try:
        return Path(file).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}_FILE: {file} cannot be read: {error}") from error


def from_file(file: Path | None) -> Layer:
    """Return what a file sets; without a name the default file, which may be missing.

    Raises `ConfigError` for a file that is named and missing, or no TOML.
    """
    path = file if file is not None else DEFAULT_FILE
    if not path.exists():
        if file is None:
            return {}
        raise ConfigError(f"{path}: no such file; name an existing file with --config")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable as TOML: {error}") from error
    found: Layer = {}
    for section, values in content.items():
        if not isinstance(values, dict):
            raise ConfigError(f"{path}: {section} stands outside a section; write [section] first")
        for name, value in values.items():
            found[f"{section}.{name}"] = (str(path), value)
    return found


def from_environment(environ: Mapping[str, str]) -> Layer:
    """Return what variables such as `CATALYST_RISK__MAX_POSITION_FRACTION` set.

    Raises `ConfigError` for a list that is no JSON.
    """
    found: Layer = {}
    for name, text in sorted(environ.items()):
        if name.startswith(ENV_PREFIX) and ENV_SEPARATOR in name:
            section, _, key = name.removeprefix(ENV_PREFIX).lower().partition(ENV_SEPARATOR)
            found[f"{section}.{key}"] = (f"environment {name}", _env_value(name, text))
    return found


def _env_value(name: str, text: str) -> Any:
    """Lists are written as JSON; everything else is text that the setting's type reads."""
    if not text.startswith("["):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"environment {name}: a list is written as JSON: {error}") from error
