"""Where adapters put the facts they learn."""

from __future__ import annotations

from typing import Protocol

from catalyst_bot.domain.messages.registry import Fact


class Sink(Protocol):
    """Takes a fact into the inbox; keeps the order of calls; never blocks."""

    def __call__(self, fact: Fact) -> None:
        """Put the fact in line."""
        ...
