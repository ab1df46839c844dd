"""What a journal's catalysts become in the report of gates."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.news import Catalyst, TradeWish
from catalyst_bot.study import gates
from tests import builders
from tests.unit.study.test_gate_trades import at_bar, market

FLAT = [(100.0, 100.2, 99.8, 100.0)] * 4


def catalyst(number: int, **given: Any) -> Catalyst:
    headline = builders.headline(title=f"news {number}", published_at=at_bar(0))
    return builders.catalyst(headline=headline, **given)


def records(*bodies: Any) -> list[Recorded]:
    return [
        Recorded(seq=n, at=at_bar(0), cause_seq=None, trail_id="t", body=body)
        for n, body in enumerate(bodies, start=1)
    ]


def at_once(_: Catalyst, at: datetime) -> datetime:
    return at


def dropped(of: Catalyst, reason: str) -> d.SignalDropped:
    return d.SignalDropped(
        catalyst_id=of.catalyst_id, item_id=of.item_id, symbol="ACME", reason=reason, checks=()
    )


def approved(of: Catalyst) -> d.OrderApproved:
    return d.OrderApproved(order=builders.approved_order(catalyst_id=of.catalyst_id))


def refused(of: Catalyst, rule: str) -> d.OrderRefused:
    return d.OrderRefused(
        intent_id="int",
        signal_id="sig",
        catalyst_id=of.catalyst_id,
        strategy_id="news-rule",
        symbol="ACME",
        side=builders.Side.BUY,
        rule=rule,
        checks=(),
        sizing=(),
    )


TAKEN, LOW, LATE, SECOND, OPEN_END = (catalyst(n, category="fda") for n in range(5))
BAD = catalyst(5, direction=-1)
UNSIGNED = catalyst(6, direction=0, category="filing")
AWAY = catalyst(7, symbol="NOBODY")
ASKED = catalyst(8, wish=TradeWish(usd=Decimal(1), quantity=None))
STORY = records(
    *(d.CatalystDetected(catalyst=c) for c in (TAKEN, LOW, LATE, SECOND, OPEN_END, BAD)),
    *(d.CatalystDetected(catalyst=c) for c in (UNSIGNED, AWAY, ASKED, LOW)),
    dropped(LOW, "low_confidence"),
    dropped(UNSIGNED, "reaction_too_small"),
    approved(TAKEN),
    refused(LATE, "daily_trades"),
    refused(SECOND, "daily_trades"),
    approved(SECOND),  # a person overrode it
)


def test_every_candidate_has_the_gate_that_blocked_it():
    found, left_out = gates.candidates(STORY, at_once)
    assert {c.wish.name: c.gate for c in found} == {
        TAKEN.catalyst_id: "",
        LOW.catalyst_id: "signal: low_confidence",
        LATE.catalyst_id: "risk: daily_trades",
        SECOND.catalyst_id: "",
        OPEN_END.catalyst_id: "undecided: undecided",
        UNSIGNED.catalyst_id: "signal: reaction_too_small",
        AWAY.catalyst_id: "undecided: undecided",
    }
    assert left_out == {"bad_news": 1}


def test_a_story_is_one_candidate_priced_at_its_first_telling():
    first, again = catalyst(20, story_id="story-1"), catalyst(21, story_id="story-1")
    story = [d.CatalystDetected(catalyst=c) for c in (first, again)]
    blocked = [dropped(first, "low_confidence"), dropped(again, "spread")]
    ((candidate,), _) = gates.candidates(records(*story, *blocked), at_once)
    assert (candidate.wish.name, candidate.gate) == (first.catalyst_id, "signal: spread")
    taken = records(*story, blocked[0], approved(again))
    ((candidate,), _) = gates.candidates(taken, at_once)
    assert (candidate.wish.name, candidate.gate) == (first.catalyst_id, "")
    first_taken = records(*story, approved(first), blocked[1])
    ((candidate,), _) = gates.candidates(first_taken, at_once)
    assert candidate.gate == ""


def test_taken_and_blocked_are_valued_alike_and_add_up():
    report = gates.gate_report(STORY, market(FLAT), at_once)
    assert report.taken.count == 2
    blocked = {row.gate: row.count for row in report.gates}
    assert blocked == {
        "signal: low_confidence": 1,
        "risk: daily_trades": 1,
        "undecided: undecided": 1,
        "signal: reaction_too_small": 1,
    }
    assert {row.gate: row.count for row in report.categories} == {"fda": 3, "filing": 1}
    assert dict(report.not_valued) == {"bad_news": 1, "no_prices": 1}
    told = report.as_dict()
    total = Decimal(told["taken_usd"]) + Decimal(told["blocked_usd"])
    assert total == Decimal(told["all_gates_off_usd"]) == 6 * report.taken.pnl_usd / 2
    assert sum(Decimal(row["pnl_usd"]) for row in told["gates"]) == Decimal(told["blocked_usd"])
    lines = gates.report_rows(report)
    assert [line[0] for line in lines][-2:] == ["blocked", "all gates off"]
    assert lines[-1][1] == "6"
    assert all(len(line) == len(gates.HEADER) for line in lines)


def test_when_it_meets_the_market_decides_its_price():
    rising = [(100.0 + n, 100.5 + n, 99.5 + n, 100.0 + n) for n in range(6)]
    story = records(d.CatalystDetected(catalyst=LOW), dropped(LOW, "low_confidence"))

    def later(_: Catalyst, at: datetime) -> datetime:
        return at + timedelta(minutes=10)

    soon = gates.gate_report(story, market(rising), at_once).blocked_usd
    late = gates.gate_report(story, market(rising), later).blocked_usd
    assert soon > late


def test_a_journal_without_candidates_is_worth_nothing():
    report = gates.gate_report([], market(FLAT), at_once)
    assert report.as_dict()["all_gates_off_usd"] == "0.00"
    assert report.taken.mean_bps == 0


def test_a_sum_that_does_not_add_up_is_a_fault(monkeypatch: pytest.MonkeyPatch):
    real = gates.worth
    monkeypatch.setattr(
        gates, "worth", lambda orders, place: real(orders, place) + (len(orders) > 1)
    )
    with pytest.raises(InvariantViolated, match="of all together"):
        gates.gate_report(STORY, market(FLAT), at_once)


def test_headlines_that_are_no_catalyst_are_no_candidates():
    heard = f.HeadlineReceived(at=at_bar(0), headline=builders.headline(title="noise"))
    assert gates.candidates(records(heard), at_once) == ([], {})
    assert replace(gates.Row(gate="x"), count=1).as_dict()["gate"] == "x"
