"""What a headline that was read is for each of its companies: the same event, another, or none."""

from __future__ import annotations

from collections.abc import Mapping

from catalyst_bot.detection.classify import Unread, certainty
from catalyst_bot.detection.mentions import mentions_in
from catalyst_bot.detection.reading import Finding
from catalyst_bot.detection.reasons import BYSTANDER, MUTED_CATEGORY, PART_UNKNOWN
from catalyst_bot.detection.roles import (
    AS_READ,
    NOBODY,
    UNKNOWN,
    Part,
    parts_by_position,
    parts_of,
    words_and_commas,
)
from catalyst_bot.detection.rules import Rules
from catalyst_bot.detection.tickers import MAX_PRIMARY_SYMBOLS, Owners
from catalyst_bot.domain.news import Headline


def findings_of(
    headline: Headline, owners: Owners, finding: Finding | Unread, rules: Rules
) -> dict[str, Finding | Unread]:
    """Return by symbol what a headline tells of it.

    Only titles are read for parts; a filing, and what only the body tells, is one event for all.
    A company that stands behind the first two counts when the words give it a part.
    """
    if isinstance(finding, Unread):
        return dict.fromkeys(owners.symbols, finding)
    parts = _parts(headline, owners, finding, rules)
    taking = [symbol for symbol in owners.beside if _is_taking(parts.get(symbol))]
    found = {
        symbol: _unless_muted(_as_part(finding, symbol, parts.get(symbol), rules), rules)
        for symbol in (*owners.symbols, *taking)
    }
    told = [symbol for symbol, one in found.items() if isinstance(one, Finding)]
    return {symbol: found[symbol] for symbol in (told or list(found))[:MAX_PRIMARY_SYMBOLS]}


def _parts(
    headline: Headline, owners: Owners, finding: Finding, rules: Rules
) -> Mapping[str, Part]:
    if finding.reading is None or not finding.reading.is_in_title:
        return {}
    title = words_and_commas(headline.title)
    named = mentions_in(title, (*owners.symbols, *owners.beside), rules.companies)
    if not named and rules.companies.names.keys().isdisjoint(owners.symbols):
        return parts_by_position(title, finding.category.name, owners.symbols, rules.roles)
    return parts_of(
        title,
        finding.category.name,
        finding.evidence,
        named,
        rules.roles,
        owners=owners.symbols,
    )


def _is_taking(part: Part | None) -> bool:
    return part is not None and part.category not in {NOBODY, UNKNOWN}


def _as_part(finding: Finding, symbol: str, part: Part | None, rules: Rules) -> Finding | Unread:
    """The same words, as the event they are for this company."""
    if part is None:
        return finding
    if part.category == NOBODY:
        return Unread(reason=BYSTANDER, detail=f"{symbol} {part.note}")
    if part.category == UNKNOWN:
        return Unread(reason=PART_UNKNOWN, detail=f"{symbol} {part.note}")
    if part.category in {AS_READ, finding.category.name}:
        return finding._replace(part=part.note)
    category = rules.classifier.taxonomy.categories[part.category]
    if not part.is_named and category.polarity > finding.category.polarity:
        return finding  # good news is not guessed: the title may be about somebody else
    return finding._replace(
        category=category,
        weight=category.weight,
        certainty=certainty(category.precision, len(finding.evidence)),
        part=part.note,
    )


def _unless_muted(finding: Finding | Unread, rules: Rules) -> Finding | Unread:
    """What a person muted is read and then left alone."""
    if isinstance(finding, Finding) and finding.category.name in rules.muted:
        return Unread(reason=MUTED_CATEGORY, detail=finding.category.name)
    return finding
