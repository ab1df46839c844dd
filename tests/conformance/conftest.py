"""Exchanges for the conformance tests, and accounts on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.sdk import Desk
from tests.conformance.served import Exchange, Keys, serve
from tests.conformance.world import at, write_bars, write_news

Serve = Callable[..., AbstractContextManager[Exchange]]
CALM = {"partial_probability": 0, "rate_limit_per_min": 0}


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Bars and news of the invented market."""
    folder = tmp_path_factory.mktemp("recordings")
    return write_bars(folder / "bars.parquet"), write_news(folder / "news.jsonl")


@pytest.fixture(scope="session")
def serving(recordings: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """Serves an exchange over the invented market; `knobs` are words of its knob file."""

    def start(*arguments: str | Path, start: Any = None, **knobs: Any) -> Any:
        folder = tmp_path_factory.mktemp("exchange")
        lines = [f"{name} = {_toml(value)}" for name, value in (CALM | knobs).items()]
        (folder / "knobs.toml").write_text("\n".join(lines) + "\n")
        bars, news = recordings
        return serve(
            [
                *("--bars", bars, "--news", news),
                *("--start", (start or at(14)).isoformat(), "--speed", "step"),
                *("--knobs", folder / "knobs.toml", "--db", folder / "exchange.db"),
                *arguments,
            ],
            log=folder / "log",
        )

    return start


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | int | float) else f'"{value}"'


@pytest.fixture(scope="module")
def exchange(serving: Serve) -> Iterator[Exchange]:
    """An exchange half an hour after the open; its clock moves when a test moves it."""
    with serving() as served:
        yield served


@pytest.fixture
def desk(exchange: Exchange, keys: Keys) -> Iterator[Desk]:
    """alpaca-py with an account of the test's own, whose books are checked afterwards."""
    with Desk(exchange, keys) as desk:
        yield desk
        desk.check_books()


@pytest.fixture
def keys(exchange: Exchange) -> Iterator[Keys]:
    """An account of the test's own; afterwards every answer must have been a documented one."""
    yield exchange.new_account()
    exchange.answers.check()
