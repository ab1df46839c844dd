"""What a history takes, what it leaves out and why, and that it knows no future."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData
from catalyst_bot.history.adjustment import forward_factor, unexplained_jumps
from catalyst_bot.history.build import HistoryRules, build_panel
from catalyst_bot.history.gates import Gate
from catalyst_bot.history.panel import COLUMNS, Panel, open_panel, write_panel
from catalyst_bot.history.splits import Gap, walk_forward
from tests.unit.history.market import COUNT, SESSIONS, catalog_of, daily

RULES = HistoryRules(benchmark="SPY")


def built(folder: Path, *frames: pl.DataFrame) -> Panel:
    market = pl.concat([daily("SPY", 99), *frames])
    return build_panel(catalog_of(folder, {"bars": market}), SESSIONS, RULES)


def scaled(frame: pl.DataFrame, columns: tuple[str, ...], first: int, by: float) -> pl.DataFrame:
    """The frame with some columns multiplied from a row on."""
    late = pl.int_range(pl.len()) >= first
    return frame.with_columns(
        pl.when(late).then(pl.col(name) * by).otherwise(pl.col(name)) for name in columns
    )


PRICES = ("open", "high", "low", "close")


def test_a_history_holds_what_was_imported(tmp_path: Path) -> None:
    acme = daily("ACME")
    panel = built(tmp_path, acme)
    assert panel.symbols == ("ACME", "SPY")
    window = panel.as_traded("ACME")
    assert np.array_equal(window.close, acme["close"].to_numpy())
    assert np.array_equal(panel.adjusted("ACME").close, window.close)
    assert panel.card.rows == 2 * COUNT
    assert panel.card.excluded == ()
    with pytest.raises(BadData, match="NOPE"):
        panel.as_traded("NOPE")


def test_a_dividend_is_in_the_adjusted_prices_only(tmp_path: Path) -> None:
    acme = scaled(daily("ACME"), PRICES, 200, 0.98)
    panel = built(tmp_path, acme)  # adj_close does not fall: 2 % were paid out
    raw, adjusted = panel.as_traded("ACME"), panel.adjusted("ACME")
    assert np.array_equal(raw.close[:200], adjusted.close[:200])
    assert adjusted.close[200:] == pytest.approx(raw.close[200:] / 0.98)
    assert adjusted.volume * adjusted.close == pytest.approx(raw.volume * raw.close)


def test_a_split_that_the_vendor_adjusted_is_taken(tmp_path: Path) -> None:
    acme = scaled(scaled(daily("ACME"), PRICES, 150, 0.5), ("volume",), 150, 2.0)
    panel = built(tmp_path, acme)
    assert panel.symbols == ("ACME", "SPY")
    assert np.abs(np.diff(np.log(panel.adjusted("ACME").close))).max() < 0.1


def no_adjusted(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(adj_close=pl.col("close"))


BROKEN = {
    Gate.TOO_LITTLE_HISTORY: daily("ACME", count=100),
    Gate.MISSING_BARS: daily("ACME").filter(pl.int_range(pl.len()) % 8 != 3),
    Gate.ZERO_VOLUME: daily("ACME").with_columns(
        volume=pl.when(pl.int_range(pl.len()) % 3 == 0).then(0.0).otherwise(pl.col("volume"))
    ),
    Gate.BAD_ADJUSTMENT: daily("ACME").with_columns(
        adj_close=pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise(pl.col("adj_close"))
    ),
    Gate.UNADJUSTED_SPLIT: no_adjusted(
        scaled(scaled(daily("ACME"), PRICES, 150, 1 / 7), ("volume",), 150, 7.0)
    ),
}


@pytest.mark.parametrize("gate", Gate)
def test_what_is_not_good_enough_is_left_out_by_name(tmp_path: Path, gate: Gate) -> None:
    panel = built(tmp_path, BROKEN[gate], daily("ZETA", 2))
    assert panel.symbols == ("SPY", "ZETA")
    assert [(e.symbol, e.gate) for e in panel.card.excluded] == [("ACME", gate)]
    assert f"{gate}: 1 (ACME" in panel.card.render()


def test_a_crash_on_news_is_no_split(tmp_path: Path) -> None:
    crash = scaled(daily("ACME"), PRICES, 150, 0.5)
    crash = no_adjusted(
        crash.with_columns(
            volume=pl.when(pl.int_range(pl.len()) == 150)
            .then(pl.col("volume") * 30)
            .otherwise(pl.col("volume"))
        )
    )
    assert built(tmp_path, crash).symbols == ("ACME", "SPY")


def test_a_bad_print_is_found_whatever_its_size() -> None:
    close = np.full(50, 10.0)
    close[30] = 54.0
    assert 31 in unexplained_jumps(close, close, np.full(50, 1e5))


def test_a_benchmark_that_fails_refuses_everything(tmp_path: Path) -> None:
    market = pl.concat([daily("SPY", count=100), daily("ACME")])
    with pytest.raises(BadData, match=r"benchmark SPY .*too_little_history"):
        build_panel(catalog_of(tmp_path, {"bars": market}), SESSIONS, RULES)


def test_no_benchmark_no_bars_and_nothing_left_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no bars of the benchmark"):
        build_panel(catalog_of(tmp_path / "a", {"bars": daily("ACME")}), SESSIONS, RULES)
    with pytest.raises(BadData, match="no bars of 86400 s"):
        build_panel(tmp_path / "nothing", SESSIONS, RULES)
    with pytest.raises(BadData, match="besides the benchmark: ACME too_little_history"):
        built(tmp_path / "b", daily("ACME", count=50))


def test_a_symbol_comes_from_one_file(tmp_path: Path) -> None:
    first = pl.concat([daily("SPY", 99), daily("ACME", 1)])
    catalog = catalog_of(tmp_path, {"one": first, "two": pl.concat([daily("ACME", 5), daily("B")])})
    panel = build_panel(catalog, SESSIONS, RULES)
    assert np.array_equal(panel.as_traded("ACME").close, daily("ACME", 1)["close"].to_numpy())
    assert [(s.symbols, s.unused) for s in panel.card.sources] == [(2, 0), (1, 1)]
    assert any("several files" in flaw for flaw in panel.card.flaws)


def two_files(folder: Path, *files: pl.DataFrame) -> Panel:
    named = {f"file{number}": each for number, each in enumerate(files)}
    return build_panel(catalog_of(folder, named), SESSIONS, RULES)


@settings(max_examples=25)
@given(first=st.integers(0, 200), shared=st.integers(0, 60), dividend=st.integers(1, COUNT - 1))
def test_files_that_follow_each_other_are_one_history(
    tmp_path_factory: pytest.TempPathFactory, first: int, shared: int, dividend: int
) -> None:
    whole = pl.concat([daily("SPY", 99), scaled(daily("ACME"), PRICES, dividend, 0.98)])
    row = pl.int_range(pl.len()).over("symbol")
    early, late = whole.filter(row < first + shared + 1), whole.filter(row >= first)
    # The later file was adjusted by who knew of later dividends: its adjusted closes are lower.
    late = late.with_columns(pl.col("adj_close") * 0.9)
    one = two_files(tmp_path_factory.mktemp("one"), whole)
    for files in ((early, late), (late, early)):
        joined = two_files(tmp_path_factory.mktemp("two"), *files)
        assert joined.card.excluded == ()
        for name in COLUMNS[:-1]:
            assert np.array_equal(joined.columns[name], one.columns[name]), name
        assert joined.columns["factor"] == pytest.approx(one.columns["factor"])


def test_a_dividend_between_two_files_is_not_known(tmp_path: Path) -> None:
    whole = pl.concat([daily("SPY", 99), scaled(daily("ACME"), PRICES, 200, 0.98)])
    row = pl.int_range(pl.len()).over("symbol")
    panel = two_files(tmp_path, whole.filter(row < 200), whole.filter(row >= 200))
    assert set(panel.columns["factor"]) == {1.0}
    assert any("2 symbols are joined" in flaw for flaw in panel.card.flaws)
    assert panel.span("ACME").source == "file0.parquet + file1.parquet"
    assert [(s.symbols, s.unused) for s in panel.card.sources] == [(2, 0), (2, 0)]


@pytest.mark.parametrize(
    ("columns", "by", "first"),
    [(PRICES, 1 / 1.5, 250), (PRICES, 1.0, 262)],
    ids=["other shares", "another stock of the name"],
)
def test_what_does_not_go_on_is_left_out(
    tmp_path: Path, columns: tuple[str, ...], by: float, first: int
) -> None:
    early = pl.concat([daily("SPY", 99), daily("ACME", count=255)])
    late = scaled(daily("ACME"), columns, 0, by)[first:].with_columns(adj_close=pl.col("close"))
    late = late.with_columns(pl.col("date").dt.offset_by("15d")) if first > 255 else late
    panel = two_files(tmp_path, early, pl.concat([late, daily("ZETA", 2)]))
    assert np.array_equal(panel.as_traded("ACME").close, early["close"].to_numpy()[COUNT:])
    assert panel.card.sources[1].unused == 1


def test_bars_of_another_length_are_named(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, {"bars": daily("ACME")})
    with pytest.raises(BadData, match="no bars of 300 s, but of 86400 s: --interval 86400"):
        build_panel(catalog, SESSIONS, HistoryRules(benchmark="SPY", interval_s=300))


def test_who_stopped_trading_is_said(tmp_path: Path) -> None:
    panel = built(tmp_path, daily("GONE", count=290), daily("ACME"))
    assert [span.symbol for span in panel.card.spans if span.is_gone] == ["GONE"]
    assert panel.card.survivorship.startswith("1 of 3 symbols stopped trading")


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    panel = built(tmp_path / "in", daily("ACME"))
    write_panel(tmp_path / "out", panel)
    found = open_panel(tmp_path / "out")
    assert found.card == panel.card
    assert found.features is None
    assert found.events.equals(panel.events)
    assert found.ask_values.shape == (0, 10)
    for name in COLUMNS:
        assert np.array_equal(found.columns[name], panel.columns[name])
    with pytest.raises(BadData, match="is there already"):
        write_panel(tmp_path / "out", panel)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("damage", ["no card", "words", "version", "short", "pickle"])
def test_a_damaged_history_is_refused(tmp_path: Path, damage: str) -> None:
    out = tmp_path / "out"
    write_panel(out, built(tmp_path / "in", daily("ACME")))
    card = out / "card.json"
    if damage == "no card":
        card.unlink()
    elif damage == "words":
        card.write_text("words")
    elif damage == "version":
        card.write_text(json.dumps(json.loads(card.read_text()) | {"version": 99}))
    elif damage == "short":
        np.save(out / "close.npy", np.ones(3))
    else:
        np.save(out / "close.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(BadData):
        open_panel(out)


closes = st.lists(st.floats(1.0, 500.0), min_size=5, max_size=60)


@given(closes, st.integers(1, 4), st.floats(0.1, 10.0))
def test_no_later_adjustment_changes_an_earlier_factor(
    close: list[float], cut: int, by: float
) -> None:
    raw = np.array(close)
    adjusted = raw * np.linspace(0.5, 1.0, len(raw))
    before = forward_factor(raw, adjusted)
    changed = adjusted.copy()
    changed[cut:] *= by
    assert forward_factor(raw, changed)[:cut].tobytes() == before[:cut].tobytes()
    rescaled = forward_factor(raw, adjusted * 0.25)  # a later split: the vendor rewrites all
    assert rescaled.tobytes() == before.tobytes()


def test_sessions_are_numbered_by_the_benchmark(tmp_path: Path) -> None:
    panel = built(tmp_path, daily("ACME").slice(20))
    days = panel.days()
    assert (days[0], len(days)) == (daily("SPY")["date"][0], COUNT)
    assert panel.session_of("SPY").tolist() == list(range(COUNT))
    assert panel.session_of("ACME").tolist() == list(range(20, COUNT))
    for fold in walk_forward(days, Gap(horizon=5), train_months=6):
        assert days[fold.train[-1]] < days[fold.test[0]]


def test_the_same_data_have_the_same_hash(tmp_path: Path) -> None:
    one, two, other = (
        built(tmp_path / name, daily("ACME", seed)).card.data_hash
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert one == two != other
