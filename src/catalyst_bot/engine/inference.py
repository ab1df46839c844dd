"""Inference: a signal becomes an observation, the policy votes, the votes become an intent."""

from __future__ import annotations

from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.messages.commands import WatchSymbol
from catalyst_bot.domain.messages.decisions import IntentDeclined, IntentFormed, SignalFormed
from catalyst_bot.domain.messages.facts import RunStarted
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.trading import TradeIntent, Vote
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.features.observation import build
from catalyst_bot.ports.desk import Desk

MIN_ACTION = 0.05  # a smaller wish than 5 % of a position is no wish


OPERATOR = "operator"
_PERSON = (Vote(agent=OPERATOR, action=1.0, weight=1.0, reason="a person asked for it"),)


def weighted_action(votes: tuple[Vote, ...]) -> float:
    """Mean of the votes' actions by weight. Raises `InvariantViolated` without any weight."""
    total = sum(vote.weight for vote in votes)
    if not total > 0:
        raise InvariantViolated("a policy returned no votes with weight")
    return sum(vote.action * vote.weight for vote in votes) / total


def on_signal(message: SignalFormed, desk: Desk, rules: EngineRules) -> list[Message]:
    """Ask the policy; form an intent to buy, to leave a held symbol, or decline with the reason.

    What a person asked for is not put to a vote.
    """
    signal = message.signal
    symbol = signal.catalyst.symbol
    position = desk.positions.get(symbol)
    observation = build(signal, desk.account, position, desk.now)
    is_asked = signal.catalyst.wish is not None
    votes = _PERSON if is_asked else rules.policy.act(observation)
    action = weighted_action(votes)
    leaves = action < -MIN_ACTION and position is not None
    if action > MIN_ACTION or leaves:
        intent = TradeIntent(
            intent_id=ids.intent_id(signal.signal_id),
            signal=signal,
            side=Side.SELL if leaves else Side.BUY,
            action=action,
            confidence=signal.catalyst.confidence,
            votes=votes,
            observation=observation,
            model_id=OPERATOR if is_asked else rules.policy.model_id,
            decided_at=desk.now,
        )
        return [IntentFormed(intent=intent)]
    return [
        IntentDeclined(
            signal_id=signal.signal_id,
            catalyst_id=signal.catalyst.catalyst_id,
            symbol=symbol,
            reason="nothing_to_sell" if action < -MIN_ACTION else "policy_says_no",
            model_id=rules.policy.model_id,
            votes=votes,
            observation=observation,
        )
    ]


def on_run_started(_message: RunStarted, _desk: Desk, rules: EngineRules) -> list[Message]:
    """The benchmark is watched from the start: regime and correlation need it."""
    return [WatchSymbol(symbol=rules.benchmark)]
