"""A request is a file, an answer is a file; in between stands the journal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.bootstrap.trading import (
    answer_text,
    ask_for_trade,
    is_refused,
    parse_amount,
    parse_shares,
)
from catalyst_bot.domain.enums import ExitReason, OrderRole, Side, Tier
from catalyst_bot.domain.errors import ConfigError, SourceUnreachable
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.domain.trading import Check
from catalyst_bot.runtime.trade_desk import TradeDesk, TradeRequest
from tests.builders import NOON, approved_order, fill


class Wall:
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[TradeDesk]:
    desk = TradeDesk(tmp_path, wall=Wall())
    yield desk
    desk.leave()


@pytest.fixture
def person(tmp_path: Path) -> TradeDesk:
    return TradeDesk(tmp_path, wall=Wall())


BUY = TradeRequest(request_id="op-1", by="me", side=Side.BUY, symbol="ACME", usd=Decimal("1000.50"))


def committed(desk: TradeDesk, *bodies: Any, cause_seq: int | None = None, seq: int = 1) -> None:
    """What followed from one request, as the pipeline tells it."""
    trail = "op-1" if cause_seq is None else "cat-other"
    desk(
        [
            Recorded(seq=seq + n, at=NOON, cause_seq=cause_seq, trail_id=trail, body=body)
            for n, body in enumerate(bodies)
        ]
    )


def asked(bot: TradeDesk, person: TradeDesk) -> f.OperatorTradeRequested:
    person.ask(BUY)
    (fact,) = bot.collect(NOON)
    return fact


def test_a_request_becomes_a_fact_once(bot: TradeDesk, person: TradeDesk):
    fact = asked(bot, person)
    assert fact == f.OperatorTradeRequested(
        at=NOON, request_id="op-1", by="me", side=Side.BUY, symbol="ACME", usd=Decimal("1000.50")
    )
    assert bot.collect(NOON) == []


def test_it_stays_on_the_counter_until_it_is_in_the_journal(
    bot: TradeDesk, person: TradeDesk, tmp_path: Path
):
    fact = asked(bot, person)
    bot.leave()
    after_a_crash = TradeDesk(tmp_path, wall=Wall())
    assert after_a_crash.collect(NOON) == [fact]
    committed(after_a_crash, fact)
    after_a_crash.leave()
    assert TradeDesk(tmp_path, wall=Wall()).collect(NOON) == []


def test_only_one_bot_takes_requests(bot: TradeDesk, person: TradeDesk, tmp_path: Path):
    assert not person.is_attended()
    assert bot.attend()
    assert person.is_attended()
    person.ask(BUY)
    assert TradeDesk(tmp_path, wall=Wall()).collect(NOON) == []
    assert len(bot.collect(NOON)) == 1
    bot.leave()
    assert not person.is_attended()


def test_an_old_request_is_refused_not_traded(bot: TradeDesk, person: TradeDesk):
    person.ask(BUY)
    bot._wall.at = NOON + timedelta(seconds=31)  # type: ignore[attr-defined]
    assert bot.collect(NOON) == []
    answer = person.answer("op-1")
    assert answer is not None
    assert (answer["state"], answer["rule"]) == ("refused", "too_old")


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", "{'a'", json.dumps({"side": "hold"})]
    + [
        json.dumps(
            {
                "asked_at": NOON.isoformat(),
                "by": "me",
                "side": "buy",
                "symbol": "ACME",
                "usd": usd,
            }
        )
        for usd in ("NaN", "-5", "0", "Infinity", "many")
    ],
)
def test_what_cannot_be_read_is_refused(
    bot: TradeDesk, person: TradeDesk, tmp_path: Path, content: str
):
    folder = tmp_path / "operator" / "trades"
    folder.mkdir(parents=True)
    (folder / "op-9.json").write_text(content)
    assert bot.collect(NOON) == []
    answer = person.answer("op-9")
    assert answer is not None
    assert answer["rule"] == "unreadable"
    assert not list(folder.glob("*.json"))


# Answers


def order() -> Any:
    return approved_order(client_order_id="cb-1")


def state(person: TradeDesk) -> Any:
    answer = person.answer("op-1")
    return answer and answer["state"]


def test_a_purchase_is_followed_to_its_fill(bot: TradeDesk, person: TradeDesk):
    committed(bot, asked(bot, person))
    assert state(person) is None
    committed(bot, d.OrderApproved(order=order()), seq=2)
    assert state(person) == "approved"
    accepted = f.OrderAccepted(at=NOON, client_order_id="cb-1", broker_order_id="b")
    committed(bot, accepted, seq=3)
    assert state(person) == "accepted"
    committed(bot, f.OrderFilled(at=NOON, fill=fill(client_order_id="cb-1")), seq=4)
    answer = person.answer("op-1")
    assert answer is not None
    assert (answer["state"], answer["order_id"], answer["price"]) == ("filled", "cb-1", "100.10")
    late = f.OrderRejected(at=NOON, client_order_id="cb-1", reason="late")
    committed(bot, late, seq=5)
    assert state(person) == "filled"


def test_a_sale_is_known_by_what_caused_it(bot: TradeDesk, person: TradeDesk):
    """Its order belongs to the trail of the position."""
    committed(bot, asked(bot, person), seq=7)
    left = approved_order(
        client_order_id="cb-2", role=OrderRole.EXIT, exit_reason=ExitReason.OPERATOR
    )
    committed(bot, d.OrderApproved(order=left), cause_seq=7, seq=8)
    answer = person.answer("op-1")
    assert answer is not None
    assert (answer["state"], answer["order_id"]) == ("approved", "cb-2")


def test_a_sale_of_what_a_person_bought_is_answered_as_the_sale(bot: TradeDesk, person: TradeDesk):
    """Both orders are in the trail of the purchase, whose id is that of the first request."""
    committed(bot, asked(bot, person))
    committed(bot, d.OrderApproved(order=order()), seq=2)
    bought = fill(client_order_id="cb-1")
    committed(bot, f.OrderFilled(at=NOON, fill=bought), seq=3)
    sale = replace(BUY, request_id="op-2", side=Side.SELL, usd=None)
    person.ask(sale)
    (fact,) = bot.collect(NOON)
    bot([Recorded(seq=7, at=NOON, cause_seq=None, trail_id="op-2", body=fact)])
    left = approved_order(
        client_order_id="cb-2", role=OrderRole.EXIT, exit_reason=ExitReason.OPERATOR
    )
    approved = d.OrderApproved(order=left)
    bot([Recorded(seq=8, at=NOON, cause_seq=7, trail_id="op-1", body=approved)])
    committed(bot, f.OrderFilled(at=NOON, fill=fill(client_order_id="cb-2")), seq=9)
    answer = person.answer("op-2")
    assert answer is not None
    assert (answer["state"], answer["order_id"]) == ("filled", "cb-2")


def test_an_order_filled_in_parts_is_filled_with_the_last_at_the_average(
    bot: TradeDesk, person: TradeDesk
):
    committed(bot, asked(bot, person))
    committed(bot, d.OrderApproved(order=order()), seq=2)
    parts = [("1", 40, "12.75"), ("2", 60, "12.74"), ("2", 60, "12.74")]
    states = []
    for number, quantity, price in parts:
        one = fill(
            client_order_id="cb-1",
            fill_id=number,
            quantity=Decimal(quantity),
            price=Decimal(price),
        )
        committed(bot, f.OrderFilled(at=NOON, fill=one), seq=3)
        states.append(state(person))
    answer = person.answer("op-1")
    assert answer is not None
    assert states == ["accepted", "filled", "filled"]
    assert (answer["price"], answer["filled_quantity"]) == ("12.7440", "100")
    assert "filled: buy 100 ACME at 12.7440" in answer_text(answer)


@pytest.mark.parametrize(("filled", "expected"), [(0, "rejected"), (40, "filled")])
def test_an_order_that_ends_early_is_answered_with_what_it_traded(
    bot: TradeDesk, person: TradeDesk, filled: int, expected: str
):
    committed(bot, asked(bot, person))
    committed(bot, d.OrderApproved(order=order()), seq=2)
    if filled:
        one = fill(client_order_id="cb-1", quantity=Decimal(filled))
        committed(bot, f.OrderFilled(at=NOON, fill=one), seq=3)
        told = person.answer("op-1")
        assert told is not None
        assert "100 ACME, 40 filled at 100.10" in answer_text(told)
    committed(bot, f.OrderCancelled(at=NOON, client_order_id="cb-1", reason="asked"), seq=4)
    assert state(person) == expected


def test_a_refusal_names_limit_and_observed(bot: TradeDesk, person: TradeDesk):
    committed(bot, asked(bot, person))
    failed = Check(
        name="spread", tier=Tier.ORDER, limit=100, observed=250, unit="bps", passed=False
    )
    dropped = d.SignalDropped(
        catalyst_id="op-1", item_id="op-1", symbol="ACME", reason="spread", checks=(failed,)
    )
    committed(bot, dropped, seq=2)
    answer = person.answer("op-1")
    assert answer is not None
    assert is_refused(answer)
    assert (answer["limit"], answer["observed"], answer["unit"]) == (100, 250, "bps")
    assert "observed 250, limit 100 bps" in answer_text(answer)


def test_the_brokers_no_is_a_refusal_too(bot: TradeDesk, person: TradeDesk):
    committed(bot, asked(bot, person), d.OrderApproved(order=order()))
    rejected = f.OrderRejected(at=NOON, client_order_id="cb-1", reason="no money")
    committed(bot, rejected, seq=3)
    answer = person.answer("op-1")
    assert answer is not None
    assert is_refused(answer)
    assert "no money" in answer_text(answer)


def test_other_orders_are_nobodys_answer(bot: TradeDesk, person: TradeDesk):
    committed(bot, asked(bot, person))
    other = d.OrderApproved(order=approved_order(client_order_id="cb-3"))
    desk_batch = [Recorded(seq=9, at=NOON, cause_seq=8, trail_id="cat-x", body=other)]
    bot(desk_batch)
    assert state(person) is None


# Whoever asks


def test_without_a_bot_nothing_is_asked(tmp_path: Path):
    with pytest.raises(SourceUnreachable, match="no bot is running"):
        ask(tmp_path)
    assert list(tmp_path.iterdir()) == []


def ask(tmp_path: Path, **given: Any) -> Any:
    values = {"side": Side.BUY, "symbol": "ACME", "usd": Decimal(100), "quantity": None}
    return ask_for_trade(tmp_path, **({"wait_s": 5.0} | values | given))


def test_a_bot_that_does_not_answer_leaves_no_request_behind(tmp_path: Path, bot: TradeDesk):
    bot.attend()
    with pytest.raises(SourceUnreachable, match="did not answer"):
        ask(tmp_path, wait_s=0.0)
    assert not list((tmp_path / "operator" / "trades").glob("*"))


def test_the_answer_is_waited_for(tmp_path: Path):
    desk = TradeDesk(tmp_path)
    desk.attend()

    def bot_works(_: float) -> None:
        (fact,) = desk.collect(NOON)
        refused = d.OrderRefused(
            intent_id="i",
            signal_id="s",
            catalyst_id=fact.request_id,
            strategy_id="manual",
            symbol="ACME",
            side=Side.BUY,
            rule="exposure",
            checks=(),
            sizing=(),
        )
        desk([Recorded(seq=1, at=NOON, cause_seq=None, trail_id=fact.request_id, body=fact)])
        batch = [Recorded(seq=2, at=NOON, cause_seq=1, trail_id=fact.request_id, body=refused)]
        desk(batch)

    answer = ask(tmp_path, pause=bot_works)
    desk.leave()
    assert (answer["state"], answer["rule"]) == ("refused", "exposure")


@pytest.mark.parametrize("text", ["x", "-1", "0", "nan", "inf"])
def test_an_amount_is_a_number_above_zero(text: str):
    with pytest.raises(ConfigError, match="--usd"):
        parse_amount(text, "--usd")


def test_no_amount_is_none():
    assert parse_amount(None, "--usd") is None
    assert parse_amount("12.5", "--usd") == Decimal("12.5")
    assert parse_shares("12.0", "--quantity") == 12
    with pytest.raises(ConfigError, match=r"--quantity 1\.5: whole shares"):
        parse_shares("1.5", "--quantity")
