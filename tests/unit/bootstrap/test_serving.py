"""The dashboard's address is free again however a run ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.bootstrap import serving
from catalyst_bot.bootstrap.live import LiveRequest
from catalyst_bot.bootstrap.requests import Asked, live_feeds_of
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.monitoring.dashboard.server import listen
from tests.replays import generated


def replay_of(data_dir: Path) -> Callable[..., Any]:
    request = generated(data_dir, mode=Mode.PAPER)
    return lambda **told: serving.replay_and_serve(request, stays=True, **told)


def following(data_dir: Path) -> Callable[..., Any]:
    request = live_feeds_of(Asked(mode=Mode.PAPER, is_dry_run=False, data_dir=data_dir))
    return lambda **told: serving.follow_and_serve(request, **told)


@pytest.mark.parametrize("made", [replay_of, following])
def test_a_run_that_fails_at_its_start_leaves_no_socket(
    made: Callable[[Path], Callable[..., Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CATALYST_DASHBOARD__PORT", "0")
    monkeypatch.setenv("CATALYST_FEEDS__RSS_URLS", '["http://wire.example/rss"]')
    run, said = made(tmp_path), []

    def refuse(_: Any) -> Any:
        raise ConfigError("the journal is of other inputs")

    for name in ("replay", "follow"):
        monkeypatch.setattr(serving, name, refuse)
    with pytest.raises(ConfigError, match="other inputs"):
        run(say=said.append, on_result=lambda _: None)
    (port,) = [int(found[1]) for line in said if (found := re.search(r"dashboard: .*:(\d+)", line))]
    with listen("127.0.0.1", port) as free:  # else `listen` says that it is taken
        assert free.getsockname()[1] == port


def test_where_orders_go_is_said_when_nothing_refuses_the_start_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CATALYST_DASHBOARD__ENABLED", "false")
    monkeypatch.setenv("CATALYST_FEEDS__RSS_URLS", '["http://wire.example/rss"]')
    said: list[str] = []

    def start(request: LiveRequest) -> Any:
        assert said == []
        request.on_ready()
        assert "following" in said[0]
        raise ConfigError("that is all")

    monkeypatch.setattr(serving, "follow", start)
    with pytest.raises(ConfigError, match="that is all"):
        following(tmp_path)(say=said.append, on_result=lambda _: None)
