"""Constants of normalisation know the training part only."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData
from catalyst_bot.features.normalisation import (
    LIMIT,
    Normalisation,
    fit_normalisation,
    normalisation_from,
)
from catalyst_bot.features.spec import FEATURES
from catalyst_bot.history.splits import Gap, three_parts

COLUMNS = len(FEATURES)


def rows(seed: int = 1, count: int = 200) -> np.ndarray:
    return np.random.default_rng(seed).normal(2.0, 3.0, size=(count, COLUMNS))


def fitted(values: np.ndarray) -> Normalisation:
    return fit_normalisation(values, bar_interval_s=86_400)


def test_the_training_part_has_mean_nothing_and_deviation_one() -> None:
    values = rows()
    scaled = fitted(values).apply_rows(values)[:, 3:]
    assert np.abs(scaled.mean(axis=0)).max() < 0.05  # outliers are cut
    assert np.allclose(scaled.std(axis=0), 1.0, atol=0.05)


def test_changing_what_is_tested_on_changes_no_constant() -> None:
    values = rows(count=500)
    parts = three_parts(range(500), Gap(horizon=10))
    before = fitted(values[parts.train])
    values[parts.validation.start :] *= 100.0
    assert fitted(values[parts.train]) == before
    values[parts.train.start] += 1.0
    assert fitted(values[parts.train]) != before


@given(st.integers(0, 2**32 - 1))
def test_one_and_many_give_the_same_bits(seed: int) -> None:
    values, constants = rows(seed, 20), fitted(rows())
    one = np.array([constants.apply(row) for row in values.tolist()])
    assert one.tobytes() == constants.apply_rows(values).tobytes()
    assert np.abs(one).max() <= LIMIT


def test_the_account_stays_as_it_is_and_what_never_changed_is_muted() -> None:
    values = rows()
    values[:, 10] = 0.1  # its mean is not exact
    constants = fitted(values)
    assert constants.center[:3] == (0.0, 0.0, 0.0)
    assert constants.scale[:3] == (1.0, 1.0, 1.0)
    values[:, 10] = np.arange(len(values))
    assert not constants.apply_rows(values)[:, 10].any()
    assert {constants.apply(row)[10] for row in values.tolist()} == {0.0}


def test_constants_survive_their_file() -> None:
    constants = fitted(rows())
    assert normalisation_from(constants.to_json()) == constants


@pytest.mark.parametrize(
    "change",
    [
        {"spec_hash": "other"},
        {"names": ["a"]},
        {"scale": [1.0]},
        {"scale": [-1.0] * COLUMNS},
        {"center": [float("nan")] * COLUMNS},
        {"center": "abc"},
        {"more": 1},
    ],
)
def test_other_constants_are_refused(change: dict[str, object]) -> None:
    content = json.loads(fitted(rows()).to_json()) | change
    with pytest.raises(BadData):
        normalisation_from(json.dumps(content))


@pytest.mark.parametrize(
    "values", [np.zeros((0, COLUMNS)), np.zeros((5, 3)), np.full((5, COLUMNS), np.nan)]
)
def test_nothing_is_fitted_on_what_is_no_observation(values: np.ndarray) -> None:
    with pytest.raises(BadData):
        fitted(values)
