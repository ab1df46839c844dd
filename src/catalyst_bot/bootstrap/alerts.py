"""Settings -> the channels of people, the outbox over a journal, and what `alerts …` shows."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

from catalyst_bot.alerts.channels import Answer, Channel
from catalyst_bot.alerts.chart import candles_png
from catalyst_bot.alerts.delivery import Delivery, DeliveryRules, Tell
from catalyst_bot.alerts.notice import Notice, all_notices
from catalyst_bot.alerts.outbox import RECORDS, Outbox, Wanted
from catalyst_bot.domain.enums import Severity
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.ids import content_id
from catalyst_bot.domain.market import Bar
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.ports.clock import Clock
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.settings import ALERT_URL, Settings
from catalyst_bot.settings_sources import secret
from catalyst_bot.storage.read_model import ReadModel

LAST_WORDS_S = 10.0
_EXAMPLE_BARS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a test message on one channel."""

    channel: str
    service: str
    answer: Answer


def channels_of(settings: Settings) -> tuple[Channel, ...]:
    """Return the configured channels. Raises `ConfigError` for one without a usable address."""
    return tuple(_channel(name) for name in _names(settings))


def _names(settings: Settings) -> tuple[str, ...]:
    """Every channel once: those that hear all, and those that hear what nobody answered."""
    return tuple(dict.fromkeys((*settings.alerts.channels, *settings.alerts.escalate_to)))


def _channel(name: str) -> Channel:
    variable = f"{ALERT_URL}{name.upper()}"
    url = secret(variable)
    if url is None:
        raise ConfigError(
            f"alerts.channels: {name} has no address: set {variable} (or {variable}_FILE) to one "
            "that apprise knows, such as discord://ID/TOKEN"
        )
    return Channel(name, url, variable=variable)


def delivery_of(
    channels: Sequence[Channel],
    settings: Settings,
    records: Iterable[Recorded],
    *,
    tell: Tell,
    clock: Clock,
) -> Delivery:
    """Return the delivery of a live run; what the journal holds undelivered waits already."""
    alerts = settings.alerts
    outbox = Outbox(_wanted(settings, clock.now()))
    rules = DeliveryRules(
        spacing_s=alerts.spacing_s,
        max_waiting=alerts.max_waiting,
        max_age_s=alerts.max_age_s,
        alarm_after=alerts.alarm_after,
        has_charts=alerts.charts,
        escalate_after_s=alerts.escalate_after_s,
        escalate_times=alerts.escalate_times,
    )
    delivery = Delivery(channels, outbox, rules, tell=tell, clock=clock)
    delivery.listen(records)
    return delivery


class JournalOutbox:
    """The outbox as a journal tells it, by the time of its newest record when it was first asked
    for: an exchange may replay other days. Only what is new is read again.
    """

    def __init__(self, model: ReadModel, settings: Settings) -> None:
        self._model = model
        self._settings = settings
        self._outbox: Outbox | None = None
        self._seq = 0

    def look(self) -> Outbox:
        """Return the outbox with all that is recorded by now."""
        if self._outbox is None:
            status = self._model.status()
            if status is None:
                return Outbox(_wanted(self._settings, SystemClock().now()))
            last_at = datetime.fromisoformat(status["last_at"])
            self._outbox = Outbox(_wanted(self._settings, last_at))
        names = (kind.__name__ for kind in RECORDS)
        for record in self._model.records(*names, after_seq=self._seq):
            self._outbox.note(record)
            self._seq = record.seq
        return self._outbox


def outbox_of(model: ReadModel, settings: Settings) -> Outbox:
    """The outbox as the journal tells it now."""
    return JournalOutbox(model, settings).look()


def standing_of(model: ReadModel, settings: Settings) -> dict[str, Any]:
    """How each channel stands: how much waits, how much was given up, why it is down if it is."""
    if not _names(settings):
        return {}  # the journal need not be read
    outbox = outbox_of(model, settings)
    return {
        name: {
            "waiting": len(outbox.waiting.get(name, {})),
            "given_up": sum(channel == name for channel, _ in outbox.given_up),
            "down": outbox.down.get(name, ""),
        }
        for name in _names(settings)
    }


def unanswered_rows(outbox: Outbox) -> list[dict[str, str]]:
    """What waits for a person, in the form of `waiting_rows`."""
    return [
        {
            "channel": "",
            "state": "not answered",
            "id": notice_id,
            "severity": str(each.notice.severity),
            "title": each.notice.title,
            "reason": f"since {each.notice.at:%Y-%m-%d %H:%M} UTC"
            + (f", told again {each.level} times" if each.level else ""),
        }
        for notice_id, each in outbox.unanswered.items()
    ]


