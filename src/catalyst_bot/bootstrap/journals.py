"""Where journals lie, and whether a run begins anew or goes on after a crash."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from pathlib import Path

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages.facts import (
    RunStarted,
    RunStopped,
    SessionClosed,
    SessionOpened,
)
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage.journal import SqlJournal

FOLDER = "journals"
SUFFIX = ".db"


def replay_path(data_dir: Path, *, label: str, settings: str, inputs_hash: str) -> Path:
    """Journal of a replay: the same inputs under the same settings give the same file."""
    digest = sha256(f"{settings}|{inputs_hash}".encode()).hexdigest()[:8]
    return data_dir / FOLDER / f"{label}-{digest}{SUFFIX}"


def live_path(data_dir: Path, account: str = "") -> Path:
    """Journal of a paper account that is traded live: one book across restarts."""
    return data_dir / FOLDER / f"live{'-' if account else ''}{account}{SUFFIX}"


def newest(data_dir: Path) -> Path:
    """The journal written last. Raises `ConfigError` when there is none."""
    folder = data_dir / FOLDER
    found = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ConfigError(
            f"no journal in {folder}: run `catalyst-bot demo` first, or name one with --journal"
        )
    return found[-1]


def open_journal(
    path: Path, *, is_durable: bool, starts_over: bool, inputs_hash: str = "", run_as: str = ""
) -> SqlJournal:
    """Open a journal to write.

    With `starts_over` a *finished* run is set aside, because the same replay gives the same
    journal again; an unfinished one is kept and resumed. `run_as` is what `run_as_of` says of the
    run to resume. Raises `ConfigError` for a journal of other inputs, or begun in another way.
    """
    journal = SqlJournal(f"sqlite:///{path}", durable=is_durable)
    try:
        _check_same_run(journal, inputs_hash=inputs_hash, run_as=run_as)
    except ConfigError:
        journal.close()
        raise
    if starts_over and is_finished(journal):
        journal.close()
        for part in (path, *path.parent.glob(f"{path.name}-*")):
            part.unlink(missing_ok=True)
        journal = SqlJournal(f"sqlite:///{path}", durable=is_durable)
    return journal


def run_as_of(settings: str, broker: str) -> str:
    """Settings and broker in one word: what must not change in the middle of a replay."""
    return f"{broker}|{settings}"


def _check_same_run(journal: SqlJournal, *, inputs_hash: str, run_as: str) -> None:
    first = next(journal.read(), None)
    if first is None or not isinstance(first.body, RunStarted):
        return
    begun = first.body
    if begun.inputs_hash != inputs_hash:
        raise ConfigError(
            f"{journal.path} is the journal of another run ({begun.mode}, inputs "
            f"{begun.inputs_hash[:8] or 'live'}): name another file with --journal"
        )
    is_same = not run_as or run_as == run_as_of(begun.settings, begun.broker)
    if not is_same and not is_finished(journal):
        raise ConfigError(
            f"{journal.path} holds an unfinished run with another mode or other settings: go on "
            "with those, or name another file with --journal"
        )


def is_finished(journal: SqlJournal) -> bool:
    """True when the last record says that the run ended in order."""
    last = journal.last_seq()
    return any(isinstance(record.body, RunStopped) for record in journal.read(max(last - 1, 0)))


def check_same_account(records: list[Recorded], *, broker: str, outside: str) -> None:
    """Raise `ConfigError` when a journal's money lies elsewhere: one book is one account.

    `outside` names the broker whose account is not in this process.
    """
    begun = first_start(records)
    if begun is not None and begun.broker != broker and outside in {begun.broker, broker}:
        raise ConfigError(
            f"this journal began with broker {begun.broker}, which has another account than "
            f"{broker}: name another file with --journal"
        )


def open_day(records: list[Recorded]) -> date | None:
    """The session that opened and did not close yet, as far as the journal knows."""
    for record in reversed(records):
        if isinstance(record.body, SessionOpened):
            return record.body.day
        if isinstance(record.body, SessionClosed):
            return None
    return None


def first_start(records: list[Recorded]) -> RunStarted | None:
    """The `RunStarted` a journal begins with."""
    body = records[0].body if records else None
    return body if isinstance(body, RunStarted) else None
