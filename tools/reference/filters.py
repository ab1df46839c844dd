"""`filters.md`: what a headline has to pass, in order."""

from __future__ import annotations

from importlib.resources import files

from catalyst_bot.detection import filings, noise, taxonomy
from catalyst_bot.detection import reasons as r
from catalyst_bot.detection.classify import NOT_RECOGNISED
from catalyst_bot.detection.filters import FILTERS, TELLS_AN_EVENT
from catalyst_bot.detection.phrases import NOISE
from tools.reference.markdown import table


def page() -> str:
    """What a headline has to pass, in order, and the reasons that come from data."""
    folder = files("catalyst_bot.detection")
    known = taxonomy.parse_taxonomy((folder / taxonomy.FILE).read_text(encoding="utf-8"))
    read = filings.parse_filings((folder / filings.FILE).read_text(encoding="utf-8"), known)
    lists = noise.parse_noise((folder / noise.FILE).read_text(encoding="utf-8"))
    told = [
        (number, row.step, f"`{row.reason}`", row.limit, row.why)
        for number, row in enumerate(FILTERS, start=1)
    ]
    of_data = sorted(
        {p.name for p in lists.phrases if p.kind == NOISE}
        | {*read.ignored_forms.values(), filings.ROUTINE, filings.AMENDED, NOT_RECOGNISED}
    )
    last = [
        (
            len(told) + 1,
            r.CATALYST,
            ", ".join(f"`{n}`" for n in of_data),
            TELLS_AN_EVENT,
            "the lists of `noise.toml` and `filings.toml`",
        ),
        (
            len(told) + 2,
            r.DEDUPED,
            f"`{r.KNOWN_STORY}`, `{r.RETRACTS}`",
            "once a story",
            "another source, a follow-up or the end of what was told",
        ),
    ]
    return "\n\n".join(
        [
            "# Filters",
            (
                "What a headline has to pass to become a catalyst, in the order in which it is "
                "asked. A refusal is a `HeadlineIgnored` with the funnel step it did not reach, "
                "the reason, the limit and what was observed; `catalyst-bot explain ID` shows it. "
                "The gates between catalyst and signal, and the checks of risk, carry limit and "
                "observed value as numbers: [settings](settings.md)."
            ),
            table(("#", "step", "reason", "allowed", "why"), (*told, *last)),
        ]
    )
