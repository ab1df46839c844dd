"""What categories were worth after costs, from the event study: for information and for muting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalyst_bot.detection.tables import Table, load
from catalyst_bot.detection.taxonomy import Taxonomy

FILE = "edges.toml"
MAX_BPS = 5_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Expected abnormal return after costs over the category's horizon, with its 95 % band.

    Basis points, shrunk towards 0; `events` is how many priced events it was made of.
    """

    bps: float
    low_bps: float
    high_bps: float
    events: int


def parse_edges(text: str, taxonomy: Taxonomy, file: str = FILE) -> dict[str, Edge]:
    """Read `edges.toml`. Raises `ConfigError` naming file, key and reason."""
    top = Table(load(text, file), file)
    top.only(*taxonomy.categories)
    return {name: _edge(top.table(name)) for name in top.values}


def _edge(table: Table) -> Edge:
    table.only("bps", "low_bps", "high_bps", "events")
    edge = Edge(
        bps=table.number("bps", -MAX_BPS, MAX_BPS),
        low_bps=table.number("low_bps", -MAX_BPS, MAX_BPS),
        high_bps=table.number("high_bps", -MAX_BPS, MAX_BPS),
        events=int(table.number("events", 1, 1e9)),
    )
    if not edge.low_bps <= edge.bps <= edge.high_bps:
        raise table.fail("bps", "must lie between low_bps and high_bps")
    return edge


def edges_text(edges: Mapping[str, Edge], source: str) -> str:
    """Return edges as `edges.toml` holds them; `source` says what they were measured on."""
    head = [
        "# What categories were worth, in basis points above the benchmark after costs, with the",
        "# 95 % band, shrunk towards 0. Written by `catalyst-bot study events --edges`.",
        f"# {source}",
        "",
    ]
    lines = [
        f"{name} = {{ bps = {edge.bps:.1f}, low_bps = {edge.low_bps:.1f}, "
        f"high_bps = {edge.high_bps:.1f}, events = {edge.events} }}"
        for name, edge in sorted(edges.items())
    ]
    return "\n".join([*head, *lines]) + "\n"
