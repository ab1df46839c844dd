"""A week of risk as a page, from records alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from catalyst_bot.domain.enums import HaltCause, PositionsPolicy
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages.registry import Message, Recorded
from catalyst_bot.monitoring.risk_week import risk_week, week_html, week_of
from tests import builders as b
from tests.unit.storage import stories

HOUR = timedelta(hours=1)


def test_a_week_begins_on_monday_in_new_york():
    assert week_of("2025-W41") == (
        datetime(2025, 10, 6, 4, tzinfo=UTC),
        datetime(2025, 10, 13, 4, tzinfo=UTC),
    )
    winter = week_of("2025-W44")  # clocks went back on Sunday 2 November
    assert winter[1] - winter[0] == timedelta(days=7, hours=1)


@pytest.mark.parametrize(
    "text", ["", "2025-41", "2025-W54", "2025-W00", "2025-W1", "x2025-W41", "9999-W52"]
)
def test_what_is_no_week_is_refused(text: str):
    with pytest.raises(ConfigError, match="is no week"):
        week_of(text)


def at(hours: float, body: Message) -> Recorded:
    return Recorded(seq=1, at=b.NOON + hours * HOUR, cause_seq=None, trail_id="", body=body)


def halted(detail: str = "3.1 % lost") -> d.TradingHalted:
    return d.TradingHalted(
        cause=HaltCause.DAILY_LOSS, detail=detail, positions_policy=PositionsPolicy.HOLD
    )


def marked(equity: int, exposure: int = 0) -> d.EquityMarked:
    account = b.account(equity_usd=Decimal(equity), exposure_usd=Decimal(exposure))
    return d.EquityMarked(account=account)


def test_it_counts_only_what_the_week_holds():
    resumed = d.TradingResumed(by="me", reason="looked")
    refused = stories.refused(stories.entry_order())
    week_hours = 24 * 7
    week = risk_week(
        "2025-W41",
        [
            at(-week_hours, halted("of the week before")),
            at(-week_hours + 1, resumed),
            at(-week_hours + 2, refused),
            at(0, marked(100_000)),
            at(1, halted()),
            at(2, marked(97_000, 48_500)),
            at(3, resumed),
            at(4, refused),
            at(5, replace(refused, rule="exposure")),
            at(6, refused),
            at(7, halted("again")),
            at(8, marked(99_000)),
            at(week_hours, refused),
        ],
    )
    assert [detail for _, _, detail in week.halts] == ["3.1 % lost", "again"]
    assert week.halted == 3 * HOUR
    assert week.refusals == ((refused.rule, 2), ("exposure", 1))
    assert week.deepest == pytest.approx(0.03)
    assert week.most_used == pytest.approx(0.5)
    assert len(week.path) == 3


def test_a_halt_from_before_counts_from_the_weeks_beginning():
    week = risk_week("2025-W41", [at(-24 * 7, halted()), at(0, marked(100_000))])
    assert week.halted == b.NOON - week.begins_at == timedelta(hours=12)
    assert week.halts == ()
    assert "12 h 00 min" in week_html(week)


def test_the_page_is_whole_and_escapes_what_strangers_say():
    records = [at(0, halted("<script>alert(1)</script> & more")), at(1, marked(97_000))]
    page = week_html(risk_week("2025-W41", records))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "://" not in page  # nothing from elsewhere
    opened: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, _: object) -> None:
            if tag not in {"meta", "polyline"}:
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert tag == "polyline" or opened.pop() == tag

    Reader().feed(page)
    assert not opened


def test_a_week_without_records_says_so():
    page = week_html(risk_week("2025-W02", []))
    assert "Trading was never halted." in page
    assert "No session." in page
