"""`data import --catalog` and `data history`, as a person calls them."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from catalyst_bot.history.panel import open_panel
from tests.e2e.commands import catalyst_bot
from tests.unit.history.market import daily


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pl.concat([daily("SPY", 99), daily("ACME"), daily("NEW", count=50)]).write_parquet(
        tmp_path / "bars.parquet"
    )
    return tmp_path


def test_a_history_is_made_of_a_catalog(folder: Path) -> None:
    news = {
        "published_at": f"{daily('ACME')['date'][300]}T15:00:00Z",
        "title": "Acme wins FDA approval for its drug",
        "symbols": ["ACME"],
    }
    (folder / "news.jsonl").write_text(json.dumps(news) + "\n", encoding="utf-8")
    catalog, out = str(folder / "catalog"), folder / "history"
    files = [str(folder / "bars.parquet"), str(folder / "news.jsonl")]
    assert catalyst_bot("data", "import", *files, "--catalog", catalog).code == 0
    assert "bars.parquet" in catalyst_bot("data", "list", "--catalog", catalog).out

    done = catalyst_bot("data", "history", "--catalog", catalog, "--out", str(out), "--json", "-")
    assert done.code == 0, done.err
    assert "detection.min_horizon_s = 2419200.0, as daily bars need it" in done.err
    card = json.loads(done.out)
    assert [span["symbol"] for span in card["spans"]] == ["ACME", "SPY"]
    assert [(e["symbol"], e["gate"]) for e in card["excluded"]] == [("NEW", "too_little_history")]
    assert card["events"] == {"signals": 1, "asks": 20}
    panel = open_panel(out)
    assert json.loads(json.dumps(panel.card.to_json())) == card
    assert panel.events["direction"].to_list() == [1.0]
    assert panel.ask_row[0] == panel.events["row"][0]

    again = catalyst_bot("data", "history", "--catalog", catalog, "--out", str(out))
    assert (again.code, "is there already" in again.err) == (3, True)


def test_later_news_and_vendors_labels_change_no_earlier_event(folder: Path) -> None:
    days = daily("ACME")["date"]

    def item(day: int, title: str, **given: str) -> dict[str, object]:
        at = f"{days[day]}T15:00:00Z"
        return {"published_at": at, "title": title, "symbols": ["ACME"]} | given

    early = [item(260, "Acme wins FDA approval for its drug"), item(280, "Acme cuts its outlook")]
    late = [
        item(300, "CORRECTION: Acme did not win FDA approval for its drug"),
        item(301, "Acme retracts its announcement of FDA approval"),
    ]
    labelled = [each | {"label_sentiment": "Negative", "topics": "['x']"} for each in early]
    found = []
    for name, news in (("a", early), ("b", [*early, *late]), ("c", labelled)):
        path = folder / f"{name}.jsonl"
        path.write_text("\n".join(map(json.dumps, news)) + "\n", encoding="utf-8")
        catalog, out = str(folder / f"catalog-{name}"), folder / f"history-{name}"
        files = [str(folder / "bars.parquet"), str(path)]
        assert catalyst_bot("data", "import", *files, "--catalog", catalog).code == 0
        assert catalyst_bot("data", "history", "--catalog", catalog, "--out", str(out)).code == 0
        found.append(open_panel(out).events)
    alone, followed, labelled_events = found
    assert len(followed) > len(alone) > 0
    assert followed.head(len(alone)).equals(alone)
    assert labelled_events.equals(alone)


def test_a_catalog_that_will_not_do_leaves_nothing(folder: Path) -> None:
    out = folder / "history"
    done = catalyst_bot("data", "history", "--catalog", str(folder / "no"), "--out", str(out))
    assert done.code == 3
    assert "import some" in done.err
    assert not out.exists()


def test_a_place_for_the_card_that_will_not_do_is_refused_before_the_work(folder: Path) -> None:
    where = ("--catalog", str(folder / "catalog"), "--out", str(folder / "unbuilt"))
    said = catalyst_bot("data", "history", *where, "--json", str(folder))
    assert said.code == 3
    assert "--json" in said.err
    assert not (folder / "unbuilt").exists()
