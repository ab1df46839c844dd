from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "THIRD_PARTY.md", "docs/**/*.md")
CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(<?([^)\s>]+)[^)]*\)|^\[[^\]^]+\]:\s*(\S+)|(?:href|src)=\"([^\"]+)\"", re.M)
OUTSIDE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//|#)")


def broken_links(document: Path) -> list[str]:
    text = CODE.sub("", document.read_text(encoding="utf-8"))
    targets = [next(filter(None, groups)) for groups in LINK.findall(text)]
    files = [target.split("#")[0] for target in targets if not OUTSIDE.match(target)]
    return [file for file in files if not (document.parent / file).exists()]


@pytest.mark.parametrize(
    "document",
    [path for pattern in DOCUMENTS for path in sorted(ROOT.glob(pattern))],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_links_lead_somewhere(document: Path):
    assert broken_links(document) == []


def test_a_broken_link_is_found(tmp_path: Path):
    document = tmp_path / "page.md"
    document.write_text(
        "[here](page.md#top) [gone](gone.md) [web](https://example.com) `[code](x.md)`\n\n"
        "```\n[code](y.md)\n```\n\n[later]\n\n[later]: missing.png\n"
    )
    assert broken_links(document) == ["gone.md", "missing.png"]


def test_third_party_files_are_what_their_table_says():
    table = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| file \| `([^`]+)` \|.*?\| sha256 \| `([0-9a-f]{64})` \|", table, re.S)
    assert rows
    for name, expected in rows:
        assert hashlib.sha256((ROOT / name).read_bytes()).hexdigest() == expected, name
