"""The running bot takes headlines from several sources on a real HTTP server to catalysts."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.bootstrap.journal_tools import verify
from catalyst_bot.bootstrap.live import follow
from catalyst_bot.bootstrap.requests import Asked, live_feeds_of
from catalyst_bot.domain.messages.decisions import CatalystDetected, HeadlineIgnored
from catalyst_bot.domain.messages.facts import (
    AdapterFailed,
    HeadlineReceived,
    HeadlineUnreadable,
    SymbolHalted,
)
from catalyst_bot.domain.messages.registry import Recorded
from tests.builders import NOON
from tests.e2e.commands import Said, catalyst_bot
from tests.feed_desk import SetClock
from tests.feed_samples import (
    EDGAR_ENTRY,
    FINNHUB,
    STOCK,
    answer,
    edgar_page,
    nasdaq_halt,
    nasdaq_halts,
    rss,
)
from tests.feed_server import Reply, Server, serving

PATIENCE_S = 20.0
KEY = "k3y-of-a-vendor"
DOCUMENT = "/Archives/edgar/data/101/000000010125000001/0000000101-25-000001.txt"
FILING = b"<DOCUMENT><TYPE>8-K<TEXT>Cover. Item 2.02 Results: Acme sold twice as much.</TEXT>"
COMPANIES = ("ACME", "BETA", "GAMMA", "OMEGA")  # with CIK 101 and on


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        wire = rss(before=STOCK.replace("ACME", "BETA"), title="FDA approves Beta's new pump")
        vendor = {**FINNHUB, "related": "GAMMA", "headline": "Gamma to be acquired by Delta"}
        bomb = gzip.compress(bytes(100 << 20))
        running.reply = Reply(status=404)
        running.replies = {
            "/current": Reply(body=edgar_page(EDGAR_ENTRY)),
            DOCUMENT: Reply(body=FILING),
            "/wire": Reply(body=wire),
            "/vendor": Reply(body=answer("finnhub", vendor, {**vendor, "datetime": 0})),
            "/halts": Reply(body=nasdaq_halts(nasdaq_halt("OMEGA"))),
            "/bomb": Reply(body=bomb, headers={"Content-Encoding": "gzip"}),
            "/busy": Reply(body=b"<!DOCTYPE html><title>Unavailable</title>"),
        }
        yield running


@pytest.fixture
def config(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINNHUB_API_KEY", KEY)
    monkeypatch.setenv("CATALYST_DASHBOARD__PORT", "0")
    companies = tmp_path / "companies.ndjson"
    rows = [
        {"cik": 101 + number, "ticker": symbol, "title": f"{symbol} Corp"}
        for number, symbol in enumerate(COMPANIES)
    ]
    companies.write_text("\n".join(map(json.dumps, rows)))
    names = {
        "edgar": "current",
        "globenewswire": "wire",
        "finnhub": "vendor",
        "nasdaq-halts": "halts",
        "rss": "bomb",
        "prnewswire": "busy",
    }
    sources = [f"{name}={server.origin}/{path}" for name, path in names.items()]
    file = tmp_path / "catalyst.toml"
    file.write_text(
        f"[feeds]\nsources = {json.dumps(sources)}\nedgar_contact = 'jane@example.com'\n"
        f"[run]\ndata_dir = '{tmp_path / 'data'}'\n[detection]\ntickers_file = '{companies}'\n"
    )
    return file


def followed(config: Path, is_enough: Callable[[list[Any]], bool]) -> tuple[Path, list[Any]]:
    """Follow the feeds until enough was recorded; return the journal and what it holds."""
    told: list[Any] = []

    def listen(batch: Sequence[Recorded]) -> None:
        told.extend(record.body for record in batch)
        if is_enough(told):
            signal.raise_signal(signal.SIGTERM)

    request = live_feeds_of(Asked(is_dry_run=False, config=config))
    clock = SetClock()
    clock.pass_s(60)  # recorded news is brought a minute after its publication
    outcome = follow(replace(request, clock=clock, listeners=[listen], beside=[give_up]))
    assert is_enough(told), "it was given up"
    assert isinstance(outcome.journal, Path)
    return outcome.journal, told


async def give_up() -> None:
    """End a run that does not come to what is waited for."""
    await asyncio.sleep(PATIENCE_S)
    signal.raise_signal(signal.SIGTERM)
    await asyncio.sleep(PATIENCE_S)


def of(told: list[Any], kind: type) -> list[Any]:
    return [body for body in told if isinstance(body, kind)]


def is_all_said(told: list[Any]) -> bool:
    counts = (AdapterFailed, 2), (SymbolHalted, 1), (HeadlineUnreadable, 1)
    symbols = {found.catalyst.symbol for found in of(told, CatalystDetected)}
    is_counted = all(len(of(told, kind)) >= count for kind, count in counts)
    return is_counted and {"ACME", "BETA", "GAMMA"} <= symbols


def test_headlines_of_several_sources_become_catalysts_and_bad_ones_stop_nobody(
    config: Path, monkeypatch: pytest.MonkeyPatch
):
    journal, told = followed(config, is_all_said)
    catalysts = {found.catalyst.symbol: found.catalyst for found in of(told, CatalystDetected)}
    categories = {symbol: catalyst.category for symbol, catalyst in catalysts.items()}
    assert categories["BETA"] == "fda_approval"
    assert catalysts["BETA"].source == "GlobeNewswire"
    assert {"ACME", "GAMMA"} <= categories.keys()
    filing = next(f.headline for f in of(told, HeadlineReceived) if f.headline.form == "8-K")
    assert filing.body == "Item 2.02 Results: Acme sold twice as much."
    assert of(told, SymbolHalted)[0].symbol == "OMEGA"
    failed = {fact.adapter.partition(":")[0]: fact.error for fact in of(told, AdapterFailed)}
    assert "more than 5 MiB" in failed["feed rss"]
    assert "'Unavailable'" in failed["feed prnewswire"]
    assert "no readable time" in of(told, HeadlineUnreadable)[0].reason
    assert KEY.encode() not in journal.read_bytes()
    assert verify(journal, decides_again=True).divergence is None


def test_a_restart_tells_nothing_twice(config: Path):
    _, first = followed(config, is_all_said)
    _, again = followed(config, lambda told: len(of(told, HeadlineReceived)) >= 3)
    assert not of(again, CatalystDetected)
    assert not of(again, SymbolHalted)
    ignored = {body.reason for body in of(again, HeadlineIgnored)}
    assert "duplicate" in ignored
    assert len(of(first, SymbolHalted)) == 1


def test_recorded_news_is_followed_by_the_clock(tmp_path: Path):
    row = {
        "published_at": NOON.isoformat(),
        "title": "FDA approves Beta's new pump",
        "source": "GlobeNewswire",
        "symbols": ["BETA"],
    }
    (tmp_path / "news.jsonl").write_text(json.dumps(row) + "\n")
    config = tmp_path / "catalyst.toml"
    config.write_text(
        f"[feeds]\nsources = ['recorded={tmp_path / 'news.jsonl'}']\n"
        f"[run]\ndata_dir = '{tmp_path / 'data'}'\n"
    )
    _, told = followed(config, lambda told: bool(of(told, CatalystDetected)))
    assert of(told, CatalystDetected)[0].catalyst.symbol == "BETA"


def check(config: Path, *arguments: str) -> Said:
    return catalyst_bot("feeds", "check", "--config", str(config), *arguments)


def test_a_check_tells_of_every_source(config: Path):
    said = check(config)
    assert said.code == 4
    assert "ok   edgar: answers, 1 headlines up to 2025-10-06T15:59:00Z" in said.out
    assert "ok   nasdaq-halts: answers, 1 halts" in said.out
    assert "FAIL prnewswire: PR Newswire: an HTML page instead of XML: 'Unavailable'" in said.out
    assert KEY not in said.out + said.err
    rows = {row["name"]: row for row in json.loads(check(config, "--json", "-").out)}
    assert rows["globenewswire"]["is_ok"]
    assert rows["finnhub"]["problems"] == 1


def test_a_check_of_good_sources_ends_well(server: Server, config: Path):
    config.write_text(f"[feeds]\nsources = ['globenewswire={server.origin}/wire']\n")
    assert check(config).code == 0


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", 3, "no source is configured"),
        ("[feeds]\nsources = ['nobody']\n", 3, "no source 'nobody'"),
        ("[feeds]\nsources = ['edgar']\n", 3, "feeds.edgar_contact"),
        ("[feeds]\nsources = ['recorded=nothing.jsonl']\n", 3, "no such file"),
    ],
)
def test_a_check_names_what_is_missing(tmp_path: Path, text: str, code: int, words: str):
    config = tmp_path / "catalyst.toml"
    config.write_text(text)
    said = check(config)
    assert said.code == code
    assert words in said.err


def test_the_doctor_names_what_a_source_lacks(config: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("FINNHUB_API_KEY")
    said = catalyst_bot("doctor", "--config", str(config), "--json", "-")
    findings = {row["name"]: row for row in json.loads(said.out)}
    assert not findings["news sources"]["is_ok"]
    assert "set FINNHUB_API_KEY" in findings["news sources"]["detail"]


def parsed(file: Path, kind: str) -> Said:
    return catalyst_bot("feeds", "parse", str(file), "--kind", kind, "--at", "2025-10-06T16:00:00Z")


def test_captures_are_shown(tmp_path: Path):
    file = tmp_path / "capture"
    file.write_bytes(edgar_page(EDGAR_ENTRY, "<entry/>"))
    said = parsed(file, "edgar-atom")
    assert said.code == 0
    assert "1 headlines, 0 halts, 1 unreadable" in said.out
    assert "unreadable: edgar-atom entry 2: has no title or no accession number" in said.out
    file.write_bytes(nasdaq_halts(nasdaq_halt()))
    assert "2025-10-06T15:59:00Z ACME T1 until further" in parsed(file, "nasdaq-halts").out
    file.write_bytes(FILING)
    assert "Acme sold twice as much" in parsed(file, "edgar-document").out


def test_a_capture_that_is_none_is_refused_with_the_reason(tmp_path: Path):
    file = tmp_path / "capture"
    file.write_bytes(b"<!DOCTYPE html><title>Busy</title>")
    for arguments, words in (
        ((file, "rss"), "an HTML page instead of XML: 'Busy'"),
        ((file, "nothing"), "no such kind; there are edgar-atom"),
        ((tmp_path / "none", "rss"), "cannot be read"),
    ):
        said = parsed(*arguments)
        assert said.code == 3
        assert words in said.err


def test_real_captures_are_shown(shared_data: Path):
    folder = shared_data / "fixtures" / "edgar_submissions"
    for file in sorted(folder.glob("*.json")):
        said = catalyst_bot(
            "feeds", "parse", str(file), "--kind", "edgar-submissions", "--at", "2026-09-01",
            "--json", "-",
        )  # fmt: skip
        assert len(json.loads(said.out)["headlines"]) == 60
