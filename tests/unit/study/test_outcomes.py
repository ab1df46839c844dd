from __future__ import annotations

import json
import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.market_data.session_times import to_datetime
from catalyst_bot.study.outcome_report import Record, by_reason
from catalyst_bot.study.outcomes import Outcome, failed, grouped_rates, outcomes, rate_of, rose
from catalyst_bot.study.prices import Horizon
from catalyst_bot.study.record import Fate, fates
from tests.builders import NOON, approved_order, catalyst, headline, signal
from tests.unit.study.samples import SESSIONS, daily, prices

HORIZONS = (Horizon(name="1d", seconds=86_400),)
NAN = math.nan


def recorded(*bodies) -> list[Recorded]:
    return [
        Recorded(seq=n, at=NOON, cause_seq=None, trail_id="", body=body)
        for n, body in enumerate(bodies, start=1)
    ]


def fate(**given) -> Fate:
    known = {
        "item_id": "news-1",
        "catalyst_id": "",
        "symbol": "ACME",
        "category": "",
        "direction": 0,
        "confidence": None,
        "source": "test",
        "received_at": NOON,
        "step": "catalyst",
        "reason": "no_category",
    }
    return Fate(**(known | given))


def outcome(move_bps: float, **given) -> Outcome:
    return Outcome(fate=fate(**given), returns_bps=(move_bps,))


def fate_of(*bodies) -> tuple[str, str]:
    (only,) = fates(recorded(*bodies))
    return only.step, only.reason


SEEN = HeadlineReceived(at=NOON, headline=headline())
CAUGHT = d.CatalystDetected(catalyst=catalyst())
DROPPED = d.SignalDropped(
    catalyst_id=catalyst().catalyst_id,
    item_id=catalyst().item_id,
    symbol="ACME",
    reason="low_confidence",
    checks=(),
)


def test_every_headline_has_a_fate():
    ignored = d.HeadlineIgnored(item_id=headline().item_id, step="deduped", reason="duplicate")
    order = approved_order(catalyst_id=catalyst().catalyst_id)
    assert fate_of(SEEN) == ("undecided", "undecided")
    assert fate_of(SEEN, ignored) == ("deduped", "duplicate")
    assert fate_of(SEEN, CAUGHT) == ("undecided", "undecided")
    assert fate_of(SEEN, CAUGHT, DROPPED) == ("signal", "low_confidence")
    assert fate_of(SEEN, CAUGHT, d.OrderApproved(order=order)) == ("accepted", "accepted")


def test_what_was_accepted_stays_accepted():
    order = approved_order(catalyst_id=catalyst().catalyst_id)
    later = d.OrderRefused(
        intent_id="i",
        signal_id="s",
        catalyst_id=catalyst().catalyst_id,
        strategy_id="news",
        symbol="ACME",
        side=order.side,
        rule="daily_trades",
        checks=(),
        sizing=(),
    )
    assert fate_of(SEEN, CAUGHT, d.OrderApproved(order=order), later)[0] == "accepted"
    assert fate_of(SEEN, CAUGHT, later) == ("approved", "daily_trades")


def test_a_catalyst_without_a_sign_takes_that_of_its_signal():
    unsigned = catalyst(direction=0)
    formed = d.SignalFormed(signal=signal(catalyst=unsigned, direction=-1))
    (only,) = fates(recorded(SEEN, d.CatalystDetected(catalyst=unsigned), formed))
    assert only.direction == -1


def test_two_symbols_are_two_records_and_a_crowd_is_about_nobody():
    pair, crowd = headline(symbols=("ACME", "ZETA")), headline(symbols=("A", "B", "C"))
    found = fates(recorded(HeadlineReceived(at=NOON, headline=pair)))
    assert [each.symbol for each in found] == ["ACME", "ZETA"]
    found = fates(recorded(HeadlineReceived(at=NOON, headline=crowd)))
    assert [each.symbol for each in found] == [""]


def test_what_a_person_asked_for_is_no_news():
    assert fates(recorded(d.CatalystDetected(catalyst=catalyst(wish=object())))) == []


