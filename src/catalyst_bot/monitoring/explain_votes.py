"""Who wanted what: the votes behind a decision, a candidate's beside them, and the later looks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.trading import Observation, Vote
from catalyst_bot.engine.voting import tally
from catalyst_bot.monitoring.telling import Line, Row, Section, number, section, stamp


def intent(message: d.IntentFormed, _: datetime) -> tuple[Section, str]:
    """The policy wants to trade."""
    wanted = message.intent
    rows: tuple[Row | Line, ...] = (
        ("policy", wanted.model_id),
        ("wants", f"{wanted.side}, action {wanted.action:+.3f}"),
        *_votes(wanted.votes),
        *_confidence(wanted.signal.catalyst.confidence, wanted.confidence),
        *_features(wanted.observation),
    )
    return section("Decision", rows), f"The policy wants to {wanted.side}."


def declined(message: d.IntentDeclined, _: datetime) -> tuple[Section, str]:
    """The policy wants nothing."""
    rows: tuple[Row | Line, ...] = (
        ("policy", message.model_id),
        ("reason", message.reason),
        *_votes(message.votes),
        *_features(message.observation),
    )
    why = message.reason.replace("_", " ")
    if len(message.votes) == 1:
        why = message.votes[0].reason
    return section("Decision", rows), f"{message.symbol}: the policy said no: {why}."


def candidate(message: d.CandidateVoted, _: datetime) -> tuple[Section, str]:
    """What a model that may not decide would have wanted."""
    rows: tuple[Row | Line, ...] = (
        ("model", f"{message.model_id}: shown, not followed"),
        ("would want", f"action {message.action:+.3f}"),
        *_votes(message.votes),
    )
    return section("Candidate", rows), ""


def opened(message: d.CaseOpened, _: datetime) -> tuple[Section, str]:
    """The policy is asked again."""
    rows = (("until", stamp(message.until)), ("asked again", "at every close of a decision bar"))
    return section("On watch", rows), ""


def without_quiet_reviews(trail: Sequence[Recorded]) -> tuple[list[Recorded], list[Section]]:
    """Return the trail without later looks that led to nothing, and those as a table apart."""
    looks = {
        record.seq
        for record in trail
        if isinstance(record.body, d.SignalFormed) and record.body.signal.is_review
    }
    verdicts = [
        record
        for record in trail
        if (isinstance(record.body, d.IntentDeclined) and record.cause_seq in looks)
        or (isinstance(record.body, d.SignalDropped) and record.body.is_review)
    ]
    if not verdicts:
        return list(trail), []
    quiet = {record.cause_seq for record in verdicts}
    quiet = (quiet & looks) | {record.seq for record in verdicts}
    rest = [r for r in trail if r.seq not in quiet and r.cause_seq not in quiet & looks]
    rows = [(stamp(record.at), _quiet_text(record.body)) for record in verdicts]
    return rest, [section("Later looks that changed nothing", rows)]


def _quiet_text(message: object) -> str:
    if isinstance(message, d.IntentDeclined):
        action, agreement = tally(message.votes)
        said = f"action {action:+.3f}, agreement {number(agreement)}"
        return f"{said}: {message.reason.replace('_', ' ')}"
    assert isinstance(message, d.SignalDropped), "only verdicts are told here"
    return f"not asked: {message.reason.replace('_', ' ')}"


def _votes(votes: Sequence[Vote]) -> tuple[Row, ...]:
    rows = tuple(
        (
            f"vote of {vote.agent}",
            f"{vote.action:+.3f} (weight {number(vote.weight)}): {vote.reason}",
        )
        for vote in votes
    )
    if len(votes) == 1:
        return rows
    return (*rows, ("agreement", f"{number(tally(votes)[1])} of 1"))


def _confidence(read: float, left: float) -> tuple[Row, ...]:
    """What disagreement left of the confidence in how the news was read."""
    if left == read:
        return ()
    return (("confidence", f"{number(read)} x agreement = {number(left)}"),)


def _features(observation: Observation) -> tuple[Row, ...]:
    return tuple(
        (f"  {name}", number(value))
        for name, value in zip(observation.names, observation.values, strict=True)
    )
