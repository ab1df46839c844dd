from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.trading import stop_leg_id
from catalyst_bot.storage import exports
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.read_model import ReadModel
from catalyst_bot.storage.trade_log import TradeFilter
from catalyst_bot.storage.views import LoggedTrade
from tests import builders as b
from tests.unit.storage.stories import closed_trade, entry_order, fill, record, to_intent, to_order

HALF_A_SECOND = timedelta(seconds=0.5)


def a_trade(
    title: str,
    symbol: str,
    strategy: str,
    entered: datetime,
    *,
    is_closed: bool = True,
    pnl: str = "-229.81",
) -> list[Message]:
    """One round trip from headline to stop, entered at a time."""
    order = replace(
        entry_order(title),
        client_order_id=f"cb-{title}",
        trade_id=f"trd-{title}",
        symbol=symbol,
        strategy_id=strategy,
    )
    position = b.position(
        trade_id=order.trade_id,
        catalyst_id=order.catalyst_id,
        strategy_id=strategy,
        symbol=symbol,
        opened_at=entered,
    )
    told: list[Message] = [
        *to_intent(title),
        *to_order(order),
        fill(order.client_order_id, symbol=symbol, fill_id=f"in-{title}"),
        d.PositionOpened(position=position),
    ]
    if is_closed:
        done = closed_trade(order).trade
        out = fill(
            stop_leg_id(order.client_order_id),
            symbol=symbol,
            side=Side.SELL,
            price=Decimal("97.00"),
            fill_id=f"out-{title}",
        )
        told += [
            out,
            d.PositionClosed(
                trade=replace(
                    done,
                    symbol=symbol,
                    entry_at=entered,
                    exit_at=entered + timedelta(hours=2),
                    pnl_usd=Decimal(pnl),
                )
            ),
        ]
    return told


@pytest.fixture
def model(place: Place) -> Iterator[ReadModel]:
    with SqlJournal(place, durable=False) as journal:
        for told in (
            a_trade("one", "ACME", "news-rule", b.OPEN),
            a_trade("two", "ZETA", "news-rule", b.OPEN + timedelta(days=1)),
            a_trade("three", "ACME", "other", b.NOON + HALF_A_SECOND),
            a_trade("four", "ZETA", "other", b.NOON + timedelta(days=2), is_closed=False),
        ):
            journal.append(record(told, after_seq=journal.last_seq()))
    with ReadModel(place) as opened:
        yield opened


def chosen(model: ReadModel, **given: Any) -> list[str]:
    found = model.trade_log(TradeFilter(**given))
    return [trade["trade_id"].removeprefix("trd-") for trade in found]


def test_all_trades_come_in_the_order_of_their_entry(model: ReadModel):
    assert chosen(model) == ["one", "three", "two", "four"]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"symbol": "ACME"}, ["one", "three"]),
        ({"strategy_id": "other"}, ["three", "four"]),
        ({"symbol": "ACME", "strategy_id": "other"}, ["three"]),
        ({"symbol": "NONE"}, []),
        ({"limit": 2}, ["three", "four"]),  # the newest are those that were written last
        ({"start": b.OPEN}, ["one", "three", "two", "four"]),
        ({"start": b.OPEN + timedelta(microseconds=1)}, ["three", "two", "four"]),
        ({"end": b.OPEN}, []),
        ({"start": b.NOON, "end": b.NOON + timedelta(seconds=1)}, ["three"]),
        ({"start": b.NOON + HALF_A_SECOND, "end": b.CLOSE}, ["three"]),
        ({"end": b.NOON + HALF_A_SECOND}, ["one"]),
    ],
)
def test_trades_are_chosen(model: ReadModel, given: dict[str, Any], names: list[str]):
    assert chosen(model, **given) == names


