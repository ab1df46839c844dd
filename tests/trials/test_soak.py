"""A long life of the bot, and when it says that something grows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalyst_bot.bootstrap.simulating import request_of
from catalyst_bot.cli import app
from catalyst_bot.console import CONFIGURATION, REFUSED
from catalyst_bot.trials.soak import Sample, Soaked, as_lines, soak


def soaked(*samples: tuple[float, float, int, int]) -> Soaked:
    """What a soak with these hours, megabytes, files and tasks comes to."""
    rows = tuple(
        Sample(hour=hour, rss_mb=mb, files=files, tasks=tasks, messages=int(hour * 1_000))
        for hour, mb, files, tasks in samples
    )
    return Soaked(seed=1, hours=rows[-1].hour, seconds=1.0, samples=rows, violations=())


def test_a_short_life_is_sampled_and_keeps_its_promises():
    told = soak(request_of(seeds="1..2", faults="all"), 0.4)
    assert not told.violations
    assert told.hours >= 0.4
    assert len(told.samples) == 3
    assert all(each.rss_mb > 10 and each.files > 2 and each.tasks > 0 for each in told.samples)
    assert told.samples[-1].messages > 100


def test_a_night_passes_and_the_bot_lives_on():
    messages: list[int] = []
    told = soak(
        request_of(seeds="1..2", faults="none"),
        4.5,
        on_sample=lambda s: messages.append(s.messages),
    )
    assert not told.violations
    assert messages == sorted(set(messages))


@pytest.mark.parametrize(
    ("last", "leaks"),
    [
        ((12.0, 101.0, 7, 12), []),
        ((12.0, 112.0, 7, 12), ["memory by 1.10 MB/h"]),
        ((12.0, 101.0, 10, 12), ["files: 7, 10"]),
        ((12.0, 101.0, 7, 21), ["tasks: 12, 21"]),
    ],
)
def test_what_grows_after_the_warm_up_is_a_leak(
    last: tuple[float, float, int, int], leaks: list[str]
):
    told = soaked((0.0, 10.0, 1, 1), (2.0, 101.0, 7, 12), last)
    assert told.leaks == leaks
    assert told.as_json()["leaks"] == leaks
    assert len(list(as_lines(told))) == 1 + len(leaks)


def test_memory_that_is_no_number_is_a_leak():
    assert soaked((2.0, 100.0, 7, 12), (3.0, float("nan"), 7, 12)).leaks


@pytest.mark.parametrize("hours", [(0.0, 1.0), (0.0, 1.0, 2.5)])
def test_a_life_that_was_never_warm_gives_no_verdict(hours: tuple[float, ...]):
    told = soaked(*((hour, 100.0 + 50.0 * hour, 7, 12) for hour in hours))
    assert (told.is_warm, told.mb_an_hour, told.leaks) == (False, None, [])
    assert told.as_json()["mb_an_hour"] is None
    first, verdict = as_lines(told)
    assert "MB/h" not in first
    assert verdict.startswith("not warm: no verdict")


@pytest.mark.parametrize(
    "more", [("--seeds", "3..9"), ("--planted-bug", "all"), ("--jobs", "2"), ("--trace",)]
)
def test_flags_that_a_soak_does_not_heed_are_refused(more: tuple[str, ...]):
    result = CliRunner().invoke(app, ["simulate", "--soak", "0.05", "--seed", "1", *more])
    assert (result.exit_code, f"leave out {more[0]}" in result.output) == (CONFIGURATION, True)


def test_the_command_tells_and_writes_it(tmp_path: Path):
    file = tmp_path / "soak.json"
    arguments = ["simulate", "--soak", "0.05", "--seed", "2", "--json", str(file)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == REFUSED, result.output
    assert "h of the session" in result.output
    assert "not warm: no verdict" in result.output
    told = json.loads(file.read_text())
    assert told["seed"] == 2
    assert told["violations"] == told["leaks"] == []
