"""`detect text`, `detect file`, `detect evaluate`, `detect train`, as a person calls them."""

from __future__ import annotations

import json
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.texts.labels import Task
from catalyst_bot.texts.model_files import shipped, shipped_card
from tests.e2e.commands import Said, catalyst_bot
from tests.unit.texts.test_training import rows


def detect(folder: Path, *arguments: str) -> Said:
    with chdir(folder):
        return catalyst_bot("detect", *arguments)


def as_json(done: Said) -> Any:
    assert done.code == 0, done.err
    return json.loads(done.out)


def lines(path: Path, found: list[dict[str, Any]]) -> str:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in found))
    return str(path)


def test_a_text_shows_the_whole_reasoning(tmp_path: Path):
    text = "FDA approves Acme's pump, shares not seen to fall"
    found = as_json(detect(tmp_path, "text", text, "--symbol", "acme", "--json", "-"))
    (catalyst,) = found["catalysts"]
    assert found["tickers"]["symbols"] == ["ACME"] == [catalyst["symbol"]]
    assert (catalyst["category"], catalyst["direction"]) == ("fda_approval", 1)
    assert catalyst["evidence"] == ["fda approves"]
    assert [o["name"] for o in catalyst["opinions"]] == ["lexicon", "linear"]
    assert {f["name"] for f in catalyst["factors"]} >= {"certainty", "source", "tone", "weight"}
    assert {"word": "fall", "adds": 0.84} in found["tone_words"]  # turned by the "not"
    assert found["topic"]["label"]
    shown = detect(tmp_path, "text", text, "--symbol", "ACME")
    assert "fda_approval" in shown.out
    assert "opinion" in shown.out


def test_the_acquirer_and_the_target_have_each_their_own_catalyst(tmp_path: Path):
    text = "Pfizer (NYSE: PFE) to Acquire Metsera (NASDAQ: MTSR) for $4.9 Billion"
    found = as_json(detect(tmp_path, "text", text, "--json", "-"))
    parts = {c["symbol"]: (c["category"], c["direction"]) for c in found["catalysts"]}
    assert parts == {"PFE": ("acquisition_announced", 0), "MTSR": ("acquisition_target", 1)}
    assert {p["words"] for p in found["phrases"] if p["counts"]} == {"to acquire"}
    shown = detect(tmp_path, "text", "Nvidia supplier Acme wins $5 million order")
    assert "bystander at with_ticker: the title names NVDA beside another company" in shown.out


def test_a_refusal_says_why(tmp_path: Path):
    found = as_json(detect(tmp_path, "text", "Why is Acme up today?", "--json", "-"))
    assert found["catalysts"] == []
    assert found["refused"][0]["step"] == "with_ticker"
    shown = detect(tmp_path, "text", "Why is Acme up today?")
    assert shown.code == 0
    assert "refused      no_ticker at with_ticker" in shown.out
    empty = detect(tmp_path, "text", "  ")
    assert (empty.code, empty.out) == (3, "")
    assert "TEXT is empty" in empty.err


def test_a_file_is_read_as_the_bot_would_read_it(tmp_path: Path):
    at = "2025-10-06T14:00:00Z"
    given = [
        {"title": "FDA approves Acme's pump", "symbols": ["ACME"], "published_at": at},
        {"title": "FDA approves Acme's pump!", "symbols": ["ACME"], "published_at": at},
        {"text": "Zeta prices public offering", "symbols": ["ZETA"]},
        {"label": "no title"},
    ]
    file = lines(tmp_path / "news.jsonl", given)
    out = tmp_path / "out.json"
    done = detect(tmp_path, "file", file, "--json", str(out))
    assert done.code == 0, done.err
    found = json.loads(out.read_text())
    assert (found["n"], found["with_catalyst"]) == (3, 2)
    assert found["refused"] == {"duplicate": 1}
    assert found["unreadable"] == ["news.jsonl:4: has no title"]
    assert "news.jsonl:4" in done.err
    assert [len(item["catalysts"]) for item in found["items"]] == [1, 0, 1]


def test_separate_events_within_an_hour_are_told_apart(tmp_path: Path):
    titles = (
        "Brokerville downgrades Acme to Sell",
        "Acme downgraded to sell at Brokerville",
        "Brokerville upgrades Acme to Buy",
        "Acme wins $50 million Navy drone contract",
        "Acme wins $30 million Navy drone contract",
    )
    given = [
        {"title": title, "symbols": ["ACME"], "published_at": f"2025-10-06T14:0{minute}:00Z"}
        for minute, title in enumerate(titles)
    ]
    file = lines(tmp_path / "news.jsonl", given)
    found = as_json(detect(tmp_path, "file", file, "--json", "-"))
    assert [len(item["catalysts"]) for item in found["items"]] == [1, 0, 1, 1, 1]
    assert found["refused"] == {"known_story": 1}


