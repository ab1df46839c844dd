"""Reviewed changes of the shipped tables: laid over them when the rules are made.

A change is one value with a name, such as `product_launch.weight` or `words.slope`. Changes come
from a versioned file and never from a running bot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from catalyst_bot.detection.calibration import (
    MAX_OFFSET,
    MAX_SLOPE,
    MIN_SLOPE,
    Calibration,
    with_categories,
)
from catalyst_bot.detection.edges import MAX_BPS, Edge
from catalyst_bot.detection.taxonomy import Category, Taxonomy
from catalyst_bot.domain.enums import CategoryAction
from catalyst_bot.domain.errors import ConfigError

Value = float | bool
Changes = Mapping[str, Value]
WORDS = "words"
_RANGES: dict[str, tuple[float, float]] = {
    "weight": (0.01, 1),
    "precision": (0.01, 0.99),
    "muted": (0, 1),
    "edge_bps": (-MAX_BPS, MAX_BPS),
    "edge_low_bps": (-MAX_BPS, MAX_BPS),
    "edge_high_bps": (-MAX_BPS, MAX_BPS),
    "edge_events": (0, 1e9),
}
_CURVE: dict[str, tuple[float, float]] = {
    "offset": (-MAX_OFFSET, MAX_OFFSET),
    "slope": (MIN_SLOPE, MAX_SLOPE),
}


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What can be changed: categories, the calibration curve, edges, and who is muted."""

    taxonomy: Taxonomy
    calibration: Calibration
    edges: Mapping[str, Edge]
    muted: frozenset[str] = field(default_factory=frozenset)


def changed(tables: Tables, changes: Changes) -> Tables:
    """Return the tables with all changes made.

    Raises `ConfigError` naming the change that is unknown, out of range, or would make the bot
    deaf to what protects a position.
    """
    for name in sorted(changes):
        _check(name, changes[name], tables.taxonomy)
    categories: dict[str, Category] = {}
    edges, muted = dict(tables.edges), set(tables.muted)
    for owner in sorted({name.rpartition(".")[0] for name in changes} - {WORDS}):
        of_owner = {
            name.rpartition(".")[2]: value
            for name, value in changes.items()
            if name.rpartition(".")[0] == owner
        }
        old = tables.taxonomy.categories[owner]
        categories[owner] = replace(
            old,
            weight=float(of_owner.get("weight", old.weight)),
            precision=float(of_owner.get("precision", old.precision)),
        )
        if "muted" in of_owner:
            (muted.add if of_owner["muted"] else muted.discard)(owner)
        if (edge := _edge(owner, of_owner, edges.get(owner))) is not None:
            edges[owner] = edge
    curve = {key: float(changes[f"{WORDS}.{key}"]) for key in _CURVE if f"{WORDS}.{key}" in changes}
    return Tables(
        taxonomy=with_categories(tables.taxonomy, categories),
        calibration=replace(tables.calibration, words=replace(tables.calibration.words, **curve)),
        edges=edges,
        muted=frozenset(muted),
    )


def value_of(name: str, tables: Tables) -> Value | None:
    """Return what the tables say under the name of a change; None where they say nothing."""
    owner, _, key = name.rpartition(".")
    if owner == WORDS:
        return float(getattr(tables.calibration.words, key))
    if key == "muted":
        return owner in tables.muted
    if key in {"weight", "precision"}:
        return float(getattr(tables.taxonomy.categories[owner], key))
    edge = tables.edges.get(owner)
    return None if edge is None else float(getattr(edge, key.removeprefix("edge_")))


def _edge(owner: str, given: Mapping[str, Value], known: Edge | None) -> Edge | None:
    if not any(key.startswith("edge_") for key in given):
        return known
    old = known or Edge(bps=0.0, low_bps=0.0, high_bps=0.0, events=0)
    edge = Edge(
        bps=float(given.get("edge_bps", old.bps)),
        low_bps=float(given.get("edge_low_bps", old.low_bps)),
        high_bps=float(given.get("edge_high_bps", old.high_bps)),
        events=int(given.get("edge_events", old.events)),
    )
    if not edge.low_bps <= edge.bps <= edge.high_bps:
        raise ConfigError(f"{owner}.edge_bps: must lie between edge_low_bps and edge_high_bps")
    return edge


def _check(name: str, value: Value, taxonomy: Taxonomy) -> None:
    owner, _, key = name.rpartition(".")
    known = _CURVE if owner == WORDS else _RANGES if owner in taxonomy.categories else {}
    if key not in known:
        raise ConfigError(
            f"{name}: no such value; known are words.offset, words.slope and, of a category, "
            f"{', '.join(_RANGES)}"
        )
    low, high = known[key]
    if not low <= value <= high:
        raise ConfigError(f"{name}: is {value!r}; must be from {low:g} to {high:g}")
    if key == "muted" and value and taxonomy.categories[owner].action is not CategoryAction.TRADE:
        raise ConfigError(f"{name}: a category that says avoid or close is never muted")
