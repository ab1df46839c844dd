"""Changes are proposed, applied and taken back; the file of versions only ever grows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.detection.rules import tables_of
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.study import versions
from catalyst_bot.study.event_study import StudyRules, study_events
from catalyst_bot.study.proposals import edges_of, proposal_of
from catalyst_bot.study.versions import Proposal
from tests.detection_rules import texts
from tests.unit.study.test_event_study import event, market_with

AT = datetime(2025, 10, 6, 16, 0, tzinfo=UTC)
SHIPPED = tables_of(texts())


def apply(folder: Path, reason: str = "seen", **changes: float):
    named = {name.replace("__", "."): value for name, value in changes.items()}
    proposal = Proposal(reason="test", changes=named, evidence={})
    return versions.apply(folder, proposal, SHIPPED, author="ann", reason=reason, at=AT)


def roll_back(folder: Path, to: int):
    return versions.roll_back(folder, to, SHIPPED, author="bob", reason="worse", at=AT)


def test_without_a_file_the_tables_are_as_shipped(tmp_path: Path):
    assert versions.newest(tmp_path) == 0
    assert versions.overlay_of(tmp_path, 0) == {}


def test_a_version_says_who_why_when_before_and_after(tmp_path: Path):
    first = apply(tmp_path, layoffs__weight=0.2)
    shipped = SHIPPED.taxonomy.categories["layoffs"].weight
    assert (first.version, first.author, first.reason) == (1, "ann", "seen")
    assert first.at == "2025-10-06T16:00:00Z"
    assert (first.before, first.after) == ({"layoffs.weight": shipped}, {"layoffs.weight": 0.2})
    assert versions.read_versions(tmp_path) == (first,)


def test_later_changes_lie_over_earlier_ones(tmp_path: Path):
    apply(tmp_path, layoffs__weight=0.2, fraud__weight=0.3)
    second = apply(tmp_path, layoffs__weight=0.4)
    assert second.before == {"layoffs.weight": 0.2}
    assert versions.overlay_of(tmp_path, 2) == {"layoffs.weight": 0.4, "fraud.weight": 0.3}
    assert versions.overlay_of(tmp_path, 1) == {"layoffs.weight": 0.2, "fraud.weight": 0.3}


def test_going_back_is_a_version_too(tmp_path: Path):
    apply(tmp_path, layoffs__weight=0.2)
    apply(tmp_path, layoffs__muted=True)
    third = roll_back(tmp_path, 1)
    assert (third.version, third.author) == (3, "bob")
    assert third.before == {"layoffs.muted": True}
    assert third.after == {"layoffs.muted": False}
    assert versions.overlay_of(tmp_path, 3) == versions.overlay_of(tmp_path, 1)
    assert versions.overlay_of(tmp_path, roll_back(tmp_path, 0).version) == {}
    assert len(versions.read_versions(tmp_path)) == 4


def test_what_changes_nothing_or_has_no_author_is_refused(tmp_path: Path):
    shipped = SHIPPED.taxonomy.categories["layoffs"].weight
    with pytest.raises(ConfigError, match="nothing would change"):
        apply(tmp_path, layoffs__weight=shipped)
    with pytest.raises(ConfigError, match="author and a reason"):
        apply(tmp_path, reason=" ", layoffs__weight=0.2)
    with pytest.raises(ConfigError, match="never muted"):
        apply(tmp_path, bankruptcy__muted=True)
    with pytest.raises(ConfigError, match="holds 0 versions"):
        roll_back(tmp_path, 1)
    assert versions.newest(tmp_path) == 0


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"versions": [{}]}', '{"versions": 3}'])
def test_a_damaged_file_is_refused(tmp_path: Path, text: str):
    (tmp_path / versions.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(BadData, match=r"detection_changes\.json: .*bring it back from a backup"):
        versions.newest(tmp_path)


def test_a_version_that_is_missing_in_the_middle_is_noticed(tmp_path: Path):
    apply(tmp_path, layoffs__weight=0.2)
    apply(tmp_path, layoffs__weight=0.3)
    path = tmp_path / versions.FILE
    rows = json.loads(path.read_text(encoding="utf-8"))
    del rows["versions"][0]
    path.write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(BadData, match="missing"):
        versions.newest(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "[]",
        '{"reason": "x"}',
        '{"reason": "x", "changes": {"a.b": "c"}, "evidence": {}}',
    ],
)
def test_what_is_no_proposal_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "p.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadData, match="is no proposal"):
        versions.read_proposal(path)
    with pytest.raises(BadData, match=r"none\.json: cannot be read: No such file"):
        versions.read_proposal(tmp_path / "none.json")


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6))
def test_every_version_can_be_had_again(tmp_path_factory: pytest.TempPathFactory, values):
    folder = tmp_path_factory.mktemp("versions")
    known = [SHIPPED.taxonomy.categories["layoffs"].weight]
    for value in values:
        if value != known[-1]:
            apply(folder, layoffs__weight=value)
            known.append(value)
    for version, value in enumerate(known[1:], start=1):
        assert versions.overlay_of(folder, version) == {"layoffs.weight": value}


def test_a_study_proposes_edges_and_muting(tmp_path: Path):
    worthless = study_events([event(n) for n in range(40)], market_with(0.0, 0.002), StudyRules())
    proposal = proposal_of(worthless, {"n": 40})
    assert proposal.changes["fda_approval.muted"] is True
    edge = edges_of(worthless)["fda_approval"]
    assert proposal.changes["fda_approval.edge_bps"] == edge.bps < 0
    path = tmp_path / "p.json"
    versions.write_proposal(path, proposal)
    assert versions.read_proposal(path) == proposal
    done = versions.apply(tmp_path, proposal, SHIPPED, author="ann", reason="study", at=AT)
    assert done.after["fda_approval.muted"] is True
    few = study_events([event(n) for n in range(9)], market_with(0.0, 0.002), StudyRules())
    assert proposal_of(few, {}).changes == {}
