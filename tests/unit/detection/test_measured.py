"""Identity and stories on real headlines: the shares that the evidence pages tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import identity, stories


@pytest.fixture(scope="module")
def listed(shared_data: Path) -> identity.Listed:
    return identity.known_companies(shared_data)


def news(folder: Path, name: str) -> Path:
    return folder / "news" / f"{name}.jsonl.zst"


@pytest.mark.parametrize("name", identity.FILINGS)
def test_filings_find_their_company(shared_data: Path, listed: identity.Listed, name: str):
    tally = identity.of_filings(name, identity.items(news(shared_data, name)), listed)
    assert tally.asked > 50
    assert tally.right / tally.asked >= 0.99


@pytest.mark.parametrize("name", identity.WIRE)
def test_wire_items_find_their_company(shared_data: Path, listed: identity.Listed, name: str):
    tally = identity.of_wire(name, identity.items(news(shared_data, name)), listed)
    assert tally.asked > 500
    assert tally.right / tally.asked >= 0.95


def test_rewrites_go_into_one_story(shared_data: Path):
    events, everything = stories.measure(shared_data)
    assert events.pairs > 250
    assert events.f1 >= 0.9
    assert everything.precision >= 0.9


def test_labels_are_ids_of_both_kinds():
    files, pairs = stories.read_labels(stories.ROOT / stories.LABELS)
    assert set(files) <= {*identity.WIRE}
    assert sum(pair.is_same for pair in pairs) > 100
    assert sum(not pair.is_same for pair in pairs) > 100
    assert all(pair.first.startswith("news-") and len(pair.first) == 25 for pair in pairs)
    assert len({frozenset((p.first, p.second)) for p in pairs}) == len(pairs)


def test_the_interval_of_a_share():
    low, high = identity.wilson(95, 100)
    assert low == pytest.approx(0.8882, abs=1e-3)
    assert high == pytest.approx(0.9785, abs=1e-3)
    assert identity.wilson(0, 0) == (0.0, 1.0)