def test_times_that_cannot_be_and_other_character_sets_are_refused_and_counted(tmp_path: Path):
    given = [
        {"title": "FDA approves Acme's pump", "symbols": ["ACME"], "published_at": at}
        for at in (
            "2025-10-06T14:00:00Z",
            "1970-01-01T00:00:00Z",
            "2199-01-01T00:00:00Z",
            "1970-01-01",
            "2199-01-01",
        )
    ]
    file = Path(lines(tmp_path / "news.jsonl", given))
    latin = json.dumps({"text": "caf\u00e9"}, ensure_ascii=False).encode("latin-1")
    file.write_bytes(file.read_bytes() + latin + b"\n")
    done = detect(tmp_path, "file", str(file), "--json", "-")
    found = as_json(done)
    assert found["n"] == 1
    assert [reason.split(": ", 1) for reason in found["unreadable"]] == [
        ["news.jsonl:2", "has a published_at before there were feeds: 1970-01-01"],
        ["news.jsonl:3", "has a time still to come: 2199-01-01 00:00 UTC"],
        ["news.jsonl:4", "has a published_at before there were feeds: 1970-01-01"],
        ["news.jsonl:5", "has a time still to come: 2199-01-01 00:00 UTC"],
        ["news.jsonl:6", "is not UTF-8 at byte 14"],
    ]
    assert "left out: news.jsonl:6: is not UTF-8" in done.err
    shown = detect(tmp_path, "file", str(file))
    assert "5 lines left out" in shown.out


def test_evaluate_measures_the_shipped_models(tmp_path: Path):
    given = [
        {"text": "Acme shares surge after profit beats estimates", "label": "Bullish"},
        {"text": "Acme shares plunge after weak quarter, downgraded", "label": "bearish"},
        {"text": "Acme annual meeting", "label": "mixed"},
    ]
    file = lines(tmp_path / "labelled.jsonl", given)
    found = as_json(detect(tmp_path, "evaluate", file, "--task", "sentiment", "--json", "-"))
    assert (found["n"], found["accuracy"], found["coverage"]) == (2, 1.0, 1.0)
    assert found["left_out"] == {"mixed": 1}
    assert set(found) >= {"macro_f1", "accuracy_ci95", "macro_f1_ci95", "ci_method", "confusion"}
    listed = as_json(
        detect(
            tmp_path, "evaluate", file, "--task", "sentiment", "--model", "lexicon", "--json", "-"
        )
    )
    assert (listed["model"], listed["coverage"]) == ("lexicon", 1.0)
    timid = as_json(
        detect(
            *(tmp_path, "evaluate", file, "--task", "sentiment", "--min-confidence", "1"),
            *("--json", "-"),
        )
    )
    assert (timid["coverage"], timid["accuracy"]) == (0.0, 0.0)
    shown = detect(tmp_path, "evaluate", file, "--task", "sentiment")
    assert "macro-F1  1.0000  (too few texts for a band)" in shown.out
    topic = lines(tmp_path / "topic.jsonl", [{"text": "Acme declares dividend", "label": 4}])
    shown = detect(tmp_path, "evaluate", topic, "--task", "topic")
    assert shown.code == 0
    assert "macro-F1" in shown.out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("evaluate", "bad.jsonl", "--task", "sentiment"), "bad.jsonl:1: 'great' is no sentiment"),
        (("evaluate", "none.jsonl", "--task", "sentiment"), "none.jsonl"),
        (("evaluate", "bad.jsonl", "--task", "topic", "--model", "lexicon"), "knows no topic"),
        (("evaluate", "bad.jsonl", "--task", "topic", "--model", "x"), "holds no text model"),
        (("file", "numbers.jsonl", "--json", "out.json"), "numbers.jsonl:1: "),
        (("file", "numbers.jsonl", "--json", "no/out.json"), "there is no folder"),
        (("file", "no.jsonl"), "no.jsonl:1: cannot be read: No such file or directory"),
        (("file", "empty.jsonl", "--json", "out.json"), "empty.jsonl: it is empty"),
        (("train", "--task", "sentiment", "--data", "few.jsonl", "--out", "m"), "too few texts"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, arguments: tuple[str, ...], reason: str):
    lines(tmp_path / "bad.jsonl", [{"text": "a", "label": "great"}])
    lines(tmp_path / "few.jsonl", [{"text": "a", "label": "positive"}])
    (tmp_path / "numbers.jsonl").write_text("1\n2\n")
    (tmp_path / "empty.jsonl").write_text("")
    done = detect(tmp_path, *arguments)
    assert done.code == 3
    assert not (tmp_path / "out.json").exists()
    assert reason in done.err
    assert "Traceback" not in done.err


def test_a_trained_model_is_measured_by_its_folder(tmp_path: Path):
    file = lines(tmp_path / "rows.jsonl", rows()[::2])
    more = lines(tmp_path / "more.jsonl", rows()[1::2])
    shown = detect(
        *(tmp_path, "train", "--task", "sentiment", "--data", file, more, "--out", "made"),
        *("--json", "card.json"),
    )
    assert shown.code == 0
    assert "labels    by name" in shown.out
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert [row["rows"] for row in card["data"]] == [90, 90]
    assert (tmp_path / "made" / "model.npz").stat().st_size > 1000
    found = as_json(
        detect(
            *(tmp_path, "evaluate", file, "--task", "sentiment", "--model", "made"),
            *("--json", "-"),
        )
    )
    assert found["accuracy"] >= card["held_out"]["accuracy"] > 0.6


def test_the_shipped_models_are_what_their_cards_say():
    for task in Task:
        card = shipped_card(task)
        assert shipped(task).model_id == f"{task}-{card['weights_sha256'][:12]}"
        assert "MIT" in card["licence_note"]
        assert {row["file"] for row in card["data"]} <= {
            "twitter_financial_sentiment.jsonl.zst",
            "twitter_financial_topic.jsonl.zst",
        }
