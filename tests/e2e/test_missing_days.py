"""A session that an export skipped: whoever uses the bars is told the file, the symbol, the day."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from catalyst_bot.console import CONFIGURATION, OK
from tests.daily_market import FEW_LOOKS
from tests.e2e.commands import Said, catalyst_bot
from tests.unit.history.market import daily

DAYS = daily("SPY")["date"].to_list()
SKIPPED = DAYS[300]
LACKS = {
    "everybody": (["SPY", "ACME", "BOLT"], f"no bar of any symbol on 1 session ({SKIPPED})"),
    "benchmark": (["SPY"], f"no bar of the benchmark SPY on 1 session ({SKIPPED})"),
    "one symbol": (["ACME"], f"no bar of ACME on 1 session ({SKIPPED})"),
}


QUICK = ("--algorithms", "a2c", "--seeds", "1", "--steps", "512")


class Desk:
    """A folder with the export, and a catalog that it is imported into."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.catalog = folder, str(folder / "catalog")
        self.where = ("--data-dir", str(folder / "data"))
        self.news = folder / "news.jsonl"
        news = {"published_at": f"{DAYS[290]}T15:00:00Z", "title": "Acme wins FDA approval"}
        self.news.write_text(json.dumps(news | {"symbols": ["ACME"]}) + "\n", encoding="utf-8")

    def export(self, *lacking: str) -> Path:
        bars = pl.concat([daily("SPY", 99), daily("ACME"), daily("BOLT", 2)])
        is_skipped = pl.col("symbol").is_in(lacking) & (pl.col("date") == SKIPPED)
        path = self.folder / "export.parquet"
        bars.filter(~is_skipped).write_parquet(path)
        return path

    def imported(self, *lacking: str) -> Said:
        return catalyst_bot(
            "data", "import", str(self.export(*lacking)), str(self.news), "--catalog", self.catalog
        )

    def history(self, *more: str) -> Said:
        out = str(self.folder / "history")
        return catalyst_bot("data", "history", "--catalog", self.catalog, "--out", out, *more)

    def walk_forward(self) -> Said:
        days = ("--start", str(DAYS[0]), "--oos-start", str(DAYS[260]), "--end", str(DAYS[-1]))
        return catalyst_bot("walk-forward", "--data", self.catalog, *days, *QUICK, *self.where)

    def train(self) -> Said:
        out = ("--out", str(self.folder / "model"))
        return catalyst_bot("train", "--catalog", self.catalog, *out, *QUICK, *self.where)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize("who", LACKS)
def test_the_import_the_history_and_a_backtest_tell_what_is_missing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    for name, value in FEW_LOOKS.items():
        monkeypatch.setenv(name, value)
    lacking, said = LACKS[who]
    at_import = said.replace("the benchmark ", "")  # which one that is, settings say
    assert f"export.parquet: {at_import}" in desk.imported(*lacking).out

    made = desk.history("--json", "-")
    assert (made.code, made.err.count(f"export.parquet: {said}")) == (OK, 1), made.err
    card = json.loads(made.out)
    assert f"export.parquet: {said}" in card["flaws"]
    days = [str(SKIPPED)]
    assert card["missing"] == {
        "of_all": days if who == "everybody" else [],
        "of_benchmark": days if who == "benchmark" else [],
        "of_symbols": {"ACME": days} if who == "one symbol" else {},
    }

    files = ("--bars", str(desk.folder / "export.parquet"), "--news", str(desk.news))
    period = ("--from", str(DAYS[290]), "--to", str(DAYS[310]))
    played = catalyst_bot("backtest", *period, *files, *desk.where, "--json", "-")
    assert played.code == OK, played.err
    assert played.err.count(f"export.parquet: {said}") == 1


@pytest.mark.parametrize("who", ["everybody", "benchmark"])
def test_nothing_is_learned_over_a_day_that_the_benchmark_lacks(desk: Desk, who: str) -> None:
    lacking, said = LACKS[who]
    desk.imported(*lacking)
    for found in (desk.walk_forward(), desk.train()):
        assert found.code == CONFIGURATION
        assert f"export.parquet: {said}" in found.err
        assert f"1 of the sessions from {DAYS[0]} to {DAYS[-1]} ({SKIPPED})" in found.err
    assert not (desk.folder / "model").exists()
    desk.history("--features")
    swept = catalyst_bot(
        *(
            "sweep",
            "--history",
            str(desk.folder / "history"),
            "--vary",
            "atr_multiple=2",
            *desk.where,
        )
    )
    assert (swept.code, f"({SKIPPED})" in swept.err) == (CONFIGURATION, True), swept.err
    assert "trials" not in {path.stem for path in (desk.folder / "data").iterdir()}


def test_the_same_command_goes_on_when_the_day_was_imported(desk: Desk) -> None:
    desk.imported("SPY", "ACME", "BOLT")
    desk.history("--features")
    assert f"({SKIPPED})" in desk.train().err
    (desk.folder / "catalog" / "catalog.json").unlink()  # begun again, with the whole export
    assert "no bar" not in desk.imported().out
    assert desk.train().code == OK

    model, history = str(desk.folder / "model"), str(desk.folder / "history")
    judged = catalyst_bot("validate", model, "--history", history, *desk.where)
    assert (judged.code, f"({SKIPPED})" in judged.err) == (CONFIGURATION, True), judged.err


def test_a_day_that_one_symbol_lacks_is_said_and_stops_nothing(desk: Desk) -> None:
    lacking, said = LACKS["one symbol"]
    desk.imported(*lacking)
    for found in (desk.walk_forward(), desk.train()):
        assert f"export.parquet: {said}" in found.err
        assert "no bar of the benchmark" not in found.err
