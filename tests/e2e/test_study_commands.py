"""`study …` and the scanner over an invented market whose truth is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import Said, catalyst_bot
from tests.e2e.study_market import GAP_DAY, Market, write_market

PERIOD = ("--from", "2025-09-08", "--to", "2025-10-31")
RUN = ("run", "--mode", "backtest", "--exit", *PERIOD)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return write_market(tmp_path_factory.mktemp("market"))


def told(said: Said) -> Any:
    assert said.code == 0, said.err
    return json.loads(said.out)


def files(market: Market) -> tuple[str, ...]:
    return ("--bars", str(market.bars), "--news", str(market.news))


@pytest.fixture(scope="module")
def scanned_run(market: Market, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The recorded days with the scanner on, over news that is not about GAPS."""
    folder = tmp_path_factory.mktemp("scanned")
    config = folder / "catalyst.toml"
    config.write_text("[scanner]\nenabled = true\n", encoding="utf-8")
    ran = catalyst_bot(
        *(*RUN, *files(market), "--config", str(config), "--data-dir", str(folder), "--json", "-")
    )
    return folder, told(ran)


def test_events_finds_what_was_planted(market: Market):
    study = told(catalyst_bot("study", "events", *files(market), *PERIOD, "--json", "-"))
    (upgrade,) = study["categories"]
    assert upgrade["category"] == "analyst_upgrade"
    assert upgrade["events"] == upgrade["priced"] >= 15
    hour = upgrade["returns_bps"]["1h"]
    assert hour["mean"] == pytest.approx(200, abs=15)
    assert 150 < hour["low"] < hour["mean"] < hour["high"] < 250
    again = told(catalyst_bot("study", "events", *files(market), *PERIOD, "--json", "-"))
    assert again == study


def test_events_writes_a_page_without_headlines_and_prices(market: Market, tmp_path: Path):
    page = tmp_path / "page.md"
    said = catalyst_bot("study", "events", *files(market), *PERIOD, "--markdown", str(page))
    assert said.code == 0
    assert "edge bps after costs" in said.out
    assert "analyst_upgrade" in said.out
    assert "Proposed for muting" in said.out
    assert "Broker Number" not in said.out
    text = page.read_text(encoding="utf-8")
    assert "| analyst_upgrade |" in text
    assert "Broker Number" not in text


def test_where_a_study_cannot_write_is_said_before_it(market: Market, tmp_path: Path):
    for flag in ("--json", "--markdown", "--propose", "--edges"):
        path = tmp_path / "none" / "out"
        said = catalyst_bot("study", "events", *files(market), flag, str(path))
        assert (said.code, said.out) == (3, "")
        assert f"{flag} {path}: there is no folder {path.parent}; make it first" in said.err
    assert not (tmp_path / "none").exists()


def test_what_is_no_proposal_is_said_in_plain_words(tmp_path: Path):
    for text, reason in (
        ("{", "is not JSON at line 1, column 2"),
        ('{"text": "x"}', "expected an object with reason, changes, evidence"),
    ):
        file = tmp_path / "p.json"
        file.write_text(text, encoding="utf-8")
        said = catalyst_bot("study", "show", str(file))
        assert said.code == 3
        assert f"p.json: is no proposal: {reason}" in said.err


def test_nothing_to_study_is_said(market: Market):
    said = catalyst_bot("study", "events", "--bars", str(market.bars))
    assert said.code == 3
    assert "--news" in said.err
    said = catalyst_bot("study", "events", *files(market), "--model", "market")
    assert said.code == 3
    assert "daily bars" in said.err


def test_scan_lists_the_gap(market: Market):
    hits = told(catalyst_bot("study", "scan", "--bars", str(market.bars), "--json", "-"))
    gaps = [hit for hit in hits if hit["symbol"] == "GAPS"]
    assert [hit["at"] for hit in gaps] == [f"{GAP_DAY}T13:35:00Z"]
    assert gaps[0]["kinds"][:2] == ["gap_up", "surge"]
    assert GAP_DAY in catalyst_bot("study", "scan", "--bars", str(market.bars)).out


