"""What is done with a journal after the run: verify, explain, rebuild."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from catalyst_bot.bootstrap.journals import all_records
from catalyst_bot.bootstrap.rules import companies_of, engine_rules
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.decisions import IntentDeclined, OrderRefused, SignalDropped
from catalyst_bot.domain.messages.facts import RunStarted
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.engine.engine import Engine
from catalyst_bot.engine.verify import Divergence, first_divergence
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.monitoring.explain import explain
from catalyst_bot.monitoring.telling import Explanation
from catalyst_bot.monitoring.what_if import WhatIf, smallest_flip
from catalyst_bot.settings import from_json
from catalyst_bot.storage.database import exists
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.read_model import ReadModel
from catalyst_bot.storage.rows import journal_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a journal proves; `divergence` is None when deciding again gave the same."""

    journal: str
    records: int
    journal_hash: str
    divergence: Divergence | None
    is_decided_again: bool


def engine_of(first: Recorded) -> Engine:
    """The engine that wrote a journal: its own recorded settings, not today's."""
    if not isinstance(first.body, RunStarted):
        begins = type(first.body).__name__
        raise BadData(f"a journal begins with RunStarted, this one with {begins}")
    settings = from_json(first.body.settings)
    return Engine(
        engine_rules(
            settings,
            load_calendar(),
            companies_of(settings),
            bar_interval_s=first.body.bar_interval_s,
        )
    )


def verify(place: Place, *, decides_again: bool) -> Verification:
    """Check every row of a journal and, if asked, decide every recorded fact again.

    Raises `JournalDamaged` where a row fails its checksum or the chain.
    """
    _must_exist(place)
    with SqlJournal(place) as journal:
        records = all_records(journal)
    return Verification(
        journal=str(place),
        records=len(records),
        journal_hash=journal_hash(records),
        divergence=first_divergence(records, engine_of) if decides_again else None,
        is_decided_again=decides_again,
    )


def _must_exist(place: Place) -> None:
    """Opening to write would make an empty journal of a misspelt name."""
    if not exists(place):
        raise BadData(f"{place}: no such journal")


def rebuild(place: Place) -> int:
    """Recreate every read table from the journal alone; returns the number of records."""
    _must_exist(place)
    with SqlJournal(place) as journal:
        journal.rebuild()
        return journal.last_seq()


def explanation(place: Place, subject: str) -> Explanation:
    """Explain a trade, signal, refusal, order or headline; `last` is the newest trade.

    Raises `BadData` when the id is unknown. A "no" comes with the verified smallest change.
    """
    with ReadModel(place) as model:
        wanted = _last_trade(model) if subject == "last" else subject
        trail = model.trail(wanted)
    if not (wanted and trail):
        raise BadData(f"{subject!r}: no such id in {place}; `catalyst-bot status` lists trades")
    return explain(wanted, trail, _what_if(place, trail))


def _last_trade(model: ReadModel) -> str:
    trades = model.trades(limit=1)
    if not trades:
        raise BadData("there is no trade yet: name a signal, refusal or headline id instead")
    return trades[0]["trade_id"]


def _what_if(place: Place, trail: list[Recorded]) -> WhatIf | None:
    """Of the last "no" in the trail, unless it was traded after all."""
    noes = [r for r in trail if isinstance(r.body, SignalDropped | IntentDeclined | OrderRefused)]
    if not noes:
        return None
    with ReadModel(place) as model:
        records = list(model.records())
    no = noes[-1]
    starts = [r for r in records if r.seq < no.seq and isinstance(r.body, RunStarted)]
    return smallest_flip(no, records, engine_of(starts[-1]))


def verification_dict(found: Verification) -> dict[str, Any]:
    """JSON form: journal, records, journal_hash, identical, divergence."""
    return {
        "journal": found.journal,
        "records": found.records,
        "journal_hash": found.journal_hash,
        "identical": found.divergence is None if found.is_decided_again else None,
        "divergence": asdict(found.divergence) if found.divergence is not None else None,
    }


def verification_text(found: Verification) -> str:
    """One line when identical; the first divergence by sequence number otherwise."""
    if found.divergence is None:
        word = "identical" if found.is_decided_again else "chain intact"
        return f"{word}: {found.records} records, sha256 {found.journal_hash}"
    first = found.divergence
    return (
        f"first divergence at sequence number {first.seq}\n"
        f"  recorded: {first.recorded}\n  decided:  {first.decided}"
    )
