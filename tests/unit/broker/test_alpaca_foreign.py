"""From when on the executions of an account have to be read."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from catalyst_bot.broker.alpaca_foreign import OVERLAP, Foreign
from catalyst_bot.domain.account import BrokerSnapshot
from catalyst_bot.domain.messages import facts as f
from tests.builders import NOON, fill

HOUR = timedelta(hours=1)
BOOKS = BrokerSnapshot(cash_usd=Decimal(100_000), positions=(), open_orders=())


def test_a_process_that_only_heard_the_broker_has_not_read_the_list():
    """The next one reads it from where the last books were taken, however much was told since."""
    foreign = Foreign()
    foreign.learn(
        [
            f.AdapterFailed(at=NOON, adapter="broker", error="silence"),
            f.AdapterRecovered(at=NOON + HOUR, adapter="broker"),
        ]
    )
    assert foreign.since(NOON + 2 * HOUR) == NOON


def test_the_list_was_read_before_the_books_were_taken():
    foreign = Foreign()
    taken_at = NOON + HOUR
    foreign.learn(
        [
            f.ForeignFilled(at=NOON, fill=fill()),
            f.BrokerSnapshotReceived(at=taken_at, snapshot=BOOKS),
            f.AdapterRecovered(at=taken_at + HOUR, adapter="broker"),
        ]
    )
    assert foreign.since(taken_at + 2 * HOUR) == taken_at - OVERLAP


def test_an_account_without_a_journal_is_read_from_now_on():
    assert Foreign().since(NOON) == NOON
