"""`catalyst-bot study …`: what news was worth, and what to change because of it."""

# ruff: noqa: FBT002, PLC0415, PLR0917  # typer: a parameter per flag; quick --help

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalyst_bot import console
from catalyst_bot.commands.flags import Config, DataDir, Json, settings_of

if TYPE_CHECKING:
    from catalyst_bot.bootstrap.reviewing import Shown

app = typer.Typer(help="What news was worth: evidence, records, changes.", no_args_is_help=True)

Bars = Annotated[list[Path], typer.Option("--bars", help="bar files or a catalog")]
News = Annotated[list[Path] | None, typer.Option("--news", help="news files")]
Markdown = Annotated[Path | None, typer.Option("--markdown", help="write a page here")]
From = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="first day")]
To = Annotated[
    datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="last day, included")
]
Propose = Annotated[Path | None, typer.Option("--propose", help="write a proposal here")]
By = Annotated[str, typer.Option("--by", help="who decides")]
Why = Annotated[str, typer.Option("--reason", help="why")]
Tickers = Annotated[
    Path | None, typer.Option(help="SEC company_tickers; default: detection.tickers_file")
]


class Model(StrEnum):
    """What a return is held against."""

    EXCESS = "excess"
    MARKET = "market"


@app.command("events")
def events(
    bars: Bars,
    news: News = None,
    scan: Annotated[bool, typer.Option("--scan", help="study the scanner's hits, too")] = False,
    start: From = None,
    end: To = None,
    model: Annotated[Model, typer.Option(help="excess: beta 1; market: beta fitted")] = (
        Model.EXCESS
    ),
    tickers: Tickers = None,
    seed: Annotated[int, typer.Option(min=0, help="of the bootstrap")] = 1,
    json_: Json = "",
    markdown: Markdown = None,
    propose: Propose = None,
    edges: Annotated[Path | None, typer.Option(help="write detection's edges.toml here")] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Measure what each category was worth: abnormal returns by horizon, bands, costs, verdicts."""

    def action() -> int:
        from catalyst_bot.bootstrap import studies
        from catalyst_bot.detection.edges import edges_text
        from catalyst_bot.study import event_report, proposals, versions
        from catalyst_bot.study.event_study import StudyRules

        _refuse_early({"--markdown": markdown, "--propose": propose, "--edges": edges})
        settings = settings_of(data_dir, config, _with_tickers(tickers))
        done = studies.event_study(
            settings,
            news=news or (),
            bars=bars,
            days=studies.period(_day(start), _day(end)),
            with_scanner=scan,
            rules=StudyRules(model=model, cost_bps=studies.cost_bps(settings.costs), seed=seed),
        )
        for line in done.notes:
            console.note(line)
        page = event_report.study_markdown(done.study, done.sample)
        told = event_report.study_dict(done.study, done.sample)
        if propose is not None:
            versions.write_proposal(propose, proposals.proposal_of(done.study, told))
        if edges is not None:
            about = event_report.title_of(done.study, done.sample)
            edges.write_text(edges_text(proposals.edges_of(done.study), about), encoding="utf-8")
        _give(told, page, json_, markdown)
        if json_ != "-" and (json_ or markdown is not None):
            console.say(event_report.summary(done.study, done.sample))
        return console.OK

    console.guarded(action)


@app.command("scan")
def scan(
    bars: Bars,
    start: From = None,
    end: To = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """List what the scanner finds in bars: gaps, unusual moves, new highs, breakouts, squeezes."""

    def action() -> int:
        from catalyst_bot.bootstrap import studies

        notes: list[str] = []
        hits = studies.scan_bars(
            settings_of(data_dir, config),
            bars=bars,
            days=studies.period(_day(start), _day(end)),
            notes=notes,
        )
        for line in notes:
            console.note(line)
        rows = [
            {
                "at": hit.at.isoformat().replace("+00:00", "Z"),
                "symbol": hit.headline.symbols[0],
                "kinds": list(hit.headline.items),
                "title": hit.headline.title,
            }
            for hit in hits
        ]
        if json_:
            console.write_json(rows, json_)
        else:
            told = [(str(row["at"]), str(row["title"])) for row in rows]
            console.say(console.table(told, header=("at", "hit")))
        return console.OK

    console.guarded(action)


@app.command("outcomes")
def outcomes(
    bars: Bars,
    journal: Annotated[
        str | None, typer.Option("--journal", "--run", help="file, name or URL; default: newest")
    ] = None,
    json_: Json = "",
    markdown: Markdown = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Follow up everything a run saw, accepted and rejected: outcomes, missed, wrongly taken."""

    def action() -> int:
        from catalyst_bot.bootstrap import journals, studies

        _refuse_early({"--markdown": markdown})
        settings = settings_of(data_dir, config)
        place = journals.chosen(settings, journal)
        done = studies.outcome_study(settings, journal=place, bars=bars)
        for line in done.notes:
            console.note(line)
        _give(done.record.as_dict(), done.record.as_markdown(), json_, markdown)
        return console.OK

    console.guarded(action)


@app.command("calibrate")
def calibrate(
    labels: Annotated[list[Path], typer.Argument(help="labelled texts: JSON lines, text + label")],
    check: Annotated[
        list[Path] | None, typer.Option(help="later labelled texts, only measured")
    ] = None,
    judged: Annotated[
        Path | None, typer.Option(help="CSV item_id,label: signs a person gave to items of --check")
    ] = None,
    json_: Json = "",
    markdown: Markdown = None,
    figure: Annotated[Path | None, typer.Option(help="write the curves here, as SVG")] = None,
    propose: Propose = None,
    toml: Annotated[Path | None, typer.Option(help="write detection's calibration.toml")] = None,
) -> None:
    """Fit confidence on six tenths of labelled texts; measure it on the rest and on later ones."""

    def action() -> int:
        from catalyst_bot.bootstrap import calibrating
        from catalyst_bot.study import calibration_report, versions

        _refuse_early(
            {
                "--markdown": markdown,
                "--figure": figure,
                "--propose": propose,
                "--toml": toml,
            }
        )
        done = calibrating.calibrate(labels, check or (), judged)
        if propose is not None:
            versions.write_proposal(propose, done.proposal())
        if toml is not None:
            text = calibration_report.calibration_text(done.fitted, done.source)
            toml.write_text(text, encoding="utf-8")
        if figure is not None:
            figure.write_text(calibration_report.reliability_svg(done.after), encoding="utf-8")
        _give(done.as_dict(), done.as_markdown(), json_, markdown)
        return console.OK

    console.guarded(action)


@app.command("propose")
def propose(
    out: Annotated[Path, typer.Argument(help="proposal to write")],
    changes: Annotated[
        list[str], typer.Option("--set", help="NAME=VALUE, such as layoffs.weight=0.3")
    ],
    reason: Why,
) -> None:
    """Write a proposal by hand; studies write theirs with --propose."""

    def action() -> int:
        from catalyst_bot.bootstrap import reviewing

        _refuse_early({"OUT": out})
        console.say(reviewing.propose(out, changes, reason=reason).as_text)
        return console.OK

    console.guarded(action)


@app.command("show")
def show(
    proposal: Annotated[Path | None, typer.Argument(help="a proposal; default: history")] = None,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Show what a proposal would change, or every version that was applied, by whom and why."""

    def action() -> int:
        from catalyst_bot.bootstrap import reviewing

        folder = settings_of(data_dir, config).run.data_dir
        if proposal is None:
            _say_shown(reviewing.history(folder), json_)
        else:
            _say_shown(reviewing.preview(folder, proposal), json_)
        return console.OK

    console.guarded(action)


@app.command("apply")
def apply(
    proposal: Annotated[Path, typer.Argument(help="file of study events or study calibrate")],
    by: By,
    reason: Why,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make a proposal the newest version: the next run uses and records it."""

    def action() -> int:
        from catalyst_bot.bootstrap import reviewing

        folder = settings_of(data_dir, config).run.data_dir
        _say_shown(reviewing.apply(folder, proposal, author=by, reason=reason), json_)
        return console.OK

    console.guarded(action)


@app.command("rollback")
def rollback(
    to: Annotated[int, typer.Option("--to", min=0, help="version; 0 = as shipped")],
    by: By,
    reason: Why,
    json_: Json = "",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make an earlier version the newest again; nothing is forgotten."""

    def action() -> int:
        from catalyst_bot.bootstrap import reviewing

        folder = settings_of(data_dir, config).run.data_dir
        _say_shown(reviewing.roll_back(folder, to, author=by, reason=reason), json_)
        return console.OK

    console.guarded(action)


def _say_shown(shown: Shown, json_: str) -> None:
    if json_:
        console.write_json(shown.as_dict, json_)
    else:
        console.say(shown.as_text)


def _refuse_early(places: Mapping[str, Path | str | None]) -> None:
    """A study takes minutes: where its results cannot go is said before it."""
    for flag, path in places.items():
        console.must_be_a_file(flag, path)


def _give(value: Any, page: str, json_: str, markdown: Path | None) -> None:
    """Write what was asked for; a page on standard output when nothing was."""
    if json_:
        console.write_json(value, json_)
    if markdown is not None:
        markdown.write_text(page, encoding="utf-8")
    if not json_ and markdown is None:
        console.say(page)


def _with_tickers(tickers: Path | None) -> dict[str, str]:
    return {"detection.tickers_file": str(tickers)} if tickers is not None else {}


def _day(at: datetime | None) -> date | None:
    return at.date() if at is not None else None
