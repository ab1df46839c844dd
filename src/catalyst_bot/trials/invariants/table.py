"""Every promise in one table, and the watch that holds a schedule to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.trials.invariants import on_batch, on_order, on_step, when_quiet
from catalyst_bot.trials.invariants.seen import Invariant, Observed, Scene, Violation
from catalyst_bot.trials.life import Life
from catalyst_bot.trials.wire import Asking

ON_ORDER: tuple[Invariant, ...] = (
    Invariant(number="I5", name="written before sent", check=on_order.written_before_sent),
    Invariant(number="I1", name="sent once", check=on_order.sent_once),
    Invariant(number="I4", name="sent as approved", check=on_order.as_promised),
    Invariant(number="I6", name="nothing new once halted", check=on_order.not_while_halted),
    Invariant(number="I9", name="no storm of orders", check=on_order.no_storm),
)
ON_REQUEST: tuple[Invariant, ...] = (
    Invariant(number="I9", name="the reserve is for cancels", check=on_order.quiet_when_asked),
)
ON_BATCH: tuple[Invariant, ...] = (
    Invariant(number="I4", name="approved within limits", check=on_batch.approved_within_limits),
    Invariant(number="I6", name="no entry while halted", check=on_batch.no_entry_while_halted),
    Invariant(number="I4", name="sells what is held", check=on_batch.sells_what_is_held),
    Invariant(number="I4", name="no share twice", check=on_batch.no_share_is_promised_twice),
    Invariant(number="I9", name="not to be cancelled", check=on_batch.not_sent_to_be_cancelled),
    Invariant(number="I10", name="a halt is told", check=on_batch.a_halt_is_told),
    Invariant(number="I6", name="a halt cancels entries", check=on_batch.a_halt_cancels_entries),
    Invariant(number="I3", name="books agree", check=on_batch.books_agree),
    Invariant(number="I8", name="every no has a reason", check=on_batch.every_no_has_a_reason),
    Invariant(number="I6", name="same trading state", check=on_batch.same_trading_state),
)
ON_START: tuple[Invariant, ...] = (
    Invariant(number="I5", name="remembers what it knew", check=on_batch.remembers_what_it_knew),
)
ON_STEP: tuple[Invariant, ...] = (
    Invariant(number="I4", name="never short", check=on_step.never_short),
    Invariant(number="I9", name="is bounded", check=on_step.is_bounded),
    Invariant(number="I6", name="refused keys halt", check=on_step.refused_keys_halt),
    Invariant(number="I2", name="naked is told", check=on_step.naked_is_told),
)
WHEN_QUIET: tuple[Invariant, ...] = (
    Invariant(number="I10", name="recovered", check=when_quiet.recovered),
    Invariant(number="I1", name="one order per intent", check=when_quiet.one_order_per_intent),
    Invariant(number="I3", name="books are equal", check=when_quiet.books_are_equal),
    Invariant(number="I2", name="positions have stops", check=when_quiet.positions_have_stops),
    Invariant(number="I2", name="stops are raised", check=when_quiet.stops_are_raised),
    Invariant(number="I6", name="halted means no orders", check=when_quiet.halted_means_no_orders),
    Invariant(number="I6", name="cancels get through", check=when_quiet.cancels_get_through),
    Invariant(number="I8", name="everything is answered", check=when_quiet.everything_is_answered),
    Invariant(number="I5", name="timers are set", check=when_quiet.timers_are_set),
    Invariant(number="I2", name="positions are watched", check=when_quiet.positions_are_watched),
    Invariant(number="I5", name="the journal folds", check=when_quiet.journal_folds),
)


class Watch(Observed):
    """Holds a schedule to every promise; the first break of each is kept."""

    def __init__(self, rules: EngineRules) -> None:
        super().__init__(rules)
        self._last: Life | None = None

    def on_batch(self, scene: Scene, batch: Sequence[Recorded]) -> None:
        """Take in what was committed, and check it."""
        for record in batch:
            self.fold(record, scene.now_s())
        self._judge(scene, ON_BATCH, batch)

    def on_order(self, scene: Scene, body: Mapping[str, Any]) -> None:
        """Check an order that reaches the broker."""
        self._judge(scene, ON_ORDER, body)
        self.posted[str(body.get("client_order_id", ""))] += 1
        self.posted_at_s[str(body.get("symbol", ""))].append(scene.now_s())

    def on_request(self, scene: Scene, asking: Asking) -> None:
        """Check a request when it leaves the bot."""
        self._judge(scene, ON_REQUEST, asking)

    def after_step(self, scene: Scene) -> None:
        """Check what must hold at every step."""
        self._judge(scene, ON_STEP, None)

    def on_start(self, scene: Scene, life: Life) -> None:
        """Check a new life against the one before: it folds to what that one remembered."""
        for record in life.records[self.seen_seq :]:  # committed, but its process died at that
            self.fold(record, scene.now_s())
        self._judge(scene, ON_START, (self._last, life))
        self._last = life

    def when_quiet(self, scene: Scene) -> None:
        """Check what must hold once the faults are over."""
        self._judge(scene, WHEN_QUIET, None)

    def broken(self, scene: Scene, detail: str) -> None:
        """Note what no promise says, because nobody should have to: the bot fell over."""
        self._note(scene, "alive", detail)

    def _judge(self, scene: Scene, promises: tuple[Invariant, ...], subject: Any) -> None:
        for promise in promises:
            for detail in promise.check(self, scene, subject):
                self._note(scene, f"{promise.number} {promise.name}", detail)

    def _note(self, scene: Scene, invariant: str, detail: str) -> None:
        if not any(each.invariant == invariant for each in self.violations):
            self.violations.append(
                Violation(seed=scene.seed, step=scene.steps, invariant=invariant, detail=detail)
            )
