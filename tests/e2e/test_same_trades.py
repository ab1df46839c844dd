"""Two real days: the bot at the exchange, over HTTP and sockets, trades as it does in a replay."""

from __future__ import annotations

from pathlib import Path

from tools.same_trades import Days, differences, run_twice


def test_the_exchange_gives_the_trades_of_the_replay(shared_data: Path, tmp_path: Path) -> None:
    days = Days(
        bars=[shared_data / "prices" / "bars_5m_2025.parquet"],
        news=[
            shared_data / "news" / "stocknewsapi_2025-10.jsonl.zst",
            shared_data / "news" / "sec_filings_2025-10.jsonl.zst",
        ],
        first="2025-10-20",
        last="2025-10-21",
    )
    found = run_twice(days, tmp_path)
    assert found["differences"] == []
    assert found["trades"][0] >= 2, "days on which nothing is traded show nothing"
    assert found["funnels_equal"]
    assert found["equity_end"][0] == found["equity_end"][1]


def test_a_trade_that_only_one_has_is_a_difference() -> None:
    trade = {"symbol": "AAPL", "pnl_usd": "1.00"}
    assert differences([trade], [trade]) == []
    assert differences([trade], []) == [
        {"trade": 1, "symbol": ["AAPL", None], "pnl_usd": ["1.00", None]}
    ]
    assert differences([trade], [{**trade, "pnl_usd": "1.01"}]) == [
        {"trade": 1, "pnl_usd": ["1.00", "1.01"]}
    ]
