"""Categories of events: what they are worth, which way they point and which words tell them.

The list is data (`categories.toml`), so that it can be read, argued about and calibrated
without touching code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalyst_bot.detection.phrases import CATEGORY, VETO, Phrase, parse_phrase
from catalyst_bot.detection.tables import Table, load
from catalyst_bot.domain.enums import CategoryAction

FILE = "categories.toml"
_MONTH_S = 31 * 86_400.0
_KEYS = (
    *("name", "polarity", "action", "weight", "precision", "horizon_s", "half_life_s"),
    *("phrases", "excludes"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A kind of event.

    `polarity` is +1, -1 or 0 (the sign has to come from the market's reaction), `weight` in
    (0, 1] how much such events move prices, `precision` the prior probability that category and
    sign are right when a phrase fires, `horizon_s` how long the effect is expected to last,
    `half_life_s` in which half of the news' worth is gone.
    """

    name: str
    polarity: int
    action: CategoryAction
    weight: float
    precision: float
    horizon_s: float
    half_life_s: float


@dataclass(frozen=True, kw_only=True)
class Taxonomy:
    """All categories, and the phrases that tell or veto them."""

    categories: Mapping[str, Category]
    telling: tuple[Phrase, ...]
    vetoing: tuple[Phrase, ...]


def parse_taxonomy(text: str, file: str = FILE) -> Taxonomy:
    """Read `categories.toml`. Raises `ConfigError` naming file, key and reason."""
    top = Table(load(text, file), file)
    top.only("words", "category")
    lists = _parse_lists(top.table("words"))
    rows = top.values.get("category")
    if not isinstance(rows, list) or not rows:
        raise top.fail("category", "must hold at least one [[category]]")
    categories: dict[str, Category] = {}
    telling: list[Phrase] = []
    vetoing: list[Phrase] = []
    for number, row in enumerate(rows, start=1):
        table = Table(row, f"{file}: category {number}")
        category = _parse_category(table)
        if category.name in categories:
            raise table.fail("name", f"{category.name!r} is defined twice")
        categories[category.name] = category
        telling += parse_phrases(table, "phrases", CATEGORY, category.name, lists)
        vetoing += parse_phrases(table, "excludes", VETO, category.name, lists)
    return Taxonomy(categories=categories, telling=tuple(telling), vetoing=tuple(vetoing))


def parse_phrases(
    table: Table, key: str, kind: str, name: str, lists: Mapping[str, frozenset[str]]
) -> list[Phrase]:
    """Read the list of phrases under a key. Raises `ConfigError` naming the phrase."""
    try:
        return [parse_phrase(text, kind, name, lists) for text in table.texts(key)]
    except ValueError as error:
        raise table.fail(key, str(error)) from error


def _parse_lists(table: Table) -> dict[str, frozenset[str]]:
    return {key: frozenset(table.text(key).split()) for key in table.values}


def _parse_category(table: Table) -> Category:
    table.only(*_KEYS)
    polarity = table.number("polarity", -1, 1)
    if polarity not in {-1, 0, 1}:
        raise table.fail("polarity", "must be 1, 0 or -1")
    action = table.text("action")
    if action not in set(CategoryAction):
        raise table.fail("action", f"{action!r} is not one of {', '.join(CategoryAction)}")
    return Category(
        name=table.text("name"),
        polarity=int(polarity),
        action=CategoryAction(action),
        weight=table.number("weight", 0.01, 1),
        precision=table.number("precision", 0.01, 0.99),
        horizon_s=table.number("horizon_s", 60, _MONTH_S),
        half_life_s=table.number("half_life_s", 60, _MONTH_S),
    )
