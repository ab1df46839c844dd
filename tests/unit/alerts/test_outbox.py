from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.alerts import outbox as outboxes
from catalyst_bot.alerts.notice import all_notices, escalated, notice_of
from catalyst_bot.alerts.outbox import Outbox, Wanted
from catalyst_bot.detection.alerts import alert_for
from catalyst_bot.detection.rules import Rules as DetectionRules
from catalyst_bot.domain.enums import CategoryAction, Severity
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import SendNotification
from catalyst_bot.domain.messages.decisions import AlertRaised
from catalyst_bot.domain.messages.registry import Message, Recorded
from catalyst_bot.domain.news import Alert
from tests import builders

CHANNELS = ("ops", "phone")


def record(seq: int, body: Message, ago_s: float = 0.0) -> Recorded:
    at = builders.NOON - timedelta(seconds=ago_s)
    return Recorded(seq=seq, at=at, cause_seq=None, trail_id="", body=body)


def said(severity: Severity = Severity.CRITICAL, text: str = "no stop") -> SendNotification:
    return SendNotification(severity=severity, title="ACME", text=text, trail_id="t", symbol="ACME")


def alert(severity: Severity) -> AlertRaised:
    return AlertRaised(
        alert=Alert(alert_id="a", catalyst_id="c", symbol="ACME", severity=severity, text="ACME: x")
    )


def outbox(
    min_severity: Severity = Severity.INFO, *, alerts: bool = True, age_s: float = 3_600.0
) -> Outbox:
    since = builders.NOON - timedelta(seconds=age_s)
    wanted = Wanted(
        channels=CHANNELS,
        min_severity=min_severity,
        alerts=alerts,
        since=since,
        escalate_to=("boss", "board"),
    )
    return Outbox(wanted)


def id_of(made: Recorded) -> str:
    notice = notice_of(made)
    assert notice is not None
    return notice.notice_id


def delivered(notice_id: str, channel: str) -> f.NotificationDelivered:
    return f.NotificationDelivered(at=builders.NOON, notice_id=notice_id, channel=channel)


def failed(notice_id: str, channel: str, *, given_up: bool) -> f.NotificationFailed:
    return f.NotificationFailed(
        at=builders.NOON,
        notice_id=notice_id,
        channel=channel,
        reason="HTTP 500",
        is_given_up=given_up,
    )


def test_a_notice_waits_on_every_channel_until_that_one_took_it():
    box, made = outbox(), record(1, said())
    box.note(made)
    box.note(record(2, delivered(id_of(made), "ops")))
    assert box.next_on("ops") is None
    assert box.next_on("phone") == notice_of(made)


@pytest.mark.parametrize(
    ("given", "min_severity", "is_told"),
    [
        ({"score": 0.70}, Severity.INFO, True),
        ({"score": 0.70}, Severity.WARNING, False),
        ({"score": 0.49}, Severity.INFO, False),
        ({"score": 0.1, "action": CategoryAction.AVOID}, Severity.WARNING, True),
        ({"score": 0.1, "action": CategoryAction.CLOSE, "confidence": 0.6}, Severity.WARNING, True),
    ],
)
def test_score_and_severity_decide_which_catalysts_are_told(
    given: dict[str, Any], min_severity: Severity, *, is_told: bool
):
    box = outbox(min_severity)
    raised = alert_for(builders.catalyst(**given), DetectionRules.alert_min_score)
    if raised is not None:
        box.note(record(1, AlertRaised(alert=raised)))
    assert (box.next_on("ops") is not None) is is_told


def test_a_failed_try_keeps_it_and_giving_up_ends_it():
    box, made = outbox(), record(1, said())
    box.note(made)
    box.note(record(2, failed(id_of(made), "ops", given_up=False)))
    assert box.next_on("ops") == notice_of(made)
    assert box.reasons == {("ops", id_of(made)): "HTTP 500"}
    box.note(record(3, failed(id_of(made), "ops", given_up=True)))
    assert box.next_on("ops") is None
    assert box.given_up == {("ops", id_of(made)): "HTTP 500"}
    assert not box.reasons


