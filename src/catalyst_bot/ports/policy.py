"""The one who decides: a rule or a trained ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from catalyst_bot.domain.news import Worth
from catalyst_bot.domain.trading import Observation, Vote


class Policy(Protocol):
    """Pure given its weights: the same observation gives the same votes.

    The action of a decision is the weighted mean of the votes. One that `reviews` is asked about a
    case not only once, but again at every close of a decision bar. `edges` are what categories were
    worth where it learned, which it is then asked with; None for the worth that detection ships.
    """

    model_id: str
    spec_hash: str
    reviews: bool
    edges: Mapping[str, Worth] | None

    def act(self, observation: Observation) -> tuple[Vote, ...]:
        """Return one vote per agent, at least one; actions in [-1, 1]."""
        ...
