"""Settings and data files -> the rules of the core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path

import catalyst_bot.detection.rules as detection
import catalyst_bot.execution.rules as execution
import catalyst_bot.risk.rules as risk
import catalyst_bot.signals.rules as signals
from catalyst_bot.bootstrap.models import Deciders, deciders_of
from catalyst_bot.bootstrap.texts import asking, tone_model
from catalyst_bot.detection.changes import Changes
from catalyst_bot.detection.linear import LinearModel
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.feeds.tickers import load_companies
from catalyst_bot.market_data.invented_companies import COMPANIES, cik_of
from catalyst_bot.market_data.reference_file import load_reference
from catalyst_bot.policies.rule import MODEL_ID as RULE
from catalyst_bot.ports.policy import Policy
from catalyst_bot.settings import Settings
from catalyst_bot.signals.reference import Reference
from catalyst_bot.study.versions import SHIPPED, overlay_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Companies:
    """Who is listed: symbols by CIK and registered names by symbol; empty believes every symbol."""

    symbols_by_cik: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    registered_names: Mapping[str, str] = field(default_factory=dict)


NO_COMPANIES = Companies()
INTRADAY_S = 300  # seconds of the decision bars of live prices


def companies_of(settings: Settings) -> Companies:
    """Who is listed: the invented companies of a generated market, or the SEC's list if given."""
    if settings.run.generated_seed is not None:
        return Companies(
            symbols_by_cik={cik_of(company): (company.symbol,) for company in COMPANIES},
            registered_names={company.symbol: company.name for company in COMPANIES},
        )
    file = settings.detection.tickers_file
    if file is None:
        return NO_COMPANIES
    listed = load_companies(file)
    return Companies(symbols_by_cik=listed.symbols_by_cik, registered_names=listed.registered_names)


def engine_rules(
    settings: Settings,
    calendar: TradingCalendar,
    companies: Companies = NO_COMPANIES,
    *,
    bar_interval_s: int = INTRADAY_S,
) -> EngineRules:
    """Build the rules of every stage, for decisions on bars of `bar_interval_s`.

    Raises `ConfigError` or `BadData` for a model that cannot decide on them.
    """
    who = deciders(settings, bar_interval_s)
    return EngineRules(
        calendar=calendar,
        policy=who.policy,
        candidate=who.candidate,
        benchmark=settings.run.benchmark,
        detection=detection_rules(
            companies,
            changes=changes_of(settings),
            model=tone_model(settings),
            asked=asking(settings),
            min_horizon_s=settings.detection.min_horizon_s,
            alert_min_score=settings.detection.alert_min_score,
        ),
        signals=signals.Rules(
            gates=replace(settings.signals, strategy_id=strategy_of(who.policy, settings)),
            stops=settings.stops,
            extended_hours=settings.execution.extended_hours,
            halted_symbols=settings.execution.halted_symbols,
            reference=reference_of(settings),
            ciks={
                symbol: cik
                for cik, symbols in companies.symbols_by_cik.items()
                for symbol in symbols
            },
            reviews=who.policy.reviews,
        ),
        risk=risk_rules(settings),
        execution=execution.Rules(
            price_collar_fraction=settings.risk.price_collar_fraction, working=settings.execution
        ),
    )


def strategy_of(policy: Policy, settings: Settings) -> str:
    """Return the strategy whose record sizes, pauses and judges what a policy wants.

    A model trades under its id: one that was trained again is another strategy and begins a record
    of its own. The rule trades under the name of the settings, which a person changes with it.
    """
    return settings.signals.strategy_id if policy.model_id == RULE else policy.model_id


def deciders(settings: Settings, bar_interval_s: int) -> Deciders:
    """Return who decides in a run with these settings; see `models.deciders_of`."""
    return deciders_of(settings.run.model, settings.run.data_dir, bar_interval_s=bar_interval_s)


def risk_rules(settings: Settings) -> risk.Rules:
    """What orders are judged, sized, protected and worked by."""
    return risk.Rules(
        limits=settings.risk,
        sizing=settings.sizing,
        stops=settings.stops,
        execution=settings.execution,
    )


def reference_of(settings: Settings) -> Reference:
    """What the reference file says; nothing without one. Raises `BadData` for a wrong one."""
    file = settings.signals.reference_file
    return load_reference(Path(file)) if file else {}


def detection_rules(
    companies: Companies = NO_COMPANIES,
    *,
    traded_symbols: frozenset[str] = frozenset(),
    changes: Changes = detection.NO_CHANGES,
    model: LinearModel | None = None,
    asked: detection.Asking | None = None,
    min_horizon_s: float = 0.0,
    alert_min_score: float = detection.ALERT_MIN_SCORE,
) -> detection.Rules:
    """Read the data files of detection, lay the changes over them and compile them.

    `traded_symbols` are known, too. Without a model the word list alone tells the tone.
    """
    return detection.make_rules(
        shipped_texts(),
        symbols_by_cik=companies.symbols_by_cik,
        registered_names=companies.registered_names,
        traded_symbols=traded_symbols,
        changes=changes,
        tone_model=model,
        asking=asked,
        min_horizon_s=min_horizon_s,
        alert_min_score=alert_min_score,
    )


def shipped_texts() -> dict[str, str]:
    """Return the data files of detection by name."""
    folder = files("catalyst_bot.detection")
    return {name: (folder / name).read_text(encoding="utf-8") for name in detection.RULE_FILES}


def changes_of(settings: Settings) -> Changes:
    """Return the reviewed changes of the version that the settings name; none names none.

    Raises `ConfigError` when the data folder does not hold that version.
    """
    return overlay_of(settings.run.data_dir, settings.detection.changes or SHIPPED)
