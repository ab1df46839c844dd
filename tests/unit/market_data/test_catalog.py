from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from backports import zstd

from catalyst_bot.domain.errors import BadData
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.catalog import (
    ImportReport,
    import_paths,
    news_files,
    open_bars,
    read_catalog,
)
from catalyst_bot.market_data.load import BarSelection
from tests.unit.market_data.samples import csv_file, row

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALENDAR = load_calendar()
ALL = BarSelection()


def take(catalog: Path, *paths: Path) -> ImportReport:
    return import_paths(paths, catalog, calendar=CALENDAR, now=NOW)


def bars_file(path: Path, symbol: str = "ACME", bars: int = 4) -> Path:
    return csv_file(path, [row(symbol, n) for n in range(bars)])


def news_file(path: Path, *items: object) -> Path:
    lines = [item if isinstance(item, str) else json.dumps(item) for item in items]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def news(**given: object) -> dict[str, object]:
    return {
        "published_at": "2025-10-06T14:00:00Z",
        "title": "Acme wins",
        "symbols": ["ACME"],
    } | given


def test_bars_are_taken_into_the_catalog_and_open_the_same(tmp_path: Path):
    source, catalog = bars_file(tmp_path / "bars.csv"), tmp_path / "catalog"
    report = take(catalog, source)
    assert report.is_complete
    (dataset,) = read_catalog(catalog)
    assert (dataset.kind, dataset.source, dataset.interval_s) == ("bars", "bars.csv", 300)
    assert (dataset.symbols, dataset.rows) == (("ACME",), 4)
    assert (dataset.first_at, dataset.last_at) == ("2025-10-06T13:30:00Z", "2025-10-06T13:50:00Z")
    from_catalog = open_bars([catalog], calendar=CALENDAR, selection=ALL)
    from_source = open_bars([source], calendar=CALENDAR, selection=ALL)
    assert from_catalog.data_hash() == from_source.data_hash()


def test_the_same_content_is_taken_once_whatever_its_name(tmp_path: Path):
    catalog = tmp_path / "catalog"
    first = take(catalog, bars_file(tmp_path / "a.csv"))
    again = take(catalog, bars_file(tmp_path / "b.csv"), bars_file(tmp_path / "c.csv", "BETA"))
    assert [file.outcome for file in first.files] == ["imported"]
    assert [file.outcome for file in again.files] == ["known", "imported"]
    assert len(read_catalog(catalog)) == 2
    assert open_bars([catalog], calendar=CALENDAR, selection=ALL).symbols == ("ACME", "BETA")


def test_a_lost_file_is_imported_again(tmp_path: Path):
    source, catalog = bars_file(tmp_path / "bars.csv"), tmp_path / "catalog"
    take(catalog, source)
    (catalog / read_catalog(catalog)[0].file).unlink()
    assert take(catalog, source).files[0].outcome == "imported"
    assert len(read_catalog(catalog)) == 1


def test_one_bad_file_stops_no_other(tmp_path: Path):
    catalog = tmp_path / "catalog"
    ticks = csv_file(tmp_path / "ticks.csv", ["1,2"], header="when,price")
    hopeless = csv_file(tmp_path / "nan.csv", [row("ACME", n, close="NaN") for n in (0, 1)])
    good = bars_file(tmp_path / "bars.csv")
    report = take(catalog, ticks, tmp_path / "none.csv", tmp_path / "a.txt", hopeless, good)
    assert [file.outcome for file in report.files] == [*["refused"] * 4, "imported"]
    assert "ticks.csv: no bars: missing timestamp" in report.files[0].reason
    assert "no such file" in report.files[1].reason
    assert "not one of 2 rows is a usable bar: 2 not_a_number (ACME 2" in report.files[3].reason
    assert not report.is_complete
    assert len(read_catalog(catalog)) == 1
    assert json.loads(json.dumps(report.to_json()))["files"][4]["quality"]["rows_taken"] == 4
    assert "refused: " in report.render()


def test_a_folder_stands_for_its_files(tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    bars_file(folder / "bars.csv")
    news_file(folder / "news.jsonl", news())
    (folder / "README.md").write_text("about", encoding="utf-8")
    report = take(tmp_path / "catalog", folder)
    assert [Path(file.path).name for file in report.files] == ["bars.csv", "news.jsonl"]
    assert report.is_complete


def test_nothing_half_written_is_left(tmp_path: Path):
    catalog = tmp_path / "catalog"
    take(catalog, bars_file(tmp_path / "bars.csv"), news_file(tmp_path / "n.jsonl", news()))
    assert not list(catalog.rglob("*.part"))


def test_a_failed_write_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    catalog = tmp_path / "catalog"
    take(catalog, bars_file(tmp_path / "bars.csv"))
    before = read_catalog(catalog)

    def full_disk(self: Path, target: Path) -> Path:
        raise OSError("no space left on device")

    more = bars_file(tmp_path / "more.csv", "BETA")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full_disk)
        with pytest.raises(OSError, match="no space"):
            take(catalog, more)
    assert read_catalog(catalog) == before
    assert open_bars([catalog], calendar=CALENDAR, selection=ALL).symbols == ("ACME",)


