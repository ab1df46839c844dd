"""The bot on PostgreSQL when it, its session or the server dies: never without a journal."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from catalyst_bot.bootstrap import run
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.errors import JournalUnwritable
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.runtime.effects import Effects
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import PostgresPlace
from catalyst_bot.storage.proof import prove
from catalyst_bot.storage.read_model import ReadModel
from tests.crash.test_crash_on_disk import catalyst_bot as bot_process
from tests.crash.test_crash_on_disk import result
from tests.e2e.commands import catalyst_bot
from tests.postgres import Postgres, running
from tests.replays import first_difference, generated, story

NO_PAGE = {"CATALYST_DASHBOARD__ENABLED": "false"}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server that may be stopped, unlike the one that the other tests share."""
    with running() as own:
        yield own


@pytest.fixture
def place(server: Postgres) -> PostgresPlace:
    return server.place()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same session, uninterrupted, in a file."""
    journal = run.replay(generated(tmp_path_factory.mktemp("whole"))).journal
    assert isinstance(journal, Path)
    return journal


def recorded(place: PostgresPlace | Path) -> list[Recorded]:
    with ReadModel(place) as model:
        return list(model.records())


def assert_same_story(place: PostgresPlace, finished: Path) -> None:
    assert not first_difference(story(recorded(place)), story(recorded(finished)))
    assert result(place) == result(finished)
    assert prove(place).is_whole


def test_a_run_is_the_same_in_both_databases(tmp_path: Path, place: PostgresPlace, finished: Path):
    run.replay(replace(generated(tmp_path), journal=place))
    assert prove(place).journal_hash == prove(finished).journal_hash
    assert result(place) == result(finished)


@pytest.mark.parametrize(
    ("mode", "commit", "when"),
    [
        ("backtest", 150, "before"),
        ("paper-trading", 100, "after"),
        ("paper-trading", 250, "before"),
    ],
)
def test_kill_9_and_the_same_command_again(
    tmp_path: Path, place: PostgresPlace, finished: Path, mode: str, commit: int, when: str
):
    command = ["demo", "--seed", "7", "--mode", mode, "--exit"]
    command += ["--data-dir", str(tmp_path), "--journal", str(place)]
    assert bot_process(*command, killed_at=(commit, when)) == -signal.SIGKILL
    assert recorded(place)
    assert bot_process(*command) in {0, 5}
    assert_same_story(place, finished)


def break_at(
    patch: pytest.MonkeyPatch, server: Postgres, commit: int, when: str, mode: str
) -> None:
    """Stop the server around the n-th commit of the journal."""
    append, commits = SqlJournal.append, 0

    def append_and_break(self: SqlJournal, batch: Sequence[Recorded]) -> None:
        nonlocal commits
        commits += 1
        if commits == commit and when == "before":
            server.stop(mode)
        append(self, batch)
        if commits == commit and when == "after":
            server.stop(mode)

    patch.setattr(SqlJournal, "append", append_and_break)


@pytest.mark.parametrize(
    ("mode", "commit", "when", "how"),
    [
        ("backtest", 120, "before", "immediate"),
        ("paper-trading", 1, "after", "immediate"),
        ("paper-trading", 120, "before", "fast"),
        ("paper-trading", 200, "after", "immediate"),
    ],
)
def test_a_server_that_dies_stops_the_bot_at_once_and_nothing_is_lost(
    tmp_path: Path, server: Postgres, finished: Path, mode: str, commit: int, when: str, how: str
):
    place = server.place()
    command = ["demo", "--seed", "7", "--mode", mode, "--exit"]
    command += ["--data-dir", str(tmp_path), "--journal", str(place)]
    submitted: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        break_at(patch, server, commit, when, how)
        note_submits(patch, submitted)
        said = catalyst_bot(*command, env=NO_PAGE)
    assert said.code == 6, said.err
    assert "takes no more" in said.err
    assert "Traceback" not in said.err
    dead = catalyst_bot(*command, env=NO_PAGE)
    assert dead.code == 4, "a bot without its journal does not start"
    server.start()
    left = recorded(place)
    assert catalyst_bot(*command, env=NO_PAGE).code in {0, 5}
    if mode == "paper-trading":  # a server may lose what a backtest did not wait for
        promised = {r.body.order.client_order_id for r in left if isinstance(r.body, SubmitOrder)}
        assert set(submitted) <= promised, "an order left before its commit"
        assert_same_story(place, finished)


def note_submits(patch: pytest.MonkeyPatch, submitted: list[str]) -> None:
    """Note every order that is handed to a broker."""
    execute = Effects._execute

    def noted(self: Effects, command: object) -> None:
        if isinstance(command, SubmitOrder):
            submitted.append(command.order.client_order_id)
        execute(self, command)

    patch.setattr(Effects, "_execute", noted)


def test_a_session_cut_in_the_middle_stops_the_bot(
    tmp_path: Path, server: Postgres, place: PostgresPlace, finished: Path
):
    request = replace(generated(tmp_path, mode=Mode.PAPER), journal=place)
    append, commits = SqlJournal.append, 0

    def cut(self: SqlJournal, batch: Sequence[Recorded]) -> None:
        nonlocal commits
        commits += 1
        if commits == 150:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                "application_name LIKE 'catalyst-bot %'"
            )
        append(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqlJournal, "append", cut)
        with pytest.raises(JournalUnwritable):
            run.replay(request)
    assert run.replay(request).resumed_after_seq > 0
    assert_same_story(place, finished)


def test_a_second_bot_is_refused(tmp_path: Path, place: PostgresPlace):
    with SqlJournal(place):
        command = ["demo", "--exit", "--data-dir", str(tmp_path), "--journal", str(place)]
        said = catalyst_bot(*command, env=NO_PAGE)
    assert said.code == 3
    assert "already writes the journal" in said.err
