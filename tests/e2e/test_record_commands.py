"""`portfolio`, `trades`, `compare` over journals of a real run."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catalyst_bot.bootstrap import run
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.read_model import ReadModel
from tests.e2e.commands import Said, catalyst_bot
from tests.postgres import Postgres
from tests.replays import generated


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    journal = run.replay(generated(tmp_path_factory.mktemp("finished"))).journal
    assert isinstance(journal, Path)
    return journal


def told(said: Said) -> Any:
    assert said.code == 0, said.err
    return json.loads(said.out)


def asked(journal: object, *command: str) -> Said:
    return catalyst_bot(*command, "--journal", str(journal))


def test_portfolio_agrees_with_the_read_tables(finished: Path):
    report = told(asked(finished, "portfolio", "--json", "-"))
    with ReadModel(finished) as model:
        account, trades = model.account(), model.trades(limit=1_000, include_open=False)
    assert account is not None
    assert report["equity_usd"] == account["equity_usd"]
    assert report["cash_usd"] == account["cash_usd"]
    assert report["trade_count"] == len(trades)
    won = [trade for trade in trades if Decimal(trade["pnl_usd"] or 0) > 0]
    assert report["win_rate"] == pytest.approx(len(won) / len(trades))
    days = report["days"]
    assert sum(Decimal(day["pnl_usd"]) for day in days) == Decimal(account["equity_usd"]) - Decimal(
        account["start_equity_usd"]
    )
    shown = asked(finished, "portfolio").out
    assert "profit factor" in shown
    assert days[0]["day"] in shown


def test_status_and_portfolio_write_money_alike(finished: Path):
    report = told(asked(finished, "portfolio", "--json", "-"))
    status = asked(finished, "status").out
    for name in ("equity", "cash"):
        text = f"{name} ${Decimal(report[f'{name}_usd']):,.2f},"
        assert text in status
        assert text in asked(finished, "portfolio").out


def test_status_names_what_explain_takes(finished: Path):
    status = told(asked(finished, "status", "--json", "-"))
    named = [
        *(catalyst["catalyst_id"] for catalyst in status["catalysts"]),
        *(headline["item_id"] for headline in status["headlines"]),
    ]
    assert len(named) == 10
    shown = asked(finished, "status").out
    for each in named:
        assert each in shown
        assert asked(finished, "explain", each).code == 0


def test_a_period_is_one_of_the_days(finished: Path):
    whole = told(asked(finished, "portfolio", "--json", "-"))
    first, second = whole["days"]
    part = told(asked(finished, "portfolio", "--from", second["day"], "--json", "-"))
    assert part["days"][0]["pnl_usd"] == second["pnl_usd"]
    assert part["total_return"] == pytest.approx(second["day_return"])
    early = told(asked(finished, "portfolio", "--to", first["day"], "--json", "-"))
    assert early["days"] == [first]
    assert early["trade_count"] + part["trade_count"] == whole["trade_count"]


def test_trades_are_listed_filtered_and_written(finished: Path, tmp_path: Path):
    rows = told(asked(finished, "trades", "--json", "-"))
    assert len(rows) > 10
    symbol = rows[0]["symbol"]
    ours = told(asked(finished, "trades", "--symbol", symbol, "--json", "-"))
    assert {row["symbol"] for row in ours} == {symbol}
    assert len(told(asked(finished, "trades", "--limit", "3", "--json", "-"))) == 3
    for day in ("2025-03-13", "2025-03-14"):
        of_day = told(asked(finished, "trades", "--from", day, "--to", day, "--json", "-"))
        assert of_day == [row for row in rows if row["entry_at"].startswith(day)]
    files = [tmp_path / "t.csv", tmp_path / "t.parquet", tmp_path / "t.json"]
    said = asked(
        finished,
        *("trades", "--csv", str(files[0]), "--parquet", str(files[1]), "--json", str(files[2])),
    )
    assert said.code == 0
    assert f"{len(rows)} trades written" in said.err
    with files[0].open(encoding="utf-8", newline="") as handle:
        assert [row["pnl_usd"] for row in csv.DictReader(handle)] == [
            row["pnl_usd"] or "" for row in rows
        ]
    assert [*pl.read_parquet(files[1])["quantity"]] == [Decimal(row["quantity"]) for row in rows]
    assert json.loads(files[2].read_text()) == rows
    assert symbol in asked(finished, "trades").out


@pytest.mark.parametrize("flag", ["--csv", "--parquet", "--json"])
@pytest.mark.parametrize("place", [".", "/", "{}", "{}/text/t.out"])
def test_a_file_that_cannot_be_written_is_named_by_its_flag(
    finished: Path, tmp_path: Path, flag: str, place: str
):
    (tmp_path / "text").write_text("no folder")
    path = place.format(tmp_path)
    said = asked(finished, "trades", flag, path)
    assert (said.code, said.out) == (3, "")
    assert f"catalyst-bot: {flag} {path}: " in said.err
    assert ".part" not in said.err
    assert [file.name for file in tmp_path.iterdir()] == ["text"]


@pytest.mark.parametrize("flag", ["--csv", "--parquet", "--json"])
def test_a_file_in_a_folder_that_is_not_there_is_refused(finished: Path, tmp_path: Path, flag: str):
    path = tmp_path / "new" / "folder" / "t.out"
    said = asked(finished, "trades", flag, str(path))
    assert (said.code, said.out) == (3, "")
    assert f"{flag} {path}: there is no folder {path.parent}; make it first" in said.err
    assert not path.parent.parent.exists()


def test_a_symbol_may_be_written_small(finished: Path):
    symbol = told(asked(finished, "trades", "--json", "-"))[0]["symbol"]
    ours = told(asked(finished, "trades", "--symbol", symbol, "--json", "-"))
    assert told(asked(finished, "trades", "--symbol", symbol.lower(), "--json", "-")) == ours


@pytest.mark.parametrize("command", ["trades", "portfolio"])
def test_a_period_that_ends_before_it_begins_is_refused(finished: Path, command: str):
    said = asked(finished, command, "--from", "2025-03-14", "--to", "2025-03-13")
    assert (said.code, said.out) == (3, "")
    assert "--from 2025-03-14: is later than --to 2025-03-13" in said.err


def test_an_empty_result_is_said(finished: Path):
    said = asked(finished, "trades", "--symbol", "NOBODY")
    assert said.code == 0
    assert "no trade" in said.err
    assert said.out == ""


def test_a_run_against_itself_differs_in_nothing(finished: Path):
    said = catalyst_bot("compare", str(finished), str(finished), "--json", "-")
    found = told(said)
    assert found["is_met"] is True
    assert found["matched"] == found["identical"] > 10
    assert catalyst_bot("compare", str(finished), str(finished)).out.count("ok ") == 3


def test_a_missed_threshold_is_code_7(finished: Path, tmp_path: Path):
    other = Path(shutil.copy(finished, tmp_path / "other.db"))
    empty = run.replay(generated(tmp_path / "dry", is_dry_run=True)).journal
    said = catalyst_bot("compare", str(empty), str(other))
    assert said.code == 7
    assert "MISSED" in said.out
    assert "the order was not sent (dry_run)" in said.out or "not in paper" in said.out
    assert catalyst_bot("compare", str(tmp_path / "none.db"), str(other)).code == 3


def test_a_journal_of_no_run_is_no_backtest(finished: Path, tmp_path: Path):
    empty = tmp_path / "empty.db"
    with SqlJournal(empty):
        pass
    said = catalyst_bot("compare", str(finished), str(empty))
    assert said.code == 3
    assert f"BACKTEST {empty}: is the journal of no run" in said.err


def test_paper_and_backtest_of_the_same_days_are_the_same_in_either_database(
    finished: Path, postgres_server: Postgres, tmp_path: Path
):
    place = postgres_server.place()
    catalyst_bot(
        *("demo", "--seed", "7", "--mode", "paper-trading", "--exit"),
        *("--data-dir", str(tmp_path), "--journal", str(place)),
        env={"CATALYST_DASHBOARD__ENABLED": "false"},
    )
    found = told(catalyst_bot("compare", str(place), str(finished), "--json", "-"))
    assert found["identical"] == found["matched"]
    swapped = catalyst_bot("compare", str(finished), str(place))
    assert (swapped.code, swapped.out) == (3, "")
    assert f"BACKTEST {place}: is the journal of a run in mode paper-trading" in swapped.err
    assert (found["only_paper"], found["only_backtest"]) == (0, 0)
    for command in (("portfolio",), ("trades",)):
        one = told(asked(place, *command, "--json", "-"))
        assert one == told(asked(finished, *command, "--json", "-"))


def test_an_edited_price_shows_as_a_difference(finished: Path, tmp_path: Path):
    other = Path(shutil.copy(finished, tmp_path / "other.db"))
    with closing(sqlite3.connect(other)) as database, database:
        (trade,) = database.execute("SELECT trade_id FROM trades LIMIT 1").fetchone()
        database.execute("UPDATE trades SET entry_price = '1' WHERE trade_id = ?", (trade,))
    found = told(catalyst_bot("compare", str(other), str(finished), "--json", "-"))
    (pair,) = [pair for pair in found["pairs"] if pair["reasons"]]
    assert pair["paper_trade_id"] == trade
    assert "bought at 1 instead of" in pair["reasons"][0]
