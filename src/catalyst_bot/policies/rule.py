"""The transparent rule baseline: what learning must beat.

One vote, made of factors that multiply; each factor and its reason can be read in the vote.
"""

from __future__ import annotations

from collections.abc import Mapping

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.news import Worth
from catalyst_bot.domain.trading import Observation, Vote
from catalyst_bot.features.spec import SPEC_HASH
from catalyst_bot.policies import rule_action as r

MODEL_ID = "rule"


class RulePolicy:
    """Buy good news that the market does not contradict, leave on bad news."""

    model_id = MODEL_ID
    spec_hash = SPEC_HASH
    reviews = False
    edges: Mapping[str, Worth] | None = None

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
        action, found = r.rule_action(
            seen["direction"],
            seen["confidence"],
            seen["edge_bps"],
            seen["edge_high_bps"],
            seen["reaction_bps"],
            seen["rvol"],
            seen["regime"],
            r.RULE_TERMS,
        )
        return (Vote(agent=MODEL_ID, action=action, weight=1.0, reason=_reason(found, seen)),)


def _reason(found: int, seen: Mapping[str, float]) -> str:
    if found == r.LEAVES:
        return "bad news: leave"
    if found == r.FADED:
        return f"market fades the news ({seen['reaction_bps']:.0f} bps)"
    if found == r.MUTED:
        return f"muted: such news was worth at best {seen['edge_high_bps']:.0f} bps after costs"
    volume = r.volume_factor(seen["rvol"], r.RULE_TERMS)
    regime = r.regime_factor(seen["regime"], r.RULE_TERMS)
    edge = r.edge_factor(seen["edge_bps"], r.RULE_TERMS)
    return (
        f"confidence {seen['confidence']:.2f} x volume {volume:.2f} "
        f"(rvol {seen['rvol']:.1f}) x regime {regime:.1f} x edge {edge:.2f}"
    )
