"""Where journals lie, and whether a run begins anew or goes on after a crash."""

from __future__ import annotations

import gc
from hashlib import sha256
from pathlib import Path

from catalyst_bot.domain.errors import ConfigError, JournalDamaged
from catalyst_bot.domain.messages.facts import (
    RunStarted,
    RunStopped,
)
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.ports.journal import Journal
from catalyst_bot.settings import Settings
from catalyst_bot.storage.database import driver, erase
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import (
    Place,
    PostgresPlace,
    checked_name,
    name_from,
    place_of,
    server_of,
)
from catalyst_bot.storage.read_model import ReadModel
from catalyst_bot.storage.sqlite_store import is_lost, mark_of, marked_in

FOLDER = "journals"
SUFFIX = ".db"
_LONG = 20_000  # records
_HOW_TO_BEGIN = "run `catalyst-bot demo` first, or name one with --journal"


def replay_place(settings: Settings, *, label: str, deciding: str, inputs_hash: str) -> Place:
    """Journal of a replay: the same inputs under the same settings give the same place.

    `deciding` are the settings that decide what a replay does.
    """
    digest = sha256(f"{deciding}|{inputs_hash}".encode()).hexdigest()[:8]
    return _own_place(settings, f"{label}-{digest}")


def live_place(settings: Settings, account: str = "") -> Place:
    """Journal of a paper account that is traded live: one book across restarts."""
    return _own_place(settings, f"live{'-' if account else ''}{account}")


def _own_place(settings: Settings, label: str) -> Place:
    """Where a run's journal lies by the setting storage.url."""
    url = settings.storage.url
    if not url:
        return settings.run.data_dir / FOLDER / f"{label}{SUFFIX}"
    if _is_file(url):
        return place_of(url)
    return PostgresPlace(server_of(url), name_from(label))


def named(settings: Settings, journal: str | Path) -> Place:
    """The place a person means: a file, a URL, or a name in the database of storage.url."""
    if isinstance(journal, Path):
        return journal
    if "://" in journal:
        return place_of(journal)
    url = settings.storage.url
    looks_like_file = "/" in journal or journal.endswith(SUFFIX) or Path(journal).exists()
    if not url or _is_file(url) or looks_like_file:
        return Path(journal)
    return PostgresPlace(server_of(url), checked_name(journal))


def newest(settings: Settings) -> Place:
    """The journal written last. Raises `ConfigError` when there is none."""
    url = settings.storage.url
    if url and _is_file(url):
        return place_of(url)
    if url:
        names = driver().journals_of(server_of(url))
        if not names:
            raise ConfigError(f"no journal in {url}: {_HOW_TO_BEGIN}")
        return PostgresPlace(server_of(url), names[0])
    folder = settings.run.data_dir / FOLDER
    found = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ConfigError(f"no journal in {folder}: {_HOW_TO_BEGIN}")
    return found[-1]


def lost(settings: Settings) -> list[Path]:
    """Journals that are gone or emptied although the mark beside them says how far they went."""
    url = settings.storage.url
    if url and not _is_file(url):
        return []
    places = [place_of(url)] if url else marked_in(settings.run.data_dir / FOLDER)
    return [place for place in places if isinstance(place, Path) and is_lost(place)]


def check_whole(model: ReadModel) -> None:
    """Raise `JournalDamaged` for a journal that ends before what was acknowledged."""
    place = model.place
    mark = mark_of(place) if isinstance(place, Path) else None  # before the rows: a bot may write
    status = model.status()
    last_seq = status["last_seq"] if status is not None else 0
    if mark is not None and last_seq < mark.seq:
        raise JournalDamaged(
            f"{place} ends at row {last_seq}, but row {mark.seq} was acknowledged: `catalyst-bot "
            f"db restore` brings back a backup (or remove {place}-mark to accept the loss)"
        )


def chosen(settings: Settings, journal: str | Path | None) -> Place:
    """The place a person means, or the journal written last."""
    return named(settings, journal) if journal else newest(settings)


def beside(place: Place, data_dir: Path) -> Path:
    """The file that a journal's companions are named after; of one in a database in `data_dir`."""
    if isinstance(place, Path):
        return place
    folder = data_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder / place.name


def _is_file(url: str) -> bool:
    return url.startswith("sqlite:")


def open_journal(
    place: Place, *, is_durable: bool, starts_over: bool, inputs_hash: str = "", run_as: str = ""
) -> SqlJournal:
    """Open a journal to write.

    With `starts_over` a *finished* run is set aside, because the same replay gives the same
    journal again; an unfinished one is kept and resumed. `run_as` is what `run_as_of` says of the
    run to resume. Raises `ConfigError` for a journal of other inputs, or begun in another way.
    """
    journal = SqlJournal(place, durable=is_durable)
    try:
        _check_same_run(journal, inputs_hash=inputs_hash, run_as=run_as)
    except ConfigError:
        journal.close()
        raise
    if starts_over and is_finished(journal):
        journal.close()
        erase(place)
        journal = SqlJournal(place, durable=is_durable)
    return journal


def all_records(journal: Journal) -> list[Recorded]:
    """Return a whole journal.

    Nothing of it is garbage, so the collector rests meanwhile: it would walk everything read so
    far again and again, which takes longer than the reading. A long one is kept out of its sight
    for good: it would stop the bot for a tenth of a second at every full collection.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        records = list(journal.read())
        if len(records) >= _LONG:
            gc.freeze()
        return records
    finally:
        if was_enabled:
            gc.enable()


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
            f"{journal.place} is the journal of another run ({begun.mode}, inputs "
            f"{begun.inputs_hash[:8] or 'live'}): name another file with --journal"
        )
    is_same = not run_as or run_as == run_as_of(begun.settings, begun.broker)
    if not is_same and not is_finished(journal):
        raise ConfigError(
            f"{journal.place} holds an unfinished run with another mode or other settings: go on "
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


def first_start(records: list[Recorded]) -> RunStarted | None:
    """The `RunStarted` a journal begins with."""
    body = records[0].body if records else None
    return body if isinstance(body, RunStarted) else None
