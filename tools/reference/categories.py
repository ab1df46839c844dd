"""`categories.md`: what the detection data files say of categories, filings and sources."""

from __future__ import annotations

from importlib.resources import files

from catalyst_bot.detection import calibration, filings, sources, taxonomy
from tools.reference.markdown import table


def page() -> str:
    """What the detection data files say: categories, filings, sources."""
    folder = files("catalyst_bot.detection")
    texts = {
        module: (folder / module.FILE).read_text(encoding="utf-8")
        for module in (taxonomy, filings, sources, calibration)
    }
    fitted = calibration.parse_calibration(texts[calibration])
    known = calibration.calibrated(taxonomy.parse_taxonomy(texts[taxonomy]), fitted.precisions)
    read = filings.parse_filings(texts[filings], known)
    said = sources.parse_sources(texts[sources])
    sign = {1: "good", -1: "bad", 0: "from the reaction"}
    categories = [
        (
            f"`{c.name}`",
            sign[c.polarity],
            c.action,
            c.weight,
            f"**{c.precision}**" if c.name in fitted.precisions else c.precision,
            f"{c.half_life_s / 3600:.3g}",
            f"{c.horizon_s / 3600:g}",
        )
        for c in known.categories.values()
    ]
    told = [
        (reading.evidence, f"`{reading.category.name}`", reading.precision)
        for reading in (*read.items.values(), *read.forms.values())
    ]
    believed: dict[float, list[str]] = {}
    for name, credibility in sorted(said.by_name):
        believed.setdefault(credibility, []).append(name)
    return "\n\n".join(
        [
            "# Categories",
            (
                f"{len(categories)} categories; how they are used: "
                "[detection](../concepts/detection.md). *Weight* is how much such an event tends "
                "to move a price, set by hand; *precision* the probability that category and sign "
                "are right, fitted on labels where it is bold and set by hand elsewhere. "
                "*Half-life* is after how many hours half of its worth is gone, *hours* how long "
                "the effect is expected to last: a position is left then."
            ),
            table(
                ("category", "sign", "action", "weight", "precision", "half-life", "hours"),
                categories,
            ),
            "## Filings",
            "8-K items and forms, read without their text. All others are no catalyst.",
            table(("filing", "category", "precision"), told),
            "## Sources",
            f"Credibility by the beginning of the source's name; all others {said.unknown:g}.",
            table(
                ("credibility", "names"),
                [(value, ", ".join(believed[value])) for value in sorted(believed, reverse=True)],
            ),
        ]
    )
