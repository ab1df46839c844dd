from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.bootstrap.rules import reference_of
from catalyst_bot.domain.errors import BadData
from catalyst_bot.market_data.reference_file import load_reference
from catalyst_bot.settings import load
from catalyst_bot.signals.reference import ReferenceRow

CSV = """symbol,float_shares,short_interest_fraction,sector,as_of
acme,1000000,0.25,Health Care,2025-10-03
ACME,,0.30,,2025-10-10
"""
LINES = """{"symbol": "ACME", "float_shares": 1e6, "short_interest_fraction": 0.25,\
 "sector": "Health Care", "as_of": "2025-10-03"}

{"symbol": "ACME", "short_interest_fraction": 0.30, "as_of": "2025-10-10"}
"""
ROWS = (
    ReferenceRow(
        as_of=date(2025, 10, 3),
        float_shares=1e6,
        short_interest_fraction=0.25,
        sector="Health Care",
    ),
    ReferenceRow(as_of=date(2025, 10, 10), short_interest_fraction=0.3),
)


@pytest.mark.parametrize("text", [CSV, LINES, "\ufeff" + CSV])
def test_both_forms_are_read(text: str, tmp_path: Path):
    file = tmp_path / "reference"
    file.write_text(text, encoding="utf-8")
    assert load_reference(file) == {"ACME": ROWS}
    loaded = load(environ={"CATALYST_SIGNALS__REFERENCE_FILE": str(file)})
    assert reference_of(loaded.settings) == {"ACME": ROWS}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("ACME,NaN,,,2025-10-03", r":2: float_shares = NaN is not from 0"),
        ("ACME,-1,,,2025-10-03", r":2: float_shares = -1 is not"),
        ("ACME,1e400,,,2025-10-03", r":2: float_shares"),
        ("ACME,,11,,2025-10-03", r":2: short_interest_fraction = 11 is not"),
        ("ACME,,,,yesterday", r":2: as_of is no day"),
        ("ACME,,,,9999-12-31", r":2: as_of 9999-12-31 is no day"),
        (",1,,,2025-10-03", r":2: symbol is missing"),
        ("ACME,,,a\x07b,2025-10-03", r":2: sector is no text"),
        ("ACME,,,,2025-10-03,more", r":2: unknown column 'None'"),
    ],
)
def test_a_wrong_line_refuses_the_file(row: str, why: str, tmp_path: Path):
    file = tmp_path / "reference.csv"
    file.write_text(CSV.splitlines()[0] + "\n" + row + "\n", encoding="utf-8")
    with pytest.raises(BadData, match=why):
        load_reference(file)


@pytest.mark.parametrize(
    "text",
    [
        "float,symbol\n1,ACME\n",
        "{nonsense\n",
        '{"symbol": 3}\n',
        "symbol,as_of\n" + "x" * 200_000 + ",2025-10-03\n",
    ],
)
def test_another_file_is_refused(text: str, tmp_path: Path):
    file = tmp_path / "reference.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadData):
        load_reference(file)


@given(st.binary(max_size=200))
def test_nothing_but_bad_data_is_ever_raised(tmp_path_factory: pytest.TempPathFactory, raw: bytes):
    file = tmp_path_factory.mktemp("reference") / "file"
    file.write_bytes(raw)
    with suppress(BadData):
        load_reference(file)
