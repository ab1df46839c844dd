"""`risk-checks.md`: every rule an order has to pass."""

from __future__ import annotations

from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.risk import check_table
from tools.reference.markdown import SOURCES, table, toml


def page() -> str:
    """Every rule an order has to pass."""
    defaults = RiskLimits()

    def told(row: check_table.Row) -> tuple[object, ...]:
        limit = f"`risk.{row.limit}` = {toml(getattr(defaults, row.limit))}" if row.limit else ""
        may = "yes" if row.may_be_overridden else ""
        return f"`{row.name}`", row.tier, limit, row.unit, row.refusal, row.origin, may

    header = ("check", "tier", "limit", "unit", "a refusal means", "source", "override")
    return "\n\n".join(
        [
            "# Risk checks",
            (
                "Every rule an order has to pass before it is sent, in the order in which a "
                "refusal is named. All are run for every intent, and all results are journalled "
                "with limit and observed value: `catalyst-bot explain ID` shows them. A comparison "
                "with NaN never passes. *override*: a person may override one refusal, with a "
                "reason and for a time ([halt and resume](../how-to/halt-and-resume.md)). What "
                "they are for: [risk](../concepts/risk.md). " + SOURCES
            ),
            "## Entries",
            table(header, map(told, check_table.ENTRY_CHECKS)),
            "## Exits",
            (
                "Nothing else may keep a position open: exits pass halts, pauses and loss limits. "
                "An intent to sell passes `finite_inputs`, too."
            ),
            table(header, map(told, check_table.EXIT_CHECKS)),
            "## Stops of positions that have none",
            "`held_quantity`, and `stop_price`: the stop is a price above zero.",
        ]
    )
