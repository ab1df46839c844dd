"""What a headline has to pass, as one table in the order in which it is asked, cheapest first.

Every refusal says what was allowed and what was observed. The reference page is written from this
table. Reasons of the last row come from data: the lists of `noise.toml` and `filings.toml`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catalyst_bot.detection import reasons as r
from catalyst_bot.detection.classify import Unread
from catalyst_bot.detection.dedupe import MEMORY, is_duplicate
from catalyst_bot.detection.reading import Finding
from catalyst_bot.detection.rules import Rules
from catalyst_bot.detection.state import State
from catalyst_bot.detection.tickers import MAX_SYMBOLS, NoOwner, Owners
from catalyst_bot.domain.messages.decisions import HeadlineIgnored
from catalyst_bot.domain.messages.facts import HeadlineReceived


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A headline before the filters, with whose it is."""

    state: State
    message: HeadlineReceived
    owners: Owners | NoOwner
    rules: Rules

    @property
    def age_s(self) -> float:
        """Seconds from publication to receipt; negative when it claims to be from the future."""
        headline = self.message.headline
        return (headline.received_at - headline.published_at).total_seconds()

    @property
    def max_age_s(self) -> float:
        """The greatest age at which it is still news."""
        is_filing = bool(self.message.headline.form)
        return self.rules.max_filing_age_s if is_filing else self.rules.max_age_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What was observed, where not the limit of the filter itself is told."""

    observed: str
    limit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One question: the funnel step it guards, the reason of a refusal, what is allowed, why."""

    step: str
    reason: str
    limit: str
    why: str
    refuse: Callable[[Case], Refusal | None]


def _seen(case: Case) -> Refusal | None:
    is_in_time = _future(case) is None and _stale(case) is None
    is_readable = is_in_time and isinstance(case.owners, Owners)
    message = case.message
    if is_duplicate(case.state, message.headline, message.at, is_readable=is_readable):
        return Refusal(observed="the story was seen before")
    return None


def _future(case: Case) -> Refusal | None:
    tolerance_s = case.rules.future_tolerance_s
    if case.age_s >= -tolerance_s:
        return None
    return Refusal(
        observed=f"published {-case.age_s:.0f} s after it was received",
        limit=f"at most {tolerance_s:.0f} s",
    )


def _stale(case: Case) -> Refusal | None:
    if case.age_s <= case.max_age_s:
        return None
    return Refusal(
        observed=f"{case.age_s:.0f} s old when received",
        limit=f"at most {case.max_age_s:.0f} s",
    )


def _no_owner(reason: str) -> Callable[[Case], Refusal | None]:
    def refuse(case: Case) -> Refusal | None:
        owners = case.owners
        if isinstance(owners, NoOwner) and owners.reason == reason:
            return Refusal(observed=owners.detail)
        return None

    return refuse


THE_SUBJECT = "the company to which it happens"
FILTERS: tuple[Filter, ...] = (
    Filter(
        step=r.DEDUPED,
        reason=r.DUPLICATE,
        limit=f"once in {MEMORY.days} days",
        why="the same filing or title again; a copy that could not be read hides no readable one",
        refuse=_seen,
    ),
    Filter(
        step=r.DEDUPED,
        reason=r.FUTURE_TIMESTAMP,
        limit="at most 5 minutes ahead of us",
        why="a wrong clock or zone: its age cannot be judged",
        refuse=_future,
    ),
    Filter(
        step=r.DEDUPED,
        reason=r.STALE,
        limit="at most 4 hours old, a filing 24",
        why="the market has read it",
        refuse=_stale,
    ),
    Filter(
        step=r.WITH_TICKER,
        reason=r.NOT_THE_SUBJECT,
        limit="the company that the filing is about",
        why="EDGAR lists a filing once per party; this entry names who filed",
        refuse=_no_owner(r.NOT_THE_SUBJECT),
    ),
    Filter(
        step=r.WITH_TICKER,
        reason=r.NO_TICKER,
        limit="a listed company",
        why="nothing to trade",
        refuse=_no_owner(r.NO_TICKER),
    ),
    Filter(
        step=r.WITH_TICKER,
        reason=r.UNKNOWN_SYMBOL,
        limit="a symbol that is listed or has prices",
        why="nothing to trade",
        refuse=_no_owner(r.UNKNOWN_SYMBOL),
    ),
    Filter(
        step=r.WITH_TICKER,
        reason=r.BYSTANDER,
        limit=THE_SUBJECT,
        why="named only to say who another company is: a supplier, a rival, an owner",
        refuse=_no_owner(r.BYSTANDER),
    ),
    Filter(
        step=r.WITH_TICKER,
        reason=r.TOO_MANY_SYMBOLS,
        limit=f"at most {MAX_SYMBOLS} companies",
        why="a list of many is nobody's news",
        refuse=_no_owner(r.TOO_MANY_SYMBOLS),
    ),
)
TELLS_AN_EVENT = "words or items that tell an event"  # the last row; its reasons are data
_OF_ANOTHER = frozenset({r.BYSTANDER, r.PART_UNKNOWN})


def refused(case: Case) -> HeadlineIgnored | None:
    """Return why a headline is not read, by the first filter it fails; None when it is."""
    for row in FILTERS:
        refusal = row.refuse(case)
        if refusal is not None:
            return HeadlineIgnored(
                item_id=case.message.headline.item_id,
                step=row.step,
                reason=row.reason,
                limit=refusal.limit or row.limit,
                observed=refusal.observed,
            )
    return None


def not_an_event(item_id: str, finding: Finding | Unread) -> HeadlineIgnored | None:
    """Return why a headline that was read tells nothing."""
    if isinstance(finding, Finding):
        return None
    return HeadlineIgnored(
        item_id=item_id,
        step=r.CATALYST,
        reason=finding.reason,
        limit=THE_SUBJECT if finding.reason in _OF_ANOTHER else TELLS_AN_EVENT,
        observed=finding.detail,
    )
