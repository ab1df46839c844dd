"""Fitted confidence, measured edges, and reviewed changes over both."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.detection import calibration, edges
from catalyst_bot.detection.calibration import Curve, parse_calibration
from catalyst_bot.detection.changes import changed, value_of
from catalyst_bot.detection.decide import on_headline
from catalyst_bot.detection.edges import Edge, edges_text, parse_edges
from catalyst_bot.detection.rules import RULE_FILES, Rules, make_rules, tables_of
from catalyst_bot.detection.score import assess
from catalyst_bot.detection.state import State
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages.decisions import CatalystDetected, HeadlineIgnored
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.domain.news import Catalyst, ScoreFactor
from tests.builders import NOON, FakeDesk, headline
from tests.detection_rules import BY_CIK, NAMES, texts

UNIT = st.floats(0, 1)
CURVES = st.builds(
    lambda offset, slope: Curve(offset=offset, slope=slope), st.floats(-5, 5), st.floats(0.01, 5)
)


def rules_with(changes=None, **files: str) -> Rules:
    given = {**texts(), **{f"{name}.toml": text for name, text in files.items()}}
    return make_rules(given, symbols_by_cik=BY_CIK, registered_names=NAMES, changes=changes or {})


def read(rules: Rules, **given) -> Catalyst | HeadlineIgnored:
    fact = HeadlineReceived(at=NOON, headline=headline(**given))
    said = on_headline(State(), fact, FakeDesk(), rules)[0]  # what follows it is its story
    assert isinstance(said, CatalystDetected | HeadlineIgnored)
    return said.catalyst if isinstance(said, CatalystDetected) else said


@given(CURVES, UNIT, UNIT)
def test_a_curve_is_bounded_and_never_falls(curve: Curve, one: float, other: float):
    low, high = sorted((one, other))
    assert 0 <= curve.of(low) <= curve.of(high) <= 1


@given(CURVES, st.floats(0.02, 0.97))
def test_a_curve_rises(curve: Curve, raw: float):
    assert curve.of(raw) < curve.of(raw + 0.02)


@given(UNIT)
def test_the_plain_curve_changes_nothing(raw: float):
    assert Curve().of(raw) == raw


@given(
    CURVES,
    st.lists(UNIT, min_size=1, max_size=6),
    st.integers(0, 5),
    UNIT,
    st.floats(0.01, 1),
    st.floats(-1, 1),
)
def test_score_and_confidence_are_bounded_and_rise_with_every_factor(
    curve: Curve, values: list[float], which: int, other: float, weight: float, mood: float
):
    def result(numbers: list[float]):
        factors = tuple(ScoreFactor(name=f"f{n}", value=v) for n, v in enumerate(numbers))
        return assess(weight=weight, sentiment=mood, factors=factors, curve=curve)

    changed_values = list(values)
    changed_values[which % len(values)] = max(values[which % len(values)], other)
    before, after = result(values), result(changed_values)
    for each in (before, after):
        assert 0 <= each.confidence <= 1
        assert 0 <= each.score <= 1
    assert before.confidence <= after.confidence
    assert before.score <= after.score


def test_every_factor_stays_visible_beside_the_calibrated_result():
    catalyst = read(rules_with(calibration="[words]\noffset = -1.0\nslope = 2.0\n"))
    names = [factor.name for factor in catalyst.factors]
    assert names[-3:] == ["calibrated", "weight", "sentiment"]
    shown = catalyst.factors[-3]
    assert shown.value == catalyst.confidence
    product = 1.0
    for factor in catalyst.factors[:-3]:
        product *= factor.value
    assert shown.note.startswith(f"from {product:.3f}")
    assert catalyst.confidence == Curve(offset=-1.0, slope=2.0).of(product)


def test_filings_are_not_bent_by_a_curve_fitted_on_words():
    given = {"title": "8-K - ACME", "form": "8-K", "items": ("2.02",), "cik": 101}
    bent = read(rules_with(calibration="[words]\noffset = -5.0\nslope = 1.0\n"), **given)
    plain = read(rules_with(calibration=""), **given)
    assert bent.confidence == plain.confidence


def test_fitted_precisions_replace_hand_set_ones():
    fitted = rules_with(calibration="[precision]\nfda_approval = 0.33\n")
    assert fitted.classifier.taxonomy.categories["fda_approval"].precision == 0.33
    assert read(fitted).factors[0].value == pytest.approx(0.33, abs=0.1)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[words]\noffset = 0\nslope = 0\n", "slope"),
        ("[words]\noffset = 0\nslope = -1\n", "slope"),
        ("[words]\noffset = nan\nslope = 1\n", "offset"),
        ("[words]\noffset = 0\n", "slope"),
        ("[precision]\nfda_approval = 1.5\n", "fda_approval"),
        ("[other]\n", "other"),
    ],
)
def test_a_calibration_that_cannot_be_is_refused(text: str, place: str):
    with pytest.raises(ConfigError, match=place):
        parse_calibration(text)


def test_an_unknown_category_is_refused():
    with pytest.raises(ConfigError, match="no_such"):
        rules_with(calibration="[precision]\nno_such = 0.5\n")
    with pytest.raises(ConfigError, match="no_such"):
        rules_with(edges="no_such = { bps = 1, low_bps = 0, high_bps = 2, events = 3 }\n")


def test_the_shipped_tables_are_whole():
    shipped = make_rules(texts(), symbols_by_cik={}, registered_names={})
    assert calibration.FILE in RULE_FILES
    assert edges.FILE in RULE_FILES
    assert shipped.calibration.precisions
    assert shipped.edges
    assert shipped.muted == frozenset()


def test_edges_come_back_as_they_were_written():
    taxonomy = tables_of(texts()).taxonomy
    known = {"fda_approval": Edge(bps=-3.5, low_bps=-20.0, high_bps=13.0, events=40)}
    assert parse_edges(edges_text(known, "made by hand"), taxonomy) == known
    with pytest.raises(ConfigError, match="between"):
        parse_edges("fda_approval = { bps = 9, low_bps = 10, high_bps = 11, events = 3 }", taxonomy)


def test_a_catalyst_carries_what_its_category_was_worth():
    text = "fda_approval = { bps = 12, low_bps = -5, high_bps = 29, events = 40 }\n"
    catalyst = read(rules_with(edges=text))
    assert (catalyst.edge_bps, catalyst.edge_low_bps, catalyst.edge_high_bps) == (12, -5, 29)
    unknown = read(rules_with(edges=""))
    assert (unknown.edge_bps, unknown.edge_low_bps, unknown.edge_high_bps) == (None, None, None)


def test_edge_moves_neither_confidence_nor_score():
    text = "fda_approval = { bps = 900, low_bps = 800, high_bps = 999, events = 40 }\n"
    rich, plain = read(rules_with(edges=text)), read(rules_with(edges=""))
    assert (rich.confidence, rich.score) == (plain.confidence, plain.score)


def test_what_is_muted_is_read_and_left_alone():
    said = read(rules_with({"fda_approval.muted": True}))
    assert isinstance(said, HeadlineIgnored)
    assert (said.step, said.reason, said.observed) == ("catalyst", "muted_category", "fda_approval")


CHANGES = {
    "fda_approval.weight": 0.11,
    "fda_approval.precision": 0.22,
    "layoffs.muted": True,
    "product_launch.edge_bps": -30.0,
    "product_launch.edge_low_bps": -40.0,
    "product_launch.edge_high_bps": -20.0,
    "product_launch.edge_events": 55,
    "words.slope": 2.5,
    "words.offset": -0.5,
}


def test_every_kind_of_change_is_laid_over_the_tables():
    shipped = tables_of(texts())
    after = changed(shipped, CHANGES)
    assert {name: value_of(name, after) for name in CHANGES} == CHANGES
    untouched = "earnings_beat.weight"
    assert value_of(untouched, after) == value_of(untouched, shipped)
    assert changed(shipped, {}) == shipped
    assert changed(after, {"layoffs.muted": False}).muted == frozenset()


def test_changes_are_part_of_the_name_of_the_rules():
    plain, other = rules_with(), rules_with({"fda_approval.weight": 0.11})
    assert plain.classifier_id == rules_with({}).classifier_id
    assert plain.classifier_id != other.classifier_id
    assert other.classifier_id != rules_with({"fda_approval.weight": 0.12}).classifier_id


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"fda_approval.weight": 1.5}, "must be from"),
        ({"fda_approval.weight": float("nan")}, "must be from"),
        ({"fda_approval.polarity": -1}, "no such value"),
        ({"no_such.weight": 0.5}, "no such value"),
        ({"words.weight": 0.5}, "no such value"),
        ({"weight": 0.5}, "no such value"),
        ({"bankruptcy.muted": True}, "never muted"),
        ({"fda_approval.edge_bps": 10.0}, "must lie between"),
    ],
)
def test_changes_that_must_not_be_are_refused(changes, why: str):
    with pytest.raises(ConfigError, match=why):
        changed(tables_of(texts()), changes)


def test_a_changed_precision_reaches_the_reading():
    low = read(rules_with({"fda_approval.precision": 0.2}))
    assert low.confidence < read(rules_with()).confidence
    assert replace(low, confidence=0.0).category == "fda_approval"
