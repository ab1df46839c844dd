"""`override`: a person lets one refusal of a running bot pass, and everything says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.bootstrap import overrides, run
from catalyst_bot.bootstrap.configuration import load_settings
from catalyst_bot.bootstrap.journal_tools import explanation, verify
from catalyst_bot.domain.enums import Mode, Side
from catalyst_bot.domain.errors import ConfigError, SourceUnreachable
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.runtime import async_loop
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.runtime.trade_desk import TradeDesk
from catalyst_bot.runtime.words import WordBox
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.read_model import ReadModel
from tests import builders
from tests.builders import NOON
from tests.e2e.commands import catalyst_bot
from tests.replays import generated
from tests.unit.storage.stories import run_started

SPEED = 20_000.0


class Person:
    """Overrides the first refusal by `daily_trades`, once."""

    def __init__(self, folder: Path) -> None:
        self._box, self.refused = WordBox(folder), ""

    def __call__(self, batch: Sequence[Recorded]) -> None:
        for record in batch:
            body = record.body
            is_ours = isinstance(body, d.OrderRefused) and body.rule == "daily_trades"
            if is_ours and not self.refused:
                self.refused = body.intent_id
                now = SystemClock().now()
                for_h = timedelta(hours=2)
                self._box.override(
                    by="ada", reason="one more", lasts=for_h, at=now, intent_id=body.intent_id
                )


def test_an_overridden_refusal_is_traded_explained_and_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(async_loop, "MAILBOX_POLL_S", 0.002)
    monkeypatch.setenv("CATALYST_RISK__MAX_DAILY_TRADES", "1")
    person = Person(tmp_path)
    request = replace(generated(tmp_path, mode=Mode.PAPER), speed=SPEED, listeners=(person,))
    run.replay(request)
    with ReadModel(f"sqlite:///{request.journal}") as model:
        bodies = [r.body for r in model.records()]
    (granted,) = [b for b in bodies if isinstance(b, d.OverrideGranted)]
    assert (granted.intent_id, granted.rules) == (person.refused, ("daily_trades",))
    orders = [b.order for b in bodies if isinstance(b, d.OrderApproved) and b.order.override_id]
    assert len(orders) == 1
    told = explanation(request.journal, orders[0].client_order_id).as_text()
    assert "Overridden" in told
    assert "one more" in told
    assert "overridden by ada until" in told
    assert verify(request.journal, decides_again=True).divergence is None


def test_without_a_bot_nobody_answers(tmp_path: Path):
    said = catalyst_bot("override", "int-1", "--reason", "x", "--data-dir", str(tmp_path))
    assert said.code == 4
    assert "no bot is running" in said.err


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("--reason", "x"), "name the refused intent"),
        (("int-1", "--rule", "confidence", "--symbol", "A", "--reason", "x"), "name the refused"),
        (("--rule", "confidence", "--reason", "x"), "name the refused intent"),
        (("int-1",), "--reason: say why"),
        (
            ("--rule", "weather", "--symbol", "A", "--reason", "x"),
            "weather: no rule that may be",
        ),
        (
            ("--rule", "exposure", "--symbol", "A", "--reason", "x"),
            "no rule that may be",
        ),
        (("--rule", "confidence", "--symbol", "a b", "--reason", "x"), "--symbol a b: no symbol"),
        (("int-1", "--reason", "x", "--for", "soon"), "--for soon: write it like"),
    ],
)
def test_a_wish_that_is_none(tmp_path: Path, flags: tuple[str, ...], reason: str):
    said = catalyst_bot("override", *flags, "--data-dir", str(tmp_path))
    assert said.code == 3
    assert reason in said.err


def answered(folder: Path, *bodies: object, wait_s: float = 5.0) -> overrides.Answer:
    """Ask a bot that answers at once with these messages."""
    settings = load_settings(config=None, data_dir=folder).settings
    place = folder / "journals" / "live.db"
    place.parent.mkdir(parents=True)
    desk, box = TradeDesk(folder), WordBox(folder)
    assert desk.attend()
    with SqlJournal(place, durable=False) as journal:

        def records(first: int, messages: Sequence[object]) -> list[Recorded]:
            return [
                Recorded(seq=n, at=NOON, cause_seq=None, trail_id="", body=body)  # type: ignore[arg-type]
                for n, body in enumerate(messages, start=first)
            ]

        journal.append(records(1, [run_started()]))

        def pause(_: float) -> None:
            for word in box.collect(NOON):
                name = word.override_id  # type: ignore[union-attr]
                journal.append(records(2, [of_override(body, name) for body in bodies]))

        asked = overrides.Asked(by="ada", reason="x", lasts="10m", intent_id="int-1")
        return overrides.override(settings, asked, journal=None, wait_s=wait_s, pause=pause)


GRANTED = d.OverrideGranted(
    override_id="",
    by="ada",
    reason="x",
    intent_id="int-1",
    catalyst_id="cat-1",
    symbol="ACME",
    rules=("confidence",),
    expires_at=NOON,
)


def of_override(body: Any, name: str) -> Any:
    """A message about the override of this name; one about an order says whose it is."""
    if isinstance(body, d.OrderApproved):
        return replace(body, order=replace(body.order, override_id=name))
    return body if isinstance(body, d.OrderRefused) else replace(body, override_id=name)


def refusal(rule: str) -> d.OrderRefused:
    return d.OrderRefused(
        intent_id="int-1",
        signal_id="sig-1",
        catalyst_id="cat-1",
        strategy_id="news-rule",
        symbol="ACME",
        side=Side.BUY,
        rule=rule,
        checks=(),
        sizing=(),
    )


def test_the_answer_is_read_in_the_journal(tmp_path: Path):
    approved = d.OrderApproved(order=builders.approved_order())
    answer = answered(tmp_path, GRANTED, refusal("confidence"), approved)
    assert answer.is_refused_again
    assert answer.as_text() == "granted: confidence in ACME; and refused again, by confidence"


def test_an_order_that_followed_is_named(tmp_path: Path):
    order = builders.approved_order()
    answer = answered(tmp_path, GRANTED, d.OrderApproved(order=order))
    assert answer.is_granted
    assert not answer.is_refused_again
    assert answer.verdict == f"approved {order.quantity:f} ACME, order {order.client_order_id}"


def test_a_grant_without_prices_yet_is_told_as_that(tmp_path: Path):
    answer = answered(tmp_path, GRANTED, wait_s=0.2)
    assert answer.is_granted
    assert answer.as_text() == ("granted: confidence in ACME; not judged yet: `explain` will tell")


def test_one_of_a_rule_waits_for_nothing(tmp_path: Path):
    answer = answered(tmp_path, replace(GRANTED, intent_id=""))
    assert answer.as_text() == "granted: confidence in ACME; for the next entry there"


def test_a_refused_one_says_why(tmp_path: Path):
    refused = d.OverrideRefused(
        override_id="",
        by="ada",
        intent_id="int-1",
        catalyst_id="",
        symbol="ACME",
        rules=("daily_loss",),
        reason="daily_loss is a limit of the account",
    )
    answer = answered(tmp_path, refused)
    assert answer.as_text() == "refused: daily_loss is a limit of the account"


def test_a_bot_that_does_not_answer(tmp_path: Path):
    (tmp_path / "journals").mkdir()
    desk = TradeDesk(tmp_path)
    assert desk.attend()
    settings = load_settings(config=None, data_dir=tmp_path).settings
    with SqlJournal(tmp_path / "journals" / "live.db", durable=False):
        asked = overrides.Asked(by="ada", reason="x", lasts="10m", intent_id="int-1")
        with pytest.raises(SourceUnreachable, match="did not answer"):
            overrides.override(settings, asked, journal=None, wait_s=0)
        wrong = replace(asked, lasts="9h")
        with pytest.raises(ConfigError, match="at most 8 hours"):
            overrides.override(settings, wrong, journal=None, wait_s=0)
