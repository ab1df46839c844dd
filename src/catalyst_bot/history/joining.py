"""One symbol in several files: where one ends, another may go on.

The file imported first counts wherever both have bars. What another has before and after is taken
when it is the same stock, counted in the same shares.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.gates import SymbolBars
from catalyst_bot.market_data.session_times import DAY_S

GONE_AFTER_S = 15 * DAY_S  # without a bar this long a symbol is gone, and its name is free
_AGREE = 0.01  # of a price: vendors print a close a little apart, other shares far


def joined(held: SymbolBars, more: SymbolBars) -> SymbolBars:
    """Return the bars of a symbol with those that another file has before and after them.

    The same object where nothing is added. `expected` stays that of `held`. The factor goes on from
    file to file: by the step of a file that holds both sides of the seam, else without one.
    """
    start = int(np.searchsorted(more.opened_s, held.opened_s[0]))
    end = int(np.searchsorted(more.opened_s, held.opened_s[-1], side="right"))
    has_before = start > 0 and held.opened_s[0] - more.closed_s[start - 1] <= GONE_AFTER_S
    has_after = end < len(more) and more.opened_s[end] - held.closed_s[-1] <= GONE_AFTER_S
    if not (has_before or has_after) or not _agree(held, more):
        return held
    before = slice(0, start if has_before else 0)
    after = slice(end if has_after else len(more), None)
    factor = held.factor
    if has_before:
        is_shared = start < len(more) and more.opened_s[start] == held.opened_s[0]
        step = more.factor[start] / more.factor[start - 1] if is_shared else 1.0
        factor = factor * (more.factor[start - 1] * step)
    going_on = more.factor[after]
    if has_after:
        is_shared = end > 0 and more.opened_s[end - 1] == held.opened_s[-1]
        step = more.factor[end] / more.factor[end - 1] if is_shared else 1.0
        going_on = going_on / going_on[0] * (factor[-1] * step)

    def told(name: str) -> Floats:
        parts = (getattr(more, name)[before], getattr(held, name), getattr(more, name)[after])
        return np.concatenate(parts)

    return replace(
        held,
        source=f"{held.source} + {more.source}",
        opened_s=told("opened_s"),
        closed_s=told("closed_s"),
        open=told("open"),
        high=told("high"),
        low=told("low"),
        close=told("close"),
        volume=told("volume"),
        factor=np.concatenate([more.factor[before], factor, going_on]),
    )


def _agree(one: SymbolBars, other: SymbolBars) -> bool:
    """Whether the first and the last bar that both have closed at one price; true without any."""
    _, mine, theirs = np.intersect1d(one.opened_s, other.opened_s, return_indices=True)
    ends = [0, -1] if len(mine) else []
    apart = one.close[mine[ends]] / other.close[theirs[ends]] - 1.0
    return bool((np.abs(apart) < _AGREE).all())
