"""The newest report of every order of ours, however it came and in whatever order.

A report of the stream and one of a REST answer that was on its way meanwhile cross each other. An
order only ever goes forward: it has filled more, it has ended, it was changed later; so of two
reports the one that is further is kept, and an old one changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from catalyst_bot.broker.alpaca_mapping import Report, chain, standing

_ON_THE_WAY = ("pending_new", "accepted", "held", "new")
Family = str


class Reports:
    """Reports by Alpaca's id; legs and replacements belong to the family of the order they are
    for, whose name is our client order id.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, Report] = {}
        self._family_of: dict[str, Family] = {}
        self._roots: dict[Family, str] = {}
        self._legs: dict[str, tuple[str, ...]] = {}

    @property
    def known(self) -> Mapping[str, Report]:
        """Every report by Alpaca's id."""
        return self._by_id

    def family(self, report: Report) -> Family | None:
        """Return the family a report belongs to, by its id or by what it replaces."""
        return self._family_of.get(report.broker_order_id) or self._family_of.get(report.replaces)

    def root(self, family: Family) -> Report | None:
        """Return the order that a family began with."""
        return self._by_id.get(self._roots.get(family, ""))

    def legs(self, root: Report) -> tuple[Report, ...]:
        """Return the legs of an order or of what replaced it; those that were replaced, too."""
        for link in reversed(chain(root, self._by_id)):
            if legs := self._legs.get(link.broker_order_id):
                return tuple(self._by_id[leg_id] for leg_id in legs)
        return ()

    def standing(self, report: Report) -> Report:
        """Return what stands in the place of an order now."""
        return standing(report, self._by_id)

    def take(self, found: Iterable[Report], ours: Mapping[str, object]) -> set[Family]:
        """Take in the reports that belong to our orders; return the families they are of."""
        touched = set()
        for report in sorted(found, key=lambda each: each.submitted_at):
            family = report.client_order_id if report.client_order_id in ours else None
            family = family or self.family(report)
            if family is not None:
                self._adopt(family, report, is_root=report.client_order_id == family)
                touched.add(family)
        return touched

    def _adopt(self, family: Family, report: Report, *, is_root: bool) -> None:
        order_id = report.broker_order_id
        known = self._by_id.get(order_id)
        self._by_id[order_id] = further(known, report) if known is not None else report
        self._family_of[order_id] = family
        if is_root:
            self._roots.setdefault(family, order_id)
        if report.replaced_by:
            self._family_of.setdefault(report.replaced_by, family)
        self._link(report)
        for leg in report.legs:
            self._adopt(family, leg, is_root=False)
        leg_ids = (leg.broker_order_id for leg in report.legs)
        if report.legs:
            self._legs[order_id] = tuple(dict.fromkeys([*self._legs.get(order_id, ()), *leg_ids]))

    def _link(self, report: Report) -> None:
        """Let what was replaced know by whom, whichever of the two is told of the other."""
        replaced = self._by_id.get(report.replaces)
        if replaced is not None and not replaced.replaced_by:
            self._by_id[report.replaces] = replace(replaced, replaced_by=report.broker_order_id)


def further(known: Report, told: Report) -> Report:
    """Return the report that is further on its way; of equals, the one told last."""
    first, last = (known, told) if _progress(told) >= _progress(known) else (told, known)
    is_lacking = first.replaced_by and not last.replaced_by
    return replace(last, replaced_by=first.replaced_by) if is_lacking else last


def _progress(report: Report) -> tuple[object, ...]:
    is_begun = report.status not in _ON_THE_WAY
    step = len(_ON_THE_WAY) if is_begun else _ON_THE_WAY.index(report.status)
    return report.filled_quantity, report.is_final, report.updated_at, step
