from __future__ import annotations

import pytest

from tools.lexicons import by_counts

GOOD, BAD = {"gain", "strong"}, {"loss", "weak"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a strong gain", "positive"),
        ("Loss and gain", "neutral"),
        ("nothing listed", "neutral"),
        ("did not gain", "negative"),
        ("didn't see much gain", "negative"),
        ("not one of the four gain", "positive"),  # too far away
        ("no loss", "negative"),  # as in the article: only good words are turned
    ],
)
def test_what_prevails_is_the_tone(text: str, expected: str):
    assert by_counts(text, GOOD, BAD) == expected
