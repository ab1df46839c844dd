"""Which catalysts a person hears of."""

from __future__ import annotations

from catalyst_bot.domain.enums import CategoryAction, Severity
from catalyst_bot.domain.ids import content_id
from catalyst_bot.domain.news import Alert, Catalyst

CRITICAL_CONFIDENCE = 0.7
_SIGNS = {1: "good", -1: "bad", 0: "sign unknown"}


def alert_for(catalyst: Catalyst, min_score: float) -> Alert | None:
    """Return the alert a catalyst deserves: all that say avoid or close, and strong trades.

    Critical is only a confident reason to close a position; it also leads to a notification.
    """
    severity = _severity(catalyst)
    if severity is Severity.INFO and not catalyst.score >= min_score:
        return None
    return Alert(
        alert_id=content_id("alert", catalyst.catalyst_id),
        catalyst_id=catalyst.catalyst_id,
        symbol=catalyst.symbol,
        severity=severity,
        text=(
            f"{catalyst.symbol}: {catalyst.category} ({_SIGNS[catalyst.direction]}, "
            f"confidence {catalyst.confidence:.2f}, score {catalyst.score:.2f}): {catalyst.title}"
        ),
    )


def _severity(catalyst: Catalyst) -> Severity:
    if catalyst.action is CategoryAction.TRADE:
        return Severity.INFO
    if catalyst.action is CategoryAction.CLOSE and catalyst.confidence >= CRITICAL_CONFIDENCE:
        return Severity.CRITICAL
    return Severity.WARNING