def test_outcomes_are_those_of_the_share_above_the_benchmark():
    table = prices({"SPY": daily([100.0] * 9, [101.0] * 9), "ACME": daily([10.0] * 9, [12.0] * 9)})
    at = to_datetime(int(SESSIONS.closes_s[0])) + timedelta(hours=1)
    found = outcomes(
        [fate(received_at=at), fate(received_at=at, symbol="NOPE"), fate(symbol="")], table
    )
    assert found[0].returns_bps[0] == pytest.approx(1_900)
    assert all(math.isnan(value) for each in found[1:] for value in each.returns_bps)


def test_success_is_never_counted_among_the_winners_only():
    """The fault of an earlier system: a share of 100 % for whatever moved at all."""
    group = [*[outcome(2_000.0)] * 3, *[outcome(0.0)] * 97]
    rate = rate_of(group, 0, rose)
    assert (rate.n, rate.priced, rate.hits, rate.symbols) == (100, 100, 3, 1)
    assert rate.share == 0.03
    record = Record(group, HORIZONS, cost_bps=40.0)
    assert [each.rate.share for each in record.risen] == [0.03]
    assert [each["share"] for each in record.as_dict()["rose_over_10_percent"]] == [0.03]


MOVES = st.one_of(st.just(NAN), st.floats(-5_000, 5_000))
REASONS = st.sampled_from(["no_category", "low_confidence", "accepted"])
OUTCOMES = st.lists(
    st.builds(
        lambda move, reason, sign: outcome(move, reason=reason, direction=sign),
        MOVES,
        REASONS,
        st.sampled_from([-1, 0, 1]),
    ),
    max_size=60,
)


@given(OUTCOMES)
def test_groups_leave_nothing_out_and_share_one_base_rate(everything: list[Outcome]):
    for test in (rose, failed(40.0)):
        rates = grouped_rates(everything, HORIZONS, key=by_reason, test=test)
        assert sum(each.rate.n for each in rates) == len(everything)
        for each in rates:
            assert each.base == rate_of(everything, 0, test)
            assert each.rate.hits <= each.rate.priced <= each.rate.n
        if rates:
            assert sum(each.rate.hits for each in rates) == rates[0].base.hits
            assert sum(each.rate.priced for each in rates) == rates[0].base.priced


@given(OUTCOMES, st.floats(-900, 900))
def test_one_more_that_did_not_move_never_raises_a_share(group: list[Outcome], move: float):
    before, after = rate_of(group, 0, rose), rate_of([*group, outcome(move)], 0, rose)
    assert after.priced == before.priced + 1
    assert not after.share > before.share


@given(OUTCOMES)
def test_the_report_holds_every_record_once_and_no_nan(everything: list[Outcome]):
    record = Record(everything, HORIZONS, cost_bps=40.0)
    told = json.loads(json.dumps(record.as_dict(), allow_nan=False))
    assert len(told["records"]) == len(everything)
    assert "nan" not in record.as_markdown()


def test_failing_is_not_earning_the_costs_in_the_direction_of_the_news():
    test = failed(40.0)
    assert not test(outcome(50.0, direction=1), 0)
    assert test(outcome(30.0, direction=1), 0)
    assert test(outcome(50.0, direction=-1), 0)
    assert not test(outcome(-50.0, direction=-1), 0)


def test_many_headlines_on_one_share_are_shown_as_one():
    everything = [
        *[outcome(1_500.0, item_id=f"news-{n}") for n in range(7)],
        outcome(1_500.0, symbol="ZETA", item_id="news-9"),
        outcome(1_500.0, step="accepted", item_id="news-10"),
    ]
    record = Record(everything, HORIZONS, cost_bps=40.0)
    assert len(record.missed) == 8
    page = record.as_markdown()
    assert "| news-0 | ACME | 7 | no_category | +15.0 % |" in page
    assert "news-1 |" not in page
    assert "| news-9 | ZETA | 1 |" in page
