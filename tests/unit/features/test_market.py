"""The market features: equal to TA-Lib where standard, blind to everything outside their window."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.features import kernels
from catalyst_bot.features.kernels import Bars
from catalyst_bot.features.market import DAY_S, NEUTRAL, market_features
from catalyst_bot.features.spec import (
    BENCHMARK_WINDOW,
    FEATURES,
    FORMULAS,
    MARKET,
    MARKET_WINDOW,
    Feature,
)
from catalyst_bot.features.window import BarWindow, columns_of
from catalyst_bot.ports.market_data import BENCHMARK_VIEW_BARS, VIEW_BARS
from tests.windows import random_window

LENGTH = 300
KNOWN = (
    *(0.00892651828275004, -0.021002716832895008, -0.060021853932588076, -0.1188289663432105),
    *(0.01307152501062503, 1.2361987120551867, 0.017475702837463195, 0.9992846597793881),
    *(0.014194628925892737, -0.15068780691564, -0.0016455370543761278, -0.3959936628135729),
    *(-0.026573225547680268, -0.35522805085606424, 0.0, -0.1908997826786194),
    *(-0.21330060199607317, 0.12234156498797, 0.019746750275627525, 1.0),
)
INTERVALS = (300, DAY_S)


def bars_of(window: BarWindow, interval_s: int = DAY_S) -> Bars:
    return columns_of(window, has_nights=interval_s >= DAY_S)


def raw(window: BarWindow, benchmark: BarWindow, interval_s: int = DAY_S) -> dict[str, float]:
    """The features before transform and clip, by name."""
    values = kernels.measure(
        bars_of(window, interval_s), len(window), bars_of(benchmark, interval_s), len(benchmark)
    )
    return {feature.name: float(value) for feature, value in zip(MARKET, values, strict=True)}


def part(window: BarWindow, first: int, end: int) -> BarWindow:
    names = BarWindow.__dataclass_fields__
    return BarWindow(*(getattr(window, name)[first:end] for name in names))


def test_a_view_shows_what_features_look_at() -> None:
    assert VIEW_BARS >= MARKET_WINDOW
    assert BENCHMARK_VIEW_BARS >= BENCHMARK_WINDOW


seeds = st.integers(0, 2**32 - 1)


def test_the_table_is_the_roadmaps() -> None:
    assert Counter(f.group for f in FEATURES) == {"account": 3, "market": 20, "catalyst": 10}
    assert len({f.name for f in FEATURES}) == len(FEATURES) == 33
    assert all(f.low <= f.neutral <= f.high for f in FEATURES)
    assert all(2 <= f.needs <= f.bars <= MARKET_WINDOW for f in MARKET)
    assert all(f.bars <= BENCHMARK_WINDOW for f in MARKET if f.source == "benchmark bars")


@given(seeds)
def test_standard_indicators_equal_ta_lib_on_the_same_window(seed: int) -> None:
    window = part(random_window(seed, LENGTH), LENGTH - 100, LENGTH)
    high, low, close = window.high, window.low, window.close
    found = raw(window, window)
    assert found["atr_fraction"] * close[-1] == pytest.approx(
        talib.ATR(high, low, close, timeperiod=14)[-1], abs=1e-9
    )
    assert found["rsi"] * 50 + 50 == pytest.approx(talib.RSI(close, timeperiod=14)[-1], abs=1e-9)
    assert found["macd"] * close[-1] == pytest.approx(talib.MACD(close)[2][-1], abs=1e-9)
    upper, middle, _ = talib.BBANDS(close, timeperiod=20, nbdevup=2, nbdevdn=2)
    position = (close[-1] - middle[-1]) / (upper[-1] - middle[-1])
    assert found["bollinger"] == pytest.approx(position, abs=1e-9)
    assert found["return_20"] == pytest.approx(talib.ROCP(close, timeperiod=20)[-1], abs=1e-9)
    assert found["high_distance"] == pytest.approx(close[-1] / talib.MAX(high, 100)[-1] - 1)


@given(seeds)
def test_beta_is_the_slope_of_the_regression(seed: int) -> None:
    window, benchmark = random_window(seed, 80), random_window(seed + 1, 80)
    own, market = (np.diff(w.close[-61:]) / w.close[-61:-1] for w in (window, benchmark))
    slope = np.polyfit(market, own, 1)[0]
    assert raw(window, benchmark)["beta"] == pytest.approx(slope, rel=1e-6)


def test_strength_is_measured_between_the_same_times() -> None:
    window, benchmark = random_window(1, 80), random_window(2, 80)
    late = part(benchmark, 0, 79)  # the benchmark has no newest bar yet
    market = late.close[-1] / late.close[-20] - 1
    own = window.close[-1] / window.close[-21] - 1
    assert raw(window, late)["relative_strength"] == pytest.approx(own - market)


def test_a_known_spread_is_found() -> None:
    rng = np.random.default_rng(5)
    found = []
    for seed in range(60):
        middle = 50.0 + np.cumsum(rng.normal(0, 0.02, size=(21, 200)).reshape(-1))
        side = rng.choice([-1.0, 1.0], size=middle.shape)
        traded = (middle * (1 + side * 0.005)).reshape(21, 200)  # half a spread of 100 bps
        base = random_window(seed, 21)
        window = BarWindow(
            base.opened_at,
            base.closed_at,
            traded[:, 0],
            traded.max(axis=1),
            traded.min(axis=1),
            traded[:, -1],
            base.volume,
        )
        found.append(raw(window, window)["spread_bps"])
    assert 85 < np.median(found) < 115


@pytest.mark.parametrize("interval_s", INTERVALS)
@pytest.mark.parametrize("feature", MARKET, ids=lambda f: f.name)
def test_a_feature_sees_its_window_and_nothing_before(feature: Feature, interval_s: int) -> None:
    window, benchmark = (random_window(s, LENGTH, interval_s=interval_s) for s in (3, 4))
    other = random_window(5, LENGTH, interval_s=interval_s)
    before = raw(window, benchmark, interval_s)[feature.name]

    def changed(known: int) -> float:
        """The value when all but the last `known` bars of its source are others."""
        parts = [
            BarWindow(
                w.opened_at,
                w.closed_at,
                *(
                    np.concatenate([getattr(other, n)[:-known], getattr(w, n)[-known:]])
                    for n in ("open", "high", "low", "close", "volume")
                ),
            )
            for w in (window, benchmark)
        ]
        return raw(parts[0], parts[1], interval_s)[feature.name]

    known = feature.bars if feature.source != "bars and benchmark bars" else BENCHMARK_WINDOW
    assert changed(known) == before


@pytest.mark.parametrize("feature", MARKET, ids=lambda f: f.name)
def test_too_few_bars_are_neutral_and_enough_are_measured(feature: Feature) -> None:
    window, benchmark = random_window(6, LENGTH), random_window(7, LENGTH)
    row = MARKET.index(feature)

    def value(count: int) -> float:
        cut = (part(w, LENGTH - count, LENGTH) for w in (window, benchmark))
        return market_features(*cut, bar_interval_s=DAY_S)[row]

    assert value(feature.needs - 1) == feature.neutral
    if feature.name not in {"regime", "spread_bps"}:  # these may well say "nothing"
        assert value(feature.needs) != feature.neutral


@given(seeds, st.sampled_from(INTERVALS), st.integers(1, 80))
def test_the_future_moves_no_bit(seed: int, interval_s: int, cut: int) -> None:
    window, benchmark = (random_window(seed + k, LENGTH, interval_s=interval_s) for k in (0, 1))
    end = LENGTH - cut
    rows = np.empty((2, len(MARKET)))
    for row in rows:
        bars, market = bars_of(window, interval_s), bars_of(benchmark, interval_s)
        kernels.write_row(bars, end, market, end, row)
        for column in ("open", "high", "low", "close", "volume"):
            for each in (window, benchmark):
                getattr(each, column)[end:] *= 3.0
        window, benchmark = part(window, 0, LENGTH), part(benchmark, 0, LENGTH)
    assert rows[0].tobytes() == rows[1].tobytes()


@given(seeds, st.sampled_from(INTERVALS), st.integers(1, LENGTH), st.booleans())
def test_views_and_arrays_give_the_same_bits(
    seed: int, interval_s: int, end: int, is_coarse: bool
) -> None:
    window, benchmark = (
        random_window(seed + k, LENGTH, interval_s=interval_s, is_coarse=is_coarse) for k in (0, 1)
    )
    row = np.empty(len(MARKET))
    kernels.write_row(bars_of(window, interval_s), end, bars_of(benchmark, interval_s), end, row)
    live = market_features(part(window, 0, end), part(benchmark, 0, end), bar_interval_s=interval_s)
    assert np.array(live).tobytes() == row.tobytes()


@given(seeds, st.sampled_from(INTERVALS), st.booleans())
def test_values_are_finite_and_in_range(seed: int, interval_s: int, is_coarse: bool) -> None:
    window, benchmark = (
        random_window(seed + k, LENGTH, interval_s=interval_s, is_coarse=is_coarse) for k in (0, 1)
    )
    for value, feature in zip(
        market_features(window, benchmark, bar_interval_s=interval_s), MARKET, strict=True
    ):
        assert feature.low <= value <= feature.high


def test_nothing_known_is_neutral() -> None:
    nothing = part(random_window(1, 5), 0, 0)
    assert market_features(nothing, nothing, bar_interval_s=300) == NEUTRAL


def test_the_night_counts_for_daily_bars_only() -> None:
    window = random_window(8, 90, interval_s=300)
    jump = np.where(np.arange(90) >= window.session_start, 2.0, 1.0)
    jumped = BarWindow(
        window.opened_at,
        window.closed_at,
        *(getattr(window, n) * jump for n in ("open", "high", "low", "close")),
        window.volume,
    )
    calm, after = raw(window, window, 300), raw(jumped, jumped, 300)
    assert after["benchmark_volatility"] == pytest.approx(calm["benchmark_volatility"])
    assert after["gap"] == pytest.approx(2 * (1 + calm["gap"]) - 1)
    assert raw(jumped, jumped, DAY_S)["volatility"] > 5 * calm["volatility"]


def test_regimes() -> None:
    quiet = random_window(9, 100)
    names = BarWindow.__dataclass_fields__

    def scaled(factor: np.ndarray) -> BarWindow:
        flat = {n: np.full(100, 100.0) * factor for n in ("open", "high", "low", "close")}
        return BarWindow(*(flat.get(n, getattr(quiet, n)) for n in names))

    ramp = np.linspace(0.9, 1.1, 100)
    burst = np.where(np.arange(100) < 95, 1.0, 1.0 + 0.05 * (np.arange(100) % 2))
    said = [raw(quiet, scaled(f))["regime"] for f in (ramp, ramp[::-1], np.ones(100), burst)]
    assert said == [kernels.BULL, kernels.BEAR, kernels.NEUTRAL, kernels.STRESSED]


def test_a_changed_formula_has_a_number_of_its_own() -> None:
    """When this fails, raise `FORMULAS` and write the new values: models of old ones are void."""
    window, benchmark = random_window(10, LENGTH), random_window(11, LENGTH)
    values = market_features(window, benchmark, bar_interval_s=DAY_S)
    assert FORMULAS == 1
    assert values == pytest.approx(KNOWN, rel=1e-9)
