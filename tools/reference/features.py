"""`features.md`: the table a policy sees."""

from __future__ import annotations

from catalyst_bot.features.spec import FEATURES, SPEC_HASH
from tools.reference.markdown import table


def page() -> str:
    """The table a policy sees."""
    rows = [
        (
            *(number, f"`{f.name}`", f.group, f.meaning, f.source, f.bars or "", f.needs or ""),
            *("" if f.transform == "none" else f.transform, f"{f.low:g} to {f.high:g}"),
            f"{f.neutral:g}",
        )
        for number, f in enumerate(FEATURES, start=1)
    ]
    return "\n\n".join(
        [
            "# Features",
            (
                "What a policy sees, in this order; why these is in "
                "[the concept](../concepts/features.md). The table's hash is "
                f"`{SPEC_HASH}`: a policy made for another table is refused."
            ),
            (
                "`bars` is the longest window in decision bars, `needs` the fewest bars a value is "
                "measured on; with fewer it is `neutral`. `root` is the signed square root; the "
                "range is that of the value after it, to which it is clipped."
            ),
            table(
                (
                    *("#", "name", "group", "meaning", "source", "bars", "needs"),
                    *("transform", "range", "neutral"),
                ),
                rows,
            ),
        ]
    )