def test_hits_of_the_scanner_are_studied(market: Market):
    bars_only = ("--bars", str(market.bars), "--scan", "--json", "-")
    study = told(catalyst_bot("study", "events", *bars_only))
    assert "scan_gap_up" in {each["category"] for each in study["categories"]}


def test_a_hit_goes_through_gates_and_risk_like_any_headline(scanned_run: tuple[Path, Any]):
    _, ran = scanned_run
    record = [trade for trade in ran["trades"] if trade["symbol"] == "GAPS"]
    told_of = catalyst_bot("explain", record[0]["trade_id"], "--journal", ran["journal"]).out
    assert "prices: gap_up" in told_of
    assert "scanner" in told_of
    assert record[0]["headline_received_at"] == f"{GAP_DAY}T13:35:00Z"
    assert record[0]["decided_at"] >= record[0]["headline_received_at"]


def test_a_run_with_the_scanner_replays_to_the_same_decisions(scanned_run: tuple[Path, Any]):
    _, ran = scanned_run
    verified = told(catalyst_bot("replay", "--verify", ran["journal"], "--json", "-"))
    assert verified["identical"] is True


def test_without_the_setting_nothing_is_scanned(market: Market, tmp_path: Path):
    ran = told(catalyst_bot(*RUN, *files(market), "--data-dir", str(tmp_path), "--json", "-"))
    assert {trade["symbol"] for trade in ran["trades"]} <= {"GOOD"}


def test_a_scanner_without_live_prices_is_refused(tmp_path: Path):
    config = tmp_path / "catalyst.toml"
    config.write_text("[scanner]\nenabled = true\n", encoding="utf-8")
    asked = ("run", "--config", str(config), "--data-dir", str(tmp_path))
    said = catalyst_bot(*asked)
    assert said.code == 3
    assert "scanner.enabled" in said.err
    said = catalyst_bot(*asked, "--broker", "alpaca")
    assert said.code == 3
    assert "scanner.symbols" in said.err


def test_outcomes_follow_up_everything_the_run_saw(
    scanned_run: tuple[Path, Any], market: Market, tmp_path: Path
):
    _, ran = scanned_run
    asked = ("study", "outcomes", "--journal", ran["journal"], "--bars", str(market.bars))
    record = told(catalyst_bot(*asked, "--json", "-"))
    assert len(record["records"]) >= ran["funnel"]["seen"]
    accepted = [each for each in record["records"] if each["step"] == "accepted"]
    assert {each["symbol"] for each in accepted} == {trade["symbol"] for trade in ran["trades"]}
    risen = [each for each in record["rose_over_10_percent"] if each["horizon"] == "1d"]
    assert sum(each["n"] for each in risen) == len(record["records"])
    assert "base rate" in catalyst_bot(*asked).out


def test_outcomes_of_a_journal_without_news_are_refused(market: Market, tmp_path: Path):
    empty = tmp_path / "none.jsonl"
    empty.write_text("", encoding="utf-8")
    ran = told(
        catalyst_bot(
            *(*RUN, "--bars", str(market.bars), "--news", str(empty)),
            *("--data-dir", str(tmp_path), "--json", "-"),
        )
    )
    said = catalyst_bot(
        "study", "outcomes", "--journal", ran["journal"], "--bars", str(market.bars)
    )
    assert said.code == 3
    assert "no headline" in said.err


