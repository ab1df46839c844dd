"""Deterministic simulation put together: the rules of the bot for a world of its own companies."""

from __future__ import annotations

from dataclasses import replace

from catalyst_bot.bootstrap.rules import Companies, detection_rules, engine_rules
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.settings import Settings
from catalyst_bot.trials.bugs import BUGS
from catalyst_bot.trials.faults import chosen
from catalyst_bot.trials.report import Request
from catalyst_bot.trials.world import COMPANIES

EVERY_BUG = "all"
LOOKS_APART_S = 120.0  # a schedule lasts minutes, and is to see more than one look at the books


def _settings() -> Settings:
    """The defaults, but for how often the books are compared."""
    return Settings.model_validate({"execution": {"reconcile_every_s": LOOKS_APART_S}})


def trial_rules() -> EngineRules:
    """Return the rules of a run for the companies of the schedules.

    The tone model is left out: it takes longer than everything else and changes no order path.
    """
    companies = Companies(
        symbols_by_cik={cik: (symbol,) for cik, symbol in enumerate(COMPANIES, start=1)},
        registered_names={symbol: name for symbol, (name, _) in COMPANIES.items()},
    )
    rules = engine_rules(_settings(), load_calendar(), companies)
    return replace(rules, detection=detection_rules(companies))


def request_of(*, seeds: str, faults: str, planted_bug: str = "") -> Request:
    """Return which schedules are asked for: `seeds` is A..B with B left out.

    Raises `ConfigError`.
    """
    if planted_bug and planted_bug != EVERY_BUG and planted_bug not in BUGS:
        raise ConfigError(
            f"--planted-bug {planted_bug}: no such bug; there are {EVERY_BUG}, "
            f"{', '.join(sorted(BUGS))}"
        )
    return Request(
        rules=trial_rules,
        settings=_settings().model_dump_json(),
        seeds=_seeds(seeds),
        faults=chosen(faults),
        planted_bug=planted_bug,
    )


def _seeds(words: str) -> range:
    first, _, end = words.partition("..")
    try:
        begin = int(first)
        found = range(begin, int(end))
    except ValueError as error:
        raise ConfigError(f"--seeds {words}: give A..B, say 0..1000") from error
    if begin < 0 or not found:
        raise ConfigError(f"--seeds {words}: give A..B with 0 <= A < B, say 0..1000")
    return found
