"""From an alert to order parameters: the steps, and what the votes do to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from catalyst_bot.bootstrap.rules import engine_rules
from catalyst_bot.domain.enums import ExitReason, OrderRole, Side
from catalyst_bot.domain.market import DAY_S
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.news import Worth
from catalyst_bot.domain.trading import Observation, Vote
from catalyst_bot.engine.engine import Engine
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.engine.signal_router import SignalRouter
from catalyst_bot.features.spec import NAMES, SPEC_HASH
from catalyst_bot.policies.ensemble import EnsemblePolicy
from catalyst_bot.ports.desk import Desk
from catalyst_bot.settings import Settings
from tests.builders import CLOSE, NOON, FakeDesk, calendar, catalyst, position, signal
from tests.models import model

WORTH = ("edge_bps", "edge_high_bps")


class Said:
    """A policy that says what it was told to say, and keeps what it saw."""

    model_id = "said"
    spec_hash = SPEC_HASH
    reviews = True
    edges: Mapping[str, Worth] | None = None

    def __init__(self, *actions: float, weights: Sequence[float] = ()) -> None:
        pairs = zip(actions, weights or [1.0] * len(actions), strict=True)
        self.votes = tuple(
            Vote(agent=f"agent-{n}", action=action, weight=weight)
            for n, (action, weight) in enumerate(pairs)
        )
        self.seen: list[Observation] = []

    def act(self, observation: Observation) -> tuple[Vote, ...]:
        self.seen.append(observation)
        return self.votes


@pytest.fixture(scope="module")
def rules() -> EngineRules:
    return engine_rules(Settings(), calendar())


def route(rules: EngineRules, policy: Any, desk: Desk | None = None, **given: Any) -> list[Any]:
    message = d.SignalFormed(signal=signal(**given))
    handler = SignalRouter.DECIDE[d.SignalFormed]
    return handler(message, desk or FakeDesk(), replace(rules, policy=policy))


def test_a_signal_is_shown_as_33_features_of_account_market_and_catalyst(
    rules: EngineRules,
) -> None:
    policy = Said(0.5)
    route(rules, policy)
    (seen,) = policy.seen
    assert (seen.names, len(seen.values)) == (NAMES, 33)
    known = dict(zip(seen.names, seen.values, strict=True))
    assert (known["cash_fraction"], known["confidence"], known["rvol"]) == (1.0, 0.85, 2.0)


def test_each_is_asked_with_the_worth_it_learned_with(rules: EngineRules) -> None:
    shipped = catalyst(edge_bps=7.0, edge_high_bps=9.0)
    learned = {shipped.category: Worth(edge_bps=-20.0, high_bps=3.0, events=40)}
    deciding, voting, without = Said(0.5), Said(0.5), Said(0.5)
    voting.edges, without.edges = learned, {}
    route(replace(rules, candidate=voting), deciding, catalyst=shipped)
    route(rules, without, catalyst=shipped)
    seen = [
        {name: dict(zip(o.names, o.values, strict=True))[name] for name in WORTH}
        for policy in (deciding, voting, without)
        for o in policy.seen
    ]
    assert [tuple(each.values()) for each in seen] == [(7.0, 9.0), (-20.0, 3.0), (0.0, 500.0)]


def test_the_votes_become_an_intent_and_risk_makes_its_order(rules: EngineRules) -> None:
    engine = Engine(replace(rules, policy=Said(0.6, 0.2)))
    desk = engine.desk_at(NOON)
    engine.state.portfolio.books = replace(
        engine.state.portfolio.books, cash_usd=FakeDesk().account.cash_usd
    )
    (formed,) = engine.decide(d.SignalFormed(signal=signal()), desk)
    assert formed.intent.action == pytest.approx(0.4)
    (approved,) = engine.decide(formed, engine.desk_at(NOON))
    order = approved.order
    assert (order.side, order.role, order.symbol) == (Side.BUY, OrderRole.ENTRY, "ACME")
    assert order.quantity > 0
    assert order.stop_loss_price < order.reference_price < order.take_profit_price


def test_what_agents_disagree_on_is_refused_for_want_of_confidence(rules: EngineRules) -> None:
    engine = Engine(replace(rules, policy=Said(1.0, -0.5)))
    (formed,) = engine.decide(d.SignalFormed(signal=signal()), engine.desk_at(NOON))
    assert formed.intent.confidence == pytest.approx(0.85 / 3)
    (refused,) = engine.decide(formed, engine.desk_at(NOON))
    failed = {check.name: check.observed for check in refused.checks if not check.passed}
    assert failed["confidence"] == pytest.approx(0.85 / 3)


def test_where_no_agent_is_left_nothing_is_wanted(rules: EngineRules) -> None:
    (declined,) = route(rules, Said(1.0, 1.0, weights=[0.0, 0.0]))
    assert declined.reason == "no_agent_left"


@pytest.mark.parametrize(
    ("action", "held", "review", "outcome"),
    [
        (0.5, False, False, "buy"),
        (0.5, False, True, "buy"),
        (0.5, True, True, "keeps_position"),
        (0.04, False, False, "policy_says_no"),
        (-0.5, False, True, "nothing_to_sell"),
        (-0.5, True, True, "sell"),
        (-0.04, True, True, "policy_says_no"),
    ],
)
def test_what_an_action_means(
    rules: EngineRules, action: float, *, held: bool, review: bool, outcome: str
) -> None:
    desk = FakeDesk(positions={"ACME": position()} if held else {})
    (said,) = route(rules, Said(action), desk, is_review=review)
    told = said.intent.side if isinstance(said, d.IntentFormed) else said.reason
    assert told == outcome


def test_a_position_left_at_a_review_was_left_for_the_policy(rules: EngineRules) -> None:
    engine = Engine(replace(rules, policy=Said(-1.0)))
    books = engine.state.portfolio.books
    engine.state.portfolio.books = replace(books, positions={"ACME": position()})
    for is_review, reason in ((True, ExitReason.POLICY), (False, ExitReason.NEGATIVE_NEWS)):
        told = d.SignalFormed(signal=signal(is_review=is_review))
        (formed,) = engine.decide(told, engine.desk_at(NOON))
        (approved,) = engine.decide(formed, engine.desk_at(NOON))
        assert approved.order.exit_reason is reason


def test_an_order_decided_at_the_close_of_a_daily_bar_is_for_the_next_open(
    rules: EngineRules,
) -> None:
    engine = Engine(replace(rules, policy=Said(1.0)))
    for interval, passes in ((DAY_S, True), (300, False)):
        told = d.SignalFormed(signal=signal(bar_interval_s=interval, formed_at=CLOSE))
        (formed,) = engine.decide(told, engine.desk_at(CLOSE))
        (verdict,) = engine.decide(formed, engine.desk_at(CLOSE))
        checks = verdict.order.checks if passes and hasattr(verdict, "order") else verdict.checks
        check = next(each for each in checks if each.name == "session_open")
        assert check.passed is passes
        if passes:
            following = calendar().next_session(CLOSE).day
            assert check.note == f"for the open of {following}"


def test_a_candidate_votes_and_decides_nothing(rules: EngineRules) -> None:
    alone = route(rules, Said(0.5))
    beside = replace(rules, candidate=EnsemblePolicy(model(bar_interval_s=300)))
    decided, voted = route(beside, Said(0.5))
    assert [decided] == alone
    assert isinstance(voted, d.CandidateVoted)
    assert [vote.agent for vote in voted.votes] == ["ppo-0", "sac-0", "a2c-0"]
    assert 0 <= voted.agreement <= 1


def test_what_a_person_asks_for_is_put_to_no_vote(rules: EngineRules) -> None:
    policy, wish = Said(-1.0), catalyst(wish=object(), received_at=NOON - timedelta(seconds=1))
    (formed,) = route(replace(rules, candidate=policy), policy, catalyst=wish)
    assert formed.intent.model_id == "operator"
    assert policy.seen == []
