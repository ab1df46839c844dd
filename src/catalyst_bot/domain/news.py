"""News and what the bot makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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
class TradeWish:
    """How much a person wants to buy: dollars or shares, one of the two."""

    usd: Decimal | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalyst:
    """A headline read as one category of event for one symbol.

    `direction` is +1 good, -1 bad, 0 unknown from the text: then the sign must come from the
    opening reaction. `sentiment` is in [-1, 1], `score` and `confidence` in [0, 1];
    `evidence` quotes the words that matched. With a `wish` it is no news but a person's request.
    `story_id` names the event it tells of, `novelty` in [0, 1] what of it was not told before.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a person is told about a catalyst."""

    alert_id: str
    catalyst_id: str
    symbol: str
    severity: Severity
    text: str
