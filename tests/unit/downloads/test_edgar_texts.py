"""Texts of downloaded filings: each asked for once, kept, and never in the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from catalyst_bot.domain.errors import SourceUnreachable
from catalyst_bot.downloads import edgar_texts
from catalyst_bot.downloads.edgar_texts import FilingTexts
from catalyst_bot.downloads.pages import Pages
from catalyst_bot.downloads.patience import Patience
from catalyst_bot.feeds.fetch import make_client
from catalyst_bot.feeds.sources import SOURCES
from catalyst_bot.feeds.turns import Turns
from tests.feed_server import Reply, Server, serving

PLACE = "/Archives/edgar/data/101/000000010125000001/0000000101-25-00000{}"
FILING = (
    b"<DOCUMENT>\n<TYPE>8-K\n<TEXT>\nItem 2.02 See the release.\n</TEXT>\n"
    b"<DOCUMENT>\n<TYPE>EX-99.1\n<TEXT>\nAcme sold twice as much.\n</TEXT>\n"
)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        running.reply = Reply(status=404)
        yield running


def line(number: int = 1, form: str = "8-K", **more: str) -> str:
    url = f"https://www.sec.gov{PLACE.format(number)}-index.htm"
    told = {"title": "Acme 8-K", "form": form, "url": url, "body": "Items 2.02"}
    return json.dumps(told | more)


def bodies(server: Server, folder: Path, *lines: str, is_asking: bool = True) -> list[str]:
    texts = FilingTexts(
        Pages(make_client(), Patience(lambda _: None), Turns(((1_000, 1),))),
        row=replace(SOURCES["edgar-submissions"], documents_at=server.origin),
        headers={"User-Agent": "me@example.org"},
        folder=folder,
        is_asking=is_asking,
        tell=lambda _: None,
    )
    rows = asyncio.run(texts.add_to(pl.DataFrame({"line": lines})))
    return [json.loads(each)["body"] for each in rows["line"]]


def test_a_filing_gets_its_text_once(server: Server, tmp_path: Path) -> None:
    server.replies[f"{PLACE.format(1)}.txt"] = Reply(body=FILING)
    told = ["Item 2.02 See the release. Acme sold twice as much."]
    assert bodies(server, tmp_path, line()) == told
    assert server.paths() == [f"{PLACE.format(1)}.txt"]
    assert server.asked[0]["User-Agent"] == "me@example.org"
    assert bodies(server, tmp_path, line(), is_asking=False) == told
    assert bodies(server, tmp_path, line(), line(2)) == [*told, "Items 2.02"]
    assert server.paths()[1:] == [f"{PLACE.format(2)}.txt"]


def test_who_does_not_ask_gets_what_is_there(server: Server, tmp_path: Path) -> None:
    assert bodies(server, tmp_path, line(), is_asking=False) == ["Items 2.02"]
    assert server.paths() == []


def test_what_is_not_to_be_had_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    server.replies[f"{PLACE.format(2)}.txt"] = Reply(body=b"<DOCUMENT>\n<TYPE>8-K\n")
    for _ in range(2):
        assert bodies(server, tmp_path, line(), line(2)) == ["Items 2.02", "Items 2.02"]
    assert server.paths() == [f"{PLACE.format(number)}.txt" for number in (1, 2)]


@pytest.mark.parametrize(
    "told",
    [
        line(form="4"),
        line(url="https://elsewhere.example/x.htm"),
        line(url=f"file://{PLACE.format(1)}.pdf"),
        line(url=""),
    ],
)
def test_other_forms_and_places_are_left_alone(told: str, server: Server, tmp_path: Path) -> None:
    assert bodies(server, tmp_path, told) == ["Items 2.02"]
    assert (server.paths(), list(tmp_path.iterdir())) == ([], [])


def test_no_name_of_a_filing_leads_out_of_the_folder(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    url = "https://www.sec.gov/Archives/../../../x/..-index.htm"
    bodies(server, folder, line(url=url))
    assert [path.parent for path in tmp_path.rglob("*.txt")] == [folder] * len(
        list(folder.glob("*.txt"))
    )


def test_of_a_long_filing_the_beginning_is_read(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edgar_texts, "MAX_BYTES", len(FILING) - 40)
    server.replies[f"{PLACE.format(1)}.txt"] = Reply(body=FILING)
    (body,) = bodies(server, tmp_path, line())
    assert body.startswith("Item 2.02 See the release.")
    assert "twice as much." not in body


def test_what_came_before_a_silence_is_kept(server: Server, tmp_path: Path) -> None:
    server.replies[f"{PLACE.format(1)}.txt"] = Reply(body=FILING)
    bodies(server, tmp_path, line())
    server.replies[f"{PLACE.format(2)}.txt"] = Reply(status=503, headers={"Retry-After": "900"})
    with pytest.raises(SourceUnreachable, match="503"):
        bodies(server, tmp_path, line(), line(2))
    assert [path.name for path in tmp_path.iterdir()] == ["0000000101-25-000001.txt"]
