"""Invented headlines: what they are read as, and what they must not be read as."""

from __future__ import annotations

import pytest

from catalyst_bot.detection.classify import (
    NOT_RECOGNISED,
    Reading,
    Unread,
    certainty,
    classify,
)
from tests.detection_rules import rules


def read(title: str, body: str = "") -> Reading | Unread:
    return classify(title, body, rules().classifier)


def category(title: str, body: str = "") -> str:
    reading = read(title, body)
    return reading.category.name if isinstance(reading, Reading) else reading.reason


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Acme beats third-quarter revenue estimates", "earnings_beat"),
        ("Acme Reports Record Fourth Quarter Revenue", "earnings_beat"),
        ("Acme Q3 earnings miss expectations", "earnings_miss"),
        ("Acme profit falls 37% after price cuts", "earnings_miss"),
        ("Acme Reports Third Quarter 2025 Results", "earnings_results"),
        ("Acme raises full-year 2025 revenue guidance", "guidance_raise"),
        ("Acme cuts fiscal 2026 outlook", "guidance_cut"),
        ("FDA approves Acme's pump", "fda_approval"),
        ("Acme receives complete response letter from FDA", "fda_rejection"),
        ("FDA grants fast track designation to Acme's drug", "fda_progress"),
        ("Acme's drug meets primary endpoint in Phase 3 trial", "trial_success_late"),
        ("Acme reports positive Phase 2 data", "trial_success"),
        ("Acme's Phase 3 study did not meet its primary endpoint", "trial_failure_late"),
        ("Acme doses first patient in Phase 1 trial", "trial_progress"),
        ("Acme says drug did not meet primary endpoint", "trial_failure"),
        ("Acme to be acquired by Zeta for $2 billion", "acquisition_target"),
        ("Acme to acquire Zeta for $2 billion", "acquisition_announced"),
        ("Acme signs cloud deal with Zeta", "ai_deal"),
        ("Acme teams up with Zeta on pumps", "partnership"),
        ("Acme wins $71 million U.S. Navy contract", "contract_win"),
        ("Navy awards Acme contract for pumps", "contract_win"),
        ("Acme agrees to sell itself to Zeta", "acquisition_target"),
        ("Acme emerges from Chapter 11", "bankruptcy_exit"),
        ("Court confirms Acme's plan of reorganization", "bankruptcy_exit"),
        ("Acme cuts prices, offering relief to customers", "demand_weakness"),
        ("Acme pauses repayments, offering relief for stock holders", "no_category"),
        ("Acme is listed on the top stock exchange and beats estimates", "earnings_beat"),
        ("Acme's top executive sells stock", "insider_selling"),
        ("Acme unveils new pump", "product_launch"),
        ("Broker upgrades Acme to Buy", "analyst_upgrade"),
        ("Broker downgrades Acme to Neutral", "analyst_downgrade"),
        ("Acme announces $500 million share buyback", "share_buyback"),
        ("Acme to join the S&P 500", "index_inclusion"),
        ("Acme probed by EU over pump prices", "investigation"),
        ("Acme sued over pump patents", "lawsuit"),
        ("Acme recalls 13,000 pumps", "product_recall"),
        ("Acme to cut 14,000 jobs", "layoffs"),
        ("Acme names Jane Roe as CEO", "management_change"),
        ("Acme announces proposed public offering", "offering_announced"),
        ("Acme prices public offering of common stock", "offering_priced"),
        ("Acme announces upsized public offering", "offering_upsized"),
        ("Acme announces closing of $20 million public offering", "offering_closed"),
        ("Acme enters at-the-market offering program", "at_the_market"),
        ("Acme files mixed shelf for $100 million", "shelf_registration"),
        ("Acme announces $5 million registered direct offering", "registered_direct"),
        ("Acme announces private placement of shares", "private_placement"),
        ("Acme prices $500 million convertible notes", "convertible_offering"),
        ("Acme prices $500 million senior notes offering", "debt_financing"),
        ("Acme CEO sells 20,000 shares", "insider_selling"),
        ("Acme CEO buys 20,000 shares", "insider_buying"),
        ("Zeta launches tender offer for Acme shares", "tender_offer"),
        ("Acme trading halted, news pending", "trading_halt"),
        ("Acme dismisses its auditor", "auditor_change"),
        ("Acme regains Nasdaq compliance", "compliance_regained"),
        ("Acme regains compliance with Nasdaq", "compliance_regained"),
        ("Acme receives Nasdaq delisting notice", "listing_deficiency"),
        ("Acme delays 10-K", "late_filing"),
        ("Short seller Hindenburg targets Acme", "short_report"),
        ("Activist investor builds stake in Acme", "activist_stake"),
        ("Acme buys $50 million of bitcoin", "crypto_treasury"),
        ("Acme granted patent for pump", "patent_or_licence"),
        ("Acme drilling results show high-grade gold", "mining_results"),
        ("Acme makes significant oil discovery", "energy_discovery"),
        ("Acme hit by ransomware", "cyber_or_outage"),
        ("Acme terminates merger with Zeta", "deal_terminated"),
        ("Acme terminates partnership with Zeta", "deal_terminated"),
        ("Acme announces reverse stock split", "reverse_split"),
        ("Acme files for Chapter 11 bankruptcy protection", "bankruptcy"),
        ("Acme raises going concern doubt", "going_concern"),
        ("Acme CFO charged with accounting fraud", "fraud"),
        ("Acme to restate 2024 results", "restatement"),
    ],
)
def test_events_are_recognised(title: str, expected: str):
    assert category(title) == expected


