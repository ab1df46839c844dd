"""What a person asked for on the command line, turned into a replay to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from catalyst_bot.bootstrap import journals, tapes
from catalyst_bot.bootstrap.configuration import CATALOG_FOLDER, load_settings, told_by_bars
from catalyst_bot.bootstrap.feeds import feeds_of
from catalyst_bot.bootstrap.live import LiveRequest
from catalyst_bot.bootstrap.models import SHIPPED, folder_of, has_shipped
from catalyst_bot.bootstrap.modes import Loop, mode_row
from catalyst_bot.bootstrap.run import ReplayRequest
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.market import DAY_S
from catalyst_bot.market_data.generated import GeneratedMarket
from catalyst_bot.policies.model_files import read_model
from catalyst_bot.policies.rule import MODEL_ID
from catalyst_bot.settings import LoadedSettings, Settings
from catalyst_bot.storage.places import Place
from catalyst_bot.study.versions import newest

_NOTHING = (
    "nothing to run on: set feeds.sources in catalyst.toml (such as edgar, with "
    "feeds.edgar_contact), or replay recorded days with --from DAY --to DAY --bars PATH --news "
    "PATH, or try `catalyst-bot demo`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The flags of `catalyst-bot run`; None leaves the word to file, environment and default."""

    is_dry_run: bool
    mode: Mode | None = None
    broker: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    bars: Sequence[Path] = ()
    news: Sequence[Path] = ()
    model: str | None = None
    speed: float | None = None
    config: Path | None = None
    data_dir: Path | None = None
    journal: str | Path | None = None


def recorded_replay(asked: Asked, more: Mapping[str, Any] | None = None) -> ReplayRequest:
    """A replay of recorded days, with more settings (`section.key`) on top where given.

    Raises `ConfigError` naming the flag or key that is missing.
    """
    loaded = _load(asked, more)
    if loaded.settings.broker.kind == "alpaca":
        raise ConfigError(
            "broker.kind = alpaca trades by the broker's clock: leave out --from, --bars and "
            "--news, or replay with --broker embedded"
        )
    first_day, last_day = _days(asked)
    bars, news = _inputs(asked, loaded.settings)
    recording = tapes.recorded(
        loaded.settings, first_day=first_day, last_day=last_day, bars=bars, news=news
    )
    if recording.store.interval_s >= DAY_S:
        loaded = _load(asked, more, is_daily=True)
        notes = (*recording.notes, *told_by_bars(loaded))
        recording = replace(recording, notes=notes)
    return _request(asked, loaded, recording)


def live_feeds_of(asked: Asked) -> LiveRequest:
    """Following the configured feeds, to the end of the last day where one is given.

    Raises `ConfigError` when none is configured.
    """
    loaded = _load(asked)
    settings = loaded.settings
    if asked.last_day is not None and settings.broker.kind != "alpaca":
        _days(asked)
    feeds = feeds_of(settings)
    has_news = settings.broker.kind == "alpaca" and settings.feeds.alpaca_news
    _check_scanner(settings)
    if feeds.is_empty and not (has_news or settings.scanner.enabled):
        raise ConfigError(_NOTHING)
    mode, venue = settings.run.mode, settings.broker.kind
    if mode_row(mode, is_dry_run=asked.is_dry_run, venue=venue).loop is not Loop.ASYNCIO:
        raise ConfigError(f"run.mode = {mode} replays recorded days: give --from and --to")
    return LiveRequest(
        loaded=loaded,
        mode=loaded.settings.run.mode,
        is_dry_run=asked.is_dry_run,
        feeds=feeds,
        ends_at=_end_of(asked.last_day) if asked.last_day else None,
        journal=_journal(asked, settings)
        or journals.live_place(settings, _account(asked, mode, venue)),
    )


def _check_scanner(settings: Settings) -> None:
    """A scanner without prices, or with nobody to watch, would be silently deaf."""
    if not settings.scanner.enabled:
        return
    if settings.broker.kind != "alpaca":
        raise ConfigError(
            "scanner.enabled = true: there are no live prices without broker.kind = alpaca; "
            "switch it off, or replay recorded days"
        )
    if not settings.scanner.symbols:
        raise ConfigError("scanner.enabled = true: name whom to watch live in scanner.symbols")


