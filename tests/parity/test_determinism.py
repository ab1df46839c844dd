"""Nothing but the inputs decides: not the process's hash seed, and nothing that comes later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from catalyst_bot.bootstrap.run import ReplayRequest
from catalyst_bot.domain.messages.decisions import StopMoved, StoryTold
from catalyst_bot.domain.messages.facts import HeadlineReceived, MarketViewReceived, OrderFilled
from catalyst_bot.market_data.bar_store import BarColumns, BarStore
from catalyst_bot.runtime.replay import Tape
from tests.replays import Played, as_bytes, first_difference, generated, play

ROOT = Path(__file__).parents[2]


def hash_under(folder: Path, hash_seed: str) -> str:
    command = ["demo", "--mode", "backtest", "--exit", "--data-dir", str(folder), "--json", "-"]
    done = subprocess.run(
        [sys.executable, "-m", "catalyst_bot", *command],
        env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        timeout=60,
        check=False,
    )
    return str(json.loads(done.stdout)["journal_hash"])


def test_the_hash_seed_of_the_process_changes_nothing(tmp_path: Path):
    assert hash_under(tmp_path / "a", "0") == hash_under(tmp_path / "b", "4242")


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> ReplayRequest:
    return generated(tmp_path_factory.mktemp("ahead"))


@pytest.fixture(scope="module")
def original(request_: ReplayRequest) -> Played:
    return play(request_)


def changed_after(tape: Tape, at: datetime) -> Tape:
    """The tape with every bar that closes, and every headline that arrives, after `at` changed.

    A bar that is open at `at` has printed its open already: that price stays.
    """
    store = tape.bars
    assert isinstance(store, BarStore)
    return replace(
        tape,
        bars=BarStore(
            {s: _other_future(store._columns[s], at.timestamp()) for s in store.symbols},
            interval_s=store.interval_s,
        ),
        news=tuple(_other_words(item) if item.at > at else item for item in tape.news),
    )


def _other_future(bars: BarColumns, at_s: float) -> BarColumns:
    opens_later, closes_later = bars.opened_s > at_s, bars.closed_s > at_s
    rng = np.random.default_rng(0)
    factor = np.where(closes_later, rng.uniform(0.7, 1.4, len(bars.close)), 1.0)
    opening = bars.open * np.where(opens_later, factor, 1.0)
    close = bars.close * factor
    return replace(
        bars,
        open=opening,
        close=close,
        high=np.maximum(np.maximum(opening, close), bars.high * factor),
        low=np.minimum(np.minimum(opening, close), bars.low * factor),
        volume=np.where(closes_later, bars.volume * 3 + 1, bars.volume),
    )


def _other_words(item: object) -> object:
    """Another story instead of the one that was told: new events, retellings and retractions."""
    if not isinstance(item, HeadlineReceived):
        return item
    told = item.headline.title
    others = (f"FDA approves everything of {told}", f"Report was false: {told}", f"{told}, again")
    title = others[len(told) % len(others)]
    return replace(item, headline=replace(item.headline, title=title))


def decision_times(played: Played) -> list[datetime]:
    """Moments of a story, of a look at the market, of fills and of stops."""
    told = {r.at for r in played.records if isinstance(r.body, StoryTold)}
    looks = {r.at for r in played.records if isinstance(r.body, MarketViewReceived)}
    moves = {r.at for r in played.records if isinstance(r.body, OrderFilled | StopMoved)}
    return sorted({*sorted(looks)[::6], *sorted(moves)[::12], *sorted(told)[::12]})


def played_on(request: ReplayRequest, tape: Tape, until: datetime) -> list[tuple[object, ...]]:
    """What is recorded up to a moment (that moment included) when this is the tape."""
    recording = replace(request.recording, tape=replace(tape, end=until), store=tape.bars)  # type: ignore[arg-type]
    *records, _stopped = play(replace(request, recording=recording)).records
    return list(as_bytes(records))


def test_a_different_future_changes_no_decision_of_the_past(
    request_: ReplayRequest, original: Played
):
    times = decision_times(original)
    assert len(times) >= 8
    for at in times:
        other = played_on(request_, changed_after(request_.recording.tape, at), at)
        past = list(as_bytes(record for record in original.records if record.at <= at))
        assert not first_difference(past, other), at


def test_a_different_present_is_seen(request_: ReplayRequest, original: Played):
    """The test above can fail: what changes a while before a decision does change it."""
    at = decision_times(original)[4]
    tape = changed_after(request_.recording.tape, at - timedelta(minutes=30))
    past = list(as_bytes(record for record in original.records if record.at <= at))
    assert played_on(request_, tape, at) != past
