"""`data download` as a person calls it: from our own exchange to a history, from a dead address."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from catalyst_bot.feeds.lines import read_lines
from catalyst_bot.history.panel import open_panel
from catalyst_bot.market_data.catalog import news_files, read_catalog
from tests.e2e.commands import catalyst_bot
from tests.exchange.process import exchange
from tests.feed_samples import SUBMISSION, submissions
from tests.feed_server import Reply, serving
from tests.unit.downloads.desk import WEEK, csv_of
from tests.unit.history.market import daily

KEYS = {"ALPACA_API_KEY": "KEY1", "ALPACA_SECRET": "secret1"}
SPLIT = '[[action]]\nkind = "split"\nsymbol = "ACME"\non = 2017-07-10\nnew_rate = 2\n'


def test_bars_of_an_exchange_become_a_history(tmp_path: Path) -> None:
    """The exchange splits ACME two for one: paid were other prices than counted in new shares."""
    bars, events = tmp_path / "bars.parquet", tmp_path / "events.toml"
    pl.concat([daily("SPY", 99), daily("ACME")]).write_parquet(bars)
    events.write_text(SPLIT, encoding="utf-8")
    catalog = str(tmp_path / "catalog")
    asked = ("--from", "2016-07-18", "--to", "2017-10-19", "--catalog", catalog, "--json", "-")
    flags = ("--bars", str(bars), "--events", str(events), "--key", "KEY1", "--secret", "secret1")
    with exchange(*flags, "--speed", "step", "--start", "2017-10-20T19:59:00Z") as venue:
        env = KEYS | {"CATALYST_ALPACA__BASE_URL": venue.url}
        command = ("data", "download", "--source", "alpaca", *asked)
        done = catalyst_bot(*command, "--symbols", "SPY,ACME", env=env)
        assert done.code == 0, done.err
        assert [each["rows"] for each in json.loads(done.out)["symbols"]] == [319, 319]
        more = catalyst_bot(*command, "--symbols", "SPY,NOPE", env=env)
        assert (more.code, "nothing: NOPE" in more.err) == (3, True)
    (dataset,) = read_catalog(tmp_path / "catalog")
    stored = pl.read_parquet(tmp_path / "catalog" / dataset.file).filter(symbol="ACME")
    factor = stored["close"] / stored["adj_close"]
    assert factor.round(3).unique().sort().to_list() == [1.0, 2.0]

    out = tmp_path / "history"
    assert catalyst_bot("data", "history", "--catalog", catalog, "--out", str(out)).code == 0
    card = open_panel(out).card
    assert [span.symbol for span in card.spans] == ["ACME", "SPY"]
    assert card.sources[0].origin.startswith(f"Alpaca ({venue.url}, feed iex), asked 20")

    offline = catalyst_bot(*command, "--symbols", "SPY,ACME", env=env)
    assert (offline.code, "here" in offline.out) == (0, True)
    gone = catalyst_bot(*command, "--symbols", "SPY,NEW", env=env)
    assert (gone.code, "1 of 2 symbols are done" in gone.err) == (4, True)


def test_a_table_and_filings_by_configuration(tmp_path: Path) -> None:
    companies, config = tmp_path / "companies.json", tmp_path / "catalyst.toml"
    companies.write_text('{"0": {"cik_str": 101, "ticker": "ACME", "title": "Acme"}}')
    with serving() as server:
        config.write_text(
            f'[downloads]\nsymbols = ["ACME"]\ncsv = "{server.origin}/{{symbol}}.csv"\n'
            f'edgar = "{server.origin}/CIK{{cik}}.json"\n'
            '[feeds]\nedgar_contact = "me@example.org"\n'
            f'[detection]\ntickers_file = "{companies}"\n'
        )
        server.replies["/ACME.csv"] = Reply(body=csv_of(WEEK))
        server.replies["/CIK0000000101.json"] = Reply(body=submissions(SUBMISSION))
        days = ("--from", "2025-10-06", "--to", "2025-10-10")
        more = ("--catalog", str(tmp_path / "catalog"), "--config", str(config))
        for source in ("csv", "edgar"):
            done = catalyst_bot("data", "download", "--source", source, *days, *more)
            assert done.code == 0, done.err
        assert _bodies(tmp_path / "catalog") == ["CURRENT REPORT Item 2.02 Item 9.01"]
        server.replies[TEXT_AT] = Reply(body=b"<DOCUMENT>\n<TYPE>8-K\n<TEXT>\nItem 2.02 Acme won.")
        asked = ("data", "download", "--source", "edgar", "--texts", *days, *more)
        assert catalyst_bot(*asked).code == 0
        assert server.paths()[-1] == TEXT_AT
        assert _bodies(tmp_path / "catalog") == ["Item 2.02 Acme won."]
    kinds = [(each.kind, each.source) for each in read_catalog(tmp_path / "catalog")]
    assert kinds == [("bars", "csv-1d.parquet"), ("news", "edgar.jsonl")]


TEXT_AT = "/Archives/edgar/data/101/000000010125000001/0000000101-25-000001.txt"


def _bodies(catalog: Path) -> list[str]:
    return [
        json.loads(line)["body"] for file in news_files(catalog) for _, line in read_lines(file)
    ]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--source", "csv", "--symbols", "A", "--texts"), "--texts belongs to filings"),
        (("--source", "csv", "--symbols", "A"), "set downloads.csv"),
        (("--source", "edgar", "--symbols", "A"), "feeds.edgar_contact"),
        (("--source", "edgar", "--symbols", "A", "--interval", "1d"), "--interval belongs to bars"),
        (("--source", "alpaca", "--symbols", "A"), "ALPACA_API_KEY"),
        (("--source", "csv"), "no symbols to download"),
    ],
)
def test_what_is_missing_is_named(
    flags: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ALPACA_API_KEY", "APCA_API_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    done = catalyst_bot(
        "data", "download", "--from", "2025-10-06", "--catalog", str(tmp_path), *flags
    )
    assert (done.code, said in done.err) == (3, True), done.err
