"""The local catalog: recordings that were imported, checked and named by their content.

Importing once moves every doubt about a file to one place and time: what runs later reads only
good rows, and can name exactly which data it saw. Nothing is half-written: every file appears by
a rename, the manifest last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any, Literal

import polars as pl

from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.errors import BadData
from catalyst_bot.market_data.bar_store import BarStore
from catalyst_bot.market_data.load import (
    ADJUSTED,
    VALUES,
    BarSelection,
    LoadedBars,
    Refusal,
    load_bars,
    make_store,
)
from catalyst_bot.market_data.news_files import NewsReport, check_news, write_news
from catalyst_bot.market_data.origin import Origin
from catalyst_bot.market_data.quality import QualityReport, assess
from catalyst_bot.market_data.session_times import DAY_S, SessionTimes

MANIFEST = "catalog.json"
_VERSION = 1
_BAR_SUFFIXES = (".parquet", ".csv")
_NEWS_SUFFIXES = (".jsonl", ".jsonl.zst")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One imported file: `file` is relative to the catalog, `sha256` that of the source.

    `is_adjusted` says that its bars carry closes adjusted for splits and dividends as well;
    `origin` is known of what was downloaded.
    """

    kind: Literal["bars", "news"]
    source: str
    sha256: str
    file: str
    rows: int
    interval_s: int | None
    symbols: tuple[str, ...]
    first_at: str | None
    last_at: str | None
    is_adjusted: bool = False
    origin: Origin | None = None

    def takes_the_place_of(self, other: Dataset) -> bool:
        """Tell whether the other is the same content, or what this download brought before."""
        is_again = self.origin is not None is not other.origin and self.source == other.source
        return self.sha256 == other.sha256 or is_again


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """What became of one path: `imported`, `known` (same content before) or `refused` and why."""

    path: str
    outcome: Literal["imported", "known", "refused"]
    reason: str = ""
    dataset: Dataset | None = None
    quality: QualityReport | NewsReport | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "path": self.path,
            "outcome": self.outcome,
            "reason": self.reason,
            "dataset": asdict(self.dataset) if self.dataset else None,
            "quality": self.quality.to_json() if self.quality else None,
        }

    def render(self) -> str:
        """Return a line, with the quality report below it."""
        line = f"{self.outcome}: {self.reason or self.path}"  # a reason names its file
        return f"{line}\n{self.quality.render()}" if self.quality else line


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of every path, in the order they were given."""

    files: tuple[ImportedFile, ...]

    @property
    def is_complete(self) -> bool:
        """Whether no file was refused."""
        return all(file.outcome != "refused" for file in self.files)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"files": [file.to_json() for file in self.files]}

    def render(self) -> str:
        """Return the report as text for a person."""
        return "\n".join(file.render() for file in self.files)


def import_paths(
    paths: Sequence[Path],
    catalog: Path,
    *,
    calendar: TradingCalendar,
    now: datetime,
    origin: Origin | None = None,
) -> ImportReport:
    """Take files (or folders of them) of bars and news into the catalog.

    A file that holds nothing usable is refused in the report and stops no other; the same content
    is taken once. Bars and news from after `now` are refused row by row. What has an `origin` takes
    the place of an earlier file of its name that had one, too.
    """
    sessions = SessionTimes.of(calendar)
    return ImportReport(
        files=tuple(
            _import_file(path, catalog, sessions=sessions, now=now, origin=origin)
            for path in _files(paths)
        )
    )


def read_catalog(catalog: Path) -> tuple[Dataset, ...]:
    """Return what was imported, oldest first; nothing when there is no catalog yet.

    Raises `BadData` when the manifest is damaged.
    """
    manifest = catalog / MANIFEST
    if not manifest.is_file():
        return ()
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        return tuple(_dataset(entry) for entry in content["datasets"])
    except (ValueError, TypeError, KeyError) as error:
        raise BadData(
            f"{manifest}: is damaged ({error}); delete the folder and import again"
        ) from error


def news_files(catalog: Path) -> tuple[Path, ...]:
    """Return the news recordings of the catalog."""
    return tuple(catalog / entry.file for entry in read_catalog(catalog) if entry.kind == "news")


def open_bars(
    paths: Sequence[Path],
    *,
    calendar: TradingCalendar,
    selection: BarSelection,
    on_refused: Callable[[str, Refusal], None] | None = None,
) -> BarStore:
    """Open bars from files and catalog folders as one store; `on_refused` hears of each sort of
    row that was refused, with the name of its file.

    Raises `BadData` when there are none, when a symbol asked for has none anywhere, or when
    intervals are mixed (then give `selection.interval_s`).
    """
    sessions = SessionTimes.of(calendar)
    loaded = [load_bars(path, sessions, chosen) for path, chosen in _sources(paths, selection)]
    if not loaded:
        raise BadData(f"no bars in {', '.join(map(str, paths)) or 'no path at all'}")
    if on_refused is not None:
        for part in loaded:
            for refusal in part.refused:
                on_refused(part.source, refusal)
    store = make_store(loaded)
    unknown = sorted(set(selection.symbols or ()) - set(store.symbols))
    if unknown or not len(store):
        names = ", ".join(unknown) or "any symbol"
        raise BadData(
            f"no bars of {names} in {', '.join(map(str, paths))} for {selection.describe()}"
        )
    return store


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.iterdir() if p.name.endswith(_all_suffixes()))
        else:
            yield path


def _all_suffixes() -> tuple[str, ...]:
    return (*_BAR_SUFFIXES, *_NEWS_SUFFIXES)


def _import_file(
    path: Path, catalog: Path, *, sessions: SessionTimes, now: datetime, origin: Origin | None
) -> ImportedFile:
    try:
        if not path.is_file():
            raise BadData(f"{path}: no such file")
        if not path.name.endswith(_all_suffixes()):
            raise BadData(f"{path}: none of {', '.join(_all_suffixes())}")
        with path.open("rb") as content:
            sha256 = file_digest(content, "sha256").hexdigest()
        known = next((d for d in read_catalog(catalog) if d.sha256 == sha256), None)
        if known and (catalog / known.file).is_file():
            known = _confirmed(known, origin, catalog)
            return ImportedFile(path=str(path), outcome="known", dataset=known)
        dataset: Dataset
        quality: QualityReport | NewsReport
        if path.name.endswith(_NEWS_SUFFIXES):
            dataset, quality = _take_news(path, catalog, sha256=sha256, now=now)
        else:
            dataset, quality = _take_bars(path, catalog, sha256=sha256, sessions=sessions, now=now)
    except BadData as error:
        return ImportedFile(path=str(path), outcome="refused", reason=str(error))
    dataset = replace(dataset, origin=origin)
    _add_to_manifest(catalog, dataset)
    return ImportedFile(path=str(path), outcome="imported", dataset=dataset, quality=quality)


def _confirmed(known: Dataset, origin: Origin | None, catalog: Path) -> Dataset:
    """Note that a vendor, asked again, told the same: it is as fresh as the last answer.

    Nobody decides by it: news and bars carry times of their own. What a person imported stays that.
    """
    if origin is None or known.origin in {None, origin}:
        return known
    confirmed = replace(known, origin=origin)
    _add_to_manifest(catalog, confirmed)
    return confirmed


def _take_bars(
    path: Path, catalog: Path, *, sha256: str, sessions: SessionTimes, now: datetime
) -> tuple[Dataset, QualityReport]:
    loaded = load_bars(path, sessions, BarSelection(regular_hours=False, not_after=now))
    quality = assess(loaded, sessions)
    if loaded.frame.is_empty():
        why = "; ".join(
            f"{each.count} {each.reason} ({', '.join(each.examples[:2])})"
            for each in loaded.refused
        )
        raise BadData(f"{path}: not one of {loaded.rows_read} rows is a usable bar: {why}")
    dataset = Dataset(
        kind="bars",
        source=path.name,
        sha256=sha256,
        file=f"bars/{sha256[:16]}.parquet",
        rows=len(loaded.frame),
        interval_s=loaded.interval_s,
        symbols=tuple(sorted(loaded.frame["symbol"].unique())),
        first_at=quality.to_json()["first_at"],
        last_at=quality.to_json()["last_at"],
        is_adjusted=_is_adjusted(loaded),
    )
    write_whole(catalog / dataset.file, lambda part: _stored(loaded).write_parquet(part))
    return dataset, quality


def _is_adjusted(loaded: LoadedBars) -> bool:
    return loaded.frame[ADJUSTED].null_count() < len(loaded.frame)


def _stored(loaded: LoadedBars) -> pl.DataFrame:
    """The columns that are kept, in the shape `load_bars` reads."""
    at = pl.from_epoch("opened_s", time_unit="s")
    is_daily = loaded.interval_s == DAY_S
    return loaded.frame.select(
        # Sessions in New York open and close within one UTC date, the exchange's.
        at.dt.date().alias("date")
        if is_daily
        else at.dt.replace_time_zone("UTC").alias("timestamp"),
        *("symbol", *VALUES, *([ADJUSTED] if _is_adjusted(loaded) else [])),
    )


def _take_news(
    path: Path, catalog: Path, *, sha256: str, now: datetime
) -> tuple[Dataset, NewsReport]:
    lines, report = check_news(path, now=now)
    if not lines:
        raise BadData(f"{path}: not one of {report.rows_read} lines is a usable news item")
    dataset = Dataset(
        kind="news",
        source=path.name,
        sha256=sha256,
        file=f"news/{sha256[:16]}.jsonl.zst",
        rows=len(lines),
        interval_s=None,
        symbols=report.symbols,
        first_at=report.first_at,
        last_at=report.last_at,
    )
    write_whole(catalog / dataset.file, lambda part: write_news(part, lines))
    return dataset, report


def _dataset(entry: dict[str, Any]) -> Dataset:
    origin = entry.get("origin")  # earlier catalogs know none
    more = {"symbols": tuple(entry["symbols"]), "origin": Origin(**origin) if origin else None}
    return Dataset(**entry | more)


def _add_to_manifest(catalog: Path, dataset: Dataset) -> None:
    """Name the dataset, in the place of what it is the newer form of: the first file counts."""
    before = read_catalog(catalog)
    after = [dataset if dataset.takes_the_place_of(entry) else entry for entry in before]
    entries = dict.fromkeys([*after, dataset])
    content = {"version": _VERSION, "datasets": [asdict(entry) for entry in entries]}
    text = json.dumps(content, indent=1) + "\n"
    write_whole(catalog / MANIFEST, lambda part: part.write_text(text, encoding="utf-8"))
    for file in {entry.file for entry in before} - {entry.file for entry in entries}:
        (catalog / file).unlink(missing_ok=True)


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside the path, then rename: a reader sees the old file, the new one or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    write(part)
    part.replace(path)


def _sources(paths: Sequence[Path], selection: BarSelection) -> Iterator[tuple[Path, BarSelection]]:
    """Every file to read: the paths, and for a catalog its bars of the selected interval."""
    for path in paths:
        if path.is_dir() and not (path / MANIFEST).is_file():
            raise BadData(f"{path}: no catalog (it has no {MANIFEST}); give files, or import them")
        if not path.is_dir():
            yield path, selection
            continue
        for entry in read_catalog(path):
            if entry.kind == "bars" and selection.interval_s in {None, entry.interval_s}:
                yield path / entry.file, replace(selection, interval_s=entry.interval_s)