def test_news_lines_are_checked_and_kept_as_they_were(tmp_path: Path):
    good, other = news(), news(title="Beta wins", published_at="2025-10-07", symbols=["BETA"])
    source = news_file(
        tmp_path / "news.jsonl",
        good,
        "not json",
        ["a list"],
        news(title=" "),
        news(published_at="soon"),
        news(published_at="2031-01-01T00:00:00Z"),
        news(symbols="ACME"),
        good,
        other,
    )
    catalog = tmp_path / "catalog"
    report = take(catalog, source)
    (quality,) = [file.to_json()["quality"] for file in report.files]
    assert quality["refused"] == {
        "not_json": 2,
        "no_title": 1,
        "no_time": 1,
        "symbols_no_list": 1,
        "future": 1,
        "duplicate": 1,
    }
    assert (quality["rows_read"], quality["rows_taken"], quality["date_only"]) == (9, 2, 1)
    (stored,) = news_files(catalog)
    text = zstd.decompress(stored.read_bytes()).decode()
    assert [json.loads(line) for line in text.splitlines()] == [good, other]
    assert read_catalog(catalog)[0].symbols == ("ACME", "BETA")


def test_packed_news_is_read_and_damaged_news_refused(tmp_path: Path):
    packed, damaged = tmp_path / "news.jsonl.zst", tmp_path / "damaged.jsonl.zst"
    packed.write_bytes(zstd.compress(json.dumps(news()).encode()))
    damaged.write_bytes(b"not zstd")
    report = take(tmp_path / "catalog", packed, damaged)
    assert [file.outcome for file in report.files] == ["imported", "refused"]
    assert "is not JSON lines, plain or zstd" in report.files[1].reason


def test_a_symbol_nobody_has_is_named(tmp_path: Path):
    source = bars_file(tmp_path / "bars.csv")
    with pytest.raises(BadData, match=r"no bars of NOPE in .*bars\.csv"):
        open_bars([source], calendar=CALENDAR, selection=BarSelection(symbols={"ACME", "NOPE"}))


def test_a_time_without_bars_is_named(tmp_path: Path):
    source = bars_file(tmp_path / "bars.csv")
    late = BarSelection(start=datetime(2025, 12, 1, tzinfo=UTC))
    with pytest.raises(BadData, match=r"no bars of any symbol in .* for 2025-12-01"):
        open_bars([source], calendar=CALENDAR, selection=late)


def test_a_catalog_of_two_intervals_needs_a_choice(tmp_path: Path):
    catalog = tmp_path / "catalog"
    hours = csv_file(tmp_path / "1h.csv", [row("BETA", n) for n in (0, 12, 24)])
    take(catalog, bars_file(tmp_path / "5m.csv"), hours)
    with pytest.raises(BadData, match=r"choose one of .*\(300 s\).*\(3600 s\)"):
        open_bars([catalog], calendar=CALENDAR, selection=ALL)
    chosen = open_bars([catalog], calendar=CALENDAR, selection=BarSelection(interval_s=3600))
    assert chosen.symbols == ("BETA",)
    with pytest.raises(BadData, match="no bars in"):
        open_bars([catalog], calendar=CALENDAR, selection=BarSelection(interval_s=60))


def test_a_damaged_manifest_says_what_to_do(tmp_path: Path):
    (tmp_path / "catalog.json").write_text("{", encoding="utf-8")
    with pytest.raises(BadData, match=r"is damaged .* import again"):
        read_catalog(tmp_path)


def test_real_files_are_imported(shared_data: Path, tmp_path: Path):
    report = take(
        tmp_path,
        shared_data / "prices" / "bench_daily_2010_2021.parquet",
        shared_data / "news" / "stocknewsapi_2025-10.jsonl.zst",
        shared_data / "prices" / "lean_ticks_trades_201310.parquet",
    )
    assert [file.outcome for file in report.files] == ["imported", "imported", "refused"]
    assert [entry.rows for entry in read_catalog(tmp_path)] == [12_084, 1_676]
    daily = open_bars([tmp_path], calendar=CALENDAR, selection=ALL)
    assert daily.symbols == ("DIA", "IWM", "QQQ", "SPY")
