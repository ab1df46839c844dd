"""Says once that Alpaca fails, and once that it works again."""

from __future__ import annotations

from catalyst_bot.alpaca.client import AlpacaRefused
from catalyst_bot.domain.enums import PositionsPolicy
from catalyst_bot.domain.messages.facts import AdapterFailed, AdapterRecovered, OperatorHalted
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink
from catalyst_bot.risk.breakers import REFUSES_KEYS

MAX_PAUSE_S = 60.0
_MAX_DOUBLINGS = 5


class Health:
    """The state of one adapter as the core knows it, and how long to pause after failures.

    With `halts` refused keys halt trading at once, every time they are refused: no order, no cancel
    and no look at the books will work before a person has changed them, whoever resumed meanwhile.
    """

    def __init__(self, adapter: str, *, sink: Sink, clock: Clock, halts: bool = False) -> None:
        self._adapter = adapter
        self._sink = sink
        self._clock = clock
        self._halts = halts
        self._failures = 0

    @property
    def is_good(self) -> bool:
        """True when the last question was answered."""
        return not self._failures

    def failed(self, error: Exception) -> None:
        """Count a failure; the first one is told."""
        self._failures += 1
        if self._failures == 1:
            self._sink(AdapterFailed(at=self._clock.now(), adapter=self._adapter, error=str(error)))
        if isinstance(error, AlpacaRefused) and error.is_key_refusal:
            self._halt(error)

    def worked(self) -> None:
        """End a series of failures and tell so."""
        if self._failures:
            self._failures = 0
            self._sink(AdapterRecovered(at=self._clock.now(), adapter=self._adapter))

    def pause_s(self, usual_s: float) -> float:
        """Return how long to wait before the next try: ever longer while it fails."""
        if not self._failures:
            return usual_s
        longer_s = usual_s * float(2 ** min(self._failures, _MAX_DOUBLINGS))
        return max(usual_s, min(longer_s, MAX_PAUSE_S))

    def _halt(self, error: AlpacaRefused) -> None:
        if self._halts:
            self._sink(
                OperatorHalted(
                    at=self._clock.now(),
                    by=REFUSES_KEYS,
                    reason=(
                        f"Alpaca refuses the keys ({error}): export good ones, start again, and "
                        "resume"
                    ),
                    positions_policy=PositionsPolicy.HOLD,
                )
            )
