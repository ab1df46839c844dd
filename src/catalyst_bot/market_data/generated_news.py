"""News of the generated market: a plan of events, and the headlines that tell of them.

Most planted catalysts move their price, some are fakes that move nothing. Around them is what a
real feed brings: a second newsdesk, repeated items, opinions, routine filings and broken entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from catalyst_bot.domain import ids
from catalyst_bot.domain.calendar import Session
from catalyst_bot.domain.messages.facts import (
    HeadlineUnreadable,
    SymbolHalted,
    SymbolResumed,
)
from catalyst_bot.domain.news import Headline
from catalyst_bot.market_data import generated_text as text
from catalyst_bot.market_data.generated_prices import Shock, TradingPause
from catalyst_bot.market_data.invented_companies import COMPANIES, UNLISTED, Company, cik_of

WIRE = "Generated Wire"
NEWSDESK = "Generated Newsdesk"
OPINION = "Generated Opinion"
EDGAR = "Generated EDGAR"
DELIVERY = timedelta(seconds=60)  # news is received a minute after it was published
_REACTION = timedelta(seconds=30)  # nobody else trades on it sooner either
_GAP_SHARE = 0.35  # of an effect that comes overnight, the part in the opening price
_CATALYSTS = 40
_FAKES = 13
_REWRITE_SHARE = 0.45
_REPEAT_SHARE = 0.15
_OPINIONS = 26
_ROUTINE = 14
_FILINGS = 10
_PRE_MARKET_SHARE = 0.3
_HALT = timedelta(minutes=25)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedEvent:
    """A catalyst in the news and what it does: `effect` as a log return, 0 for a fake."""

    item_id: str
    symbol: str
    category: str
    received_at: datetime
    shock: Shock
    is_fake: bool = False


@dataclass(frozen=True, kw_only=True)
class News:
    """All that the generated feeds and exchange will say, each in the order it is received."""

    headlines: tuple[Headline, ...]
    unreadable: tuple[HeadlineUnreadable, ...]
    halts: tuple[SymbolHalted | SymbolResumed, ...]
    events: tuple[PlantedEvent, ...]
    pauses: tuple[TradingPause, ...]
    night_gap: Shock


class _Press:
    """Writes headlines with running numbers; every choice comes from one generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.headlines: list[Headline] = []

    def pick(self, options: Sequence[str]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def seconds(self, low: float, high: float) -> timedelta:
        return timedelta(seconds=int(self.rng.integers(int(low), int(high))))

    def facts(self, company: Company) -> dict[str, str]:
        """What templates may name; the same keys for every kind of event."""
        return {
            "company": company.name,
            "short": company.short_name,
            "symbol": company.symbol,
            "product": f"{company.symbol[:2]}-{self.rng.integers(101, 990)}",
            "condition": self.pick(text.CONDITIONS),
            "agency": self.pick(text.AGENCIES),
            "partner": self.pick(text.PARTNERS),
            "place": self.pick(text.PLACES),
            "usd": str(self.rng.integers(12, 480)),
            "percent": str(self.rng.integers(6, 38)),
        }

    def publish(self, source: str, title: str, published_at: datetime, **given: str) -> Headline:
        """Write an item that names its symbol only when `symbol` is given."""
        number = len(self.headlines) + 1
        url = f"https://{source.rsplit(maxsplit=1)[-1].lower()}.example/{number}"
        symbol = given.get("symbol", "")
        headline = Headline(
            item_id=ids.item_id(source, url),
            source=source,
            title=title,
            body=given.get("body", ""),
            url=url,
            symbols=(symbol,) if symbol else (),
            published_at=published_at,
            received_at=published_at + DELIVERY,
        )
        self.headlines.append(headline)
        return headline

    def release(
        self, company: Company, kind: text.CatalystKind, published_at: datetime
    ) -> tuple[Headline, dict[str, str]]:
        """Write a company's press release; every third names its symbol only in the text."""
        facts = self.facts(company)
        dateline = f"{self.pick(text.CITIES)}, {published_at:%B %d, %Y} ({WIRE})"
        issuer = f"{company.name} (NASDAQ: {company.symbol})"
        body = f"{dateline} -- {issuer} today announced that {kind.body.format(**facts)}"
        is_named = self.rng.random() < 0.67
        headline = self.publish(
            WIRE,
            self.pick(kind.titles).format(**facts),
            published_at,
            body=body,
            symbol=company.symbol if is_named else "",
        )
        return headline, facts

    def file(
        self, company: Company, form: str, published_at: datetime, *, items: tuple[str, ...] = ()
    ) -> Headline:
        """Write a filing as the SEC's feed shows it: who and which form, hardly what."""
        cik = cik_of(company)
        accession = f"{cik:010d}-25-{len(self.headlines) + 1:06d}"
        names = {"2.02": "Results of Operations and Financial Condition", "9.01": "Exhibits"}
        headline = Headline(
            item_id=ids.item_id(EDGAR, accession),
            source=EDGAR,
            title=f"{form} - {company.name} ({cik:010d}) (Filer)",
            body="; ".join(f"Item {item}: {names[item]}" for item in items),
            url=f"https://edgar.example/{accession}",
            published_at=published_at,
            received_at=published_at + DELIVERY,
            form=form,
            items=items,
            cik=cik,
            accession=accession,
        )
        self.headlines.append(headline)
        return headline


def write_news(rng: np.random.Generator, sessions: Sequence[Session]) -> News:
    """Plan and write the news of the given two trading days."""
    press = _Press(rng)
    order = [COMPANIES[int(n)] for n in rng.permutation(len(COMPANIES))]
    # Companies of the set pieces have no other news, so that each can be told apart.
    offering = next(c for c in order if c.sector in _kind("offering").sectors)
    order.remove(offering)
    filers, halted, night_mover, others = order[:4], order[4], order[5], order[6:]
    events = _ordinary_events(press, sessions, others)
    events += [
        _results_filing(press, sessions[day], company, effect=effect)
        for company, day, effect in zip(
            filers, (0, 1, 1, 1), (0.06, 0.07, -0.06, 0.05), strict=True
        )
    ]
    events.append(_offering(press, sessions, offering))
    pause, halt_event = _halt(press, sessions[0], halted)
    events.append(halt_event)
    _background(press, sessions, others)
    _broken_entries(press, sessions[0])
    return News(
        headlines=tuple(sorted(press.headlines, key=lambda h: (h.received_at, h.item_id))),
        unreadable=(
            HeadlineUnreadable(
                at=sessions[0].opens_at + timedelta(minutes=47),
                source=WIRE,
                place="entry 7 of the feed",
                reason="it has neither a title nor a time of publication",
            ),
        ),
        halts=(
            SymbolHalted(at=pause.starts_at, symbol=pause.symbol, code="T1"),
            SymbolResumed(at=pause.ends_at, symbol=pause.symbol),
        ),
        events=tuple(sorted(events, key=lambda e: (e.received_at, e.item_id))),
        pauses=(pause,),
        night_gap=Shock(
            symbol=night_mover.symbol,
            starts_at=sessions[1].opens_at,
            effect=float(rng.choice([-0.14, 0.12])),
            gap_share=1.0,
        ),
    )


def _kind(category: str) -> text.CatalystKind:
    return next(kind for kind in text.CATALYSTS if kind.category == category)


def _ordinary_events(
    press: _Press, sessions: Sequence[Session], companies: Sequence[Company]
) -> list[PlantedEvent]:
    """One catalyst or fake per company and day at most, spread over both days."""
    slots = [(company, session) for company in companies for session in sessions]
    chosen = press.rng.permutation(len(slots))[: _CATALYSTS + _FAKES]
    events = []
    for place, slot in enumerate(chosen):
        company, session = slots[int(slot)]
        is_fake = place < _FAKES
        kind = _choose_kind(press, company, is_positive=is_fake)
        published_at = _publication_time(press, session)
        headline, facts = press.release(company, kind, published_at)
        effect = kind.effect * float(np.clip(1 + 0.35 * press.rng.standard_normal(), 0.1, 2.0))
        events.append(
            _planted(
                headline,
                company,
                kind.category,
                effect=0.0 if is_fake else effect,
                gap_share=_GAP_SHARE if published_at < session.opens_at else 0.0,
            )
        )
        _retell(press, headline, company, kind, facts)
    return events


def _choose_kind(press: _Press, company: Company, *, is_positive: bool) -> text.CatalystKind:
    kinds = [
        kind
        for kind in text.CATALYSTS
        if company.sector in kind.sectors and (kind.effect > 0 or not is_positive)
    ]
    weights = np.array([kind.frequency for kind in kinds])
    return kinds[int(press.rng.choice(len(kinds), p=weights / weights.sum()))]


def _publication_time(press: _Press, session: Session) -> datetime:
    """Before the open, or from its first quarter of an hour to two hours before the close."""
    if press.rng.random() < _PRE_MARKET_SHARE:
        return session.opens_at - press.seconds(20 * 60, 180 * 60)
    return session.opens_at + press.seconds(15 * 60, 270 * 60)


def _planted(
    headline: Headline, company: Company, category: str, *, effect: float, gap_share: float = 0.0
) -> PlantedEvent:
    return PlantedEvent(
        item_id=headline.item_id,
        symbol=company.symbol,
        category=category,
        received_at=headline.received_at,
        shock=Shock(
            symbol=company.symbol,
            starts_at=headline.received_at + _REACTION,
            effect=effect,
            gap_share=gap_share,
        ),
        is_fake=effect == 0.0,
    )


def _retell(
    press: _Press,
    headline: Headline,
    company: Company,
    kind: text.CatalystKind,
    facts: dict[str, str],
) -> None:
    """Perhaps let the newsdesk tell it in other words, and the feed deliver it once more."""
    if press.rng.random() < _REWRITE_SHARE:
        later = headline.published_at + press.seconds(120, 1500)
        title = press.pick((*kind.rewrites, headline.title)).format(**facts)
        press.publish(NEWSDESK, title, later, symbol=company.symbol)
    if press.rng.random() < _REPEAT_SHARE:
        again = headline.received_at + press.seconds(30, 180)
        press.headlines.append(replace(headline, received_at=again))


def _results_filing(
    press: _Press, session: Session, company: Company, *, effect: float
) -> PlantedEvent:
    """File quarterly results before the open: only the market's reaction tells good from bad."""
    published_at = session.opens_at - press.seconds(60 * 60, 150 * 60)
    headline = press.file(company, "8-K", published_at, items=("2.02", "9.01"))
    return _planted(headline, company, "results_8k", effect=effect, gap_share=0.5)


def _offering(press: _Press, sessions: Sequence[Session], company: Company) -> PlantedEvent:
    """Sell stock after the first day's close: the next day opens lower."""
    kind = _kind("offering")
    published_at = sessions[0].closes_at + timedelta(minutes=5)
    headline, _ = press.release(company, kind, published_at)
    press.file(company, "424B5", published_at + timedelta(minutes=65))
    return _planted(headline, company, kind.category, effect=kind.effect, gap_share=0.8)


def _halt(press: _Press, session: Session, company: Company) -> tuple[TradingPause, PlantedEvent]:
    """Halt a company for its news: it comes two minutes into the halt, the price after it."""
    starts_at = session.opens_at + timedelta(minutes=5 * int(press.rng.integers(18, 40)))
    pause = TradingPause(symbol=company.symbol, starts_at=starts_at, ends_at=starts_at + _HALT)
    kind = _kind("merger")
    headline, _ = press.release(company, kind, starts_at + timedelta(minutes=2))
    event = _planted(headline, company, kind.category, effect=kind.effect, gap_share=0.5)
    return pause, replace(event, shock=replace(event.shock, starts_at=pause.ends_at))


def _background(press: _Press, sessions: Sequence[Session], companies: Sequence[Company]) -> None:
    """Write what is no catalyst: opinions, routine announcements and filings."""
    first, last = sessions[0].opens_at - timedelta(hours=3), sessions[-1].closes_at
    span_s = (last - first).total_seconds()
    for count, source in ((_OPINIONS, OPINION), (_ROUTINE, WIRE), (_FILINGS, EDGAR)):
        for _ in range(count):
            company = companies[int(press.rng.integers(len(companies)))]
            published_at = first + press.seconds(0, span_s)
            if source == EDGAR:
                press.file(company, press.pick(text.FILINGS), published_at)
                continue
            titles = text.OPINIONS if source == OPINION else text.ROUTINE
            title = press.pick(titles).format(**press.facts(company))
            press.publish(source, title, published_at, symbol=company.symbol)


def _broken_entries(press: _Press, session: Session) -> None:
    """Write what must be refused: a symbol without a price, and an item from the future."""
    kind = _kind("partnership")
    press.release(UNLISTED, kind, session.opens_at + timedelta(minutes=31))
    headline, _ = press.release(COMPANIES[0], kind, session.opens_at + timedelta(minutes=52))
    press.headlines.remove(headline)
    press.headlines.append(
        replace(headline, published_at=headline.published_at + timedelta(hours=26))
    )
