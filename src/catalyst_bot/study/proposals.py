"""What a study suggests to change: edges as measured, muting what does not earn its costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalyst_bot.detection.edges import Edge
from catalyst_bot.study.event_study import MIN_EVENTS, CategoryResult, Study
from catalyst_bot.study.versions import Proposal


def edges_of(study: Study) -> dict[str, Edge]:
    """Return the edge of every category of which enough is known."""
    return {
        each.category: Edge(
            bps=round(each.edge_bps, 1),
            low_bps=round(each.edge_low_bps, 1),
            high_bps=round(each.edge_high_bps, 1),
            events=each.deciding.mean.n,
        )
        for each in study.results
        if each.deciding is not None and _is_known(each)
    }


def _is_known(result: CategoryResult) -> bool:
    cell = result.deciding
    return cell is not None and cell.mean.n >= MIN_EVENTS and cell.mean.error > 0


def proposal_of(study: Study, source: Mapping[str, Any]) -> Proposal:
    """Return the changes a study suggests, with the figures behind each of them."""
    changes: dict[str, float | bool] = {}
    for name, edge in edges_of(study).items():
        changes[f"{name}.edge_bps"] = edge.bps
        changes[f"{name}.edge_low_bps"] = edge.low_bps
        changes[f"{name}.edge_high_bps"] = edge.high_bps
        changes[f"{name}.edge_events"] = edge.events
    changes |= {f"{name}.muted": True for name in study.proposed_for_muting}
    return Proposal(
        reason="study of events: edges as measured; muted is what does not clear its costs",
        changes=changes,
        evidence=source,
    )
