"""Settings and data files -> the rules of the core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

import catalyst_bot.detection.rules as detection
import catalyst_bot.execution.rules as execution
import catalyst_bot.risk.rules as risk
import catalyst_bot.signals.rules as signals
from catalyst_bot.bootstrap.texts import asking, tone_model
from catalyst_bot.detection.linear import LinearModel
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.policies.rule import MODEL_ID, RulePolicy
from catalyst_bot.ports.policy import Policy
from catalyst_bot.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Companies:
    """Who is listed: symbols by CIK and registered names by symbol; empty believes every symbol."""

    symbols_by_cik: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    registered_names: Mapping[str, str] = field(default_factory=dict)


NO_COMPANIES = Companies()


def engine_rules(
    settings: Settings, calendar: TradingCalendar, companies: Companies = NO_COMPANIES
) -> EngineRules:
    """Build the rules of every stage. Raises `ConfigError` for an unknown model."""
    return EngineRules(
        calendar=calendar,
        policy=load_policy(settings.run.model),
        benchmark=settings.run.benchmark,
        detection=detection_rules(companies, tone_model(settings), asking(settings)),
        signals=signals.Rules(
            gates=settings.signals,
            stops=settings.stops,
            extended_hours=settings.execution.extended_hours,
            halted_symbols=settings.execution.halted_symbols,
        ),
        risk=risk.Rules(
            limits=settings.risk,
            sizing=settings.sizing,
            stops=settings.stops,
            execution=settings.execution,
        ),
        execution=execution.Rules(
            price_collar_fraction=settings.risk.price_collar_fraction, working=settings.execution
        ),
    )


def detection_rules(
    companies: Companies = NO_COMPANIES,
    model: LinearModel | None = None,
    asked: detection.Asking | None = None,
) -> detection.Rules:
    """Read the data files of detection and compile them; without a model the word list alone
    tells the tone.
    """
    folder = files("catalyst_bot.detection")
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in detection.RULE_FILES}
    return detection.make_rules(
        texts,
        symbols_by_cik=companies.symbols_by_cik,
        registered_names=companies.registered_names,
        tone_model=model,
        asking=asked,
    )


def load_policy(model: str) -> Policy:
    """Return the policy of a name. Raises `ConfigError` with what exists."""
    if model == MODEL_ID:
        return RulePolicy()
    raise ConfigError(
        f"run.model = {model}: no such model; this version knows only {MODEL_ID!r}, the "
        "transparent rule baseline"
    )
