"""Parts that replays and live runs share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import catalyst_bot
from catalyst_bot.bootstrap.approvals import approval_of
from catalyst_bot.bootstrap.models import model_hash
from catalyst_bot.bootstrap.modes import BrokerKind, ModeRow
from catalyst_bot.bootstrap.rules import deciders, risk_rules
from catalyst_bot.broker.dry_run import DryRunBroker
from catalyst_bot.broker.embedded import EmbeddedBroker
from catalyst_bot.broker.embedded_venue import EmbeddedVenue
from catalyst_bot.domain.enums import Mode, TradingState
from catalyst_bot.domain.ids import content_id
from catalyst_bot.domain.messages.facts import RunStarted
from catalyst_bot.engine.engine import Engine
from catalyst_bot.ports.broker import Broker
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink
from catalyst_bot.risk.approved import limits_hash
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.runtime.supervisor import SUFFIX, Supervisor
from catalyst_bot.settings import LoadedSettings, Settings
from catalyst_bot.simulation.fill_profile import FillProfile
from catalyst_bot.storage.places import Place

Task = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended. `resumed_after_seq` is 0 for a run from the beginning."""

    journal: Place
    trading_state: TradingState
    resumed_after_seq: int


def embedded_venue(settings: Settings, *, sink: Sink, clock: Clock) -> EmbeddedBroker:
    """The venue in this process, with an account of the configured size."""
    venue = EmbeddedVenue(
        settings.costs,
        FillProfile(settings.broker.fill_profile),
        starting_cash_usd=settings.run.starting_cash_usd,
    )
    return EmbeddedBroker(venue, sink=sink, clock=clock)


def broker_of(
    row: ModeRow, venue: EmbeddedBroker, settings: Settings, *, sink: Sink, clock: Clock
) -> Broker:
    """Who takes the orders in this row of the mode table."""
    if row.broker is BrokerKind.DRY_RUN:
        return DryRunBroker(sink=sink, clock=clock, cash_usd=settings.run.starting_cash_usd)
    return venue


def supervised(engine: Engine, journal: Path) -> Supervisor:
    """The engine under supervision; its quarantine lies beside the journal."""
    return Supervisor(engine, journal.with_name(journal.name + SUFFIX))


def run_started(
    loaded: LoadedSettings,
    *,
    mode: Mode,
    row: ModeRow,
    journal: Place,
    inputs_hash: str,
    at: datetime,
    starting_cash_usd: Decimal | None = None,
    bar_interval_s: int,
) -> RunStarted:
    """The manifest of a run: what a later replay needs to decide the same again.

    The cash is that of a broker's account, or the configured one where the venue is ours. Raises
    `ConfigError` where the mode asks for an approval that is missing.
    """
    settings = loaded.settings
    who = deciders(settings, bar_interval_s)
    wall = SystemClock().now()
    return RunStarted(
        at=at,
        run_id=content_id("run", wall.isoformat(), str(journal)),
        mode=mode,
        broker=str(row.broker),
        code_version=catalyst_bot.__version__,
        settings=loaded.as_json(),
        inputs_hash=inputs_hash,
        model_id=who.policy.model_id,
        starting_cash_usd=starting_cash_usd or settings.run.starting_cash_usd,
        wall_started_at=wall,
        compares_books=row.compares_books,
        limits_hash=limits_hash(risk_rules(settings)),
        approval=approval_of(settings, is_asked=row.asks_approval),
        model_hash=model_hash(who),
        bar_interval_s=bar_interval_s,
        candidate_id=who.candidate.model_id if who.candidate is not None else "",
        candidate_note=who.note,
    )
