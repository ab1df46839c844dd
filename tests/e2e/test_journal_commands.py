"""`replay --verify`, `rebuild`, `explain`, `status`: what a journal proves, by command."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.bootstrap import run
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages.registry import KIND_OF, Kind, Recorded
from catalyst_bot.storage import schema
from catalyst_bot.storage.read_model import ReadModel
from catalyst_bot.storage.rows import START_OF_CHAIN, Row, to_record, to_row
from tests.e2e.commands import Said, catalyst_bot
from tests.replays import generated

COLUMNS = ", ".join(Row._fields)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run.replay(generated(tmp_path_factory.mktemp("finished"))).journal


@pytest.fixture
def journal(tmp_path: Path, finished: Path) -> Path:
    return Path(shutil.copy(finished, tmp_path / "copy.db"))


def rows_of(path: Path) -> list[Row]:
    with closing(sqlite3.connect(path)) as database:
        found = database.execute(f"SELECT {COLUMNS} FROM journal ORDER BY seq").fetchall()
    return [Row._make(row) for row in found]


def rewrite(path: Path, change: Callable[[Recorded], Recorded]) -> None:
    """Change records and recompute every checksum and the whole chain, as a forger would."""
    chain, rows = START_OF_CHAIN, []
    for old in rows_of(path):
        rows.append(to_row(change(to_record(old)), previous_chain=chain))
        chain = rows[-1].chain
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM journal")
        marks = ", ".join("?" * len(Row._fields))
        database.executemany(f"INSERT INTO journal ({COLUMNS}) VALUES ({marks})", rows)


def first_of(path: Path, kind: type) -> Recorded:
    return next(r for r in map(to_record, rows_of(path)) if isinstance(r.body, kind))


def test_an_untouched_journal_is_identical_and_names_its_hash(journal: Path):
    said = catalyst_bot("replay", "--verify", str(journal))
    with ReadModel(f"sqlite:///{journal}") as model:
        known_hash = model.journal_hash()
    assert said.code == 0
    assert "identical" in said.out
    assert known_hash in said.out


def edited_order(record: Recorded) -> Recorded:
    body = record.body
    assert isinstance(body, d.OrderApproved)
    return replace(record, body=replace(body, order=replace(body.order, quantity=1)))


def edited_drop(record: Recorded) -> Recorded:
    body = record.body
    assert isinstance(body, d.SignalDropped)
    return replace(record, body=replace(body, reason="spread"))


def edited_mark(record: Recorded) -> Recorded:
    body = record.body
    assert isinstance(body, d.EquityMarked)
    richer = replace(body.account, equity_usd=body.account.equity_usd + 1)
    return replace(record, body=replace(body, account=richer))


@pytest.mark.parametrize(
    ("kind", "edit"),
    [
        (d.OrderApproved, edited_order),
        (d.SignalDropped, edited_drop),
        (d.EquityMarked, edited_mark),
    ],
)
def test_one_edited_decision_is_named_though_the_chain_was_recomputed(
    journal: Path, kind: type, edit: Callable[[Recorded], Recorded]
):
    target = first_of(journal, kind).seq
    rewrite(journal, lambda record: edit(record) if record.seq == target else record)
    assert catalyst_bot("replay", str(journal)).code == 0, "the chain alone cannot know"
    said = catalyst_bot("replay", "--verify", str(journal), "--json", "-")
    told = json.loads(said.out)
    assert said.code == 6
    assert told["identical"] is False
    assert told["divergence"]["seq"] == target
    assert told["divergence"]["recorded"] != told["divergence"]["decided"]
    assert str(target) in catalyst_bot("replay", "--verify", str(journal)).out


def test_a_removed_decision_is_named(journal: Path):
    target = first_of(journal, d.OrderApproved).seq
    kept = [to_record(row) for row in rows_of(journal) if row.seq != target]
    renumbered = iter([replace(record, seq=n) for n, record in enumerate(kept, start=1)])
    last = rows_of(journal)[-1].seq
    with closing(sqlite3.connect(journal)) as database, database:
        database.execute("DELETE FROM journal WHERE seq = ?", (last,))
    rewrite(journal, lambda _: next(renumbered))
    with closing(sqlite3.connect(journal)) as database, database:
        database.execute("UPDATE projector_checkpoint SET seq = seq - 1")
    said = catalyst_bot("replay", "--verify", str(journal), "--json", "-")
    assert said.code == 6
    assert json.loads(said.out)["divergence"]["seq"] <= target


@pytest.mark.parametrize("command", [("replay", "--verify"), ("replay",), ("rebuild",)])
def test_a_flipped_byte_is_found_at_start_and_named(journal: Path, command: tuple[str, ...]):
    target = first_of(journal, d.SignalDropped).seq
    with closing(sqlite3.connect(journal)) as database, database:
        (body,) = database.execute("SELECT body FROM journal WHERE seq = ?", (target,)).fetchone()
        flipped = bytes([*body[:20], body[20] ^ 1, *body[21:]])
        database.execute("UPDATE journal SET body = ? WHERE seq = ?", (flipped, target))
    said = catalyst_bot(*command, str(journal))
    assert said.code == 6
    assert f"row {target}" in said.err


def tables_of(path: Path) -> dict[str, list[Any]]:
    names = [table.name for table in schema.metadata.sorted_tables if table.name != "journal"]
    with closing(sqlite3.connect(path)) as database:
        return {
            name: sorted(map(repr, database.execute(f"SELECT * FROM {name}"))) for name in names
        }


def test_rebuild_recreates_every_read_table_from_the_journal_alone(journal: Path):
    before = tables_of(journal)
    filled = {name for name, rows in before.items() if rows}
    assert len(filled) >= 8
    with closing(sqlite3.connect(journal)) as database, database:
        for name in filled - {"projector_checkpoint"}:
            database.execute(f"DELETE FROM {name}")
    assert tables_of(journal) != before
    assert catalyst_bot("rebuild", str(journal)).code == 0
    assert tables_of(journal) == before


@pytest.fixture
def told(journal: Path) -> Callable[..., Said]:
    return lambda *command: catalyst_bot(*command, "--journal", str(journal))


def test_explain_knows_every_sort_of_id(told: Callable[..., Said], journal: Path):
    with ReadModel(f"sqlite:///{journal}") as model:
        trade = model.trades(limit=1)[0]
        refusal = model.refusals(limit=1)[0]
        dropped = next(r for r in model.records() if isinstance(r.body, d.SignalDropped)).body
    assert isinstance(dropped, d.SignalDropped)
    for subject in (
        trade["trade_id"],
        trade["headline_id"],
        refusal["id"],
        dropped.catalyst_id,
        dropped.item_id,
        "last",
    ):
        said = told("explain", subject)
        assert said.code == 0, (subject, said.err)
        assert said.out.strip()


def test_status_as_json_agrees_with_the_journal(told: Callable[..., Said], journal: Path):
    shown = json.loads(told("status", "--json", "-").out)
    decided = Kind.DECISION in {KIND_OF[type(to_record(row).body)] for row in rows_of(journal)[:50]}
    assert decided
    with ReadModel(f"sqlite:///{journal}") as model:
        assert shown["funnel"] == json.loads(json.dumps(model.funnel()))
        assert shown["account"]["equity_usd"] == model.run_result()["equity_end"]
