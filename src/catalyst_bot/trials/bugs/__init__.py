"""Planted bugs: each changes one thing the way a tired person might, and must be found."""

from __future__ import annotations

from catalyst_bot.trials.bugs import at_the_broker, in_the_core, in_the_process
from catalyst_bot.trials.bugs.planting import BUGS, Bug

__all__ = ["BUGS", "Bug", "at_the_broker", "in_the_core", "in_the_process"]
