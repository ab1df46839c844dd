"""Everything detection goes by, built once at start from the texts and the company list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalyst_bot.detection import (
    calibration,
    edges,
    filings,
    noise,
    roles,
    sentiment,
    sources,
    stories,
    taxonomy,
)
from catalyst_bot.detection.calibration import Calibration, calibrated, parse_calibration
from catalyst_bot.detection.changes import Changes, Tables, changed
from catalyst_bot.detection.classify import Classifier, make_classifier
from catalyst_bot.detection.companies import Companies, make_companies
from catalyst_bot.detection.edges import Edge, parse_edges
from catalyst_bot.detection.filings import FilingMap, parse_filings
from catalyst_bot.detection.linear import LinearModel
from catalyst_bot.detection.noise import parse_noise
from catalyst_bot.detection.roles import Roles, parse_roles
from catalyst_bot.detection.sentiment import Lexicon, parse_lexicon
from catalyst_bot.detection.sources import Sources, parse_sources
from catalyst_bot.detection.stories import StoryRules, parse_stories
from catalyst_bot.detection.taxonomy import Category, parse_taxonomy
from catalyst_bot.domain.enums import CategoryAction
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.ids import content_id

RULE_FILES = (
    taxonomy.FILE,
    filings.FILE,
    noise.FILE,
    roles.FILE,
    sources.FILE,
    sentiment.FILE,
    stories.FILE,
    calibration.FILE,
    edges.FILE,
)
NO_CHANGES: Changes = {}
ALERT_MIN_SCORE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Whether readers outside are asked, and for how long a catalyst waits for them.

    `wait_s` of 0 asks nobody. Only catalysts from `min_confidence` on are worth the question.
    """

    wait_s: float = 0.0
    min_confidence: float = 0.7


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What detection goes by.

    A headline older than `max_age_s` when received is stale: the market has read it. A filing
    may be a day old, because nobody reads all of them and its sign comes from the reaction.
    `published_at` may lie `future_tolerance_s` ahead of us, for clocks that differ. What is in
    `muted` is read and then left alone. Without a `tone_model` the word list alone tells the tone.
    What may be traded counts for `min_horizon_s` or longer; how long a symbol is avoided stays; it
    raises an alert from `alert_min_score` on.
    """

    classifier: Classifier
    filings: FilingMap
    roles: Roles
    lexicon: Lexicon
    stories: StoryRules
    sources: Sources
    companies: Companies
    classifier_id: str
    calibration: Calibration = field(default_factory=Calibration)
    edges: Mapping[str, Edge] = field(default_factory=dict)
    muted: frozenset[str] = frozenset()
    tone_model: LinearModel | None = None
    asking: Asking = field(default_factory=Asking)
    max_age_s: float = 4 * 3600.0
    max_filing_age_s: float = 24 * 3600.0
    future_tolerance_s: float = 300.0
    alert_min_score: float = ALERT_MIN_SCORE
    min_horizon_s: float = 0.0

    def category(self, name: str) -> Category | None:
        """Return a category by its name."""
        return self.classifier.taxonomy.categories.get(name)

    def horizon_s(self, category: Category) -> float:
        """Return how long news of a category is expected to work, in seconds."""
        is_traded = category.action is CategoryAction.TRADE
        return max(category.horizon_s, self.min_horizon_s) if is_traded else category.horizon_s


def make_rules(
    texts: Mapping[str, str],
    *,
    symbols_by_cik: Mapping[int, tuple[str, ...]],
    registered_names: Mapping[str, str],
    traded_symbols: frozenset[str] = frozenset(),
    changes: Changes = NO_CHANGES,
    tone_model: LinearModel | None = None,
    asking: Asking | None = None,
    min_horizon_s: float = 0.0,
    alert_min_score: float = ALERT_MIN_SCORE,
) -> Rules:
    """Parse the texts (by the names in `RULE_FILES`), lay the changes over them and compile the
    phrases.

    Raises `ConfigError` naming file, key and reason. `classifier_id` is a hash of texts, changes
    and the model, so that every catalyst tells by which version of the rules it was read.
    """
    missing = [name for name in RULE_FILES if name not in texts]
    if missing:
        raise ConfigError(f"detection rules: missing {', '.join(missing)}; reinstall the package")
    tables = changed(tables_of(texts), changes)
    credibility = parse_sources(texts[sources.FILE])
    return Rules(
        classifier=make_classifier(tables.taxonomy, parse_noise(texts[noise.FILE])),
        filings=parse_filings(texts[filings.FILE], tables.taxonomy),
        roles=parse_roles(texts[roles.FILE], tables.taxonomy),
        lexicon=parse_lexicon(texts[sentiment.FILE]),
        stories=parse_stories(texts[stories.FILE], tables.taxonomy),
        sources=credibility,
        companies=make_companies(
            by_cik=symbols_by_cik,
            registered_names=registered_names,
            rules=credibility.names,
            traded_symbols=traded_symbols,
        ),
        classifier_id=content_id(
            "clf",
            *(texts[name] for name in RULE_FILES),
            *(f"{name}={changes[name]!r}" for name in sorted(changes)),
            tone_model.model_id if tone_model is not None else "",
            *([f"{min_horizon_s=}"] if min_horizon_s > 0 else []),
        ),
        calibration=tables.calibration,
        edges=tables.edges,
        muted=tables.muted,
        tone_model=tone_model,
        asking=asking or Asking(),
        min_horizon_s=min_horizon_s,
        alert_min_score=alert_min_score,
    )


def tables_of(texts: Mapping[str, str]) -> Tables:
    """Parse the tables that changes may be laid over. Raises `ConfigError` naming the place."""
    fitted = parse_calibration(texts[calibration.FILE])
    categories = calibrated(parse_taxonomy(texts[taxonomy.FILE]), fitted.precisions)
    return Tables(
        taxonomy=categories,
        calibration=fitted,
        edges=parse_edges(texts[edges.FILE], categories),
    )
