from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.bootstrap.calibrating import calibrate, read_labelled
from catalyst_bot.detection.calibration import Calibration, Curve, parse_calibration
from catalyst_bot.detection.rules import make_rules
from catalyst_bot.domain.errors import BadData
from catalyst_bot.study.calibration import (
    Example,
    Labelled,
    examples,
    fit,
    fit_curve,
    fit_precisions,
    is_held_out,
    measure,
    reliability,
)
from catalyst_bot.study.calibration_report import (
    calibration_markdown,
    calibration_text,
    reliability_svg,
)
from tests.detection_rules import texts


def sample(curve: Curve, n: int = 4_000, seed: int = 1) -> list[Example]:
    """Readings that are as often right as the curve says."""
    rng = np.random.default_rng(seed)
    raw = rng.uniform(0.3, 0.95, n)
    right = rng.random(n) < [curve.of(each) for each in raw]
    return [
        Example(category="layoffs", raw=float(p), right=float(y))
        for p, y in zip(raw, right, strict=True)
    ]


def test_a_curve_is_found_again():
    fitted = fit_curve(sample(Curve(offset=-1.0, slope=1.8)))
    assert fitted.offset == pytest.approx(-1.0, abs=0.15)
    assert fitted.slope == pytest.approx(1.8, abs=0.2)


def test_a_curve_never_falls_even_when_the_sample_does():
    upside_down = [
        Example(category="layoffs", raw=p, right=float(p < 0.5)) for p in (0.2, 0.3, 0.7, 0.8)
    ]
    assert fit_curve(upside_down).slope > 0


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_a_curve_needs_right_and_wrong(right: float):
    with pytest.raises(ValueError, match="right and wrong"):
        fit_curve([Example(category="layoffs", raw=0.5, right=right)])


def rules_with(calibration: Calibration):
    given = {**texts(), "calibration.toml": calibration_text(calibration, "a test")}
    return make_rules(given, symbols_by_cik={}, registered_names={})


def labelled(start: int, hits_in_ten: int) -> list[Labelled]:
    """Upgrades that are right so often, and as many downgrades that are always right."""
    return [
        Labelled(text=f"Acme {word} at Broker Number {n}", sign=sign)
        for n in range(start, start + 200)
        for word, sign in (
            ("upgraded to buy", 1 if n % 10 < hits_in_ten else -1),
            ("downgraded to sell", -1),
        )
    ]


def test_a_curve_that_does_not_carry_over_is_left_plain():
    same = fit(labelled(0, 2), labelled(300, 2), rules_with)
    assert not same.words.is_plain
    assert same.precisions["analyst_upgrade"] < 0.4
    turned = fit(labelled(0, 2), labelled(300, 10), rules_with)
    assert turned.words.is_plain
    assert turned.precisions == same.precisions


def test_precisions_are_drawn_towards_the_hand_set_number():
    rows = [Example(category="layoffs", raw=0.5, right=1.0)] * 20
    few = [Example(category="fraud", raw=0.5, right=0.0)] * 9
    assert fit_precisions([*rows, *few], {"layoffs": 0.5, "fraud": 0.8}) == {"layoffs": 0.75}


def test_right_is_agreement_half_for_nothing_seen_wrong_for_the_opposite():
    rules = make_rules(texts(), symbols_by_cik={}, registered_names={})
    text = "Acme downgraded to sell at Broker"
    found = examples([Labelled(text=text, sign=sign) for sign in (-1, 0, 1)], rules)
    assert [each.right for each in found] == [1.0, 0.5, 0.0]
    assert {each.category for each in found} == {"analyst_downgrade"}
    assert examples([Labelled(text="Acme holds a meeting", sign=1)], rules) == []


def test_links_do_not_move_a_text_to_the_other_side():
    one = "Acme beats estimates in the third quarter"
    assert is_held_out(one) == is_held_out(one.upper() + "!")
    shares = [is_held_out(f"text number {n} of many") for n in range(2_000)]
    assert 0.36 < np.mean(shares) < 0.44


def test_reliability_of_a_calibrated_sample_beats_the_base_rate():
    curve = Curve(offset=-0.5, slope=1.5)
    measured = measure("fresh", sample(curve, seed=2), curve)
    assert measured.brier < measured.brier_base
    assert measured.kept > 0
    assert all(
        each.right_low - 0.02 <= each.said <= each.right_high + 0.02 for each in measured.bins
    )


@given(
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=50)
)
def test_bins_hold_every_reading_once(rows: list[tuple[float, float]]):
    said, right = np.array(rows).T
    measured = reliability("any", said, right)
    assert sum(each.n for each in measured.bins) == measured.n == len(rows)
    assert sum(each.n * each.right for each in measured.bins) == pytest.approx(right.sum())
    assert 0 <= measured.brier_base <= 0.25 + 1e-12
    assert measured.kept == int((said >= 0.7).sum())


def test_nothing_to_measure_is_refused():
    with pytest.raises(ValueError, match="no reading"):
        reliability("none", np.array([]), np.array([]))


def test_the_file_is_read_back_as_it_was_fitted():
    fitted = Calibration(words=Curve(offset=-0.4, slope=1.25), precisions={"layoffs": 0.71})
    assert parse_calibration(calibration_text(fitted, "a test")) == fitted


def test_the_figure_is_a_drawing_of_every_sample():
    measured = measure("a < b", sample(Curve(), n=300), Curve())
    drawing = ET.fromstring(reliability_svg([measured, measured]))
    lines = [each for each in drawing.iter() if each.tag.endswith("polyline")]
    assert len(lines) == 2
    assert all(
        0 <= float(number) <= 640
        for line in lines
        for number in re.split("[ ,]", line.attrib["points"])
    )
    assert "| a < b | 300 |" in calibration_markdown([measured])


def write(path, rows: list[str]):
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_labels_of_both_spellings_are_read(tmp_path):
    file = write(
        tmp_path / "labels.jsonl",
        ['{"text": "a", "label": "positive"}', '{"title": "b", "label_sentiment": "Neutral"}'],
    )
    assert [(row.text, row.sign) for row in read_labelled(file)] == [("a", 1), ("b", 0)]


@pytest.mark.parametrize("row", ['{"text": "a"}', '{"text": "a", "label": "bullish"}', "[]", "x"])
def test_a_row_without_a_known_label_is_refused_with_its_place(tmp_path, row: str):
    file = write(tmp_path / "labels.jsonl", ['{"text": "a", "label": "positive"}', row])
    with pytest.raises(BadData, match=r"labels\.jsonl:2"):
        list(read_labelled(file))


def test_too_few_readings_are_refused(tmp_path):
    file = write(tmp_path / "labels.jsonl", ['{"text": "nothing", "label": "neutral"}'])
    with pytest.raises(BadData, match="right and wrong"):
        calibrate([file], [])
