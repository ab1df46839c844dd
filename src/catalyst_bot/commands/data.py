"""`catalyst-bot data …`: recorded bars and news, and the history that is made of them."""

# ruff: noqa: FBT002, PLC0415, PLR0917  # typer: a parameter per flag; quick --help

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import DAY, Config, DataDir, Json, settings_of
from catalyst_bot.commands.flags import Interval as DecisionBars
from catalyst_bot.downloads.names import Interval, SourceName

if TYPE_CHECKING:
    from catalyst_bot.settings import Settings

app = typer.Typer(help="Recorded bars and news.", no_args_is_help=True)

Catalog = Annotated[Path | None, typer.Option(help="default: catalog in the data folder")]


@app.command("import")
def import_files(
    paths: Annotated[list[Path], typer.Argument(help="bar files (parquet, csv), news (jsonl.zst)")],
    catalog: Catalog = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Take files into the local catalog and report their quality."""

    def action() -> int:
        from catalyst_bot.bootstrap.imports import import_data

        report = import_data(paths, _catalog(catalog, settings_of(data_dir, config)))
        if json_:
            console.write_json(report.to_json(), json_)
        else:
            console.say(report.render())
        return console.OK if report.is_complete else console.CONFIGURATION

    console.guarded(action)


@app.command("download")
def download(
    source: Annotated[SourceName, typer.Option(help="who has them")],
    first: Annotated[datetime, typer.Option("--from", formats=DAY, help="first day")],
    last: Annotated[
        datetime | None, typer.Option("--to", formats=DAY, help="last day; default: yesterday")
    ] = None,
    symbols: Annotated[str, typer.Option(help="such as AAPL,MSFT")] = "",
    symbols_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="a text of symbols")
    ] = None,
    interval: Annotated[Interval | None, typer.Option(help="of the bars; default: 1d")] = None,
    texts: Annotated[
        bool, typer.Option("--texts", help="of filings: their texts, too, one request each")
    ] = False,
    catalog: Catalog = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Fetch bars or filings that are not here yet, and import them; goes on where it stopped."""

    def action() -> int:
        from catalyst_bot.bootstrap.downloads import DownloadRequest, run_download

        settings = settings_of(data_dir, config)
        request = DownloadRequest(
            source=source,
            catalog=_catalog(catalog, settings),
            first=first.date(),
            last=last.date() if last else None,
            symbols=symbols,
            symbols_file=symbols_file,
            interval=interval,
            has_texts=texts,
        )
        report = run_download(settings, request, tell=console.note)
        if json_:
            console.write_json(report.to_json(), json_)
        else:
            console.say(report.render())
        return console.OK if report.is_complete else console.CONFIGURATION

    console.guarded(action)


@app.command("list")
def list_datasets(
    catalog: Catalog = None, json_: Json = "", data_dir: DataDir = None, config: Config = None
) -> None:
    """List what the catalog holds."""

    def action() -> int:
        from catalyst_bot.market_data.catalog import read_catalog

        datasets = read_catalog(_catalog(catalog, settings_of(data_dir, config)))
        if json_:
            console.write_json([asdict(dataset) for dataset in datasets], json_)
        else:
            rows = [(set_.kind, set_.source, set_.file) for set_ in datasets]
            console.say(console.table(rows, header=("kind", "source", "file")))
        return console.OK

    console.guarded(action)


@app.command("history")
def history(
    out: Annotated[Path, typer.Option(help="folder to write, not there yet")],
    catalog: Catalog = None,
    interval: DecisionBars = None,
    features: Annotated[
        bool, typer.Option("--features", help="compute the market features, too (needs numba)")
    ] = False,
    scanner: Annotated[
        bool, typer.Option("--scanner", help="what the scanner finds in the bars is news, too")
    ] = False,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Build a history of the catalog for training: checked, adjusted, with events and a card."""

    def action() -> int:
        from catalyst_bot.bootstrap.decision_bars import settings_by_bars
        from catalyst_bot.bootstrap.histories import make_history

        settings, interval_s = settings_by_bars(
            config, data_dir, console.note, catalog=catalog, interval_s=interval
        )
        card = make_history(
            settings,
            catalog=_catalog(catalog, settings),
            out=out,
            interval_s=interval_s,
            with_features=features,
            with_scanner=scanner,
        )
        for line in card.missing_told:
            console.note(line)
        if json_:
            console.write_json(card.to_json(), json_)
        else:
            console.say(card.render())
        return console.OK

    console.guarded(action)


def _catalog(given: Path | None, settings: Settings) -> Path:
    from catalyst_bot.bootstrap.decision_bars import catalog_of

    return catalog_of(settings.run.data_dir, given)
