"""`settings.md` and `catalyst.toml`: every key with default, range and source."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from catalyst_bot.settings import Settings
from catalyst_bot.settings_sources import ENV_PREFIX, ENV_SEPARATOR
from tools.reference.markdown import SOURCES, table, toml


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key of the configuration; `default` None means that it is not set."""

    name: str
    default: Any
    example: str
    bounds: str
    meaning: str


def page() -> str:
    """Every key with default, range and source."""
    parts = [
        "# Settings",
        "Precedence: command line > environment > `catalyst.toml` (or `--config FILE`) > default. "
        f"A key `risk.max_position_fraction` is `{ENV_PREFIX}RISK{ENV_SEPARATOR}"
        "MAX_POSITION_FRACTION` in the environment. An unknown key, a value outside its range and "
        "NaN are refused with exit code 3. Where *higher*, *lower* or any *other* value than the "
        "default needs approval, trading does not start with one before a person has approved it: "
        "`catalyst-bot config approve --reason '...'`. `catalyst-bot config show --origin` tells "
        "where each "
        "effective value came from. " + SOURCES,
    ]
    for name, purpose, keys in _sections():
        rows = [
            (
                f"`{key.name}`",
                "not set" if key.default is None else f"`{key.example}`",
                key.bounds,
                key.meaning,
            )
            for key in keys
        ]
        parts += [f"## {name}", purpose, table(("key", "default", "range", "meaning"), rows)]
    return "\n\n".join(parts)


def file() -> str:
    """The commented `catalyst.toml`: every key with its default, each switched off."""
    lines = [
        "# Every setting with its default. To change one, take away the # before its key.",
        "# Written by `make docs`; explained in docs/reference/settings.md.",
    ]
    for name, purpose, keys in _sections():
        lines += ["", *(f"# {line}".rstrip() for line in purpose.splitlines()), f"[{name}]", ""]
        for key in keys:
            not_set = "not set by default" if key.default is None else ""
            told = "; ".join(filter(None, (key.bounds, key.meaning, not_set)))
            lines += [f"# {told}", f"#{key.name} = {key.example}"]
    return "\n".join(lines) + "\n"


def _sections() -> Iterator[tuple[str, str, list[Setting]]]:
    """Yield every section of the settings: name, what it is for, its keys."""
    for name, field in Settings.model_fields.items():
        kind: Any = field.annotation
        purpose = inspect.getdoc(kind) or ""
        keys = _model_keys(kind) if issubclass(kind, BaseModel) else _rules_keys(kind)
        yield name, purpose, keys


def _model_keys(kind: type[BaseModel]) -> list[Setting]:
    return [
        Setting(
            name=name,
            default=field.default,
            example=toml(field.default if field.default is not None else _example(name)),
            bounds=", ".join(_bounds(field.metadata)),
            meaning=field.description or "",
        )
        for name, field in kind.model_fields.items()
    ]


def _rules_keys(kind: type) -> list[Setting]:
    return [
        Setting(
            name=field.name,
            default=field.default,
            example=toml(field.default),
            bounds=_range(field.metadata),
            meaning=_meaning(field.metadata),
        )
        for field in dataclasses.fields(kind)
    ]


def _meaning(declared: Mapping[str, Any]) -> str:
    source = str(declared.get("source", "name recorded with every order"))
    looser = declared.get("looser")
    return f"{source}; {looser} needs approval" if looser else source


def _range(declared: Mapping[str, Any]) -> str:
    if "low" not in declared:
        return ""
    return f"{declared['low']:,} to {declared['high']:,} {declared['unit']}"


def _bounds(constraints: Iterable[Any]) -> Iterator[str]:
    words = {"gt": "above", "ge": "at least", "le": "at most"}
    for constraint in constraints:
        for name, word in words.items():
            if hasattr(constraint, name):
                yield f"{word} {getattr(constraint, name):,}"


def _example(name: str) -> object:
    return {
        "changes": 0,
        "generated_seed": 7,
        "tickers_file": Path("company_tickers.json"),
        "sentiment_model": Path("models/sentiment"),
        "finbert_dir": Path("models/finbert"),
        "knowledge_cutoff": date(2025, 6, 1),
    }[name]
