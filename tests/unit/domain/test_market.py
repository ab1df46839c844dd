"""What a quote says about a price."""

from __future__ import annotations

import pytest

from catalyst_bot.domain.market import middle_of
from tests.builders import quote


@pytest.mark.parametrize(
    ("bid", "ask"), [(1e308, 1e308), (100.02, 100.01), (0.0, 1.0), (100.0, 120.0), (-1.0, 1.0)]
)
def test_nonsense_has_no_middle(bid: float, ask: float):
    assert middle_of(quote(bid=bid, ask=ask)) is None


def test_the_middle_lies_between():
    assert middle_of(quote(bid=99.98, ask=100.02)) == 100.0
