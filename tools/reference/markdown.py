"""What the pages are written with: tables, values, and the lines that several share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MADE = "<!-- Written by `make docs` from the code; edit the code instead. -->"
SOURCES = (
    "Where a source says *roadmap*, it means the requirements this project was built from; "
    "*CONVENTIONS* and *RELIABILITY* are its design notes, kept outside this repository."
)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; bars inside cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def toml(value: object) -> str:
    """Return a value as TOML writes it; Decimals as text, which keeps their digits."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case tuple():
            return f"[{', '.join(map(toml, value))}]"
        case _:
            return f'"{value}"'
