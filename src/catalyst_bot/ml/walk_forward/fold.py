"""A finished fold: the sessions of its parts, the model that learned, what it showed inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalyst_bot.policies.model_files import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """A finished fold. `in_sample_sharpe` is annual, of the ensemble on the sessions it learned
    from; `agents` are rows of its card.
    """

    number: int
    train: range
    validation: range
    test: range
    model: Model
    agents: tuple[Mapping[str, Any], ...]
    in_sample_sharpe: float
    seconds: float
