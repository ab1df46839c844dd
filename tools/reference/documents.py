"""Every generated file and its text."""

from __future__ import annotations

from tools.reference import (
    categories,
    commands,
    features,
    filters,
    messages,
    risk_checks,
    settings,
    sources,
    wiring,
)
from tools.reference.markdown import MADE

PAGES = {
    "settings": settings.page,
    "messages": messages.page,
    "wiring": wiring.page,
    "commands": commands.page,
    "features": features.page,
    "categories": categories.page,
    "filters": filters.page,
    "sources": sources.page,
    "risk-checks": risk_checks.page,
}


def documents() -> dict[str, str]:
    """Return every generated file as path relative to the repository -> text."""
    made = {f"docs/reference/{name}.md": f"{MADE}\n\n{page()}\n" for name, page in PAGES.items()}
    return {**made, "catalyst.toml": settings.file()}
