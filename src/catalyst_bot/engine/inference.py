"""Inference: a signal becomes an observation, the policy votes, the votes become an intent."""

from __future__ import annotations

from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.messages.commands import WatchSymbol
from catalyst_bot.domain.messages.decisions import (
    CandidateVoted,
    IntentDeclined,
    IntentFormed,
    SignalFormed,
)
from catalyst_bot.domain.messages.facts import RunStarted
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.trading import Observation, Signal, TradeIntent, Vote
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.engine.voting import is_anybody_heard, tally
from catalyst_bot.features.observation import build
from catalyst_bot.ports.desk import Desk
from catalyst_bot.ports.policy import Policy

MIN_ACTION = 0.05  # a smaller wish than 5 % of a position is no wish


OPERATOR = "operator"
_PERSON = (Vote(agent=OPERATOR, action=1.0, weight=1.0, reason="a person asked for it"),)


def on_signal(message: SignalFormed, desk: Desk, rules: EngineRules) -> list[Message]:
    """Ask the policy; form an intent to buy, to leave a held symbol, or decline with the reason.

    What a person asked for is not put to a vote. A candidate votes on all else, and decides
    nothing. Each is asked with what it learned that categories are worth.
    """
    signal, policy, candidate = message.signal, rules.policy, rules.candidate
    observation = _observe(signal, desk, policy)
    if signal.catalyst.wish is not None:
        return [_decide(signal, observation, _PERSON, desk, model_id=OPERATOR)]
    votes = policy.act(observation)
    decided: list[Message] = [_decide(signal, observation, votes, desk, model_id=policy.model_id)]
    if candidate is not None:
        votes = candidate.act(_observe(signal, desk, candidate))
        decided.append(_voted(signal, candidate.model_id, votes))
    return decided


def _observe(signal: Signal, desk: Desk, policy: Policy) -> Observation:
    position = desk.positions.get(signal.catalyst.symbol)
    return build(signal, desk.account, position, desk.now, edges=policy.edges)


def _decide(
    signal: Signal, observation: Observation, votes: tuple[Vote, ...], desk: Desk, *, model_id: str
) -> IntentFormed | IntentDeclined:
    """What the votes come to. What the voters disagree on is wanted with less confidence."""
    symbol = signal.catalyst.symbol
    action, agreement = tally(votes)
    is_held = symbol in desk.positions
    leaves = action < -MIN_ACTION and is_held
    keeps = action > MIN_ACTION and is_held and signal.is_review  # nothing is added to it
    if (action > MIN_ACTION or leaves) and not keeps:
        intent = TradeIntent(
            intent_id=ids.intent_id(signal.signal_id),
            signal=signal,
            side=Side.SELL if leaves else Side.BUY,
            action=action,
            confidence=signal.catalyst.confidence * agreement,
            votes=votes,
            observation=observation,
            model_id=model_id,
            decided_at=desk.now,
        )
        return IntentFormed(intent=intent)
    return IntentDeclined(
        signal_id=signal.signal_id,
        catalyst_id=signal.catalyst.catalyst_id,
        symbol=symbol,
        reason="keeps_position" if keeps else _why_not(action, votes),
        model_id=model_id,
        votes=votes,
        observation=observation,
    )


def _why_not(action: float, votes: tuple[Vote, ...]) -> str:
    if not is_anybody_heard(votes):
        return "no_agent_left"
    return "nothing_to_sell" if action < -MIN_ACTION else "policy_says_no"


def _voted(signal: Signal, model_id: str, votes: tuple[Vote, ...]) -> CandidateVoted:
    action, agreement = tally(votes)
    return CandidateVoted(
        signal_id=signal.signal_id,
        catalyst_id=signal.catalyst.catalyst_id,
        symbol=signal.catalyst.symbol,
        model_id=model_id,
        action=action,
        agreement=agreement,
        votes=votes,
    )


def on_run_started(_message: RunStarted, _desk: Desk, rules: EngineRules) -> list[Message]:
    """The benchmark is watched from the start: regime and correlation need it."""
    return [WatchSymbol(symbol=rules.benchmark)]
