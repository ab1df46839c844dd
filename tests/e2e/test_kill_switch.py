"""The kill switch: set from outside, obeyed at once, until a person resumes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot import kill
from catalyst_bot.bootstrap import run
from catalyst_bot.domain.enums import Mode, OrderRole, PositionsPolicy, TradingState
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.storage.read_model import ReadModel
from tests.e2e.commands import catalyst_bot
from tests.replays import generated

ROOT = Path(__file__).parents[2]
SPEED = 40_000.0  # the two days in three seconds: the mailbox is looked at a dozen times
PATIENCE_S = 30.0


def records_of(journal: Path) -> list[Recorded]:
    with ReadModel(f"sqlite:///{journal}") as model:
        return list(model.records())


def played_with(
    folder: Path, listener: Callable[[Sequence[Recorded]], None]
) -> tuple[list[Recorded], TradingState]:
    request = generated(folder, mode=Mode.PAPER)
    outcome = run.replay(replace(request, speed=SPEED, listeners=(listener,)))
    return records_of(request.journal), outcome.trading_state


def entries(records: Sequence[Recorded]) -> list[str]:
    return [
        r.body.order.client_order_id
        for r in records
        if isinstance(r.body, d.OrderApproved) and r.body.order.role is OrderRole.ENTRY
    ]


def index_of(records: Sequence[Recorded], kind: type) -> int:
    return next(index for index, record in enumerate(records) if isinstance(record.body, kind))


class Operator:
    """Acts once, right after the first batch that holds a message of a kind."""

    def __init__(self, when: type, act: Callable[[], Any]) -> None:
        self._when, self._act, self.acted_after = when, act, 0

    def __call__(self, batch: Sequence[Recorded]) -> None:
        if not self.acted_after and any(isinstance(r.body, self._when) for r in batch):
            self._act()
            self.acted_after = batch[-1].seq


def test_no_entry_reaches_the_venue_once_the_latch_is_set(tmp_path: Path):
    """Not even those approved before the running bot has looked into its mailbox."""
    set_latch = ["--hold", "--data-dir", str(tmp_path), "--reason", "test"]
    operator = Operator(d.PositionOpened, lambda: kill.main(set_latch))
    records, state = played_with(tmp_path, operator)
    assert state is TradingState.HALTED
    after = records[operator.acted_after :]
    sent = {
        r.body.order.client_order_id
        for r in after
        if isinstance(r.body, SubmitOrder) and r.body.order.role is OrderRole.ENTRY
    }
    accepted = {r.body.client_order_id for r in after if isinstance(r.body, f.OrderAccepted)}
    suppressed = {r.body.client_order_id for r in after if isinstance(r.body, f.SubmitSuppressed)}
    assert not sent & accepted
    assert sent <= suppressed
    halted = index_of(records, d.TradingHalted)
    assert entries(records[:halted])
    assert not entries(records[halted:])
    refused = [r.body.rule for r in records[halted:] if isinstance(r.body, d.OrderRefused)]
    assert "trading_state" in refused


def test_hold_keeps_positions_and_their_stops(tmp_path: Path):
    def hold() -> None:
        kill.set_latch(tmp_path, policy=PositionsPolicy.HOLD, reason="test", by="test")

    records, _ = played_with(tmp_path, Operator(d.PositionOpened, hold))
    halted = index_of(records, d.TradingHalted)
    reasons = [
        r.body.trade.exit_reason for r in records[halted:] if isinstance(r.body, d.PositionClosed)
    ]
    assert reasons
    assert "halt" not in reasons


def test_a_signal_halts_a_replay_as_it_halts_a_live_run(tmp_path: Path):
    operator = Operator(d.PositionOpened, lambda: os.kill(os.getpid(), signal.SIGUSR1))
    records, state = played_with(tmp_path, operator)
    assert state is TradingState.HALTED
    (halted,) = [r.body for r in records if isinstance(r.body, f.OperatorHalted)]
    assert (halted.by, halted.reason) == ("signal", "SIGUSR1")
    assert OperatorMailbox(tmp_path).is_halted()


def test_close_leaves_every_position(tmp_path: Path):
    def close() -> None:
        kill.set_latch(tmp_path, policy=PositionsPolicy.CLOSE, reason="test", by="test")

    records, _ = played_with(tmp_path, Operator(d.PositionOpened, close))
    halted = index_of(records, d.TradingHalted)
    opened = {
        r.body.position.trade_id for r in records[:halted] if isinstance(r.body, d.PositionOpened)
    }
    closed = [r.body.trade for r in records if isinstance(r.body, d.PositionClosed)]
    assert opened <= {trade.trade_id for trade in closed}
    assert "halt" in [trade.exit_reason for trade in closed]


def test_resume_lets_it_trade_again(tmp_path: Path):
    mailbox = OperatorMailbox(tmp_path)

    def halt() -> None:
        mailbox.halt(by="test", reason="look", positions_policy=PositionsPolicy.HOLD)

    halting = Operator(d.PositionOpened, halt)
    resuming = Operator(d.TradingHalted, lambda: mailbox.resume(by="test", reason="fine"))

    def both(batch: Sequence[Recorded]) -> None:
        halting(batch)
        resuming(batch)

    records, _ = played_with(tmp_path, both)
    resumed = index_of(records, d.TradingResumed)
    assert resumed > index_of(records, d.TradingHalted)
    assert entries(records[resumed:])


def process(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "CATALYST_DASHBOARD__ENABLED": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def wait_until(journal: Path, kind: type, bot: subprocess.Popen[str]) -> None:
    """Wait until a running bot has recorded a message of a kind."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and bot.poll() is None:
        if status_of(journal) is not None and any(
            isinstance(record.body, kind) for record in records_of(journal)
        ):
            return
        time.sleep(0.1)
    raise AssertionError(f"no {kind.__name__} within {PATIENCE_S} s")


