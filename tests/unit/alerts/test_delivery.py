"""The tasks that deliver: retries, spacing, alarms, and that the order is send, then mark."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from catalyst_bot.alerts.channels import Answer
from catalyst_bot.alerts.delivery import Delivery, DeliveryRules
from catalyst_bot.alerts.notice import Notice
from catalyst_bot.alerts.outbox import Outbox, Wanted
from catalyst_bot.domain.enums import Severity
from catalyst_bot.domain.market import MarketView, series_of
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import SendNotification
from catalyst_bot.domain.messages.registry import Fact, Message, Recorded
from catalyst_bot.runtime.clock import SimulatedClock
from tests import builders

RULES = DeliveryRules(
    spacing_s=0.0,
    max_waiting=100,
    max_age_s=3_600.0,
    alarm_after=3,
    has_charts=True,
    first_back_off_s=0.001,
)
OK = Answer(is_delivered=True)


@dataclass
class Wire:
    """A channel that answers as told."""

    name: str
    answers: list[Answer] = field(default_factory=list)
    then: Answer = OK
    shows_charts: bool = True
    sent: list[tuple[Notice, bytes | None]] = field(default_factory=list)
    at_send: Callable[[], None] = lambda: None

    def send(self, notice: Notice, chart: bytes | None = None) -> Answer:
        self.sent.append((notice, chart))
        self.at_send()
        return self.answers.pop(0) if self.answers else self.then

    @property
    def titles(self) -> list[str]:
        return [notice.title for notice, _ in self.sent]


class Desk:
    """Delivery over a journal that is a list."""

    def __init__(self, *wires: Wire, rules: DeliveryRules = RULES) -> None:
        self.records: list[Recorded] = []
        self.wires = wires
        self.clock = SimulatedClock(builders.NOON)
        self.rules = rules
        self.restart()

    def restart(self) -> None:
        wanted = Wanted(
            channels=[wire.name for wire in self.wires],
            min_severity=Severity.INFO,
            alerts=True,
            since=self.clock.now() - timedelta(seconds=self.rules.max_age_s),
        )
        self.delivery = Delivery(
            self.wires, Outbox(wanted), self.rules, tell=self.tell, clock=self.clock
        )
        self.delivery.listen(self.records)

    def commit(self, body: Message) -> None:
        seq = len(self.records) + 1
        made = Recorded(seq=seq, at=self.clock.now(), cause_seq=None, trail_id="", body=body)
        self.records.append(made)
        self.delivery.listen([made])

    async def tell(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            self.commit(fact)

    def of(self, kind: type) -> list[Message]:
        return [row.body for row in self.records if isinstance(row.body, kind)]

    async def run_until(self, done: Callable[[], bool]) -> None:
        task = asyncio.create_task(self.delivery.run())
        async with asyncio.timeout(10):
            while not done() and not task.done():  # noqa: ASYNC110  # counts have no event
                await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def said(title: str, severity: Severity = Severity.CRITICAL) -> SendNotification:
    return SendNotification(
        severity=severity, title=title, text="text", trail_id="t", symbol="ACME"
    )


async def test_each_channel_gets_each_notice_once_and_the_journal_says_so():
    desk = Desk(Wire("ops"), Wire("phone"))
    for title in ("one", "two"):
        desk.commit(said(title))
    await desk.run_until(lambda: len(desk.of(f.NotificationDelivered)) == 4)
    for wire in desk.wires:
        assert wire.titles == ["one", "two"]
    desk.restart()
    await desk.run_until(lambda: True)
    assert [len(wire.sent) for wire in desk.wires] == [2, 2]


async def test_nothing_is_marked_before_it_is_delivered():
    wire, marks = Wire("ops"), []
    desk = Desk(wire)
    wire.at_send = lambda: marks.append(len(desk.of(f.NotificationDelivered)))
    desk.commit(said("one"))
    await desk.run_until(lambda: bool(desk.of(f.NotificationDelivered)))
    assert marks == [0]


async def test_nothing_more_is_sent_until_the_journal_has_the_mark():
    desk, waiting = Desk(Wire("ops")), []

    async def tell(facts: Sequence[Fact]) -> None:  # an inbox that is slow
        waiting.extend(facts)

    desk.tell = tell  # type: ignore[method-assign]
    desk.restart()
    desk.commit(said("one"))
    desk.commit(said("two"))
    task = asyncio.create_task(desk.delivery.run())
    while not waiting:  # noqa: ASYNC110  # a list has no event
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.3)  # longer than between two looks
    assert desk.wires[0].titles == ["one"]
    desk.commit(waiting[0])
    while len(waiting) == 1:  # noqa: ASYNC110  # see above
        await asyncio.sleep(0.005)
    assert desk.wires[0].titles == ["one", "two"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_end_waits_until_what_is_under_way_is_marked_and_begins_nothing_new():
    sending, answers = threading.Event(), threading.Event()

    def hold() -> None:
        sending.set()
        answers.wait(10)

    desk = Desk(Wire("ops", at_send=hold))
    desk.commit(said("one"))
    desk.commit(said("two"))
    task = asyncio.create_task(desk.delivery.run())
    await asyncio.to_thread(sending.wait, 10)
    finish = asyncio.create_task(desk.delivery.finish())
    await asyncio.sleep(0.05)
    assert not finish.done()
    answers.set()
    await finish
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(desk.of(f.NotificationDelivered)) == 1
    assert desk.wires[0].titles == ["one"]


async def test_a_failed_try_is_repeated_until_it_is_taken():
    wire = Wire("ops", answers=[Answer(is_delivered=False, reason="HTTP 500")] * 2)
    desk = Desk(wire)
    desk.commit(said("one"))
    await desk.run_until(lambda: bool(desk.of(f.NotificationDelivered)))
    assert wire.titles == ["one"] * 3
    assert [fact.is_given_up for fact in desk.of(f.NotificationFailed)] == [False, False]
    assert not desk.of(f.AdapterFailed)


async def test_what_a_channel_will_never_take_is_given_up_and_the_next_goes():
    refused = Answer(is_delivered=False, reason="HTTP 400", is_refused=True)
    wire = Wire("ops", answers=[refused])
    desk = Desk(wire)
    desk.commit(said("one"))
    desk.commit(said("two"))
    await desk.run_until(lambda: bool(desk.of(f.NotificationDelivered)))
    assert wire.titles == ["one", "two"]
    (failed,) = desk.of(f.NotificationFailed)
    assert failed.is_given_up


async def test_a_channel_that_fails_is_told_on_the_others_and_when_it_is_back():
    down = Wire("ops", then=Answer(is_delivered=False, reason="HTTP 404"))
    desk = Desk(down, Wire("phone"))
    desk.commit(said("one"))
    await desk.run_until(lambda: "Alerts do not reach ops" in desk.wires[1].titles)
    (alarm,) = desk.of(f.AdapterFailed)
    assert alarm.adapter == "alerts ops"
    assert "failed tries in a row: 3, the last with HTTP 404" in alarm.error
    assert set(down.titles) == {"one"}
    desk.restart()  # the alarm is no news to the next process
    await desk.run_until(lambda: len(down.sent) > 8)
    assert len(desk.of(f.AdapterFailed)) == 1
    down.then = OK
    await desk.run_until(lambda: bool(desk.of(f.AdapterRecovered)))
    assert desk.of(f.AdapterRecovered)[0].adapter == "alerts ops"


async def test_a_channel_that_hangs_holds_up_nobody_else_and_not_for_ever():
    released = threading.Event()
    stuck = Wire("ops", at_send=lambda: released.wait(20) and None)
    desk = Desk(stuck, Wire("phone"), rules=replace(RULES, deadline_s=0.05))
    desk.commit(said("one"))
    try:
        await desk.run_until(lambda: bool(desk.of(f.NotificationFailed)))
    finally:
        released.set()
    assert desk.of(f.NotificationFailed)[0].reason == "no answer within 0.05 s"
    assert desk.wires[1].titles == ["one"]


async def test_a_machine_without_threads_is_a_failed_try(monkeypatch: pytest.MonkeyPatch):
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    desk = Desk(Wire("ops"))
    desk.commit(said("one"))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        await desk.run_until(lambda: bool(desk.of(f.NotificationFailed)))
    assert desk.of(f.NotificationFailed)[0].reason == "no thread to send in"
    await desk.run_until(lambda: bool(desk.of(f.NotificationDelivered)))


async def test_too_much_and_too_old_is_given_up_and_said():
    desk = Desk(Wire("ops"), rules=replace(RULES, max_waiting=2))
    for title in ("a", "b", "c"):
        desk.commit(said(title, Severity.INFO))
    desk.commit(said("loud"))
    await desk.run_until(lambda: len(desk.of(f.NotificationDelivered)) == 2)
    assert desk.wires[0].titles == ["loud", "c"]
    assert {fact.reason for fact in desk.of(f.NotificationFailed)} == {"too many wait"}
    desk.commit(said("old"))
    desk.clock.advance_to(builders.NOON + timedelta(hours=2))
    await desk.run_until(lambda: len(desk.of(f.NotificationFailed)) == 3)
    assert desk.of(f.NotificationFailed)[-1].reason == "too old to be told"
    assert "old" not in desk.wires[0].titles


async def test_a_chart_of_the_last_bars_goes_along_where_there_are_some():
    desk = Desk(Wire("ops"), Wire("plain", shows_charts=False))
    desk.commit(said("before"))
    await desk.run_until(lambda: len(desk.of(f.NotificationDelivered)) == 2)
    view = MarketView(
        symbol="ACME",
        as_of=builders.NOON,
        bar_interval_s=300,
        bars=series_of("ACME", [builders.bar()]),
        benchmark_bars=series_of("SPY", []),
        quote=builders.quote(),
    )
    desk.commit(f.MarketViewReceived(at=builders.NOON, request_id="r", catalyst_id="c", view=view))
    desk.commit(said("after"))
    await desk.run_until(lambda: len(desk.of(f.NotificationDelivered)) == 4)
    assert [chart is not None for _, chart in desk.wires[0].sent] == [False, True]
    assert [chart is not None for _, chart in desk.wires[1].sent] == [False, False]


@pytest.mark.parametrize(
    ("answer", "failures", "wait_s"),
    [
        (OK, 0, 0.5),
        (Answer(is_delivered=False, reason="x"), 1, 2.0),
        (Answer(is_delivered=False, reason="x"), 4, 16.0),
        (Answer(is_delivered=False, reason="x"), 10_000, 300.0),
        (Answer(is_delivered=False, reason="x", retry_after_s=77.0), 1, 77.0),
        (Answer(is_delivered=False, reason="x", is_refused=True), 3, 0.5),
    ],
)
def test_how_long_a_channel_is_left_alone(answer: Answer, failures: int, wait_s: float):
    desk = Desk(Wire("ops"), rules=replace(RULES, spacing_s=0.5, first_back_off_s=2.0))
    assert desk.delivery._pause_s(answer, failures) == wait_s


async def test_the_trading_loop_goes_on_while_a_channel_blocks():
    released = threading.Event()
    desk = Desk(Wire("ops", at_send=lambda: released.wait(20) and None))
    desk.commit(said("one"))
    steps = []

    def enough() -> bool:
        steps.append(time.monotonic())
        return len(steps) > 20

    await desk.run_until(enough)
    assert len(desk.wires[0].sent) == 1  # it hung all the while
    released.set()


async def test_what_nobody_answers_is_told_again_until_a_person_has_seen_it():
    rules = replace(RULES, escalate_after_s=900.0, escalate_times=5)
    desk = Desk(Wire("ops"), rules=rules)
    desk.commit(said("halt"))
    await desk.run_until(lambda: len(desk.wires[0].sent) == 1)
    desk.clock.advance_to(desk.clock.now() + timedelta(minutes=16))
    await desk.run_until(lambda: len(desk.of(f.NotificationDelivered)) == 2)
    assert desk.wires[0].titles == ["halt", "Not answered for 16 min: halt"]
    (fact,) = desk.of(f.NotificationEscalated)
    assert isinstance(fact, f.NotificationEscalated)
    assert f"alerts ack {fact.notice_id}" in desk.wires[0].sent[1][0].text
    desk.restart()  # the journal knows how far it went
    desk.commit(f.NotificationAcknowledged(at=desk.clock.now(), notice_id=fact.notice_id, by="me"))
    desk.clock.advance_to(desk.clock.now() + timedelta(hours=5))
    desk.commit(said("another", Severity.WARNING))
    await desk.run_until(lambda: len(desk.of(f.NotificationDelivered)) == 3)
    assert len(desk.of(f.NotificationEscalated)) == 1