@pytest.mark.parametrize("severity", list(Severity))
def test_a_critical_alert_is_told_once_by_its_notification(severity: Severity):
    told = notice_of(record(1, alert(severity)))
    assert (told is None) == (severity is Severity.CRITICAL)
    assert notice_of(record(1, alert(severity)), alerts=False) is None


def test_what_is_too_quiet_or_too_old_does_not_wait():
    box = outbox(Severity.WARNING, age_s=60.0)
    box.note(record(1, said(Severity.INFO)))
    box.note(record(2, said(), ago_s=61.0))
    assert box.next_on("ops") is None
    box.note(record(3, said(Severity.WARNING)))
    assert box.next_on("ops") is not None


def test_a_channel_that_is_down_is_told_about_on_the_others_only():
    box = outbox()
    box.note(record(1, f.AdapterFailed(at=builders.NOON, adapter="alerts ops", error="HTTP 404")))
    box.note(record(2, f.AdapterFailed(at=builders.NOON, adapter="edgar", error="HTTP 404")))
    assert box.down == {"ops": "HTTP 404"}
    assert box.next_on("ops") is None
    told = box.next_on("phone")
    assert told is not None
    assert (told.severity, told.title) == (Severity.CRITICAL, "Alerts do not reach ops")
    box.note(record(3, f.AdapterRecovered(at=builders.NOON, adapter="alerts ops")))
    assert box.down == {}


severities = st.lists(st.sampled_from(list(Severity)), max_size=30)


@given(severities, st.integers(0, 10))
def test_the_loudest_goes_first_and_the_quietest_is_given_up(said_: list[Severity], most: int):
    box = outbox()
    rows = [record(seq, said(severity, str(seq))) for seq, severity in enumerate(said_, 1)]
    for row in rows:
        box.note(row)
    gone = {notice.notice_id for notice in box.surplus("ops", most)}
    assert len(gone) == max(len(rows) - most, 0)
    kept = [row for row in rows if id_of(row) not in gone]
    loud = [Severity.INFO, Severity.WARNING, Severity.CRITICAL]
    ranks_kept = [loud.index(row.body.severity) for row in kept]
    ranks_gone = [loud.index(row.body.severity) for row in rows if id_of(row) in gone]
    assert not gone or not kept or max(ranks_gone) <= min(ranks_kept)
    first = box.next_on("ops")
    assert (first is None) == (not rows)
    if first is not None:
        best = max(rows, key=lambda row: loud.index(row.body.severity))  # the oldest of these
        assert first.notice_id == id_of(best)


@given(st.data())
def test_the_fold_is_the_same_when_every_record_is_told_twice(data: st.DataObject):
    made = [record(seq, said(text=str(seq))) for seq in range(1, 6)]
    ids = [id_of(each) for each in made]
    pick, where = st.sampled_from(ids), st.sampled_from(CHANNELS)
    outcome = st.builds(delivered, pick, where) | st.builds(
        failed, pick, where, given_up=st.booleans()
    )
    later = [record(10 + i, body) for i, body in enumerate(data.draw(st.lists(outcome)))]
    once, twice = outbox(), outbox()
    for each in [*made, *later]:
        once.note(each)
    for each in [*made, *later]:
        twice.note(each)
        if each in later:
            twice.note(each)
    assert once.waiting == twice.waiting
    settled = {
        (row.body.channel, row.body.notice_id)
        for row in later
        if isinstance(row.body, f.NotificationDelivered) or row.body.is_given_up
    }
    waits = {(channel, id_) for channel, line in once.waiting.items() for id_ in line}
    assert waits == {(channel, id_) for channel in CHANNELS for id_ in ids} - settled


def again(notice_id: str, level: int) -> f.NotificationEscalated:
    return f.NotificationEscalated(at=builders.NOON, notice_id=notice_id, level=level)


def seen(notice_id: str) -> f.NotificationAcknowledged:
    return f.NotificationAcknowledged(at=builders.NOON, notice_id=notice_id, by="me")


def told(box: Outbox, channel: str) -> list[str]:
    return [notice.title for notice in box.waiting.get(channel, {}).values()]