def waiting_rows(outbox: Outbox) -> list[dict[str, str]]:
    """What nobody answered, what waits on each channel, and what was given up, with the reason."""
    waiting = [
        {
            "channel": channel,
            "state": "waiting",
            "id": notice.notice_id,
            "severity": str(notice.severity),
            "title": notice.title,
            "reason": outbox.reasons.get((channel, notice.notice_id), ""),
        }
        for channel, notices in outbox.waiting.items()
        for notice in notices.values()
    ]
    given_up = [
        {
            "channel": channel,
            "state": "given up",
            "id": notice_id,
            "severity": "",
            "title": "",
            "reason": reason,
        }
        for (channel, notice_id), reason in outbox.given_up.items()
    ]
    return unanswered_rows(outbox) + waiting + given_up


def acknowledge(model: ReadModel, settings: Settings, wanted: str, *, by: str) -> list[str]:
    """Say that a person has seen a notice (an id, the beginning of one, or `all`); returns the ids.

    Raises `ConfigError` for an id that waits for no answer.
    """
    unanswered = outbox_of(model, settings).unanswered
    chosen = [each for each in unanswered if wanted == "all" or each.startswith(wanted)]
    if not chosen or (len(chosen) > 1 and wanted != "all"):
        raise ConfigError(
            f"{wanted}: {len(chosen)} notices that wait for an answer are called so; "
            "`catalyst-bot alerts list` names them"
        )
    mailbox = OperatorMailbox(settings.run.data_dir)
    for notice_id in chosen:
        mailbox.acknowledge(notice_id, by=by)
    return chosen


def notice_called(model: ReadModel, wanted: str) -> Notice:
    """Return the notice of an id, or of the beginning of one, with all its words.

    Raises `ConfigError` when none or several are called so.
    """
    notices = all_notices(model.records(*(kind.__name__ for kind in RECORDS)))
    called = [notice for each, notice in notices.items() if each.startswith(wanted)]
    if len(called) != 1:
        raise ConfigError(
            f"{wanted}: {len(called)} notices of this journal are called so; every message ends "
            "with its id, and `catalyst-bot alerts list` names what waits"
        )
    return called[0]


def tell_at_once(settings: Settings, *, title: str, text: str) -> None:
    """Tell every channel what the journal cannot: why the bot did not start, or fell.

    One try each, all at the same time, and no longer than `LAST_WORDS_S`: whoever waits for the end
    of the process must not wait for a service.
    """
    try:
        channels = channels_of(settings)
    except ConfigError:
        return  # perhaps that is why it did not start
    now = SystemClock().now()
    notice = Notice(
        notice_id=content_id("note", title, now.isoformat()),
        at=now,
        severity=Severity.CRITICAL,
        title=title,
        text=text,
    )
    tries = [Thread(target=each.send, args=(notice,), daemon=True) for each in channels]
    for each in tries:
        each.start()
    until = time.monotonic() + LAST_WORDS_S
    for each in tries:
        each.join(max(until - time.monotonic(), 0.0))


def try_channels(settings: Settings) -> list[Tried]:
    """Send a test message, with an invented chart, to every channel."""
    channels = channels_of(settings)
    if not channels:
        raise ConfigError("alerts.channels: none is configured (docs/how-to/send-alerts.md)")
    now = SystemClock().now()
    notice = Notice(
        notice_id=content_id("note", "test", now.isoformat()),
        at=now,
        severity=Severity.INFO,
        title="Test of catalyst-bot",
        text="A person asked whether alerts arrive here. A chart beside it is invented.",
    )
    bars = _example_bars(notice)
    chart = candles_png(bars, bars[-6].opened_at) if settings.alerts.charts else None
    return [
        Tried(channel=channel.name, service=channel.service, answer=channel.send(notice, chart))
        for channel in channels
    ]


def _example_bars(notice: Notice) -> list[Bar]:
    """A made-up rise and fall."""
    step = timedelta(minutes=5)
    bars = []
    for index in range(_EXAMPLE_BARS):
        opened_at = notice.at - (_EXAMPLE_BARS - index) * step
        price = 100.0 + (index * 7) % 11 / 4
        bars.append(
            Bar(
                symbol="TEST",
                opened_at=opened_at,
                closed_at=opened_at + step,
                open=price,
                high=price + 1.0,
                low=price - 1.0,
                close=price + ((index * 3) % 5 - 2) / 3,
                volume=1_000.0,
            )
        )
    return bars


def _wanted(settings: Settings, now: datetime) -> Wanted:
    alerts = settings.alerts
    return Wanted(
        channels=alerts.channels,
        escalate_to=alerts.escalate_to,
        min_severity=alerts.min_severity,
        alerts=alerts.catalysts,
        since=now - timedelta(seconds=alerts.max_age_s),
    )