def generated_replay(
    asked: Asked, *, seed: int, effects: float
) -> tuple[ReplayRequest, GeneratedMarket]:
    """A replay of the generated market, and the answer key of what was planted in it."""
    more = {
        "run.generated_seed": seed,
        "run.benchmark": tapes.GENERATED_BENCHMARK,
        "broker.kind": "embedded",  # nobody else trades invented companies
    }
    loaded = _load(asked, more)
    if has_shipped() and loaded.origins["run.model"] == "default":
        loaded = _load(asked, more | {"run.model": SHIPPED})
    recording, market = tapes.generated(loaded.settings, seed=seed, effects=effects)
    return _request(asked, loaded, recording), market


def _account(asked: Asked, mode: Mode, venue: str) -> str:
    """What tells journals of live accounts apart: the account in here needs no word."""
    if venue == "embedded":
        return ""
    money = "-real-money" if mode is Mode.LIVE else ""
    return f"{venue}{money}{'-dry-run' if asked.is_dry_run else ''}"


def _journal(asked: Asked, settings: Settings) -> Place | None:
    return journals.named(settings, asked.journal) if asked.journal else None


def _load(
    asked: Asked, more: Mapping[str, Any] | None = None, *, is_daily: bool = False
) -> LoadedSettings:
    """Settings with the flags that were given on top."""
    given = {"run.mode": asked.mode, "run.model": asked.model, "broker.kind": asked.broker}
    flags = {key: str(value) for key, value in given.items() if value is not None}
    place = {"config": asked.config, "data_dir": asked.data_dir}
    loaded = load_settings(**place, more={**flags, **(more or {})}, is_daily=is_daily)
    if loaded.settings.detection.changes is None:
        # The number is part of what a run records: later changes do not touch its replay.
        version = newest(loaded.settings.run.data_dir)
        settings = {**flags, **(more or {}), "detection.changes": version}
        loaded = load_settings(**place, more=settings, is_daily=is_daily)
    if loaded.settings.run.model != MODEL_ID:  # a wrong model is said before anything is opened
        read_model(folder_of(loaded.settings.run.model, loaded.settings.run.data_dir))
    return loaded


def _request(asked: Asked, loaded: LoadedSettings, recording: tapes.Recording) -> ReplayRequest:
    mode = loaded.settings.run.mode
    mode_row(mode, is_dry_run=asked.is_dry_run)
    name = f"{mode}{'-dry-run' if asked.is_dry_run else ''}-{recording.label}"
    journal = _journal(asked, loaded.settings) or journals.replay_place(
        loaded.settings,
        label=name,
        deciding=loaded.deciding_json(),
        inputs_hash=recording.inputs_hash,
    )
    return ReplayRequest(
        loaded=loaded,
        mode=loaded.settings.run.mode,
        is_dry_run=asked.is_dry_run,
        recording=recording,
        journal=journal,
        speed=asked.speed,
    )


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC) + timedelta(days=1)


def _days(asked: Asked) -> tuple[date, date]:
    if asked.first_day is None or asked.last_day is None:
        raise ConfigError("--from and --to belong together: give the first and the last day")
    return asked.first_day, asked.last_day


def _inputs(asked: Asked, settings: Settings) -> tuple[Sequence[Path], Sequence[Path]]:
    """Files given, or the catalog for what was not given."""
    catalog = settings.run.data_dir / CATALOG_FOLDER
    for path in (*asked.bars, *asked.news):
        if not path.exists():
            raise ConfigError(f"{path}: no such file or folder")
    if (not asked.bars or not asked.news) and not catalog.exists():
        missing = "--bars" if not asked.bars else "--news"
        raise ConfigError(
            f"{missing} is not given and there is no catalog in {catalog}: give the files, or "
            "import them once with `catalyst-bot data import PATH...`"
        )
    return asked.bars or (catalog,), asked.news or (catalog,)
