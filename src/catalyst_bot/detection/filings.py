"""SEC filings read by form and 8-K items: certain about the category, silent about the sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalyst_bot.detection.tables import Table, load
from catalyst_bot.detection.taxonomy import Category, Taxonomy
from catalyst_bot.domain.enums import CategoryAction
from catalyst_bot.domain.news import Headline

FILE = "filings.toml"
ROUTINE, AMENDED = "routine_filing", "amended_filing"
_OTHER_PARTY_ROLES = ("(Reporting)", "(Filed by)")
# EDGAR renamed the beneficial ownership schedules in December 2024; both names are in use.
_RENAMED = {"SC 13D": "SCHEDULE 13D", "SC 13G": "SCHEDULE 13G"}
PRIORITY = {CategoryAction.CLOSE: 2, CategoryAction.AVOID: 1, CategoryAction.TRADE: 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingReading:
    """The category of a filing and the probability that it is the right one."""

    category: Category
    precision: float
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingMap:
    """Categories by 8-K item and by form, and what is ignored with which reason."""

    items: Mapping[str, FilingReading]
    ignored_items: Mapping[str, str]
    forms: Mapping[str, FilingReading]
    ignored_forms: Mapping[str, str]


def parse_filings(text: str, taxonomy: Taxonomy, file: str = FILE) -> FilingMap:
    """Read `filings.toml`. Raises `ConfigError` naming file, key and reason."""
    top = Table(load(text, file), file)
    top.only("items", "ignored_items", "forms", "ignored_forms")
    items, forms = top.table("items"), top.table("forms")
    return FilingMap(
        items={key: _reading(items, key, "8-K item ", taxonomy) for key in items.values},
        ignored_items=_texts(top.table("ignored_items")),
        forms={key: _reading(forms, key, "form ", taxonomy) for key in forms.values},
        ignored_forms=_texts(top.table("ignored_forms")),
    )


def _reading(table: Table, key: str, what: str, taxonomy: Taxonomy) -> FilingReading:
    row = table.table(key)
    row.only("category", "precision")
    name = row.text("category")
    if name not in taxonomy.categories:
        raise row.fail("category", f"{name!r} is not a category of categories.toml")
    return FilingReading(
        category=taxonomy.categories[name],
        precision=row.number("precision", 0.01, 0.99),
        evidence=what + key,
    )


def _texts(table: Table) -> dict[str, str]:
    return {key: table.text(key) for key in table.values}


def is_by_another_party(headline: Headline) -> bool:
    """Tell whether an EDGAR entry names who filed, not the company the filing is about.

    One filing appears once per party: the issuer or subject, and those who report on it.
    """
    return bool(headline.form) and headline.title.rstrip().endswith(_OTHER_PARTY_ROLES)


def read_filing(form: str, items: tuple[str, ...], filings: FilingMap) -> FilingReading | str:
    """Return the most pressing category of a filing, or the reason why it is no catalyst.

    Amendments repeat what the market has seen: they are no catalysts.
    """
    name = _RENAMED.get(form.upper().strip(), form.upper().strip())
    if name.endswith("/A"):
        return AMENDED
    if name == "8-K":
        known = [filings.items[item] for item in items if item in filings.items]
        return max(known, key=_urgency) if known else ROUTINE
    return filings.forms.get(name) or filings.ignored_forms.get(name, ROUTINE)


def _urgency(reading: FilingReading) -> tuple[int, float]:
    return PRIORITY[reading.category.action], reading.category.weight * reading.precision
