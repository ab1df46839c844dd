"""What the rule baseline wants, as one function of numbers: the same in the bot and in sweeps."""

# ruff: noqa: PLR0917  # what is compiled takes plain numbers

from __future__ import annotations

from typing import NamedTuple

# What the rule found; the words are in `rule.py`.
BUYS, LEAVES, FADED, MUTED = 0, 1, 2, 3


class RuleTerms(NamedTuple):
    """The numbers of the rule; moves and edges in basis points.

    `fade_bps`: the market disagrees when it moved this far against the news. `full_rvol`: relative
    volume from which attention is full. `quiet_factor`: size at or below usual volume.
    `doubling_bps`: an edge of this size would double an action, within the two edge factors.
    """

    fade_bps: float = 30.0
    full_rvol: float = 2.0
    quiet_factor: float = 0.5
    bear_factor: float = 0.5
    doubling_bps: float = 100.0
    least_edge_factor: float = 0.5
    most_edge_factor: float = 1.5


RULE_TERMS = RuleTerms()


def volume_factor(rvol: float, terms: RuleTerms) -> float:
    """From `quiet_factor` at usual volume or less up to 1 at `full_rvol`."""
    share = min(max((rvol - 1.0) / (terms.full_rvol - 1.0), 0.0), 1.0)
    return terms.quiet_factor + (1.0 - terms.quiet_factor) * share


def regime_factor(regime: float, terms: RuleTerms) -> float:
    """Full size in a bull or neutral market, less in a bear market, nothing under stress."""
    if regime >= 0:
        return 1.0
    return terms.bear_factor if regime >= -1.0 else 0.0


def edge_factor(edge_bps: float, terms: RuleTerms) -> float:
    """1 without an edge or without data, more or less with what the category was worth."""
    factor = 1.0 + edge_bps / terms.doubling_bps
    return min(max(factor, terms.least_edge_factor), terms.most_edge_factor)


def rule_action(
    direction: float,
    confidence: float,
    edge_bps: float,
    edge_high_bps: float,
    reaction_bps: float,
    rvol: float,
    regime: float,
    terms: RuleTerms,
) -> tuple[float, int]:
    """Return the action in [-1, 1] and what was found; see the features of these names."""
    if direction < 0:
        return -1.0, LEAVES
    if reaction_bps < -terms.fade_bps:
        return 0.0, FADED
    if edge_high_bps <= 0:
        return 0.0, MUTED
    volume = volume_factor(rvol, terms)
    action = confidence * volume * regime_factor(regime, terms) * edge_factor(edge_bps, terms)
    return min(action, 1.0), BUYS
