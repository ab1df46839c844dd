"""News and what the bot makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from catalyst_bot.domain.enums import CategoryAction, Severity

SCAN_SOURCE = "scanner"
SCAN_FORM = "SCAN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One news item or filing as a feed delivered it.

    `received_at` is when we could first act on it and the only time that orders decisions;
    `published_at` is theirs. `symbols` are hints of the feed, `items` the 8-K item numbers. What
    the scanner found in prices has the form `SCAN_FORM`, its kinds as `items` and as `accession`
    the name of the hit.
    """

    item_id: str
    source: str
    title: str
    body: str = ""
    url: str = ""
    symbols: tuple[str, ...] = ()
    published_at: datetime
    received_at: datetime
    form: str = ""
    items: tuple[str, ...] = ()
    cik: int | None = None
    accession: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFactor:
    """One number that went into a score or confidence, with its name and how it was used."""

    name: str
    value: float
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentOpinion:
    """What one reader thinks of the tone of a text, and how much that counts.

    `value` is in [-1, 1], `confidence` in [0, 1]; `weight` is how far the reader is trusted and
    `decay` in (0, 1] what the age of the text has left of it. The opinion pulls with the product.
    """

    name: str
    value: float
    weight: float
    confidence: float
    decay: float = 1.0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOpinion:
    """What a reader outside the core (a language model, say) answered about a catalyst's text.

    `value` is in [-1, 1], `confidence` in [0, 1]. `event` is the category it sees, empty for none.
    `labels` are what else it said, as `name=value`, for people only. `knowledge_cutoff` is the day
    up to which the model has read the world: it may know what came of older news.
    """

    reader: str
    model: str
    value: float
    confidence: float
    event: str = ""
    is_material: bool = True
    is_about_company: bool = True
    labels: tuple[str, ...] = ()
    knowledge_cutoff: date | None = None
    prompt_id: str = ""
    cost_usd: Decimal = Decimal(0)
    is_cached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeWish:
    """How much a person wants to buy: dollars or shares, one of the two."""

    usd: Decimal | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What a category of news was worth in basis points after a round trip's costs, and the upper
    end of its 95 % band. `events` is how many it was measured on.
    """

    edge_bps: float
    high_bps: float
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalyst:
    """A headline read as one category of event for one symbol.

    `direction` is +1 good, -1 bad, 0 unknown from the text: then the sign must come from the
    opening reaction. `sentiment` is in [-1, 1], `score` and `confidence` in [0, 1];
    `evidence` quotes the words that matched, `opinions` are what the sentiment was made of. With a
    `wish` it is no news but a person's request. `story_id` names the event it tells of, `novelty`
    in [0, 1] what of it was not told before.

    `confidence` is how often such readings are right, `edge_bps` (with its 95 % band) what the
    category was worth above the benchmark after costs; None where nothing was measured.
    """

    catalyst_id: str
    item_id: str
    symbol: str
    category: str
    action: CategoryAction
    direction: int
    sentiment: float
    score: float
    confidence: float
    factors: tuple[ScoreFactor, ...]
    evidence: tuple[str, ...]
    horizon_s: float
    title: str
    source: str
    published_at: datetime
    received_at: datetime
    classifier_id: str
    wish: TradeWish | None = None
    story_id: str = ""
    novelty: float = 1.0
    edge_bps: float | None = None
    edge_low_bps: float | None = None
    edge_high_bps: float | None = None
    opinions: tuple[SentimentOpinion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a person is told about a catalyst."""

    alert_id: str
    catalyst_id: str
    symbol: str
    severity: Severity
    text: str
