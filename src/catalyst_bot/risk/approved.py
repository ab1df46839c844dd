"""The name of a set of limits: equal limits have equal names, so that approving one approves one.

Only values count, not how they are written: a limit of 100 and one of 100.00 are the same.
"""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from functools import lru_cache

from catalyst_bot.domain.ids import content_id
from catalyst_bot.risk.rules import Rules


@lru_cache(maxsize=16)  # the rules of a run never change; hashing them for every order would cost
def limits_hash(rules: Rules) -> str:
    """Return the name of everything that an order is judged, sized and protected by."""
    return content_id(
        "lim",
        *(
            f"{section.name}.{setting.name}={_text(getattr(part, setting.name))}"
            for section in fields(rules)
            for part in (getattr(rules, section.name),)
            for setting in fields(part)
        ),
    )


def _text(value: object) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
