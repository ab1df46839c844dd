"""The whole reasoning of detection on one headline, for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalyst_bot.detection.decide import on_headline
from catalyst_bot.detection.evolve import EVOLVE
from catalyst_bot.detection.linear import LinearModel, predict
from catalyst_bot.detection.opinions import own_tone, pull
from catalyst_bot.detection.reading import Finding, read_headline
from catalyst_bot.detection.rules import Rules
from catalyst_bot.detection.second_reading import lowered, wants_opinion
from catalyst_bot.detection.sentiment import tone_words
from catalyst_bot.detection.state import State
from catalyst_bot.detection.text import words
from catalyst_bot.detection.tickers import NoOwner, find_owners
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.messages.commands import RequestTextOpinion
from catalyst_bot.domain.messages.decisions import CatalystDetected, HeadlineIgnored
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.news import Catalyst, Headline, SentimentOpinion
from catalyst_bot.engine.state import EngineState, StateDesk
from catalyst_bot.texts.readers.desk import Reader, ask_all

WAIT_S = 2.0  # for a reader outside


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoner:
    """What the reasoning goes by; `state` remembers the headlines of one file."""

    rules: Rules
    calendar: TradingCalendar
    topics: LinearModel | None
    readers: Sequence[Reader]
    min_confidence: float
    state: State

    def reason(self, headline: Headline) -> dict[str, Any]:
        """Return every step as plain values, and remember the headline as the bot would."""
        fact = HeadlineReceived(at=headline.received_at, headline=headline)
        desk = StateDesk(EngineState(), self.calendar, fact.at)
        concluded = on_headline(self.state, fact, desk, self.rules)
        for message in (fact, *concluded):
            self._remember(message, fact.at)
        catalysts = [m.catalyst for m in concluded if isinstance(m, CatalystDetected)]
        read = [self._second_reading(catalyst, headline, fact.at) for catalyst in catalysts]
        tone = own_tone(headline, self.rules.lexicon, self.rules.tone_model)
        return {
            "title": headline.title,
            "tickers": _tickers(headline, self.rules),
            "refused": [_refused(m) for m in concluded if isinstance(m, HeadlineIgnored)],
            "catalysts": [_catalyst(catalyst) for catalyst in read],
            "phrases": _phrases(headline, catalysts, self.rules),
            "tone_words": _tone_words(headline, self.rules),
            "opinions": [_opinion(opinion) for opinion in tone.opinions],
            "topic": self._topic(headline.title),
        }

    def _remember(self, message: Message, at: datetime) -> None:
        evolve = EVOLVE.get(type(message))
        if evolve is not None:
            evolve(self.state, message, at)

    def _second_reading(self, catalyst: Catalyst, headline: Headline, at: datetime) -> Catalyst:
        """Ask the readers outside as the bot would, at once and in line."""
        if not self.readers or not wants_opinion(catalyst, self.min_confidence):
            return catalyst
        command = RequestTextOpinion(
            request_id=f"opinion:{catalyst.catalyst_id}",
            catalyst_id=catalyst.catalyst_id,
            symbol=catalyst.symbol,
            category=catalyst.category,
            title=headline.title,
            body=headline.body,
            published_at=headline.published_at,
            answer_by=at,
        )
        told = ask_all(self.readers, command, within_s=WAIT_S, at=at)
        categories = self.rules.classifier.taxonomy.categories
        return lowered(catalyst, told.opinions, told.refusals, categories=categories, now=at)

    def _topic(self, title: str) -> dict[str, Any] | None:
        if self.topics is None:
            return None
        found = predict(self.topics, title)
        return {"label": found.label, "confidence": found.confidence}


def as_text(reasoning: dict[str, Any]) -> str:
    """Return the reasoning as lines for a terminal."""
    topic = reasoning["topic"]
    rows = [
        ("tickers", _said_of(reasoning["tickers"])),
        *(
            ("refused", f"{r['reason']} at {r['step']}: {r['observed']} (allowed: {r['limit']})")
            for r in reasoning["refused"]
        ),
        *(("phrase", _phrase_line(phrase)) for phrase in reasoning["phrases"]),
        *(("tone", f"{word['word']} {word['adds']:+.2f}") for word in reasoning["tone_words"]),
        *(("opinion", _opinion_line(opinion)) for opinion in reasoning["opinions"]),
        *([("topic", f"{topic['label']} ({topic['confidence']:.2f})")] if topic else []),
        *(row for catalyst in reasoning["catalysts"] for row in _catalyst_rows(catalyst)),
    ]
    return "\n".join([reasoning["title"], *(f"  {name:<12} {value}" for name, value in rows)])


def _catalyst_rows(catalyst: dict[str, Any]) -> list[tuple[str, str]]:
    what = f"{catalyst['symbol']}: {catalyst['category']} ({catalyst['action']})"
    return [
        ("catalyst", f"{what}, direction {catalyst['direction']:+d}"),
        ("  evidence", "; ".join(catalyst["evidence"])),
        *(
            ("  factor", f"{factor['name']} {factor['value']:.3f}  {factor['note']}".rstrip())
            for factor in catalyst["factors"]
        ),
        *(("  opinion", _opinion_line(opinion)) for opinion in catalyst["opinions"]),
        ("  sentiment", f"{catalyst['sentiment']:+.3f}"),
        ("  score", f"{catalyst['score']:.3f}"),
        ("  confidence", f"{catalyst['confidence']:.3f}"),
    ]


def _phrase_line(phrase: dict[str, Any]) -> str:
    use = "counts" if phrase["counts"] else "set aside"
    return f"{phrase['words']!r} -> {phrase['name']} ({phrase['kind']}, {use})"


def _opinion_line(opinion: dict[str, Any]) -> str:
    return (
        f"{opinion['name']} {opinion['value']:+.3f}, pull {opinion['pull']:.3f} = weight "
        f"{opinion['weight']:.2f} x confidence {opinion['confidence']:.2f} x decay "
        f"{opinion['decay']:.2f}  {opinion['note']}"
    ).rstrip()


def _said_of(tickers: dict[str, Any]) -> str:
    if tickers["symbols"]:
        return " ".join(tickers["symbols"])
    return f"none: {tickers['reason']} {tickers['detail']}".rstrip()


def _tickers(headline: Headline, rules: Rules) -> dict[str, Any]:
    owners = find_owners(headline, rules.companies)
    if isinstance(owners, NoOwner):
        return {"symbols": [], "reason": owners.reason, "detail": owners.detail}
    return {"symbols": list(owners.symbols), "reason": "", "detail": ""}


def _refused(message: HeadlineIgnored) -> dict[str, str]:
    return {
        "step": message.step,
        "reason": message.reason,
        "limit": message.limit,
        "observed": message.observed,
    }


def _phrases(
    headline: Headline, catalysts: Sequence[Catalyst], rules: Rules
) -> list[dict[str, Any]]:
    """Every phrase of the title that matches, and whether it made the reading: a phrase that is
    negated, vetoed or of another category than was read is set aside. What was read may be
    another category for a company, by its part.
    """
    text = words(headline.title)
    finding = read_headline(headline, rules)
    read = finding.category.name if isinstance(finding, Finding) else ""
    chosen = {(read, quote) for catalyst in catalysts for quote in catalyst.evidence}
    found = []
    for phrase, start, end in rules.classifier.title_index.find(text):
        quote = " ".join(text[start:end])
        found.append(
            {
                "words": quote,
                "kind": phrase.kind,
                "name": phrase.name,
                "counts": (phrase.name, quote) in chosen,
            }
        )
    return found


def _tone_words(headline: Headline, rules: Rules) -> list[dict[str, Any]]:
    """Listed words with what each adds: after a negation the sign is turned."""
    return [
        {"word": word, "adds": round(adds, 4)}
        for word, adds in tone_words(headline.title, rules.lexicon)
    ]


def _catalyst(catalyst: Catalyst) -> dict[str, Any]:
    return {
        "symbol": catalyst.symbol,
        "category": catalyst.category,
        "action": str(catalyst.action),
        "direction": catalyst.direction,
        "evidence": list(catalyst.evidence),
        "sentiment": catalyst.sentiment,
        "score": catalyst.score,
        "confidence": catalyst.confidence,
        "horizon_s": catalyst.horizon_s,
        "classifier_id": catalyst.classifier_id,
        "factors": [
            {"name": factor.name, "value": factor.value, "note": factor.note}
            for factor in catalyst.factors
        ],
        "opinions": [_opinion(opinion) for opinion in catalyst.opinions],
    }


def _opinion(opinion: SentimentOpinion) -> dict[str, Any]:
    return {
        "name": opinion.name,
        "value": opinion.value,
        "weight": opinion.weight,
        "confidence": opinion.confidence,
        "decay": opinion.decay,
        "pull": round(pull(opinion), 6),
        "note": opinion.note,
    }
