"""What must hold at every step."""

from __future__ import annotations

from collections.abc import Iterator

from catalyst_bot.domain.enums import TradingState
from catalyst_bot.trials.invariants.seen import Observed, Scene
from catalyst_bot.trials.life import Life

MOST_WAITING = 300  # batches in the inbox
MOST_TIMERS = 200
HALTED_WITHIN_S = 5.0  # of an answer that refuses the keys
A_MOMENT_S = 1.0  # between a timer that is due and what it sets off


def never_short(seen: Observed, scene: Scene, _: object) -> Iterator[str]:
    """The bot never owes shares."""
    for symbol, held in scene.venue.holdings.items():
        if held.quantity < 0 and symbol not in seen.meddled:
            yield f"{symbol}: {held.quantity} shares at the broker"


def is_bounded(_: Observed, scene: Scene, __: object) -> Iterator[str]:
    """Nothing piles up."""
    life = scene.life
    if life is None:
        return
    if (waiting := life.inbox.waiting_count) > MOST_WAITING:
        yield f"{waiting} batches wait"
    if (count := life.timers.count) > MOST_TIMERS:
        yield f"{count} timers"


def refused_keys_halt(seen: Observed, scene: Scene, _: object) -> Iterator[str]:
    """Who is told that the keys are refused halts trading."""
    refused_at_s = scene.keys_refused_at_s
    if refused_at_s is None or seen.trading_state is TradingState.HALTED:
        return
    was_halted_since = seen.resumed_at_s is not None and seen.resumed_at_s >= refused_at_s
    waited_s = scene.now_s() - refused_at_s
    if waited_s > HALTED_WITHIN_S and not was_halted_since and _is_up(scene.life):
        yield f"the keys were refused {waited_s:.1f} s ago and trading goes on"


def naked_is_told(seen: Observed, scene: Scene, _: object) -> Iterator[str]:
    """A position that nothing protects is protected again within the grace, or a person is paged.

    Nothing can be done while the books are compared, and a clock that is put back rings late.
    """
    life = scene.life
    grace_s = seen.rules.execution.working.naked_grace_s + A_MOMENT_S
    for trade_id, symbol in seen.naked.items():
        can_act = (
            life is not None
            and _is_up(life)
            and scene.is_in_session()
            and not seen.is_clock_off
            and seen.trading_state is not TradingState.HALTED
            and not life.engine.state.execution.books.holds(symbol)
        )
        if not can_act:
            seen.naked_since_s.pop(trade_id, None)
            continue
        since_s = seen.naked_since_s.setdefault(trade_id, scene.now_s())
        naked_s = scene.now_s() - since_s
        if naked_s > grace_s and trade_id not in seen.naked_told:
            yield f"{symbol} of {trade_id} had no stop for {naked_s:.1f} s and nobody was paged"


def _is_up(life: Life | None) -> bool:
    return life is not None and not life.is_dead
