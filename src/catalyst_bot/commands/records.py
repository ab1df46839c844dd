"""What a journal says about the trading: `portfolio`, `trades`, `compare`."""

# ruff: noqa: PLC0415, PLR0917  # typer: a parameter per flag; quick --help

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import DAY, Config, DataDir, Journal, Json, settings_of
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.errors import ConfigError

if TYPE_CHECKING:
    from catalyst_bot.storage.places import Place
    from catalyst_bot.storage.read_model import ReadModel

From = Annotated[
    datetime | None, typer.Option("--from", formats=DAY, help="first day, in New York")
]
To = Annotated[datetime | None, typer.Option("--to", formats=DAY, help="last day, included")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("portfolio")(portfolio)
    app.command("trades")(trades)
    app.command("compare")(compare_journals)


def portfolio(
    start: From = None,
    end: To = None,
    journal: Journal = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Show equity, returns, drawdown, win rate, slippage and fill rate, of all or of a period."""

    def action() -> int:
        from catalyst_bot.monitoring.journal_source import performance_of
        from catalyst_bot.monitoring.portfolio_text import performance_dict, portfolio_text
        from catalyst_bot.storage.read_model import ReadModel

        since, until = _period(start, end)
        with ReadModel(_chosen(journal, data_dir, config)) as model:
            measured = performance_of(model, since=since, until=until)
        if json_:
            console.write_json(performance_dict(measured), json_)
        else:
            console.say(portfolio_text(measured))
        return console.OK

    console.guarded(action)


def trades(
    start: From = None,
    end: To = None,
    symbol: Annotated[str | None, typer.Option(help="only this symbol")] = None,
    strategy: Annotated[str | None, typer.Option(help="only this strategy")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="only the newest")] = None,
    csv: Annotated[Path | None, typer.Option(help="write CSV here")] = None,
    parquet: Annotated[Path | None, typer.Option(help="write Parquet here")] = None,
    json_: Json = "",
    journal: Journal = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """List round trips by day of entry, or write them to a file, exactly."""

    def action() -> int:
        from catalyst_bot.monitoring.portfolio_text import TRADE_HEADER, trade_rows
        from catalyst_bot.storage import exports
        from catalyst_bot.storage.read_model import ReadModel
        from catalyst_bot.storage.trade_log import TradeFilter

        since, until = _period(start, end)
        chosen = TradeFilter(
            start=since,
            end=until,
            symbol=symbol.upper() if symbol else None,
            strategy_id=strategy,
            limit=limit,
        )
        place = _chosen(journal, data_dir, config)
        with ReadModel(place) as model:
            found = model.trade_log(chosen)
        if csv is not None:
            with console.writing("--csv", csv):
                exports.write_csv(found, csv)
        if parquet is not None:
            with console.writing("--parquet", parquet):
                exports.write_parquet(found, parquet)
        if json_:
            console.write_json(found, json_)
        is_written = csv is not None or parquet is not None or json_ not in {"", "-"}
        if not found:
            console.note(f"no trade in {place} is like that")
        if is_written:
            console.note(f"{len(found)} trades written")
        elif not json_ and found:
            console.say(console.table(trade_rows(found), header=TRADE_HEADER))
        return console.OK

    console.guarded(action)


def compare_journals(
    paper: Annotated[str, typer.Argument(help="journal of paper trading")],
    backtest: Annotated[str, typer.Argument(help="journal of its backtest")],
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Hold paper trading against its backtest; exit code 7 when a threshold is missed."""

    def action() -> int:
        from catalyst_bot.monitoring.comparison import compare, comparison_text
        from catalyst_bot.storage.read_model import ReadModel

        places = [_chosen(name, data_dir, config) for name in (paper, backtest)]
        with ReadModel(places[0]) as ours, ReadModel(places[1]) as theirs:
            _must_be_backtest(theirs)
            found = compare(ours, theirs)
        if json_:
            console.write_json(found.as_dict(), json_)
        else:
            console.say(comparison_text(found))
        return console.OK if found.is_met else console.REFUSED

    console.guarded(action)


def _must_be_backtest(model: ReadModel) -> None:
    """Raise `ConfigError` for a journal of anything else: it would be measured against itself."""
    status = model.status()
    if status is None or status["mode"] != Mode.BACKTEST:
        told = "no run" if status is None else f"a run in mode {status['mode']}"
        raise ConfigError(
            f"BACKTEST {model.place}: is the journal of {told}; name the journal of paper trading "
            "first, and that of its backtest after it"
        )


def _chosen(journal: str | None, data_dir: Path | None, config: Path | None) -> Place:
    from catalyst_bot.bootstrap import journals

    return journals.chosen(settings_of(data_dir, config), journal)


def _period(
    start: datetime | None, end: datetime | None
) -> tuple[datetime | None, datetime | None]:
    """From midnight in New York to midnight after the last day: no session is cut in two.

    Raises `ConfigError` for a period that ends before it begins.
    """
    if start is not None and end is not None and start > end:
        raise ConfigError(
            f"--from {start.date()}: is later than --to {end.date()}; give the first day first"
        )
    first = _midnight(start.date()) if start is not None else None
    return first, _midnight(end.date() + timedelta(days=1)) if end is not None else None


def _midnight(day: date) -> datetime:
    from catalyst_bot.market_data.calendar_table import NEW_YORK

    return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)
