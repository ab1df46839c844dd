"""Measure whose news is whose: `python -m tools.identity FOLDER` writes docs/evidence/identity.md.

FOLDER holds `news/` and `reference/`. Filings are compared with the symbols recorded beside them,
wire items with the symbols of their vendor, which are hidden from the resolver. The page shows
figures only.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from typing import Any

from catalyst_bot.bootstrap.rules import Companies as Given
from catalyst_bot.bootstrap.rules import detection_rules
from catalyst_bot.detection.companies import Companies
from catalyst_bot.detection.filings import is_by_another_party
from catalyst_bot.detection.mentions import name_position
from catalyst_bot.detection.reasons import BYSTANDER, TOO_MANY_SYMBOLS
from catalyst_bot.detection.text import words
from catalyst_bot.detection.tickers import (
    NoOwner,
    Owners,
    find_owners,
    normal_symbols,
)
from catalyst_bot.domain.news import Headline
from catalyst_bot.feeds.lines import read_lines
from catalyst_bot.feeds.rows import headline_of, published_at_of, row_of
from catalyst_bot.feeds.tickers import load_companies

ROOT = Path(__file__).parents[1]
PAGE = "docs/evidence/identity.md"
COMPANIES = "reference/sec_company_tickers.ndjson"
FILINGS = ("edgar_getcurrent_2025-12", "sec_filings_1993_2021", "sec_filings_2025-10")
WIRE = ("stocknewsapi_2025-10", "tradingview_news_2025", "benzinga_headlines_2009_2020")
_NOBODYS = {
    TOO_MANY_SYMBOLS: "a list of companies",
    BYSTANDER: "named beside another company",
}
_Z = 1.96  # 95 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How the items of one file came out. `outside` says why items were not asked about."""

    name: str
    right: int
    wrong: int
    silent: int
    outside: Counter[str]

    @property
    def asked(self) -> int:
        """Items with an answer to compare with."""
        return self.right + self.wrong + self.silent


def wilson(right: int, asked: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson); (0, 1) of nothing."""
    if not asked:
        return 0.0, 1.0
    share, square = right / asked, _Z * _Z / asked
    middle = share + square / 2
    reach = _Z * sqrt(share * (1 - share) / asked + square / asked / 4)
    return (middle - reach) / (1 + square), (middle + reach) / (1 + square)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Who is listed, as a run knows it, and the SEC's name of each symbol."""

    companies: Companies
    registered_names: Mapping[str, str]

    def company_of(self, symbol: str) -> str:
        """One spelling for the classes of a share: GOOG and GOOGL are one company."""
        return self.registered_names.get(symbol, symbol).lower()


def known_companies(folder: Path) -> Listed:
    """Read the SEC's list."""
    told = load_companies(folder / COMPANIES)
    given = Given(symbols_by_cik=told.symbols_by_cik, registered_names=told.registered_names)
    return Listed(
        companies=detection_rules(given).companies, registered_names=told.registered_names
    )


def items(path: Path) -> Iterator[Headline]:
    """The readable items of a file, received when they were published."""
    for _, line in read_lines(path):
        row: dict[str, Any] = row_of(line)
        yield headline_of(row, published_at_of(row))


def of_filings(name: str, headlines: Iterable[Headline], listed: Listed) -> Tally:
    """Compare the owner of each filing with the recorded symbols of its CIK.

    A recorded symbol may be an old one. So an owner is right, too, when the SEC's name of the
    symbol is the name on the filing.
    """
    found: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    for headline in headlines:
        truth = normal_symbols(headline.symbols)
        if is_by_another_party(headline):
            outside["filed by another party"] += 1
        elif not truth:
            outside["no symbol recorded"] += 1
        elif headline.cik not in listed.companies.by_cik:
            outside["not listed today"] += 1
        else:
            owners = find_owners(replace(headline, symbols=()), listed.companies)
            found[_of_filing(headline, owners, truth, listed)] += 1
    return _tally(name, found, outside)


def _of_filing(
    headline: Headline, owners: Owners | NoOwner, truth: tuple[str, ...], listed: Listed
) -> str:
    if not isinstance(owners, Owners):
        return "silent"
    registered = " ".join(words(listed.company_of(owners.symbols[0])))
    is_named = registered in " ".join(words(headline.title))
    return "right" if owners.symbols[0] in truth or is_named else "wrong"


