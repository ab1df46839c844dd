from __future__ import annotations

from pathlib import Path

import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.tickers import load_companies

LINES = """{"cik": "0000000101", "ticker": "acme", "title": "ACME CORP"}
{"cik": "0000000102", "ticker": "ZETA", "title": "Zeta Inc."}
{"cik": "0000000102", "ticker": "ZETA-PA", "title": "Zeta Inc."}
"""
DOCUMENT = """{"0": {"cik_str": 101, "ticker": "ACME", "title": "ACME CORP"},
"1": {"cik_str": 102, "ticker": "ZETA", "title": "Zeta Inc."},
"2": {"cik_str": 102, "ticker": "ZETA-PA", "title": "Zeta Inc."}}"""


@pytest.mark.parametrize("text", [LINES, DOCUMENT], ids=["one object a line", "one document"])
def test_both_published_shapes_are_read(tmp_path: Path, text: str):
    path = tmp_path / "tickers"
    path.write_text(text)
    listed = load_companies(path)
    assert listed.symbols_by_cik == {101: ("ACME",), 102: ("ZETA", "ZETA-PA")}
    assert listed.registered_names["ACME"] == "ACME CORP"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no company"),
        ("{}", "holds no company"),
        (LINES + "oops", "tickers:4: is no JSON object"),
        ('{"id": 1, "ticker": "ACME"}', "row id: is no JSON object"),
        ('{"cik": "1", "title": "x"}', "tickers:1: needs a numeric cik"),
        ('{"0": {"cik": "x", "ticker": "A"}}', "row 0: needs a numeric cik"),
        ("\n[]", "tickers:2: is no JSON object"),
    ],
)
def test_a_list_that_is_not_whole_is_refused(tmp_path: Path, text: str, reason: str):
    path = tmp_path / "tickers"
    path.write_text(text)
    with pytest.raises(BadData) as refusal:
        load_companies(path)
    assert reason in str(refusal.value)


def test_a_missing_list_is_named(tmp_path: Path):
    with pytest.raises(BadData, match="gone: cannot be read"):
        load_companies(tmp_path / "gone")


def test_the_real_list_is_read_whole(shared_data: Path):
    listed = load_companies(shared_data / "reference" / "sec_company_tickers.ndjson")
    assert sum(len(symbols) for symbols in listed.symbols_by_cik.values()) > 10_000
    assert listed.symbols_by_cik[1652044][0] == "GOOGL"