def test_what_nobody_answers_is_due_again_and_goes_further_each_time():
    box, made = outbox(), record(1, said(), ago_s=600)
    box.note(made)
    ten, eleven = timedelta(minutes=10), timedelta(minutes=11)
    assert not box.overdue(builders.NOON, after=eleven, times=2)
    (due,) = box.overdue(builders.NOON, after=ten, times=2)
    assert due.notice == notice_of(made)
    box.note(record(2, again(id_of(made), 1)))
    assert told(box, "ops") == ["ACME", "Not answered for 10 min: ACME"]
    assert told(box, "boss") == ["Not answered for 10 min: ACME"]
    assert told(box, "board") == []
    assert not box.overdue(builders.NOON, after=ten, times=2)  # it was told just now
    box.note(record(3, again(id_of(made), 2)))
    assert len(told(box, "board")) == 1
    assert not box.overdue(builders.NOON + eleven, after=ten, times=2)  # often enough
    assert box.overdue(builders.NOON + eleven, after=ten, times=3)


@pytest.mark.parametrize("answer", ["ack", "resume"])
def test_an_answer_ends_it_everywhere(answer: str):
    box, made = outbox(), record(1, said(), ago_s=600)
    box.note(made)
    box.note(record(2, again(id_of(made), 1)))
    resumed = f.OperatorResumed(at=builders.NOON, by="me", reason="looked")
    box.note(record(3, seen(id_of(made)) if answer == "ack" else resumed))
    assert not box.unanswered
    assert all(not told(box, channel) for channel in (*CHANNELS, "boss"))
    box.note(record(4, again(id_of(made), 2)))  # on its way when the answer came
    assert not told(box, "boss")


def test_news_and_warnings_want_no_answer_and_trouble_does():
    box = outbox()
    box.note(record(1, alert(Severity.CRITICAL)))
    news = SendNotification(
        severity=Severity.CRITICAL, title="ACME: bankruptcy", text="ACME: x", trail_id="c"
    )
    box.note(record(2, news))
    box.note(record(3, said(Severity.WARNING)))
    assert not box.unanswered
    error = "quarantined BarClosed, see file"
    box.note(record(4, f.AdapterFailed(at=builders.NOON, adapter="quarantine", error=error)))
    raised = f.NoticeRaised(
        at=builders.NOON, severity=Severity.CRITICAL, title="trouble", text="much"
    )
    box.note(record(5, raised))
    assert [each.notice.title for each in box.unanswered.values()] == [
        "A fact that broke the core was skipped",
        "trouble",
    ]


def test_the_same_trouble_asks_once_and_there_is_a_bound(monkeypatch: pytest.MonkeyPatch):
    box = outbox()
    for seq in range(3):
        box.note(record(seq, said(text=f"for {seq} s")))
    (asked,) = box.unanswered.values()
    assert asked.notice.text == "for 2 s"
    monkeypatch.setattr(outboxes, "MAX_UNANSWERED", 2)
    for title in "abc":
        made = SendNotification(
            severity=Severity.CRITICAL, title=title, text="text", trail_id="risk"
        )
        box.note(record(ord(title), made))
    assert [each.notice.title for each in box.unanswered.values()] == ["b", "c"]


def test_an_escalation_that_was_told_before_the_journal_had_it_is_not_told_twice():
    box, made = outbox(), record(1, said(), ago_s=600)
    box.note(made)
    fact = again(id_of(made), 1)
    box.escalate(fact)  # what delivery does at once
    for channel in (*CHANNELS, "boss"):
        for notice in list(box.waiting[channel].values()):
            box.note(record(2, delivered(notice.notice_id, channel)))
    box.note(record(3, fact))
    assert not any(box.waiting.values())


def test_every_message_that_people_got_is_found_again_by_its_id():
    first, other = record(1, said()), record(2, said(text="x" * 9_000))
    again = f.NotificationEscalated(at=builders.NOON, notice_id=id_of(first), level=1)
    unknown = f.NotificationEscalated(at=builders.NOON, notice_id="note-0", level=1)
    found = all_notices([first, other, record(3, again), record(4, unknown)])
    told = notice_of(first)
    assert told is not None
    repeated = escalated(told, builders.NOON, 1)
    assert list(found) == [id_of(first), id_of(other), repeated.notice_id]
    assert found[id_of(other)].text == "x" * 9_000
    assert found[repeated.notice_id] == repeated
