"""How fast the broker's time runs against the wall: 1 everywhere but at a replaying exchange."""

from __future__ import annotations

import asyncio
import time

SHORTEST_PAUSE_S = 0.005  # of the wall: however fast time runs there, this machine has to breathe


class Pace:
    """Pauses and stop-watches in the broker's seconds.

    With `is_stepped` the broker's time stands still until we move it. Then nothing is done because
    time passes: whoever moves it asks for everything in turn.
    """

    def __init__(self, speed: float = 1.0, *, is_stepped: bool = False) -> None:
        assert speed > 0, speed
        self.speed = speed
        self.is_stepped = is_stepped

    def seconds(self) -> float:
        """Return the broker's seconds since some moment; they never go back."""
        return time.monotonic() * self.speed

    def on_the_wall(self, pause_s: float) -> float:
        """Return how long a pause of the broker's seconds takes here."""
        return max(pause_s / self.speed, SHORTEST_PAUSE_S) if pause_s > 0 else 0.0

    async def sleep(self, pause_s: float) -> None:
        """Pause for so many of the broker's seconds."""
        await asyncio.sleep(self.on_the_wall(pause_s))
