"""Which refusal an explanation offers to let pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalyst_bot.domain.messages.decisions import OrderApproved, OrderRefused
from catalyst_bot.domain.messages.registry import Message, Recorded
from catalyst_bot.monitoring.explain import explain
from catalyst_bot.risk.manager import assess
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.state import State
from tests import builders


def recorded(*bodies: Message) -> list[Recorded]:
    return [
        Recorded(seq=seq, at=builders.NOON, cause_seq=None, trail_id="cat-1", body=body)
        for seq, body in enumerate(bodies, start=1)
    ]


def refused_by(*names: str) -> OrderRefused:
    """A refusal in which these checks failed, and no other."""
    approved = assess(State(), builders.intent(), builders.FakeDesk(), Rules())
    assert isinstance(approved, OrderApproved)
    checks = tuple(
        replace(check, passed=check.name not in names) for check in approved.order.checks
    )
    return OrderRefused(
        intent_id="int-1",
        signal_id="sig-1",
        catalyst_id="cat-1",
        strategy_id="news-rule",
        symbol="ACME",
        side=approved.order.side,
        rule=names[0],
        checks=checks,
        sizing=(),
    )


@pytest.mark.parametrize(
    ("names", "offered"),
    [
        (("orders_per_minute",), "int-1"),
        (("orders_per_minute", "confidence"), "int-1"),
        (("orders_per_minute", "live_quote_age"), ""),
        (("daily_loss",), ""),
    ],
)
def test_only_what_a_person_may_override_is_offered(names: tuple[str, ...], offered: str):
    told = explain("cat-1", recorded(refused_by(*names)))
    assert told.may_pass == told.as_dict()["may_pass"] == offered


def test_what_was_approved_after_all_is_not_offered():
    approved = assess(State(), builders.intent(), builders.FakeDesk(), Rules())
    assert not explain("cat-1", recorded(refused_by("confidence"), approved)).may_pass
    assert not explain("cat-1", recorded()).may_pass


@pytest.mark.parametrize(
    ("rule", "why"),
    [("trading_state", "active"), ("daily_loss", "observed 0, limit 0.03 fraction")],
)
def test_a_refusal_by_a_state_is_told_in_its_words(rule: str, why: str):
    """Of a yes or no, "observed 0, limit 1" says nothing."""
    told = explain("cat-1", recorded(refused_by(rule)))
    assert told.verdict == f"ACME: refused by {rule}: {why}."
