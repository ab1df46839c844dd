"""`report gates`: the journal of a run, the bars it was played on, and the rules it went by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from catalyst_bot.bootstrap import tapes
from catalyst_bot.bootstrap.looks import looks_at
from catalyst_bot.bootstrap.rules import companies_of, engine_rules
from catalyst_bot.bootstrap.tapes import HISTORY
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.domain.messages.facts import RunStarted
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.market_data.bar_store import BarStore
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.catalog import open_bars
from catalyst_bot.market_data.load import BarSelection, Refusal
from catalyst_bot.settings import Settings, from_json
from catalyst_bot.simulation.fill_profile import FillProfile
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.read_model import ReadModel
from catalyst_bot.study.gate_trades import Halt, Market
from catalyst_bot.study.gates import GateReport, gate_report

AFTER = timedelta(days=7)  # the longest horizon of a category is two days, and weekends lie between


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """The report, and what of the bars was refused."""

    report: GateReport
    notes: tuple[str, ...]


def gates(journal: Place, *, bars: Sequence[Path], effects: float) -> Gates:
    """Value what each rule of a run blocked, on the bars it was played on.

    A generated market, whose effects were `effects` strong, is made again; recorded and live days
    need their `bars`. Raises `BadData` for a journal without a run, `ConfigError` without bars,
    with bars of a generated market, or where the market made is another one.
    """
    with ReadModel(journal) as model:
        records = list(model.records())
    started = next((r.body for r in records if isinstance(r.body, RunStarted)), None)
    if started is None:
        raise BadData(f"{journal}: no run in it, so nothing was blocked")
    settings = from_json(started.settings)
    notes: list[str] = []
    seed = settings.run.generated_seed
    halts: Sequence[Halt] = ()
    if seed is None:
        store = _recorded(records, bars, notes)
    elif bars:
        raise ConfigError(
            f"--bars: {journal} was played on the generated market of seed {seed}, which is made "
            "again: leave them out"
        )
    else:
        store, halts = _generated(settings, started, seed=seed, effects=effects)
    market = Market(
        bars=store,
        halts=halts,
        costs=settings.costs,
        stops=settings.stops,
        profile=FillProfile(settings.broker.fill_profile),
    )
    calendar = load_calendar()
    bar_interval_s = started.bar_interval_s
    rules = engine_rules(
        settings, calendar, companies_of(settings), bar_interval_s=bar_interval_s
    ).signals
    report = gate_report(
        records,
        market,
        partial(looks_at, calendar=calendar, rules=rules, bar_interval_s=bar_interval_s),
    )
    return Gates(report=report, notes=tuple(notes))


def _generated(
    settings: Settings, started: RunStarted, *, seed: int, effects: float
) -> tuple[BarStore, Sequence[Halt]]:
    recording, _ = tapes.generated(settings, seed=seed, effects=effects)
    if recording.inputs_hash != started.inputs_hash:
        raise ConfigError(
            f"--effects {effects:g}: the run was played on another market of seed {seed}; give the "
            "strength it was played with"
        )
    return recording.store, recording.tape.halts


def _recorded(records: Sequence[Recorded], bars: Sequence[Path], notes: list[str]) -> BarStore:
    if not bars:
        raise ConfigError("--bars: give the bar files of the days that were played")

    def refused(source: str, refusal: Refusal) -> None:
        notes.append(f"{source}: {refusal.count} bar rows refused: {refusal.reason}")

    selection = BarSelection(start=records[0].at - HISTORY, end=records[-1].at + AFTER)
    return open_bars(bars, calendar=load_calendar(), selection=selection, on_refused=refused)