def of_wire(name: str, headlines: Iterable[Headline], listed: Listed) -> Tally:
    """Compare the owners read out of each text with the vendor's symbols.

    An item is asked about when its title names a company of the vendor's list that is listed
    today (nobody can read the others out of their words), and no more than four companies. Who is
    named only beside another company ("Apple supplier Foxconn") owns nothing, whatever the vendor.
    """
    found: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    for headline in headlines:
        truth = normal_symbols(headline.symbols)
        today = [symbol for symbol in truth if symbol in listed.companies.known]
        owners = find_owners(replace(headline, symbols=()), listed.companies)
        if not today:
            outside["not listed today"] += 1
        elif not _is_named(headline, today, listed.companies):
            outside["not named in the title"] += 1
        elif isinstance(owners, Owners):
            found["right" if _overlap(owners.symbols, truth, listed) else "wrong"] += 1
        elif owners.reason in _NOBODYS:
            outside[_NOBODYS[owners.reason]] += 1
        else:
            found["silent"] += 1
    return _tally(name, found, outside)


def _is_named(headline: Headline, symbols: Iterable[str], companies: Companies) -> bool:
    title = words(headline.title)
    return any(name_position(title, symbol, companies) is not None for symbol in symbols)


def _overlap(ours: Iterable[str], theirs: Iterable[str], listed: Listed) -> bool:
    return not {listed.company_of(s) for s in ours}.isdisjoint(map(listed.company_of, theirs))


def _tally(name: str, found: Counter[str], outside: Counter[str]) -> Tally:
    return Tally(
        name=name,
        right=found["right"],
        wrong=found["wrong"],
        silent=found["silent"],
        outside=outside,
    )


def page(filings: Iterable[Tally], wire: Iterable[Tally]) -> str:
    """The page as Markdown."""
    return f"""<!-- Written by `python -m tools.identity FOLDER`. -->

# Whose news it is: measured

Brackets are 95 % confidence intervals (Wilson). Every symbol that a vendor or recording gives is
hidden from the resolver, which sees the CIK, the title and the text; all it knows of companies is
the SEC's list of today and `detection/sources.toml`.

## Filings

Right is an owner that is one of the symbols recorded beside the filing, or whose registered name
stands on the filing: some recorded symbols are old ones of companies renamed since. Not asked:
entries that name who filed (they are `not_the_subject`), filings without a recorded symbol, and
companies that are not on today's list, which nobody can look up in it.

{_table(filings)}

## Wire items

Asked are items whose title names a company of the vendor's list that is listed today, and not
more than four companies. Not asked: companies named only to say who another one is ("Apple
supplier Foxconn", "Microsoft-backed OpenAI"), which are `bystander`. Right is an answer (one
company or two) that shares one with the vendor's; share classes are one company. This is strict:
vendors label every company mentioned and only those they cover, we name the one or two a text is
about. "Sify launches X with Nvidia's chips", labelled NVDA, counts as wrong when the answer is
Sify.

{_table(wire)}
"""


def _table(tallies: Iterable[Tally]) -> str:
    rows = [
        "| file | asked | right | wrong | silent | not asked |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for tally in tallies:
        low, high = wilson(tally.right, tally.asked)
        share = tally.right / tally.asked if tally.asked else 0.0
        outside = ", ".join(f"{why} {n}" for why, n in tally.outside.most_common())
        rows.append(
            f"| {tally.name} | {tally.asked} | {share:.2%} [{low:.2%}, {high:.2%}] | "
            f"{tally.wrong} | {tally.silent} | {outside or '-'} |"
        )
    return "\n".join(rows)


def main(arguments: list[str]) -> int:
    """Write the page; return the exit code."""
    if len(arguments) != 1 or not (Path(arguments[0]) / COMPANIES).is_file():
        print("usage: python -m tools.identity FOLDER (with news/ and reference/)", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    listed = known_companies(folder)
    files = {name: folder / "news" / f"{name}.jsonl.zst" for name in (*FILINGS, *WIRE)}
    text = page(
        [of_filings(name, items(files[name]), listed) for name in FILINGS],
        [of_wire(name, items(files[name]), listed) for name in WIRE],
    )
    (ROOT / PAGE).write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
