from __future__ import annotations

import json
import math
from datetime import timedelta

import numpy as np

from catalyst_bot.domain.enums import CategoryAction
from catalyst_bot.market_data.session_times import to_datetime
from catalyst_bot.study.event_report import Sample, study_dict, study_markdown
from catalyst_bot.study.event_study import StudyRules, measure, study_events
from tests.builders import catalyst
from tests.unit.study.samples import SESSIONS, daily, prices

DAYS = 60
SAMPLE = Sample(
    first_day="2025-09-01",
    last_day="2025-11-20",
    headlines=99,
    unreadable=1,
    benchmark="SPY",
    bars=120,
    symbols=2,
    interval_s=86_400,
)


def event(session: int, **given):
    received_at = to_datetime(int(SESSIONS.closes_s[session])) + timedelta(hours=1)
    return catalyst(received_at=received_at, **given)


def market_with(gain: float, noise: float = 0.0):
    """ACME earns `gain` from open to close of every session, the benchmark nothing."""
    moves = gain + noise * np.random.default_rng(1).normal(size=DAYS)
    stock = daily([10.0] * DAYS, 10.0 * (1 + moves))
    return prices({"SPY": daily([100.0] * DAYS, [100.0] * DAYS), "ACME": stock})


def study(gain: float, *, noise: float = 0.002, rules: StudyRules | None = None, **given):
    return study_events(
        [event(n, **given) for n in range(40)], market_with(gain, noise), rules or StudyRules()
    )


def test_returns_are_signed_by_the_catalyst():
    table = market_with(0.01)
    found = measure([event(1), event(2, direction=-1)], table, StudyRules())
    assert np.round(found[:, 0]).tolist() == [100, -100]


def test_a_symbol_without_bars_is_unknown_and_counted():
    result = study_events([event(1), event(1, symbol="NOPE")], market_with(0.01), StudyRules())
    assert result.unknown_symbols == 1
    assert result.unpriced == 1
    assert result.results[0].events == 2
    assert result.results[0].priced == 1


def test_verdicts_follow_the_band_and_the_costs():
    assert study(0.01).results[0].verdict == "clears"
    assert study(0.0).results[0].verdict == "mute"
    assert study(0.004, noise=0.02).results[0].verdict == "undecided"
    good = study(0.006).results[0]
    assert (good.verdict, good.verdict_at_double_costs) == ("clears", "mute")


def test_only_categories_to_trade_are_proposed_for_muting():
    assert study(0.0).proposed_for_muting == ("fda_approval",)
    assert study(0.0, action=CategoryAction.CLOSE).proposed_for_muting == ()


def test_few_events_decide_nothing_and_are_worth_nothing_yet():
    few = study_events([event(n) for n in range(12)], market_with(0.02, 0.002), StudyRules())
    result = few.results[0]
    assert result.verdict == "undecided"
    assert result.edge_bps == 0
    assert result.edge_low_bps < 0 < result.edge_high_bps


def test_the_edge_is_after_costs_and_within_its_band():
    result = study(0.01).results[0]
    assert 50 < result.edge_bps < 61  # 100 less 40, shrunk a little
    assert result.edge_low_bps < result.edge_bps < result.edge_high_bps


def test_the_same_seed_gives_the_same_study():
    assert study(0.003) == study(0.003)
    assert study(0.003) != study(0.003, rules=StudyRules(seed=2))


def test_noise_is_rarely_a_discovery():
    result = study(0.0, noise=0.02).results[0]
    assert not any(cell.is_discovery for cell in result.cells)
    assert result.half_life_days is None


def test_the_report_holds_every_category_and_no_nan():
    result = study(0.01)
    text = json.dumps(study_dict(result, SAMPLE), allow_nan=False)
    assert json.loads(text)["categories"][0]["verdict"] == "clears"
    page = study_markdown(result, SAMPLE)
    assert "fda_approval" in page
    assert "nan" not in page
    assert "Proposed for muting, because even the upper band does not: none." in page


def test_nothing_to_study_is_an_empty_study():
    empty = study_events([], market_with(0.0), StudyRules())
    assert empty.results == ()
    assert study_dict(empty, SAMPLE)["categories"] == []
    assert not math.isnan(empty.unpriced)