@pytest.mark.parametrize(
    "title",
    [
        "Executive of Acme visits plant",  # cut
        "Acme extends warranty on pumps",  # warrant
        "Acme widens its product offerings for kitchens",  # offering
        "Acme speaks about peak demand",  # pea
        "Acme closes window factory tour",  # win
        "Arrest warrant for a man who stole Acme pumps",
        "Acme helps in fraud detection",
        "Acme publishes sustainability report",
        "Acme declares regular quarterly dividend",
        "",
        "!!! ???? ...",
    ],
)
def test_parts_of_words_and_harmless_words_are_no_events(title: str):
    assert category(title) == "no_category"


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("Why Acme stock is moving today", "opinion_or_roundup"),
        ("3 pump stocks to buy after Acme beats estimates", "opinion_or_roundup"),
        ("Should you buy Acme after it raised guidance", "opinion_or_roundup"),
        ("Acme price prediction: record revenue ahead", "opinion_or_roundup"),
        ("Did Acme beat estimates?", "opinion_or_roundup"),
        ("Acme vs. Zeta: record profits", "opinion_or_roundup"),
        ("Acme Q3 earnings call transcript", "opinion_or_roundup"),
        ("Acme earnings preview: record revenue expected", "preview"),
        ("Acme set to report record results", "preview"),
        ("Acme to host conference call on record results", "scheduled_event"),
        ("INVESTOR ALERT: law firm investigates Acme securities fraud", "law_firm_notice"),
    ],
)
def test_talk_about_events_is_no_event(title: str, reason: str):
    assert category(title) == reason


@pytest.mark.parametrize(
    "title",
    [
        "Acme denies bankruptcy filing",
        "Acme not planning any layoffs",
        "Acme fails to beat estimates",
        "Acme did not file for Chapter 11",
        "If FDA approves Acme's pump",
        "Acme cancels public offering",
        "Acme withdraws registered direct offering",
        "Details of Acme's previously announced layoffs",
    ],
)
def test_a_negated_event_is_none(title: str):
    assert category(title) == "no_category"


def test_a_negation_ends_with_its_clause():
    assert category("Acme says no. Layoffs follow") == "layoffs"


def test_a_veto_counts_for_its_category_only():
    assert category("Acme closes public offering, beats estimates") == "earnings_beat"