def status_of(journal: Path) -> dict[str, Any] | None:
    said = catalyst_bot("status", "--journal", str(journal), "--json", "-")
    return json.loads(said.out)["status"] if said.code == 0 else None


def test_another_process_stops_a_running_one(tmp_path: Path):
    journal = tmp_path / "killed.db"
    command = ["catalyst_bot", "demo", "--seed", "7", "--exit", "--data-dir", str(tmp_path)]
    command += ["--journal", str(journal)]
    bot = process(*command, "--speed", "7200")
    try:
        wait_until(journal, d.OrderApproved, bot)
        killer = process("catalyst_bot.kill", "--hold", "--data-dir", str(tmp_path))
        assert "HALT latch set" in killer.communicate(timeout=PATIENCE_S)[0]
        wait_until(journal, d.TradingHalted, bot)
        approved = entries(records_of(journal))
        assert status_of(journal)["trading_state"] == "halted"  # type: ignore[index]
        time.sleep(0.5)  # an hour of the session
        bot.send_signal(signal.SIGINT)
        bot.communicate(timeout=PATIENCE_S)
    finally:
        bot.kill()
    again = process(*command)
    again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 5
    records = records_of(journal)
    assert entries(records) == approved
    assert any(isinstance(r.body, d.OrderRefused) for r in records)
    told = catalyst_bot("status", "--journal", str(journal))
    assert "HALTED (kill_switch)" in told.out or "HALTED (operator)" in told.out


@pytest.mark.parametrize("flag", ["--deadline-s", "--watch-s"])
@pytest.mark.parametrize("words", ["nan", "inf", "-1", "soon"])
def test_a_press_that_would_never_end_is_refused(
    flag: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as refused:
        kill.main(["--hold", "--data-dir", str(tmp_path), f"{flag}={words}"])
    assert refused.value.code == 2
    assert f"{flag}: {words}: give seconds" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_keeps_nobody_from_being_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    told: list[int] = []
    monkeypatch.setattr(kill, "_tell_people", lambda *args: told.append(args[-1].code))
    (tmp_path / "file").touch()
    wrong = str(tmp_path / "file" / "report.json")
    assert kill.main(["--hold", "--data-dir", str(tmp_path / "data"), "--json", wrong]) == 0
    assert told == [0]
    said = capsys.readouterr()
    assert f"--json {wrong}: the report is not written" in said.err
    assert f"Resume with: catalyst-bot resume --reason '...' --data-dir {tmp_path}" in said.out


def test_who_did_not_halt_is_not_told_how_to_resume(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "file").touch()
    assert kill.main(["--hold", "--data-dir", str(tmp_path / "file" / "data")]) != 0
    assert "Resume with" not in capsys.readouterr().out


@pytest.fixture
def terminal() -> Iterator[None]:
    """Processes started now have one, also where the tests were started without (nohup)."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    "told", [[signal.SIGTERM], [signal.SIGHUP], [signal.SIGINT, signal.SIGINT]], ids=str
)
def test_a_replay_that_is_ended_ends_in_order(
    tmp_path: Path, told: list[signal.Signals], terminal: None
):
    """However it is told, and however often: its page is put away, and it says how to go on."""
    command = ["demo", "--speed", "1200", "--data-dir", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-m", "catalyst_bot", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            next(line for line in lines if "its votes are shown" in line)  # it plays
            for each in told:
                process.send_signal(each)
            rest = process.communicate(timeout=PATIENCE_S)[0]
        finally:
            process.kill()
    assert process.returncode == 0
    assert "catalyst-bot: stopped; the same command goes on where it stopped" in rest
    assert "Traceback" not in rest


def test_a_latch_is_shown_though_no_run_has_seen_it(tmp_path: Path):
    played = catalyst_bot("demo", "--mode", "backtest", "--exit", "--data-dir", str(tmp_path))
    assert played.code in {0, 5}
    where = ("--data-dir", str(tmp_path))
    assert "HALT latch" not in catalyst_bot("status", *where).out
    assert catalyst_bot("halt", *where).code == 0
    assert "HALT latch is set: no entry is sent" in catalyst_bot("status", *where).out
    assert json.loads(catalyst_bot("status", "--json", "-", *where).out)["halt_latch"] is True
    assert "HALT latch is set: no entry is sent" in catalyst_bot("risk", *where).err
