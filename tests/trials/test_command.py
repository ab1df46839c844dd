"""`catalyst-bot simulate`: what it says, writes and returns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalyst_bot.cli import app
from catalyst_bot.trials import report
from catalyst_bot.trials.faults import FAULTS
from catalyst_bot.trials.schedule import LEAST_STEPS


def run(*arguments: str):
    return CliRunner().invoke(app, ["simulate", *arguments])


def test_a_summary_in_words_and_for_machines(tmp_path: Path):
    file = tmp_path / "summary.json"
    result = run("--seeds", "0..3", "--jobs", "1", "--json", str(file))
    assert result.exit_code == 0, result.output
    assert "3 schedules" in result.output
    told = json.loads(file.read_text())
    assert told["seeds"] == 3
    assert LEAST_STEPS <= told["fewest_steps"] <= told["steps"] / 3
    assert told["violations"] == []
    assert set(told["faults"]) == set(FAULTS)
    assert told["seconds"] > 0


def test_two_processes_play_what_one_plays(tmp_path: Path):
    told = []
    for jobs in ("1", "2"):
        file = tmp_path / f"{jobs}.json"
        assert run("--seeds", "0..4", "--jobs", jobs, "--json", str(file)).exit_code == 0
        told.append(json.loads(file.read_text()))
    assert [each["steps"] for each in told] == [told[0]["steps"]] * 2
    assert told[0]["faults"] == told[1]["faults"]
    assert told[0]["fewest_steps"] == told[1]["fewest_steps"]


def test_one_schedule_as_a_story():
    result = run("--seed", "3", "--trace")
    assert result.exit_code == 0
    assert "bot      starts, life 1" in result.output
    assert "RunStarted(" in result.output
    assert "lives, journal" in result.output


def test_a_broken_promise_is_exit_code_6(tmp_path: Path):
    file = tmp_path / "found.json"
    bug = ("--planted-bug", "no-client-id", "--jobs", "1", "--json", str(file))
    result = run("--seeds", "0..20", *bug)
    assert result.exit_code == 6
    found = json.loads(file.read_text())
    assert found["planted_bug"] == "no-client-id"
    assert found["violations"][0]["invariant"] == "I5 written before sent"


def test_a_fault_that_never_happens_is_exit_code_7(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(report, "SEEN_WITHIN", 2)
    result = run("--seeds", "0..2", "--jobs", "1")
    assert result.exit_code == 7
    assert "never seen" in result.output


def test_a_bug_that_is_not_found_is_exit_code_7():
    bug = ("--planted-bug", "the-latch-is-not-looked-at", "--jobs", "1")
    result = run("--seed", "0", "--faults", "none", *bug)
    assert result.exit_code == 7
    assert "the-latch-is-not-looked-at: not found" in result.output


@pytest.mark.parametrize(
    "wrong",
    [
        ("--seeds", "5..5"),
        ("--seeds", "-1..2"),
        ("--seeds", "many"),
        ("--seeds", "5"),
        ("--seed", "1", "--seeds", "0..3"),
        ("--faults", "earthquake"),
        ("--faults", ""),
        ("--soak", "inf"),
        ("--planted-bug", "gremlin"),
        ("--planted-bug", ""),
        ("--trace",),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: tuple[str, ...]):
    assert run(*wrong, "--jobs", "1").exit_code == 3
