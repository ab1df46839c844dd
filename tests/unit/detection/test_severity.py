"""How much an offering dilutes, out of invented texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.detection.decide import on_headline
from catalyst_bot.detection.severity import Severity, dilution, severity_of
from catalyst_bot.detection.state import State
from catalyst_bot.domain.messages.decisions import CatalystDetected
from catalyst_bot.domain.messages.facts import HeadlineReceived
from tests.builders import NOON, FakeDesk, headline
from tests.detection_rules import rules


@pytest.mark.parametrize(
    ("text", "fraction"),
    [
        (
            (
                "Acme prices offering of 5,000,000 shares of common stock at $2.00 per share. "
                "Acme has 50,000,000 shares of common stock outstanding"
            ),
            0.10,
        ),
        (
            (
                "Acme announces pricing of $10 million public offering at $0.50 per share; "
                "40 million shares outstanding"
            ),
            0.50,
        ),
        ("Acme to sell 1.2 million shares; public float of 60 million", 0.02),
        (
            (
                "Registered direct offering of an aggregate of 3,000,000 ordinary shares. "
                "As of today 12,000,000 ordinary shares are outstanding"
            ),
            0.25,
        ),
        ("Acme prices offering of 5,000,000 shares at $2.00 per share", None),
        ("Acme has 50,000,000 shares outstanding", None),
        ("Acme beats estimates", None),
    ],
)
def test_new_shares_as_a_part_of_the_old(text: str, fraction: float | None):
    found = dilution(text, "")
    assert (found.fraction if found else None) == (
        None if fraction is None else pytest.approx(fraction)
    )


@pytest.mark.parametrize(
    ("fraction", "severity"),
    [
        (0.0499, Severity.MINOR),
        (0.05, Severity.MODERATE),
        (0.1499, Severity.MODERATE),
        (0.15, Severity.SEVERE),
        (0.30, Severity.SEVERE),
        (0.3001, Severity.EXTREME),
    ],
)
def test_where_the_steps_are(fraction: float, severity: Severity):
    assert severity_of(fraction) is severity


def weight(shares: int) -> tuple[float, str]:
    item = headline(
        title=f"Acme prices public offering of {shares:,} shares of common stock",
        body="Acme has 10,000,000 shares outstanding.",
    )
    said = on_headline(State(), HeadlineReceived(at=NOON, headline=item), FakeDesk(), rules())
    assert isinstance(said[0], CatalystDetected)
    catalyst = said[0].catalyst
    note = next(factor for factor in catalyst.factors if factor.name == "weight").note
    return next(f.value for f in catalyst.factors if f.name == "weight"), note + str(
        catalyst.evidence
    )


def test_the_weight_of_an_offering_follows_its_severity():
    minor, text = weight(100_000)
    extreme, _ = weight(5_000_000)
    assert minor < weight(1_000_000)[0] < weight(2_000_000)[0] < extreme <= 1
    assert "1.0 % more shares: minor" in text


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_text_gives_a_positive_fraction_or_none(title: str, body: str):
    found = dilution(title, body)
    assert found is None or 0 < found.fraction <= 100
