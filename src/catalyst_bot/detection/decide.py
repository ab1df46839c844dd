"""What a headline leads to: a catalyst for one or two symbols, or a reason why not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from catalyst_bot.detection.alerts import alert_for
from catalyst_bot.detection.dedupe import is_duplicate
from catalyst_bot.detection.reading import Finding, read_headline
from catalyst_bot.detection.reasons import (
    CATALYST,
    DEDUPED,
    DUPLICATE,
    FUTURE_TIMESTAMP,
    STALE,
    WITH_TICKER,
)
from catalyst_bot.detection.rules import Rules
from catalyst_bot.detection.score import Assessment, assess, subject
from catalyst_bot.detection.second_reading import lowered, wants_opinion
from catalyst_bot.detection.state import State
from catalyst_bot.detection.text import words
from catalyst_bot.detection.tickers import NoOwner, find_owners, name_position
from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import Severity
from catalyst_bot.domain.messages.commands import (
    ClearTimer,
    RequestTextOpinion,
    SendNotification,
    SetTimer,
)
from catalyst_bot.domain.messages.decisions import (
    AlertRaised,
    CatalystDetected,
    CatalystHeld,
    HeadlineIgnored,
)
from catalyst_bot.domain.messages.facts import (
    HeadlineReceived,
    TextOpinionsReceived,
    TimerFired,
)
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.news import Catalyst, Headline, ScoreFactor
from catalyst_bot.ports.desk import Desk

TIMER_PREFIX = "opinion:"


def on_headline(state: State, message: HeadlineReceived, desk: Desk, rules: Rules) -> list[Message]:
    """Return one `CatalystDetected` per symbol, or one `HeadlineIgnored`.

    The cheap questions come first: seen before, in time, whose, what. Where readers outside are
    asked, good news is held for their answer.
    """
    headline = message.headline
    untimely = _untimely(headline, rules)
    owners = find_owners(headline, rules.companies)
    is_readable = untimely is None and not isinstance(owners, NoOwner)
    if is_duplicate(state, headline, message.at, is_readable=is_readable):
        return [_ignored(headline, DEDUPED, DUPLICATE, "the story was seen before")]
    if untimely is not None:
        return [untimely]
    if isinstance(owners, NoOwner):
        return [_ignored(headline, WITH_TICKER, owners.reason, owners.detail)]
    finding = read_headline(headline, rules)
    if not isinstance(finding, Finding):
        return [_ignored(headline, CATALYST, finding.reason, finding.detail)]
    return [
        message
        for symbol in owners.symbols
        for message in _found(_catalyst(headline, symbol, finding, rules), headline, desk, rules)
    ]


def on_opinions(
    state: State, message: TextOpinionsReceived, desk: Desk, rules: Rules
) -> list[Message]:
    """The readers answered in time: the catalyst goes on, lowered by what they doubt.

    An answer that comes too late, or a second time, finds nobody waiting.
    """
    held = state.held.get(message.catalyst_id)
    if held is None:
        return []
    return [
        ClearTimer(timer_id=f"{TIMER_PREFIX}{held.catalyst_id}"),
        CatalystDetected(
            catalyst=lowered(
                held,
                message.opinions,
                message.refusals,
                categories=rules.classifier.taxonomy.categories,
                now=message.at,
            )
        ),
    ]


def on_timer(state: State, message: TimerFired, desk: Desk, rules: Rules) -> list[Message]:
    """Nobody answered in time: the catalyst goes on as the rules alone read it."""
    held = state.held.get(message.timer_id.removeprefix(TIMER_PREFIX))
    if held is None or not message.timer_id.startswith(TIMER_PREFIX):
        return []
    silent = lowered(held, (), ("no answer in time",), categories={}, now=message.at)
    return [CatalystDetected(catalyst=silent)]


def on_catalyst(state: State, message: CatalystDetected, desk: Desk, rules: Rules) -> list[Message]:
    """Raise an alert for what a person should know; notify at once only when critical."""
    alert = alert_for(message.catalyst, rules.alert_min_score)
    if alert is None:
        return []
    if alert.severity is not Severity.CRITICAL:
        return [AlertRaised(alert=alert)]
    return [
        AlertRaised(alert=alert),
        SendNotification(
            severity=alert.severity,
            title=f"{alert.symbol}: {message.catalyst.category}",
            text=alert.text,
            trail_id=alert.catalyst_id,
        ),
    ]


def _untimely(headline: Headline, rules: Rules) -> HeadlineIgnored | None:
    """Refuse what claims to come from the future and what the market has long read."""
    age_s = (headline.received_at - headline.published_at).total_seconds()
    if not age_s >= -rules.future_tolerance_s:
        detail = f"published {-age_s:.0f} s after it was received"
        return _ignored(headline, DEDUPED, FUTURE_TIMESTAMP, detail)
    limit_s = rules.max_filing_age_s if headline.form else rules.max_age_s
    if not age_s <= limit_s:
        detail = f"{age_s:.0f} s old when received, at most {limit_s:.0f}"
        return _ignored(headline, DEDUPED, STALE, detail)
    return None


def _found(catalyst: Catalyst, headline: Headline, desk: Desk, rules: Rules) -> list[Message]:
    """Tell of a catalyst, or hold it and ask."""
    asking = rules.asking
    if not asking.wait_s > 0 or not wants_opinion(catalyst, asking.min_confidence):
        return [CatalystDetected(catalyst=catalyst)]
    until = desk.now + timedelta(seconds=asking.wait_s)
    name = f"{TIMER_PREFIX}{catalyst.catalyst_id}"
    return [
        CatalystHeld(catalyst=catalyst, until=until),
        RequestTextOpinion(
            request_id=name,
            catalyst_id=catalyst.catalyst_id,
            symbol=catalyst.symbol,
            category=catalyst.category,
            title=headline.title,
            body=headline.body,
            published_at=headline.published_at,
            answer_by=until,
        ),
        SetTimer(timer_id=name, due_at=until),
    ]


def _ignored(headline: Headline, step: str, reason: str, detail: str) -> HeadlineIgnored:
    return HeadlineIgnored(item_id=headline.item_id, step=step, reason=reason, detail=detail)


def _catalyst(headline: Headline, symbol: str, finding: Finding, rules: Rules) -> Catalyst:
    category = finding.category
    assessment = _assess(headline, symbol, finding, rules)
    return Catalyst(
        catalyst_id=ids.catalyst_id(headline.item_id, symbol),
        item_id=headline.item_id,
        symbol=symbol,
        category=category.name,
        action=category.action,
        direction=category.polarity,
        sentiment=finding.sentiment,
        opinions=finding.opinions,
        score=assessment.score,
        confidence=assessment.confidence,
        factors=assessment.factors,
        evidence=finding.evidence,
        horizon_s=category.horizon_s,
        title=headline.title,
        source=headline.source,
        published_at=headline.published_at,
        received_at=headline.received_at,
        classifier_id=rules.classifier_id,
    )


def _assess(headline: Headline, symbol: str, finding: Finding, rules: Rules) -> Assessment:
    about = ScoreFactor(name="subject", value=1.0, note="filed by the company")
    if not headline.form:
        names_known = symbol in rules.companies.names
        position = name_position(words(headline.title), symbol, rules.companies)
        about = subject(position if names_known else 0)
    return assess(
        weight=finding.category.weight,
        sentiment=finding.sentiment,
        factors=(*finding.factors, about),
    )


DECIDE: dict[type, Callable[[State, Any, Desk, Rules], list[Message]]] = {
    HeadlineReceived: on_headline,
    TextOpinionsReceived: on_opinions,
    TimerFired: on_timer,
    CatalystDetected: on_catalyst,
}
