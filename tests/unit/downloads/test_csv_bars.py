"""CSV files from an address or a folder: their headers, their oddities, what is refused and why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalyst_bot.domain.errors import BadData, ConfigError, SourceUnreachable
from catalyst_bot.downloads.csv_bars import CsvBars
from catalyst_bot.downloads.download import DownloadReport
from catalyst_bot.downloads.names import Interval
from catalyst_bot.downloads.patience import Patience
from catalyst_bot.downloads.wanted import Fetched
from catalyst_bot.feeds.fetch import make_client
from catalyst_bot.feeds.turns import Turns
from tests.feed_server import Reply, Server, serving
from tests.unit.downloads.desk import WEEK, ask, bars_of, csv_of, outcomes, period


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def make(template: str, *, key: str = "", interval: Interval = Interval.DAY) -> CsvBars:
    """A source that has all turns; its client opens nothing before it is asked."""
    return CsvBars(
        make_client(),
        Patience(lambda _: None),
        template=template,
        key=key,
        interval=interval,
        adjustment="adjusted for splits",
        terms="free",
        turns=Turns(()),
    )


def fetch(source: CsvBars, symbol: str = "ACME") -> Fetched | None:
    return asyncio.run(source.fetch(symbol, period(), None))


def download(server: Server, catalog: Path, path: str = "/{lower}.csv") -> DownloadReport:
    return ask(make(server.origin + path), catalog, "ACME")


def test_a_table_like_stooqs_becomes_bars(server: Server, tmp_path: Path) -> None:
    server.replies["/acme.us?d1=20251006&d2=20251010"] = Reply(body=csv_of(WEEK))
    report = download(server, tmp_path, "/{lower}.us?d1={start:%Y%m%d}&d2={end:%Y%m%d}")
    assert report.is_complete, report.render()
    bars = bars_of(tmp_path)
    assert bars["close"].to_list() == [close for _, close in WEEK]
    assert bars["symbol"].unique().to_list() == ["ACME"]
    assert report.to_json()["files"][0]["dataset"]["origin"]["vendor"] == "127.0.0.1"


@pytest.mark.parametrize(
    "header",
    [
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
        "symbol,per,date,time,open,high,low,close,volume,openint",
    ],
)
def test_other_headers_are_known(header: str, tmp_path: Path) -> None:
    line = "ACME.US,D,20251006,000000,50,51,49,50.5,1000,0"
    (tmp_path / "ACME.csv").write_text(f"{header}\n{line}\n", encoding="utf-8")
    fetched = fetch(make(f"{tmp_path}/{{symbol}}.csv"))
    assert fetched is not None
    row = fetched.rows.row(0, named=True)
    assert (row["symbol"], str(row["date"]), row["close"]) == ("ACME", "2025-10-06", 50.5)


def test_an_adjusted_close_is_taken_along(tmp_path: Path) -> None:
    (tmp_path / "ACME.csv").write_text(
        "Date,Open,High,Low,Close,Adj Close,Volume\n2025-10-06,50,51,49,50,25,9\n", encoding="utf-8"
    )
    fetched = fetch(make(f"{tmp_path}/{{symbol}}.csv"))
    assert fetched is not None
    assert fetched.rows["adj_close"].to_list() == [25.0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"Exceeded the daily hits limit", "no date, open, .* in 'Exceeded the daily hits limit'"),
        (b"", "is no CSV table"),
        (b"Date,Open,High,Low,Close\n2025-10-06,1,1,1,1\n", "no volume in"),
        (
            b"Date,Open,High,Low,Close,Volume\nyesterday,1,1,1,1,1\n",
            "line 2: 'yesterday' is no day",
        ),
        (
            b"Date,Open,High,Low,Close,Vol,Volume\n2025-10-06,1,1,1,1,1,1\n",
            "two columns of one name",
        ),
    ],
)
def test_what_is_no_table_of_bars_is_refused_with_its_place(
    content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / "ACME.csv").write_bytes(content)
    with pytest.raises(BadData, match=said):
        fetch(make(f"{tmp_path}/{{symbol}}.csv"))


def test_a_time_of_day_must_name_its_zone(tmp_path: Path) -> None:
    text = "timestamp,open,high,low,close,volume\n{},50,51,49,50,9\n"
    source = make(f"{tmp_path}/{{symbol}}.csv", interval=Interval.FIVE_MINUTES)
    (tmp_path / "ACME.csv").write_text(text.format("2025-10-06T09:30:00-04:00"), encoding="utf-8")
    fetched = fetch(source)
    assert fetched is not None
    assert str(fetched.rows["timestamp"][0]) == "2025-10-06 13:30:00+00:00"
    (tmp_path / "ACME.csv").write_text(text.format("2025-10-06 09:30:00"), encoding="utf-8")
    with pytest.raises(BadData, match=r"line 2: .* names no zone"):
        fetch(source)


def test_a_price_that_is_none_costs_its_row(server: Server, tmp_path: Path) -> None:
    server.reply = Reply(body=csv_of(WEEK).replace(b"-10-09,53.0", b"-10-09,N/A"))
    report = download(server, tmp_path)
    assert report.to_json()["files"][0]["quality"]["refused"][0]["reason"] == "not_a_number"
    assert len(bars_of(tmp_path)) == 4


def test_an_unchanged_file_is_not_sent_again(server: Server, tmp_path: Path) -> None:
    server.reply = Reply(body=csv_of(WEEK), headers={"ETag": '"1"'})
    assert outcomes(download(server, tmp_path)) == ["fetched"]
    server.reply = Reply(status=304)
    source = make(f"{server.origin}/{{lower}}.csv")
    longer = period("2025-10-06", "2025-10-17")
    assert outcomes(ask(source, tmp_path, "ACME", days=longer)) == ["unchanged"]
    assert server.asked[-1]["If-None-Match"] == '"1"'
    # Earlier days were cut off what is here, so they are asked for in full.
    server.reply = Reply(body=csv_of(WEEK))
    earlier = period("2025-10-01", "2025-10-10")
    assert outcomes(ask(source, tmp_path, "ACME", days=earlier)) == ["fetched"]
    assert "If-None-Match" not in server.asked[-1]


def test_a_missing_file_and_a_dead_server_are_different_things(
    server: Server, tmp_path: Path
) -> None:
    server.reply = Reply(status=404)
    assert outcomes(download(server, tmp_path)) == ["nothing"]
    assert outcomes(ask(make(f"{tmp_path}/{{symbol}}.csv"), tmp_path, "ACME")) == ["nothing"]
    server.reply = Reply(status=503)
    with pytest.raises(SourceUnreachable, match="HTTP 503"):
        download(server, tmp_path)


@pytest.mark.parametrize(
    "reply", [Reply(status=403), Reply(body=b"the apikey geheim has exceeded its limit")]
)
def test_a_key_goes_to_the_server_and_nowhere_else(
    reply: Reply, server: Server, tmp_path: Path
) -> None:
    server.reply = reply
    source = make(f"{server.origin}/{{symbol}}.csv?apikey={{key}}", key="geheim")
    report = ask(source, tmp_path, "ACME")
    assert server.paths() == ["/ACME.csv?apikey=geheim"]
    assert "geheim" not in report.render() + source.place + str(report.to_json())


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("https://example.org/all.csv", "names no {symbol}"),
        ("https://example.org/{symbol}/{what}.csv", "cannot be filled in"),
        ("https://example.org/{symbol.x}.csv", "cannot be filled in"),
        ("https://example.org/{symbol.lower}.csv", "is none of"),
        ("http://example.org/{symbol}.csv", "no https address"),
        ("ftp://localhost/{symbol}.csv", "no https address"),
        ("https://[x/{symbol}.csv", "is no address"),
        ("https://example.org:99999/{symbol}.csv", "is no address"),
        ("https://{symbol}.example.org/x.csv", "no https address with a fixed host"),
        ("https://me:word@example.org/{symbol}.csv", "holds a password"),
        ("https://example.org/{symbol}.csv?k={key}", "set CATALYST_CSV_KEY"),
    ],
)
def test_a_template_that_will_not_do_is_refused(template: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make(template)