def test_changes_are_proposed_shown_applied_recorded_and_taken_back(market: Market, tmp_path: Path):
    proposal = tmp_path / "proposal.json"
    said = catalyst_bot(
        *("study", "propose", str(proposal), "--reason", "a test"),
        *("--set", "analyst_upgrade.muted=true", "--set", "analyst_upgrade.weight=0.1"),
    )
    assert said.code == 0
    assert "analyst_upgrade.muted: false -> true" in said.out
    folder = ("--data-dir", str(tmp_path))
    run = (*RUN, *files(market), *folder, "--json", "-")
    before = told(catalyst_bot(*run))
    assert before["funnel"]["catalyst"] > 0

    shown = told(catalyst_bot("study", "show", str(proposal), *folder, "--json", "-"))
    assert shown["changes"]["analyst_upgrade.muted"] == {"before": False, "after": True}
    unsigned = catalyst_bot("study", "apply", str(proposal), *folder)
    assert unsigned.code == 2  # who and why are asked for
    signed = ("--by", "ann", "--reason", "does not pay")
    applied = catalyst_bot("study", "apply", str(proposal), *signed, *folder)
    assert applied.code == 0
    assert "analyst_upgrade.muted: false -> true" in applied.out

    muted = told(catalyst_bot(*run))
    assert muted["journal"] != before["journal"]
    assert muted["funnel"]["catalyst"] == 0
    assert muted["funnel"]["lost"]["catalyst"] == {"muted_category": before["funnel"]["catalyst"]}

    back = catalyst_bot("study", "rollback", "--to", "0", *signed, *folder)
    assert back.code == 0
    again = told(catalyst_bot(*run))
    assert again["funnel"] == before["funnel"]
    for ran in (before, muted, again):
        verified = told(catalyst_bot("replay", "--verify", ran["journal"], "--json", "-"))
        assert verified["identical"] is True
    history = told(catalyst_bot("study", "show", *folder, "--json", "-"))
    assert [each["version"] for each in history["versions"]] == [1, 2]
    assert history["versions"][0]["author"] == "ann"


def test_a_run_whose_version_is_gone_is_not_verified_silently(market: Market, tmp_path: Path):
    proposal = tmp_path / "p.json"
    proposal.write_text(
        json.dumps({"reason": "r", "changes": {"words.slope": 1.5}, "evidence": {}}),
        encoding="utf-8",
    )
    folder = ("--data-dir", str(tmp_path))
    signed = ("--by", "ann", "--reason", "r")
    assert catalyst_bot("study", "apply", str(proposal), *signed, *folder).code == 0
    ran = told(catalyst_bot(*RUN, *files(market), *folder, "--json", "-"))
    (tmp_path / "detection_changes.json").unlink()
    said = catalyst_bot("replay", "--verify", ran["journal"])
    assert said.code == 3
    assert "detection.changes = 1" in said.err


def test_events_proposes_what_the_study_found(market: Market, tmp_path: Path):
    proposal, edges = tmp_path / "p.json", tmp_path / "edges.toml"
    said = catalyst_bot(
        *("study", "events", "--bars", str(market.bars), "--scan"),
        *("--propose", str(proposal), "--edges", str(edges)),
    )
    assert said.code == 0
    assert json.loads(proposal.read_text(encoding="utf-8"))["evidence"]["events"] > 0
    assert "# study of events: " in edges.read_text(encoding="utf-8")


def test_calibrate_fits_measures_draws_and_proposes(tmp_path: Path):
    labels = tmp_path / "labels.jsonl"
    rows = [
        {"text": f"Acme {word} at Broker Number {n}", "label": label}
        for n in range(120)
        for word, label in (
            ("upgraded to buy", "positive" if n % 12 else "negative"),
            ("downgraded to sell", "negative" if n % 2 else "positive"),
        )
    ]
    labels.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    figure, proposal, toml = (tmp_path / name for name in ("c.svg", "p.json", "c.toml"))
    found = told(
        catalyst_bot(
            *("study", "calibrate", str(labels), "--check", str(labels), "--json", "-"),
            *("--figure", str(figure), "--propose", str(proposal), "--toml", str(toml)),
        )
    )
    assert [each["name"] for each in found["after"]] == ["held out", "labels"]
    held_out = found["after"][0]
    assert held_out["brier"] < held_out["brier_base"]
    assert held_out["kept"] > 0
    assert figure.read_text(encoding="utf-8").startswith("<svg")
    assert "[precision]" in toml.read_text(encoding="utf-8")
    assert "words.slope" in json.loads(proposal.read_text(encoding="utf-8"))["changes"]


def test_a_change_that_cannot_be_is_not_even_proposed(tmp_path: Path):
    proposal = tmp_path / "p.json"
    for change, why in (
        ("layoffs.weight", "NAME=VALUE"),
        ("layoffs.weight=much", "NAME=VALUE"),
        ("layoffs.weight=nan", "must be from"),
        ("no_such.weight=0.5", "no such value"),
        ("bankruptcy.muted=true", "never muted"),
    ):
        said = catalyst_bot("study", "propose", str(proposal), "--set", change, "--reason", "r")
        assert said.code == 3, change
        assert why in said.err
    assert not proposal.exists()
