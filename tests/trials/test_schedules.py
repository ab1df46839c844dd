"""Schedules keep every promise; the ones that once did not are played for ever."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from catalyst_bot.trials.schedule import LEAST_STEPS
from tests.trials.playing import played

PARTS, SEEDS = 6, 120
ONCE_BROKEN = {
    27: "a moved stop was told as cancelled: alpaca_lines.Line.end",
    33: "a quote of 1e308 broke the core",
    189: "a stop that went out was asked for again, which cancelled it: 1,272 orders in 10 minutes",
    244: "the schedule told a wrong starting cash",
    275: "a raise of a stop that was lost is watched by the bot",
    364: "a leg that was not sent yet was a contradiction: execution.look_up",
    733: "a moved stop was told as cancelled, another way",
    957: "doubts stay when no look follows before the open",
    4878: "a stop was raised above the target that was selling",
    8128: "an order of the last process arrived after a jump of the clock had given it up",
    13674: "a difference that was taken over stays a doubt until the next look",
    13986: "a purchase that the first look showed was told later, and booked twice",
    16751: "the same, filled in parts around the first look",
    16960: "the same, in the first life",
    14656: "a stop for the rest took the place of the stop for the most",
    21349: "what was held before hid that the cash differs, and no look followed",
    22011: "a look-up that was answered after the order was confirmed contradicted it",
    93429: "a fill that the stream lost was told after the split of its shares: a person is called",
    53436: "a timer that rang at the moment of the last look was missed: when_quiet.timers_are_set",
    21429: "a jump of the clock gave an order up that was on its way: AlpacaBrokerClient._look_up",
    23550: "a leg that sold was taken for a person's: OrderWatch._look_for_others",
    50751: "an order in new shares was split when the split was told: execution.corporate",
    16352: "keys that were refused while an order was looked for did not halt",
}


@pytest.mark.parametrize("part", range(PARTS))
def test_every_promise_is_kept(part: int, tmp_path: Path):
    for seed in range(part, SEEDS, PARTS):
        outcome = played(seed, tmp_path)
        assert not outcome.violations, outcome.violations
        assert outcome.steps >= LEAST_STEPS


@pytest.mark.parametrize("seed", ONCE_BROKEN)
def test_what_was_broken_once_is_kept(seed: int, tmp_path: Path):
    assert not played(seed, tmp_path).violations


def test_without_faults_the_bot_trades_in_peace(tmp_path: Path):
    counts: Counter[str] = Counter()
    for seed in range(12):
        outcome = played(seed, tmp_path, faults="none")
        assert not outcome.violations, outcome.violations
        assert not outcome.fired
        counts.update(outcome.counts)
    assert counts["OrderFilled"] > 50
    assert counts["StopMoved"] > 0
    assert counts["MismatchFound"] == counts["SubmitOutcomeUnknown"] == 0


def test_faults_make_the_bot_do_everything(tmp_path: Path):
    """The paths that matter are walked: else kept promises would say nothing."""
    counts: Counter[str] = Counter()
    for seed in range(40):
        counts.update(played(seed, tmp_path).counts)
    for name in (
        "OrderFilled",
        "OrderRejected",
        "OrderCancelled",
        "SubmitOutcomeUnknown",
        "OrderLookedUp",
        "ChangeRefused",
        "ForeignTradeJudged",
        "TradingHalted",
        "TradingResumed",
        "ProtectionNeeded",
        "StopMoved",
        "OrderWithdrawn",
        "BooksCompared",
        "RunStopped",
    ):
        assert counts[name] > 0, name
