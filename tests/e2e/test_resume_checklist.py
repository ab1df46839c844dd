"""`resume` shows the checklist of a halted run and changes nothing while an item is open."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from catalyst_bot.bootstrap import run
from catalyst_bot.domain.enums import Mode, PositionsPolicy, TradingState
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.runtime.trade_desk import TradeDesk
from catalyst_bot.storage.read_model import ReadModel
from tests.builders import NOON
from tests.e2e.commands import catalyst_bot
from tests.replays import generated

SPEED = 40_000.0


def halted_run(folder: Path, by: str) -> Path:
    """A paper run that somebody halts at its first order."""
    mailbox = OperatorMailbox(folder)
    hold = PositionsPolicy.HOLD

    def halt_once(batch: object) -> None:
        if any(isinstance(r.body, d.OrderApproved) for r in batch):  # type: ignore[attr-defined]
            mailbox.halt(by=by, reason="drill", positions_policy=hold)

    request = replace(generated(folder, mode=Mode.PAPER), speed=SPEED, listeners=(halt_once,))
    assert run.replay(request).trading_state is TradingState.HALTED
    assert isinstance(request.journal, Path)
    return request.journal


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("halted")
    halted_run(folder, by="supervisor")
    return folder


def test_an_open_item_has_to_be_confirmed_by_name(folder: Path):
    data = ("--data-dir", str(folder))
    refused = catalyst_bot("resume", "--reason", "looked", *data)
    assert refused.code == 7
    assert "OPEN cause: halted by poison_fact" in refused.out
    assert "ok   orders: every order has an answer" in refused.out
    assert "--confirm cause" in refused.out
    assert OperatorMailbox(folder).is_halted()

    wrong = catalyst_bot("resume", "--reason", "looked", "--confirm", "weather", *data)
    assert wrong.code == 3
    assert "--confirm weather: is not on the checklist" in wrong.err

    done = catalyst_bot("resume", "--reason", "looked", "--confirm", "cause", "--json", "-", *data)
    assert done.code == 0
    told = json.loads(done.out)
    assert (told["trading_state"], told["still_open"]) == ("halted", [])
    assert not OperatorMailbox(folder).is_halted()
    (resumed,) = OperatorMailbox(folder).collect(generated(folder).recording.tape.start)
    assert (resumed.reason, resumed.confirmed) == ("looked", ("cause",))


def test_without_a_reason_nothing_is_lifted(tmp_path: Path):
    OperatorMailbox(tmp_path).halt(by="you", reason="x", positions_policy=PositionsPolicy.HOLD)
    said = catalyst_bot("resume", "--reason", " ", "--data-dir", str(tmp_path))
    assert said.code == 3
    assert OperatorMailbox(tmp_path).is_halted()


def test_without_a_run_the_latch_is_lifted(tmp_path: Path):
    OperatorMailbox(tmp_path).halt(by="you", reason="x", positions_policy=PositionsPolicy.HOLD)
    said = catalyst_bot("resume", "--reason", "fine", "--data-dir", str(tmp_path))
    assert said.code == 0
    assert "latch lifted; no bot runs here now" in said.out
    mailbox = OperatorMailbox(tmp_path)
    assert not mailbox.is_halted()
    assert mailbox.collect(NOON) == []  # a run of tomorrow was not halted, and resumes nothing
    named = catalyst_bot(
        "resume", "--reason", "fine", "--journal", "none.db", "--data-dir", str(tmp_path)
    )
    assert named.code == 3


def test_what_is_asked_is_told_to_machines_too(tmp_path: Path):
    data = ("--data-dir", str(tmp_path), "--json", "-")
    assert json.loads(catalyst_bot("reduce", "--reason", "holiday", *data).out) == {
        "asked": "reduce",
        "reason": "holiday",
    }
    desk = TradeDesk(tmp_path)
    for runs, verdict in (False, "no bot runs on"), (True, "which cancels within a second"):
        assert not runs or desk.attend()
        for flags, said in ((), "HALT latch set (hold)"), (("--close",), verdict):
            told = json.loads(catalyst_bot("halt", *flags, *data).out)
            assert said in told["verdict"]
            assert told["is_attended"] is runs
            assert told["latch_ms"] > 0
    assert OperatorMailbox(tmp_path).is_halted()


def test_a_latch_that_no_bot_obeys_now_is_told_as_that(tmp_path: Path):
    """A mistyped folder must not look like a halted bot."""
    said = catalyst_bot("halt", "--data-dir", str(tmp_path / "dta"))
    assert said.code == 0
    assert f"no bot runs on {tmp_path / 'dta'}, its next start is halted" in said.out


@pytest.mark.parametrize("command", ["resume", "reduce"])
def test_a_word_is_left_in_no_folder_that_is_not_there(tmp_path: Path, command: str):
    said = catalyst_bot(command, "--reason", "x", "--data-dir", str(tmp_path / "dta"))
    assert said.code == 3
    assert "dta: no such folder, so nothing is changed" in said.err
    assert not (tmp_path / "dta").exists()


def test_to_reduce_needs_a_reason(tmp_path: Path):
    said = catalyst_bot("reduce", "--reason", " ", "--data-dir", str(tmp_path))
    assert said.code == 3
    assert "--reason: say why only exits are left" in said.err


def test_a_run_that_is_told_to_reduces_and_is_shown_so(tmp_path: Path):
    asked = catalyst_bot("reduce", "--reason", "holiday", "--data-dir", str(tmp_path))
    assert asked.code == 0
    request = replace(generated(tmp_path, mode=Mode.PAPER), speed=SPEED)
    assert run.replay(request).trading_state is TradingState.REDUCING
    with ReadModel(f"sqlite:///{request.journal}") as model:
        status = model.status()
        assert status is not None
        assert status["trading_state"] == "reducing"
        bodies = [r.body for r in model.records()]
    at = next(n for n, body in enumerate(bodies) if isinstance(body, d.TradingReduced))
    entries = [
        b
        for b in bodies[at:]
        if isinstance(b, d.OrderApproved) and b.order.stop_loss_price is not None
    ]
    assert entries == []
    shown = catalyst_bot("status", "--data-dir", str(tmp_path))
    assert "REDUCING" in shown.out