def test_pressing_actions_win_over_weight():
    assert category("Acme beats estimates, prices public offering") == "offering_priced"
    assert category("Acme prices public offering, files for bankruptcy") == "bankruptcy"


def test_the_body_speaks_only_when_the_title_is_silent():
    beat_title = read("Acme beats estimates", "A rival is in Chapter 11.")
    assert isinstance(beat_title, Reading)
    assert (beat_title.category.name, beat_title.is_in_title) == ("earnings_beat", True)
    silent = read("Acme speaks", "It beats all estimates.")
    assert isinstance(silent, Reading)
    assert (silent.category.name, silent.is_in_title) == ("earnings_beat", False)


def test_evidence_quotes_the_words():
    reading = read("Acme beats Q3 estimates", "Quarterly revenue beat expectations.")
    assert isinstance(reading, Reading)
    assert reading.evidence[0] == "beats q3 estimates"
    assert "revenue beat" in reading.evidence


def test_opposite_news_in_one_title_is_contested_and_may_is_hedged():
    mixed = read("Acme beats estimates but cuts outlook")
    assert isinstance(mixed, Reading)
    assert mixed.is_contested
    hedged = read("Acme may be in talks on cloud deal")
    assert isinstance(hedged, Reading)
    assert hedged.is_hedged
    plain = read("Acme beats estimates")
    assert isinstance(plain, Reading)
    assert not plain.is_contested
    assert not plain.is_hedged


def test_each_further_phrase_removes_a_fifth_of_the_doubt():
    assert certainty(0.8, 1) == pytest.approx(0.8)
    assert certainty(0.8, 2) == pytest.approx(0.84)
    assert certainty(0.8, 0) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Acme prices $50 million public offering at $2.50 per share", "offering_priced"),
        ("Acme to be acquired for $5.00 per share in cash", "acquisition_target"),
        ("Acme Q3 EPS beats: $0.45 vs $0.40 expected", "earnings_beat"),
        ("Acme phase 3 trial meets primary endpoint vs. placebo", "trial_success_late"),
    ],
)
def test_prices_and_comparisons_with_figures_are_no_lists(title: str, expected: str):
    assert category(title) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("FDA panel votes 9-4 against Acme's drug", "fda_rejection"),
        ("Acme withdraws FDA application for combination vaccine", "fda_rejection"),
        ("Acme submits NDA to FDA for AC-101", "fda_progress"),
        ("Acme ends partnership with Zeta", "deal_terminated"),
        ("Acme rejects $5.8 billion buyout offer from Zeta", "deal_terminated"),
        ("Acme discloses cybersecurity incident", "cyber_or_outage"),
        ("Acme to discontinue development of AC-101 after futility analysis", "trial_failure"),
        ("Court invalidates Acme patent", "lawsuit"),
        ("Acme buys back 3 million shares", "share_buyback"),
        ("Acme auditor Ernst & Young resigns", "auditor_change"),
        ("Acme Q3 revenue in line with estimates", "earnings_results"),
        ("Hindenburg says it is short Acme, alleges accounting fraud", "short_report"),
        ("Acme alleviates going concern doubt", NOT_RECOGNISED),
        ("Acme stockholders reject proposed reverse stock split", NOT_RECOGNISED),
        ("Acme stockholders vote down reverse split", NOT_RECOGNISED),
        ("It is not true that Acme will file for bankruptcy", NOT_RECOGNISED),
        ("Acme pulls planned stock offering", NOT_RECOGNISED),
        ("Acme prices secondary offering by selling stockholders", NOT_RECOGNISED),
        ("Acme units and warrants to begin separate trading", NOT_RECOGNISED),
        ("Acme says no customer data was compromised in cyberattack", NOT_RECOGNISED),
        ("Acme completes previously announced $500 million repurchase program", NOT_RECOGNISED),
    ],
)
def test_what_turns_or_ends_an_event_is_read_with_it(title: str, expected: str):
    assert category(title) == expected
