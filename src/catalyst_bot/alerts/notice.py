"""A notice: what a person is told, made from one record of the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from catalyst_bot.domain.enums import Severity
from catalyst_bot.domain.ids import content_id
from catalyst_bot.domain.messages.commands import SendNotification
from catalyst_bot.domain.messages.decisions import AlertRaised
from catalyst_bot.domain.messages.facts import AdapterFailed, NoticeRaised, NotificationEscalated
from catalyst_bot.domain.messages.registry import Recorded

ADAPTER = "alerts "  # how a channel is called in `AdapterFailed`: "alerts ops"
QUARANTINE = "quarantine"  # how the supervisor's note about a skipped fact is called there
_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class _Said(NamedTuple):
    """What is told, without the record it came from; see `Notice`."""

    severity: Severity
    title: str
    text: str
    symbol: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message for people. `about` is the channel that it is about and that is not told it;
    `symbol` is empty where it is about none.
    """

    notice_id: str
    at: datetime
    severity: Severity
    title: str
    text: str
    symbol: str = ""
    about: str = ""


def rank(severity: Severity) -> int:
    """How loud, as a number to compare with."""
    return _RANK[severity]


def notice_of(record: Recorded, *, alerts: bool = True) -> Notice | None:
    """Return what a record asks to be told, None when nothing.

    A critical alert comes with a notification of its own, which is told instead. Without `alerts`
    only notifications are.
    """
    match record.body:
        case SendNotification() as command:
            told = _Said(command.severity, command.title, command.text, symbol=command.symbol)
        case AlertRaised(alert=alert) if alerts and alert.severity is not Severity.CRITICAL:
            told = _Said(alert.severity, f"{alert.symbol}: alert", alert.text, symbol=alert.symbol)
        case NoticeRaised(severity=severity, title=title, text=text):
            told = _Said(severity, title, text)
        case AdapterFailed(adapter=adapter, error=error) if adapter == QUARANTINE:
            told = _Said(Severity.CRITICAL, "A fact that broke the core was skipped", error)
        case AdapterFailed(adapter=adapter, error=error) if adapter.startswith(ADAPTER):
            name = adapter.removeprefix(ADAPTER)
            told = _Said(Severity.CRITICAL, f"Alerts do not reach {name}", error, about=name)
        case _:
            return None
    notice_id = content_id("note", str(record.seq), record.at.isoformat(), told.title, told.text)
    return Notice(notice_id=notice_id, at=record.at, **told._asdict())


def all_notices(records: Iterable[Recorded]) -> dict[str, Notice]:
    """Return all that records ask to be told, by id, each time it is told again included."""
    found: dict[str, Notice] = {}
    for record in records:
        notice = notice_of(record)
        if isinstance(record.body, NotificationEscalated) and record.body.notice_id in found:
            again = record.body
            notice = escalated(found[again.notice_id], again.at, again.level)
        if notice is not None:
            found[notice.notice_id] = notice
    return found


def escalated(notice: Notice, at: datetime, level: int) -> Notice:
    """Return the notice as it is told for the `level`-th time, because nobody answered."""
    minutes = (at - notice.at).total_seconds() / 60
    return replace(
        notice,
        notice_id=content_id("note", notice.notice_id, str(level)),
        at=at,
        title=f"Not answered for {minutes:.0f} min: {notice.title}",
        text=f"{notice.text}\nAnswer: catalyst-bot alerts ack {notice.notice_id}",
    )
