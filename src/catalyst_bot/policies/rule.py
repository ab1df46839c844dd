"""The transparent rule baseline: what learning must beat.

One vote, made of factors that multiply; each factor and its reason can be read in the vote.
"""

from __future__ import annotations

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.trading import Observation, Vote
from catalyst_bot.features.spec import SPEC_HASH

MODEL_ID = "rule"
FADE_BPS = 30.0  # the market disagrees when it moved this far against the news
FULL_RVOL = 2.0  # relative volume from which attention is full
QUIET_FACTOR = 0.5  # size at or below usual volume
BEAR_FACTOR = 0.5
DOUBLING_BPS = 100.0  # an edge of this size would double an action
LEAST_EDGE_FACTOR, MOST_EDGE_FACTOR = 0.5, 1.5


class RulePolicy:
    """Buy good news that the market does not contradict, leave on bad news."""

    model_id = MODEL_ID
    spec_hash = SPEC_HASH
    reviews = False

    def act(self, observation: Observation) -> tuple[Vote, ...]:
        """Return the rule's vote.

        action = confidence x volume factor x regime factor x edge factor, at most 1, for good news
        that the market does not fade; -1 for bad news; 0 when the market disagrees, or when even
        the upper end of the band of what the category was worth does not clear costs.
        """
        if observation.spec_hash != self.spec_hash:
            raise ConfigError(
                f"policy {MODEL_ID} was made for features {self.spec_hash}, "
                f"got {observation.spec_hash}"
            )
        seen = dict(zip(observation.names, observation.values, strict=True))
        if seen["direction"] < 0:
            return (_vote(-1.0, "bad news: leave"),)
        if seen["reaction_bps"] < -FADE_BPS:
            return (_vote(0.0, f"market fades the news ({seen['reaction_bps']:.0f} bps)"),)
        if seen["edge_high_bps"] <= 0:
            worth = f"at best {seen['edge_high_bps']:.0f} bps after costs"
            return (_vote(0.0, f"muted: such news was worth {worth}"),)
        volume = _volume_factor(seen["rvol"])
        regime = _regime_factor(seen["regime"])
        edge = _edge_factor(seen["edge_bps"])
        action = min(seen["confidence"] * volume * regime * edge, 1.0)
        reason = (
            f"confidence {seen['confidence']:.2f} x volume {volume:.2f} "
            f"(rvol {seen['rvol']:.1f}) x regime {regime:.1f} x edge {edge:.2f}"
        )
        return (_vote(action, reason),)


def _volume_factor(rvol: float) -> float:
    """From QUIET_FACTOR at usual volume or less up to 1 at FULL_RVOL."""
    share = min(max((rvol - 1.0) / (FULL_RVOL - 1.0), 0.0), 1.0)
    return QUIET_FACTOR + (1.0 - QUIET_FACTOR) * share


def _regime_factor(regime: float) -> float:
    """Full size in a bull or neutral market, less in a bear market, nothing under stress."""
    if regime >= 0:
        return 1.0
    return BEAR_FACTOR if regime >= -1.0 else 0.0


def _edge_factor(edge_bps: float) -> float:
    """1 without an edge or without data, more or less with what the category was worth."""
    return min(max(1.0 + edge_bps / DOUBLING_BPS, LEAST_EDGE_FACTOR), MOST_EDGE_FACTOR)


def _vote(action: float, reason: str) -> Vote:
    return Vote(agent=MODEL_ID, action=action, weight=1.0, reason=reason)
