"""Write every generated file."""

from __future__ import annotations

from pathlib import Path

from tools.reference.documents import documents

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Write them all and print their names."""
    for name, text in documents().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main()
