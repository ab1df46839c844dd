"""The face of the portfolio stage: positions from their first share to their last.

A position opens with the first fill of an entry (or is adopted from a person), changes with every
further fill, split and rename, is valued at every bar and quote, and closes when the last share is
sold. The arithmetic is `ledger`; whether the broker agrees is the execution stage's to ask.
"""

from __future__ import annotations

from catalyst_bot.portfolio import decide, evolve


class PositionManager:
    """What the stage decides on, and what it remembers, by type of message."""

    DECIDE = decide.DECIDE
    EVOLVE = evolve.EVOLVE