def test_a_trade_tells_what_its_execution_cost(model: ReadModel):
    trade = model.trade_log(TradeFilter(symbol="ACME"))[0]
    assert trade["decision_price"] == "100"
    assert trade["ordered_quantity"] == "100"
    assert trade["category"] == "fda_approval"
    assert trade["holding_s"] == 7200.0
    assert trade["entry_slippage_bps"] == pytest.approx(10)
    assert trade["exit_slippage_bps"] == pytest.approx(0.6 / 97.6 * 1e4)
    still_open = model.trade_log(TradeFilter(strategy_id="other"))[-1]
    assert still_open["exit_slippage_bps"] is still_open["holding_s"] is None


def test_csv_holds_exactly_what_the_log_says(model: ReadModel, tmp_path: Path):
    trades = model.trade_log(TradeFilter())
    file = tmp_path / "trades.csv"
    exports.write_csv(trades, file)
    with file.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [*rows[0]] == [*exports.COLUMNS]
    for row, trade in zip(rows, trades, strict=True):
        for name in exports.COLUMNS:
            value = json.dumps(trade["votes"]) if name == "votes" else dict(trade)[name]
            assert row[name] == ("" if value is None else str(value))
    assert [*tmp_path.glob("*.part")] == []


def test_parquet_holds_decimals_and_times(model: ReadModel, tmp_path: Path):
    trades = model.trade_log(TradeFilter())
    file = tmp_path / "trades.parquet"
    exports.write_parquet(trades, file)
    frame = pl.read_parquet(file)
    assert frame.columns == [*exports.COLUMNS]
    for row, trade in zip(frame.iter_rows(named=True), trades, strict=True):
        for name, sort in exports.COLUMNS.items():
            told = dict(trade)[name]
            if told is None or name == "votes":
                assert row[name] is None or name == "votes"
            elif sort is exports.Sort.DECIMAL:
                assert isinstance(row[name], Decimal)
                assert row[name] == Decimal(told)
            elif sort is exports.Sort.TIME:
                assert row[name] == datetime.fromisoformat(told).astimezone(UTC)
            else:
                assert row[name] == told
    assert frame.schema["pnl_usd"] == pl.Decimal(38, 2)


def logged(**given: Any) -> LoggedTrade:
    values: dict[str, Any] = dict.fromkeys(exports.COLUMNS) | {"votes": []}
    values |= {"trade_id": "t", "entry_at": "2025-10-06T16:00:00Z"} | given
    found: LoggedTrade = values  # type: ignore[assignment]
    return found


@pytest.mark.parametrize(
    "amounts",
    [
        ["0.1", "1234567890123456789.01", "-0.000000001"],
        ["0", "-5"],
        ["1E+3", "0E-8"],
        ["0.000000000000000000000000000001"],
        [None],
    ],
)
def test_every_decimal_survives_parquet(amounts: list[str | None], tmp_path: Path):
    file = tmp_path / "t.parquet"
    exports.write_parquet([logged(pnl_usd=amount) for amount in amounts], file)
    read = pl.read_parquet(file)["pnl_usd"].to_list()
    assert read == [None if amount is None else Decimal(amount) for amount in amounts]


def test_what_parquet_cannot_hold_is_refused_and_nothing_is_left(tmp_path: Path):
    with pytest.raises(BadData, match=r"pnl_usd needs 41 digits.*--csv"):
        exports.write_parquet([logged(pnl_usd="1" + "0" * 30 + "." + "1" * 10)], tmp_path / "t")
    assert [*tmp_path.iterdir()] == []


def test_no_trade_is_still_a_file_with_its_columns(tmp_path: Path):
    exports.write_csv([], tmp_path / "t.csv")
    exports.write_parquet([], tmp_path / "t.parquet")
    assert (tmp_path / "t.csv").read_text().strip() == ",".join(exports.COLUMNS)
    frame = pl.read_parquet(tmp_path / "t.parquet")
    assert (frame.height, frame.columns) == (0, [*exports.COLUMNS])


def test_titles_with_commas_quotes_and_newlines_come_back(tmp_path: Path):
    title = 'A, "B"\nC; \u2028 ü'
    exports.write_csv([logged(headline_title=title)], tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as handle:
        assert next(csv.DictReader(handle))["headline_title"] == title
